"""Opening: plain or packed, UTF-8 or UTF-16, streamed; and the files of a folder, in order."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from data.errors import EventError, SourceError
from data.sources.packing import (
    BROKEN,
    CHUNK,
    Unpacked,
    first_bytes,
    is_packed,
    unpacked,
    unpacking,
)

PLAIN: Final = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".sql")
DATA_ENDINGS: Final = (*PLAIN, ".pb", ".parquet", ".db")
NOT_UTF8: Final = "the text is not UTF-8"
BREAK: Final = "the compressed file is damaged or cut off here; nothing after this can be read"
HEAD_BYTES: Final = 256 * 1024
LONGEST_LINE: Final = 32 * 1024 * 1024
SMALL: Final = 4 * 1024
MOST_BYTES: Final = 4  # of a character
MARK: Final = "\ufeff"  # of UTF-8, at the beginning
LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
SPOILED: Final = "\ufffd"  # stands where a byte was no character


class Utf16(io.RawIOBase):
    """A stream of UTF-16 (as Excel and PowerShell save) as the UTF-8 that everything here reads.

    Half a character at the end is dropped; half a pair of surrogates is no UTF-8 afterwards either.
    """

    def __init__(self, stream: Unpacked, encoding: str) -> None:
        self._stream, self._left = stream, b""
        self._decode = codecs.getincrementaldecoder(encoding)("surrogatepass").decode

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and (part := self._stream.read1(CHUNK)):
            self._left = self._decode(part).encode(errors="surrogatepass")
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


def in_utf8(stream: Unpacked) -> Unpacked:
    """The stream from its beginning, decoded where it is UTF-16."""
    encoding = _utf16(first_bytes(stream, 8))
    return io.BufferedReader(Utf16(stream, encoding), CHUNK) if encoding else stream


def _utf16(start: bytes) -> str:
    """The encoding by its mark, else by ASCII with a zero beside each character; "" for others."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\x00" not in start:  # as mostly
        return ""
    first, second = start[::2], start[1::2]
    for order, zeros, characters in (("le", second, first), ("be", first, second)):
        if len(start) == 8 and not any(zeros) and all(32 <= each < 127 for each in characters):
            return f"utf-16-{order}"
    return ""


@dataclass(slots=True)
class Kept:
    """The beginning of a file, once it was read."""

    head: bytes | None = None
    text: str | None = None
    whole: bool = False  # the head is all of it


