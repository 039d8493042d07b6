"""The state store in a PostgreSQL, where several servers share it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from data.errors import Refused, SettingsError, SourceError, StoreError
from data.postgres import Address, state_and_message
from data.state import schema
from data.state.leadership import AdvisoryLeader, Leads, lock_numbers

CONNECTIONS: Final = 16
LOCK_MS: Final = 10_000
# One writer at a time, as in a file: the number is ours alone in this database.
LOCK: Final = "SELECT pg_advisory_xact_lock(5997518)"
LOCK_THING: Final = "SELECT pg_advisory_xact_lock({}, {})"
SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# SQLSTATE: a table is there already; text with a character that PostgreSQL does not keep.
IN_USE: Final = ("42P07", "42723")
NOT_KEPT: Final = ("22021", "22P05")
TAKEN: Final = (
    "the state store {} has tables of another program: name a schema of its own, as"
    " postgresql://USER@HOST/DATABASE?schema=spendscope"
)


class PostgresDatabase:
    """A database, or the schema of it that `schema=` names in the URL."""

    shared = True

    def __init__(self, url: str) -> None:
        try:
            self._address = Address.of(url)
        except SourceError as error:
            raise SettingsError(f"SPENDSCOPE_STATE_URL: {error}") from None
        self._lockers = threading.BoundedSemaphore(CONNECTIONS // 2)
        self.engine = self._address.engine(CONNECTIONS, isolation_level="READ COMMITTED")
        sa.event.listen(self.engine, "connect", self._prepare)
        sa.event.listen(self.engine, "begin", _begin)
        try:
            self._upgrade()
        except BaseException:
            self.engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with self._sentences(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        writers = self.engine.execution_options(begin=LOCK)
        with self._sentences(), writers.begin() as connection:
            yield connection

    @contextmanager
    def leading(self, work: str) -> Iterator[Leads]:
        leader = AdvisoryLeader(self.engine, f"{self._address.schema or ''} {work}")

        def leads() -> bool:
            with self._sentences():
                return leader.leads()

        try:
            yield leads
        finally:
            leader.release()

    @contextmanager
    def one_at_a_time(self, thing: str) -> Iterator[None]:
        numbers = lock_numbers(f"{self._address.schema or ''} {thing}")
        lockers = self.engine.execution_options(begin=LOCK_THING.format(*numbers))
        # Each holds a connection, and needs another for what it does meanwhile.
        with self._lockers, ExitStack() as held:
            with self._sentences():
                held.enter_context(lockers.begin())
            yield

    def back_up(self, path: Path) -> None:  # noqa: ARG002
        raise Refused(
            "folder",
            "the state store is in PostgreSQL: back it up by PostgreSQL's own means, as pg_dump",
        )

    def require_sound(self) -> None:
        """Whether its pages are whole is for PostgreSQL to say (data checksums)."""

    def _prepare(self, connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {LOCK_MS}")
        if name := self._address.schema:
            quoted = '"' + name.replace('"', '""') + '"'
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted}")
            cursor.execute(f"SET search_path TO {quoted}")
        connection.commit()

    def _upgrade(self) -> None:
        with self.writing() as connection:
            found = schema.revision_of(connection)
            if found is None:
                schema.create(connection)
            else:
                schema.upgrade(connection, found)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        """A failure of the database, as the sentence a reader gets."""
        try:
            yield
        except sa.exc.TimeoutError as error:
            raise self._cannot_be_used("all its connections are busy") from error
        except sa.exc.DBAPIError as error:
            code, _ = state_and_message(error)
            if code in IN_USE:
                raise StoreError(TAKEN.format(self._address)) from error
            if code in NOT_KEPT:
                raise Refused("", "a text holds a character that cannot be kept") from error
            raise self._cannot_be_used(self._address.sentence(error)) from error
        except OSError as error:
            raise self._cannot_be_used(self._address.unreachable(error)) from error

    def _cannot_be_used(self, why: str) -> StoreError:
        return StoreError(f"the state store cannot be used now: {why}")


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", SNAPSHOT))
