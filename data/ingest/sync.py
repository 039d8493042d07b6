"""Reading on in a LiteLLM database: only what is new since last time, every call exactly once.

place (state store) → pages since an hour before it → ingest → place, page by page

An event's id alone decides whether it is new, so a pass may read too much, never too little:
it begins an hour before the last row read, because LiteLLM writes a call after it ended and in
batches; a full pass (`late`) also asks for older calls that were inserted since the last one, or,
where LiteLLM does not keep when that was, for all of the day before, and says so. A place is kept
once what precedes it is stored: a pass that is killed goes on where it was. It counts only while
both sides still know its row: a new database over there, or a new event store here, is read from
the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, timedelta
from itertools import chain
from typing import Final

import sqlalchemy as sa

from data.engines.protocol import EventSink
from data.events.table import EPOCH
from data.ingest.importing import ingest
from data.ingest.preparing import Progress
from data.ingest.reconciliation import Reconciliation
from data.postgres import TooSlow
from data.sources import Options
from data.sources.format import Note, Raw, Record, records, unread_note
from data.sources.litellm.calls import Calls
from data.sources.litellm.daily_spend import DailyTotals
from data.sources.litellm.database import Database, Row
from data.sources.litellm.dump import LOGS
from data.sources.litellm.spend_logs import SPEND_LOGS
from data.sources.report import Report
from data.sources.unread import Watch
from data.state.store import State
from data.state.tables import SYNC_CURSORS

UNDATED: Final = (
    "this LiteLLM does not keep when it inserted a call (created_at): late ones were looked for in"
    " the day before the last call read; --start reads again from further back"
)
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row read (its time and id over there, an event's id here), and how late the rows
    were inserted that have been looked for."""

    started: str | None = None
    request: str | None = None
    event: str | None = None
    created: str | None = None


def load_cursor(state: State, source: str) -> Cursor:
    """How far a source was read; nowhere if never."""
    query = sa.select(SYNC_CURSORS).where(SYNC_CURSORS.c.source == source)
    with state.reading() as connection:
        row = connection.execute(query).mappings().first()
    return Cursor(**{name: row[name] for name in asdict(Cursor())}) if row else Cursor()


def save_cursor(state: State, source: str, reached: Cursor) -> None:
    """Keep how far a source was read."""
    with state.writing() as connection:
        connection.execute(SYNC_CURSORS.delete().where(SYNC_CURSORS.c.source == source))
        connection.execute(SYNC_CURSORS.insert().values(source=source, **asdict(reached)))


@dataclass(frozen=True, slots=True)
class SyncTarget:
    """What a pass reads from and into. `now` is µs UTC: rows of the future move no place."""

    database: Database
    store: EventSink
    state: State
    now: int


def sync_database(
    target: SyncTarget,
    options: Options | None = None,
    *,
    late: bool = True,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: Stop = lambda: False,
) -> Report:
    """Import what is new; `options.start` reads again from that instant on.

    Raises `SourceError` where the database fails; what was stored until then stays.
    """
    one = _Sync(target, options or Options())
    if dry_run:
        pages = chain(one.pages(), one.late() if late else ())
        report = one.ingest(pages, dry_run=True, progress=progress)
        for note in one.notes():
            report.note(note)
    else:
        report = one.run(late, progress, stop)
    report.files, report.format = 1, FORMAT_NAME
    return report


