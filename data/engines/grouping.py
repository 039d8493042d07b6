"""A question that groups events and makes numbers of each group, as every engine can answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from data.access.people import People
from data.dialect import Expression


@dataclass(frozen=True)
class Grouping:
    """`keys` and `values` (aggregates) by name, as expressions over `EVENTS`, of the events of a
    window `[start, end)` (µs UTC) that meet `where`, which names that window too.

    `people` is whose ids are merged; `order` holds (name, descending). `by_quarter_hour` says that
    whatever the expressions make of `ts` is the same all through a quarter of an hour.
    """

    keys: Mapping[str, Expression]
    values: Mapping[str, Expression]
    where: Expression
    people: People
    window: tuple[int, int]
    by_quarter_hour: bool
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0

    def statement(self) -> sa.Select[Any]:
        """The question over the events themselves."""
        keys = [key.label(name) for name, key in self.keys.items()]
        values = [value.label(name) for name, value in self.values.items()]
        statement: sa.Select[Any] = sa.select(*keys, *values).group_by(*keys)
        statement = self.people.reading(statement).where(self.where)
        return self.sorted(statement)

    def only(self, values: Mapping[str, Expression]) -> Grouping:
        """The same groups with these values alone, in no order."""
        return replace(self, values=values, order=(), limit=None, offset=0)

    def sorted(self, statement: sa.Select[Any]) -> sa.Select[Any]:
        """A statement with these columns, in order and cut off; groups that tie by their keys."""
        columns = statement.selected_columns
        order = [*self.order, *((name, False) for name in self.keys)]
        named = ((columns[name], descending) for name, descending in order)
        ordered = [(c.desc() if down else c.asc()).nulls_last() for c, down in named]
        return statement.order_by(*ordered).limit(self.limit).offset(self.offset or None)
