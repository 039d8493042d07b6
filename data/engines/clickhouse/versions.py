"""When the events of each day were last written to, as every process of a store sees it.

Who writes says of which days before it does, and once more when it is done: an answer that was
worked out in between is not kept, nor where somebody vanished in between.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import count
from typing import Final

import sqlalchemy as sa

from data.engines.clickhouse.rows import insert, scalar
from data.engines.clickhouse.schema import VERSIONS
from data.engines.versions import Stretch

DAY: Final = 86_400_000_000
LATEST: Final = "SELECT toInt64(max(version)) FROM versions WHERE day >= {} AND day <= {}"


def touch(connection: sa.Connection, days: Collection[int], number: int, *, done: bool) -> None:
    """Events of these days are being written, changed or removed, or were, in this turn."""
    insert(connection, VERSIONS, ("day",), [(day,) for day in days], 2 * number + done)


class DayVersions:
    """A number for every stretch of time that grows with each write to its days."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._unsettled = engine, count(-1, -1)

    def of(self, window: Stretch) -> int:
        """The latest write to the days of a window; another number each time while one is on."""
        with self._engine.connect() as connection:
            found = scalar(connection, LATEST.format(window[0] // DAY, window[1] // DAY))
        latest = int(found or 1)
        return latest if latest % 2 else next(self._unsettled)
