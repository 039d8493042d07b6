"""The door every event passes: what arrives is a mapping from anywhere, what leaves is a row that
the rest of the program trusts without looking again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import product
from operator import itemgetter
from typing import Any, Final

import orjson

from data.errors import EventError, excerpt
from data.events.doubts import NO_REQUESTS, UNKNOWN_COUNT
from data.events.table import (
    BILLED,
    CALL_ONLY,
    CHOICES,
    COUNTS,
    EARLIEST,
    FIELDS,
    LARGEST_COUNT,
    LATEST,
    LONGEST_TAGS,
    LONGEST_TEXT,
    MONEY,
    PARTS,
    REQUIRED,
    SESSION_ONLY,
    TIERS,
    WORDS,
    Event,
    micros,
)

DIGITS: Final = len(str(LARGEST_COUNT))
KNOWN: Final = frozenset(FIELDS)
MICROS: Final = re.compile("[0-9]{15,16}")
BLANK: Final[Event] = dict.fromkeys(("ts", *WORDS, *COUNTS, "tags"))
SPAN: Final = range(micros(EARLIEST), micros(LATEST))
ANY_TIER: Final = (None, *TIERS)
TEXTUAL: Final = frozenset(WORDS)
COUNTED: Final = frozenset(COUNTS)
DOUBTFUL: Final = COUNTED - {"cost_nano"}
NEEDED: Final = itemgetter("ts", *REQUIRED)
CHOSEN: Final = itemgetter(*CHOICES, "service_tier")
CHOSEN_TOGETHER: Final = frozenset(product(*CHOICES.values(), ANY_TIER))
PART_COUNTS: Final = itemgetter(*(part for parts in PARTS.values() for part in parts))
# Of one kind alone: the fields, what reads them all at once, what of other kinds, and the kind.
BELONGING: Final = tuple(
    (names, itemgetter(*names), (None,) * len(names), kind)
    for names, kind in ((CALL_ONLY, "llm"), (SESSION_ONLY, "session"))
)
Note = Callable[[str], None]  # hears what was put right in an event that is kept


def clean(raw: Mapping[str, Any], note: Note = lambda _: None) -> Event:
    """One canonical event with every field of `FIELDS`, or `EventError` with the reason."""
    if not raw.keys() <= KNOWN:
        raise EventError(f"unknown field {sorted(raw.keys() - KNOWN)[0]!r}")
    event: Event = BLANK.copy()
    for name, value in raw.items():
        if value is None:
            continue
        if (
            type(value) is str
            and name in TEXTUAL
            and value.isascii()
            and "\x00" not in value
            and len(value) <= LONGEST_TEXT
        ):
            event[name] = value.strip() or None
        elif type(value) is int and name in COUNTED and 0 <= value <= LARGEST_COUNT:
            event[name] = value
        else:
            event[name] = _cleaned(name, value, note)
    if event["cost_nano"] is not None:
        event["unpriced_reason"] = None
    if event["cost_origin"] is None:
        event["cost_origin"] = "unpriced" if event["cost_nano"] is None else "reported"
    _check(event, note)
    _limit_parts(event, note)
    return event


def _cleaned(name: str, value: Any, note: Note) -> Any:
    """A value as it is stored; a count that is none is unknown: a doubt loses no event."""
    try:
        return CLEANING[name](name, value)
    except EventError:
        if name not in DOUBTFUL:
            raise
        note(UNKNOWN_COUNT.format(name))
        return None


def _check(event: Event, note: Note) -> None:
    if None in NEEDED(event) or CHOSEN(event) not in CHOSEN_TOGETHER:
        _refuse(event)
    _check_belonging(event)
    _check_numbers(event, note)


def _refuse(event: Event) -> None:
    """Say what is missing, or no word of its field."""
    for name in ("ts", *REQUIRED):
        if event[name] is None:
            raise EventError(f"{name} is missing")
    for name, allowed in CHOICES.items():
        if event[name] not in allowed:
            raise EventError(f"{name} is {event[name]!r}, not one of {', '.join(allowed)}")
    if event["service_tier"] not in ANY_TIER:
        raise EventError(
            f"service_tier is {event['service_tier']!r}, not one of {', '.join(TIERS)}"
        )


def _check_numbers(event: Event, note: Note) -> None:
    if event["request_count"] == 0:
        note(NO_REQUESTS)
        event["request_count"] = None
    cost = event["cost_nano"]
    if cost is not None and cost < 0 and event["kind"] != "adjustment":
        raise EventError("cost_nano is negative")
    if (cost is None) != (event["cost_origin"] == "unpriced"):
        raise EventError("cost_nano and cost_origin contradict each other")


def _limit_parts(event: Event, note: Note) -> None:
    """No part is more than what the other parts leave of its whole; a doubt loses no call."""
    if not any(PART_COUNTS(event)):  # as mostly
        return
    for whole, parts in PARTS.items():
        left = event[whole]
        for part in parts:
            if left is None or not (count := event[part]):
                continue
            if count > left:
                note(f"{part} exceed {whole}, of which they are a part: lowered to what is left")
                event[part] = left
            left -= event[part]


def _check_belonging(event: Event) -> None:
    """Only calls carry tokens and money, only sessions carry lines: nothing counts twice."""
    for names, values, unknown, kind in BELONGING:
        if event["kind"] != kind and values(event) != unknown:
            for name in names:
                billed = name in MONEY and event["kind"] in BILLED
                if event[name] is not None and not billed:
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
    if type(value) is int and 0 <= value <= LARGEST_COUNT:  # as mostly
        return value
    if type(value) is str and len(value) < DIGITS and value.isdecimal():  # a cell of a table
        return int(value)
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise EventError(f"{name} is not a number")
    number = _whole(name, value)
    if number < 0:
        raise EventError(f"{name} is negative")
    if number > LARGEST_COUNT:
        raise EventError(f"{name} is larger than 10^15")
    return number


def _money(name: str, value: Any) -> int | None:
    """An amount with a sign: a refund's is below zero."""
    if type(value) is int and -LARGEST_COUNT <= value <= LARGEST_COUNT:
        return value
    if isinstance(value, str) and value.strip().startswith("-"):
        return -(_count(name, value.strip()[1:]) or 0)
    return _count(name, value)


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


