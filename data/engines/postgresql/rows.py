"""Stored events in PostgreSQL, read by their ids and written many at once, as arrays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from data.engines.merge_batch import MergeBatch, Row, cost_changes
from data.events.merging import same_price
from data.events.table import COUNTS, FIELDS, Event
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived

NUMBERS: Final = frozenset({"ts", *COUNTS, *DERIVED, "after", "until", "repricing"})
COLUMNS: Final = (*FIELDS, *DERIVED)
HELD: Final = ", ".join(f'"{name}"' for name in FIELDS)
BY_IDS: Final = f"SELECT {HELD} FROM events WHERE event_id = ANY(CAST(:ids AS TEXT[]))"
# Where an event comes to a cost: the re-pricing shall put back what it would have found.
FORGOTTEN: Final = (
    "DELETE FROM repriced WHERE cost_origin <> 'unpriced' AND event_id = ANY(CAST(:ids AS TEXT[]))"
)
REPORTED: Final = (
    "UPDATE repriced SET cost_nano = a.cost_nano, cost_origin = 'reported', unpriced_reason = NULL,"
    " list_cost_nano = CASE repriced.cost_origin WHEN 'list' THEN repriced.cost_nano"
    " WHEN 'reported' THEN repriced.list_cost_nano END"
    " FROM unnest(CAST(:event_id AS TEXT[]), CAST(:cost_nano AS BIGINT[]))"
    " AS a(event_id, cost_nano)"
    " WHERE repriced.event_id = a.event_id"
)


Found = sa.CursorResult[*tuple[Any, ...]]


def run(connection: sa.Connection, sql: str, **values: Any) -> Found:
    """A statement with its values by name."""
    return connection.execute(sa.text(sql), values)


def plain(connection: sa.Connection, sql: str) -> Found:
    """A statement without values, word for word."""
    return connection.execution_options(no_parameters=True).exec_driver_sql(sql)


def mapping(found: Found) -> dict[Any, Any]:
    """Rows of two columns: the second by the first."""
    return {row[0]: row[1] for row in found}


def events_of(found: Iterable[Sequence[Any]]) -> list[Event]:
    """Rows of `HELD` as events."""
    return [dict(zip(FIELDS, row, strict=True)) for row in found]


def fetch(connection: sa.Connection, batch: MergeBatch, events: Sequence[Event]) -> None:
    """Have what is stored of the ids of these events in the batch."""
    ids = list({event["event_id"] for event in events})
    for event in events_of(run(connection, BY_IDS, ids=ids)):
        batch.rows[event["event_id"]] = Row(0, event, event)


def store(connection: sa.Connection, batch: MergeBatch) -> None:
    """Write what is new and what changed."""
    _update(connection, batch.changed, batch.book)
    if batch.new:
        insert(connection, list(batch.new.values()), batch.book)


def insert(connection: sa.Connection, events: Sequence[Event], book: PriceBook) -> None:
    """New rows, with what is worked out of them."""
    rows = zip(*(derived(event, book) for event in events), strict=True)
    columns = {name: [event[name] for event in events] for name in FIELDS}
    columns |= {name: list(values) for name, values in zip(DERIVED, rows, strict=True)}
    present = {name: values for name, values in columns.items() if values.count(None) < len(values)}
    names = ", ".join(f'"{name}"' for name in present)
    run(connection, f"INSERT INTO events ({names}) SELECT * FROM {_unnested(present)}", **present)


def adopt(connection: sa.Connection, table: sa.TableClause, rows: Sequence[Sequence[Any]]) -> int:
    """Rows as they are; how many were not there."""
    if not rows:
        return 0
    columns = dict(zip(table.c.keys(), map(list, zip(*rows, strict=True)), strict=True))
    names = ", ".join(f'"{name}"' for name in columns)
    beside = " ON CONFLICT (event_id) DO NOTHING" if table.name == "events" else ""
    into = f"INSERT INTO {table.name} ({names}) SELECT * FROM {_unnested(columns)}{beside}"
    return run(connection, into, **columns).rowcount


def _unnested(columns: Iterable[str]) -> str:
    return f"unnest({', '.join(f'CAST(:{name} AS {_type(name)}[])' for name in columns)})"


def _type(name: str) -> str:
    return "BIGINT" if name in NUMBERS else "BOOLEAN" if name == "gave_way" else "TEXT"


def _update(connection: sa.Connection, rows: Sequence[Row], book: PriceBook) -> None:
    """Write the rows that became more than they were, and what is worked out of them."""
    if not rows:
        return
    changed = [name for name in FIELDS if any(row.old[name] != row.merged[name] for row in rows)]
    _set(connection, rows, {name: [row.merged[name] for row in rows] for name in changed})
    if repriced := [row for row in rows if cost_changes(row, book)]:
        _, *worked_out = zip(*(derived(row.merged, book) for row in repriced), strict=True)
        _set(connection, repriced, dict(zip(DERIVED[1:], worked_out, strict=True)))
        _amend(connection, repriced, book)


def _set(
    connection: sa.Connection, rows: Sequence[Row], columns: Mapping[str, Collection[Any]]
) -> None:
    ids = [row.merged["event_id"] for row in rows]
    given = {"event_id": ids, **{name: list(values) for name, values in columns.items()}}
    names = ", ".join(f'"{name}"' for name in given)
    wanted = ", ".join(f'"{name}" = b."{name}"' for name in columns)
    run(
        connection,
        f"UPDATE events SET {wanted} FROM {_unnested(given)} AS b({names})"
        " WHERE events.event_id = b.event_id",
        **given,
    )


def _amend(connection: sa.Connection, rows: Sequence[Row], book: PriceBook) -> None:
    """Keep the records of re-pricings right: a reported cost stays when they are undone, and what
    stood for other tokens is forgotten."""
    other = [row.merged["event_id"] for row in rows if not same_price(row.old, row.merged, book)]
    run(connection, FORGOTTEN, ids=other)
    reported = [row.merged for row in rows if row.merged["cost_origin"] == "reported"]
    costs = {name: [event[name] for event in reported] for name in ("event_id", "cost_nano")}
    run(connection, REPORTED, **costs)
