"""Sums of the events of a quarter of an hour, kept beside them: a cache, and exact always.

A row of `sums` stands for the events of one quarter of an hour that agree in all of `KEYS`, as far
as they were stored up to a point (`summed.upto`, of `events.sequence`). Whoever changes or removes
an event notes the quarters it lay and lies in, in the same transaction (`outdate`); whoever reads
takes the events themselves for those quarters and for what was stored later, all in one snapshot.
So it is right at any moment, whether sums are brought up to date or not.

`Sums.refresh` does that in a transaction of its own, beside readers and writers: killed, it leaves
what was there. What others write meanwhile has higher sequence numbers or is noted as outdated.

Keys are small numbers, the values they stand for are in a table a key (`names_model`, …): new
values are added there and rewrite nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from duckdb_sqlalchemy import Dialect

from data.access.people import People
from data.engines.duckdb.outdated import QUARTERS, outdate
from data.engines.duckdb.schema import transaction
from data.engines.duckdb.summed import (
    MOST_NUMBERS,
    Stretch,
    Summed,
    SummedQuestion,
    joined,
    narrows,
    rest_of,
    stretches,
)
from data.engines.grouping import Grouping
from data.engines.partials import (
    KEYS,
    NAMED,
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
MOST_CONDITIONS: Final = 2_000
# A statement over sums takes longer to put together and to plan. It pays where it reads so many
# rows less than there are events: more of them where a condition leaves few events to add up.
LEAST_SAVED = 50_000
LEAST_SAVED_OF_FEW = 150_000
COUNTED: Final = Partial("count", None, sa.true())


@dataclass
class Names:
    """What is known of one version: which keys are `unique` (no value has two names), and the
    numbers of conditions."""

    version: int
    unique: frozenset[str] = frozenset()
    numbers: dict[tuple[str, People], Sequence[int] | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Savings:
    """How many more events than rows of sums there were before each quarter of an hour that has
    some: near enough to choose by, whoever writes meanwhile."""

    quarters: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]

    def within(self, window: Stretch) -> int:
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
        definition = repr((list(self.wanted), list(KEYS.items())))
        found = root.execute("SELECT definition FROM summed").fetchone()
        if found is None or found[0] != definition:
            with transaction(root):
                self._create(root, definition)
        _advance(root)
        self._savings = self._saved(root)

    def _create(self, cursor: Cursor, definition: str) -> None:
        keys = ", ".join(f'"{key}" INTEGER NOT NULL' for key in KEYS)
        columns = "".join(f", {column} BIGINT" for column in self.columns.values())
        cursor.execute(f"CREATE OR REPLACE TABLE sums (ts BIGINT NOT NULL, {keys}{columns})")
        for key, names in KEYS.items():
            values = ", ".join(f'"{name}" TEXT' for name in names)
            nothing = ", ".join(["NULL"] * len(names))
            cursor.execute(f"CREATE OR REPLACE TABLE names_{key} (id INTEGER NOT NULL, {values})")
            cursor.execute(f"INSERT INTO names_{key} VALUES (0, {nothing})")
        cursor.execute("DELETE FROM outdated; DELETE FROM pieces; DELETE FROM summed")
        cursor.execute(f"INSERT INTO summed VALUES (?, {NOTHING}, 0)", [definition])

    def statement(self, asked: Grouping, connection: sa.Connection) -> sa.Select[Any]:
        """A question over sums, for the transaction that a connection is in; raises
        `Undecomposable` where it is for the events alone, or those are read sooner."""
        least = LEAST_SAVED_OF_FEW if narrows(asked.where) else LEAST_SAVED
        if self._savings.within(asked.window) < least:
            raise Undecomposable
        names, summed = self._state(connection, asked.window)

        def numbers(text: str, people: People, meant: sa.Select[Any]) -> Sequence[int] | None:
            if (text, people) not in names.numbers:
                found = connection.execute(meant.limit(MOST_NUMBERS + 1)).scalars().all()
                names.numbers[text, people] = found if len(found) <= MOST_NUMBERS else None
            return names.numbers[text, people]

        return SummedQuestion(asked, summed, self.columns, numbers).statement()

    def _state(self, connection: sa.Connection, window: Stretch) -> tuple[Names, Summed]:
        """The names there are, and what sums hold for of a window."""
        guess = self._upto  # as other threads read it last: of a later or an earlier snapshot
        upto, version, outdated, later = self._read(connection, window, guess)
        if upto != guess:
            *_, later = self._read(connection, window, upto)
            self._upto = upto
        if len(outdated) > MOST_OUTDATED:
            raise Undecomposable
        whole = stretches(window, outdated)
        names = self._names_of(version, connection)
        rest = bool(later or rest_of(window, whole))
        return names, Summed(upto, whole, names.unique, rest)

    def _read(
        self, connection: sa.Connection, window: Stretch, after: int
    ) -> tuple[int, int, list[int], int]:
        """Up to where and in which version there are sums; of a window the outdated quarters, and
        how many events were stored after a number."""
        start, end = window
        found = connection.exec_driver_sql(
            "SELECT upto, version, (SELECT list(DISTINCT quarter ORDER BY quarter) FROM outdated"
            f" WHERE quarter > {start - QUARTER} AND quarter < {end}), (SELECT count(*) FROM events"
            f" WHERE sequence > {after} AND ts >= {start} AND ts < {end}) FROM summed"
        ).one()
        return found[0], found[1], found[2] or [], found[3]

    def _names_of(self, version: int, connection: sa.Connection) -> Names:
        names = self._names
        if names.version != version or len(names.numbers) > MOST_CONDITIONS:
            unique = (
                f'SELECT count(*) = count(DISTINCT "{key}") + 1 FROM names_{key}' for key in NAMED
            )
            found = [connection.exec_driver_sql(one).scalar_one() for one in unique]
            names = Names(version, frozenset(compress(NAMED, found)))
            self._names = names
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
            cursor.execute("UPDATE summed SET upto = ?, version = version + 1", values)
        self._savings = self._saved(cursor)
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
            cursor.execute(f"DELETE FROM {table} WHERE {_within(moment, stretches)}")
        self._add(cursor, f"({_within('ts', stretches)}) AND sequence <= {upto}")
        return True

    def _add(self, cursor: Cursor, where: str) -> None:
        """Rows for the events that meet a condition."""
        for key, columns in KEYS.items():
            _name(cursor, key, columns, where)
        joins = "".join(f" JOIN names_{key} AS n_{key} ON {_same(key)}" for key in KEYS)
        ids = ", ".join(f"n_{key}.id AS i_{key}" for key in KEYS)
        partials = (_sql(sa.cast(one.sql, sa.BigInteger)) for one in self.wanted.values())
        cursor.execute(
            f"INSERT INTO sums SELECT {QUARTERS} AS quarter, {ids}, {', '.join(partials)}"
            f" FROM events{joins} WHERE {where} GROUP BY ALL ORDER BY quarter"
        )
        cursor.execute(f"INSERT INTO pieces SELECT DISTINCT {QUARTERS} FROM events WHERE {where}")


def _name(cursor: Cursor, key: str, columns: tuple[str, ...], where: str) -> None:
    """Give new values of a key their numbers."""
    listed = ", ".join(f'"{name}"' for name in columns)
    cursor.execute(
        f"INSERT INTO names_{key} SELECT row_number() OVER () + (SELECT max(id) FROM names_{key}),"
        f" * FROM (SELECT DISTINCT {listed} FROM events WHERE {where}"
        f" EXCEPT SELECT {listed} FROM names_{key})"
    )


def _within(moment: str, stretches: Sequence[Stretch]) -> str:
    return " OR ".join(f"{moment} >= {first} AND {moment} < {last}" for first, last in stretches)


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
