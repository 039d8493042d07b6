"""Records in, events stored, a report out: the one way anything gets into the event store.

A record is cleaned, priced where its source left the price open, and written in batches. What
is new is what the store says it newly stored: under its lock, so two imports of the same file
at the same time count every event once between them. A dry run asks instead, and writes nothing;
what it would complete it does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from data.engines.protocol import EventSink, EventStore
from data.events.merging import Bound
from data.ingest import preparing
from data.ingest.columns import LEAST, ahead, store_records
from data.ingest.dry_run import dry_run_write
from data.ingest.preparing import BATCH, Progress, batches
from data.ingest.reconciliation import Reconciliation
from data.ingest.requests import ParsedRequest
from data.ingest.writing import write_batch
from data.people.similar_names import SimilarUsers
from data.prices.book import PriceBook
from data.sources import Input, Options, canonical, canonical_rows, find, parquet, read
from data.sources.columns import Rows
from data.sources.format import Record
from data.sources.report import Report

STRETCH: Final = 4  # batches that are stored as columns at once
OWN: Final = (canonical.FORMAT, parquet.FORMAT, None)


def ingest(
    records: Iterable[Record],
    sink: EventSink,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    book: PriceBook | None = None,
    report: Report | None = None,
    reconciliation: Reconciliation | None = None,
) -> Report:
    """Store what is new; `progress` hears of the report about twice a second, and may raise.

    A `report` that is given is continued. Prices are `book`'s, by default those of the sink as
    they are when a batch is read. Totals of files go to `reconciliation`, else what they say goes
    into the report. Raises `StoreError` where the store fails; what was written until then stays.
    """
    report = Report() if report is None else report
    totals = Reconciliation() if reconciliation is None else reconciliation
    write = dry_run_write(sink) if dry_run else sink.write
    present = sink.book if book is None else lambda: book
    for events in batches(records, report, totals, present, progress):
        write_batch(events, write, report)
        totals.add_usage(events)
    if reconciliation is None:
        _conclude(totals.notes(), report)
    return report


def _conclude(sentences: Iterable[str], report: Report) -> None:
    for sentence in sentences:
        report.note(sentence)


def ingest_paths(
    paths: Iterable[Path],
    sink: EventSink,
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
    return ingest_inputs(inputs, sink, options, dry_run=dry_run, progress=progress, report=report)


def ingest_inputs(
    inputs: Sequence[Input],
    sink: EventSink,
    options: Options,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    report: Report | None = None,
) -> Report:
    """Import files whose formats are known."""
    report = Report() if report is None else report
    report.files, totals, similar = len(inputs), Reconciliation(), SimilarUsers()
    columns = not dry_run and sink.takes_columns and _by_columns(inputs, options)
    report.format = ", ".join(sorted({each.format.name for each in inputs if each.format}))
    for form, some in groupby(inputs, lambda one: one.format):
        before = dict(report.sources)
        if form is parquet.FORMAT and not dry_run:
            for each in some:
                _load(each, sink, options, progress, report)
        elif form is canonical.FORMAT and columns:
            for each in some:
                _load_rows(each, sink, options, progress, report, similar)
        else:
            records = similar.watched(read(list(some), options))
            by_records = dry_run or not sink.takes_columns
            store = partial(ingest, dry_run=dry_run) if by_records else store_records
            store(records, sink, report=report, reconciliation=totals, progress=progress)
        report.attribute_rejections(form.name if form else "", before)
    _conclude((*totals.notes(), *(note.text for note in similar.notes())), report)
    return report


def _by_columns(inputs: Sequence[Input], options: Options) -> bool:
    """Whether there is nothing to reconcile or to rename, record by record."""
    return not options.columns and all(each.format in OWN for each in inputs)


def _load(
    found: Input, sink: EventSink, options: Options, progress: Progress | None, report: Report
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


def _load_rows(
    found: Input,
    sink: EventSink,
    options: Options,
    progress: Progress | None,
    report: Report,
    similar: SimilarUsers,
) -> None:
    """A file of our own events, many rows at a time; record by record where it must be so."""
    began, most = False, STRETCH * preparing.BATCH
    with closing(ahead(canonical_rows.batches(found.file, options, most), report)) as found_rows:
        for rows in found_rows:
            if not (taken := _took(rows, sink, report, similar)) and not began:
                break
            began = True
            if not taken:
                records = similar.watched(rows.records(range(rows.size)))
                ingest(records, sink, progress=progress, report=report)
            elif progress:
                progress(report)
        else:
            if began:
                return
    ingest(similar.watched(read([found], options)), sink, progress=progress, report=report)


def _took(rows: Rows, sink: EventSink, report: Report, similar: SimilarUsers) -> bool:
    """Whether the store took these rows as columns; they are in the report then."""
    if rows.size < LEAST or (done := sink.load(rows)) is None:
        return False
    report.add(done)
    for user, user_name in rows.users():
        similar.look(user, user_name)
    return True


def store_request(parsed: ParsedRequest, sink: EventStore, bound: Bound) -> Report:
    """Store what is new of a request that was read; raises as `ingest` does. Under a key that is
    `bound` to some events no others are completed."""
    write = partial(sink.write, bound=bound)
    for first in range(0, len(parsed.events), BATCH):
        write_batch(parsed.events[first : first + BATCH], write, parsed.report)
    return parsed.report
