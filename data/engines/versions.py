"""When the events of each stretch of time were last written to: what an answer about them holds by.

Time is cut into blocks: quarters of an hour, hours, six hours, days, two days, four, and so on.
To note a quarter is to note the blocks it lies in, and any window is a few blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from data.engines.partials import QUARTER
from data.events.table import EARLIEST, LATEST, micros

Stretch = tuple[int, int]  # µs UTC, [from, to)
Block = tuple[int, int]  # its width in quarters of an hour, and its place among those as wide
ALL_TIME: Final[Stretch] = (micros(EARLIEST), micros(LATEST))
OF_A_DAY: Final = 96
WIDTHS: Final = (1, 4, 24, *(OF_A_DAY << double for double in range(17)))  # more than a century


class VersionSource(Protocol):
    """Who knows when events were last written to."""

    def of(self, window: Stretch, /) -> int:
        """A number that grows with each write to a window, and perhaps to what lies near it."""


class Versions:
    """A number for every stretch of time that grows with each write to it."""

    def __init__(self) -> None:
        self._writes = 0
        self._of: dict[Block, int] = {}

    def touch(self, moments: Iterable[int]) -> None:
        """Events of these moments (µs UTC) were written or removed; one caller at a time."""
        self._writes += 1
        places = {moment // QUARTER for moment in moments}
        for width in WIDTHS:
            for place in {place // width for place in places}:
                self._of[width, place] = self._writes

    def of(self, window: Stretch) -> int:
        """The latest write to a window, or to the rest of its first and last quarter of an hour."""
        first, last = window[0] // QUARTER, -(-window[1] // QUARTER)
        return max((self._of.get(block, 0) for block in blocks(first, last)), default=0)


def blocks(first: int, last: int) -> Iterator[Block]:
    """Quarters of an hour `[first, last)`, by their number since 1970, as few blocks, in order."""
    while first < last:
        fitting = (width for width in WIDTHS if not first % width and first + width <= last)
        width = max(fitting)
        yield width, first // width
        first += width


def stretch(block: Block) -> Stretch:
    """The time of a block."""
    width, place = block
    return place * width * QUARTER, (place + 1) * width * QUARTER
