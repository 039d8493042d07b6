"""`--map "cost=total_usd,user=employee"`: rows whose columns have names of their own.

A field of the canonical event is filled from the column named for it; a column that bears a
field's own name fills that field where the map does not. Every other column is left out, and a
note says which.

ts            as `clean` reads it, and: seconds, ms, µs or ns since 1970 (told apart by their
              size), 2026/11/20 10:00, 20.11.2026 10:00, “… UTC”, “… +0000”, RFC 2822 (“Fri, 20
              Nov 2026 …”)
cost          US dollars, with or without $; duration_ms, ttft_ms rounded to whole ms
kind          llm where the row names none
texts         a whole number is taken as its digits (an employee's number is an id)
event_id      where the row has none: `row:` + a hash of all its columns, mapped or not, so that
              another map finds the same events. Identical rows are told apart by their ordinal
              in the file (`row:<hash>:2`): importing again, or a longer export of the same
              rows, stores nothing twice; the same row in two files is one event
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from data.errors import EventError, Refused
from data.events.table import FIELDS, TEXTS
from data.sources.fields import whole, without_dots
from data.sources.format import Entry, Note, Options, Raw, Record, records

KNOWN: Final = (*FIELDS, "cost")
NAMED: Final = frozenset({"event_id", *TEXTS})
ROUNDED: Final = frozenset({"duration_ms", "ttft_ms"})
NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
SLASHED: Final = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)")
ZONE: Final = re.compile(r"\s*(?:(UTC|GMT)|([+-]\d\d:?\d\d))$")
# The size from which a number since 1970 is no longer of this unit, and µs in the unit.
UNITS: Final = ((10**11, Decimal(10**6)), (10**14, Decimal(1_000)), (10**17, Decimal(1)))
NANOSECONDS: Final = Decimal("0.001")
MOST_NAMED: Final = 12
TWINS: Final = {"cost": "cost_nano", "cost_nano": "cost"}

Convert = Callable[[str, Any], Iterable[Raw | Note]]


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Field → column of `field=column,…`; a comma in a name is written `"field=a, b"`."""
    found: dict[str, str] = {}
    for part in (part.strip() for text in texts for part in next(csv.reader([text]), [])):
        name, equals, column = (word.strip() for word in part.partition("="))
        if not (name and equals and column):
            raise Refused("map", f"--map takes field=column, …; {part[:60]!r} is none")
        if name not in KNOWN:
            raise Refused("map", f"--map: {name[:60]!r} is no field; fields are {', '.join(KNOWN)}")
        if name in found:
            raise Refused("map", f"--map names {name} twice")
        found[name] = column
    if {"cost", "cost_nano"} <= found.keys():
        raise Refused("map", "--map names both cost and cost_nano: one of them is enough")
    return found


def lacking(columns: Mapping[str, str], present: Collection[str]) -> str:
    """Which column of the map a file does not have, as a sentence; "" where it has all."""
    for name, column in columns.items():
        if column not in present:
            had = ", ".join(list(present)[:MOST_NAMED]) or "none"
            return f"there is no column {column!r} for {name}; the columns are {had}"[:300]
    return ""


def mapped_records(
    name: str, entries: Iterable[Entry], convert: Convert, options: Options
) -> Iterator[Record]:
    """The records of a file's entries, by the map where there is one."""
    if not options.columns:
        return records(entries, convert, options)
    return _mapped(name, entries, convert, options)


def _mapped(
    name: str, entries: Iterable[Entry], convert: Convert, options: Options
) -> Iterator[Record]:
    with closing(sqlite3.connect("", check_same_thread=False)) as database:  # on disk once large
        rows = RenamedRows(options.columns, database)
        yield from records(entries, lambda where, row: convert(where, rows.fields(row)), options)
    if rows.ignored:
        more = len(rows.ignored) - MOST_NAMED
        names = ", ".join(list(rows.ignored)[:MOST_NAMED]) + (f" and {more} more" * (more > 0))
        yield name, Note(f"columns that no field is mapped to are left out: {names}")


@dataclass(slots=True)
class RenamedRows:
    """Rows as fields: which columns were left out, how often each row was there before."""

    columns: Mapping[str, str]
    database: sqlite3.Connection
    ignored: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database.isolation_level = None
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("CREATE TABLE seen (digest INTEGER PRIMARY KEY, times INTEGER)")

    def fields(self, row: Mapping[str, Any]) -> Raw:
        """The fields of a row; raises `EventError` for a value that is none of its field."""
        mapped = set(self.columns.values())
        raw = {name: row.get(column) for name, column in self.columns.items()}
        for column, value in row.items():
            if column in KNOWN and column not in raw and TWINS.get(column) not in self.columns:
                raw[column] = value
            elif column not in mapped:
                self.ignored.setdefault(column)
        raw = {name: _value(name, value) for name, value in raw.items()}
        raw["kind"] = raw.get("kind") or "llm"
        raw["event_id"] = raw.get("event_id") or self._id(row)
        return raw

    def _id(self, row: Mapping[str, Any]) -> str:
        content = orjson.dumps(dict(row), default=str, option=orjson.OPT_SORT_KEYS)
        digest = blake2b(content, digest_size=16)
        key = int.from_bytes(digest.digest()[:8], "big", signed=True)
        times = self.database.execute(
            "INSERT INTO seen VALUES (?, 1)"
            " ON CONFLICT (digest) DO UPDATE SET times = times + 1 RETURNING times",
            [key],
        ).fetchone()[0]
        return f"row:{digest.hexdigest()}" + (f":{times}" if times > 1 else "")


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str) and not (value := value.strip()):
        return None
    if name == "ts":
        return moment(value)
    if name in ROUNDED:
        return whole(name, value)
    if name in NAMED and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def moment(value: Any) -> Any:
    """An instant in any common spelling, as µs UTC or aware; what is none stays as it is."""
    if isinstance(value, str):
        return _since(Decimal(value)) if NUMBER.fullmatch(value) else _spelled(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return _since(Decimal(str(value)))
        except (InvalidOperation, OverflowError, ValueError):
            raise EventError("ts is not a time") from None
    return value


def _since(number: Decimal) -> int:
    unit = next((unit for limit, unit in UNITS if abs(number) < limit), NANOSECONDS)
    return int((number * unit).to_integral_value(ROUND_FLOOR))


def _spelled(text: str) -> Any:
    tidy = SLASHED.sub(lambda d: f"{d[1]}-{d[2]:0>2}-{d[3]:0>2}", text, count=1)
    tidy = without_dots(tidy)
    tidy = ZONE.sub(lambda z: z[2] or "+00:00", tidy)
    for read, spelling in ((datetime.fromisoformat, tidy), (parsedate_to_datetime, text)):
        try:
            found = read(spelling)
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return text
