"""Our own events as Parquet: its columns are those fields, as in `canonical.py`.

Read by DuckDB, a batch at a time, in a memory of its own. Conventions beside `canonical.py`'s:
`ts` may be any timestamp or date (UTC where it has no zone, nanoseconds cut to µs), ISO text or
whole microseconds; `tags` may be nested (it becomes JSON); UUIDs and enumerations are text; a
single-precision cost means the decimal it prints as.
`projected` is all that is done to a value before `canonical.convert`, here and where the event
store reads a file itself (`data/engines/duckdb/given.py`), so that both mean the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from data.errors import EventError
from data.sources.canonical import convert
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Record
from data.sources.mapping import mapped_records
from data.sources.packing import SIGNATURES, is_packed

MAGIC: Final = b"PAR1"
MEMORY: Final = "512MB"
ROWS: Final = 2_000
STRETCH: Final = 2 * 122_880  # row groups of the event store: whole ones are written once
LENGTH: Final = "SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(?)"
GLOB: Final = frozenset("*?[]{}\\")
WORDS: Final = ("UUID", "ENUM")
NESTED: Final = ("STRUCT", "MAP", "JSON", "UNION")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows from `start` on, at most `rows`, of a Parquet file that reports call `name`."""

    path: Path
    name: str
    start: int
    rows: int
    options: Options


def recognises(head: Head) -> bool:
    return head.start.startswith(MAGIC)


def read(file: File, options: Options, start: int = 0) -> Iterator[Record]:
    return mapped_records(file.name, rows(file, start), convert, options)


def rows(file: File, start: int = 0) -> Iterator[Entry]:
    """The rows from `start` on as mappings from the columns' names to values, streamed."""
    number = start
    try:
        with on_disk(file) as path, closing(connect()) as connection:
            columns = columns_of(connection, path)
            selected = ", ".join(projected(name, kind) for name, kind in columns.items())
            found = connection.execute(
                f"SELECT {selected} FROM read_parquet(?, file_row_number = true)"
                " WHERE file_row_number >= ?",
                [str(path), start],
            )
            while batch := found.fetchmany(ROWS):
                for row in batch:
                    number += 1
                    yield f"{file.name}:{number}", dict(zip(columns, row, strict=True))
    except duckdb.Error as error:
        yield f"{file.name}:{number + 1}", unreadable(error)
    except EventError as error:
        yield f"{file.name}:{number + 1}", error


def names(file: File, _: Head | None = None) -> list[str]:
    """The columns of a file; raises `EventError` where it is no Parquet after all."""
    try:
        with on_disk(file) as path, closing(connect()) as connection:
            return list(columns_of(connection, path))
    except duckdb.Error as error:
        raise unreadable(error) from None


def parts(file: File, options: Options) -> Iterator[Part]:
    """The rows in stretches for `EventStore.load`; none where it cannot read the file itself."""
    if file.path is None or options.columns or GLOB & set(str(file.path)):
        return
    try:
        with closing(connect()) as connection:
            found = connection.execute(LENGTH, [str(file.path.absolute())]).fetchone()
    except duckdb.Error:
        return
    for start in range(0, found[0] if found else 0, STRETCH):
        yield Part(file.path.absolute(), file.name, start, STRETCH, options)


def unreadable(error: duckdb.Error) -> EventError:
    """What DuckDB cannot read, in a sentence."""
    message = str(error).splitlines()[0][:160]
    return EventError(f"the Parquet file cannot be read from here on ({message})")


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own, in memory, that loads nothing from anywhere."""
    opened = duckdb.connect(
        config={"memory_limit": MEMORY, "threads": 2, "autoinstall_known_extensions": False}
    )
    return opened.execute("SET enable_progress_bar = false")  # it is drawn on stdout


def columns_of(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """The names of the columns, with DuckDB's types."""
    described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return {name: kind for name, kind, *_ in described}


def projected(name: str, kind: str) -> str:
    """The SQL that reads a column of a type, as every road into the store reads it."""
    column = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP_NS":
        return f"CASE WHEN isfinite({column}) THEN epoch_ns({column}) // 1000 END"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        plain = column if "ZONE" in kind else f"CAST({column} AS TIMESTAMP)"
        return f"CASE WHEN isfinite({column}) THEN epoch_us({plain}) END"
    if kind == "FLOAT":
        return f"CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
    if kind.startswith(WORDS):
        return f"CAST({column} AS VARCHAR)"
    if name == "tags" and (kind.startswith(NESTED) or kind.endswith("]")):
        return f"CAST(to_json({column}) AS VARCHAR)"
    return column


@contextmanager
def on_disk(file: File) -> Iterator[Path]:
    """A path DuckDB takes as it is: a body, a packed file, a name it would expand get one lent."""
    if file.path is not None and not packed(file.path) and not GLOB & set(str(file.path)):
        yield file.path.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="spendscope-") as folder:
        copy_path = Path(folder) / "events.parquet"
        if file.path is not None and not packed(file.path):
            copy_path.symlink_to(file.path.absolute())
        else:
            with file.open() as stream, copy_path.open("wb") as copy:
                shutil.copyfileobj(stream, copy)
        yield copy_path


def packed(path: Path) -> bool:
    """Whether a file has to be unpacked first."""
    try:
        with path.open("rb") as stream:
            return is_packed(stream.read(max(map(len, SIGNATURES))))
    except OSError as error:
        raise EventError(f"the file cannot be read: {error.strerror or error}") from None


FORMAT = Format("parquet", "Spendscope events as Parquet", recognises, read, columns=names)
