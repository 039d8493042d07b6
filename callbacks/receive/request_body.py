"""What arrives in a request's body: within limits, unpacked where it is gzip.

A body has at most 32 MB as it travels and 64 MB unpacked; one that would grow without end is
given up at that limit. What is made of a body takes many times its size, so of large ones only a
few are worked on at once; the others wait, and are told to come again if that takes long.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import orjson
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from data.errors import Refused, StoreError, TooLarge, Unsupported

LARGEST: Final = 32 * 1024 * 1024
LARGEST_UNPACKED: Final = 64 * 1024 * 1024
LARGE: Final = 2 * 1024 * 1024
LARGE_BODIES: Final = threading.BoundedSemaphore(2)
WAIT_SECONDS: Final = 6.0
MOST_ITEMS: Final = 50_000
MOST_OBJECTS: Final = 4_000_000
LARGEST_PART: Final = 8 * 1024 * 1024
GZIP: Final = 16 + zlib.MAX_WBITS


@contextmanager
def request_body() -> Iterator[bytes]:
    """The request's body, unpacked, for as long as it is worked on.

    Raises `TooLarge` beyond the limits, `Unsupported` for another encoding, `Refused` for no gzip,
    `StoreError` where too many large ones are being worked on.
    """
    gzipped = _is_gzip()
    with ExitStack() as slots:
        if (request.content_length or 0) > LARGE:
            slots.enter_context(_large_body_slot())
        content = _read()
        if gzipped and (small := _decompressed(content, min(LARGE, LARGEST_UNPACKED))) is not None:
            content = small
        elif gzipped:
            slots.enter_context(_large_body_slot())
            content = _decompress_all(content)
        yield content


def _is_gzip() -> bool:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Unsupported("Content-Encoding", "send the body plain or as gzip")
    return encoding.endswith("gzip")


def _read() -> bytes:
    request.max_content_length = LARGEST
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge("body", f"a body has at most {_mb(LARGEST)}: send it in parts") from None


@contextmanager
def _large_body_slot() -> Iterator[None]:
    if not LARGE_BODIES.acquire(timeout=WAIT_SECONDS):
        raise StoreError("other large bodies are being worked on: send this one again")
    try:
        yield
    finally:
        LARGE_BODIES.release()


def _decompress_all(content: bytes) -> bytes:
    if (found := _decompressed(content, LARGEST_UNPACKED)) is None:
        most = _mb(LARGEST_UNPACKED)
        raise TooLarge("body", f"a body has at most {most} unpacked: send it in parts")
    return found


def _decompressed(content: bytes, most: int) -> bytes | None:
    """What a gzip holds; None where that is more than `most`."""
    parts, size = [], 0
    while content:
        stream = zlib.decompressobj(GZIP)
        try:
            parts.append(stream.decompress(content, most + 1 - size))
        except zlib.error:
            raise Refused("body", "the body is no gzip, though its encoding says so") from None
        size += len(parts[-1])
        if size > most:
            return None
        if not stream.eof:
            raise Refused("body", "the body breaks off: its gzip has no end")
        content = stream.unused_data
    return b"".join(parts)


def refuse_too_many_objects(text: bytes) -> None:
    """Raises `TooLarge` for JSON of so many objects that reading it would fill the memory."""
    if text.count(b"{") + text.count(b"[") > MOST_OBJECTS:
        raise TooLarge("body", f"a body has at most {MOST_OBJECTS:,} JSON objects and lists")


def split_into_bodies(items: Iterable[Any]) -> Iterator[bytes]:
    """A list as bodies of lists, none of them larger than `LARGEST_PART` if no item is."""
    parts: list[bytes] = []
    size = 2
    for item in items:
        encoded = orjson.dumps(item)
        if parts and size + len(encoded) > LARGEST_PART:
            yield b"[" + b",".join(parts) + b"]"
            parts, size = [], 2
        parts.append(encoded)
        size += len(encoded) + 1
    if parts:
        yield b"[" + b",".join(parts) + b"]"


def _mb(size: int) -> str:
    return f"{size // 1024 // 1024} MB"
