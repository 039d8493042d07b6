"""A digest of all that an event tells: what comes again word for word adds nothing to its row.

To compare a repeated event with its row reads every column of the stretches that hold such rows;
id and digest are two columns. The digest is always that of the row as it is, but for a list price,
which the book says and not the event. Whoever changes what a row tells calls `refresh`. It is the
engine's own hash: a version that hashes otherwise finds no repeat by it, and compares.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import duckdb

from data.events.table import COUNTS, FIELDS

NAME: Final = "content_hash"
NUMBERS: Final = frozenset({"ts", *COUNTS})
OWN_COST: Final = "CASE WHEN cost_origin <> 'list' THEN cost_nano END"


def content_hash(present: Collection[str] = FIELDS) -> str:
    """The SQL of the digest of a row that has these columns; the others are null."""
    values = ", ".join(_value(name, name in present) for name in FIELDS)
    return f"CAST(hash({values}) >> 1 AS BIGINT)"


def _value(name: str, present: bool) -> str:
    if not present:
        return f"NULL::{'BIGINT' if name in NUMBERS else 'VARCHAR'}"
    return OWN_COST if name == "cost_nano" else f'"{name}"'


def refresh(cursor: duckdb.DuckDBPyConnection, rows: str = "true") -> None:
    """Have the digests of the rows for which this SQL holds say what they tell now."""
    cursor.execute(f"UPDATE events SET {NAME} = {content_hash()} WHERE {rows}")
