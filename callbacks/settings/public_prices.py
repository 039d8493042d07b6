"""The public price book on the prices page and for scripts: searched, one price looked up, and the
releases it is made of, each from a day on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import Dash, Input, Output
from flask import Flask, Response, jsonify, request

from callbacks.access.session import current_scope
from callbacks.api.parameters import only
from components import ids
from components.settings import public_prices as shown
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.events.table import micros
from data.local_time import instant
from data.prices.search import noon, quote, search
from data.settings import Settings

PATH = "/api/v1/prices/public"


def attach(server: Flask, settings: Settings, store: EventStore) -> None:
    """`?model=&provider=&at=`: the price a model has on a day, and what is called so."""

    @server.get(PATH)
    def public_prices() -> Response:
        only(("model", "provider", "at"))
        model, provider, at = (request.args.get(n, "") for n in ("model", "provider", "at"))
        scope, when = current_scope(), noon(at, _now(settings))
        book = store.book()
        found, count = search(scope, book, f"{provider} {model}", when)
        held = quote(scope, book, provider, model, when).as_dict() if model.strip() else None
        release = book.public.at(micros(when)).name
        return jsonify(
            release=release, price=held, count=count, models=[x.as_dict() for x in found]
        )


def register(app: Dash, settings: Settings, store: EventStore) -> None:
    """The card."""

    @app.callback(
        Output(ids.house("public-table"), "rowData"),
        Output(ids.house("public-said"), "children"),
        Output(ids.house("public-card"), "data-state"),
        Output(ids.house("public-found"), "children"),
        *(Input(ids.house(f"public-{name}"), "value") for name in shown.FIELDS),
    )
    def look(*values: Any) -> Any:
        model, provider, at = (value if isinstance(value, str) else "" for value in values)
        try:
            scope, when = current_scope(), noon(at, _now(settings))
            book = store.book()
            found, count = search(scope, book, f"{provider} {model}", when)
            held = quote(scope, book, provider, model, when)
        except SpendscopeError as error:
            return [], str(error), "failed", ""
        said = shown.sentence(held, f"{when:%d %b %Y}") if model.strip() else ""
        rows = [shown.row(one) for one in found]
        return rows, shown.told(len(rows), count), "ready" if rows else "empty", said


def _now(settings: Settings) -> datetime:
    return instant(settings.now())
