"""The earlier window that a window is compared with: like with like, in the reader's zone.

whole months   as many months before, or the same months a year before
whole days     as many days before; the weekdays match where the days are whole weeks
anything else  as long, ending where the window starts; a week, month or year before by the clock

Of a stretch that still runs, as much is compared as has passed of it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.errors import Refused, excerpt
from data.events.table import micros
from data.local_time import instant, midnight, next_month
from data.query.windows import Window, custom_range

PREVIOUS: Final = "previous"
CUSTOM: Final = "custom"
OFF: Final = "off"
COMPARISONS: Final[dict[str, str]] = {
    PREVIOUS: "Previous period",
    "week": "Same period last week",
    "month": "Same period last month",
    "year": "Same period last year",
    CUSTOM: "Chosen range",
    OFF: "Nothing",
}
ENDS: Final = ("compare_from", "compare_to")
# By months, and by weeks where weekdays have to match.
_MONTHS: Final = {"month": 1, "year": 12}
_WEEKS: Final = {"week": 1, "month": 4, "year": 52}


def earlier(
    window: Window, compare: str, ends: tuple[str | None, str | None], now: int
) -> Window | None:
    """The window that `compare` means beside this one at `now` (µs), None for off; `ends` are the
    ISO texts of a chosen range. Raises `Refused`."""
    if compare not in COMPARISONS:
        offered = ", ".join(COMPARISONS)
        raise Refused("compare", f"compare is {excerpt(compare)}; use one of {offered}")
    if compare == OFF:
        return None
    if compare == CUSTOM:
        return custom_range(ends, window.zone, ENDS)
    passed = min(window.end, now) if window.start < now else window.end
    return Window(*_moved(window, passed, compare), window.zone)


def _moved(window: Window, passed: int, compare: str) -> tuple[int, int]:
    """Start and end of the earlier window; of this one, time up to `passed` is compared."""
    months, days = _whole_months(window), _whole_days(window)
    if months and compare != "week":
        back = _MONTHS.get(compare, months)
        start, end = (_months_before(us, window.zone, back) for us in (window.start, passed))
        return start, end
    if days or compare != PREVIOUS:
        back = days if compare == PREVIOUS else _days_back(window, compare, days)
        start = _days_before(window.start, window.zone, back)
        clock = window.preset in ("last_hour", "last_n_hours")
        end = start + passed - window.start if clock else _days_before(passed, window.zone, back)
        return start, end
    return 2 * window.start - passed, window.start


def _days_back(window: Window, compare: str, days: int) -> int:
    if compare == "week" or (days and days % 7 == 0):
        return 7 * _WEEKS[compare]
    day = instant(window.start, window.zone).date()
    return (day - _same_day(day, _MONTHS[compare])).days


def _whole_months(window: Window) -> int:
    """How many calendar months the window is (what is to come of them included), or 0."""
    first, last = (instant(us, window.zone).date() for us in (window.start, window.until))
    if not _whole_days(window) or (first.day, last.day) != (1, 1):
        return 0
    return 12 * (last.year - first.year) + last.month - first.month


def _whole_days(window: Window) -> int:
    """How many calendar days the window is (what is to come of them included), or 0."""
    first, last = (instant(us, window.zone).date() for us in (window.start, window.until))
    ends = (midnight(first, window.zone), midnight(last, window.zone))
    return (last - first).days if ends == (window.start, window.until) else 0


def _days_before(us: int, tz: str, days: int) -> int:
    """The same time of the clock, days before."""
    at = instant(us, tz)
    return _at(at.date() - timedelta(days=days), at, us, tz)


def _months_before(us: int, tz: str, months: int) -> int:
    """The same day and time of the clock, months before; the month's end where it is shorter."""
    at = instant(us, tz)
    day = _same_day(at.date(), months)
    if day.day < at.day:
        return midnight(next_month(day), tz)
    return _at(day, at, us, tz)


def _at(day: date, clock: datetime, us: int, tz: str) -> int:
    """The instant of a day at the time of another; a day's beginning stays one."""
    if us == midnight(clock.date(), tz):
        return midnight(day, tz)
    return micros(datetime.combine(day, clock.time(), ZoneInfo(tz)).astimezone(UTC))


def _same_day(day: date, months: int) -> date:
    """The same day of the month, months before, or that month's last."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
