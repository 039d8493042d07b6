"""What a window is compared with: like with like, in every zone, on ordinary days and others."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.errors import Refused
from data.events.table import micros
from data.local_time import instant, midnight
from data.query.filters import parse
from data.query.windows import Window
from tests import oracle

SUNDAY: Final = "2026-11-29T09:41+01:00"
BERLIN: Final = {"tz": "Europe/Berlin"}
ZONES: Final = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Africa/Cairo", "Asia/Beirut", "America/Havana", "America/St_Johns", "Pacific/Auckland",
    "Pacific/Kiritimati",
)  # fmt: skip
STEADY: Final = settings(derandomize=True, deadline=None, database=None)


def windows(now: str, compare: str = "previous", **choice: Any) -> tuple[Window, Window]:
    filters = parse({"compare": compare, **choice}, micros(datetime.fromisoformat(now)))
    assert filters.compared is not None
    return filters.window, filters.compared


def told(one: Window) -> list[str]:
    return [f"{instant(us, one.zone):%a %Y-%m-%d %H:%M}" for us in (one.start, one.end)]


@pytest.mark.parametrize(("choice", "start", "end"), [
    # October is compared with September, and a month that runs with as much of the one before.
    ({"preset": "last_month"}, "Tue 2026-09-01 00:00", "Thu 2026-10-01 00:00"),
    ({"from": "2026-11-01", "to": "2026-12-01"}, "Thu 2026-10-01 00:00", "Thu 2026-10-29 09:41"),
    ({"from": "2026-07-01", "to": "2026-10-01"}, "Wed 2026-04-01 00:00", "Wed 2026-07-01 00:00"),
    ({"from": "2026-01-01", "to": "2027-01-01"}, "Wed 2025-01-01 00:00", "Sat 2025-11-29 09:41"),
    # A week that ends on a Sunday morning with the week that ended so.
    ({}, "Mon 2026-11-16 00:00", "Sun 2026-11-22 09:41"),
    ({"from": "2026-11-23", "to": "2026-11-30"}, "Mon 2026-11-16 00:00", "Sun 2026-11-22 09:41"),
    ({"preset": "this_week"}, "Mon 2026-11-16 00:00", "Sun 2026-11-22 09:41"),
    ({"preset": "this_month"}, "Thu 2026-10-01 00:00", "Thu 2026-10-29 09:41"),
    ({"preset": "this_year"}, "Wed 2025-01-01 00:00", "Sat 2025-11-29 09:41"),
    ({"preset": "yesterday"}, "Fri 2026-11-27 00:00", "Sat 2026-11-28 00:00"),
    # A morning with a morning.
    ({"preset": "last_n_days", "n": "1"}, "Sat 2026-11-28 00:00", "Sat 2026-11-28 09:41"),
    ({"preset": "last_n_days", "n": "30"}, "Thu 2026-10-01 00:00", "Fri 2026-10-30 09:41"),
    ({"from": "2026-10-26", "to": "2026-10-28"}, "Sat 2026-10-24 00:00", "Mon 2026-10-26 00:00"),
    # Hours with hours, whatever the clocks do.
    ({"preset": "last_hour"}, "Sun 2026-11-29 07:41", "Sun 2026-11-29 08:41"),
    ({"preset": "last_n_hours", "n": "5"}, "Sat 2026-11-28 23:41", "Sun 2026-11-29 04:41"),
    ({"from": "2026-11-10T08:00", "to": "2026-11-12T20:00"},
     "Sat 2026-11-07 20:00", "Tue 2026-11-10 08:00"),
    ({"from": "2026-10-25T08:00", "to": "2026-10-25T12:00"},
     "Sun 2026-10-25 04:00", "Sun 2026-10-25 08:00"),
])  # fmt: skip
def test_the_previous_period_is_like_the_window(choice: Any, start: str, end: str) -> None:
    preset = {"preset": "custom"} if "from" in choice else {}
    assert told(windows(SUNDAY, **choice, **preset, **BERLIN)[1]) == [start, end]


@pytest.mark.parametrize(("now", "start", "end"), [
    ("2026-03-31T09:00Z", "2026-02-01 00:00", "2026-03-01 00:00"),
    ("2026-03-28T09:00Z", "2026-02-01 00:00", "2026-02-28 09:00"),
    ("2026-03-01T00:00Z", "2026-02-01 00:00", "2026-03-01 00:00"),
])  # fmt: skip
def test_a_month_that_runs_is_compared_with_no_more_than_a_month(
    now: str, start: str, end: str
) -> None:
    march = {"preset": "custom", "from": "2026-03-01", "to": "2026-04-01"}
    assert [one[4:] for one in told(windows(now, **march)[1])] == [start, end]


@pytest.mark.parametrize(("compare", "choice", "start", "end"), [
    ("week", {}, "Mon 2026-11-16 00:00", "Sun 2026-11-22 09:41"),
    ("week", {"preset": "last_month"}, "Thu 2026-09-24 00:00", "Sun 2026-10-25 00:00"),
    ("week", {"preset": "last_n_hours", "n": "10"}, "Sat 2026-11-21 23:41", "Sun 2026-11-22 09:41"),
    # Whole weeks keep their weekdays; other days their dates.
    ("month", {}, "Mon 2026-10-26 00:00", "Sun 2026-11-01 09:41"),
    ("month", {"preset": "last_n_days", "n": "10"}, "Tue 2026-10-20 00:00", "Thu 2026-10-29 09:41"),
    ("month", {"preset": "last_month"}, "Tue 2026-09-01 00:00", "Thu 2026-10-01 00:00"),
    ("month", {"preset": "custom", "from": "2026-10-31T08:00", "to": "2026-11-02T20:00"},
     "Wed 2026-09-30 08:00", "Fri 2026-10-02 20:00"),
    ("year", {}, "Mon 2025-11-24 00:00", "Sun 2025-11-30 09:41"),
    ("year", {"preset": "last_month"}, "Wed 2025-10-01 00:00", "Sat 2025-11-01 00:00"),
    ("year", {"preset": "last_hour"}, "Sat 2025-11-29 08:41", "Sat 2025-11-29 09:41"),
    ("custom", {"compare_from": "2026-01-01", "compare_to": "2026-01-03T12:00"},
     "Thu 2026-01-01 00:00", "Sat 2026-01-03 12:00"),
])  # fmt: skip
def test_other_periods_are_so_long_ago(compare: str, choice: Any, start: str, end: str) -> None:
    assert told(windows(SUNDAY, compare, **choice, **BERLIN)[1]) == [start, end]


def clock(us: int, tz: str) -> tuple[date, time]:
    at = instant(us, tz)
    return at.date(), at.time()


MOMENTS: Final = st.integers(1_704_067_200, 1_830_297_600).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@settings(STEADY, max_examples=400)
@given(MOMENTS, st.sampled_from(ZONES), st.integers(1, 400), st.sampled_from(["previous", "week"]))
def test_days_are_compared_with_as_many_days_up_to_the_same_time(
    now: datetime, tz: str, n: int, compare: str
) -> None:
    chosen = {"preset": "last_n_days", "n": str(n), "tz": tz}
    this, before = windows(now.isoformat(), compare, **chosen)
    (first, _), (last, at) = clock(this.start, tz), clock(this.end, tz)
    assume(first.day != 1 or (last + timedelta(days=1)).day != 1)
    (day, _), (until, end) = clock(before.start, tz), clock(before.end, tz)
    assert before.start == midnight(day, tz)
    assert (until - day, first - day) == (
        last - first,
        timedelta(days=n if compare == "previous" else 7),
    )
    # Where clocks jump over the time, the day goes on at the jump.
    there = datetime.combine(until, at, ZoneInfo(tz)).astimezone(UTC).astimezone(ZoneInfo(tz))
    assert end == there.time()
    if n % 7 == 0:
        assert (day.weekday(), until.weekday()) == (first.weekday(), last.weekday())


@settings(STEADY, max_examples=200)
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from([7, 14, 28, 91, 364]),
       st.sampled_from(["previous", "week", "month", "year"]))  # fmt: skip
def test_whole_weeks_keep_their_weekdays(now: datetime, tz: str, n: int, compare: str) -> None:
    chosen = {"preset": "last_n_days", "n": str(n), "tz": tz}
    this, before = windows(now.isoformat(), compare, **chosen)
    first, _ = clock(this.start, tz)
    assume(first.day != 1 or n != 28 or monthrange(first.year, first.month)[1] != 28)
    assert clock(before.start, tz)[0].weekday() == first.weekday()
    assert clock(before.end, tz)[0].weekday() == clock(this.end, tz)[0].weekday()


@settings(STEADY, max_examples=200)
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(["previous", "month", "year"]))
def test_a_month_is_compared_with_a_month(now: datetime, tz: str, compare: str) -> None:
    this, before = windows(now.isoformat(), compare, preset="last_month", tz=tz)
    first, day = clock(this.start, tz)[0], clock(before.start, tz)[0]
    months = 12 * (first.year - day.year) + first.month - day.month
    assert (day.day, months) == (1, 12 if compare == "year" else 1)
    after = day + timedelta(days=monthrange(day.year, day.month)[1])
    assert (before.start, before.end) == (midnight(day, tz), midnight(after, tz))


@settings(STEADY, max_examples=200)
@given(MOMENTS, st.sampled_from(ZONES), st.integers(1, 900))
def test_hours_are_compared_with_as_many_hours_before(now: datetime, tz: str, n: int) -> None:
    chosen = {"preset": "last_n_hours", "n": str(n), "tz": tz}
    this, before = windows(now.isoformat(), **chosen)
    assert (before.end, before.end - before.start) == (this.start, this.end - this.start)


@settings(STEADY, max_examples=400)
@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from(["previous", "week", "month", "year"]),
       st.sampled_from(["last_hour", "last_n_hours", "last_n_days", "last_month", "days", "times"]),
       st.integers(1, 70), st.integers(0, 1440 * 70))  # fmt: skip
def test_the_oracle_means_the_same(
    now: datetime, tz: str, compare: str, preset: str, n: int, minutes: int
) -> None:
    choice: dict[str, Any] = {"preset": preset, "n": str(n), "tz": tz, "compare": compare}
    if preset in ("days", "times"):
        start = now.replace(tzinfo=None) - timedelta(minutes=minutes)
        start = datetime.combine(start.date(), time()) if preset == "days" else start
        ends = {"from": start.isoformat(), "to": (start + timedelta(days=n)).isoformat()}
        choice |= {"preset": "custom"} | ends
    meant = oracle.earlier(choice, now)
    compared = parse(choice, micros(now)).compared
    assert meant is not None
    assert compared is not None
    assert (compared.start, compared.end) == tuple(micros(one) for one in meant)


def test_nothing_is_compared_unless_it_is_asked() -> None:
    assert parse({}, 0).compared is None
    assert parse({"compare": "off"}, 0).compared is None


@pytest.mark.parametrize(("choice", "parameter"), [
    ({"compare": "decade"}, "compare"), ({"compare": "custom"}, "compare_from"),
    ({"compare": "custom", "compare_from": "2026-01-01"}, "compare_to"),
    ({"compare": "custom", "compare_from": "2026-01-02", "compare_to": "2026-01-01"}, "compare_to"),
    ({"compare": "custom", "compare_from": "soon", "compare_to": "2026-01-01"}, "compare_from"),
])  # fmt: skip
def test_a_comparison_that_cannot_be_is_refused(choice: Any, parameter: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(choice, 0)
    assert refusal.value.parameter == parameter
