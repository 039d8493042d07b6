"""The days of which there are sums, and how they lose them.

A day is sealed once all of its events were summed: `sealed_days` says at which version of it
(`versions.py`), and its sums hold as long as that is its version. Whoever writes to a day takes the
seal and the rows of sums away in the same transaction; a server of an older release, which does
not, changes the version all the same.

Which sums there are is the program's: a `definition` of them has tables of its own, so that servers
of two releases can share a database while one replaces the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from data.engines.levels import DAY
from data.engines.postgresql.rows import plain, run
from data.engines.stretches import Stretch, in_stretches, joined

TABLES: Final = (
    "CREATE TABLE sum_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL)",
    "CREATE TABLE sealed_days (definition TEXT NOT NULL, day BIGINT NOT NULL,"
    " version BIGINT NOT NULL, PRIMARY KEY (definition, day))",
)
HOLDS: Final = "s.day = v.day AND s.version = v.version AND s.definition = '{}'"
OF_WINDOW: Final = (
    f"SELECT v.day FROM sealed_days s JOIN versions v ON {HOLDS}"
    " WHERE v.day >= {} AND v.day < {} ORDER BY v.day"
)
OPEN: Final = (
    "SELECT v.day, v.version FROM versions v WHERE v.day < (SELECT max(day) FROM versions)"
    f" AND NOT EXISTS (SELECT FROM sealed_days s WHERE {HOLDS}) ORDER BY v.day DESC"
)
STALE: Final = (
    "SELECT s.day FROM sealed_days s WHERE s.definition = '{0}'"
    f" AND NOT EXISTS (SELECT FROM versions v WHERE {HOLDS.format('{0}')}) ORDER BY s.day"
)
# Where nobody wrote to the day since.
SEAL: Final = (
    "INSERT INTO sealed_days SELECT '{}', day, version FROM versions"
    " WHERE day = {} AND version = {}"
)
UNSEAL: Final = "DELETE FROM sealed_days WHERE day = ANY(CAST(:days AS BIGINT[]))"


def days_of(connection: sa.Connection, definition: str, window: Stretch) -> list[Stretch]:
    """The days that lie in a window as a whole and have sums."""
    first, last = -(-window[0] // DAY), window[1] // DAY
    found = plain(connection, OF_WINDOW.format(definition, first, last)).scalars()
    return joined((day * DAY for day in found), DAY)


def open_days(connection: sa.Connection, definition: str) -> list[tuple[int, int]]:
    """The days without sums and their versions, the latest first; not the last, which goes on."""
    return [(day, version) for day, version in plain(connection, OPEN.format(definition))]


def stale_days(connection: sa.Connection, definition: str) -> list[int]:
    """The days whose seal does not hold any more."""
    return list(plain(connection, STALE.format(definition)).scalars())


def unseal(connection: sa.Connection, days: Sequence[int]) -> None:
    """Take the sums of these days (in order) away, as their events change in this transaction."""
    if run(connection, UNSEAL, days=days).rowcount:
        within = in_stretches("ts", joined((day * DAY for day in days), DAY))
        for table in plain(connection, "SELECT name FROM sum_tables").scalars().all():
            plain(connection, f"DELETE FROM {table} WHERE {within}")
