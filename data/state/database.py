"""Where the state store's tables are: in a file of SQLite, or in a PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data.errors import SettingsError
from data.state.leadership import Leads
from data.state.postgresql import PostgresDatabase
from data.state.sqlite import SqliteFile


class Database(Protocol):
    """What every one of them offers. Its failures are a `StoreError` each."""

    shared: bool  # whether several servers may have it

    @property
    def engine(self) -> sa.Engine: ...

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection that sees one moment of the store."""

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A connection that holds the lock of writers, of all processes, until its changes are
        kept, all or none: nothing it has read changes under it."""

    def leading(self, work: str) -> AbstractContextManager[Leads]:
        """While this server wants to do some work on a clock: whether it is the one that does, of
        all that share the store."""

    def one_at_a_time(self, thing: str) -> AbstractContextManager[None]:
        """While something is done that no two of the servers that share the store may do at once;
        within a server whoever calls sees to that."""

    def back_up(self, path: Path) -> None:
        """All of it as it is at one moment, into a new file."""

    def require_sound(self) -> None:
        """Raises `DamagedStore` where some of it cannot be read."""


def open_database(url: str) -> Database:
    """The database of a SQLAlchemy URL, with our tables as they are today.

    Raises `SettingsError` for an engine we do not have, `StoreError` if it cannot be used now.
    """
    try:
        parsed = make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise SettingsError("SPENDSCOPE_STATE_URL is no SQLAlchemy URL") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return SqliteFile(Path(str(parsed.database)).absolute())
    if backend in ("postgresql", "postgres"):
        return PostgresDatabase(url)
    raise SettingsError(
        f"SPENDSCOPE_STATE_URL is {backend} without a file or an engine this version does not have;"
        " the state store is sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    )
