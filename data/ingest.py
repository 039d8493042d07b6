"""Records in, events stored, a report out: the one way anything gets into the event store.

A record is cleaned, priced where its source left the price open, and written in batches. What
is new is what the store says it newly stored: under its lock, so two imports of the same file
at the same time count every event once between them. A dry run asks instead, and writes nothing;
what it would complete it does not say.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Final

from data.asides import Asides
from data.cleaning import clean
from data.completing import COMPLETED, Written
from data.engines import EventStore
from data.errors import EventError
from data.events import LARGEST_COUNT, Event
from data.likeness import Watch
from data.price_book import PUBLIC, PriceBook
from data.report import Report
from data.seen import Seen
from data.sources import Input, Options, find, parquet, read
from data.sources.format import Aside, Note, Raw, Record, said

BATCH: Final = 10_000
Progress = Callable[[Report], None]
Write = Callable[[Sequence[Event]], Written]
SECONDS: Final = 0.5


def ingest(
    records: Iterable[Record],
    sink: EventStore,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    book: PriceBook | None = None,
    report: Report | None = None,
    asides: Asides | None = None,
    only: str | None = None,
) -> Report:
    """Store what is new; `progress` hears of the report about twice a second, and may raise.

    A `report` that is given is continued. Prices are `book`'s, by default those of the sink as
    they are when a batch is read. What files say together goes to `asides`, else into the report.
    Records of one project `only` complete no event outside of it.
    Raises `StoreError` where the store fails; what was written until then stays.
    """
    report = Report() if report is None else report
    together = Asides() if asides is None else asides
    write = _rehearsal(sink) if dry_run else _writing(sink, only)
    source = _told(records, report, progress, together)
    while batch := list(islice(source, BATCH)):
        events = list(_events(batch, report, book or sink.book()))
        fresh = write(events) if events else Written()
        report.duplicates += len(events) - len(fresh)
        if fresh.completed:
            report.note(COMPLETED, fresh.completed)
        report.accept(fresh)
        _count(events, fresh, report)
        together.meet(events)
    if asides is None:
        _conclude(together, report)
    return report


def _conclude(together: Asides, report: Report) -> None:
    for sentence in together.notes():
        report.note(sentence)


def _count(events: Sequence[Event], fresh: Sequence[Event], report: Report) -> None:
    new = Counter(event["source"] for event in fresh)
    for source, came in Counter(event["source"] for event in events).items():
        report.told(source, came, came - new[source])


def ingest_paths(
    paths: Iterable[Path],
    sink: EventStore,
    options: Options | None = None,
    *,
    name: str = "auto",
    dry_run: bool = False,
    progress: Progress | None = None,
    report: Report | None = None,
) -> Report:
    """Import files and folders; `SourceError` where nothing of them could be read."""
    options = options or Options()
    inputs = find(paths, name, options)
    report = Report() if report is None else report
    report.files, together, watch = len(inputs), Asides(), Watch()
    report.format = ", ".join(sorted({each.format.name for each in inputs if each.format}))
    for form, some in groupby(inputs, lambda one: one.format):
        before = dict(report.sources)
        if form is parquet.FORMAT and not dry_run:
            for each in some:
                _load(each, sink, options, progress, report)
        else:
            ingest(watch.over(read(list(some), options)), sink, dry_run=dry_run,
                   progress=progress, report=report, asides=together)  # fmt: skip
        report.settle(form.name if form else "", before)
    _conclude(together, report)
    for note in watch.note():
        report.note(note.text)
    return report


def _load(
    found: Input, sink: EventStore, options: Options, progress: Progress | None, report: Report
) -> None:
    """A Parquet file as the store itself reads it; from where it cannot, record by record."""
    start = 0
    for part in parquet.parts(found.file, options):
        if (done := sink.load(part)) is None:
            break
        report.add(done)
        start += part.rows
        if progress:
            progress(report)
    else:
        if start:
            return
    rest = parquet.read(found.file, options, start)
    ingest(rest, sink, progress=progress, report=report)


def _told(
    records: Iterable[Record], report: Report, progress: Progress | None, together: Asides
) -> Iterator[tuple[str, Raw | EventError]]:
    """The records, their notes taken down; `progress` hears of the report now and then."""
    due = time.monotonic() + SECONDS
    for record in records:
        if progress and time.monotonic() >= due:
            progress(report)
            due = time.monotonic() + SECONDS
        where, raw = record
        if isinstance(raw, Aside):
            together.take(raw)
        elif isinstance(raw, Note):
            report.note(raw.text)
        else:
            yield where, raw


def _writing(sink: EventStore, only: str | None) -> Write:
    return sink.write if only is None else partial(sink.write, only=only)


def _rehearsal(sink: EventStore) -> Write:
    """Answers as `write` would, and writes nothing."""
    seen = Seen()

    def write(events: Sequence[Event]) -> Written:
        ids = list(dict.fromkeys(event["event_id"] for event in events))
        taken = sink.known(ids) | {one for one, new in zip(ids, seen.add(ids), strict=True)
                                   if not new}  # fmt: skip
        fresh = {e["event_id"]: e for e in reversed(events) if e["event_id"] not in taken}
        return Written(fresh.values())

    return write


def _events(
    batch: Iterable[tuple[str, Raw | EventError]], report: Report, book: PriceBook
) -> Iterator[Event]:
    for where, raw in batch:
        try:
            yield event_of(raw, book)
        except EventError as error:
            report.reject(where, error)


def event_of(raw: Raw | EventError, book: PriceBook = PUBLIC) -> Event:
    """The clean, priced event of a record, or `EventError` with the reason why it is none."""
    if isinstance(raw, EventError):
        raise raw
    try:
        return _priced(raw, clean(raw), book)
    except EventError:
        raise
    except Exception as error:
        raise EventError(f"this is no event ({said(error)})") from error


def _priced(raw: Raw, event: Event, book: PriceBook) -> Event:
    if event["kind"] == "llm" and event["cost_nano"] is None and not raw.get("cost_origin"):
        cost = book.cost(event)
        if cost is not None and cost <= LARGEST_COUNT:
            event |= {"cost_nano": cost, "cost_origin": "list"}
    return event
