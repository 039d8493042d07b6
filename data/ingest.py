"""Records in, events stored, a report out: the one way anything gets into the event store.

A record is cleaned, priced where its source left the price open, and written in batches. What
is new is what the store says it newly stored: under its lock, so two imports of the same file
at the same time count every event once between them. A dry run asks instead, and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from data.engines import EventStore
from data.errors import EventError
from data.events import EPOCH, LARGEST_COUNT, TOKENS, Event, clean
from data.prices import price
from data.sources import Options, find, read
from data.sources.fields import NANO
from data.sources.format import Raw, Record, said

BATCH: Final = 10_000
SHOWN: Final = 20
Progress = Callable[["Report"], None]
LONGEST_REASON: Final = 300
SECONDS: Final = 0.5


@dataclass(slots=True)
class Report:
    """What became of the records (CONTRACT §5); times, money and tokens are the accepted ones'."""

    files: int = 0
    format: str = ""
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unpriced: int = 0
    rejections: list[tuple[str, str]] = field(default_factory=list)
    first: int | None = None  # µs UTC
    last: int | None = None
    cost_nano: int = 0
    tokens: int = 0

    @property
    def read(self) -> int:
        return self.accepted + self.duplicates + self.rejected

    def accept(self, events: Iterable[Event]) -> None:
        for event in events:
            self.accepted += 1
            self.unpriced += event["kind"] == "llm" and event["cost_nano"] is None
            self.cost_nano += event["cost_nano"] or 0
            self.tokens += sum(event[name] or 0 for name in TOKENS)
            self._span(event["ts"], event["ts"])

    def reject(self, where: str, error: EventError) -> None:
        self.rejected += 1
        if len(self.rejections) < SHOWN:
            self.rejections.append((_shown(where), _shown(str(error))))

    def add(self, other: Report) -> None:
        """Take in what another file's report says."""
        for name in ("files", "accepted", "duplicates", "rejected", "unpriced"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        names = {*self.format.split(", "), *other.format.split(", ")}
        self.format = ", ".join(sorted(names - {""}))
        self.rejections = (self.rejections + other.rejections)[:SHOWN]
        self.cost_nano += other.cost_nano
        self.tokens += other.tokens
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)

    def _span(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def as_dict(self) -> dict[str, Any]:
        """CONTRACT §5, ready for JSON: instants ISO 8601 UTC, cost in US dollars."""
        return {
            "files": self.files,
            "format": self.format,
            "read": self.read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "unpriced": self.unpriced,
            "rejections": [{"where": w, "reason": r} for w, r in self.rejections],
            "from": _iso(self.first),
            "to": _iso(self.last),
            "cost": float(Decimal(self.cost_nano) / NANO),
            "tokens": self.tokens,
        }


def _shown(text: str) -> str:
    """Short, and of characters every output can encode."""
    return text[:LONGEST_REASON].encode(errors="replace").decode()


def _iso(ts: int | None) -> str | None:
    return None if ts is None else (EPOCH + timedelta(microseconds=ts)).astimezone(UTC).isoformat()


def ingest(
    records: Iterable[Record],
    sink: EventStore,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Store what is new; `progress` hears of the report about twice a second.

    Raises `StoreError` where the store fails; what was written until then stays.
    """
    report = Report()
    write = _rehearsal(sink) if dry_run else sink.write
    source = _reporting(records, report, progress)
    while batch := list(islice(source, BATCH)):
        events = list(_events(batch, report))
        fresh = write(events) if events else []
        report.duplicates += len(events) - len(fresh)
        report.accept(fresh)
    return report


def ingest_paths(
    paths: Iterable[Path],
    sink: EventStore,
    options: Options | None = None,
    *,
    name: str = "auto",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import files and folders; `SourceError` where nothing of them could be read."""
    options = options or Options()
    inputs = find(paths, name, options)
    report = ingest(read(inputs, options), sink, dry_run=dry_run, progress=progress)
    report.files = len(inputs)
    report.format = ", ".join(sorted({each.format.name for each in inputs if each.format}))
    return report


def _reporting(
    records: Iterable[Record], report: Report, progress: Progress | None
) -> Iterator[Record]:
    due = time.monotonic() + SECONDS
    for record in records:
        if progress and time.monotonic() >= due:
            progress(report)
            due = time.monotonic() + SECONDS
        yield record


def _rehearsal(sink: EventStore) -> Callable[[Sequence[Event]], list[Event]]:
    """Answers as `write` would, and writes nothing."""
    seen: set[str] = set()

    def write(events: Sequence[Event]) -> list[Event]:
        taken = seen | sink.known([event["event_id"] for event in events])
        fresh = {e["event_id"]: e for e in reversed(events) if e["event_id"] not in taken}
        seen.update(fresh)
        return list(fresh.values())

    return write


def _events(batch: Iterable[Record], report: Report) -> Iterator[Event]:
    for where, raw in batch:
        try:
            yield event_of(raw)
        except EventError as error:
            report.reject(where, error)


def event_of(raw: Raw | EventError) -> Event:
    """The clean, priced event of a record, or `EventError` with the reason why it is none."""
    if isinstance(raw, EventError):
        raise raw
    try:
        return _priced(raw, clean(raw))
    except EventError:
        raise
    except Exception as error:
        raise EventError(f"this is no event ({said(error)})") from error


def _priced(raw: Raw, event: Event) -> Event:
    if event["kind"] == "llm" and event["cost_nano"] is None and not raw.get("cost_origin"):
        cost = price(event["provider"], event["model"], event["ts"], *(event[n] for n in TOKENS))
        if cost is not None and cost <= LARGEST_COUNT:
            event |= {"cost_nano": cost, "cost_origin": "list"}
    return event
