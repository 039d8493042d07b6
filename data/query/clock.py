"""An event's time as the clocks of a zone show it, in SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from data.events.table import EVENTS
from data.local_time import MONDAY_SHIFT, WIDTHS, segments
from data.query.catalog import HOUR, WEEKDAY
from data.query.windows import Window


def local_time(window: Window) -> sa.ColumnElement[Any]:
    """An event's local time in the window's zone, in µs as if UTC."""
    return EVENTS.c.ts + offset(window)


def offset(window: Window) -> sa.ColumnElement[Any]:
    """How far the zone's clocks are ahead of UTC at an event, in µs."""
    return by_segment([(start, offset) for start, offset in jumping(window)])


def jumping(window: Window) -> tuple[tuple[int, int], ...]:
    """`(from instant, offset)` of each stretch between two jumps of the clocks, in order."""
    # The hour before tells whether a jump of the clocks cut the first bucket off.
    return segments(window.start - WIDTHS["hour"], window.end, window.zone)


def by_segment(values: list[tuple[int, int]]) -> sa.ColumnElement[Any]:
    """The value of the stretch an event lies in, from `(from instant, value)` in order."""
    first = sa.literal(values[0][1], sa.BigInteger)
    later = [
        (EVENTS.c.ts >= start, sa.literal(value, sa.BigInteger)) for start, value in values[:0:-1]
    ]
    return sa.case(*later, else_=first) if later else first


def _whole(part: sa.ColumnElement[Any], width: int) -> sa.ColumnElement[Any]:
    # Subtracting the remainder first: `/` on whole numbers is a fraction to one engine in four.
    return sa.cast((part - part % width) / width, sa.BigInteger)


# Parts of the clock, from local time: whole numbers, weekdays from Monday = 0.
CLOCK: Final[dict[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]]] = {
    HOUR: lambda local: _whole(local % WIDTHS["day"], WIDTHS["hour"]),
    WEEKDAY: lambda local: _whole((local + MONDAY_SHIFT) % WIDTHS["week"], WIDTHS["day"]),
}
# The values they take, as a filter spells them.
HANDS: Final = {
    WEEKDAY: tuple(str(day) for day in range(7)),
    HOUR: tuple(str(hour) for hour in range(24)),
}
