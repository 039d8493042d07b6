"""Times as sources write them. What is wrong raises `EventError`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import nearest, text

DOTTED: Final = re.compile(r"^(\d\d?)\.(\d\d?)\.(\d{4})(?!\d)")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def unix_instant(name: str, value: Any) -> datetime:
    """The instant of whole seconds since 1970."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(str(value)))
    except (ValueError, OverflowError):
        raise EventError(f"{name} is not a time in seconds") from None


def instant(name: str, value: Any) -> datetime:
    """The instant of an ISO 8601 text, or of 20.11.2026 10:00, in UTC where it has no zone."""
    try:
        found = datetime.fromisoformat(as_iso(text(value) or ""))
        return found if found.tzinfo is UTC else in_utc(found)
    except (ValueError, OverflowError):
        raise EventError(f"{name} is not a time") from None


def in_utc(moment: datetime) -> datetime:
    """An instant in UTC, which it is in where it has no zone."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def as_iso(spelled: str) -> str:
    """A time of a spreadsheet (20.11.2026 10:00) or of BigQuery (2026-11-20 10:00:00 UTC)."""
    spelled = spelled.removesuffix(" UTC")
    if spelled[4:5] == "-":  # as mostly
        return spelled
    return DOTTED.sub(lambda d: f"{d[3]}-{d[2]:0>2}-{d[1]:0>2}", spelled)


def batch_start(start: datetime | None) -> datetime:
    """When a batch ran whose results tell no time: as the import was told."""
    if start is None:
        raise EventError("the result tells no time: give when its batch ran with --start")
    return start


def milliseconds(name: str, value: Any) -> datetime:
    """The instant, UTC, of milliseconds since 1970."""
    number = nearest(name, value)
    if number is None:
        raise EventError(f"{name} is missing")
    try:
        return EPOCH + timedelta(milliseconds=number)
    except OverflowError:
        raise EventError(f"{name} is not a time in milliseconds") from None
