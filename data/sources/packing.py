"""Packed files: gzip, and Zstandard, as Codex packs the sessions of past weeks."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Final

import zstandard

GZIP: Final = b"\x1f\x8b"
ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
SIGNATURES: Final = (GZIP, ZSTANDARD)
ENDINGS: Final = (".gz", ".zst")
MAYBE_PACKED: Final = r"(?:\.gz|\.zst)?$"  # the end of a name, for patterns
BROKEN: Final = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)
CHUNK: Final = 64 * 1024
Unpacked = io.BufferedReader | io.BytesIO | gzip.GzipFile


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is packed."""
    return start.startswith(SIGNATURES)


def unpacking(raw: io.BufferedReader | io.BytesIO) -> Unpacked:
    """The content of a file, unpacked as it is read."""
    start = raw.read(len(ZSTANDARD))
    raw.seek(0)
    if start.startswith(GZIP):
        return gzip.GzipFile(fileobj=raw)
    if start == ZSTANDARD:
        unpacked = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
        return io.BufferedReader(unpacked, CHUNK)
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
