"""Events in one DuckDB file, owned by one process.

An event's id alone decides whether it is stored: a known id is dropped whatever time it carries
now. A unique index costs 1.4 GB at 10 M events and 62 ms a commit of 1,000; looking the ids up
by a stored 64-bit digest costs 27 ms and nothing kept (`tests/bench`), so there is no index.
That is exact only with one writer at a time: `write` holds the lock, and nothing else inserts.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pandas as pd
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from sqlalchemy import func
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from data.derived import DERIVED, derived
from data.errors import StoreError
from data.events import COUNTS, EVENTS, SCHEMA_VERSION, Event, id_hash
from data.memo import Memo

COLUMNS: Final = tuple(column.name for column in EVENTS.columns)
NUMBERS: Final = frozenset({"ts", *COUNTS, *DERIVED})
READERS: Final = 16
LIST: Final = ", ".join(f'"{name}"' for name in COLUMNS)

# UPGRADES[v] brings a store of schema version v to v + 1.
UPGRADES: Final = (
    str(CreateTable(EVENTS).compile(dialect=postgresql.dialect())),  # type: ignore[no-untyped-call]
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS cache_saved_nano BIGINT;"
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS cache_write_nano BIGINT",
)


class DuckEvents:
    """The embedded event store (see `EventStore`)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.memo, self.lasting = Memo(), Memo()
        self._lock = threading.Lock()
        self._root = _connect(path)
        self.sql = sa.create_engine(
            "duckdb://",
            creator=lambda: ConnectionWrapper(self._root.cursor()),
            poolclass=sa.QueuePool,
            pool_size=READERS,
        )
        self._upgrade()

    def close(self) -> None:
        self.sql.dispose()
        self._root.close()

    def _upgrade(self) -> None:
        self._root.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
        row = self._root.execute("SELECT max(version) FROM schema_version").fetchone()
        version = (row[0] if row else None) or 0
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"the event store has schema version {version}, newer than this program's"
                f" {SCHEMA_VERSION}: start a newer Spendscope"
            )
        for number, statement in enumerate(UPGRADES[version:], start=version + 1):
            with _transaction(self._root):
                self._root.execute(statement)
                self._root.execute("INSERT INTO schema_version VALUES (?)", [number])

    def write(self, events: Sequence[Event]) -> list[Event]:
        unique = {event["event_id"]: event for event in reversed(events)}
        with self._lock:
            known = self.known(unique)
            fresh = [event for key, event in reversed(unique.items()) if key not in known]
            if fresh:
                self._insert(_columns(fresh))
        return fresh

    def _insert(self, batch: pd.DataFrame) -> None:
        writer = self._root.cursor()
        writer.register("batch", batch)
        with _transaction(writer):
            writer.execute(f"INSERT INTO events ({LIST}) SELECT {LIST} FROM batch")
        writer.close()
        self.memo.forget()

    def known(self, ids: Collection[str]) -> set[str]:
        wanted = pd.DataFrame({"id_hash": pd.array([id_hash(i) for i in ids], dtype="int64")})
        reader = self._root.cursor()
        reader.register("wanted", wanted)
        rows = reader.execute(
            "SELECT event_id FROM events WHERE id_hash IN (SELECT id_hash FROM wanted)"
        ).fetchall()
        reader.close()
        return {row[0] for row in rows}.intersection(ids)

    def remove(self, source: str) -> int:
        with self._lock, _transaction(writer := self._root.cursor()):
            row = writer.execute("DELETE FROM events WHERE source = ?", [source]).fetchone()
        self.memo.forget()
        return int(row[0]) if row else 0

    def repeated(self) -> int:
        reader = self._root.cursor()
        row = reader.execute("SELECT count(*) - count(DISTINCT event_id) FROM events").fetchone()
        reader.close()
        return int(row[0]) if row else 0

    def month(self, local: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return func.epoch_us(func.date_trunc("month", func.make_timestamp(local)))


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path))
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise StoreError(
                f"another process has the event store {path.name} open; stop it, or let it serve"
                " and use its address"
            ) from None
        raise StoreError(
            f"the event store {path} cannot be opened: it is no DuckDB file"
        ) from error


def _columns(events: Sequence[Event]) -> pd.DataFrame:
    made = dict(zip(DERIVED, zip(*map(derived, events), strict=True), strict=True))
    values = {name: made.get(name) or [event[name] for event in events] for name in COLUMNS}
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="Int64" if name in NUMBERS else "string")
            for name, column in values.items()
        }
    )


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
