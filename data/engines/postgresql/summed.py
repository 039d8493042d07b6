"""A question answered from sums of whole days, and from the events of all others.

```
parts    rows of a level of sums, of the days for which these hold
         UNION ALL the other events of the window, each as a row of one
  ↓ GROUP BY
numbers  of a group, as the same question over the events, to the last digit
```

Keys stand in rows of sums as they stand in events, so the same expressions are asked of both:
scope, filters, groups. Each number is read at the level with the fewest rows that can say it, what
none can of the events; the numbers of a group are joined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import sqlalchemy as sa

from data.dialect import Expression, Latest
from data.engines.grouping import Form
from data.engines.levels import Level
from data.engines.partials import (
    COUNTED,
    KEYS,
    TIME,
    Leaf,
    Undecomposable,
    columns,
    counting,
    decomposed,
    key_of,
    keys_of,
    leaves,
    spelled,
    split_where,
    when,
)
from data.engines.rewriting import moved, reads_more
from data.events.table import EVENTS

# Places in a text: which rows of sums, and which events beside them.
OF_SUMS: Final[Expression] = sa.literal_column("{sums}", sa.Boolean)
OF_EVENTS: Final[Expression] = sa.literal_column("{events}", sa.Boolean)
TRUE: Final = sa.true()
PEOPLE: Final = frozenset({"user", "user_name", "project", "project_name"})


@dataclass(frozen=True)
class Kept:
    """A level as it is kept: its table, and the columns of its partials by their names."""

    level: Level
    table: str
    columns: Mapping[str, str]

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields of events that its rows have."""
        return tuple(dict.fromkeys(name for key in self.level.keys for name in KEYS[key]))

    def says(self, found: Sequence[Leaf], keys: frozenset[str], steady_for: int) -> bool:
        """Whether its rows can say what is made of these, in groups by these keys."""
        read = keys.union(*(one.keys for one in found))
        partials = {one.partial.name for one in found if one.partial is not None}
        return self.level.says(read, steady_for) and partials.issubset(self.columns)


def statement(asked: Form, kept: Sequence[Kept]) -> sa.Select[Any]:
    """The whole of it; raises `Undecomposable` if it is for the events alone."""
    parts = _levels(asked, kept)
    answered = {name for names in parts.values() for name in names}
    found = [_Question(_only(asked, names), kept[at]).statement() for at, names in parts.items()]
    if others := [name for name in asked.values if name not in answered]:
        found.append(_only(asked, others).statement())
    return asked.sorted(_joined(asked, found))


def _only(asked: Form, names: Iterable[str]) -> Form:
    return asked.only({name: asked.values[name] for name in names})


def _levels(asked: Form, kept: Sequence[Kept]) -> dict[int, list[str]]:
    """Which values to read at which level, by its place."""
    keys = [asked.people.read(key) for key in asked.keys.values()]
    of_keys, rest = split_where(asked.where)
    every = keys_of(of_keys).union(key_of(key) for key in keys if columns(key) != TIME)
    # Rows of which no event is meant are no group's.
    usable = {at: one for at, one in enumerate(kept) if counting(rest) in one.columns}
    found: dict[int, list[str]] = {}
    for name, value in asked.values.items():
        said = addable(asked.people.read(value), rest)
        if not said or (not keys and all(map(_is_end, said))):  # the first and last have an index
            continue
        fitting = (n for n, one in usable.items() if one.says(said, every, asked.steady_for))
        if (at := next(fitting, None)) is not None:
            found.setdefault(at, []).append(name)
    if not found:
        raise Undecomposable
    return found


def addable(value: Expression, rest: Expression = TRUE) -> list[Leaf]:
    """What sums have to say for a number of the events that meet a condition; nothing where they
    cannot."""
    try:
        found = [leaf.within(rest) for leaf in leaves(value)]
        known = all(one.adds_up and one.keys is not None for one in found)
    except Undecomposable:
        return []
    return found if known else []


def _is_end(leaf: Leaf) -> bool:
    """Whether it is the first or last moment."""
    partial = leaf.partial
    of_time = partial is not None and partial.value is not None and columns(partial.value) == TIME
    return of_time and leaf.value is None and leaf.function in ("min", "max")


def _joined(asked: Form, parts: Sequence[sa.Select[Any]]) -> sa.Select[Any]:
    """Statements about the same groups as one."""
    first, *others = (part.subquery(f"part{place}") for place, part in enumerate(parts))
    tables: sa.FromClause = first
    for other in others:
        tables = tables.join(other, _same(asked, first, other))
    keys = [first.c[name] for name in asked.keys]
    values = {name: column for part in (first, *others) for name, column in part.c.items()}
    return sa.select(*keys, *(values[name] for name in asked.values)).select_from(tables)


