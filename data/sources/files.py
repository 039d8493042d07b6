"""Opening: plain or gzip, from a path or a body, streamed; and the files of a folder, in order."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from data.errors import EventError, SourceError

GZIP: Final = b"\x1f\x8b"
PLAIN: Final = (".csv", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".sql")
DATA_ENDINGS: Final = (*PLAIN, ".pb", ".parquet", ".db")
NOT_UTF8: Final = "the text is not UTF-8"
BREAK: Final = "the compressed file is damaged or cut off here; nothing after this can be read"
HEAD_BYTES: Final = 256 * 1024
BROKEN: Final = (EOFError, zlib.error, gzip.BadGzipFile)
Unpacked = io.BufferedReader | io.BytesIO | gzip.GzipFile


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a name that reports can show: a file at `path`, or a received `body`."""

    name: str
    path: Path | None = None
    body: bytes = b""

    @contextmanager
    def open(self) -> Iterator[Unpacked]:
        """The content, unpacked. Raises `EventError` where it breaks off or cannot be read."""
        try:
            with self._raw() as raw:
                packed = raw.read(2) == GZIP
                raw.seek(0)
                yield gzip.GzipFile(fileobj=raw) if packed else raw
        except BROKEN:
            raise EventError(BREAK) from None
        except OSError as error:
            raise EventError(f"the file cannot be read: {error.strerror or error}") from None

    def _raw(self) -> io.BufferedReader | io.BytesIO:
        return io.BytesIO(self.body) if self.path is None else self.path.open("rb")

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """As UTF-8 with its line ends; bytes that are none become lone surrogates."""
        with self.open() as stream:
            yield io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")

    def head(self) -> bytes:
        """The first bytes, unpacked, as far as they can be read."""
        content = bytearray()
        try:
            with self.open() as stream:
                while len(content) < HEAD_BYTES and (part := stream.read1(4_096)):
                    content += part
        except EventError:
            if not content:
                raise
        return bytes(content)


def files_in(path: Path) -> list[File]:
    """The file itself, or the data files of a folder, sorted; `SourceError` if there is none."""
    if path.is_dir():
        found = [
            File(str(each.relative_to(path.parent)), each)
            for each in sorted(_walk(path))
            if not each.name.startswith(".") and unpacked(each.name).endswith(DATA_ENDINGS)
        ]
        if not found:
            raise SourceError(
                f"{path} holds no file that could be data ({', '.join(DATA_ENDINGS)})"
            )
        return found
    if not path.is_file():
        raise SourceError(f"there is no file or folder {path}")
    return [File(path.name, path)]


def _walk(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in names)


def as_text(start: bytes) -> str:
    """The beginning of a file as characters, whatever they are."""
    return start.decode("utf-8-sig", errors="replace")


def unpacked(name: str) -> str:
    return name.lower().removesuffix(".gz")


def encodable(*texts: str) -> bool:
    """Whether these hold only characters: no stray bytes, no half surrogate pairs."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True