@dataclass(frozen=True, slots=True)
class File:
    """Bytes with a name that reports can show: a file at `path`, or a received `body`. To one that
    is `complete` nobody writes any more, though it may be new."""

    name: str
    path: Path | None = None
    body: bytes = b""
    kept: Kept | None = field(default=None, compare=False, repr=False)
    complete: bool = False

    def keeping_head(self) -> File:
        """The same for somebody who asks for its beginning several times."""
        return self if self.held else replace(self, kept=Kept())

    @property
    def held(self) -> int:
        """How many bytes are kept, where those are all of it."""
        return len(self.kept.head or b"") if self.kept and self.kept.whole else 0

    def released(self) -> File:
        """The same without what is kept of it."""
        return replace(self, kept=None)

    @contextmanager
    def open(self) -> Iterator[Unpacked]:
        """The content, unpacked. Raises `EventError` where it breaks off or cannot be read."""
        if self.kept and self.kept.whole and self.kept.head is not None:
            yield io.BytesIO(self.kept.head)
            return
        try:
            with self._raw() as raw:
                yield in_utf8(unpacking(raw))
        except BROKEN:
            raise EventError(BREAK) from None
        except OSError as error:
            raise EventError(f"the file cannot be read: {error.strerror or error}") from None

    def _raw(self) -> io.BufferedReader | io.BytesIO:
        return io.BytesIO(self.body) if self.path is None else self.path.open("rb")

    def lines(self) -> Iterator[str]:
        """Lines of UTF-8 with their ends; bytes that are none become lone surrogates. No line is
        much longer than allowed: what follows in an endless one is dropped."""
        if self.held and SPOILED not in self.head_text():
            yield from io.StringIO(self.head_text(), newline="")
            return
        with self.open() as stream:
            mark = MARK
            while line := stream.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    line = _longer(line, stream)
                text = line.decode(errors="surrogateescape").removeprefix(mark)
                mark = ""
                yield from (text,) if _is_one_line(text) else _lines_in(text)

    def head(self) -> bytes:
        """The first bytes, unpacked, as far as they can be read."""
        if self.kept is None:
            return self._head()
        if self.kept.head is None:
            self.kept.head = self._head()
        return self.kept.head

    def begins(self) -> bool:
        """Whether there is anything in it; `EventError` where its beginning is not readable."""
        if self._keep_whole():
            return True
        with self.open() as stream:
            return bool(stream.read1(SMALL))

    def _keep_whole(self) -> bool:
        """Keep all of a small file, if that is wanted and it needs no unpacking or decoding."""
        if self.kept is None or self.path is None:
            return False
        content = _small_content(self.path)
        if content is None or is_packed(content) or _utf16(content[:8]):
            return False
        self.kept.head, self.kept.whole = content, True
        return bool(content)

    def head_text(self) -> str:
        """The same as characters, whatever they are."""
        if self.kept is None:
            return as_text(self._head())
        if self.kept.text is None:
            self.kept.text = as_text(self.head())
        return self.kept.text

    def _head(self, part: int = CHUNK) -> bytes:
        if self._keep_whole() and self.kept:
            return self.kept.head or b""
        content = bytearray()
        try:
            with self.open() as stream:
                while len(content) < HEAD_BYTES and (more := stream.read1(part)):
                    content += more
                whole = len(content) < HEAD_BYTES
        except EventError:
            if part > SMALL:  # so that little is lost before the break
                return self._head(SMALL)
            if not content:
                raise
        else:
            if self.kept:
                self.kept.whole = whole
        return bytes(content)


def files_in(path: Path) -> list[File]:
    """The file itself, or the data files of a folder, sorted; `SourceError` if there is none."""
    mode = _mode(path)
    if stat.S_ISDIR(mode):
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
    if not stat.S_ISREG(mode):
        raise SourceError(f"there is no file or folder {path}")
    return [File(path.name, path)]


def _small_content(path: Path) -> bytes | None:
    """All of a file, None where it is large or cannot be read; one of no bytes is empty."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError):
        return None
    try:
        content = os.read(descriptor, CHUNK)
        return content if len(content) < CHUNK and not os.read(descriptor, 1) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _mode(path: Path) -> int:
    """What a path is (as `stat` says it), 0 where nothing can be said."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return 0


def _walk(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root) / name for name in names)


def as_text(start: bytes) -> str:
    """The beginning of a file as characters, whatever they are."""
    return start.decode("utf-8-sig", errors="replace")


def encodable(*texts: str) -> bool:
    """Whether these hold only characters: no stray bytes, no half surrogate pairs."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _longer(line: bytes, stream: Unpacked) -> bytes:
    """All of a line of which this is the beginning, as far as it may be kept."""
    parts, size = [line], len(line)
    while not line.endswith(b"\n") and (line := stream.readline(LONGEST_LINE + 1)):
        if size <= LONGEST_LINE * MOST_BYTES:
            parts.append(line)
            size += len(line)
    return b"".join(parts)


def _is_one_line(text: str) -> bool:
    mostly = "\r" not in text or text.find("\r") == len(text) - 2 == text.find("\r\n")
    return mostly and 0 < len(text) <= LONGEST_LINE


def _lines_in(text: str) -> Iterator[str]:
    """The lines of a text in which a carriage return ends one, too."""
    for found in LINE.finditer(text):
        yield found[0][: LONGEST_LINE + 1]
