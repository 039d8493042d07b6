"""SQLite files of programs that may be running: copied first, then only read.

A copy is taken with the write-ahead log beside it, so that what the program wrote last is in it and
nothing of the program's own files is touched or locked.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from data.errors import EventError
from data.sources.files import File

MAGIC: Final = b"SQLite format 3\x00"
BESIDE: Final = ("", "-wal")


@contextmanager
def opened(file: File) -> Iterator[sqlite3.Connection]:
    """A read-only connection to a copy of the file; `EventError` where it cannot be read."""
    with tempfile.TemporaryDirectory(prefix="spendscope-") as folder:
        copied = Path(folder) / "copy.db"
        _copy(file, copied)
        try:
            with closing(sqlite3.connect(copied)) as connection:
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA query_only = ON")
                connection.row_factory = sqlite3.Row
                yield connection
        except sqlite3.Error as error:
            raise EventError(f"the database cannot be read: {error}") from None


def tables(file: File) -> dict[str, set[str]]:
    """The columns of each table, by its name; empty where the file is no such database."""
    try:
        with opened(file) as connection:
            names = [row[0] for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            )]  # fmt: skip
            return {name: _columns(connection, name) for name in names}
    except EventError:
        return {}


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    found = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    return {row[0] for row in found}


def _copy(file: File, copied: Path) -> None:
    try:
        if file.path is None:
            copied.write_bytes(file.body)
            return
        for ending in BESIDE:
            source = file.path.with_name(file.path.name + ending)
            if source.exists():
                shutil.copyfile(source, copied.with_name(copied.name + ending))
    except OSError as error:
        raise EventError(f"the file cannot be read: {error.strerror or error}") from None
