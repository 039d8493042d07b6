"""Sums over a stretch of time, as vendors report them: what their rows share.

A row stands for many requests. It becomes one event that carries its tokens, `request_count` and
the width of its bucket in `tags`. Where the vendor does not say of how many requests, the event
counts as one, and a note of the report says so.
Ids are the row's own key: endpoint, bucket and everything it was grouped by. What is measured or
merely a name is no part of it, so a corrected row is a duplicate and never a second use.
A bucket that was still open when its file was written, or that a question cut short (no whole
minute, hour or day), is not stored: its id would keep the incomplete sum for ever, or stand beside
the whole one. Imported again once it is over, it is whole.
A row is no prompt: more than one request, or `many_prompts` in the tags where their number is
unknown, lets the price book take the rates of short ones.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events.table import micros
from data.sources.fields import text
from data.sources.files import File

MEASURE: Final = re.compile(
    r"(_tokens|_requests|_sessions|_bytes|_count)$"
    r"|^(num_|quantity|amount|cost_usd|list_price|usage_input|usage_output|characters$|seconds$|images$)"
)
NAMING: Final = re.compile(r"(_name|_email|_iso)$|^(object|start_time|end_time|usage_date_utc)$")
WIDTHS: Final = {60: "1m", 3_600: "1h", 86_400: "1d"}
UNPRICED: Final[dict[str, Any]] = {"cost_nano": None, "cost_origin": "unpriced"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of time, `[start, end)`; both aware."""

    start: datetime
    end: datetime

    @property
    def width(self) -> str:
        return WIDTHS.get(self._seconds, f"{self._seconds}s")

    def partial(self, written: datetime) -> bool:
        """Whether a file written then can hold only a part; one written before it has no clock."""
        return self.start < written < self.end or self._seconds not in WIDTHS or self._cut

    @property
    def _seconds(self) -> int:
        return int((self.end - self.start).total_seconds())

    @property
    def _cut(self) -> bool:
        """Whether the bucket begins elsewhere than a whole minute, hour or day does."""
        return micros(self.start) % (self._seconds * 1_000_000) != 0


def written(file: File) -> datetime:
    """When a file was last written; now, for what has just arrived."""
    try:
        if file.path is not None:
            return datetime.fromtimestamp(file.path.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        pass
    return datetime.now(UTC)


def key(prefix: str, bucket: Bucket, row: Row) -> str:
    """`prefix` and a fingerprint of the bucket and of what the row was grouped by."""
    groups = {
        name: str(value).strip().lower()
        for name, value in row.items()
        if isinstance(value, str | bool)
        and str(value).strip()
        and not MEASURE.search(name)
        and not NAMING.search(name)
    }
    return fingerprint(prefix, micros(bucket.start), micros(bucket.end), sorted(groups.items()))


def fingerprint(prefix: str, *parts: Any) -> str:
    return f"{prefix}:{hashlib.sha256(_json(parts)).hexdigest()[:24]}"


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        raise EventError("a text holds a character that cannot be stored") from None


def seconds(name: str, value: Any) -> datetime:
    """The instant of whole seconds since 1970."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(str(value)))
    except (ValueError, OverflowError):
        raise EventError(f"{name} is not a time in seconds") from None


def instant(name: str, value: Any) -> datetime:
    """The instant of an ISO 8601 text, in UTC, which it is where it has no zone."""
    try:
        found = datetime.fromisoformat(text(value) or "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise EventError(f"{name} is not a time") from None


def kept(**found: Any) -> str | None:
    """What is worth keeping as tags, without what is unknown; exact numbers as text."""
    said = {name: value for name, value in found.items() if value not in (None, "")}
    return _json(said).decode() if said else None
