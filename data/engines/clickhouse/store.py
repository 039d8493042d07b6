"""Events in ClickHouse: any number of processes, on any machines, write and read them.

ClickHouse has neither transactions nor locks. Who writes has its turn (`lock.py`), so the rules of
merging, which read before they write, are those of the other engines; what a turn writes is in an
order in which it may be cut short anywhere (`turn.py`). Rows are never changed where they are: a
later version takes their place (`schema.py`).

Answers are always asked of the events: there are no sums beside them. Which answers still hold is
read from the store (`versions.py`), so what one process writes all others see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import URL

from data.dialect import Expression
from data.engines.clickhouse import removal, repricing, session_sums, shared
from data.engines.clickhouse.address import QUESTION_SECONDS, WRITE_SECONDS, Address, sentences
from data.engines.clickhouse.dialect import text_of
from data.engines.clickhouse.lock import Lock
from data.engines.clickhouse.rows import (
    COLUMNS,
    EVENT_ID,
    SHARED_ID,
    column,
    events_by,
    insert,
    place_rows,
    scalar,
    select,
    texts,
)
from data.engines.clickhouse.schema import BY_NAME, EVENTS_TABLE, PLACES, upgrade
from data.engines.clickhouse.turn import Turn
from data.engines.clickhouse.versions import DAY, DayVersions, touch
from data.engines.commits import Commits, Outcome
from data.engines.grouping import Form, Grouping, Names
from data.engines.memo import Memo
from data.engines.merge_batch import MergeBatch, Row, bounds_of, moments, without
from data.engines.shared_ids import under_one_id
from data.engines.totals import COUNTED, Totals
from data.errors import Refused, StoreError
from data.events.merging import ANYWHERE, Bound, WriteResult
from data.events.table import EVENTS, Event
from data.prices.book import PriceBook, public
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange
from data.sources.columns import Rows
from data.sources.parquet import Part
from data.sources.report import Report

log: Final = logging.getLogger("spendscope")
NO_TRANSACTIONS: Final = (
    "events are kept in ClickHouse, without transactions and without sums beside them: a list or a"
    " re-pricing that is read while somebody writes may show some of it, and backups are"
    " ClickHouse's own"
)
NO_BACKUP: Final = (
    "the events are kept in ClickHouse: back them up and restore them by its own means, as BACKUP"
)
READERS: Final = 14
WRITERS: Final = 4
MOST_FORMS: Final = 512
KNOWN: Final = "SELECT event_id FROM {} WHERE event_id IN ({})"


class ClickHouseEvents:
    """The event store in ClickHouse (see `EventStore`)."""

    takes_columns = False
    shared = True

    def __init__(self, url: URL, book: Callable[[], PriceBook] = public) -> None:
        self.book = book
        place = Address.of(url)
        self._cluster = place.cluster
        # Who writes has connections of its own: senders do not wait for viewers.
        self._writer = place.engine(WRITERS, WRITE_SECONDS)
        self._reader = place.engine(READERS, QUESTION_SECONDS)
        try:
            with sentences(place.url), self._writer.connect() as connection:
                upgrade(connection, place.database, place.cluster)
        except BaseException:
            self.close()
            raise
        log.info(NO_TRANSACTIONS)
        self.sql: sa.Engine = self._reader
        self.memo, self.stable_memo = Memo(DayVersions(self._reader)), Memo()
        self._lock = Lock(self._writer)
        self._commits = Commits(self._store)

    def close(self) -> None:
        for one in (self._writer, self._reader):
            one.dispose()

    # What is stored

    def write(self, events: Sequence[Event], bound: Bound = ANYWHERE) -> WriteResult:
        return self._commits.write(events, bound) if events else WriteResult()

    def _store(self, events: list[Event], bounds: list[Bound], until: float) -> list[Outcome]:
        with self._writing(until) as turn:
            came = len(events)
            events, taken_out = under_one_id(shared.StoredIds(turn), events, bounds)
            batch = MergeBatch(self.book(), session_sums.given_way(turn, events))
            for event in turn.fetch({event["event_id"] for event in events}):
                batch.rows[event["event_id"]] = Row(0, event, event)
            outcomes = batch.merge(events, bounds_of(events, bounds))[:came]
            turn.put(batch)
            gone = session_sums.settle(turn, events)
            touched = [event["ts"] for event in (*batch.new.values(), *taken_out)]
            turn.store([*touched, *moments(batch.changed), *gone.values()], self._lock.require)
        return without(gone.keys(), events, outcomes)

    @contextmanager
    def _writing(self, until: float | None = None) -> Iterator[Turn]:
        """The turn of the one who writes. Raises `Busy` where another has it until that moment of
        `time.monotonic`."""
        with self._lock.held(until) as number, self._writer.connect() as connection:
            yield Turn(connection, number)

    def load(self, rows: Part | Rows) -> Report | None:  # noqa: ARG002  # read record by record
        return None

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        with self.sql.connect() as connection:
            found = {row[0] for row in events_by(connection, EVENT_ID, ids, "event_id")}
            for table in ("copy_ids", "session_sums"):
                found |= set(column(connection, KNOWN.format(table, texts(ids))))
        return found

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        with self.sql.connect() as connection:
            return {row[0] for row in events_by(connection, SHARED_ID, ids, "shared_id")}

    # What is changed

    def remove(self, source: str) -> int:
        return self._change(EVENTS.c.source == source, removal.take_source)

    def count_events(self, where: sa.ColumnElement[bool]) -> int:
        counted = sa.select(sa.func.count()).select_from(EVENTS).where(where)
        with self.sql.connect() as connection:
            return int(connection.execute(counted).scalar_one())

    def remove_events(self, where: sa.ColumnElement[bool]) -> int:
        return self._change(where, removal.take_away)

    def rename_user(
        self, where: sa.ColumnElement[bool], ids: Collection[str], pseudonym: str
    ) -> int:
        def rename(connection: sa.Connection, number: int, wanted: str) -> None:
            removal.rename(connection, number, wanted, ids, pseudonym)

        return self._change(where, rename)

    def _change(
        self, where: sa.ColumnElement[bool], do: Callable[[sa.Connection, int, str], None]
    ) -> int:
        """Do something to the events that a condition holds for; how many there are."""
        if not (count := self.count_events(where)):
            return 0
        wanted = text_of(where)
        with self._writing() as turn:
            days = f"SELECT DISTINCT intDiv(ts, {DAY}) FROM events WHERE {wanted}"
            with self._touching(turn, column(turn.connection, days)):
                do(turn.connection, turn.number, wanted)
            removal.purge(turn.connection, turn.number, self._cluster)
        return count

    @contextmanager
    def _touching(self, turn: Turn, days: Iterable[int]) -> Iterator[None]:
        touched = set(days)
        touch(turn.connection, touched, turn.number, done=False)
        try:
            yield
        finally:
            touch(turn.connection, touched, turn.number, done=True)

    def reprice(self, change: RateChange, number: int | None) -> list[CostChange]:
        changed = repricing.changed(change)
        if number is None:
            with self._writer.connect() as connection:
                return repricing.compute(connection, changed)
        with self._writing() as turn:
            found = repricing.compute(turn.connection, changed)
            with self._touching(turn, repricing.days_of(turn.connection, changed)):
                repricing.store(turn.connection, changed, number, turn.number)
        return found

    def restore(self, number: int) -> int:
        with self._writing() as turn:
            if later := repricing.later(turn.connection, number):
                raise Refused(
                    "repricing", f"undo re-pricing {later} first: it changed the same events"
                )
            found = repricing.FOUND.format(number)
            with self._touching(turn, repricing.days_of(turn.connection, found)):
                return repricing.restore(turn.connection, number, turn.number)

    def adopt(self, table: sa.TableClause, rows: Sequence[Sequence[Any]]) -> int:
        columns, given = list(table.c.keys()), [tuple(row) for row in rows]
        with self._writing() as turn:
            if table.name != EVENTS_TABLE.name:
                insert(turn.connection, BY_NAME[table.name], columns, given, turn.number)
                return len(given)
            ids = [row[0] for row in given]
            there = {row[0] for row in events_by(turn.connection, EVENT_ID, ids, "event_id")}
            new = [row for row in given if row[0] not in there]
            with self._touching(turn, (row[1] // DAY for row in new)):
                insert(turn.connection, PLACES, ("what", "digest", "ts", "id_hash"),
                       [*place_rows(new)])  # fmt: skip
                self._lock.require()
                insert(turn.connection, EVENTS_TABLE, COLUMNS, new, turn.number)
        return len(new)

    # What is asked

    def sum_up(self, aggregates: Iterable[Expression]) -> None:
        """There are no sums here."""

    def refresh_sums(self) -> bool:
        return False

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        columns = [*asked.form.keys, *asked.form.values]
        with self.sql.connect() as connection:
            return columns, select(connection, _text(asked))

    def count_groups(self, asked: Grouping) -> int:
        with self.sql.connect() as connection:
            counted = f"SELECT count() FROM ({_text(asked)}) AS groups"
            return int(scalar(connection, counted))

    def names(self, asked: Names) -> Sequence[Any]:
        with self.sql.connect() as connection:
            return connection.execute(asked.statement(sa.literal_column("1"))).fetchall()

    def count_duplicates(self) -> int:
        counted = "SELECT toInt64(count()) - toInt64(uniqExact(event_id)) FROM events"
        with self.sql.connect() as connection:
            return int(scalar(connection, counted))

    def count_by_source(self) -> dict[str, Totals]:
        with self.sql.connect() as connection:
            return {name: Totals(*counts) for name, *counts in select(connection, COUNTED)}

    def back_up(self, path: Path) -> NoReturn:  # noqa: ARG002
        raise StoreError(NO_BACKUP)

    def require_sound(self) -> None:
        """ClickHouse looks after its own files."""


@lru_cache(MOST_FORMS)
def _text_of(form: Form) -> str:
    """A question as text with places for the ends of its window."""
    return text_of(form.statement())


def _text(asked: Grouping) -> str:
    start, end = asked.window
    return _text_of(asked.form).replace("{start}", str(start)).replace("{end}", str(end))