class _Sync:
    """One time of reading on."""

    def __init__(self, target: SyncTarget, options: Options) -> None:
        self._target, self._watch = target, Watch(SPEND_LOGS.ignored)
        self._options = replace(options, watch=self._watch)
        self._source = str(target.database.address)
        self._now = (EPOCH + timedelta(microseconds=target.now)).strftime("%Y-%m-%d %H:%M:%S")
        self._start = self._cursor = self._valid_cursor()
        newest = target.database.newest()
        self._mark = newest and min(newest, self._now)
        self._totals, self._reconciliation = DailyTotals(), Reconciliation()
        self._calls: Calls | None = None
        self._page: list[tuple[str, Row]] = []  # of this page, by the ids of their events
        self._since = self._begin()

    def run(self, late: bool, progress: Progress | None, stop: Stop) -> Report:
        """Store page after page, the place after each."""
        report = Report()
        for page in self.pages():
            self._store(page, report)
            if progress:
                progress(report)
            if stop():
                for note in self._reconciliation.notes():
                    report.note(note)
                return report
        if late:
            self._read_late(report)
        for note in self.notes():
            report.note(note)
        return report

    def ingest(
        self,
        pages: Iterable[list[Row]],
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """The calls of these pages; what pages say together is among the `notes`."""
        totals, store = self._reconciliation, self._target.store
        return ingest(self.records(pages), store, dry_run=dry_run, progress=progress,
                      reconciliation=totals)  # fmt: skip

    def pages(self) -> Iterator[list[Row]]:
        """The calls since the place."""
        return self._target.database.since(self._since)

    def late(self) -> Iterator[list[Row]]:
        """Older calls that were inserted since they were last looked for."""
        start = self._start
        if self._options.start or not start.started:
            return iter(())
        return self._target.database.late(start.started, start.created)

    def _store(self, page: list[Row], report: Report) -> None:
        report.add(self.ingest([page]))
        self._advance()

    def _read_late(self, report: Report) -> None:
        """Late calls; a table too large to be searched for them is worth a note, no failure."""
        try:
            for page in self.late():
                self._store(page, report)
            if self._start.started and not self._target.database.dated:
                report.note(UNDATED)
        except TooSlow as error:
            report.note(f"calls that were inserted late were not looked for: {error}")
        else:
            self._cursor = replace(self._cursor, created=self._mark)
            save_cursor(self._target.state, self._source, self._cursor)

    def records(self, pages: Iterable[list[Row]]) -> Iterator[Record]:
        """The records of rows, named as LiteLLM's other tables name them."""
        return records(self._entries(pages), self._convert, self._options)

    def _entries(self, pages: Iterable[list[Row]]) -> Iterator[tuple[str, Row]]:
        for page in pages:
            self._page = []
            yield from ((f"{LOGS} {row['request_id']}", row) for row in page)

    def _convert(self, _: str, row: Row) -> Iterator[Raw | Note]:
        if self._calls is None:
            self._calls = Calls(self._target.database.names())
        for found in self._calls.convert(row):
            if not isinstance(found, Note):
                self._page.append((found["event_id"], row))
            yield found
        self._totals.add_row(row)

    def _valid_cursor(self) -> Cursor:
        """The place kept, if both sides still know it."""
        cursor = load_cursor(self._target.state, self._source)
        if not (cursor.started and cursor.request and cursor.event):
            return Cursor()
        there = self._target.database.has(cursor.started, cursor.request)
        here = self._target.store.stored_ids([cursor.event])
        return cursor if there and here else Cursor()

    def _begin(self) -> str | None:
        start, last = self._options.start, self._start.started
        if start is None:
            return last
        first = start.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
        return min(first, last) if last else first

    def _advance(self) -> None:
        """Move the place to the page's last call that is stored and has begun by now."""
        begun = {key: row for key, row in self._page if str(row["startTime"]) <= self._now}
        stored = self._target.store.stored_ids(begun)
        last = next((key for key in reversed(begun) if key in stored), None)
        row = begun[last] if last else {}
        if (started := row.get("startTime")) and started >= (self._cursor.started or ""):
            created = self._cursor.created or self._mark
            self._cursor = Cursor(started, row["request_id"], last, created)
            save_cursor(self._target.state, self._source, self._cursor)

    def notes(self) -> Iterator[str]:
        """What stands in rows that are no calls, what nobody reads of the rows; once all were read,
        where LiteLLM's daily sums differ."""
        yield from self._reconciliation.notes()
        if (left := unread_note(FORMAT_NAME, self._watch)) is not None:
            yield left.text
        if self._since is None:
            for row in self._target.database.sums():
                self._totals.add_total(row)
            yield from (note.text for note in self._totals.notes())


FORMAT_NAME: Final = "litellm-database"
