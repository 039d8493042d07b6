"""How long a full refresh of the Overview takes, beside the same questions asked by hand."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb
from flask.testing import FlaskClient

from app import create_app
from callbacks.analytics.filter_state import filters_of, new_state
from callbacks.analytics.passes import courses, passes_of_page
from callbacks.commands.accounts import token
from data.access.scope import Scope
from data.engines.duckdb import partial_answers
from data.engines.protocol import EventStore, open_events
from data.query.answers import answer
from data.query.catalog import aggregates
from data.query.comparison import totals_compared, trends
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.settings import Settings
from data.state.store import State
from tests.bench.bare import overview
from tests.bench.crowd import DAYS, UNTIL
from tests.bench.report import Row, medians, most_memory, ms, processor_time, progress
from tests.bench.viewer import OVERVIEW, PATH, Body, calls, redraw

SECRET: Final = "for-measuring-only-for-measuring-only"
READERS: Final = {"all users": ("boss", True), "one user": ("jonas.weber-0", False)}
WINDOWS: Final = {"7 days": 7, "30 days": 30, "everything": DAYS + 2}


def measure(path: Path) -> list[Row]:
    """A row a reader and window, and one for memory."""
    os.environ |= {"SPENDSCOPE_JWT_SECRET": SECRET, "SPENDSCOPE_DATA_DIR": str(path.parent)}
    partial_answers.SLOW = math.inf  # or what was asked once would be kept in parts
    settings, store = Settings.read(), open_events(f"duckdb:///{path}")
    progress(f"summing up {path.stem}")
    store.sum_up(aggregates())
    while store.refresh_sums():
        pass
    client = create_app(settings, State(settings.state_url), store, "").server.test_client()
    bare = duckdb.connect(str(path))  # the same open database, without any of us
    rows = [
        _row(f"{path.stem}, {window}, {reader}", reader, days, client, settings, store, bare)
        for reader in READERS
        for window, days in WINDOWS.items()
    ]
    bare.close()
    store.close()
    return [*rows, Row(f"{path.stem}: memory at its peak", remarks=most_memory())]


def _row(
    what: str,
    reader: str,
    days: int,
    client: FlaskClient,
    settings: Settings,
    store: EventStore,
    bare: duckdb.DuckDBPyConnection,
) -> Row:
    user, admin = READERS[reader]
    scope, question = Scope.of({"sub": user, "isAdmin": admin}), asked(days)
    filters = filters_of(question)
    window, cursor = filters.window, bare.cursor()
    page = _page(client, token(settings, user, admin=admin), question)
    asking = partial(queries, filters, scope, store)
    works: list[Callable[[], Any]] = [
        partial(cold, store, page),
        partial(cold, store, asking),
        partial(cold, store, partial(_without_sums, store, asking)),
        partial(overview, cursor, window.start, window.end, None if admin else user),
    ]
    _agree(works[3](), filters, scope, store)
    progress(f"refreshing {what}")
    return _measured(f"refresh, {what}", works)


def _measured(what: str, works: Sequence[Callable[[], Any]]) -> Row:
    whole, asking, unsummed, bare_ones = medians(works)
    return Row(
        what, whole, bare_ones,
        f"processor time {ms(processor_time(works[0]))}; of which queries {ms(asking)} ="
        f" {asking / bare_ones:.1f}×; without sums {ms(unsummed)} ="
        f" {unsummed / asking:.1f}× as long",
    )  # fmt: skip


def cold(store: EventStore, work: Callable[[], None]) -> None:
    store.memo.clear()
    work()


def _without_sums(store: Any, work: Callable[[], None]) -> None:
    """As if there were only events."""
    kept, store._sums = store._sums, None
    try:
        work()
    finally:
        store._sums = kept


def asked(days: int, ago: int = 0) -> dict[str, Any]:
    """The question of a viewer who looks at the last days, so many µs ago."""
    return new_state({"preset": "last_n_days", "n": str(days)}, "UTC", UNTIL - ago)


def _page(client: FlaskClient, bearer: str, question: dict[str, Any]) -> Callable[[], None]:
    """The page's own calls, up to the JSON it draws from."""
    headers = {"Authorization": f"Bearer {bearer}"}
    bodies = calls(client.get("/_dash-dependencies", headers=headers).json or [], question)

    def post(body: Body) -> str:
        answered = client.post(PATH, json=body, headers=headers)
        return answered.text if answered.status_code == 200 else f'"failed" {answered.text}'

    return partial(redraw, post, bodies)


def queries(filters: Filters, scope: Scope, store: EventStore) -> None:
    for section in OVERVIEW:
        passes = passes_of_page(section.key, filters, scope.reach == "own")
        if not section.shape.has_chart:
            numbers = Query(section.metrics, (), filters, passes=passes)
            totals_compared(numbers, scope, store)
            if drawn := courses(section):
                trends(numbers, drawn, scope, store)
        else:
            answer(section, filters, scope, store, only_drawn=True, passes=passes)


def _agree(cost_nano: int | None, filters: Filters, scope: Scope, store: EventStore) -> None:
    """Both ways must have asked the same, or their times say nothing."""
    ours = run(Query(("cost",), (), filters), scope, store)["cost"].iloc[0]
    if cost_nano is None or abs(ours - cost_nano / 1e9) > 1e-6 * ours:
        raise SystemExit(f"bench: the page says {ours}, the bare query {cost_nano} nano-dollars")
