"""Stretches of time for which sums hold: in order, apart from each other, in µs UTC, [from, to)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final

from data.engines.partials import QUARTER

# More stretches than this are joined to longer ones, read from the events as a whole.
MOST_STRETCHES: Final = 40
Stretch = tuple[int, int]


def up(moment: int, width: int = QUARTER) -> int:
    """The end of the stretch of a width that a moment lies in, or ends."""
    return -(-moment // width) * width


def whole_quarters(window: Stretch, outdated: Sequence[int]) -> list[Stretch]:
    """The whole quarters of an hour of a window, without outdated ones (in order)."""
    at, end = up(window[0]), window[1] // QUARTER * QUARTER
    return without([(at, end)], _gaps(outdated)) if at < end else []


def joined(starts: Iterable[int], width: int = QUARTER) -> list[Stretch]:
    """Stretches of one width, in order, as longer ones."""
    return merged((start, start + width) for start in starts)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, those that touch as one."""
    found: list[Stretch] = []
    for start, end in stretches:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _gaps(outdated: Sequence[int]) -> list[Stretch]:
    """Outdated stretches; the nearest of many joined."""
    gaps = joined(outdated)
    while len(gaps) > MOST_STRETCHES:
        pairs = zip_longest(gaps[::2], gaps[1::2])
        gaps = [(first[0], (last or first)[1]) for first, last in pairs]
    return gaps


def without(stretches: Sequence[Stretch], others: Sequence[Stretch]) -> list[Stretch]:
    """What of stretches lies in none of the others."""
    found = []
    for first, last in stretches:
        at = first
        for begin, end in others:
            if begin >= last or end <= at:
                continue
            if at < begin:
                found.append((at, begin))
            at = max(at, end)
        if at < last:
            found.append((at, last))
    return found


def whole_units(
    stretches: Sequence[Stretch], others: Sequence[Stretch], width: int
) -> list[Stretch]:
    """The whole stretches of one width that lie both in one of the stretches and of the others."""
    both = (
        (max(first, begin), min(last, end)) for first, last in stretches for begin, end in others
    )
    rounded = ((up(first, width), last // width * width) for first, last in both)
    return [(first, last) for first, last in rounded if first < last]


def in_stretches(moment: str, stretches: Sequence[Stretch]) -> str:
    """The condition, in SQL, that a moment lies in one of them."""
    each = (f"{moment} >= {first} AND {moment} < {last}" for first, last in stretches)
    return f"({' OR '.join(each)})" if stretches else "false"