def by_people(kept: Kept, of_sums: str, of_events: str) -> str:
    """SQL of users and projects, with how often they stand in events (`weight`): of rows of sums
    and of events that meet these conditions."""
    names, counted = ", ".join(f'"{name}"' for name in sorted(PEOPLE)), kept.columns[COUNTED.name]
    return (
        f"SELECT {names}, CAST({counted} AS INTEGER) AS weight FROM {kept.table} AS sums"
        f" WHERE {of_sums} UNION ALL SELECT {names}, 1 FROM events WHERE {of_events}"
    )


def _same(asked: Form, one: sa.FromClause, other: sa.FromClause) -> Expression:
    """That two rows are of the same group. What is null is the same in arrays, which unlike IS NOT
    DISTINCT FROM are joined by their hashes."""
    if not asked.keys:
        return sa.true()
    return sa.literal_column(f"{_array(asked, one)} = {_array(asked, other)}", sa.Boolean)


def _array(asked: Form, part: Any) -> str:
    """The keys of a part's rows as one value."""
    texts = (f'CAST({part.name}."{name}" AS TEXT)' for name in asked.keys)
    return f"ARRAY[{', '.join(texts)}]"


class _Question:
    """A question whose values one level can say, being put together."""

    def __init__(self, asked: Form, kept: Kept) -> None:
        self._asked, self._kept = asked, kept
        names = ("ts", *kept.keys, *kept.columns.values())
        self._rows = sa.table(kept.table, *(sa.column(name) for name in names)).alias("sums")
        of_keys, self._rest = split_where(asked.where)
        self._where = moved(of_keys, self._rows.c)
        if not isinstance(self._rest, sa.True_):
            counted = self._rows.c[kept.columns[counting(self._rest)]]
            self._where = sa.and_(self._where, counted > 0)
        self._names: dict[str, str] = {}
        self._of_sums: list[Expression] = []
        self._of_events: list[Expression] = []
        keys = {name: self._read(asked.people.read(key)) for name, key in asked.keys.items()}
        self._keys = [key.label(name) for name, key in keys.items()]
        self._values = [
            decomposed(asked.people.read(value), self._aggregate).label(name)
            for name, value in asked.values.items()
        ]

    def statement(self) -> sa.Select[Any]:
        """The whole of it, in no order."""
        asked = self._asked
        parts = sa.union_all(
            self._select(self._of_sums, self._rows).where(OF_SUMS, self._where),
            self._select(self._of_events, EVENTS).where(OF_EVENTS, asked.where),
        ).subquery("parts")
        return sa.select(*self._keys, *self._values).select_from(parts).group_by(*self._keys)

    def _select(self, made: Sequence[Expression], rows: sa.FromClause) -> sa.Select[Any]:
        merged = any(map(reads_more, self._of_events))
        named = (one.label(f"c{place}") for place, one in enumerate(made))
        return sa.select(*named).select_from(self._asked.people.joined(rows) if merged else rows)

    def _add(self, what: str, of_sums: Expression, of_event: Expression) -> Expression:
        """The column of parts for something, added once."""
        if what not in self._names:
            self._names[what] = f"c{len(self._names)}"
            self._of_sums.append(of_sums)
            self._of_events.append(of_event)
        return sa.literal_column(f"parts.{self._names[what]}", of_sums.type)

    def _read(self, value: Expression) -> Expression:
        """What is the same for all events of a row."""
        return self._add(spelled(value), moved(value, self._rows.c), value)

    def _aggregate(self, leaf: Leaf) -> Any:
        """An aggregate over parts."""
        leaf = leaf.within(self._rest)
        if leaf.partial is None:
            value = self._read(when(leaf.condition, cast(Expression, leaf.value)))
            if leaf.function == "max":
                return sa.func.max(value)
            return sa.func.count(sa.distinct(value))
        part = self._partial(leaf)
        if leaf.value is not None:
            return Latest(self._read(leaf.value), part).filter(part.is_not(None))
        if leaf.function == "count":
            return sa.cast(sa.func.coalesce(sa.func.sum(part), 0), sa.BigInteger)
        return getattr(sa.func, leaf.function)(part)

    def _partial(self, leaf: Leaf) -> Expression:
        """The column of parts for the partial of a leaf, where its condition holds."""
        partial, condition = leaf.partial, leaf.condition
        if partial is None:
            raise Undecomposable
        column = sa.type_coerce(self._rows.c[self._kept.columns[partial.name]], sa.BigInteger)
        of_sums = when(moved(condition, self._rows.c), column)
        of_event = when(condition, partial.one)
        return self._add(f"{partial.name}, {spelled(condition)}", of_sums, of_event)
