"""Events in one DuckDB file, owned by one process.

An event's id alone decides whether it is new: a stored id is never stored again, whatever time it
carries now. It is merged with what is stored, in the same commit and by a rule that knows no
order (`data/events/merging.py`).

A unique index costs 1.4 GB at 10 M events and 62 ms a commit of 1,000, a look through the table
0.2 s of a core; the digests kept in memory (`data/events/digest_index.py`) tell of nearly every id
that it is new, and the table is asked about the others alone. That is exact only with one writer
at a time: whoever writes holds the lock.

Questions take turns: a few at once have all cores busy, and more of them would only take their
share from whoever writes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper

import data.engines.duckdb.dialect  # noqa: F401  # how it says what `data.dialect` wants
from data.access.people import NO_ALIASES
from data.dialect import Expression
from data.engines.commits import PATIENCE, Busy, Commits, Outcome
from data.engines.duckdb import copies, damage, removal, repricing
from data.engines.duckdb.batch import Batch, probably_stored, without_duplicates
from data.engines.duckdb.commit_notes import CommitNotes
from data.engines.duckdb.loading import load
from data.engines.duckdb.outdated import QUARTERS, outdate
from data.engines.duckdb.partial_answers import PartialAnswers
from data.engines.duckdb.schema import opened
from data.engines.duckdb.session_sums import FORGET, SessionSums
from data.engines.duckdb.shared import FORGET_COPIES, SharedIds, StoredIds
from data.engines.duckdb.sums import Sums
from data.engines.duckdb.texts import compiled, over_events
from data.engines.grouping import Form, Grouping, Names
from data.engines.memo import Memo
from data.engines.merge_batch import bounds_of, moments, without
from data.engines.partials import QUARTER, Undecomposable, wanted
from data.engines.partials import columns as columns_of
from data.engines.shared_ids import under_one_id
from data.engines.totals import Totals
from data.engines.versions import ALL_TIME, OF_A_DAY
from data.errors import Refused
from data.events.digest_index import DigestIndex, digests
from data.events.merging import ANYWHERE, Bound, WriteResult
from data.events.table import EVENTS, Event
from data.prices.book import PriceBook, public
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange
from data.sources.columns import Rows
from data.sources.parquet import Part
from data.sources.report import Report

READERS: Final = 16
COUNT: Final = "events"


def _named(*fields: str) -> Grouping:
    """Which values of these fields there are, of all time and nobody's: whoever asks is shown their
    own."""
    keys = {name: EVENTS.c[name] for name in fields}
    shape, steady = ("names", *fields), OF_A_DAY * QUARTER
    form = Form(keys, {COUNT: sa.func.count()}, sa.true(), NO_ALIASES, steady, shape=shape)
    return Grouping(form, ALL_TIME)


USERS, PROJECTS = ("user", "user_name"), ("project", "project_name")
# The fewest rows first: there are many times as many pairs of a user and a project as users.
NAMED: Final = (_named(*PROJECTS), _named(*USERS), _named(*USERS, *PROJECTS))
CHUNK: Final = 100  # of 2,048 rows
STORED_IDS: Final = " UNION ALL ".join(
    f"SELECT event_id FROM {table} WHERE id_hash IN (SELECT id_hash FROM wanted)"
    for table in ("events", "copy_ids", "session_sums")
)
# As many as keep the cores busy.
MOST_QUERIES: Final = max(1, os.cpu_count() or 1)


@dataclass(slots=True)
class _Touched:
    """When the events happened (µs UTC) that a transaction stores, and changes or removes."""

    new: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


class DuckEvents:
    """The embedded event store (see `EventStore`)."""

    takes_columns = True
    shared = False

    def __init__(self, path: Path, book: Callable[[], PriceBook] = public) -> None:
        self._noted = CommitNotes()
        self.memo, self.stable_memo, self.book = Memo(self._noted.written), Memo(), book
        self._lock = threading.Lock()
        self._commits = Commits(self._store)
        self._index: DigestIndex | None = None
        self._shared, self._session_sums = SharedIds(), SessionSums()
        self._sums: Sums | None = None
        self._query_slots = threading.BoundedSemaphore(MOST_QUERIES)
        self._path, self._root = path, opened(path)
        self._closed_last = ExitStack()
        self.sql = sa.create_engine(
            "duckdb://",
            creator=lambda: ConnectionWrapper(self._root.cursor()),
            hide_parameters=True,
            poolclass=sa.QueuePool,
            pool_size=READERS,
            max_overflow=-1,
        )
        sa.event.listen(self.sql, "do_execute", self._execute)
        self._partial_answers = PartialAnswers(self._root, self.sql, self._noted)

    def count_by_source(self) -> dict[str, Totals]:
        with closing(self._root.cursor()) as reader:
            return copies.totals(reader)

    def back_up(self, path: Path) -> dict[str, Totals]:
        return copies.copy(self._root, path)

    def require_sound(self) -> None:
        if self._path.exists():
            with closing(self._root.cursor()) as reader:
                self._closed_last.enter_context(damage.require_sound(reader, self._path))

    def close(self) -> None:
        self.sql.dispose()
        self._root.close()
        self._closed_last.close()

    def write(self, events: Sequence[Event], bound: Bound = ANYWHERE) -> WriteResult:
        if not events:
            return WriteResult()
        if left := self._without_duplicates(events, bound):
            return self._commits.write(left, bound)
        with self._locked(time.monotonic() + PATIENCE):  # until what was found is durable
            return WriteResult()

    def _without_duplicates(self, events: Sequence[Event], bound: Bound) -> Sequence[Event]:
        """Those that are new or may add to what is stored: who adds nothing takes no lock."""
        index = self._index
        if index is None or not (probable := probably_stored(index, events)).any():
            return events
        with suppress(duckdb.Error), closing(self._root.cursor()) as reader:
            return without_duplicates(reader, events, probable, bound)
        return events  # who writes will tell what is wrong

    def _store(self, events: list[Event], bounds: list[Bound], until: float) -> list[Outcome]:
        with self._locked(until), closing(self._root.cursor()) as writer:
            index = self._index = self._read_index() if self._index is None else self._index
            with self._transaction(writer) as touched:
                came = len(events)
                ids = StoredIds(writer, index, self._shared)
                events, _ = under_one_id(ids, events, bounds)
                quarters = ids.outdated
                bounds = bounds_of(events, bounds)
                batch = Batch(self.book(), self._session_sums.given_way(writer, events))
                probable = probably_stored(index, events)
                outcomes = batch.take(writer, events, bounds, probable)[:came]
                if batch.new or batch.changed:
                    self._index = None  # to be read again, should this fail half-way
                    index.add(batch.store(writer))
                    gone = self._session_sums.settle(writer, list(batch.new.values()))
                    outcomes = without(gone.ids, events, outcomes)
                    quarters += gone.quarters
                touched.new.extend(event["ts"] for event in batch.new.values())
                touched.changed.extend([*quarters, *moments(batch.changed)])
            if self._index is None:
                self._index = index
        return outcomes

    @contextmanager
    def _writing_transaction(self) -> Iterator[tuple[duckdb.DuckDBPyConnection, _Touched]]:
        with (
            self._lock,
            closing(self._root.cursor()) as writer,
            self._transaction(writer) as touched,
        ):
            yield writer, touched

    @contextmanager
    def _transaction(self, writer: duckdb.DuckDBPyConnection) -> Iterator[_Touched]:
        """All or nothing, durable at its end, when readers learn what it touched."""
        touched = _Touched()
        writer.execute("BEGIN")
        try:
            yield touched
        except BaseException:
            writer.execute("ROLLBACK")
            raise
        with self._noted.noted(touched.new, touched.changed):
            writer.execute("COMMIT")

    @contextmanager
    def _locked(self, until: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=max(0.0, until - time.monotonic())):
            raise Busy
        try:
            yield
        finally:
            self._lock.release()

    def _read_index(self) -> DigestIndex:
        with closing(self._root.cursor()) as reader:
            row = reader.execute("SELECT count(*) FROM events").fetchone()
            found, at = np.empty(row[0] if row else 0, np.int64), 0
            reader.execute("SELECT id_hash FROM events")
            while len(part := reader.fetch_df_chunk(CHUNK)):
                found[at : at + len(part)] = part["id_hash"]
                at += len(part)
        return DigestIndex(found)

    def load(self, rows: Part | Rows) -> Report | None:
        with closing(self._root.cursor()) as cursor:
            return load(rows, cursor, self.book(), self._writing, self._merge)

    def _merge(self, events: list[Event]) -> int:
        """Write however long it takes to have the turn: what `load` stored is not read again."""
        outcomes = self._store(events, [ANYWHERE] * len(events), threading.TIMEOUT_MAX)
        return outcomes.count("merged")

    @contextmanager
    def _writing(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[int]]:
        """The one who writes, for a transaction that leaves what it stored as `fresh`, and the
        quarters of what it removed in this list."""
        removed: list[int] = []
        with self._lock:
            index, self._index = self._index, None
            self._shared.clear()
            with self._transaction(cursor) as touched:
                yield removed
                touched.changed.extend(removed)
                rows = cursor.execute(f"SELECT DISTINCT {QUARTERS} FROM fresh").fetchall()
                touched.new.extend(quarter for (quarter,) in rows)
            if index is not None:
                found = cursor.execute("SELECT id_hash FROM fresh").fetchnumpy()["id_hash"]
                index.add(np.asarray(found, np.int64))
                self._index = index

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        with closing(self._root.cursor()) as reader:
            reader.register("wanted", {"id_hash": digests(list(ids))})
            rows = reader.execute(STORED_IDS).fetchall()
        return {row[0] for row in rows}.intersection(ids)

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        if not ids:
            return set()
        with self._lock, closing(self._root.cursor()) as reader:
            return set(self._shared.stored(reader, list(ids)))

    def _execute(self, cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        with self._query_slots:
            cursor.execute(statement, parameters)
        return True

    def remove(self, source: str) -> int:
        with self._writing_transaction() as (writer, touched):
            self._index = None
            repricing.delete_records(writer, source)
            writer.execute(FORGET_COPIES, [source])
            writer.execute(FORGET, {"source": source})
            events = "SELECT ts FROM events WHERE source = ?"
            touched.changed.extend(outdate(writer, events, source))
            row = writer.execute("DELETE FROM events WHERE source = ?", [source]).fetchone()
        return int(row[0]) if row else 0

    def count_events(self, where: sa.ColumnElement[bool]) -> int:
        with closing(self._root.cursor()) as reader:
            return removal.choose(reader, where)

    def remove_events(self, where: sa.ColumnElement[bool]) -> int:
        return self._on_chosen(where, removal.remove_chosen)

    def rename_user(
        self, where: sa.ColumnElement[bool], ids: Collection[str], pseudonym: str
    ) -> int:
        return self._on_chosen(where, partial(removal.rename_chosen, ids=ids, pseudonym=pseudonym))

    def _on_chosen(
        self, where: sa.ColumnElement[bool], do: Callable[[duckdb.DuckDBPyConnection], list[int]]
    ) -> int:
        """Do something to the events that a condition holds for; how many there are."""
        if not self.count_events(where):
            return 0
        with self._writing_transaction() as (writer, touched):
            self._index = None
            self._shared.clear()
            count = removal.choose(writer, where)
            touched.changed.extend(do(writer))
        self._session_sums = SessionSums()
        return count

    def reprice(self, change: RateChange, number: int | None) -> list[CostChange]:
        if number is None:
            with closing(self._root.cursor()) as reader:
                return repricing.compute(reader, change)
        with self._writing_transaction() as (writer, touched):
            changes = repricing.compute(writer, change)
            touched.changed.extend(repricing.store(writer, number))
        return changes

    def restore(self, number: int) -> int:
        with self._writing_transaction() as (writer, touched):
            if later := repricing.later(writer, number):
                raise Refused(
                    "repricing", f"undo re-pricing {later} first: it changed the same events"
                )
            restored, quarters = repricing.restore(writer, number)
            touched.changed.extend(quarters)
        return restored

    def adopt(self, table: sa.TableClause, rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        with self._writing_transaction() as (writer, touched):
            self._index = None
            self._shared, self._session_sums = SharedIds(), SessionSums()
            came, moments = copies.adopt(writer, table, rows)
            touched.new.extend(moments)
        return came

    def sum_up(self, aggregates: Iterable[Expression]) -> None:
        self._sums = Sums(self._root, wanted(aggregates), self._noted)

    def refresh_sums(self) -> bool:
        if self._sums is None:
            return False
        with closing(self._root.cursor()) as cursor:
            return self._sums.refresh(cursor)

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        if self._sums is None:  # events may not be numbered in the order of storing
            return self._partial_answers.ask_whole(asked, self._text)
        return self._partial_answers.ask(asked, self._text)

    def count_groups(self, asked: Grouping) -> int:
        with self.sql.connect() as connection:
            sql, parameters = self._text(asked, connection)
            counted = connection.exec_driver_sql(f"SELECT count(*) FROM ({sql})", parameters)
            return int(counted.scalar_one())

    def names(self, asked: Names) -> Sequence[Any]:
        if self._sums is None:
            statement = compiled(asked.statement(sa.literal_column("1")))
            with self.sql.connect() as connection:
                return connection.exec_driver_sql(statement.sql, statement.parameters).fetchall()
        statement = compiled(asked.statement(sa.literal_column(f"events.{COUNT}")))
        read = columns_of(asked.where) | {asked.field, asked.naming}
        read |= {"user"} if asked.people else frozenset()  # aliases are joined to it
        named = next(one for one in NAMED if read.issubset(one.form.keys))
        return self._partial_answers.ask_rows(named, statement, self._text)

    def _text(self, asked: Grouping, connection: sa.Connection) -> tuple[str, tuple[Any, ...]]:
        """The question over sums as far as they can answer it, else over events."""
        if self._sums is not None:
            with suppress(Undecomposable):
                return self._sums.text(asked, connection)
        text = over_events(asked.form)
        ends = dict(zip(("start", "end"), map(str, asked.window), strict=True))
        return text.filled(lambda name, _: ends[name]), text.parameters

    def count_duplicates(self) -> int:
        reader = self._root.cursor()
        row = reader.execute("SELECT count(*) - count(DISTINCT event_id) FROM events").fetchone()
        reader.close()
        return int(row[0]) if row else 0
