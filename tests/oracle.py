"""What the answers must be, in plain Python over the raw events: rights, filters, buckets.

Nothing of `data/` is used here, so that a mistake there has no twin here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

Choice = Mapping[str, Any]
Row = Mapping[str, Any]
Rows = Sequence[Row]
Key = tuple[Any, ...]
LISTS = (
    "user", "project", "model", "provider", "channel", "assistant", "workflow", "status",
)  # fmt: skip
FLOORS = {
    "minute": "%Y-%m-%d %H:%M %z",
    "hour": "%Y-%m-%d %H %z",
    "day": "%Y-%m-%d",
    "week": "%G-%V",
    "month": "%Y-%m",
}


def rows_of(raws: Rows, columns: Sequence[str]) -> Rows:
    """The events with every column, missing as None."""
    return [{name: raw.get(name) for name in columns} for raw in raws]


def visible(events: Rows, claims: Choice) -> Rows:
    """The rows these claims open."""
    claimed = claims.get("applications_admin")
    claimed = claimed if isinstance(claimed, list) else [claimed]
    mine = {p.strip() for item in claimed if isinstance(item, str) for p in item.split(",")} - {""}
    everything = claims.get("isAdmin") is True or claims.get("isAdmin") == "true"
    return [
        row for row in events
        if everything or row["user"] == claims["sub"] or row["project"] in mine
    ]  # fmt: skip


def window(choice: Choice, now: datetime) -> tuple[datetime, datetime]:
    """The two instants a choice means."""
    zone = ZoneInfo(choice.get("tz", "UTC"))
    preset, here = choice.get("preset", "last_n_days"), now.astimezone(zone)
    if preset == "custom":
        start, end = (datetime.fromisoformat(choice[name]) for name in ("from", "to"))
        return _placed(start, zone), _placed(end, zone)
    if preset == "last_month":
        first = here.date().replace(day=1)
        before = (first - timedelta(days=1)).replace(day=1)
        return _midnight(before, zone), _midnight(first, zone)
    if preset == "last_n_days":
        return _midnight(here.date() - timedelta(days=int(choice.get("n", 7)) - 1), zone), now
    if begun := _first_day(preset, here.date()):
        yesterday = preset == "yesterday"
        return _midnight(begun, zone), _midnight(here.date(), zone) if yesterday else now
    hours = 1 if preset == "last_hour" else int(choice.get("n", 24))
    return now - timedelta(hours=hours), now


def _first_day(preset: str, today: date) -> date | None:
    """Where a calendar stretch begins that goes on, or ended this morning."""
    return {
        "yesterday": today - timedelta(days=1),
        "this_week": today - timedelta(days=today.weekday()),
        "this_month": today.replace(day=1),
        "this_year": today.replace(month=1, day=1),
    }.get(preset)


def earlier(choice: Choice, now: datetime) -> tuple[datetime, datetime] | None:
    """The two instants of the window that a choice compares with."""
    zone, compare = ZoneInfo(choice.get("tz", "UTC")), choice.get("compare", "off")
    if compare == "off":
        return None
    if compare == "custom":
        ends = (datetime.fromisoformat(choice[f"compare_{name}"]) for name in ("from", "to"))
        start, end = (_placed(one, zone).astimezone(UTC) for one in ends)
        return start, end
    start, end = (one.astimezone(UTC) for one in window(choice, now))
    passed = min(end, now) if start < now else end
    first, last, whole = _days(choice, start, end, zone)
    if whole and first.day == last.day == 1 and compare != "week":
        months = 12 * (last.year - first.year) + last.month - first.month
        months = {"month": 1, "year": 12}.get(compare, months)
        return _months_back(start, months, zone), _months_back(passed, months, zone)
    if compare == "previous" and not whole:
        return start - (passed - start), start
    back = _days_back(compare, first, (last - first).days if whole else 0)
    moved = _back(start, first - back, zone)
    if choice.get("preset") in ("last_hour", "last_n_hours"):
        return moved, moved + (passed - start)
    return moved, _back(passed, passed.astimezone(zone).date() - back, zone)


def _days(choice: Choice, start: datetime, end: datetime, zone: ZoneInfo) -> tuple[Any, Any, bool]:
    """The first day, the one after the last, and whether these are a window's beginning and end."""
    if choice.get("preset", "last_n_days") == "last_n_days":
        end = _midnight(end.astimezone(zone).date() + timedelta(days=1), zone)
    first, last = (one.astimezone(zone).date() for one in (start, end))
    return first, last, (start, end) == (_midnight(first, zone), _midnight(last, zone))


