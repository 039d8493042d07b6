"""Clean events into the store, and into the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from data.events.merging import MERGED, WriteResult
from data.events.table import Event
from data.ingest.dry_run import Write
from data.sources.report import Report

SOURCE: Final = itemgetter("source")


def write_batch(events: Sequence[Event], write: Write, report: Report) -> None:
    """Write clean events (`ingest` says what is new) and count them into the report."""
    fresh = write(events) if events else WriteResult()
    report.duplicates += len(events) - len(fresh)
    if fresh.merged:
        report.note(MERGED, fresh.merged)
    report.accept(fresh)
    _count_sources(events, fresh, report)


def _count_sources(events: Sequence[Event], fresh: Sequence[Event], report: Report) -> None:
    new = Counter(map(SOURCE, fresh))
    for source, count in Counter(map(SOURCE, events)).items():
        report.add_source(source, count, count - new[source])
