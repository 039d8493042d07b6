"""When the events of each day were last written to, as every process of a store sees it.

Who writes notes the days in the same transaction, so they are seen as soon as the events are, and
takes away what was summed of them (`sealed.py`). One writer at a time: numbers are given in the
order of commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from data.engines.levels import DAY
from data.engines.postgresql.rows import run
from data.engines.postgresql.sealed import unseal
from data.engines.versions import Stretch

TOUCH: Final = (
    "WITH write AS MATERIALIZED (SELECT nextval('event_writes') AS number)"
    " INSERT INTO versions SELECT day, number FROM unnest(CAST(:days AS BIGINT[])) AS day, write"
    " ON CONFLICT (day) DO UPDATE SET version = excluded.version"
)
LATEST: Final = "SELECT max(version) FROM versions WHERE day >= :first AND day <= :last"


def touch(connection: sa.Connection, moments: Iterable[int]) -> None:
    """Events of these moments (µs UTC) are written, changed or removed in this transaction."""
    if days := sorted({moment // DAY for moment in moments}):
        run(connection, TOUCH, days=days)
        unseal(connection, days)


class DayVersions:
    """A number for every stretch of time that grows with each write to its days."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of(self, window: Stretch) -> int:
        """The latest write to the days of a window."""
        days = {"first": window[0] // DAY, "last": window[1] // DAY}
        with self._engine.connect() as connection:
            found = run(connection, LATEST, **days).scalar()
        return int(found or 0)
