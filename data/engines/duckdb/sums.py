"""Sums of the events of a quarter of an hour, kept beside them: a cache, and exact always.

A row of `sums` stands for the events of one quarter of an hour that agree in all of `KEYS`, as far
as they were stored up to a point (`summed.upto`, of `events.sequence`). Whoever changes or removes
an event notes the quarters it lay and lies in, in the same transaction (`outdate`); whoever reads
takes the events themselves for those quarters and for what was stored later, all in one snapshot.
So it is right at any moment, whether sums are brought up to date or not.

`Sums.refresh` does that in a transaction of its own, beside readers and writers: killed, it leaves
what was there. What others write meanwhile has higher sequence numbers or is noted as outdated.

Coarser sums are put together from these (`levels.py`): days that are over, or left alone for a
while, are sealed; what changes later takes its day's seal off.

Keys are small numbers, the values they stand for are in a table a key (`names_model`, …): new
values are added there and rewrite nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from data.access.people import People
from data.engines.duckdb.answering import statement
from data.engines.duckdb.coverage import Summed
from data.engines.duckdb.levels import DAY, LEVELS, create, seal, unseal
from data.engines.duckdb.outdated import QUARTERS, outdate
from data.engines.duckdb.schema import transaction
from data.engines.duckdb.stretches import Stretch, in_stretches, joined, up, whole_quarters
from data.engines.duckdb.summed import MOST_NUMBERS, narrows
from data.engines.duckdb.texts import Text, compiled
from data.engines.grouping import Form, Grouping
from data.engines.partials import (
    KEYS,
    QUARTER,
    Partial,
    Undecomposable,
)

Cursor = duckdb.DuckDBPyConnection
NOTHING: Final = -1  # is summed; what an older version stored has number 0
# So many events that were stored since are added; of more, whole quarters are summed, some at once:
# a transaction stays small, and who writes or reads meanwhile has most of the machine.
MANY = 100_000
MOST_QUARTERS = 288  # three days
# Quarters that were added to so often are put together anew, but for the last, which is not over.
MOST_PIECES: Final = 8
# With more, most of a question is read from the events: then all of it is.
MOST_OUTDATED = 96  # a day
# Days to seal in one transaction, and how long one that lost its seal is left alone, in seconds.
MOST_DAYS = 3
QUIET = 600.0
MOST_KEPT: Final = 2_000  # numbers and texts
# A statement over sums takes longer to put together and to plan. It pays where it reads so many
# rows less than there are events: more of them where a condition leaves few events to add up.
LEAST_SAVED = 50_000
LEAST_SAVED_OF_FEW = 150_000
COUNTED: Final = Partial("count", None, sa.true())


@dataclass
class Names:
    """What is known as long as no value gets a number: the numbers of conditions, and the text of
    questions (None: not for sums)."""

    version: int
    numbers: dict[tuple[str, People], Sequence[int] | None] = field(default_factory=dict)
    texts: dict[tuple[Form, bool, bool], Text | None] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Up to where there are sums, and their names' version; of a window the days that are sealed,
    the outdated quarters, how many events were stored later, and how many of its last quarter of
    an hour it cuts off."""

    upto: int
    version: int
    sealed: Sequence[int]
    outdated: Sequence[int]
    later: int
    cut: int


@dataclass(frozen=True)
class Savings:
    """How many more events than rows of sums there were before each quarter of an hour that has
    some: near enough to choose by, whoever writes meanwhile."""

    quarters: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]

    def of_window(self, window: Stretch) -> int:
        """How many rows less sums are than the events of a window."""
        first, last = np.searchsorted(self.quarters, window)
        return int(self.before[last] - self.before[first])


