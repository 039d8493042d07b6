"""Who else on this machine may read what is stored: nobody.

New files are made for their owner alone, whatever the process was started with, also those that
the engines make beside a store. Those that are there from before are closed at the start.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

OTHERS: Final = 0o077
OWNER_ONLY: Final = 0o600
IN_FILES: Final = ("sqlite", "duckdb")
# What the engines leave beside a store.
BESIDE: Final = ("", ".wal", ".tmp", "-wal", "-shm", "-journal")
SHARED: Final = "%s is a folder that others use: set SPENDSCOPE_DATA_DIR to one of its own"
OPEN: Final = "%s can be read by others and is not ours to close: %s"
log: Final = logging.getLogger("spendscope")


def create_private() -> None:
    """From now on this process makes files that only their owner can read."""
    os.umask(OTHERS)


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner can read; `FileExistsError` where there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "w") as file:
        file.write(text)


def close_to_others(folder: Path, *urls: str) -> None:
    """Take the rights of others off a data folder with all in it, and the stores of these URLs."""
    for path in (*store_files(*urls), *_inside(folder)):
        try:
            _close(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning(OPEN, path, error.strerror)


def store_files(*urls: str) -> Iterator[Path]:
    """Where the files of these stores are, or would be: theirs and those engines put beside. The
    store of a server has none."""
    for url in urls:
        parsed = make_url(url)
        name = parsed.database
        if parsed.get_backend_name() in IN_FILES and name and name != ":memory:":
            yield from (Path(f"{name}{ending}") for ending in BESIDE)


def _inside(folder: Path) -> Iterator[Path]:
    """A folder and what is in it; nothing where others have their files there, too."""
    home = folder in (Path.home(), Path(folder.anchor))
    if home or folder.stat().st_mode & stat.S_ISVTX:
        log.warning(SHARED, folder)
        return
    yield folder
    for root, folders, files in os.walk(folder):
        yield from (Path(root, name) for name in (*folders, *files))


def _close(path: Path) -> None:
    mode = stat.S_IMODE(path.lstat().st_mode)
    if mode & OTHERS and not path.is_symlink():
        path.chmod(mode & ~OTHERS)
