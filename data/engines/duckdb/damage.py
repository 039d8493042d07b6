"""Whether the file of an event store can be read, all of it: asked before anybody relies on it.

DuckDB looks at a block's checksum when somebody first needs the block, so a store that was
overwritten opens, serves, and breaks a day later. Here the blocks that the tables use are read
once and their checksums compared; blocks that nothing uses may hold anything, as after a crash.
What looks wrong is read by DuckDB itself before the store is called damaged: the arithmetic of
checksums is DuckDB's own, and may change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

import duckdb
import numpy as np

from data.errors import DamagedStore, StoreError

DAMAGED: Final = "the event store {} is damaged: restore a backup (spendscope restore DIR)"
MARK: Final = b"DUCK"  # behind a checksum of 8 bytes
HEADERS: Final = 3 * 4096
FACTOR: Final = np.uint64(0xBF58476D1CE4E5B9)
START: Final = np.uint64(5381)
# Two seconds or so of reading; of a larger store blocks are left out, evenly.
BROKEN: Final = ("Corrupt database", "Could not read enough bytes", "not a valid DuckDB")
MOST_BYTES: Final = 2 * 1024**3


def damaged(path: Path) -> DamagedStore:
    """The refusal of a store that cannot be read."""
    return DamagedStore(DAMAGED.format(path.name))


def is_foreign(path: Path) -> bool:
    """Whether there is a file that DuckDB did not write. It is asked before DuckDB is, which would
    look for an extension that reads the file."""
    if not path.exists():
        return False
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] != MARK
    except OSError:
        return False  # DuckDB will say why


def require_sound(root: duckdb.DuckDBPyConnection, path: Path) -> IO[bytes]:
    """Raises `StoreError` where some of the tables cannot be read. `root` has the file open, and
    the handle that comes back is to be closed after it: whoever closes one of a file gives up all
    locks that their process has on it (fcntl), DuckDB's own too, and others could open the store.
    """
    file = path.open("rb", buffering=0)
    try:
        for table in _suspects(root, file):
            _read_all(root, table)
    except duckdb.Error:
        file.close()
        raise damaged(path) from None
    return file


def _suspects(root: duckdb.DuckDBPyConnection, file: IO[bytes]) -> list[str]:
    """The tables of which a block is not what was written."""
    row = root.execute("SELECT max(block_size) FROM pragma_database_size()").fetchone()
    size = int(row[0]) if row else 0
    names = [one for (one,) in root.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
    if not size:
        return []
    used = {name: _blocks(root, name) for name in names}
    step = max(1, sum(map(len, used.values())) * size // MOST_BYTES)
    whole = partial(_is_whole, file.fileno(), size)
    return [name for name, blocks in used.items() if not all(map(whole, blocks[::step]))]


def _blocks(root: duckdb.DuckDBPyConnection, table: str) -> list[int]:
    """The blocks that hold the rows of a table, in order."""
    found = root.execute(
        "SELECT DISTINCT unnest([block_id] || additional_block_ids) AS block"
        " FROM pragma_storage_info(?) WHERE persistent ORDER BY block", [table]
    ).fetchall()  # fmt: skip
    return [int(block) for (block,) in found if block is not None and block >= 0]


def _is_whole(file: int, size: int, block: int) -> bool:
    content = os.pread(file, size, HEADERS + block * size)
    if len(content) < size:
        return False
    words = np.frombuffer(content, "<u8")
    with np.errstate(over="ignore"):
        return bool(START ^ np.bitwise_xor.reduce(words[1:] * FACTOR) == words[0])


def _read_all(root: duckdb.DuckDBPyConnection, table: str) -> None:
    """Have DuckDB read every value; raises `duckdb.Error` where it cannot."""
    root.execute(f'SELECT bit_xor(hash(COLUMNS(*))) FROM "{table}"').fetchall()


def create(path: Path) -> None:
    """A new store under its name at once: one that was half made when the power went would look
    damaged."""
    made = path.with_name(f"{path.name}.{os.getpid()}.new")
    made.unlink(missing_ok=True)
    duckdb.connect(str(made)).close()
    with suppress(FileExistsError):
        os.link(made, path)
    made.unlink()


def sentences(path: Path, error: duckdb.Error) -> Iterator[StoreError]:
    """Why a store cannot be opened: the first that fits."""
    message = str(error)
    if "Could not set lock" in message:
        yield StoreError(
            f"another process has the event store {path.name} open; stop it, or let it serve"
            " and use its address"
        )
    if is_damage(error):
        yield damaged(path)
    yield StoreError(f"the event store {path} cannot be opened: {message.splitlines()[0][:300]}")


def is_damage(error: duckdb.Error) -> bool:
    """Whether DuckDB complains of what is in a file, not of what it may do with it."""
    broken = isinstance(error, duckdb.InternalException | duckdb.SerializationException)
    return broken or any(words in str(error) for words in BROKEN)
