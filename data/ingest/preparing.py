"""Records made into events: cleaned, and priced where their source left the price open.

Parsing requests needs no more than this, so that the process that does it loads no store.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from data.errors import EventError
from data.events.doubts import DOUBTS
from data.events.table import Event
from data.ingest.reconciliation import Reconciliation
from data.prices.book import PriceBook
from data.sources.events import event_of
from data.sources.format import Note, Raw, Record, TotalsNote, with_doubts
from data.sources.report import Report

BATCH: Final = 10_000
SECONDS: Final = 0.5
Progress = Callable[[Report], None]


def batches(
    records: Iterable[Record],
    report: Report,
    reconciliation: Reconciliation,
    book: Callable[[], PriceBook],
    progress: Progress | None = None,
) -> Iterator[list[Event]]:
    """The events of records, at most `BATCH` at a time, each batch by the book of its moment.

    What is rejected and noted goes into the report, what files say together to
    `reconciliation`; `progress` hears of the report about twice a second, and may raise.
    """
    DOUBTS.take()  # of records that nobody made events of
    source = _without_notes(records, report, progress, reconciliation)
    while batch := list(islice(source, BATCH)):
        yield list(events_of(batch, report, book()))
    for sentence in DOUBTS.take():
        report.note(sentence)


def _without_notes(
    records: Iterable[Record],
    report: Report,
    progress: Progress | None,
    reconciliation: Reconciliation,
) -> Iterator[tuple[str, Raw | EventError]]:
    """The records, their notes taken down; `progress` hears of the report now and then."""
    due = time.monotonic() + SECONDS
    for record in records:
        if progress and time.monotonic() >= due:
            progress(report)
            due = time.monotonic() + SECONDS
        where, raw = record
        if isinstance(raw, TotalsNote):
            reconciliation.add_totals(raw.totals)
        elif isinstance(raw, Note):
            report.note(raw.text)
        else:
            yield where, with_doubts(raw)


def events_of(
    batch: Iterable[tuple[str, Raw | EventError]], report: Report, book: PriceBook
) -> Iterator[Event]:
    """The events of some records by this book; the others are rejected."""
    for where, raw in batch:
        try:
            yield event_of(raw, book, report.note)
        except EventError as error:
            report.reject(where, error)
