"""Which sums no longer hold: the quarters of an hour whose events were changed or removed.

Noted in the transaction that does so, they are read from the events until they are summed anew.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb

from data.engines.partials import QUARTER

QUARTERS: Final = f"ts - ts % {QUARTER}"


def outdate(cursor: duckdb.DuckDBPyConnection, events: str, *parameters: Any) -> list[int]:
    """Note the quarters of events that change or go, and return them; `events` is SQL that selects
    the `ts` of each, before and after."""
    rows = cursor.execute(
        f"INSERT INTO outdated SELECT DISTINCT {QUARTERS} FROM ({events}) RETURNING quarter",
        list(parameters),
    ).fetchall()
    return [quarter for (quarter,) in rows]
