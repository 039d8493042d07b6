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
from data.engines.duckdb.commit_notes import CommitNotes
from data.engines.duckdb.coverage import LARGEST_SMALL, Summed
from data.engines.duckdb.levels import (
    BY_ID,
    create,
    partials,
    seal,
    seal_hours,
    unseal,
)
from data.engines.duckdb.levels import QUARTERS as LEVEL_OF_ALL
from data.engines.duckdb.outdated import QUARTERS, outdate
from data.engines.duckdb.schema import release_memory, transaction
from data.engines.duckdb.summed import MOST_NUMBERS, narrows
from data.engines.duckdb.texts import Text, compiled
from data.engines.grouping import Form, Grouping
from data.engines.levels import DAY, HOUR, LEVELS, Level
from data.engines.partials import COUNTED, KEYS, QUARTER, Partial, Undecomposable, Wanted
from data.engines.stretches import Stretch, in_stretches, joined, up, whole_quarters

Cursor = duckdb.DuckDBPyConnection
# Whatever is read next in a transaction is of the snapshot that this takes.
PINNED: Final = "SELECT upto FROM summed"
NOTHING: Final = -1  # is summed; what an older version stored has number 0
# So many events that were stored since are added; of more, whole quarters are summed, some at once:
# a transaction stays small, and who writes or reads meanwhile has most of the machine.
MANY = 100_000
MOST_QUARTERS = 288  # three days
# Quarters that were added to so often are put together anew, but for the last, which is not over.
MOST_PIECES: Final = 8
# With more, most of a question is read from the events: then all of it is.
MOST_OUTDATED = 96  # a day
# Days and hours to seal in one transaction, and how long one that lost its seal is left alone, in
# seconds.
MOST_DAYS = 3
MOST_HOURS = 72
QUIET = 600.0
MOST_KEPT: Final = 2_000  # numbers and texts
MOST_STATES: Final = 64
# A statement over sums takes longer to put together and to plan. It pays where it reads so many
# rows less than there are events: more of them where a condition leaves few events to add up.
LEAST_SAVED = 50_000
LEAST_SAVED_OF_FEW = 150_000


