"""Local time by arithmetic: zones, stretches of constant offset, the starts of buckets.

All of it is integers in µs: local time is an instant plus the offset of its segment, never an
engine's zone function, so that every engine and every test agrees on days of 23, 24, 24½ and 25
hours.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from data.errors import Refused, excerpt
from data.events.table import micros

Grain = Literal["minute", "hour", "day", "week", "month"]

WIDTHS: Final[dict[str, int]] = {
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 7 * 86_400_000_000,
}
GRAINS: Final = (*WIDTHS, "month")
MOST_BUCKETS: Final = 20_000
# The epoch was a Thursday: three days make weeks start on Monday.
MONDAY_SHIFT: Final = 3 * WIDTHS["day"]


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name, or a refusal."""
    if name not in zones():
        raise Refused("tz", f"{excerpt(name)} is no time zone; use an IANA name like Europe/Berlin")
    return ZoneInfo(name)


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def instant(us: int, tz: str = "UTC") -> datetime:
    """The aware datetime of a stored instant, in a zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).astimezone(ZoneInfo(tz))


def iso(us: int, tz: str = "UTC") -> str:
    """An instant as JSON carries it: ISO 8601, with the offset of a zone."""
    return instant(us, tz).isoformat()


def midnight(day: date, tz: str) -> int:
    """The first instant of a local day (where midnight is skipped, the jump itself)."""
    return micros(datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC))


@lru_cache(maxsize=8_192)
def midnight_of(local: int, tz: str) -> int:
    """The instant of a local midnight that is given as µs as if it were UTC."""
    return midnight(instant(local).date(), tz)


def next_month(day: date) -> date:
    """The first day of the month after a day's."""
    return day.replace(day=1) + timedelta(days=monthrange(day.year, day.month)[1])


def month_after(day: date, tz: str) -> int:
    """The first instant of the month after a local day's."""
    return midnight(next_month(day), tz)


@lru_cache(maxsize=512)
def segments(start: int, end: int, tz: str) -> tuple[tuple[int, int], ...]:
    """`(from instant, offset)` in µs for each stretch of constant offset within a window."""
    offset = _offset(start, tz)
    found = [(start, offset)]
    step = WIDTHS["day"]
    for low in range(start, end, step):
        high = min(low + step, end)
        if (later := _offset(high, tz)) != offset:
            found.append((_change(low, high, tz), later))
            offset = later
    return tuple(found)


def _offset(us: int, tz: str) -> int:
    offset = instant(us, tz).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _change(low: int, high: int, tz: str) -> int:
    """The first instant in `(low, high]` at which the offset is the later one."""
    later = _offset(high, tz)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle, tz) == later else (middle, high)
    return high


def buckets(start: int, end: int, tz: str, grain: Grain) -> list[int]:
    """The start (µs UTC) of every bucket that touches the window, in order."""
    if grain in WIDTHS and (end - start) // WIDTHS[grain] > MOST_BUCKETS:
        reason = f"the range holds more than {MOST_BUCKETS:,} {grain}s; use a larger grain"
        raise Refused("grain", reason)
    if grain in ("minute", "hour"):
        return list(dict.fromkeys(_clock_buckets(start, end, tz, WIDTHS[grain])))
    return [midnight(day, tz) for day in _days(start, end, tz, grain)]


def _clock_buckets(start: int, end: int, tz: str, width: int) -> Iterator[int]:
    """Clock hours or minutes; one that a jump of the clocks cuts off begins at the jump."""
    parts = segments(start - width, end, tz)
    ends = [*(at for at, _ in parts[1:]), end]
    for (low, offset), high in zip(parts, ends, strict=True):
        for first in range(low - (low + offset) % width, high, width):
            if min(first + width, high) > start:
                yield max(first, low)


def _days(start: int, end: int, tz: str, grain: Grain) -> Iterator[date]:
    day = instant(start, tz).date()
    last = instant(end - 1, tz).date()
    if grain == "week":
        day -= timedelta(days=day.weekday())
    elif grain == "month":
        day = day.replace(day=1)
    while day <= last:
        yield day
        if grain == "month":
            day = next_month(day)
        else:
            day += timedelta(days=7 if grain == "week" else 1)
