"""The columns in which a question is kept in parts: of what its numbers are put together.

A row has keys, and either sums of the events of a block that agree in them, or one value of those
that are counted; what a column does not tell of is null. An event is a row of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from data.dialect import Expression, Latest
from data.engines.duckdb.texts import Text, compiled
from data.engines.grouping import Form, Grouping
from data.engines.partials import QUARTER, Leaf, Partial, Undecomposable, decomposed, spelled, when
from data.engines.versions import OF_A_DAY, Block, Stretch, stretch
from data.events.table import EVENTS

BLOCK: Final = "block"
DAY: Final = OF_A_DAY * QUARTER
MOST_LAYOUTS: Final = 512


@dataclass(frozen=True)
class _Column:
    """What a number is put together of: `of_many` events, where `condition` holds; without, each
    different `value`. `face` names the column whose different values have rows of their own."""

    name: str
    value: Expression
    condition: Expression
    of_many: Expression | None = None
    face: str = ""

    @property
    def of_one(self) -> Expression:
        """It of a single event."""
        return when(self.condition, self.value)


class Layout:
    """The columns for a question; raises `Undecomposable` if it cannot be put together."""

    def __init__(self, asked: Form) -> None:
        self._asked = asked
        self._texts: dict[tuple[str, ...], Text] = {}
        self._rows: dict[tuple[str, ...], Text] = {}
        self._columns: dict[str, _Column] = {}
        self._keys = {f"k{place}": key for place, key in enumerate(asked.keys.values())}
        self._values = {name: decomposed(value, self._put) for name, value in asked.values.items()}

    def _put(self, leaf: Leaf) -> Expression:
        """The number in the place of an aggregate, of columns that are added once."""
        if not leaf.adds_up:
            raise Undecomposable
        partial, condition = leaf.partial, leaf.condition
        if partial is None:
            value: Any = leaf.value
            if leaf.function == "max":
                largest = sa.func.max(value).filter(condition)
                return sa.func.max(self._add("max", value, condition, largest))
            return sa.func.count(sa.distinct(self._add("value", value, condition)))
        if leaf.value is not None:
            distinct = self._add(f"latest at {partial.name}", leaf.value, condition)
            at = self._add_partial(partial, condition, distinct.name.removeprefix("parts."))
            return Latest(distinct, at)
        column = self._add_partial(partial, condition)
        if leaf.function == "count":
            added = sa.func.coalesce(sa.func.sum(column), sa.literal_column("0"))
            return sa.cast(added, sa.BigInteger)
        made: Expression = getattr(sa.func, leaf.function)(column)
        return made

    def _add_partial(self, partial: Partial, condition: Expression, face: str = "") -> Any:
        both = replace(partial, condition=sa.and_(condition, partial.condition))
        of_many = sa.cast(both.sql, sa.BigInteger)
        return self._add(f"{partial.name} of", partial.one, condition, of_many, face)

    def _add(
        self,
        what: str,
        value: Expression,
        condition: Expression,
        of_many: Expression | None = None,
        face: str = "",
    ) -> Any:
        """A column of the parts."""
        what = f"{what} {spelled(value)}, {spelled(condition)}, {face}"
        name = f"c{len(self._columns)}"
        column = _Column(name, value, condition, of_many, face if of_many is not None else name)
        column = self._columns.setdefault(what, column)
        return sa.literal_column(f"parts.{column.name}", value.type)

    def table(self, name: str) -> str:
        """The statement that makes the table."""
        columns = self._keys | {one.name: one.value for one in self._columns.values()}
        listed = "".join(f", {column} {_type(value)}" for column, value in columns.items())
        return f"CREATE TABLE kept.{name} ({BLOCK} BIGINT{listed})"

    def faces(self, blocks: Sequence[tuple[Block, int]]) -> Iterator[tuple[list[str], Grouping]]:
        """What fills the table for blocks, each by its number: columns, and the rows that have
        them. Those of whole days may be read from coarser sums."""
        for most, of_days in ((DAY, True), (QUARTER, False)):
            found = [(stretch(b), n) for b, n in blocks if (b[0] >= OF_A_DAY) is of_days]
            for face, distinct in self._distinct().items() if found else ():
                yield self._face(face, distinct, found, min(most, self._asked.steady_for))

    def _face(
        self,
        face: str,
        distinct: _Column | None,
        stretches: Sequence[tuple[Stretch, int]],
        steady_for: int,
    ) -> tuple[list[str], Grouping]:
        moment = EVENTS.c.ts
        numbers: Any = ((between(moment, one), sa.literal_column(str(n))) for one, n in stretches)
        keys = {BLOCK: sa.cast(sa.case(*numbers), sa.BigInteger), **self._keys}
        where = [self._asked.where, sa.or_(*(between(moment, one) for one, _ in stretches))]
        if distinct is not None:
            keys[face] = distinct.value
            where.append(distinct.condition)
        values = {
            one.name: one.of_many
            for one in self._columns.values()
            if one.face == face and one.of_many is not None
        }
        names = [*keys, *values]
        form = replace(
            self._asked, keys=keys, values=values or {"events": sa.func.count()},
            where=sa.and_(*where), steady_for=steady_for, order=(), limit=None, offset=0,
            shape=None,
        )  # fmt: skip
        ends = [moment for one, _ in stretches for moment in one]
        return names, Grouping(form, (min(ends), max(ends)))

    def _distinct(self) -> dict[str, _Column | None]:
        """The columns whose different values have rows of their own; of sums none."""
        columns = self._columns.values()
        return {"": None} | {one.name: one for one in columns if one.face == one.name}

    def answer(
        self, table: str, numbers: Sequence[int], rest: Mapping[str, str]
    ) -> tuple[str, tuple[Any, ...]]:
        """The question over the parts of a table that have these numbers and the events that meet
        one of some conditions, as SQL with its parameters."""
        if (text := self._texts.get(tuple(rest))) is None:
            text = self._texts[tuple(rest)] = compiled(self._statement(rest))
        return _filled(text, table, numbers, rest), text.parameters

    def parts(self, table: str, numbers: Sequence[int], rest: Mapping[str, str]) -> str:
        """SQL of those rows alone, under the names of the keys and values asked for, where each
        value is one column of sums, and nothing differs from reader to reader."""
        if (text := self._rows.get(tuple(rest))) is None:
            text = self._rows[tuple(rest)] = compiled(self._named(rest))
        return _filled(text, table, numbers, rest)

    def _named(self, rest: Iterable[str]) -> sa.Select[Any]:
        parts = self._union(rest)
        columns = zip((*self._asked.keys, *self._asked.values), parts.c, strict=True)
        named: list[Any] = [column.label(name) for name, column in columns]
        made: sa.Select[Any] = sa.select(*named)
        return made

    def _union(self, rest: Iterable[str]) -> sa.Subquery:
        columns = [*self._keys, *(one.name for one in self._columns.values())]
        named: list[Any] = [sa.column(one) for one in columns] or [sa.literal_column("1")]
        kept: Any = sa.select(*named)
        kept = kept.select_from(sa.text("{table}")).where(sa.text(f"{BLOCK} IN ({{numbers}})"))
        events = (self._of_events(sa.text(f"({{{name}}})")) for name in rest)
        return sa.union_all(kept, *events).subquery("parts")

    def _statement(self, rest: Iterable[str]) -> sa.Select[Any]:
        parts = self._union(rest)
        keys = [
            sa.literal_column(f"parts.{key}", value.type).label(name)
            for name, (key, value) in zip(self._asked.keys, self._keys.items(), strict=True)
        ]
        values = [value.label(name) for name, value in self._values.items()]
        grouped: sa.Select[Any] = sa.select(*keys, *values).select_from(parts)
        grouped = grouped.group_by(*(sa.literal_column(f"parts.{key}") for key in self._keys))
        return self._asked.sorted(grouped)

    def _of_events(self, condition: Any) -> sa.Select[Any]:
        keys = [value.label(key) for key, value in self._keys.items()]
        columns = [one.of_one.label(one.name) for one in self._columns.values()]
        statement = self._asked.people.reading(sa.select(*keys, *columns).select_from(EVENTS))
        return statement.where(self._asked.where, condition)


def _filled(text: Text, table: str, numbers: Sequence[int], rest: Mapping[str, str]) -> str:
    listed = ", ".join(map(str, numbers)) or "NULL"
    slots = {"table": f"kept.{table}", "numbers": listed, **rest}
    return text.filled(lambda name, _: slots[name])


@lru_cache(MOST_LAYOUTS)
def layout_of(form: Form) -> Layout:
    """The columns for a question, put together once."""
    return Layout(form)


def _type(value: Expression) -> str:
    return "TEXT" if isinstance(value.type, sa.String) else "BIGINT"


def between(moment: Expression, stretch: Stretch) -> Expression:
    return sa.and_(moment >= stretch[0], moment < stretch[1])