def _ts(_: str, value: Any) -> int:
    """Microseconds UTC of an ISO 8601 text (no offset: UTC), or of microseconds, text in a cell."""
    if isinstance(value, str):
        value = value.strip()
        value = int(value) if value.isdigit() and MICROS.fullmatch(value) else value
    if isinstance(value, int) and not isinstance(value, bool):
        return _in_range(value)
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and value:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise EventError(f"ts is not a time: {excerpt(value)}") from None
    else:
        raise EventError("ts is missing")
    try:
        return _in_range(micros(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except OverflowError:
        raise EventError("ts lies outside the years 2000 to 2100") from None


def _in_range(ts: int) -> int:
    if ts not in SPAN:
        raise EventError("ts lies outside the years 2000 to 2100")
    return ts


def _tags(_: str, value: Any) -> str | None:
    if value == "":
        return None
    try:
        if isinstance(value, str):
            text = str(value)
            orjson.loads(text)
        else:
            text = orjson.dumps(value).decode()
    except (orjson.JSONDecodeError, TypeError, ValueError):
        raise EventError("tags is not JSON") from None
    if len(text) > LONGEST_TAGS:
        raise EventError(f"tags is longer than {LONGEST_TAGS:,} characters")
    return text


# What makes a stored value of one that came, by field.
CLEANING: Final[dict[str, Callable[[str, Any], Any]]] = {
    "ts": _ts, "tags": _tags, **dict.fromkeys(WORDS, _text), **dict.fromkeys(COUNTS, _count),
    "cost_nano": _money,
}  # fmt: skip
