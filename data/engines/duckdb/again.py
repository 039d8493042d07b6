"""Rows of a Parquet file whose id is stored, or stands in the file before: what they tell more.

They are compared in SQL, so that a file that is imported again costs little; what can add to an
event is read as events, for the ordinary way of writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from data.engines.duckdb.columns import names
from data.engines.duckdb.doubtful import SLOW
from data.engines.duckdb.known import Cursor, compare
from data.events.merging import MONEY
from data.events.table import FIELDS, Event

AGAIN: Final = (
    "CREATE OR REPLACE TEMP TABLE again AS SELECT n, id_hash FROM ready"
    " WHERE n NOT IN (SELECT n FROM fresh)"
)


def told_again(cursor: Cursor, fields: str) -> Iterator[list[Event]]:
    """The events that are not fresh and tell more than what is stored."""
    cursor.execute(AGAIN)
    wanted = cursor.execute("SELECT id_hash FROM again").fetchnumpy()
    if not len(wanted["id_hash"]):
        return
    cursor.register("wanted", wanted)
    told = ", ".join(f'{"ready" if name in MONEY else "fields"}."{name}"' for name in FIELDS)
    told = (
        f"SELECT n, {told} FROM ({fields}) AS fields JOIN ready USING (n)"
        " WHERE n NOT IN (SELECT n FROM cleaned) AND n IN (SELECT n FROM again)"
        f" UNION ALL SELECT n, {names(FIELDS)} FROM cleaned WHERE n IN (SELECT n FROM again)"
    )
    found = compare(cursor, told, FIELDS)
    places = np.sort(found["n"][found["more"].astype(np.bool_)])
    for first in range(0, len(places), SLOW):
        cursor.register("more", {"n": places[first : first + SLOW]})
        cursor.execute(f"SELECT * FROM ({told}) WHERE n IN (SELECT n FROM more) ORDER BY n")
        yield [dict(zip(FIELDS, row, strict=True)) for _, *row in cursor.fetchall()]
