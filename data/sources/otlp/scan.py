"""How much a Protobuf request holds, found before it is parsed.

Parsed, an empty span of two bytes takes a hundred times its size. So the lengths on the way to the
items are walked first, which makes nothing, and given up at the first item too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.errors import EventError, TooLarge
from data.sources.otlp.items import NOUNS

LENGTH: Final = 2  # the wire type of what says its length
SKIPPED: Final = {1: 8, 5: 4}  # wire types of fixed size
Way = tuple[tuple[int, ...], ...]
GROUPED: Final = ((1,), (2,), (2,))
# Numbers of the fields on the way down to spans, log records, data points.
WAYS: Final[dict[str, Way]] = {
    "traces": GROUPED,
    "logs": GROUPED,
    "metrics": (*GROUPED, (5, 7, 9, 10, 11), (1,)),
}
BROKEN: Final = "this is no OTLP request of {} (it breaks off or has groups)"


def too_many(signal: str, most: int) -> TooLarge:
    """The refusal of a request with more than this."""
    return TooLarge("body", f"a request has at most {most:,} {NOUNS[signal]}s")


def scan(signal: str, body: bytes, most: int) -> None:
    """Raises `TooLarge` for more items, or more of what they are grouped in, than `most`, and
    `EventError` where this is no request."""
    way = WAYS[signal]
    left = [most] * len(way)
    try:
        whole = _walk(body, 0, len(body), way, left)
    except (IndexError, KeyError):
        raise EventError(BROKEN.format(signal)) from None
    if not whole:
        raise too_many(signal, most)


def _walk(body: bytes, at: int, end: int, way: Way, left: list[int]) -> bool:
    """Whether all of it was walked without one too many; `left` may still come on each level."""
    wanted, below, place = way[0], way[1:], -len(way)
    for number, start, stop in _fields(body, at, end):
        if number in wanted:
            left[place] -= 1
            if left[place] < 0 or (below and not _walk(body, start, stop, below, left)):
                return False
    return True


def _fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each field that says its length: its number, where it begins and ends."""
    while at < end:
        tag, at = _varint(body, at)
        kind = tag & 7
        if kind == LENGTH:
            length, at = _varint(body, at)
            yield tag >> 3, at, at + length
            at += length
        elif kind:
            at += SKIPPED[kind]
        else:
            _, at = _varint(body, at)
        if at > end:
            raise IndexError


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = body[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for shift in range(7, 70, 7):
        at += 1
        byte = body[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
    raise IndexError
