"""Self-checks of the numbers: parts add up to the whole, and nothing is stored twice.

Each yields a sentence per difference it finds, and nothing where all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.query.catalog import DIMENSIONS, METRICS, TIME
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME, Window

ZONES: Final = ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")

ADDITIVE: Final = tuple(name for name, one in METRICS.items() if one.additive)

CHANNELS: Final = {"platform", "cli", "api", "other"}

CENT: Final = 1e-6


def everything(store: EventStore, zone: str) -> Filters:
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
    """The days of every zone with odd clocks against all of time."""
    for zone in ZONES:
        yield from _differences(Query(ADDITIVE, (TIME,), everything(store, zone), "day"), store)


def breakdowns_add_up(store: EventStore) -> Iterator[str]:
    """The values of each dimension but time against all events."""
    filters = everything(store, "UTC")
    for name in DIMENSIONS:
        if name != TIME:
            yield from _differences(Query(ADDITIVE, (name,), filters), store)


def channels_are_the_whole(store: EventStore) -> Iterator[str]:
    """The cost of the four channels against the whole cost, and no fifth channel."""
    query = Query(("cost",), ("channel",), everything(store, "UTC"))
    if other := set(run(query, SYSTEM, store)["channel"]) - CHANNELS:
        yield f"there are channels beside the four: {', '.join(sorted(other))}"
    yield from _differences(query, store)


def nothing_twice(store: EventStore) -> Iterator[str]:
    """No event id is stored more than once."""
    if repeated := store.count_duplicates():
        yield f"{repeated:,} events are stored more than once"
