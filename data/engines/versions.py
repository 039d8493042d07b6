"""When the events of each stretch of time were last written to: what an answer about them holds by.

Time is cut into quarters of an hour, and two of those that lie beside each other make a block, two
blocks a larger one, and so on: to note a quarter is to note the blocks it lies in, and any window
is a few blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from data.engines.partials import QUARTER
from data.events.table import EARLIEST, LATEST, micros

Stretch = tuple[int, int]  # µs UTC, [from, to)
Block = tuple[int, int]  # 2 ** height quarters of an hour, and the place among those as large
ALWAYS: Final[Stretch] = (micros(EARLIEST), micros(LATEST))
HIGHEST: Final = 22  # a century is fewer quarters of an hour than 2 ** 22


class Versions:
    """A number for every stretch of time that grows with each write to it."""

    def __init__(self) -> None:
        self._writes = 0
        self._of: dict[Block, int] = {}

    def touch(self, moments: Iterable[int]) -> None:
        """Events of these moments (µs UTC) were written or removed; one caller at a time."""
        self._writes += 1
        places = {moment // QUARTER for moment in moments}
        for height in range(HIGHEST + 1):
            for place in places:
                self._of[height, place] = self._writes
            places = {place >> 1 for place in places}

    def of(self, window: Stretch) -> int:
        """The latest write to a window, or to the rest of its first and last quarter of an hour."""
        first, last = window[0] // QUARTER, -(-window[1] // QUARTER)
        return max((self._of.get(block, 0) for block in blocks(first, last)), default=0)


def blocks(first: int, last: int) -> Iterator[Block]:
    """Quarters of an hour `[first, last)`, by their number since 1970, as few blocks, in order."""
    while first < last:
        aligned = (first & -first).bit_length() - 1 if first else HIGHEST
        height = min(aligned, (last - first).bit_length() - 1, HIGHEST)
        yield height, first >> height
        first += 1 << height
