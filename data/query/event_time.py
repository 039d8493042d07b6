"""An event's time in SQL: local time in a zone, its parts, and the buckets of a grain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from data.dialect import MonthStart, Place
from data.engines.partials import QUARTER
from data.events.table import EVENTS
from data.local_time import MONDAY_SHIFT, WIDTHS, Grain, midnight_of, segments
from data.query.catalog import HOUR, WEEKDAY
from data.query.windows import Window


def local_time(window: Window) -> sa.ColumnElement[Any]:
    """An event's local time in the window's zone, in µs as if UTC."""
    return EVENTS.c.ts + utc_offset(window)


def utc_offset(window: Window) -> sa.ColumnElement[Any]:
    """How far the zone's clocks are ahead of UTC at an event, in µs."""
    return by_segment(list(offset_segments(window)))


def offset_segments(window: Window) -> tuple[tuple[int, int], ...]:
    """`(from instant, offset)` of each stretch between two jumps of the clocks, in order."""
    # The hour before tells whether a jump of the clocks cut the first bucket off.
    return segments(window.start - WIDTHS["hour"], window.end, window.zone)


def steady_for(window: Window, most: int) -> int:
    """The longest stretch of UTC (a day, an hour, a quarter of one) up to `most` µs all through
    which a zone has one such stretch too; 0 if none. Quarters of an hour are so since 1972."""
    (_, ahead), *later = offset_segments(window)
    moments = [ahead, *(moment for segment in later for moment in segment)]
    widths = (WIDTHS["day"], WIDTHS["hour"], QUARTER)
    fitting = (one for one in widths if one <= most and not any(m % one for m in moments))
    return next(fitting, 0)


def by_segment(values: list[tuple[int, int]]) -> sa.ColumnElement[Any]:
    """The value of the stretch an event lies in, from `(from instant, value)` in order."""
    first = sa.literal(values[0][1], sa.BigInteger)
    later = [
        (EVENTS.c.ts >= start, sa.literal(value, sa.BigInteger)) for start, value in values[:0:-1]
    ]
    return sa.case(*later, else_=first) if later else first


# Hour and weekday of a local time, as whole numbers; weekdays from Monday = 0.
TIME_PARTS: Final[dict[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]]] = {
    HOUR: lambda local: Place(local % WIDTHS["day"], WIDTHS["hour"]),
    WEEKDAY: lambda local: Place((local + MONDAY_SHIFT) % WIDTHS["week"], WIDTHS["day"]),
}
# The values they take, as a filter spells them.
TIME_PART_VALUES: Final = {
    WEEKDAY: tuple(str(day) for day in range(7)),
    HOUR: tuple(str(hour) for hour in range(24)),
}

# Grains whose buckets are stretches of the clock; the others are of the calendar.
SUB_DAILY: Final = ("minute", "hour")


def bucket_start(window: Window, grain: Grain) -> sa.ColumnElement[Any]:
    """An instant's bucket: its start in µs UTC, or from days up its local midnight as if UTC."""
    ahead, local = utc_offset(window), local_time(window)
    if grain == "month":
        return MonthStart(local)
    shift = MONDAY_SHIFT if grain == "week" else 0
    floor = local - (local + shift) % WIDTHS[grain]
    return _not_before_segment(floor - ahead, window) if grain in SUB_DAILY else floor


def _not_before_segment(start: sa.ColumnElement[Any], window: Window) -> sa.ColumnElement[Any]:
    """An hour that a jump of the clocks cuts off begins at the jump."""
    jumps = [at for at, _ in offset_segments(window)[1:]]
    if not jumps:
        return start
    return sa.func.greatest(start, by_segment([(0, 0), *((at, at) for at in jumps)]))


def bucket_starts(values: pd.Series[Any], window: Window, grain: Grain) -> pd.Series[Any]:
    """The instants (µs UTC) at which buckets start, from what `bucket_start` answered."""
    if grain in SUB_DAILY:
        return values.astype("int64")
    return values.map(lambda local: midnight_of(int(local), window.zone)).astype("int64")
