"""Answers to questions that are asked again and again, kept in parts, so that a write costs little.

The whole quarters of an hour of a window are a few blocks (`data/engines/versions.py`). Of each
block a table in memory keeps what the question needs of its events: their sums by the keys asked
for, and the different values that are counted. An answer puts these together with the events that
no block holds, in one statement and one snapshot:

```
parts    rows of the blocks
         UNION ALL events at the ends of the window, and those stored since a block was made
  ↓ GROUP BY the keys
answer   as the question itself over the events, to the last digit
```

Events are numbered as they are stored, so those that came later are known. A block whose events
were changed or removed is made anew; what one reader may see is never another's, as the scope is in
the key. Tables used longest ago are dropped when all have more than `MOST_ROWS` rows.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import duckdb
import sqlalchemy as sa

from data.engines.duckdb.commit_notes import CommitNotes
from data.engines.duckdb.partial_rows import BLOCK, Layout, layout_of
from data.engines.duckdb.sums import PINNED
from data.engines.duckdb.texts import Text
from data.engines.grouping import Grouping
from data.engines.partials import QUARTER, Undecomposable
from data.engines.stretches import in_stretches, merged, without
from data.engines.versions import Block, Stretch, blocks, stretch

# A question is kept in parts when it was asked before, took so long (seconds), and is about so many
# events: of fewer, the statements that make its parts take longer than it, however busy we are.
SLOW = 0.03
LEAST_EVENTS = 100_000
WITHIN: Final = "SELECT count(*) FROM events WHERE ts >= $1 AND ts < $2"
MOST_ROWS = 1_500_000
MOST_SHAPES: Final = 1_000
MOST_BLOCKS: Final = 128
# With more events since, a block is made anew.
MOST_LATER = 50_000
ATTEMPTS: Final = 3
Statement = tuple[str, tuple[Any, ...]]  # with its parameters
Asking = Callable[[Grouping, sa.Connection], Statement]


@dataclass(slots=True)
class _Kept:
    """A block in a table: as of which versions, and up to which event."""

    number: int
    changed: int
    written: int
    upto: int

    def outdated(self, now: _Kept) -> bool:
        """Whether it has to be made anew."""
        if self.changed != now.changed:
            return True
        return self.written != now.written and now.upto - self.upto > MOST_LATER


@dataclass(slots=True)
class _Shape:
    """The table of a question, whatever its window is."""

    table: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    blocks: dict[Block, _Kept] = field(default_factory=dict)
    rows: int = 0
    created: bool = False

    def fitting(self, wanted: Collection[Block]) -> dict[Block, _Kept]:
        """The blocks that may stay: where windows left many behind, the wanted ones."""
        if len(self.blocks) + len(wanted) <= MOST_BLOCKS:
            return self.blocks
        return {block: one for block, one in self.blocks.items() if block in wanted}


class PartialAnswers:
    """Every question that is kept in parts."""

    def __init__(
        self, root: duckdb.DuckDBPyConnection, sql: sa.Engine, commits: CommitNotes
    ) -> None:
        root.execute("ATTACH ':memory:' AS kept")
        self._root, self._sql, self._commits = root, sql, commits
        # Those that were slow, the last used at the end; none for what is not kept in parts.
        self._shapes: OrderedDict[Hashable, _Shape | None] = OrderedDict()
        self._lock = threading.Lock()
        self._numbers = count()
        self._last = (-1, -1)  # as of which commit, and the number of its last event

    def ask(self, asked: Grouping, ask: Asking) -> tuple[list[str], Sequence[Any]]:
        """The answer, from parts where they are kept; `ask` is how it is asked otherwise."""
        with self._lock:
            if (shape := self._shapes.get(asked.form.shape)) is not None:
                self._shapes.move_to_end(asked.form.shape)
        if shape is not None:
            with shape.lock:
                if (found := self._answer(asked, shape, ask)) is not None:
                    return found
        start = time.monotonic()
        found = self.ask_whole(asked, ask)
        if time.monotonic() - start >= SLOW and self._pays(asked):
            self._keep(asked)
        return found

    def _pays(self, asked: Grouping) -> bool:
        """Whether a question that was slow can be asked in parts, is not yet, and is of many
        events."""
        if asked.form.shape is None or asked.form.shape in self._shapes:
            return False
        with self._sql.connect() as connection:
            count = connection.exec_driver_sql(WITHIN, asked.window).scalar_one()
            return bool(count >= LEAST_EVENTS)

    def ask_whole(self, asked: Grouping, ask: Asking) -> tuple[list[str], Sequence[Any]]:
        """The answer, whatever is kept."""
        with self._sql.connect() as connection:
            return _fetched(connection, ask(asked, connection))

    def ask_rows(self, asked: Grouping, outer: Text, ask: Asking) -> Sequence[Any]:
        """The rows of a statement over what answers a question, as if that were `events`; what is
        asked may be in several rows of the same keys."""
        if (shape := self._keep(asked)) is not None:
            with shape.lock:
                if (found := self._answer(asked, shape, ask, outer)) is not None:
                    return found[1]
        with self._sql.connect() as connection:
            sql, parameters = ask(asked, connection)
            return _fetched(connection, (outer.over(sql), (*outer.parameters, *parameters)))[1]

    def _keep(self, asked: Grouping) -> _Shape | None:
        """Have a question in parts when it is asked the next time."""
        try:
            layout_of(asked.form)
            shape = _Shape(f"p{next(self._numbers)}")
        except Undecomposable:
            shape = None
        with self._lock:
            return self._shapes.setdefault(asked.form.shape, shape)

    def _answer(
        self, asked: Grouping, shape: _Shape, ask: Asking, outer: Text | None = None
    ) -> tuple[list[str], Sequence[Any]] | None:
        """The answer (to `outer` over its parts), the table brought up to date for it; None where
        it has to be asked."""
        if self._shapes.get(asked.form.shape) is not shape:
            return None
        layout = layout_of(asked.form)
        with self._sql.connect() as connection:
            if (now := self._blocks_now(asked.window, connection)) is None:
                return None
            kept, rows = self._up_to_date(now, layout, shape, connection, ask)
            if rows > MOST_ROWS // 2:
                connection.rollback()
                self._shapes[asked.form.shape] = None
                self._drop(shape)
                return None
            parts = shape.table, *_parts(asked, now, kept)
            if outer is None:
                statement = layout.answer(*parts)
            else:
                statement = outer.over(layout.parts(*parts)), outer.parameters
            found = _fetched(connection, statement)
            connection.commit()
        shape.blocks, shape.rows, shape.created = kept, rows, True
        self._make_room()
        return found

    def _up_to_date(
        self,
        now: Mapping[Block, _Kept],
        layout: Layout,
        shape: _Shape,
        connection: sa.Connection,
        ask: Asking,
    ) -> tuple[dict[Block, _Kept], int]:
        """The blocks of a table once it has what is wanted now, and how many rows it has then."""
        kept = shape.fitting(now)
        made = {
            block: replace(one, number=next(self._numbers))
            for block, one in now.items()
            if block not in kept or kept[block].outdated(one)
        }
        kept = kept | made
        if shape.created and kept == shape.blocks:
            return kept, shape.rows
        return kept, _fill(connection, layout, shape, made, kept, ask)

    def _blocks_now(self, window: Stretch, connection: sa.Connection) -> dict[Block, _Kept] | None:
        """The blocks of a window as they are in the snapshot that the connection has from now on;
        None where commits came in between all the time."""
        changed, written = self._commits.changed, self._commits.written
        for _ in range(ATTEMPTS):
            number = self._commits.number()
            upto = self._snapshot(connection, number)
            found = {
                block: _Kept(0, changed.of(stretch(block)), written.of(stretch(block)), upto)
                for block in _blocks(window)
            }
            if self._commits.number() == number:
                self._last = number, upto
                return found
            connection.rollback()
        return None

    def _snapshot(self, connection: sa.Connection, number: int) -> int:
        """The number of the last event in the snapshot that a connection has from now on; `number`
        is that of the last commit before it."""
        known, before = self._last
        if known == number:
            connection.exec_driver_sql(PINNED)
            return before
        last = connection.exec_driver_sql(
            f"SELECT max(sequence) FROM events WHERE sequence >= {before}"
        ).scalar()
        return before if last is None else int(last)

    def _make_room(self) -> None:
        """Drop the tables used longest ago while there are too many rows, but for those in use."""
        with self._lock:
            shapes = [(key, shape) for key, shape in self._shapes.items() if shape]
            rows = sum(shape.rows for _, shape in shapes)
            while rows > MOST_ROWS or len(self._shapes) > MOST_SHAPES:
                if not shapes:
                    break
                key, shape = shapes.pop(0)
                if shape.lock.acquire(blocking=False):
                    rows -= shape.rows
                    del self._shapes[key]
                    self._drop(shape)
                    shape.lock.release()

    def _drop(self, shape: _Shape) -> None:
        with closing(self._root.cursor()) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS kept.{shape.table}")


def _fill(
    connection: sa.Connection,
    layout: Layout,
    shape: _Shape,
    made: Mapping[Block, _Kept],
    kept: Mapping[Block, _Kept],
    ask: Asking,
) -> int:
    """Put blocks into the table, take out all that are not kept; how many rows it has then."""
    if not shape.created:
        connection.exec_driver_sql(layout.table(shape.table))
    if gone := [one.number for block, one in shape.blocks.items() if kept.get(block) is not one]:
        listed = ", ".join(map(str, gone))
        connection.exec_driver_sql(f"DELETE FROM kept.{shape.table} WHERE {BLOCK} IN ({listed})")
    for names, grouping in layout.faces([(block, one.number) for block, one in made.items()]):
        sql, parameters = ask(grouping, connection)
        listed = ", ".join(names)
        insert = f"INSERT INTO kept.{shape.table} ({listed}) SELECT {listed} FROM ({sql})"
        connection.exec_driver_sql(insert, parameters)
    counted = connection.exec_driver_sql(f"SELECT count(*) FROM kept.{shape.table}")
    return int(counted.scalar_one())


def _blocks(window: Stretch) -> Iterator[Block]:
    """The blocks of the whole quarters of an hour in a window."""
    return blocks(-(-window[0] // QUARTER), window[1] // QUARTER)


def _parts(
    asked: Grouping, now: Mapping[Block, _Kept], kept: Mapping[Block, _Kept]
) -> tuple[list[int], dict[str, str]]:
    """The numbers of the blocks of a question, and which events stand beside them."""
    later = [(b, kept[b].upto) for b, one in now.items() if kept[b].written != one.written]
    return [kept[block].number for block in now], _rest(asked.window, list(now), later)


def _rest(
    window: Stretch, wanted: Sequence[Block], later: Sequence[tuple[Block, int]]
) -> dict[str, str]:
    """Which events of a window no block holds, as SQL; `later` are blocks with what they hold
    events up to."""
    whole = [(stretch(wanted[0])[0], stretch(wanted[-1])[1])] if wanted else []
    found = {}
    if ragged := without([window], whole):
        found["ragged"] = in_stretches("events.ts", ragged)
    if later:
        since: dict[int, list[Stretch]] = {}
        for block, number in later:
            since.setdefault(number, []).append(stretch(block))
        each = (
            f"events.sequence > {number} AND {in_stretches('events.ts', merged(stretches))}"
            for number, stretches in since.items()
        )
        found["later"] = f"events.sequence > {min(since)} AND ({' OR '.join(each)})"
    return found


def _fetched(connection: sa.Connection, statement: Statement) -> tuple[list[str], Sequence[Any]]:
    result = connection.exec_driver_sql(*statement)
    return list(result.keys()), result.fetchall()
