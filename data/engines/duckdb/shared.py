"""The shared ids of copied events (`data/engines/shared_ids.py`) as DuckDB keeps them.

To look through the table takes 0.3 s a million events; digests in memory tell of nearly every
shared id that it is new. They are the engine's own: only good in the process that made them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import duckdb
import numpy as np

from data.engines.duckdb.columns import array
from data.engines.duckdb.columns import names as column_names
from data.engines.duckdb.outdated import outdate
from data.engines.shared_ids import OWNED
from data.events.digest_index import DigestIndex, Digests, digests
from data.events.table import FIELDS, Event

STORED: Final = (
    'SELECT shared_id, event_id, project, "user" FROM events'
    " WHERE shared_id IN (SELECT shared_id FROM sharing) ORDER BY event_id DESC"
)
IDS: Final = (
    'SELECT event_id, event_id, project, "user" FROM events'
    " WHERE id_hash IN (SELECT id_hash FROM own) AND event_id IN (SELECT event_id FROM own)"
)
# The ids that gave way, each with the id of the stored event.
COPY_IDS: Final = (
    "CREATE TABLE IF NOT EXISTS copy_ids"
    " (event_id TEXT NOT NULL, id_hash BIGINT NOT NULL, stored_as TEXT NOT NULL)"
)
RESOLVED: Final = (
    "SELECT event_id, stored_as FROM copy_ids WHERE id_hash IN (SELECT id_hash FROM wanted)"
)
RENAMED: Final = (
    "UPDATE copy_ids SET stored_as = r.stored_as FROM renamed r"
    " WHERE copy_ids.stored_as = r.event_id;"
    "INSERT INTO copy_ids SELECT event_id, id_hash, stored_as FROM renamed"
)
FORGET_COPIES: Final = (
    "DELETE FROM copy_ids WHERE stored_as IN (SELECT event_id FROM events WHERE source = ?)"
)
HELD: Final = (
    f"SELECT {column_names(FIELDS)} FROM events WHERE event_id IN (SELECT event_id FROM copies)"
)
# With what re-pricings found: they may come back as others.
REMOVED: Final = (
    "DELETE FROM repriced WHERE event_id IN (SELECT event_id FROM copies);"
    "DELETE FROM events WHERE event_id IN (SELECT event_id FROM copies)"
)
ALL: Final = "SELECT hash(shared_id) AS digest FROM events WHERE shared_id IS NOT NULL"
THESE: Final = "SELECT hash(shared_id) AS digest FROM sharing"
Cursor = duckdb.DuckDBPyConnection


class SharedIds:
    """The shared ids that are stored and the ids that gave way, as far as digests tell; for the
    one who writes."""

    def __init__(self) -> None:
        self._index: DigestIndex | None = None
        self._copies: DigestIndex | None = None

    def clear(self) -> None:
        """More were stored elsewhere: all are read again when they are needed."""
        self._index = None

    def stored(self, cursor: Cursor, names: Sequence[str]) -> dict[str, Event]:
        """Of each that is stored the event, as far as it is `OWNED`."""
        if self._index is None:
            self._index = DigestIndex(_digests(cursor, ALL))
        cursor.register("sharing", {"shared_id": array("shared_id", names)})
        found = self._index.contains(_digests(cursor, THESE)).any()
        return _owned(cursor, STORED) if found else {}

    def add(self, cursor: Cursor, names: Sequence[str]) -> None:
        """From now on these count as stored."""
        if self._index is not None:
            cursor.register("sharing", {"shared_id": array("shared_id", names)})
            these = np.unique(_digests(cursor, THESE))
            self._index.add(these[~self._index.contains(these)])

    def resolved(self, cursor: Cursor, ids: Sequence[str]) -> dict[str, str]:
        """Of these ids those that gave way, each with the id of the stored event."""
        if self._copies is None:
            found = cursor.execute("SELECT id_hash FROM copy_ids").fetchnumpy()["id_hash"]
            self._copies = DigestIndex(np.asarray(found, np.int64))
        if not self._copies:
            return {}
        wanted = digests(ids)
        if not (probable := self._copies.contains(wanted)).any():
            return {}
        cursor.register("wanted", {"id_hash": wanted[probable]})
        return dict(cursor.execute(RESOLVED).fetchall())

    def rename(self, cursor: Cursor, stored_as: Mapping[str, str]) -> None:
        """From now on these ids stand for stored events."""
        old, new = list(stored_as), list(stored_as.values())
        hashed = digests(old)
        texts = {"event_id": array("event_id", old), "stored_as": array("event_id", new)}
        cursor.register("renamed", texts | {"id_hash": hashed})
        cursor.execute(RENAMED)
        if self._copies is not None:
            self._copies.add(hashed)


def _owned(cursor: Cursor, statement: str) -> dict[str, Event]:
    rows = cursor.execute(statement).fetchall()
    return {name: dict(zip(OWNED, row, strict=True)) for name, *row in rows}


def _digests(cursor: Cursor, statement: str) -> Digests:
    found = cursor.execute(statement).fetchnumpy()["digest"]
    return np.ascontiguousarray(found, np.uint64).view(np.int64)


class StoredIds:
    """What is stored, to the cursor of who writes; `outdated` has the quarters of what it took
    out."""

    def __init__(self, cursor: Cursor, index: DigestIndex, shared: SharedIds) -> None:
        self._cursor, self._index, self._shared = cursor, index, shared
        self.outdated: list[int] = []

    def resolved(self, ids: Sequence[str]) -> Mapping[str, str]:
        return self._shared.resolved(self._cursor, ids)

    def sharing(self, names: Sequence[str]) -> dict[str, Event]:
        found = self._shared.stored(self._cursor, names)
        self._shared.add(self._cursor, names)
        return found

    def owned(self, ids: Sequence[str]) -> dict[str, Event]:
        probable = self._index.contains(digests(ids))
        names = [name for name, there in zip(ids, probable.tolist(), strict=True) if there]
        if not names:
            return {}
        own = {"id_hash": digests(names), "event_id": array("event_id", names)}
        self._cursor.register("own", own)
        return _owned(self._cursor, IDS)

    def take_out(self, copies: Collection[str]) -> list[Event]:
        self._cursor.register("copies", {"event_id": array("event_id", list(copies))})
        events = "SELECT ts FROM events WHERE event_id IN (SELECT event_id FROM copies)"
        self.outdated = outdate(self._cursor, events)
        rows = self._cursor.execute(HELD).fetchall()
        self._cursor.execute(REMOVED)
        return [dict(zip(FIELDS, row, strict=True)) for row in rows]

    def rename(self, stored_as: Mapping[str, str]) -> None:
        self._shared.rename(self._cursor, stored_as)