def _days_back(compare: str, first: Any, days: int) -> timedelta:
    if compare == "previous":
        return timedelta(days=days)
    if compare == "week" or (days and days % 7 == 0):
        return timedelta(weeks={"week": 1, "month": 4, "year": 52}[compare])
    same = pd.Timestamp(first) - pd.DateOffset(months=1 if compare == "month" else 12)
    back: timedelta = first - same.date()
    return back


def _back(moment: datetime, day: Any, zone: ZoneInfo) -> datetime:
    """The same time of the clock on another day."""
    local = moment.astimezone(zone)
    if moment == _midnight(local.date(), zone):
        return _midnight(day, zone)
    return datetime.combine(day, local.time(), zone).astimezone(UTC)


def _months_back(moment: datetime, months: int, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone).date()
    day = (pd.Timestamp(local) - pd.DateOffset(months=months)).date()
    if day.day < local.day:
        return _midnight(day + timedelta(days=1), zone)
    return _back(moment, day, zone)


def _placed(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _midnight(day: Any, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def filtered(events: Rows, choice: Choice, me: str, now: datetime) -> Rows:
    """The rows these filters leave."""
    start, end = (t.timestamp() * 1e6 for t in window(choice, now))
    rows = [row for row in events if start <= row["ts"] < end]
    for name in LISTS:
        included = {me if (name, v) == ("user", "me") else v for v in choice.get(name, ())}
        shut = {me if (name, v) == ("user", "me") else v for v in choice.get(f"not_{name}", ())}
        if included:
            rows = [row for row in rows if named(row, name) in included]
        rows = [row for row in rows if named(row, name) not in shut]
        if texts := [text.lower() for text in choice.get(f"contains_{name}", ())]:
            rows = [row for row in rows if any(t in (row[name] or "").lower() for t in texts)]
    for name, value in about(choice):
        rows = [
            row for row in rows if row[name] == (me if (name, value) == ("user", "me") else value)
        ]
    return rows


def values(rows: Rows, name: str) -> set[Any]:
    """The different values that are known."""
    return {row[name] for row in rows} - {None}


def named(row: Row, name: str) -> Any:
    """A value as a filter says it."""
    return "(none)" if row[name] is None else row[name]


def where(events: Rows, conditions: Sequence[tuple[str, Sequence[str]]]) -> Rows:
    """The rows with one of the values of each field; with any, where none is named."""
    for name, values in conditions:
        events = [
            row for row in events if (row[name] in values if values else row[name] is not None)
        ]
    return events


def about(choice: Choice) -> list[tuple[str, str]]:
    """The field and value of what is asked about, beside the filters."""
    field, _, value = choice.get("of", "").partition(":")
    single = [(name, choice[name]) for name in ("run_id", "conversation_id") if name in choice]
    return [*single, *([(field, value)] if field else [])]


@lru_cache(200_000)
def local(ts: int, tz: str) -> datetime:
    """An instant as a clock on a wall there shows it."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(ts))
    return at.astimezone(ZoneInfo(tz))


def bucket(ts: int, grain: str, tz: str) -> str:
    """The local minute, hour, day, week or month of an instant, as text."""
    return local(ts, tz).strftime(FLOORS[grain])


def groups(events: Rows, by: Sequence[str], grain: str, tz: str) -> dict[Key, list[Row]]:
    """The rows of each combination of values; without dimensions, all of them."""
    made: dict[Key, list[Row]] = {} if by else {(): []}
    for row in events:
        made.setdefault(tuple(_value(row, name, grain, tz) for name in by), []).append(row)
    return made


def _value(row: Row, name: str, grain: str, tz: str) -> Any:
    if name == "time":
        return bucket(row["ts"], grain, tz)
    if name == "hour":
        return local(row["ts"], tz).hour
    return local(row["ts"], tz).weekday() if name == "weekday" else row[name]
