"""The events behind a number: the rows themselves, under the same WHERE clause.

A list is a `Query` about one metric; its totals are that query run, so they are the number.
A page is read in one go, a whole list in a stream that never holds more than a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from data.access.people import People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused, excerpt
from data.events.money import NANO
from data.events.table import EVENTS, PART_TOKENS, SESSION_ONLY, TOKENS
from data.local_time import WIDTHS
from data.query.catalog import DIMENSIONS, METRICS
from data.query.clauses import clauses
from data.query.filters import Filters
from data.query.metric import CALL
from data.query.names import with_found
from data.query.query import Query
from data.query.units import DURATION, INSTANT, TEXT, Unit

BATCH: Final = 2_000
DEEP_OFFSET: Final = 5_000
STRETCH_EVENTS: Final = 100_000
PERSONAL: Final = ("user", "user_name")
LATEST_FIRST: Final = (("ts", True),)
# Summed up below every list, besides the metric it is about.
TOTALS: Final = ("events", "requests", "cost", "tokens")
_LABELS: Final = {
    "ts": "Time", "event_id": "Event", "tokens": "Tokens", "cost_origin": "Cost from",
    "duration_ms": "Duration", "ttft_ms": "First token", "run_id": "Run",
    "conversation_id": "Conversation", "user_name": "User name", "project_name": "Project name",
}  # fmt: skip
_UNITS: Final = {"ts": INSTANT, "duration_ms": DURATION, "ttft_ms": DURATION}
COLUMNS: Final = (
    "ts", "user", "user_name", "project", "project_name", "model", "cost", "tokens", "requests",
    "status", "duration_ms", "channel", "kind", "provider", "operation", "assistant", "workflow",
    "tool", "tool_type", "integration", "integration_type", "client", "repository", *TOKENS,
    *PART_TOKENS, "web_searches", "service_tier", "ttft_ms", "error_class", *SESSION_ONLY, "run_id",
    "conversation_id", "cost_origin", "unpriced_reason", "source", "event_id",
)  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the events of a query; `order` holds (column, descending)."""

    query: Query
    order: tuple[tuple[str, bool], ...] = LATEST_FIRST
    limit: int | None = None
    offset: int = 0

    def __post_init__(self) -> None:
        for name, _ in self.order:
            if name not in COLUMNS:
                problem = f"{excerpt(name)} is no column of a list; use one of {', '.join(COLUMNS)}"
                raise Refused("order", problem)


def events_query(metric: str, filters: Filters, narrowed_by: Query | None = None) -> Query:
    """The question whose answer sums up the events of a metric; `narrowed_by` has it narrower."""
    where = narrowed_by.where if narrowed_by else ()
    metrics = tuple(dict.fromkeys((metric, *TOTALS)))
    return Query(metrics, (), filters, where=where, of_metric=metric)


def column_label(name: str) -> str:
    """What people call a column."""
    declared = METRICS.get(name) or DIMENSIONS.get(name)
    return declared.label if declared else _LABELS[name]


def column_unit(name: str) -> Unit:
    """What a column's values are."""
    return METRICS[name].unit if name in METRICS else _UNITS.get(name, TEXT)


def rows(listing: Listing, scope: Scope, store: EventStore) -> Iterator[Row]:
    """The events, read batch by batch; instants in µs UTC, money in US dollars."""
    listing = replace(listing, query=with_found(listing.query, scope, store))
    with store.sql.connect() as connection:
        for part in _parts(listing, scope, connection):
            options = connection.execution_options(stream_results=True)
            for batch in options.execute(_select(part, scope)).partitions(BATCH):
                for values in batch:
                    yield _row(values, scope.people)


def empty_columns(query: Query, scope: Scope, store: EventStore) -> frozenset[str]:
    """The columns in which none of the events has a value."""
    known = (sa.func.count(_column(name)) for name in COLUMNS)
    statement = sa.select(*known).where(*clauses(with_found(query, scope, store), scope))
    with store.sql.connect() as connection:
        counts = connection.execute(statement).one()
    return frozenset(name for name, count in zip(COLUMNS, counts, strict=True) if not count)


def _parts(listing: Listing, scope: Scope, connection: sa.Connection) -> Iterator[Listing]:
    """A whole list in order of time is cut into stretches, and one sorted after the other; any
    other list is its only part."""
    if listing.limit is not None or [name for name, _ in listing.order] != ["ts"]:
        yield listing
        return
    day = EVENTS.c.ts - EVENTS.c.ts % WIDTHS["day"]
    counted = sa.select(day, sa.func.count()).where(*clauses(listing.query, scope))
    stretches = list(_stretches(connection.execute(counted.group_by(day).order_by(day)).all()))
    for first, last in reversed(stretches) if listing.order[0][1] else stretches:
        filters = listing.query.filters
        start, end = max(first, filters.window.start), min(last, filters.window.end)
        narrow = replace(filters, window=replace(filters.window, start=start, end=end))
        yield replace(listing, query=replace(listing.query, filters=narrow))


def _stretches(days: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Days in a row that hold about `STRETCH` events together, as [from, to)."""
    first, held = None, 0
    for start, count in days:
        first, held = start if first is None else first, held + count
        if held >= STRETCH_EVENTS or start == days[-1][0]:
            yield first, start + WIDTHS["day"]
            first, held = None, 0


def _select(listing: Listing, scope: Scope) -> sa.Select[Any]:
    statement = sa.select(*(_column(name).label(name) for name in COLUMNS))
    statement = _ordered(statement, listing, scope)
    if listing.offset < DEEP_OFFSET:
        return statement.limit(listing.limit).offset(listing.offset or None)
    # Sorting whole rows to skip millions of them takes ten times as long as sorting their keys.
    keys = _ordered(sa.select(EVENTS.c.id_hash), listing, scope)
    keys = keys.limit(listing.limit).offset(listing.offset)
    return statement.where(EVENTS.c.id_hash.in_(keys)).limit(listing.limit)


def _ordered(statement: sa.Select[Any], listing: Listing, scope: Scope) -> sa.Select[Any]:
    ordered = [_column(name).desc() if down else _column(name) for name, down in listing.order]
    # Events of one instant keep their places from page to page.
    places = [*(one.nulls_last() for one in ordered), EVENTS.c.id_hash]
    statement = statement.order_by(*places)
    # Merged before the sort only where it sorts: a join keeps the engine from its shortest way.
    if any(name in PERSONAL for name, _ in listing.order):
        statement = scope.people.reading(statement)
    return statement.where(*clauses(listing.query, scope))


def _column(name: str) -> sa.ColumnElement[Any]:
    if name == "tokens":
        known = sa.func.coalesce(*(EVENTS.c[part] for part in TOKENS)).is_not(None)
        parts = [sa.func.coalesce(EVENTS.c[part], 0) for part in TOKENS]
        return sa.case((known, sum(parts[1:], parts[0])))
    if name == "requests":
        return sa.case((CALL, sa.func.coalesce(EVENTS.c.request_count, 1)))
    return EVENTS.c.cost_nano if name == "cost" else EVENTS.c[name]


def _row(values: Any, people: People) -> Row:
    row = dict(zip(COLUMNS, values, strict=True))
    row["user"], row["user_name"] = people.called(row["user"], row["user_name"])
    row["cost"] = None if row["cost"] is None else row["cost"] / NANO
    return row
