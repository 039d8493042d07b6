"""Sums over a stretch of time, as vendors report and bill them: what their rows share.

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

Usage rows bring the money of tokens, at list price; so a bill of the same tokens is not stored, but
compared: once an import has seen all its files, the report says both sums of the days (UTC) that
both tell, and what was billed on days of which no usage came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.events.money import NANO
from data.events.table import micros
from data.sources.fields import fingerprint
from data.sources.files import File
from data.sources.format import Entry, Head, Note, Raw, TotalsNote, UsageCosts
from data.sources.watched import unwatched

MEASURE: Final = re.compile(
    r"(_tokens|_requests|_sessions|_bytes|_count)$"
    r"|^(num_|quantity|amount|cost_usd|list_price|usage_input|usage_output|characters$|seconds$|images$)"
)
NAMING: Final = re.compile(r"(_name|_email|_iso)$|^(object|start_time|end_time|usage_date_utc)$")
WIDTHS: Final = {60: "1m", 3_600: "1h", 86_400: "1d"}
UNPRICED: Final[dict[str, Any]] = {"cost_nano": None, "cost_origin": "unpriced"}
Row = Mapping[str, Any]
RESULTS: Final = "results"
DEEPEST: Final = 4
BEGINNING: Final = 2_000
DAY: Final = 86_400_000_000
Line = tuple[int, Decimal]  # day since 1970, dollars


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
        for name, value in unwatched(row)
        if isinstance(value, str | bool)
        and str(value).strip()
        and not MEASURE.search(name)
        and not NAMING.search(name)
    }
    return fingerprint(prefix, micros(bucket.start), micros(bucket.end), sorted(groups.items()))


def rows_of(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The result rows of pages, in `results` beside their bucket's own fields."""
    for where, value in entries:
        for number, row in enumerate(_rows(value, 0), start=1):
            yield f"{where}#{number}", row


def _rows(value: Any, depth: int) -> Iterator[Any]:
    """Pages hold `data`, buckets hold `results`; lists and objects of pages are fine too."""
    if isinstance(value, EventError):
        yield value
    elif depth > DEEPEST or not isinstance(value, Mapping | list) or not value:
        yield EventError("this is no page of buckets that hold results")
    elif isinstance(value, Mapping) and isinstance(value.get(RESULTS), list):
        yield from (dict(value) | {RESULTS: each} for each in value[RESULTS])
    else:
        for each in _inner(value):
            yield from _rows(each, depth + 1)


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, list):
        return value
    inner = value.get("data")
    if isinstance(inner, list):
        return inner
    if all(isinstance(each, Mapping) and "data" in each for each in value.values()):
        return list(value.values())
    return [EventError("this is no page of buckets that hold results")]


def listed_rows(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The rows that pages hold in `data`, or that are values of their own."""
    for where, value in entries:
        inner = value.get("data") if isinstance(value, Mapping) else None
        if isinstance(inner, list):
            yield from ((f"{where}#{number}", each) for number, each in enumerate(inner, start=1))
        else:
            yield where, value


def begins(head: Head, *names: str) -> bool:
    """Whether a JSON file has all these field names near its beginning."""
    start = head.text[:BEGINNING]
    found = (re.search(rf'"{name}"\s*:', start) for name in names)
    return start.lstrip()[:1] in ("{", "[") and all(found)


def result(row: Row) -> Row:
    found = row[RESULTS]
    if not isinstance(found, Mapping):
        raise EventError("a result is an object with fields")
    return found


@dataclass(slots=True)
class Bill:
    """The lines for tokens of one file, by the keys of their rows; several may share one."""

    vendor: str = ""
    count: int = 0
    lines: dict[str, Line] = field(default_factory=dict)

    def add(self, row_fields: Raw, dollars: Decimal) -> None:
        """One more line, of the row that this record would be of."""
        self.vendor, self.count = row_fields["source"], self.count + 1
        _, before = self.lines.get(row_fields["event_id"], (0, Decimal(0)))
        self.lines[row_fields["event_id"]] = (micros(row_fields["ts"]) // DAY, before + dollars)

    @property
    def sentence(self) -> str:
        """What it comes to, as long as no usage is known."""
        return _bill_note(self.count, sum((paid for _, paid in self.lines.values()), Decimal(0)))

    @staticmethod
    def reconcile(bills: Sequence[Bill], costs: UsageCosts, /) -> Iterator[str]:
        """What the bills of an import say beside what its usage costs."""
        for vendor in dict.fromkeys(bill.vendor for bill in bills):
            mine = [bill for bill in bills if bill.vendor == vendor]
            lines = {key: line for bill in mine for key, line in bill.lines.items()}
            used = {day for source, day in costs if source == vendor}
            matched = [line for line in lines.values() if line[0] in used]
            unmatched = [paid for day, paid in lines.values() if day not in used]
            if matched:
                yield _bill_vs_usage(vendor, matched, costs)
            if unmatched:
                count = len(unmatched) if matched else sum(bill.count for bill in mine)
                yield _bill_note(count, sum(unmatched))


def _bill_note(count: int, dollars: Decimal | int) -> str:
    return (
        f"{count:,} rows bill {dollars:,.4f} USD for tokens: not stored, as usage rows bring that"
        " money with their tokens and no money counts twice; import the usage of those days, too"
    )


def _bill_vs_usage(vendor: str, lines: Sequence[Line], costs: UsageCosts) -> str:
    days = {day for day, _ in lines}
    billed = sum((paid for _, paid in lines), Decimal(0))
    nano, unpriced = (sum(costs[vendor, day][n] for day in days) for n in (0, 1))
    cost = Decimal(nano) / NANO
    open_ = f", {unpriced:,} rows of it unpriced" if unpriced else ""
    return (
        f"{vendor} bills {billed:,.4f} USD for tokens on {len(days)} days, whose usage costs"
        f" {cost:,.4f} USD at list price{open_}: {billed - cost:+,.4f} USD apart;"
        " the bill is not stored, so that no money counts twice"
    )


@dataclass(slots=True)
class Tally:
    """What the report should say of a file's rows beside counting them."""

    silent: int = 0  # rows that do not say how many requests they stand for
    open: int = 0
    special: int = 0
    nameless: int = 0
    bill: Bill = field(default_factory=Bill)
    others: dict[str, int] = field(default_factory=dict)

    def count(self, requests: int | None) -> None:
        self.silent += requests is None

    def other(self, what: str) -> None:
        self.others[what] = self.others.get(what, 0) + 1

    def notes(self, where: str) -> Iterator[tuple[str, Note]]:
        notes = {
            f"{self.silent:,} rows are sums over a time and do not say of how many requests:"
            " each counts as one": self.silent,
            f"{self.open:,} rows are of a time that was cut short or not over when the file was"
            " written: not stored, import them again once it is": self.open,
            f"{self.special:,} rows are of processing that the price book has no price for (US"
            " inference, tiers of a contract): unpriced": self.special,
            f"{self.nameless:,} rows name no model, as the usage was not grouped by it:"
            " unpriced": self.nameless,
            **{f"{n:,} rows are {what}": n for what, n in self.others.items()},
        }
        yield from ((where, Note(sentence)) for sentence, times in notes.items() if times)
        if self.bill.count:
            yield where, TotalsNote(self.bill.sentence, self.bill)
