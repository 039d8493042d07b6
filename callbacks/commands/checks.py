"""Self-checks over what is stored: the promises of the numbers, asked of the real data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, Final

from callbacks.api import records
from components.page import tables
from components.sections.declared import SECTIONS
from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.query.answers import answer
from data.query.catalog import DIMENSIONS, METRICS, TIME
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME, Window

ZONES: Final = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
ADDITIVE: Final = tuple(name for name, one in METRICS.items() if one.additive)
CHANNELS: Final = {"platform", "cli", "api", "other"}
CENT: Final = 1e-6
Result = tuple[str, str]


def run_all(store: EventStore) -> Iterator[Result]:
    """`(what is checked, what is wrong)`; the second is empty where all is well."""
    for name, check in CHECKS.items():
        yield name, "; ".join(check(store))


def _everything(store: EventStore, zone: str) -> Filters:
    """All of the stored time, as read in a zone."""
    span = run(Query(("first_event", "last_event"), (), Filters(ALL_TIME)), SYSTEM, store).dropna()
    if span.empty:
        return Filters(Window(ALL_TIME.start, ALL_TIME.start + 1, zone))
    first, last = (int(span[name].iloc[0]) for name in ("first_event", "last_event"))
    return Filters(Window(first, last + 1, zone))


def _differences(query: Query, store: EventStore) -> Iterator[str]:
    parts, whole = run(query, SYSTEM, store), run(query.total(), SYSTEM, store)
    for name in query.metrics:
        total, added = whole[name].fillna(0).iloc[0], parts[name].sum()
        if abs(float(total) - float(added)) > CENT:
            difference = f"{total} in all, {added} in parts"
            yield f"{name} by {', '.join(query.by)} ({query.filters.window.zone}): {difference}"


def buckets_add_up(store: EventStore) -> Iterator[str]:
    for zone in ZONES:
        yield from _differences(Query(ADDITIVE, (TIME,), _everything(store, zone), "day"), store)


def breakdowns_add_up(store: EventStore) -> Iterator[str]:
    filters = _everything(store, "UTC")
    for name in DIMENSIONS:
        if name != TIME:
            yield from _differences(Query(ADDITIVE, (name,), filters), store)


def doors_agree(store: EventStore) -> Iterator[str]:
    filters = _everything(store, "Europe/Berlin")
    for one in SECTIONS.values():
        answered = answer(one, filters, SYSTEM, store)
        api = records.section(answered)["rows"]
        export = list(csv.DictReader(io.StringIO(records.csv_text(answered))))
        table = tables.rows(answered, len(api))
        for name in one.metrics:
            shown = [row[name] for row in api]
            read = records.cells([row[name] for row in table], name, answered.window.zone)
            if shown != read or not _same(shown, export, name):
                yield f"{one.key}: {name} differs between its doors"


def _same(values: list[Any], export: list[dict[str, str]], name: str) -> bool:
    return ["" if value is None else str(value) for value in values] == [r[name] for r in export]


def channels_are_the_whole(store: EventStore) -> Iterator[str]:
    query = Query(("cost",), ("channel",), _everything(store, "UTC"))
    if other := set(run(query, SYSTEM, store)["channel"]) - CHANNELS:
        yield f"there are channels beside the four: {', '.join(sorted(other))}"
    yield from _differences(query, store)


def nothing_twice(store: EventStore) -> Iterator[str]:
    if repeated := store.count_duplicates():
        yield f"{repeated:,} events are stored more than once"


CHECKS: Final[dict[str, Callable[[EventStore], Iterator[str]]]] = {
    "the sum over time buckets is the range's total": buckets_add_up,
    "the sum over each breakdown is the total": breakdowns_add_up,
    "table, chart, API and export agree": doors_agree,
    "the cost is platform + cli + api + other": channels_are_the_whole,
    "no event is stored twice": nothing_twice,
}
