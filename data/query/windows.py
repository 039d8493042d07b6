"""Windows of time: from a reader's choice to two instants.

Intervals are half-open. Hours roll, days are calendar days in the reader's zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from data.engines import versions
from data.errors import Refused, excerpt
from data.events.table import EARLIEST, LATEST, micros
from data.local_time import WIDTHS, Grain, instant, midnight, next_month, zone

PRESETS: Final[dict[str, str]] = {
    "last_hour": "Last hour",
    "last_n_hours": "Last N hours",
    "last_n_days": "Last N days",
    "last_month": "Last month",
    "yesterday": "Yesterday",
    "this_week": "This week",
    "this_month": "This month",
    "this_year": "This year",
    "custom": "Custom range",
}
DEFAULT_PRESET: Final = "last_n_days"
DEFAULT_N: Final = {"last_n_hours": 24, "last_n_days": 7}
LARGEST_N: Final = {"last_n_hours": 8_784, "last_n_days": 3_660}
WEEK: Final = timedelta(days=7)
Days = tuple[date, date]  # the first, and the one before which it ends


def _month(day: date) -> Days:
    return day.replace(day=1), next_month(day)


def _week(day: date) -> Days:
    monday = day - timedelta(days=day.weekday())
    return monday, monday + WEEK


# Stretches of the calendar, as of today; of one that still runs, what has passed of it.
_CALENDAR: Final[dict[str, Callable[[date], Days]]] = {
    "last_month": lambda today: _month(today.replace(day=1) - timedelta(days=1)),
    "yesterday": lambda today: (today - timedelta(days=1), today),
    "this_week": _week,
    "this_month": _month,
    "this_year": lambda today: (date(today.year, 1, 1), date(today.year + 1, 1, 1)),
}
RUNNING: Final = (
    "last_hour", "last_n_hours", "last_n_days", "this_week", "this_month", "this_year",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """`[start, end)` in µs UTC, as read in `zone`, and what the reader chose to get there."""

    start: int
    end: int
    zone: str
    preset: str = "custom"
    n: int | None = None

    @property
    def rolling(self) -> bool:
        """Whether the window ends at the present instant, and so goes on."""
        return self.preset in RUNNING

    @property
    def until(self) -> int:
        """Where the calendar stretch ends of which the window is what has passed; else its end."""
        today = instant(self.end, self.zone).date()
        if self.preset == "last_n_days":
            return midnight(today + timedelta(days=1), self.zone)
        if self.preset in RUNNING and self.preset in _CALENDAR:
            return midnight(_CALENDAR[self.preset](today)[1], self.zone)
        return self.end

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


def resolve(
    preset: str, n: int | None, ends: tuple[str | None, str | None], tz: str, now: int
) -> Window:
    """The window a choice means at `now` (µs); `ends` are the ISO texts of a custom range."""
    local = instant(now, zone(tz).key)
    if preset == "custom":
        return custom_range(ends, tz)
    if preset in _CALENDAR:
        start, end = (midnight(day, tz) for day in _CALENDAR[preset](local.date()))
        return Window(start, min(end, now), tz, preset)
    if preset not in PRESETS:
        raise Refused("preset", f"preset is {excerpt(preset)}; use one of {', '.join(PRESETS)}")
    if preset == "last_hour":
        return Window(now - WIDTHS["hour"], now, tz, preset)
    n = _checked(preset, n)
    if preset == "last_n_hours":
        return Window(now - n * WIDTHS["hour"], now, tz, preset, n)
    return Window(midnight(local.date() - timedelta(days=n - 1), tz), now, tz, preset, n)


def _checked(preset: str, n: int | None) -> int:
    n = DEFAULT_N[preset] if n is None else n
    most = LARGEST_N[preset]
    if not 1 <= n <= most:
        unit = "hours" if preset == "last_n_hours" else "days"
        raise Refused("n", f"N must be a whole number of {unit} from 1 to {most:,}")
    return n


def custom_range(
    ends: tuple[str | None, str | None], tz: str, names: tuple[str, str] = ("from", "to")
) -> Window:
    """The window between two ISO texts; a refusal calls them by their `names`."""
    start, end = (_moment(name, text, tz) for name, text in zip(names, ends, strict=True))
    if start >= end:
        raise Refused(names[1], "the range must end after it starts")
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
        raise Refused(name, f"{name} is no date and time: {excerpt(text)}") from None
    if not micros(EARLIEST) <= us <= micros(LATEST):
        raise Refused(name, f"{name} lies outside the years 2000 to 2100")
    return us


ALL_TIME: Final = Window(*versions.ALL_TIME, "UTC")
