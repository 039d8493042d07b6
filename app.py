"""Spendscope: wiring only. settings → stores → Flask → sign-in → Dash → page."""

# ruff: noqa: E402
from __future__ import annotations

import gc

gc.disable()  # what is imported stays: looking for cycles in it took a sixth of every start

import logging
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dash import Dash
from flask import Flask, Response, jsonify, redirect

from callbacks.access import (
    bundles,
    callback_bodies,
    compression,
    demo,
    headers,
    one_time_links,
    request_log,
    sign_in,
)
from callbacks.analytics import (
    arrival,
    budgets_at_risk,
    events_drawer,
    filter_bar,
    first_visit,
    navigation,
    recent,
    redraw,
)
from callbacks.api import analytics, freshness, listing, prometheus, resources, tracing
from callbacks.commands import backups, litellm_sync, remote_store
from callbacks.commands.forgetting import forget_here
from callbacks.commands.main import load
from callbacks.commands.main import main as command
from callbacks.receive import arrivals, events, http_server, otlp, request_body, uploads
from callbacks.settings import (
    budget_selection,
    budgets,
    forms,
    preferences,
    price_form,
    tables,
    viewings,
)
from callbacks.settings.pages import PAGES
from callbacks.settings.resource import Page
from callbacks.stores import Stores
from components.page import code
from data.disk import require_room
from data.engines.protocol import EventStore, open_events
from data.errors import SpendscopeError
from data.ingest.import_log import LiveImports, tally_while_serving
from data.ingest.keys import UNNAMED
from data.ingest.request_process import YOUNG, ParserProcess
from data.ingest.requests import LocalRequestParser, RequestParser
from data.ingest.retention import retain_while_serving
from data.permissions import close_to_others, create_private, write_private
from data.prices.own import PriceBookStore
from data.query.summing import sum_while_serving
from data.sample.budgets import examples
from data.settings import Settings
from data.state.retention import trim_while_serving
from data.state.store import State

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

gc.freeze()
gc.enable()
HERE = Path(__file__).resolve().parent
# Most of them wait for their turn at the store; fewer would have senders wait for viewers.
THREADS = 64
SETUP_FILE = "setup-link"


def create_app(
    settings: Settings,
    state: State,
    store: EventStore,
    key: str,
    tally: LiveImports | None = None,
    reader: RequestParser | None = None,
    pages: tuple[Page, ...] = PAGES,
    tracer: Tracer | None = None,
) -> Dash:
    """The dashboard on stores that are open; `key` is for commands of this machine, `reader` reads
    what is received (None: this process does), `pages` are those of the settings, `tracer` makes
    spans of requests (None: there are none)."""
    server = Flask(__name__, static_folder=None)
    stores = Stores(settings, state, store, tally or LiveImports(state))
    request_log.attach(server)
    server.config["MAX_CONTENT_LENGTH"] = request_body.LARGEST
    prometheus.attach(server, stores)
    tracing.attach(server, tracer)
    sign_in.attach(server, settings, state, store, lambda: app.csp_hashes())
    compression.attach(server)
    _route(server, stores, reader or LocalRequestParser(store.book), pages)
    remote_store.attach(server, stores, key, backups.verbs(server) | {"forget": forget_here})
    http_server.attach(server, stores, key)
    app = _dash(server)
    callback_bodies.attach(app)
    app.layout = lambda: arrival.page(pages, stores)
    _register(app, stores, pages)
    return app


def _route(server: Flask, stores: Stores, reader: RequestParser, pages: tuple[Page, ...]) -> None:
    """Every address but those of the page."""
    bundles.attach(server)
    analytics.attach(server, stores)
    listing.attach(server, stores)
    freshness.attach(server, stores)
    budgets.attach(server, stores)
    resources.attach(server, stores, (*pages, budgets.TAB))
    events.attach(server, stores, reader)
    otlp.attach(server, stores, reader)
    uploads.attach(server, stores)
    arrivals.attach(server, stores)
    _doors(server, stores, reader)


def _dash(server: Flask) -> Dash:
    # Without a name Dash looks for its caller's, through every module there is.
    return Sealed(
        name=server.name, server=server, title="Spendscope", update_title=None,
        index_string=code.index(),
        assets_folder=str(HERE / "assets"), assets_ignore=code.IGNORED,
        external_scripts=[code.SCRIPTS], use_async=False, enable_mcp=False,
        suppress_callback_exceptions=True,
    )  # fmt: skip


class Sealed(Dash):  # type: ignore[misc]
    """Dash, each of whose pages has the bundles of its code and a nonce for its styles."""

    def interpolate_index(self, **parts: Any) -> str:
        return code.completed(super().interpolate_index(**parts), headers.style_nonce())


