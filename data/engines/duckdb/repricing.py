"""Re-pricing in DuckDB (`data/engines/repricing.py`): one join computes, one update stores, and
what was there is kept.

The caller holds the writer's lock and the transaction.
"""

from __future__ import annotations

from typing import Final

import duckdb
import pandas as pd

from data.engines.duckdb import content
from data.engines.duckdb.outdated import outdate
from data.engines.repricing import (
    BY_PROJECT,
    CHANGED,
    LATER,
    MOVES,
    OF_SOURCE,
    RATE_COLUMNS,
    RETOLD,
    Words,
    changes,
    costs,
    quotient,
    rate_type,
)
from data.prices.book import PUBLIC
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange, RateRow, rate_rows

# Dividing 128-bit integers takes a hundred times as long as dividing 64-bit ones, and nearly all
# amounts are of the latter kind.
NARROWEST: Final = 2**61  # twice as much fits into a BIGINT still


def _rounded(name: str) -> str:
    """The SQL of an amount over its parts, rounded."""
    narrow, parts = f"CAST({name} AS BIGINT)", "CAST(parts AS BIGINT)"
    fits = f"abs({name}) < {NARROWEST} AND parts < {NARROWEST}"
    small = quotient(narrow, f"(abs({narrow}) // {parts})", parts)
    large = quotient(name, f"(abs({name}) // parts)")
    return f"CASE WHEN {fits} THEN {small} ELSE {large} END AS {name}"


WORDS: Final = Words("rowid", _rounded)
WHOLE: Final = costs(WORDS)


def compute(
    cursor: duckdb.DuckDBPyConnection, change: RateChange, where: str = ""
) -> list[CostChange]:
    """Work out the changes (a temporary table `changes`, for `store`); returns them by project."""
    register(cursor, change.rates)
    found = changes(WORDS, where or change.what, change.start, change.end)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE changes AS {found}")
    return [CostChange(*row) for row in cursor.execute(BY_PROJECT).fetchall()]


def store(cursor: duckdb.DuckDBPyConnection, number: int | None) -> list[int]:
    """Make the computed changes; under a `number` what was there is kept for `restore`. Returns
    the quarters of an hour of the events."""
    quarters: list[int] = []
    if number is not None:
        events = "SELECT ts FROM events JOIN changes ON events.rowid = changes.place"
        quarters = outdate(cursor, events)
        names = ", ".join(("event_id", *CHANGED))
        cursor.execute(f"INSERT INTO repriced SELECT ?, {names} FROM changes", [number])
    # A column that stays as it is costs as much to update as one that changes.
    changed = _changed_columns(cursor)
    values = ", ".join(f"{name} = r.new_{name}" for name in changed)
    if values:
        cursor.execute(f"UPDATE events SET {values} FROM changes r WHERE events.rowid = r.place")
    if not {"cost_origin", "unpriced_reason"}.isdisjoint(changed):
        content.refresh(cursor, f"rowid IN (SELECT place FROM changes WHERE {RETOLD})")
    return quarters


def _changed_columns(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of which some value changes."""
    row = cursor.execute(MOVES).fetchone()
    return [name for name, moved in zip(CHANGED, row or (), strict=True) if moved]


def compare(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give the reported costs of an older store their list costs, at public prices."""
    models = cursor.execute(
        "SELECT DISTINCT provider, model FROM events"
        " WHERE cost_origin = 'reported' AND model IS NOT NULL"
    ).fetchall()
    if models:
        compute(cursor, RateChange("history", rate_rows(PUBLIC, models)), "compare")
        store(cursor, None)


def later(cursor: duckdb.DuckDBPyConnection, number: int) -> int | None:
    """The newest later re-pricing that changed an event of this one, if one did."""
    row = cursor.execute(LATER.format("$number"), {"number": number}).fetchone()
    return row[0] if row else None


def restore(cursor: duckdb.DuckDBPyConnection, number: int) -> tuple[int, list[int]]:
    """Put back what a re-pricing found; returns how many events that were, and their quarters of
    an hour."""
    values = ", ".join(f"{name} = r.{name}" for name in CHANGED)
    quarters = outdate(
        cursor,
        "SELECT ts FROM events WHERE event_id IN"
        " (SELECT event_id FROM repriced WHERE repricing = ?)",
        number,
    )
    cursor.execute(
        f"UPDATE events SET {values} FROM repriced r"
        " WHERE r.repricing = ? AND events.event_id = r.event_id",
        [number],
    )
    content.refresh(
        cursor, f"event_id IN (SELECT event_id FROM repriced WHERE repricing = {int(number)})"
    )
    row = cursor.execute("DELETE FROM repriced WHERE repricing = ?", [number]).fetchone()
    return (int(row[0]) if row else 0), quarters


def delete_records(cursor: duckdb.DuckDBPyConnection, source: str) -> None:
    """Drop the records of events that are about to be removed: they may come back as others."""
    cursor.execute(OF_SOURCE.format("?"), [source])


def register(cursor: duckdb.DuckDBPyConnection, rates: tuple[RateRow, ...]) -> None:
    """Have the rows of a book as a temporary table `rates`, for `MATCH`."""
    rows = [[_cell(getattr(rate, name)) for name in RATE_COLUMNS] for rate in rates]
    cursor.register("given", pd.DataFrame(rows, columns=list(RATE_COLUMNS), dtype="string"))
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE rates AS SELECT "
        + ", ".join(
            f'CAST("{name}" AS {rate_type(name, "HUGEINT")}) AS "{name}"' for name in RATE_COLUMNS
        )
        + " FROM given"
    )
    cursor.unregister("given")


def _cell(value: str | int | None) -> str | None:
    return None if value is None else str(value)
