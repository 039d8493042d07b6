"""Records of any format stored many at a time, column by column, while the next ones are read.

What a reader makes of records goes to the store as columns, which it cleans and prices in SQL
(`EventSink.load`). Doubtful ones it asks for again one by one; a piece that it does not take as
columns is written as events, as everywhere else. Either way the same is stored and reported.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from data.engines.protocol import EventSink
from data.errors import EventError
from data.events.cleaning import CLEANING
from data.events.doubts import DOUBTS
from data.events.table import FIELDS, SUM_OF_SESSION, WORDS
from data.ingest.preparing import BATCH, SECONDS, Progress, events_of
from data.ingest.reconciliation import Reconciliation
from data.ingest.writing import write_batch
from data.sources import billed_sources
from data.sources.columns import Rows, by_field
from data.sources.files import encodable
from data.sources.format import Note, Raw, Record, TotalsNote, with_doubts
from data.sources.report import Report

LEAST: Final = 2_000  # records that are worth columns
MOST: Final = 20_000  # of a piece
KNOWN: Final = frozenset(FIELDS)
T = TypeVar("T")


@dataclass(slots=True)
class Piece:
    """Some records in order, what is said beside them, and their columns where they have some."""

    records: list[tuple[str, Raw | EventError]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rows: Rows | None = None


def store_records(
    records: Iterable[Record],
    sink: EventSink,
    *,
    report: Report,
    reconciliation: Reconciliation,
    progress: Progress | None,
) -> None:
    """Store what is new and continue the report, as `ingest` does."""
    by_columns = True
    with closing(ahead(_pieces(iter(records)), report, progress)) as pieces:
        for piece in pieces:
            _tell(piece.notes, report, reconciliation)
            if by_columns and piece.rows is not None:
                by_columns = (done := sink.load(piece.rows)) is not None
                if done is not None:
                    report.add(done)
                    continue
            _write(piece, sink, report, reconciliation)


def ahead(
    found: Iterator[T], report: Report, progress: Progress | None = None
) -> Generator[T, None, None]:
    """The same, each made while the one before is worked on; `progress` hears of the report
    after each, and while one is waited for."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, found, None)
        while True:
            while progress and not wait([coming], SECONDS).done:
                progress(report)
            if (made := coming.result()) is None:
                return
            coming = reader.submit(next, found, None)
            yield made
            if progress:
                progress(report)


def _tell(notes: Iterable[Note], report: Report, totals: Reconciliation) -> None:
    for note in notes:
        if isinstance(note, TotalsNote):
            totals.add_totals(note.totals)
        else:
            report.note(note.text)


def _write(piece: Piece, sink: EventSink, report: Report, totals: Reconciliation) -> None:
    """One event after the other."""
    for first in range(0, len(piece.records), BATCH):
        events = list(events_of(piece.records[first : first + BATCH], report, sink.book()))
        write_batch(events, sink.write, report)
        totals.add_usage(events)


def _pieces(records: Iterator[Record]) -> Iterator[Piece]:
    DOUBTS.take()  # of records that nobody made events of
    while some := list(islice(records, MOST)):
        piece = Piece()
        for where, raw in some:
            if isinstance(raw, Note):
                piece.notes.append(raw)
            else:
                piece.records.append((where, with_doubts(raw)))
        piece.rows = _rows(piece.records)
        yield piece
    yield Piece(notes=[Note(sentence) for sentence in DOUBTS.take()])


def _rows(found: Sequence[tuple[str, Raw | EventError]]) -> Rows | None:
    """The records as columns; none of too few, of copies, or of what is compared with a bill."""
    if len(found) < LEAST:
        return None
    raws = [raw if isinstance(raw, dict) else {} for _, raw in found]
    values, doubts = by_field(raws, KNOWN)
    billed = not billed_sources().isdisjoint(_texts(values, "source"))
    if billed or any(values.get("shared_id", ())):
        return None
    for name in {"ts", "tags"}.intersection(values):
        values[name] = [_cleaned(name, n, value, doubts) for n, value in enumerate(values[name])]
    if any(SUM_OF_SESSION in text for text in _texts(values, "tags")):
        return None
    for name in values.keys() & WORDS:
        doubts.update(_unstorable(values[name]))
    rows = Rows(len(found), values, partial(_records_at, found), doubts)
    return rows if rows.columns else None  # made here, while others wait for the engine


def _texts(values: dict[str, Sequence[Any]], name: str) -> set[str]:
    return {value for value in values.get(name, ()) if isinstance(value, str)}


def _cleaned(name: str, place: int, value: Any, doubts: set[int]) -> Any:
    """A moment or tags as they are stored; what is neither is read again, for its sentence."""
    if value is None or (name == "tags" and type(value) is str):
        return value
    try:
        return CLEANING[name](name, value)
    except EventError:
        doubts.add(place)
        return None


def _unstorable(column: Sequence[Any]) -> Iterator[int]:
    """The places of texts that are none in UTF-8."""
    for place, one in enumerate(column):
        if type(one) is str and not one.isascii() and not encodable(one):
            yield place


def _records_at(
    found: Sequence[tuple[str, Raw | EventError]], places: Sequence[int]
) -> Iterator[Record]:
    return (found[place] for place in places)
