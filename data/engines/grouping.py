"""A question that groups events and makes numbers of each group, as every engine can answer it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from data.access.people import People
from data.dialect import Expression
from data.events.table import EVENTS

# The ends of a window in the text of a statement: it is the same for all windows.
START: Final[Expression] = sa.literal_column("{start}", sa.BigInteger)
END: Final[Expression] = sa.literal_column("{end}", sa.BigInteger)


@dataclass(frozen=True, eq=False)
class Form:
    """What a question asks of any window, the same object each time that it is asked.

    `keys` and `values` (aggregates) by name, as expressions over `EVENTS`, of the events that meet
    `where`. `people` is whose ids are merged; `order` holds (name, descending). What the
    expressions make of `ts` is the same all through each stretch of UTC of `steady_for` µs. `shape`
    is the same for a reader's question about any window; with None nothing is kept for the next.
    """

    keys: Mapping[str, Expression]
    values: Mapping[str, Expression]
    where: Expression
    people: People
    steady_for: int
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    shape: Hashable = None

    def statement(self) -> sa.Select[Any]:
        """The question over the events themselves, of the window from `START` to `END`."""
        keys = [key.label(name) for name, key in self.keys.items()]
        values = [value.label(name) for name, value in self.values.items()]
        statement: sa.Select[Any] = sa.select(*keys, *values).group_by(*keys)
        within = sa.and_(EVENTS.c.ts >= START, EVENTS.c.ts < END, self.where)
        return self.sorted(self.people.reading(statement).where(within))

    def only(self, values: Mapping[str, Expression]) -> Form:
        """The same groups with these values alone, in no order."""
        return replace(self, values=values, order=(), limit=None, offset=0)

    def sorted(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """A statement with these columns, in order and cut off; groups that tie by their keys."""
        columns = statement.selected_columns
        order = [*self.order, *((name, False) for name in self.keys)]
        named = ((columns[name], descending) for name, descending in order)
        ordered = [(c.desc() if down else c.asc()).nulls_last() for c, down in named]
        return statement.order_by(*ordered).limit(self.limit).offset(self.offset or None)


@dataclass(frozen=True)
class Names:
    """The users or projects (`field`) of the events of all time that meet `where`, which reads
    users, projects and their names alone; the most active first."""

    field: str
    naming: str
    where: Expression
    people: People
    limit: int

    def statement(self, weight: Expression) -> sa.Select[Any]:
        """Value, name and how many events, each row of `events` counting by its weight."""
        value: Expression = self.people.read(EVENTS.c[self.field])
        name, count = sa.func.max(self.people.read(EVENTS.c[self.naming])), sa.func.sum(weight)
        found: sa.Select[Any] = sa.select(value, name, count).group_by(value).where(self.where)
        found = found.select_from(self.people.joined(EVENTS))
        return found.order_by(count.desc(), value.asc().nulls_last()).limit(self.limit)


@dataclass(frozen=True)
class Grouping:
    """A form asked of the events of a window `[start, end)` (µs UTC)."""

    form: Form
    window: tuple[int, int]
