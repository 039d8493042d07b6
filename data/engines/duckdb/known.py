"""Events whose id is stored: which of them tell more than the table holds, and the rows changed.

Finding a row by its digest reads one column of the table, comparing reads the rest of the
stretches that hold such rows: what comes again came together the first time. Only rows that
something can be added to leave the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np

from data.engines.duckdb.columns import array, names, values
from data.events.merging import MONEY, alike
from data.events.table import COUNTS, FIELDS, Event
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived

ALWAYS: Final = frozenset({"event_id", "source", "channel", "kind", "status"})
COST: Final = (
    "t.cost_origin = 'reported' AND (e.cost_origin <> 'reported' OR t.cost_nano > e.cost_nano)"
    " OR t.cost_origin = 'list' AND e.cost_origin = 'unpriced'"
)
FALLING: Final = frozenset({"ts", "input_tokens"})
PLACES: Final = "SELECT rowid AS place FROM events WHERE id_hash IN (SELECT id_hash FROM wanted)"
# Of at most so many places the scan reads no stretch but theirs, and not all that lie between.
FEW: Final = "SET dynamic_or_filter_threshold = 1000"
# Amended where an event comes to a cost: the re-pricing shall put back what it would have found.
FORGOTTEN: Final = (
    "DELETE FROM repriced WHERE cost_origin <> 'unpriced'"
    " AND event_id IN (SELECT event_id FROM amended WHERE other)"
)
REPORTED: Final = (
    "UPDATE repriced SET cost_nano = a.cost_nano, cost_origin = 'reported',"
    " list_cost_nano = CASE repriced.cost_origin WHEN 'list' THEN repriced.cost_nano"
    " WHEN 'reported' THEN repriced.list_cost_nano END FROM amended a"
    " WHERE repriced.event_id = a.event_id AND a.reported"
)
Cursor = duckdb.DuckDBPyConnection


@dataclass(slots=True)
class Row:
    """A stored event that is told more of: where it lies, as it was, and as it becomes."""

    place: int
    old: Event
    whole: Event


def compare(
    cursor: Cursor, told: str, columns: Collection[str], project: str | None = None
) -> dict[str, Any]:
    """Of the tellings that the SQL `told` selects (`n` and these columns), those whose id is
    stored: `n`, the `place` of the row, and whether there may be `more` in them (for a row that
    is not of the `project`: never). Their digests are what is registered as `wanted`."""
    cursor.register("places", cursor.execute(PLACES).fetchnumpy())
    cursor.execute(FEW)
    more = " OR ".join(_more(name) for name in columns if name not in ("event_id", "cost_origin"))
    return cursor.execute(
        f"SELECT t.n, e.rowid AS place, ({more}) AND ($project IS NULL OR"
        " e.project IS NOT DISTINCT FROM $project) AS more FROM"
        " (SELECT rowid, * FROM events WHERE rowid IN (SELECT place FROM places)) e"
        f" JOIN ({told}) t ON e.event_id = t.event_id",
        {"project": project},
    ).fetchnumpy()


def _more(name: str) -> str:
    """The SQL of whether the telling may add to a column; `data.events.merging` decides."""
    mine, kept = f't."{name}"', f'e."{name}"'
    if name == "cost_nano":
        return f"({COST})"
    if name in ALWAYS:
        return f"{mine} <> {kept}"
    sign = "<" if name in FALLING else ">" if name in COUNTS else "<>"
    return f"coalesce({mine} {sign} {kept}, {mine} IS NOT NULL)"


def fetched(cursor: Cursor, places: Sequence[int]) -> list[Row]:
    """The rows at these places."""
    cursor.register("places", {"place": np.array(places, np.int64)})
    rows = cursor.execute(
        f"SELECT rowid, {names(FIELDS)} FROM events WHERE rowid IN (SELECT place FROM places)"
    ).fetchall()
    found = ((place, dict(zip(FIELDS, row, strict=True))) for place, *row in rows)
    return [Row(place, event, event) for place, event in found]


def change(cursor: Cursor, rows: Sequence[Row], book: PriceBook) -> None:
    """Write the rows that became more than they were, and what is worked out of them."""
    if not rows:
        return
    dear = [row for row in rows if _money(row, book)]
    moved = (name for name in FIELDS if any(row.old[name] != row.whole[name] for row in rows))
    _store(cursor, rows, {name: [row.whole[name] for row in rows] for name in moved})
    if dear:
        _, *worked = zip(*(derived(row.whole, book) for row in dear), strict=True)
        _store(cursor, dear, dict(zip(DERIVED[1:], worked, strict=True)))
        _amend(cursor, dear, book)


def _money(row: Row, book: PriceBook) -> bool:
    same = all(row.old[name] == row.whole[name] for name in MONEY)
    return not (same and alike(row.old, row.whole, book))


def _store(cursor: Cursor, rows: Sequence[Row], told: Mapping[str, Sequence[Any]]) -> None:
    batch = {name: array(name, column) for name, column in told.items()}
    places = np.array([row.place for row in rows], np.int64)
    cursor.register("batch", {"place": places, **batch})
    wanted = ", ".join(f'"{name}" = b."{name}"' for name in batch)
    cursor.execute(
        f"UPDATE events SET {wanted} FROM (SELECT place, {values(batch)} FROM batch) b"
        " WHERE events.rowid = b.place"
    )


def _amend(cursor: Cursor, rows: Sequence[Row], book: PriceBook) -> None:
    """Keep the records of re-pricings right: a reported cost stays when they are undone, and what
    stood for other tokens is forgotten."""
    amended = {
        "event_id": array("event_id", [row.whole["event_id"] for row in rows]),
        "cost_nano": np.array([row.whole["cost_nano"] or 0 for row in rows], np.int64),
        "reported": np.array([row.whole["cost_origin"] == "reported" for row in rows], np.bool_),
        "other": np.array([not alike(row.old, row.whole, book) for row in rows], np.bool_),
    }
    cursor.register("amended", amended)
    cursor.execute(FORGOTTEN)
    cursor.execute(REPORTED)
