"""Records that wait for the end of their file: in memory while they are few, else on disk."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Final

from data.sources.format import Record

MOST_HELD: Final = 4 * 1024 * 1024  # bytes


class Spool:
    """First in, first out; a file without a name, which nobody else can open or change."""

    def __init__(self, file: SpooledTemporaryFile[bytes]) -> None:
        self._file = file

    def keep(self, record: Record) -> None:
        pickle.dump(record, self._file, pickle.HIGHEST_PROTOCOL)

    def __iter__(self) -> Iterator[Record]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301 - written by `keep` just now
            except EOFError:
                return


@contextmanager
def spool() -> Iterator[Spool]:
    """An empty one, gone when it is left."""
    with SpooledTemporaryFile(MOST_HELD) as file:
        yield Spool(file)