@dataclass
class Names:
    """What is known as long as no value gets a number: the numbers of conditions, and the text of
    questions (None: not for sums)."""

    version: int
    numbers: dict[tuple[str, People], Sequence[int] | None] = field(default_factory=dict)
    texts: dict[tuple[Form, bool, bool], Text | None] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Up to where there are sums, and their names' version; of a window the days and hours that are
    sealed, the outdated quarters, how many events were stored later, how many of its last quarter
    of an hour it cuts off, and how many have a value of lists that is no small number."""

    upto: int
    version: int
    sealed: Sequence[int]
    hours: Sequence[int]
    outdated: Sequence[int]
    later: int
    cut: int
    large: int


@dataclass(frozen=True)
class Held:
    """What sums hold for of some windows, with their names' version, as long as nothing more is
    committed: a number of `CommitNotes`."""

    number: int | None = None
    states: dict[Stretch, tuple[int, Summed]] = field(default_factory=dict)


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

    def __init__(self, root: Cursor, wanted: Wanted, commits: CommitNotes) -> None:
        """Have tables for what is wanted; sums of other numbers are dropped."""
        self._commits, self._held = commits, Held()
        self.wanted = wanted
        every = dict.fromkeys((*wanted.partials, *wanted.of_ids))
        self.columns = {name: f"p{place}" for place, name in enumerate(every)}
        lists = (
            _sql(value) for value in map(_listed, wanted.partials.values()) if value is not None
        )
        self._is_large = " OR ".join(f"{value} > {LARGEST_SMALL}" for value in lists)
        self._names, self._upto = Names(NOTHING), NOTHING
        self._summed_anew = False  # in the last step: it read whole stretches of the events
        # Days and hours that lost their seal, and when.
        self._unsealed: dict[int, float] = {}
        self._unsealed_hours: dict[int, float] = {}
        told = (list(part) for part in (wanted.partials, wanted.of_ids, wanted.identified))
        definition = repr((*told, list(KEYS.items()), LEVELS))
        found = root.execute("SELECT definition FROM summed").fetchone()
        if found is None or found[0] != definition:
            with transaction(root):
                self._create(root, definition)
        _advance(root)
        self._savings = self._saved(root)

    def _create(self, cursor: Cursor, definition: str) -> None:
        create(cursor, self.wanted, self.columns)
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
        # Whoever has a snapshot already may have that of an earlier number.
        number = None if connection.in_transaction() else self._commits.settled()
        held = self._held if self._held.number == number else Held(number)
        if found := held.states.get(window):
            connection.exec_driver_sql(PINNED)
            if self._commits.settled() == number:
                return self._names_of(found[0]), found[1]
        version, summed = self._read_state(connection, window)
        if number is not None and self._commits.settled() == number:
            self._held = held if len(held.states) < MOST_STATES else Held(number)
            self._held.states[window] = version, summed
        return self._names_of(version), summed

    def _read_state(self, connection: sa.Connection, window: Stretch) -> tuple[int, Summed]:
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
        days, hours = joined(state.sealed, DAY), joined(state.hours, HOUR)
        identified = frozenset(self.wanted.identified)
        told = self.columns, identified, not state.large
        summed = Summed(state.upto, window, whole, days, hours, *told)
        rest = bool(state.later or summed.ragged)
        return state.version, summed if rest else replace(summed, rest=False)

    def _read(self, connection: sa.Connection, window: Stretch, after: int) -> State:
        """The state for a window; what is later than `after` is counted."""
        start, end = window
        marks = connection.exec_driver_sql(
            "SELECT 'upto', upto FROM summed UNION ALL SELECT 'version', version FROM summed"
            f" UNION ALL SELECT 'sealed', day FROM sealed WHERE day > {start - DAY} AND day < {end}"
            " UNION ALL SELECT 'hour', hour FROM sealed_hours"
            f" WHERE hour > {start - HOUR} AND hour < {end}"
            " UNION ALL SELECT DISTINCT 'outdated', quarter FROM outdated"
            f" WHERE quarter > {start - QUARTER} AND quarter < {end}"
        ).all()
        (upto,), (version,), days, hours, quarters = (
            sorted(value for mark, value in marks if mark == wanted)
            for wanted in ("upto", "version", "sealed", "hour", "outdated")
        )
        # Not in the same statement: together they would take the engine twice as long to plan.
        within = f"ts >= {start} AND ts < {end}"
        later, cut, large = (
            connection.exec_driver_sql(f"SELECT count(*) FROM events WHERE {where}").scalar_one()
            if where
            else 0
            for where in (
                f"sequence > {after} AND {within}",
                f"ts >= {end} AND ts < {up(end)}" if end < up(end) else "",
                f"{within} AND ({self._is_large})" if self._is_large else "",
            )
        )
        return State(upto, version, days, hours, quarters, later, cut, large)

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
        """A step towards what is stored now; whether there was anything left to do. So few events
        that no question would read their sums are left as they are."""
        (row,) = cursor.execute("SELECT count(*) FROM events").fetchall()
        if row[0] < min(LEAST_SAVED, LEAST_SAVED_OF_FEW):
            return False
        self._summed_anew = False
        if changed := self._refresh_quarters(cursor):
            self._savings = self._saved(cursor)
        sealed = self._seal(cursor)
        if sealed or self._summed_anew:
            release_memory(cursor)
        return sealed or self._seal_hours(cursor) or changed

    def _refresh_quarters(self, cursor: Cursor) -> bool:
        with transaction(cursor, self._commits.noted()):
            (row,) = cursor.execute(
                "SELECT upto, (SELECT max(sequence) FROM events), (SELECT count(*) FROM events"
                " WHERE sequence > upto) FROM summed"
            ).fetchall()
            upto, last, count = row
            later = f"sequence > {upto} AND sequence <= {last}"
            if count > MANY:
                outdate(cursor, f"SELECT ts FROM events WHERE {later}")
            else:
                self._summed_anew = self._renew(cursor, upto)
                if not count and not self._summed_anew:
                    return False
                if count:
                    self._add(cursor, later)
            values = [last if count else upto]
            cursor.execute("UPDATE summed SET upto = ?", values)
        return True

    def _seal(self, cursor: Cursor) -> bool:
        """Seal some days, the latest first; not the one that goes on, nor those that change."""
        others = f"SELECT day FROM sealed UNION SELECT quarter - quarter % {DAY} FROM outdated"
        quiet = self._sealable(cursor, DAY, others, self._unsealed)[-MOST_DAYS:]
        if quiet:
            with transaction(cursor, self._commits.noted()):
                seal(cursor, quiet, self.wanted, self.columns)
        return bool(quiet)

    def _seal_hours(self, cursor: Cursor) -> bool:
        """Seal hours of days that have no seal, as days are."""
        others = (
            f"SELECT hour FROM sealed_hours UNION SELECT quarter - quarter % {HOUR} FROM outdated"
            f" UNION SELECT unnest(range(day, day + {DAY}, {HOUR})) FROM sealed"
        )
        quiet = self._sealable(cursor, HOUR, others, self._unsealed_hours)[-MOST_HOURS:]
        if quiet:
            with transaction(cursor, self._commits.noted()):
                seal_hours(cursor, quiet, self.wanted, self.columns)
        return bool(quiet)

    def _sealable(
        self, cursor: Cursor, width: int, others: str, unsealed: Mapping[int, float]
    ) -> list[int]:
        """The stretches of a width that do not go on, do not change, and are none of others."""
        lately = time.monotonic() - QUIET
        changing = {start for start, at in unsealed.items() if at > lately}
        changing.update(start for (start,) in cursor.execute(others).fetchall())
        quarters = self._savings.quarters
        starts = np.unique(quarters - quarters % width)[:-1].tolist()
        return [start for start in starts if start not in changing]

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
        of_events = ((one.table, "ts") for one in (LEVEL_OF_ALL, BY_ID))
        for table, moment in (("outdated", "quarter"), ("pieces", "quarter"), *of_events):
            cursor.execute(f"DELETE FROM {table} WHERE {in_stretches(moment, stretches)}")
        self._add(cursor, f"{in_stretches('ts', stretches)} AND sequence <= {upto}")
        self._unseal(cursor, stretches)  # all of them may be gone
        return True

    def _unseal(self, cursor: Cursor, stretches: Sequence[Stretch]) -> None:
        now = time.monotonic()
        days, hours = unseal(cursor, stretches)
        self._unsealed |= dict.fromkeys(days, now)
        self._unsealed_hours |= dict.fromkeys(hours, now)

    def _add(self, cursor: Cursor, where: str) -> None:
        """Rows for the events that meet a condition."""
        if sum(_name(cursor, key, columns, where) for key, columns in KEYS.items()):
            cursor.execute("UPDATE summed SET version = version + 1")
        self._fill(cursor, LEVEL_OF_ALL, where)
        if told := self._told_apart():
            some = " OR ".join(f"{name} IS NOT NULL" for name in BY_ID.ids)
            events = f"(SELECT * REPLACE ({told}) FROM events WHERE {where}) AS events"
            self._fill(cursor, BY_ID, some, events)
        pieces = cursor.execute(
            f"INSERT INTO pieces SELECT DISTINCT {QUARTERS} FROM events WHERE {where}"
            " RETURNING quarter"
        ).fetchall()
        if pieces:
            self._unseal(cursor, joined(sorted(quarter for (quarter,) in pieces)))

    def _fill(self, cursor: Cursor, one: Level, where: str, events: str = "events") -> None:
        """Rows of a level for the events that meet a condition."""
        joins = "".join(f" JOIN names_{key} AS n_{key} ON {_same(key)}" for key in KEYS)
        keys = (
            *(f"n_{key}.id AS i_{key}" for key in KEYS),
            *(f"events.{name}" for name in one.ids),
        )
        added = (_sql(partial.sql) for partial in partials(one, self.wanted).values())
        cursor.execute(
            f"INSERT INTO {one.table} SELECT {QUARTERS} AS quarter, {', '.join((*keys, *added))}"
            f" FROM {events}{joins} WHERE {where} GROUP BY ALL ORDER BY i_user, quarter"
        )

    def _told_apart(self) -> str:
        """The ids that rows tell apart: of the events that some number asks for them of."""
        conditions: dict[str, list[sa.ColumnElement[bool]]] = {}
        for (name, _), condition in self.wanted.identified.items():
            conditions.setdefault(name, []).append(condition)
        return ", ".join(
            f"CASE WHEN {_sql(sa.or_(*conditions.get(name, [sa.false()])))} THEN {name} END"
            f" AS {name}"
            for name in BY_ID.ids
        )


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


def _listed(partial: Partial) -> sa.ColumnElement[Any] | None:
    """What a partial lists, if it does."""
    return partial.value if partial.is_list else None


def _sql(expression: sa.ColumnElement[Any]) -> str:
    return str(expression.compile(dialect=Dialect(), compile_kwargs={"literal_binds": True}))