class Sums:
    """The sums of a store, of certain numbers."""

    def __init__(self, root: Cursor, wanted: Mapping[str, Partial]) -> None:
        """Have tables for these partials; sums of others are dropped."""
        self.wanted = {**wanted, COUNTED.name: COUNTED}
        self.columns = {name: f"p{place}" for place, name in enumerate(self.wanted)}
        self._names, self._upto = Names(NOTHING), NOTHING
        self._unsealed: dict[int, float] = {}  # days that lost their seal, and when
        definition = repr((list(self.wanted), list(KEYS.items()), LEVELS))
        found = root.execute("SELECT definition FROM summed").fetchone()
        if found is None or found[0] != definition:
            with transaction(root):
                self._create(root, definition)
        _advance(root)
        self._savings = self._saved(root)

    def _create(self, cursor: Cursor, definition: str) -> None:
        create(cursor, self.columns.values())
        for key, names in KEYS.items():
            values = ", ".join(f'"{name}" TEXT' for name in names)
            nothing = ", ".join(["NULL"] * len(names))
            cursor.execute(f"CREATE OR REPLACE TABLE names_{key} (id INTEGER NOT NULL, {values})")
            cursor.execute(f"INSERT INTO names_{key} VALUES (0, {nothing})")
        cursor.execute("DELETE FROM outdated; DELETE FROM pieces; DELETE FROM summed")
        cursor.execute(f"INSERT INTO summed VALUES (?, {NOTHING}, 0)", [definition])

    def text(self, asked: Grouping, connection: sa.Connection) -> tuple[str, tuple[Any, ...]]:
        """SQL and parameters of a question over sums, for the transaction that a connection is in;
        raises `Undecomposable` where it is for the events alone, or those are read sooner."""
        least = LEAST_SAVED_OF_FEW if narrows(asked.form.where) else LEAST_SAVED
        if self._savings.of_window(asked.window) < least:
            raise Undecomposable
        names, summed = self._state(connection, asked.window)
        key = (asked.form, summed.rest, bool(summed.ragged))
        if key not in names.texts:
            names.texts[key] = self._compiled(asked.form, names, summed, connection)
        if (text := names.texts[key]) is None:
            raise Undecomposable
        return text.filled(summed.slot), text.parameters

    def _compiled(
        self, form: Form, names: Names, summed: Summed, connection: sa.Connection
    ) -> Text | None:
        def numbers(text: str, people: People, meant: sa.Select[Any]) -> Sequence[int] | None:
            if (text, people) not in names.numbers:
                found = connection.execute(meant.limit(MOST_NUMBERS + 1)).scalars().all()
                names.numbers[text, people] = found if len(found) <= MOST_NUMBERS else None
            return names.numbers[text, people]

        try:
            return compiled(statement(form, summed, numbers))
        except Undecomposable:
            return None

    def _state(self, connection: sa.Connection, window: Stretch) -> tuple[Names, Summed]:
        """The names there are, and what sums hold for of a window."""
        guess = self._upto  # as other threads read it last: of a later or an earlier snapshot
        state = self._read(connection, window, guess)
        if state.upto != guess:
            state = self._read(connection, window, state.upto)
            self._upto = state.upto
        if not state.cut:  # all that its last quarter of an hour holds: so it is until now
            window = window[0], up(window[1])
        whole = whole_quarters(window, state.outdated)
        if len(state.outdated) > MOST_OUTDATED or not whole:
            raise Undecomposable
        names = self._names_of(state.version)
        days = joined(state.sealed, DAY)
        summed = Summed(state.upto, window, whole, days, self.columns)
        return names, summed if state.later or summed.ragged else replace(summed, rest=False)

    def _read(self, connection: sa.Connection, window: Stretch, after: int) -> State:
        """The state for a window; what is later than `after` is counted."""
        start, end = window
        # One after the other: together they would take the engine twice as long to plan.
        upto, version = connection.exec_driver_sql("SELECT upto, version FROM summed").one()
        marks = connection.exec_driver_sql(
            f"SELECT true, day FROM sealed WHERE day > {start - DAY} AND day < {end} UNION ALL"
            " SELECT DISTINCT false, quarter FROM outdated"
            f" WHERE quarter > {start - QUARTER} AND quarter < {end}"
        ).all()
        days, quarters = (
            [at for of_day, at in marks if of_day is wanted] for wanted in (True, False)
        )
        later, cut = (
            connection.exec_driver_sql(f"SELECT count(*) FROM events WHERE {where}").scalar_one()
            for where in (
                f"sequence > {after} AND ts >= {start} AND ts < {end}",
                f"ts >= {end} AND ts < {up(end)}",
            )
        )
        return State(upto, version, sorted(days), sorted(quarters), later, cut)

    def _names_of(self, version: int) -> Names:
        names = self._names
        if names.version != version or len(names.numbers) + len(names.texts) > MOST_KEPT:
            names = self._names = Names(version)
        return names

    def _saved(self, cursor: Cursor) -> Savings:
        counted = self.columns[COUNTED.name]
        found = cursor.execute(
            f"SELECT ts, sum({counted} - 1)::BIGINT AS saved FROM sums GROUP BY ts ORDER BY ts"
        ).fetchnumpy()
        before = np.concatenate([[0], np.cumsum(found["saved"], dtype=np.int64)])
        return Savings(np.asarray(found["ts"], np.int64), before)

    def refresh(self, cursor: Cursor) -> bool:
        """A step towards what is stored now; whether there was anything left to do."""
        if changed := self._refresh_quarters(cursor):
            self._savings = self._saved(cursor)
        return self._seal(cursor) or changed

    def _refresh_quarters(self, cursor: Cursor) -> bool:
        with transaction(cursor):
            (row,) = cursor.execute(
                "SELECT upto, (SELECT max(sequence) FROM events), (SELECT count(*) FROM events"
                " WHERE sequence > upto) FROM summed"
            ).fetchall()
            upto, last, count = row
            later = f"sequence > {upto} AND sequence <= {last}"
            if count > MANY:
                outdate(cursor, f"SELECT ts FROM events WHERE {later}")
            else:
                changed = self._renew(cursor, upto)
                if not count and not changed:
                    return False
                if count:
                    self._add(cursor, later)
            values = [last if count else upto]
            cursor.execute("UPDATE summed SET upto = ?", values)
        return True

    def _seal(self, cursor: Cursor) -> bool:
        """Seal some days, the latest first; not the one that goes on, nor those that change."""
        others = cursor.execute(
            f"SELECT day FROM sealed UNION SELECT quarter - quarter % {DAY} FROM outdated"
        ).fetchall()
        lately = time.monotonic() - QUIET
        changing = {day for day, at in self._unsealed.items() if at > lately}
        changing.update(day for (day,) in others)
        quarters = self._savings.quarters
        quiet = [
            day for day in np.unique(quarters - quarters % DAY)[:-1].tolist() if day not in changing
        ]
        if not quiet:
            return False
        with transaction(cursor):
            seal(cursor, quiet[-MOST_DAYS:], self.wanted, self.columns)
        return True

    def _renew(self, cursor: Cursor, upto: int) -> bool:
        """Sum some of what is outdated or in many pieces anew, the latest first."""
        rows = cursor.execute(
            "SELECT quarter FROM outdated UNION SELECT quarter FROM pieces GROUP BY quarter"
            f" HAVING count(*) >= {MOST_PIECES} AND quarter < (SELECT max(quarter) FROM pieces)"
            f" ORDER BY quarter DESC LIMIT {MOST_QUARTERS}"
        ).fetchall()
        if not rows:
            return False
        stretches = joined(quarter for (quarter,) in reversed(rows))
        for table, moment in (("outdated", "quarter"), ("pieces", "quarter"), ("sums", "ts")):
            cursor.execute(f"DELETE FROM {table} WHERE {in_stretches(moment, stretches)}")
        self._add(cursor, f"{in_stretches('ts', stretches)} AND sequence <= {upto}")
        self._unseal(cursor, stretches)  # all of them may be gone
        return True

    def _unseal(self, cursor: Cursor, stretches: Sequence[Stretch]) -> None:
        now = time.monotonic()
        self._unsealed |= dict.fromkeys(unseal(cursor, stretches), now)

    def _add(self, cursor: Cursor, where: str) -> None:
        """Rows for the events that meet a condition."""
        if sum(_name(cursor, key, columns, where) for key, columns in KEYS.items()):
            cursor.execute("UPDATE summed SET version = version + 1")
        joins = "".join(f" JOIN names_{key} AS n_{key} ON {_same(key)}" for key in KEYS)
        ids = ", ".join(f"n_{key}.id AS i_{key}" for key in KEYS)
        partials = (_sql(sa.cast(one.sql, sa.BigInteger)) for one in self.wanted.values())
        cursor.execute(
            f"INSERT INTO sums SELECT {QUARTERS} AS quarter, {ids}, {', '.join(partials)}"
            f" FROM events{joins} WHERE {where} GROUP BY ALL ORDER BY i_user, quarter"
        )
        pieces = cursor.execute(
            f"INSERT INTO pieces SELECT DISTINCT {QUARTERS} FROM events WHERE {where}"
            " RETURNING quarter"
        ).fetchall()
        if pieces:
            self._unseal(cursor, joined(sorted(quarter for (quarter,) in pieces)))


