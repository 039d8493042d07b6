"""Windows and buckets: the instants they mean, on ordinary days and when clocks jump."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest

from data.errors import Refused
from data.events.table import EVENTS, micros
from data.local_time import GRAINS, buckets, instant, iso, month_after
from data.query.filters import parse
from data.query.windows import ALL_TIME, Window

NOW = micros(datetime.fromisoformat("2026-11-20T12:34:56+00:00"))


def window(**choice: Any) -> Window:
    return parse(choice, NOW).window


def told(one: Window) -> tuple[str, str]:
    start, end = (instant(us, one.zone).isoformat() for us in (one.start, one.end))
    return start, end


@pytest.mark.parametrize(("choice", "start", "end"), [
    ({}, "2026-11-14T00:00:00+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "last_n_days", "n": "1"}, "2026-11-20T00:00:00+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "last_hour"}, "2026-11-20T11:34:56+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "last_n_hours"}, "2026-11-19T12:34:56+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "last_n_days", "n": "27", "tz": "Europe/Berlin"},
     "2026-10-25T00:00:00+02:00", "2026-11-20T13:34:56+01:00"),
    ({"preset": "last_month", "tz": "America/New_York"},
     "2026-10-01T00:00:00-04:00", "2026-11-01T00:00:00-04:00"),
    ({"preset": "last_month", "tz": "Pacific/Kiritimati"},
     "2026-10-01T00:00:00+14:00", "2026-11-01T00:00:00+14:00"),
    ({"preset": "yesterday", "tz": "Pacific/Kiritimati"},
     "2026-11-20T00:00:00+14:00", "2026-11-21T00:00:00+14:00"),
    ({"preset": "this_week"}, "2026-11-16T00:00:00+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "this_month"}, "2026-11-01T00:00:00+00:00", "2026-11-20T12:34:56+00:00"),
    ({"preset": "this_year", "tz": "Europe/Berlin"},
     "2026-01-01T00:00:00+01:00", "2026-11-20T13:34:56+01:00"),
    ({"preset": "custom", "from": "2026-10-25T02:30", "to": "2026-10-25T03:00",
      "tz": "Europe/Berlin"}, "2026-10-25T02:30:00+02:00", "2026-10-25T03:00:00+01:00"),
    ({"preset": "custom", "from": "2026-01-01T00:00-05:00", "to": "2026-01-01T05:00:01Z"},
     "2026-01-01T05:00:00+00:00", "2026-01-01T05:00:01+00:00"),
])  # fmt: skip
def test_a_choice_means_these_instants(choice: Any, start: str, end: str) -> None:
    assert told(window(**choice)) == (start, end)


@pytest.mark.parametrize(("choice", "until"), [
    ({"preset": "last_n_days", "n": "3", "tz": "Europe/Berlin"}, "2026-11-21T00:00:00+01:00"),
    ({"preset": "last_month"}, "2026-11-01T00:00:00+00:00"),
    ({"preset": "last_hour"}, "2026-11-20T12:34:56+00:00"),
    ({"preset": "yesterday"}, "2026-11-20T00:00:00+00:00"),
    ({"preset": "this_week", "tz": "Europe/Berlin"}, "2026-11-23T00:00:00+01:00"),
    ({"preset": "this_month"}, "2026-12-01T00:00:00+00:00"),
    ({"preset": "this_year"}, "2027-01-01T00:00:00+00:00"),
])  # fmt: skip
def test_days_that_go_on_are_a_part_of_days_until_midnight(choice: Any, until: str) -> None:
    asked = window(**choice)
    assert instant(asked.until, asked.zone).isoformat() == until


def test_json_carries_an_instant_with_the_offset_of_its_zone() -> None:
    assert iso(NOW) == "2026-11-20T12:34:56+00:00"
    assert iso(NOW + 5, "Asia/Kolkata") == "2026-11-20T18:04:56.000005+05:30"


@pytest.mark.parametrize(("tz", "day", "hours"), [
    ("Europe/Berlin", "2026-03-29", 23), ("Europe/Berlin", "2026-10-25", 25),
    ("Europe/Berlin", "2026-10-26", 24), ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25), ("Asia/Kolkata", "2026-10-25", 24),
    ("Australia/Lord_Howe", "2026-10-04", 24), ("Australia/Lord_Howe", "2026-04-05", 25),
    ("Africa/Cairo", "2026-04-24", 23), ("Africa/Cairo", "2026-10-29", 25),
    ("Asia/Beirut", "2026-03-29", 23),
])  # fmt: skip
def test_a_day_has_its_hours(tz: str, day: str, hours: int) -> None:
    first = micros(datetime.fromisoformat(f"{day}T12:00+00:00"))
    here, after = buckets(first, first + 20 * 3_600_000_000, tz, "day")[:2]
    clock = buckets(here, after, tz, "hour")
    assert len(clock) == hours
    assert clock[0] == here
    assert len(set(clock)) == hours


@pytest.mark.parametrize("tz", [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
    "Africa/Cairo", "Asia/Beirut", "America/Havana", "America/St_Johns", "Pacific/Apia",
])  # fmt: skip
@pytest.mark.parametrize("grain", GRAINS)
def test_buckets_cover_a_window_in_order_without_gap(tz: str, grain: Any) -> None:
    minutes = 60_000_000
    for day in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25"):
        middle = micros(datetime.fromisoformat(f"{day}T01:17+00:00"))
        start, end = middle - 700 * minutes, middle + 1_300 * minutes
        made = buckets(start, end, tz, grain)
        assert made[0] <= start < (made[1] if len(made) > 1 else end)
        assert all(one < other for one, other in pairwise(made))
        assert made[-1] < end


@pytest.mark.parametrize(("tz", "grain", "start", "end", "starts"), [
    ("UTC", "month", "2026-01-31T05:00+00:00", "2026-04-01T00:00+00:00",
     ["2026-01-01T00:00", "2026-02-01T00:00", "2026-03-01T00:00"]),
    ("UTC", "month", "2026-12-31T23:59+00:00", "2027-01-01T00:00:00.000001+00:00",
     ["2026-12-01T00:00", "2027-01-01T00:00"]),
    ("Europe/Berlin", "week", "2026-10-21T12:00+02:00", "2026-11-02T00:00+01:00",
     ["2026-10-19T00:00", "2026-10-26T00:00"]),
    ("Asia/Kathmandu", "hour", "2026-11-20T12:50+05:45", "2026-11-20T14:00+05:45",
     ["2026-11-20T12:00", "2026-11-20T13:00"]),
    ("UTC", "minute", "2026-11-20T12:00:59+00:00", "2026-11-20T12:02+00:00",
     ["2026-11-20T12:00", "2026-11-20T12:01"]),
])  # fmt: skip
def test_buckets_begin_where_the_calendar_and_the_clock_do(
    tz: str, grain: Any, start: str, end: str, starts: list[str]
) -> None:
    first, last = (micros(datetime.fromisoformat(text)) for text in (start, end))
    made = buckets(first, last, tz, grain)
    assert [instant(us, tz).strftime("%Y-%m-%dT%H:%M") for us in made] == starts


def test_a_range_holds_at_most_twenty_thousand_buckets() -> None:
    minute = 60_000_000
    assert len(buckets(0, 20_000 * minute, "UTC", "minute")) == 20_000
    with pytest.raises(Refused, match="more than 20,000 minutes; use a larger grain") as refusal:
        buckets(0, 20_001 * minute, "UTC", "minute")
    assert refusal.value.parameter == "grain"


def test_an_hour_that_a_jump_cuts_off_begins_at_the_jump() -> None:
    tz = "Australia/Lord_Howe"
    jump = micros(datetime.fromisoformat("2026-10-03T15:30+00:00"))
    hour = 3_600_000_000
    shown = [instant(us, tz).isoformat() for us in buckets(jump - hour, jump + hour, tz, "hour")]
    assert shown == [
        "2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00",
    ]  # fmt: skip
    late = buckets(jump + hour // 4, jump + hour // 3, tz, "hour")
    assert late == [jump]


@pytest.mark.parametrize(("hours", "grain"), [
    (1, "minute"), (2.9, "minute"), (3, "hour"), (95, "hour"), (96, "day"), (92 * 24 + 2, "day"),
    (92 * 24 + 2.5, "week"), (400 * 24 + 2, "week"), (400 * 24 + 2.5, "month"),
])  # fmt: skip
def test_the_bucket_fits_the_window(hours: float, grain: str) -> None:
    assert Window(NOW, NOW + int(hours * 3_600_000_000), "UTC").grain() == grain


@pytest.mark.parametrize("choice", [
    {"preset": "last_n_days", "n": "3660"}, {"preset": "last_n_hours", "n": "8784"},
    {"preset": "last_hour"},
])  # fmt: skip
def test_the_longest_range_there_is_ends_now_and_goes_on(choice: Any) -> None:
    assert (window(**choice).end, window(**choice).rolling) == (NOW, True)


def test_a_past_range_stays_as_it_is_and_may_be_all_of_time() -> None:
    everything = window(preset="custom", **{"from": "2000-01-01", "to": "2100-01-01"})
    assert (everything, everything.rolling) == (ALL_TIME, False)
    assert not window(preset="last_month").rolling


@pytest.mark.parametrize(("choice", "parameter", "sentence"), [
    ({"preset": "tomorrow"}, "preset", "preset is 'tomorrow'; use one of last_hour,"),
    ({"preset": "last_n_days", "n": "0"}, "n", "N must be a whole number of days from 1 to 3,660"),
    ({"preset": "last_n_days", "n": "3661"}, "n", "N must be a whole number of days from 1"),
    ({"preset": "last_n_hours", "n": "-1"}, "n", "N must be a whole number of hours from 1"),
    ({"preset": "last_n_hours", "n": "8785"}, "n", "from 1 to 8,784"),
    ({"preset": "last_n_hours", "n": "many"}, "n", "N must be a whole number, not 'many'"),
    ({"preset": "last_n_hours", "n": "1.5"}, "n", "N must be a whole number, not '1.5'"),
    ({"preset": "custom"}, "from", "a custom range needs from as a date and time"),
    ({"preset": "custom", "from": "2026-01-01"}, "to", "a custom range needs to as a date"),
    ({"preset": "custom", "from": "x", "to": "2026-01-01"}, "from", "from is no date and time"),
    ({"preset": "custom", "from": "2026-01-02", "to": "2026-01-01"}, "to", "must end after"),
    ({"preset": "custom", "from": "2026-01-01", "to": "2026-01-01"}, "to", "must end after"),
    ({"preset": "custom", "from": "1969-01-01", "to": "2026-01-01"}, "from", "outside the years"),
    ({"preset": "custom", "from": "0001-01-01T00:00+14:00", "to": "2026-01-01"}, "from", "from "),
    ({"tz": "Mars/Olympus"}, "tz", "'Mars/Olympus' is no time zone"),
    ({"tz": "../../etc/passwd"}, "tz", "is no time zone"),
    ({"tz": "x" * 41}, "tz", f"'{'x' * 40}' is no time zone"),
])  # fmt: skip
def test_a_window_that_cannot_be_is_refused(choice: Any, parameter: str, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        window(**choice)
    assert refusal.value.parameter == parameter
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(("day", "first"), [
    ("2026-10-25", "2026-11-01T00:00:00+01:00"), ("2026-12-31", "2027-01-01T00:00:00+01:00"),
])  # fmt: skip
def test_the_month_after_begins_at_its_own_midnight(day: str, first: str) -> None:
    assert iso(month_after(date.fromisoformat(day), "Europe/Berlin"), "Europe/Berlin") == first


def test_time_is_stored_in_microseconds() -> None:
    assert EVENTS.c.ts.type.python_type is int
