"""A question about events, answered from sums: each of its numbers from the level with the fewest
rows that can say it, and from the events what none can; joined to one answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from data.engines.duckdb.coverage import Summed
from data.engines.duckdb.levels import BY_ID, level
from data.engines.duckdb.summed import Numbers, SummedQuestion
from data.engines.grouping import Form
from data.engines.levels import Level
from data.engines.partials import (
    LIST,
    TIME,
    Leaf,
    Undecomposable,
    columns,
    counting,
    key_of,
    keys_of,
    leaves,
    split_where,
)


def statement(asked: Form, summed: Summed, numbers: Numbers) -> sa.Select[Any]:
    """The whole of it; raises `Undecomposable` if it is for the events alone."""
    parts = _levels(asked, summed)
    answered = {name for names in parts.values() for name in names}
    found = [
        SummedQuestion(_only(asked, names), part.level, summed, numbers, place).statement()
        for place, (part, names) in enumerate(parts.items())
    ]
    if others := [name for name in asked.values if name not in answered]:
        found.append(_only(asked, others).statement())
    return asked.sorted(_joined(asked, found))


class Part(NamedTuple):
    """Where to read values, and what keeps them apart from others: there are few different names
    to look up, many values of lists, and numbers of each conversation are those of it alone."""

    level: Level
    apart: Hashable = None


def _levels(asked: Form, summed: Summed) -> dict[Part, list[str]]:
    """Which values to read where."""
    if not asked.steady_for:
        raise Undecomposable
    keys = [asked.people.read(key) for key in asked.keys.values()]
    of_keys, rest = split_where(asked.where)
    if counting(rest) not in summed.columns:
        raise Undecomposable
    every = keys_of(of_keys).union(key_of(key) for key in keys if columns(key) != TIME)
    found: dict[Part, list[str]] = {}
    for name, value in asked.values.items():
        try:
            made = [leaf.within(rest) for leaf in leaves(asked.people.read(value))]
            part = _part(made, every, asked.steady_for, summed)
        except Undecomposable:
            continue
        found.setdefault(part, []).append(name)
    if not found:
        raise Undecomposable
    return found


def _part(found: Sequence[Leaf], keys: frozenset[str], steady_for: int, summed: Summed) -> Part:
    """Where to read a value of these leaves."""
    if any(one.partial and one.partial.name not in summed.columns for one in found):
        raise Undecomposable
    if not summed.identified.issuperset(one.of_id for one in found if one.id):
        raise Undecomposable
    apart = {_separate_key(one) for one in found} - {None}
    if len(apart) > 1 or (apart - {BY_ID} and not all(map(_separate_key, found))):
        raise Undecomposable
    lists = any(one.share is not None for one in found)
    read = keys.union(*(one.keys for one in found))
    names = all(one.looked_up and one.partial is None for one in found)
    return Part(level(read, steady_for, lists), next(iter(apart), "names" if names else None))


def _separate_key(leaf: Leaf) -> Hashable:
    """What keeps a leaf apart from sums, if anything does."""
    if leaf.statistic is not None and leaf.partial is not None:
        return leaf.of_id, leaf.partial.name
    if leaf.id:
        return BY_ID
    return None if leaf.share is None else LIST


def _only(asked: Form, names: Iterable[str]) -> Form:
    return asked.only({name: asked.values[name] for name in names})


def _joined(asked: Form, parts: list[sa.Select[Any]]) -> sa.Select[Any]:
    """Statements about the same groups as one."""
    first, *others = (part.subquery(f"part{place}") for place, part in enumerate(parts))
    tables: sa.FromClause = first
    values = {name: column for part in (first, *others) for name, column in part.c.items()}
    for other in others:
        same = [first.c[name].is_not_distinct_from(other.c[name]) for name in asked.keys]
        tables = tables.join(other, sa.and_(sa.true(), *same))
    keys = [first.c[name] for name in asked.keys]
    return sa.select(*keys, *(values[name] for name in asked.values)).select_from(tables)
