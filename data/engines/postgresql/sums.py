"""Sums of the events of days that nobody changes, kept beside them: a cache, and exact always.

Days are summed one at a time, by whichever server comes first: its transaction reads the version of
a day, sums the events, and seals the day if that is still its version once no writer is left who
could change it. Killed, it leaves nothing. Readers see seals, sums and events as they were at one
moment, the snapshot of their transaction.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from data.dialect import Expression
from data.engines.grouping import Form, Grouping, Names
from data.engines.levels import DAY, LEVELS, Level
from data.engines.partials import (
    COUNTED,
    KEYS,
    QUARTER,
    Leaf,
    Partial,
    Undecomposable,
    columns,
)
from data.engines.postgresql import sealed
from data.engines.postgresql.rows import plain
from data.engines.postgresql.schema import LOCK, UPGRADES, byte_by_byte
from data.engines.postgresql.summed import PEOPLE, Kept, addable, by_people, statement
from data.engines.postgresql.text import Text, compiled, sql
from data.engines.stretches import MOST_STRETCHES, Stretch, in_stretches, without
from data.engines.versions import ALL_TIME

LOG: Final = logging.getLogger("spendscope.sums")
# For zones of whole hours; those of half an hour read the events. What people and projects are
# called, and who uses which, is one level's.
KEPT: Final = tuple(
    replace(one, keys=(*one.keys, "project_named")) if "user_named" in one.keys else one
    for one in LEVELS
    if not one.lists and one.width > QUARTER
)
# One server sums at a time: the others have better things to do. It takes this lock before the
# writers'.
TURN: Final = "pg_{}advisory_xact_lock(hashtext('spendscope sums'), hashtext(current_schema()))"
ENDLESS: Final = "SET LOCAL statement_timeout = 0"
NOTE: Final = "INSERT INTO sum_tables VALUES ('{}', '{}')"
ENOUGH: Final = (
    "SELECT count(*) FROM (SELECT FROM events WHERE ts >= {} AND ts < {} LIMIT {}) AS found"
)
WITHIN: Final = "SET LOCAL lock_timeout = '2s'"
# Days with fewer events are read from these; of a day that changed no sums are made for so long, in
# seconds.
LEAST = 500
QUIET = 600.0
MOST_FORMS: Final = 512


class Sums:
    """The sums of a store, of certain numbers."""

    def __init__(self, engine: sa.Engine, aggregates: Iterable[Expression]) -> None:
        """Have tables for them; those of other numbers are dropped."""
        self._engine = engine
        found = [leaf for one in aggregates for leaf in addable(one)]
        partials = {one: _partials(one, found) for one in KEPT}
        told = repr([(one, list(held)) for one, held in partials.items()])
        told += repr((list(KEYS.items()), len(UPGRADES)))
        self._definition = hashlib.blake2b(told.encode(), digest_size=5).hexdigest()
        self._partials = list(partials.values())
        self.kept = [self._named(one, held) for one, held in partials.items()]
        tables = ", ".join(one.table for one in self.kept)
        # Before the snapshot: what is dropped later stays until the end of the transaction.
        self._hold = f"LOCK TABLE {tables} IN ACCESS SHARE MODE"
        self._text = lru_cache(MOST_FORMS)(self._compiled)
        self._seen: dict[int, tuple[int, float]] | None = None
        self._left: dict[int, int] = {}
        with engine.connect() as connection:
            there = set(plain(connection, "SELECT name FROM sum_tables").scalars())
        wanted = {one.table for one in self.kept}
        if not wanted <= there:
            self._create()
        if there - wanted:
            self._drop_others()

    def _named(self, level: Level, partials: dict[str, Partial]) -> Kept:
        places = {name: f"p{place}" for place, name in enumerate(partials)}
        return Kept(level, f"{level.table}_{self._definition}", places)

    def _create(self) -> None:
        with self._engine.begin() as connection:
            plain(connection, f"{ENDLESS}; SELECT {TURN.format('')}")
            plain(connection, LOCK)
            there = set(plain(connection, "SELECT name FROM sum_tables").scalars())
            for one in self.kept:
                if one.table not in there:
                    for made in (*_tables(one), NOTE.format(one.table, self._definition)):
                        plain(connection, made)

    def _drop_others(self) -> None:
        """Forget what another release summed; while somebody reads that it stays."""
        others = f"WHERE definition <> '{self._definition}'"
        try:
            with self._engine.begin() as connection:
                plain(connection, f"{WITHIN}; SELECT {TURN.format('')}")
                plain(connection, LOCK)
                found = plain(connection, f"SELECT name FROM sum_tables {others}").scalars().all()
                for table in found:
                    plain(connection, f"DROP TABLE {table}")
                for table in ("sealed_days", "sum_tables") if found else ():
                    plain(connection, f"DELETE FROM {table} {others}")
        except sa.exc.DBAPIError as error:
            LOG.info("sums of another release stay for now: %s", error.orig)

    # --- what is asked

    def text(self, connection: sa.Connection, asked: Grouping) -> tuple[str, tuple[Any, ...]]:
        """SQL and parameters of a question over sums, for the transaction that begins now on a
        connection; raises `Undecomposable` where it is for the events alone."""
        text = self._text(asked.form)
        if text is None:
            raise Undecomposable
        days, rest = self._parts(connection, asked.window)
        filled = text.filled(asked.window, sums=in_stretches("sums.ts", days), events=rest)
        return filled, text.parameters

    def names(self, connection: sa.Connection, asked: Names) -> tuple[str, tuple[Any, ...]]:
        """The same of users or projects of all time."""
        days, rest = self._parts(connection, ALL_TIME)
        made = compiled(asked.statement(sa.literal_column("weight")))
        (kept,) = (one for one in self.kept if PEOPLE.issubset(one.keys))
        rows = by_people(kept, in_stretches("sums.ts", days), rest)
        return made.sql.replace("FROM events", f"FROM ({rows}) AS events"), made.parameters

    def _parts(self, connection: sa.Connection, window: Stretch) -> tuple[list[Stretch], str]:
        """The days of a window to read from sums, and the condition of all other events."""
        if -(-window[0] // DAY) >= window[1] // DAY:
            raise Undecomposable
        try:
            plain(connection, self._hold)
        except sa.exc.DBAPIError:  # dropped by another release
            connection.rollback()
            raise Undecomposable from None
        days = sealed.days_of(connection, self._definition, window)
        if not 0 < len(days) <= MOST_STRETCHES:
            raise Undecomposable
        return days, in_stretches("events.ts", without([window], days))

    def _compiled(self, form: Form) -> Text | None:
        if not form.steady_for or "user" in columns(form.where):
            # Some user's events are found by an index, sooner than sums are added up.
            return None
        try:
            return compiled(statement(form, self.kept))
        except Undecomposable:
            return None

    # --- what is kept

    def refresh(self) -> bool:
        """Sum up a day that has no sums, the latest first; whether there was one to try."""
        with self._engine.connect() as connection:
            plain(connection, ENDLESS)
            if not plain(connection, f"SELECT {TURN.format('try_')}").scalar_one():
                return False
            if stale := sealed.stale_days(connection, self._definition):
                plain(connection, LOCK)
                sealed.unseal(connection, stale)
                connection.commit()
                return True
            found = self._next(connection) if self._there(connection) else None
            if found and self._sealed(connection, *found):
                connection.commit()
        return found is not None

    def _there(self, connection: sa.Connection) -> bool:
        """Whether there are tables still: who starts with other numbers drops them."""
        kept = f"SELECT count(*) FROM sum_tables WHERE definition = '{self._definition}'"
        return bool(plain(connection, kept).scalar_one())

    def _next(self, connection: sa.Connection) -> tuple[int, int] | None:
        """A day to sum up, and its version: of those that nobody wrote to lately."""
        now = time.monotonic()
        since = -math.inf if self._seen is None else now
        seen, self._seen = self._seen or {}, {}
        for day, version in sealed.open_days(connection, self._definition):
            before = seen.get(day)
            self._seen[day] = before if before and before[0] == version else (version, since)
        for day, (version, at) in self._seen.items():
            if at <= now - QUIET and self._left.get(day) != version:
                if plain(connection, ENOUGH.format(*_ends(day), LEAST)).scalar_one() == LEAST:
                    return day, version
                self._left[day] = version
        return None

    def _sealed(self, connection: sa.Connection, day: int, version: int) -> bool:
        """Sum up a day; whether it still has that version in the end."""
        self._seen = (self._seen or {}) | {day: (version, time.monotonic())}  # where this fails
        for one, partials in zip(self.kept, self._partials, strict=True):
            plain(connection, _filling(one, partials, day))
        plain(connection, LOCK)
        return plain(connection, sealed.SEAL.format(self._definition, day, version)).rowcount == 1


def _ends(day: int) -> tuple[int, int]:
    return day * DAY, (day + 1) * DAY


def _partials(level: Level, found: Iterable[Leaf]) -> dict[str, Partial]:
    """Those of a level's rows: all that some number is made of which they can tell apart."""
    kept = {COUNTED.name: COUNTED}
    for leaf in found:
        if leaf.partial is not None and leaf.keys.issubset(level.keys):
            kept[leaf.partial.name] = leaf.partial
    return kept


def _tables(one: Kept) -> Iterator[str]:
    """The statements that make a table of sums."""
    keys = (f'"{name}" TEXT' for name in one.keys)
    partials = (f"{column} BIGINT" for column in one.columns.values())
    columns = ", ".join(("ts BIGINT NOT NULL", *keys, *partials))
    yield byte_by_byte(f"CREATE TABLE {one.table} ({columns})")
    yield f"CREATE INDEX {one.table}_ts ON {one.table} (ts)"
    if PEOPLE.issubset(one.keys):
        yield f'CREATE INDEX {one.table}_user ON {one.table} ("user")'


def _filling(one: Kept, partials: Mapping[str, Partial], day: int) -> str:
    """The statement that sums up a day; where nothing is counted nothing is written."""
    keys = [f'"{name}"' for name in one.keys]
    summed = (sql(partial.sql) for partial in partials.values())
    start, end = _ends(day)
    return (
        f"INSERT INTO {one.table} SELECT ts - ts % {one.level.width}, {', '.join((*keys, *summed))}"
        f" FROM events WHERE ts >= {start} AND ts < {end}"
        f" GROUP BY {', '.join(map(str, range(1, len(keys) + 2)))}"
    )