def _name(cursor: Cursor, key: str, columns: tuple[str, ...], where: str) -> int:
    """Give new values of a key their numbers; returns how many there were."""
    listed = ", ".join(f'"{name}"' for name in columns)
    added = cursor.execute(
        f"INSERT INTO names_{key} SELECT row_number() OVER () + (SELECT max(id) FROM names_{key}),"
        f" * FROM (SELECT DISTINCT {listed} FROM events WHERE {where}"
        f" EXCEPT SELECT {listed} FROM names_{key})"
    ).fetchone()
    return int(added[0]) if added else 0


def _advance(cursor: Cursor) -> None:
    """Have the next event numbered above all that are stored, whoever stored them."""
    (row,) = cursor.execute(
        "SELECT greatest((SELECT max(sequence) FROM events), (SELECT max(upto) FROM summed)),"
        " coalesce(last_value, 0) FROM duckdb_sequences() WHERE sequence_name = 'stored'"
    ).fetchall()
    if row[0] is not None and row[0] > row[1]:
        cursor.execute(f"SELECT max(nextval('stored')) FROM range({row[0] - row[1]})")


def _same(key: str) -> str:
    return " AND ".join(
        f'n_{key}."{name}" IS NOT DISTINCT FROM events."{name}"' for name in KEYS[key]
    )


def _sql(expression: sa.ColumnElement[int]) -> str:
    return str(expression.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True}))
