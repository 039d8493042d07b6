"""Events in PostgreSQL: any number of processes, on any machines, write and read them.

Who writes holds one advisory lock until its transaction ends, so the rules of merging, which read
before they write, are those of the other engines, in whatever order events come and whoever brings
them. Writers of one process share a commit (`data/engines/commits.py`).

Days that nobody changes are summed beside the events (`sums.py`), by whichever process comes first.
Which answers still hold is read from the store (`versions.py`), so what one process writes all
others see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import URL

from data.dialect import Expression
from data.engines.commits import Busy, Commits, Outcome
from data.engines.grouping import Grouping, Names
from data.engines.memo import Memo
from data.engines.merge_batch import MergeBatch, bounds_of, moments, without
from data.engines.partials import Undecomposable
from data.engines.postgresql import address, removal, repricing, rows, session_sums, shared
from data.engines.postgresql.rows import adopt, plain, run
from data.engines.postgresql.schema import LOCK, upgrade
from data.engines.postgresql.sums import Sums
from data.engines.postgresql.text import over_events
from data.engines.postgresql.versions import DayVersions, touch
from data.engines.repricing import OF_SOURCE
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

NO_BACKUP: Final = (
    "the events are kept in PostgreSQL: back them up and restore them by its own means, as pg_dump"
)
READERS: Final = 14
WRITERS: Final = 2
ENDLESS: Final = "SET LOCAL statement_timeout = 0"
# Who vanished while writing lets go of the lock.
LET_GO: Final = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
STORED: Final = "SELECT event_id FROM {} WHERE event_id = ANY(CAST(:ids AS TEXT[]))"
STORED_IDS: Final = " UNION ".join(
    STORED.format(table) for table in ("events", "copy_ids", "session_sums")
)
SHARED_IDS: Final = (
    "SELECT DISTINCT shared_id FROM events WHERE shared_id = ANY(CAST(:ids AS TEXT[]))"
)
# With the events of a source.
FORGET: Final = (OF_SOURCE.format(":source"), shared.FORGET_COPIES, session_sums.FORGET)


class PostgresEvents:
    """The event store in PostgreSQL (see `EventStore`)."""

    takes_columns = False
    shared = True

    def __init__(self, url: URL, book: Callable[[], PriceBook] = public) -> None:
        self.book = book
        place = address.address(url)
        # Who writes has connections of its own: senders do not wait for viewers.
        self._writer = address.engine(place, WRITERS, address.WRITE_SECONDS)
        self._reader = address.engine(place, READERS, address.QUESTION_SECONDS + 10)
        try:
            with address.sentences(place), self._writer.begin() as connection:
                upgrade(connection)
        except BaseException:
            self.close()
            raise
        self.sql: sa.Engine = self._reader.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        alone = self._reader.execution_options(isolation_level="AUTOCOMMIT")
        self.memo, self.stable_memo = Memo(DayVersions(alone)), Memo()
        self._commits = Commits(self._store)
        self._sums: Sums | None = None

    def close(self) -> None:
        for one in (self._writer, self._reader):
            one.dispose()

    # What is stored

    def write(self, events: Sequence[Event], bound: Bound = ANYWHERE) -> WriteResult:
        return self._commits.write(events, bound) if events else WriteResult()

    def _store(self, events: list[Event], bounds: list[Bound], until: float) -> list[Outcome]:
        with self._writing(until) as connection:
            came = len(events)
            events, taken_out = under_one_id(shared.StoredIds(connection), events, bounds)
            known = session_sums.given_way(connection, events)
            batch = MergeBatch(self.book(), known)
            rows.fetch(connection, batch, events)
            outcomes = batch.merge(events, bounds_of(events, bounds))[:came]
            rows.store(connection, batch)
            gone = session_sums.settle(connection, list(batch.new.values()))
            touched = [event["ts"] for event in (*batch.new.values(), *taken_out)]
            touch(connection, [*touched, *moments(batch.changed), *gone.values()])
        return without(gone.keys(), events, outcomes)

    @contextmanager
    def _writing(self, until: float | None = None) -> Iterator[sa.Connection]:
        """The transaction of the one who writes; all or nothing, durable at its end. Raises `Busy`
        where another has the lock until that moment of `time.monotonic`."""
        with self._writer.begin() as connection:
            patience = 0 if until is None else max(1, round((until - time.monotonic()) * 1000))
            plain(connection, f"{ENDLESS}; {LET_GO}; SET LOCAL lock_timeout = {patience}")
            try:
                plain(connection, LOCK)
            except sa.exc.DBAPIError as error:
                if address.is_locked(error):
                    raise Busy from None
                raise
            plain(connection, "SET LOCAL lock_timeout = 0")
            yield connection

    def load(self, rows: Part | Rows) -> Report | None:  # noqa: ARG002  # read record by record
        return None

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        return self._among(STORED_IDS, ids)

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        return self._among(SHARED_IDS, ids)

    def _among(self, statement: str, ids: Collection[str]) -> set[str]:
        with self.sql.connect() as connection:
            return set(run(connection, statement, ids=list(ids)).scalars())

    # What is changed

    def remove(self, source: str) -> int:
        with self._writing() as connection:
            of_source = "SELECT DISTINCT ts FROM events WHERE source = :source"
            touch(connection, run(connection, of_source, source=source).scalars())
            for statement in FORGET:
                run(connection, statement, source=source)
            gone = "DELETE FROM events WHERE source = :source"
            return run(connection, gone, source=source).rowcount

    def count_events(self, where: sa.ColumnElement[bool]) -> int:
        counted = sa.select(sa.func.count()).select_from(EVENTS).where(where)
        with self.sql.connect() as connection:
            return int(connection.execute(counted).scalar_one())

    def remove_events(self, where: sa.ColumnElement[bool]) -> int:
        return self._on_chosen(where, removal.remove_chosen)

    def rename_user(
        self, where: sa.ColumnElement[bool], ids: Collection[str], pseudonym: str
    ) -> int:
        return self._on_chosen(where, partial(removal.rename_chosen, ids=ids, pseudonym=pseudonym))

    def _on_chosen(
        self, where: sa.ColumnElement[bool], do: Callable[[sa.Connection], list[int]]
    ) -> int:
        """Do something to the events that a condition holds for; how many there are."""
        if not self.count_events(where):
            return 0
        with self._writing() as connection:
            count = removal.choose(connection, where)
            touch(connection, do(connection))
        return count

    def reprice(self, change: RateChange, number: int | None) -> list[CostChange]:
        if number is None:
            with self._reader.connect() as connection:  # rolled back
                plain(connection, ENDLESS)
                return repricing.compute(connection, change)
        with self._writing() as connection:
            changes = repricing.compute(connection, change)
            touch(connection, repricing.store(connection, number))
        return changes

    def restore(self, number: int) -> int:
        with self._writing() as connection:
            if later := repricing.later(connection, number):
                raise Refused(
                    "repricing", f"undo re-pricing {later} first: it changed the same events"
                )
            restored, when = repricing.restore(connection, number)
            touch(connection, when)
        return restored

    def adopt(self, table: sa.TableClause, rows: Sequence[Sequence[Any]]) -> int:
        with self._writing() as connection:
            came = adopt(connection, table, rows)
            if "ts" in table.c:
                place = list(table.c.keys()).index("ts")
                touch(connection, (row[place] for row in rows))
        return came

    # What is asked

    def sum_up(self, aggregates: Iterable[Expression]) -> None:
        self._sums = Sums(self._reader, aggregates)

    def refresh_sums(self) -> bool:
        return self._sums is not None and self._sums.refresh()

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        names = [*asked.form.keys, *asked.form.values]
        with self.sql.connect() as connection:
            sql, parameters = self._text(connection, asked)
            return names, connection.exec_driver_sql(sql, parameters).fetchall()

    def count_groups(self, asked: Grouping) -> int:
        with self.sql.connect() as connection:
            sql, parameters = self._text(connection, asked)
            counted = f"SELECT count(*) FROM ({sql}) AS groups"
            return int(connection.exec_driver_sql(counted, parameters).scalar_one())

    def _text(self, connection: sa.Connection, asked: Grouping) -> tuple[str, tuple[Any, ...]]:
        """SQL and parameters of a question, from sums where they hold."""
        if self._sums is not None:
            with suppress(Undecomposable):
                return self._sums.text(connection, asked)
        text = over_events(asked.form)
        return text.filled(asked.window), text.parameters

    def names(self, asked: Names) -> Sequence[Any]:
        with self.sql.connect() as connection:
            if self._sums is not None:
                with suppress(Undecomposable):
                    sql, parameters = self._sums.names(connection, asked)
                    return connection.exec_driver_sql(sql, parameters).fetchall()
            return connection.execute(asked.statement(sa.literal_column("1"))).fetchall()

    def count_duplicates(self) -> int:
        counted = "SELECT count(*) - count(DISTINCT event_id) FROM events"
        with self.sql.connect() as connection:
            return int(plain(connection, counted).scalar_one())

    def count_by_source(self) -> dict[str, Totals]:
        with self.sql.connect() as connection:
            return {name: Totals(*counts) for name, *counts in plain(connection, COUNTED)}

    def back_up(self, path: Path) -> NoReturn:  # noqa: ARG002
        raise StoreError(NO_BACKUP)

    def require_sound(self) -> None:
        """PostgreSQL looks after its own files."""
