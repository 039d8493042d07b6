"""Windows of time: from a reader's choice to two instants, and from instants to buckets.

Intervals are half-open. Hours roll, days are calendar days in the reader's zone. Local time is
arithmetic on offset segments (`segments`), never an engine's zone functions, so that every
engine and every test agrees on days of 23, 24, 24½ and 25 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from data.errors import Refused
from data.events import EARLIEST, LATEST, micros

Preset = Literal["last_hour", "last_n_hours", "last_n_days", "last_month", "custom"]
Grain = Literal["minute", "hour", "day", "week", "month"]

PRESETS: Final[dict[str, str]] = {
    "last_hour": "Last hour",
    "last_n_hours": "Last N hours",
    "last_n_days": "Last N days",
    "last_month": "Last month",
    "custom": "Custom range",
}
DEFAULT_PRESET: Final = "last_n_days"
DEFAULT_N: Final = {"last_n_hours": 24, "last_n_days": 7}
LARGEST_N: Final = {"last_n_hours": 8_784, "last_n_days": 3_660}
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


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)` in µs UTC, as read in `zone`, and what the reader chose to get there."""

    start: int
    end: int
    zone: str
    preset: str = "custom"
    n: int | None = None

    def previous(self) -> Window:
        """The window of equal length that ends where this one starts."""
        return replace(self, start=2 * self.start - self.end, end=self.start, preset="custom")

    def grain(self) -> Grain:
        """The bucket size that reads well at this length (`auto`)."""
        hours = (self.end - self.start) / WIDTHS["hour"]
        if hours < 3:
            return "minute"
        if hours < 4 * 24:
            return "hour"
        # A day's tolerance: 92 calendar days hold 92 days and an hour when autumn falls inside.
        if hours <= 92 * 24 + 2:
            return "day"
        return "week" if hours <= 400 * 24 + 2 else "month"


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name, or a refusal."""
    if name not in zones():
        raise Refused("tz", f"{name[:60]!r} is no time zone; use an IANA name like Europe/Berlin")
    return ZoneInfo(name)


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def instant(us: int, tz: str = "UTC") -> datetime:
    """The aware datetime of a stored instant, in a zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)).astimezone(ZoneInfo(tz))


def resolve(
    preset: str, n: int | None, ends: tuple[str | None, str | None], tz: str, now: int
) -> Window:
    """The window a choice means at `now` (µs); `ends` are the ISO texts of a custom range."""
    local = instant(now, zone(tz).key)
    if preset == "custom":
        return _custom(ends, tz)
    if preset == "last_month":
        last = local.date().replace(day=1) - timedelta(days=1)
        return Window(_midnight(last.replace(day=1), tz), _month_after(last, tz), tz, preset)
    if preset not in PRESETS:
        raise Refused("preset", f"preset is {preset[:40]!r}; use one of {', '.join(PRESETS)}")
    if preset == "last_hour":
        return Window(now - WIDTHS["hour"], now, tz, preset)
    n = _checked(preset, n)
    if preset == "last_n_hours":
        return Window(now - n * WIDTHS["hour"], now, tz, preset, n)
    return Window(_midnight(local.date() - timedelta(days=n - 1), tz), now, tz, preset, n)


def _checked(preset: str, n: int | None) -> int:
    n = DEFAULT_N[preset] if n is None else n
    most = LARGEST_N[preset]
    if not 1 <= n <= most:
        unit = "hours" if preset == "last_n_hours" else "days"
        raise Refused("n", f"N must be a whole number of {unit} from 1 to {most:,}")
    return n


def _custom(ends: tuple[str | None, str | None], tz: str) -> Window:
    start, end = (_moment(name, text, tz) for name, text in zip(("from", "to"), ends, strict=True))
    if start >= end:
        raise Refused("to", "the range must end after it starts")
    return Window(start, end, tz)


def _moment(name: str, text: str | None, tz: str) -> int:
    if not text:
        raise Refused(name, f"a custom range needs {name} as a date and time")
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone(tz))
        us = micros(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        raise Refused(name, f"{name} is no date and time: {text[:40]!r}") from None
    if not micros(EARLIEST) <= us <= micros(LATEST):
        raise Refused(name, f"{name} lies outside the years 2000 to 2100")
    return us


def _midnight(day: date, tz: str) -> int:
    """The first instant of a local day (where midnight is skipped, the jump itself)."""
    return micros(datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC))


@lru_cache(maxsize=8_192)
def midnight_of(local: int, tz: str) -> int:
    """The instant of a local midnight that is given as µs as if it were UTC."""
    return _midnight(instant(local).date(), tz)


def _month_after(day: date, tz: str) -> int:
    return _midnight((day.replace(day=1) + timedelta(days=32)).replace(day=1), tz)


@lru_cache(maxsize=512)
def segments(start: int, end: int, tz: str) -> tuple[tuple[int, int], ...]:
    """`(from instant, offset)` in µs for each stretch of constant offset within a window."""
    found = [(start, _offset(start, tz))]
    step = WIDTHS["day"]
    for low in range(start, end, step):
        high = min(low + step, end)
        if _offset(high, tz) != _offset(low, tz):
            found.append((_change(low, high, tz), _offset(high, tz)))
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


def buckets(window: Window, grain: Grain) -> list[int]:
    """The start (µs UTC) of every bucket that touches the window, in order."""
    if grain in WIDTHS and (window.end - window.start) // WIDTHS[grain] > MOST_BUCKETS:
        raise Refused("grain", f"the range holds more than {MOST_BUCKETS:,} {grain}s; take coarser")
    if grain in ("minute", "hour"):
        return list(dict.fromkeys(_clock_buckets(window, WIDTHS[grain])))
    return [_midnight(day, window.zone) for day in _days(window, grain)]


def _clock_buckets(window: Window, width: int) -> Iterator[int]:
    parts = segments(window.start, window.end, window.zone)
    for (start, offset), (end, _) in zip(parts, [*parts[1:], (window.end, 0)], strict=True):
        first = start - (start + offset) % width
        yield from range(first, end, width)


def _days(window: Window, grain: Grain) -> Iterator[date]:
    day = instant(window.start, window.zone).date()
    last = instant(window.end - 1, window.zone).date()
    if grain == "week":
        day -= timedelta(days=day.weekday())
    elif grain == "month":
        day = day.replace(day=1)
    while day <= last:
        yield day
        if grain == "month":
            day = (day + timedelta(days=32)).replace(day=1)
        else:
            day += timedelta(days=7 if grain == "week" else 1)
