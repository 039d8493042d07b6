"""`--map "cost=total_usd,user=owner.id,provider='openai'"`: rows with columns of their own.

A field of the canonical event is filled from the column named for it; a column that bears a
field's own name fills that field where the map does not. Every other column is left out, and a
note says which.

columns       a name; a path into objects and through lists (`json_paths.py`); a text in single
              quotes that every row has
ts            as `clean` reads it, and: seconds, ms, µs or ns since 1970 (told apart by their
              size), 2026/11/20 10:00, 20.11.2026 10:00, “… UTC”, “… +0000”, RFC 2822 (“Fri, 20
              Nov 2026 …”)
cost          US dollars, with or without $; duration_ms, ttft_ms rounded to whole ms
              Where no column says when, the start of the period that was given: then the row is
              a sum over it, and the same row of another period another event
cost_cents    US cents
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
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any, Final

import orjson

from data.errors import EventError, Refused
from data.events.table import FIELDS, TEXTS
from data.sources.fields import CENTS, amount, whole
from data.sources.format import Entry, Note, Options, Raw, Record, records
from data.sources.json_paths import MISSING, inside, is_in, lists_in, lookup
from data.sources.times import as_iso

MONEY: Final = ("cost", "cost_nano", "cost_cents")
KNOWN: Final = (*FIELDS, "cost", "cost_cents")
NAMED: Final = frozenset({"event_id", *TEXTS})
ROUNDED: Final = frozenset({"duration_ms", "ttft_ms"})
NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d+)?")
SLASHED: Final = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)")
ZONE: Final = re.compile(r"\s*(?:(UTC|GMT)|([+-]\d\d:?\d\d))$")
# The size from which a number since 1970 is no longer of this unit, and µs in the unit.
UNITS: Final = ((10**11, Decimal(10**6)), (10**14, Decimal(1_000)), (10**17, Decimal(1)))
NANOSECONDS: Final = Decimal("0.001")
MOST_NAMED: Final = 12
UNDATED: Final = (
    "nothing says when: map a column to ts, or name the period of the file with --start and --end"
)
WIDTHS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))

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
    if len(money := [name for name in MONEY if name in found]) > 1:
        raise Refused("map", f"--map names both {' and '.join(money)}: one of them is enough")
    lists_in(found.values())
    return found


def is_constant(column: str) -> bool:
    """Whether a column of the map is none, but a text that every row has: 'openai'."""
    return len(column) > 1 and column[0] == column[-1] == "'"


def lacking(options: Options, present: Collection[str]) -> str:
    """What a mapped file does not have, as a sentence; "" where it has all, or does not say."""
    named = {name: path for name, path in options.columns.items() if not is_constant(path)}
    for name, column in named.items() if present else ():
        if not is_in(inside(column), present):
            had = ", ".join(list(present)[:MOST_NAMED]) or "none"
            return f"there is no column {column!r} for {name}; the columns are {had}"[:300]
    if present and "ts" not in {*options.columns, *present} and options.start is None:
        return UNDATED
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
        rows = RenamedRows(options, database)
        yield from records(entries, lambda where, row: convert(where, rows.fields(row)), options)
    if rows.ignored:
        more = len(rows.ignored) - MOST_NAMED
        names = ", ".join(list(rows.ignored)[:MOST_NAMED]) + (f" and {more} more" * (more > 0))
        yield name, Note(f"columns that no field is mapped to are left out: {names}")


@dataclass(slots=True)
class RenamedRows:
    """Rows as fields: which columns were left out, how often each row was there before."""

    options: Options
    database: sqlite3.Connection
    ignored: dict[str, None] = field(default_factory=dict)
    _paths: dict[str, str] = field(init=False)
    _used: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self._paths = {name: inside(path) for name, path in self.options.columns.items()}
        self._used = {part for path in self._paths.values() for part in (path, path.split(".")[0])}
        self.database.isolation_level = None
        self.database.execute("PRAGMA journal_mode = OFF")
        self.database.execute("CREATE TABLE seen (digest INTEGER PRIMARY KEY, times INTEGER)")

    def fields(self, row: Mapping[str, Any]) -> Raw:
        """The fields of a row; raises `EventError` for a value that is none of its field."""
        raw = {name: _found(row, path) for name, path in self._paths.items()}
        priced = any(name in raw for name in MONEY)
        for column, value in row.items():
            if column in KNOWN and column not in raw and not (priced and column in MONEY):
                raw[column] = value
            elif column not in self._used:
                self.ignored.setdefault(column)
        raw = {name: _value(name, value) for name, value in raw.items()}
        raw["kind"] = raw.get("kind") or "llm"
        dated = "ts" in raw
        raw["event_id"] = raw.get("event_id") or self._id(row, () if dated else self._period)
        cost = amount("cost_cents", raw.pop("cost_cents", None), CENTS)
        return raw | ({} if cost is None else {"cost": cost}) | self._dates(raw)

    @property
    def _period(self) -> tuple[datetime | None, ...]:
        """The same row of another period is another event."""
        return (self.options.start, self.options.end)

    def _dates(self, raw: Raw) -> Raw:
        """Of the file's period, where no column says when; its row is a sum then, no prompt."""
        start, end = self._period
        if start is None or "ts" in raw:
            return {}
        width = {"bucket": _width(end - start)} if end else {}
        sums = {"tags": width | {"many_prompts": True}} if end and not raw.get("tags") else {}
        return {"ts": start, **sums}

    def _id(self, row: Mapping[str, Any], period: tuple[datetime | None, ...]) -> str:
        fields = {**row, **({"": [str(each) for each in period]} if period else {})}
        content = orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS)
        digest = blake2b(content, digest_size=16)
        key = int.from_bytes(digest.digest()[:8], "big", signed=True)
        times = self.database.execute(
            "INSERT INTO seen VALUES (?, 1)"
            " ON CONFLICT (digest) DO UPDATE SET times = times + 1 RETURNING times",
            [key],
        ).fetchone()[0]
        return f"row:{digest.hexdigest()}" + (f":{times}" if times > 1 else "")


def _found(row: Mapping[str, Any], path: str) -> Any:
    """What the map names of a row: a text for all, or the value at a path."""
    if is_constant(path):
        return path[1:-1]
    value = row[path] if path in row else lookup(row, path)
    return None if value is MISSING else value


def _width(period: timedelta) -> str:
    """The length of a period as buckets of other sources have it: 30d."""
    seconds = int(period.total_seconds())
    size, unit = next(each for each in WIDTHS if seconds % each[0] == 0)
    return f"{seconds // size}{unit}"


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
    tidy = as_iso(tidy)
    tidy = ZONE.sub(lambda z: z[2] or "+00:00", tidy)
    for read, spelling in ((datetime.fromisoformat, tidy), (parsedate_to_datetime, text)):
        try:
            found = read(spelling)
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return text
