"""Packed files: gzip, and Zstandard, as Codex packs the sessions of past weeks.

The library reads a Zstandard file that is cut off as if it ended there. So, at the end, the sizes
of its frames and blocks (RFC 8878) are summed up: a file that should go on breaks off.
"""

from __future__ import annotations

import gzip
import io
import os
import zlib
from typing import Any, Final

import zstandard

GZIP: Final = b"\x1f\x8b"
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
SIGNATURES: Final = (GZIP, ZSTANDARD)
ENDINGS: Final = (".gz", ".zst")
MAYBE_PACKED: Final = r"(?:\.gz|\.zst)?$"  # the end of a name, for patterns
BROKEN: Final = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)
CHUNK: Final = 64 * 1024
FRAME_HEADER: Final = 18  # bytes, at most
SKIPPED: Final = b"\x2a\x4d\x18"  # the end of the magic number of a frame that holds no data
RUN: Final = 1  # the type of a block that is one byte, repeated
Raw = io.BufferedReader | io.BytesIO
Unpacked = io.BufferedReader | io.BytesIO | gzip.GzipFile


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is packed."""
    return start.startswith(SIGNATURES)


class Zstandard(io.RawIOBase):
    """The content of a Zstandard file. Raises `EOFError` at the end of one that is cut off."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        decompressor = zstandard.ZstdDecompressor()
        self._stream = decompressor.stream_reader(raw, read_across_frames=True, closefd=False)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._stream.readinto(buffer)
        if not size and len(buffer) and _is_cut_off(self._raw):
            raise EOFError
        return size


def _is_cut_off(raw: Raw) -> bool:
    """Whether a Zstandard file ends within a frame."""
    end, at = raw.seek(0, os.SEEK_END), 0
    while at < end:
        try:
            at = _end_of_frame(raw, at)
        except (IndexError, zstandard.ZstdError):
            return True
    return at > end


def _end_of_frame(raw: Raw, at: int) -> int:
    """Where the frame ends that begins there; raises where it is cut off within a header."""
    head = _bytes_at(raw, at, FRAME_HEADER)
    if head[1:4] == SKIPPED:
        return at + 8 + int.from_bytes(head[4:8], "little")
    at += zstandard.frame_header_size(head)
    last = False
    while not last:
        block = _bytes_at(raw, at, 3)
        number = block[0] | block[1] << 8 | block[2] << 16
        last, kind, size = bool(number & 1), number >> 1 & 3, number >> 3
        at += 3 + (1 if kind == RUN else size)
    return at + (4 if zstandard.get_frame_parameters(head).has_checksum else 0)


def _bytes_at(raw: Raw, at: int, size: int) -> bytes:
    raw.seek(at)
    return raw.read(size)


def unpacking(raw: Raw) -> Unpacked:
    """The content of a file, unpacked as it is read."""
    start = raw.read(len(ZSTANDARD))
    raw.seek(0)
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=raw)
    if start == ZSTANDARD:
        return io.BufferedReader(Zstandard(raw), CHUNK)
    return raw


def first_bytes(stream: Unpacked, size: int) -> bytes:
    """The first bytes of a stream that is at its beginning, and still is afterwards."""
    if isinstance(stream, io.BufferedReader) and not stream.seekable():
        return stream.peek(size)[:size]
    start = stream.read(size)
    stream.seek(0)
    return start


def unpacked(name: str) -> str:
    """A file's name in lower case, without the ending that a packer gave it."""
    name = name.lower()
    return next((name.removesuffix(each) for each in ENDINGS if name.endswith(each)), name)
