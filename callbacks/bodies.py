"""What arrives in a request's body: within limits, unpacked where it is gzip.

A body has at most 32 MB as it travels and 128 MB unpacked; it is unpacked piece by piece, so one
that would grow without end is given up at that limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from data.errors import Refused, TooLarge, Unsupported

LARGEST: Final = 32 * 1024 * 1024
LARGEST_UNPACKED: Final = 128 * 1024 * 1024
PIECE: Final = 8 * 1024 * 1024
GZIP: Final = 16 + zlib.MAX_WBITS


def body() -> bytes:
    """The request's body, unpacked.

    Raises `TooLarge` beyond the limits, `Unsupported` for another encoding, `Refused` for no gzip.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Unsupported("Content-Encoding", "a body comes as it is or as gzip")
    request.max_content_length = LARGEST
    try:
        content = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge("body", f"a body has at most {_mb(LARGEST)}: send it in parts") from None
    return _unpacked(content) if encoding.endswith("gzip") else content


def _unpacked(content: bytes) -> bytes:
    parts, size = [], 0
    while content:
        stream = zlib.decompressobj(GZIP)
        try:
            parts.append(stream.decompress(content, LARGEST_UNPACKED + 1 - size))
        except zlib.error:
            raise Refused("body", "the body is no gzip, though its encoding says so") from None
        size += len(parts[-1])
        if size > LARGEST_UNPACKED:
            most = _mb(LARGEST_UNPACKED)
            raise TooLarge("body", f"a body has at most {most} unpacked: send it in parts")
        if not stream.eof:
            raise Refused("body", "the body breaks off: its gzip has no end")
        content = stream.unused_data
    return b"".join(parts)


def pieces(items: Iterable[Any]) -> Iterator[bytes]:
    """A list as bodies of lists, none of them larger than `PIECE` if no item is."""
    held: list[bytes] = []
    size = 2
    for item in items:
        told = orjson.dumps(item)
        if held and size + len(told) > PIECE:
            yield b"[" + b",".join(held) + b"]"
            held, size = [], 2
        held.append(told)
        size += len(told) + 1
    if held:
        yield b"[" + b",".join(held) + b"]"


def _mb(size: int) -> str:
    return f"{size // 1024 // 1024} MB"