def _register(app: Dash, stores: Stores, pages: tuple[Page, ...]) -> None:
    """What the page does."""
    declared = (*pages, budgets.TAB)
    navigation.register(app, stores, pages)
    filter_bar.register(app, stores)
    first_visit.register(app, stores)
    budgets_at_risk.register(app, stores)
    events_drawer.register(app, stores.store)
    recent.register(app, stores.store)
    preferences.register(app)
    redraw.register(app, stores.store)
    tables.register(app, stores, declared)
    forms.register(app, stores, declared)
    budget_selection.register(app, stores)
    price_form.register(app, stores)
    viewings.register(app)


def _doors(server: Flask, stores: Stores, reader: RequestParser) -> None:
    """The way in, and whether we are well."""
    server.add_url_rule("/", "home", lambda: redirect("/settings/analytics"))
    server.add_url_rule("/healthz", "healthz", lambda: jsonify(status="ok"))

    given = stores.settings

    @server.get("/readyz")
    def readyz() -> tuple[Response, int]:
        try:
            stores.store.stored_ids(["readyz"])
            stores.state.has_accounts()
            reader.events("canonical", b"[]", 0, UNNAMED)
            require_room(given.data_dir, given.events_url, given.state_url)
        except SpendscopeError as error:
            logging.getLogger("spendscope").error("not ready: %s", error)
            return jsonify(status=str(error)), 503
        except Exception:
            logging.getLogger("spendscope").exception("a store does not answer")
            return jsonify(status="a store does not answer"), 503
        return jsonify(status="ready"), 200


def serve(settings: Settings, with_sample: bool = False) -> None:
    """Serve until stopped; with the data of a backup from then on, where one is to be restored."""
    signal.signal(signal.SIGTERM, _stop)
    close_to_others(settings.data_dir, settings.events_url, settings.state_url)
    restart = backups.Restart()
    _serve(settings, with_sample, restart)
    while restart.put_back(settings):
        _serve(settings, False, restart)


def _serve(settings: Settings, with_sample: bool, restart: backups.Restart) -> None:
    """Have the stores open, and serve until stopped."""
    with closing(State(settings.state_url)) as state:
        state.require_sound()
        prices = PriceBookStore.at_start(state, settings.now())
        with closing(open_events(settings.events_url, prices)) as store:
            store.require_sound()
            if with_sample and not demo.sources(store):
                load(store, 100_000, 90, 7, settings.now())
                examples(state, store, settings.now())
            _answer(settings, state, store, restart)


def _answer(settings: Settings, state: State, store: EventStore, restart: backups.Restart) -> None:
    key, tally = remote_store.new_key(), LiveImports(state)
    with (
        tracing.exporting(settings) as tracer,
        closing(ParserProcess(settings.state_url)) as reader,
    ):
        store = tracing.traced(store, tracer, settings.events_url)
        app = create_app(settings, state, store, key, tally, reader, tracer=tracer)
        restart.attach(app.server)
        with tally_while_serving(tally):
            _listen(settings, state, store, key, app)
    tally.flush()


def _listen(settings: Settings, state: State, store: EventStore, key: str, app: Dash) -> None:
    """Answer until stopped."""
    # What is there by now stays: looking for cycles in it took a quarter of the time of receiving.
    gc.freeze()
    gc.set_threshold(YOUNG)
    # The socket first: nothing is announced at an address that is somebody else's.
    listening = http_server.make_server(app.server, settings.host, settings.port, threads=THREADS)
    prometheus.watch_queue(app.server, listening)
    url = f"http://{settings.host}:{settings.port}"
    print(f"Spendscope serves on {url}", flush=True)
    if "local" in settings.sign_in and demo.why_closed(settings, state, store):
        _invite(settings, state)
    with (
        remote_store.announce(settings, key),
        litellm_sync.sync_while_serving(settings, state, store) as sync,
        sum_while_serving(store),
        retain_while_serving(state, store, settings.now),
        trim_while_serving(state, settings.audit_retention, settings.now),
    ):
        prometheus.watch_sync(app.server, sync)
        freshness.watch_sync(app.server, sync)
        http_server.run(listening)
        http_server.close(listening)


def _stop(*_: Any) -> None:
    """End as Ctrl-C does: what was received is booked, the note for commands removed. While it
    listens, `http_server.run` has it end."""
    raise SystemExit(0)


def _invite(settings: Settings, state: State) -> None:
    """Leave the one-time link to the first account, while there is none, where only we can read
    it: what is printed may be kept in a log."""
    note = settings.data_dir / SETUP_FILE
    note.unlink(missing_ok=True)
    if token := state.setup_token():
        write_private(note, f"{one_time_links.setup_link(token, settings)}\n")
        print(f"Create the first account: open the link in {note}", flush=True)


def main() -> int:
    """The console script."""
    create_private()
    return command(serve)


if __name__ == "__main__":
    sys.exit(main())
