"""The one wide table of events, and the door every event passes.

`clean` is that door: what arrives is a mapping from anywhere, what leaves is a row that the
rest of the program trusts without looking again. Field names and meanings: `FIELDS`.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import orjson
import sqlalchemy as sa

from data.errors import EventError

SCHEMA_VERSION: Final = 4
KINDS: Final = ("llm", "message", "workflow", "tool", "integration", "session")
CHANNELS: Final = ("platform", "cli", "api", "other")
STATUSES: Final = ("ok", "error", "aborted")
ORIGINS: Final = ("reported", "list", "unpriced")

CHOICES: Final = {"kind": KINDS, "channel": CHANNELS, "status": STATUSES, "cost_origin": ORIGINS}
REQUIRED: Final = ("event_id", "kind", "channel", "source", "status", "cost_origin")
TEXTS: Final = (
    *("user", "user_name", "project", "project_name"),
    *("assistant", "workflow", "run_id", "conversation_id", "tool", "tool_type"),
    *("integration", "integration_type", "client", "repository"),
    *("provider", "model", "operation", "error_class"),
)
TOKENS: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
CALL_ONLY: Final = (*TOKENS, "reasoning_tokens", "cost_nano", "ttft_ms", "request_count")
SESSION_ONLY: Final = ("lines_added", "lines_removed", "files_changed")
COUNTS: Final = (*CALL_ONLY, "duration_ms", *SESSION_ONLY)
WORDS: Final = (*REQUIRED, *TEXTS)
FIELDS: Final = ("event_id", "ts", *REQUIRED[1:], *TEXTS, *COUNTS, "tags")
KNOWN: Final = frozenset(FIELDS)

EVENTS: Final = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in REQUIRED[1:]),
    *(sa.Column(name, sa.Text) for name in TEXTS),
    *(sa.Column(name, sa.BigInteger) for name in COUNTS),
    sa.Column("tags", sa.Text),
    # Worked out of the event when it is stored: data/derived.py.
    sa.Column("id_hash", sa.BigInteger, nullable=False),
    *(sa.Column(f"{name}_nano", sa.BigInteger) for name in ("cache_saved", "cache_write")),
    sa.Column("list_cost_nano", sa.BigInteger),
)

MICROS: Final = re.compile("[0-9]{15,16}")
LONGEST_TEXT: Final = 1_000
LONGEST_TAGS: Final = 20_000
LARGEST_COUNT: Final = 10**15
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Event = dict[str, Any]
BLANK: Final[Event] = dict.fromkeys(("ts", *WORDS, *COUNTS, "tags"))


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant, exact (no float in between)."""
    delta = instant - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def id_hash(event_id: str) -> int:
    """A signed 64-bit digest of an id, the same in every version and on every machine."""
    digest = hashlib.blake2b(event_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def clean(raw: Mapping[str, Any]) -> Event:
    """One canonical event with every field of `FIELDS`, or `EventError` with the reason."""
    if unknown := raw.keys() - KNOWN:
        raise EventError(f"unknown field {sorted(unknown)[0]!r}")
    event: Event = BLANK | {"ts": _ts(raw.get("ts"))}
    event |= {name: _text(name, raw[name]) for name in WORDS if raw.get(name) is not None}
    event |= {name: _count(name, raw[name]) for name in COUNTS if raw.get(name) is not None}
    event["tags"] = _tags(raw.get("tags"))
    origin = "unpriced" if event["cost_nano"] is None else "reported"
    event["cost_origin"] = event["cost_origin"] or origin
    _check(event)
    return event


def _check(event: Event) -> None:
    for name in REQUIRED:
        if event[name] is None:
            raise EventError(f"{name} is missing")
    for name, allowed in CHOICES.items():
        if event[name] not in allowed:
            raise EventError(f"{name} is {event[name]!r}, not one of {', '.join(allowed)}")
    _check_belonging(event)
    if event["request_count"] == 0:
        raise EventError("request_count is 0: an event stands for one request or more")
    if (event["cost_nano"] is None) != (event["cost_origin"] == "unpriced"):
        raise EventError("cost_nano and cost_origin contradict each other")
    output = event["output_tokens"]
    if output is not None and (event["reasoning_tokens"] or 0) > output:
        raise EventError("reasoning_tokens exceed output_tokens, of which they are a part")


def _check_belonging(event: Event) -> None:
    """Only calls carry tokens and money, only sessions carry lines: nothing counts twice."""
    for names, kind in ((CALL_ONLY, "llm"), (SESSION_ONLY, "session")):
        if event["kind"] != kind:
            for name in names:
                if event[name] is not None:
                    raise EventError(f"{name} belongs to kind {kind}, not to {event['kind']}")


def _text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise EventError(f"{name} is not text")
    if len(value) > LONGEST_TEXT:
        raise EventError(f"{name} is longer than {LONGEST_TEXT:,} characters")
    if "\x00" in value or not (value.isascii() or value.encode(errors="ignore").decode() == value):
        raise EventError(f"{name} holds a character that cannot be stored")
    return value.strip() or None


def _count(name: str, value: Any) -> int | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise EventError(f"{name} is not a number")
    number = _whole(name, value)
    if number < 0:
        raise EventError(f"{name} is negative")
    if number > LARGEST_COUNT:
        raise EventError(f"{name} is larger than 10^15")
    return number


def _whole(name: str, value: float | str | Decimal) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise EventError(f"{name} is not a number")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise EventError(f"{name} is not a number") from None
    if not number.is_finite() or number.copy_abs() > LARGEST_COUNT * 10:
        raise EventError(f"{name} is not a number this table can hold")
    if number != number.to_integral_value():
        raise EventError(f"{name} is not a whole number")
    return int(number)


def _ts(value: Any) -> int:
    """Microseconds UTC of an ISO 8601 text (no offset: UTC), or of microseconds, text in a cell."""
    if isinstance(value, str) and MICROS.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, int) and not isinstance(value, bool):
        return _in_range(value)
    elif isinstance(value, str) and value.strip():
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise EventError(f"ts is not a time: {value.strip()[:40]!r}") from None
    else:
        raise EventError("ts is missing")
    try:
        return _in_range(micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except OverflowError:
        raise EventError("ts lies outside the years 2000 to 2100") from None


def _in_range(ts: int) -> int:
    if not micros(EARLIEST) <= ts < micros(LATEST):
        raise EventError("ts lies outside the years 2000 to 2100")
    return ts


def _tags(value: Any) -> str | None:
    if value is None or value == "":
        return None
    try:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError, ValueError):
        raise EventError("tags is not JSON") from None
    if len(text) > LONGEST_TAGS:
        raise EventError(f"tags is longer than {LONGEST_TAGS:,} characters")
    return text
