"""What was sent from this machine, so that a sender that is stopped anywhere goes on from there.

A file that was read to its end is not read again until it changes, or what it had waits for silence
(`data/sources/sessions.py`) that has come since. Of a file that is read again only events that were
not acknowledged are sent, known by a digest of all they say: one that says more goes again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self

import orjson

from data.errors import StoreError
from data.sources.sessions import CALL_SILENCE, SESSION_SILENCE

TABLES: Final = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, read REAL NOT NULL);
CREATE TABLE IF NOT EXISTS events (digest INTEGER PRIMARY KEY);
"""
Usage = Mapping[str, Any]


class Sent:
    """The notes of one sender to one server, in a file of its own."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(path, timeout=30)
            self._database.executescript(TABLES)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot keep what was sent: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def is_done(self, path: Path) -> bool:
        """Whether all of a file was sent, and nothing of it can follow until it changes."""
        sql = "SELECT stamp, read FROM files WHERE path = ?"
        with closing(self._database.execute(sql, [str(path)])) as found:
            row = found.fetchone()
        if row is None or row[0] != stamp(path):
            return False
        written = max(each.st_mtime for each in _status(path))
        return _settled(row[1] - written) == _settled(time.time() - written)

    def new(self, events: Sequence[Usage]) -> list[Usage]:
        """Those that were not sent as they are now."""
        return [event for event in events if not self._knows(digest(event))]

    def keep(self, events: Sequence[Usage]) -> None:
        """Note that a server has these, durably."""
        with self._database:
            self._database.executemany(
                "INSERT OR IGNORE INTO events VALUES (?)", [[digest(event)] for event in events]
            )

    def finish(self, path: Path, stamp: str, began: float) -> None:
        """Note that a file was read to its end, as it was when that began."""
        with self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", [str(path), stamp, began]
            )

    def _knows(self, key: int) -> bool:
        sql = "SELECT 1 FROM events WHERE digest = ?"
        return self._database.execute(sql, [key]).fetchone() is not None


def stamp(path: Path) -> str:
    """What a file is now, as far as that shows without reading it; `FileNotFoundError`."""
    return " ".join(f"{s.st_ino}:{s.st_size}:{s.st_mtime_ns}" for s in _status(path))


def _status(path: Path) -> list[os.stat_result]:
    """Of the file, and of what SQLite has not moved into it yet."""
    wal = path.with_name(f"{path.name}-wal")
    return [path.stat(), *([wal.stat()] if wal.exists() else [])]


def _settled(silence: float) -> int:
    """How much of a log is settled that was silent for so many seconds."""
    return sum(silence > each.total_seconds() for each in (CALL_SILENCE, SESSION_SILENCE))


def digest(event: Usage) -> int:
    """All that an event says, as 63 bits."""
    content = orjson.dumps(dict(event), default=str, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(content, digest_size=8).digest(), "big") >> 1
