"""Which of several servers does what is done on a clock: the one that holds the lock of that work.

PostgreSQL takes an advisory lock back with the connection that holds it, so that another server
goes on where one was killed; a file of SQLite is one server's.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

Leads = Callable[[], bool]  # Raises `StoreError` where nobody can say.
# The first of an advisory lock's two numbers is ours, the second says which work of which schema.
OURS: Final = 5997518
TRY: Final = "SELECT pg_try_advisory_lock(%s, %s)"
RELEASE: Final = "SELECT pg_advisory_unlock(%s, %s)"


def always_leads() -> bool:
    """Whether a server leads that has its store for itself."""
    return True


def lock_numbers(thing: str) -> tuple[int, int]:
    """The advisory lock of a thing."""
    return OURS, zlib.crc32(thing.encode()) >> 1


class AdvisoryLeader:
    """Leads from when it gets the lock until its connection ends. Any thread may ask."""

    def __init__(self, engine: sa.Engine, work: str) -> None:
        self._engine, self._numbers = engine, lock_numbers(work)
        self._connection: sa.PoolProxiedConnection | None = None
        self._one_at_a_time = threading.Lock()

    def leads(self) -> bool:
        """Whether this server is the one now; raises what the driver does."""
        with self._one_at_a_time:
            if self._connection is not None and self._answers(self._connection):
                return True
            self._connection = self._locked()
            return self._connection is not None

    def release(self) -> None:
        """Let another server lead."""
        with self._one_at_a_time:
            if self._connection is not None:
                # A closed connection keeps its lock until the database has noticed.
                with suppress(Exception):
                    _asked(self._connection, RELEASE % self._numbers)
                _end(self._connection)
                self._connection = None

    def _answers(self, connection: sa.PoolProxiedConnection) -> bool:
        try:
            _asked(connection, "SELECT 1")
        except Exception:  # whatever it is, the lock went with the connection
            _end(connection)
            return False
        return True

    def _locked(self) -> sa.PoolProxiedConnection | None:
        connection = self._engine.raw_connection()
        try:
            if _asked(connection, TRY % self._numbers):
                return connection
        except BaseException:
            _end(connection)
            raise
        connection.close()
        return None


def _asked(connection: sa.PoolProxiedConnection, statement: str) -> Any:
    cursor = connection.cursor()
    cursor.execute(statement)
    row = cursor.fetchone()
    connection.commit()  # the lock is the session's, not the transaction's
    return row[0] if row else None


def _end(connection: sa.PoolProxiedConnection) -> None:
    """Close it at the database, and not give it back to the pool with a lock."""
    connection.invalidate()
