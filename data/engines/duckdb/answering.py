"""A question about events, answered from sums: each of its numbers from the level with the fewest
rows that can say it, and from the events what none can; joined to one answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from data.dialect import Expression
from data.engines.duckdb.coverage import Summed
from data.engines.duckdb.levels import Level, level
from data.engines.duckdb.summed import Numbers, SummedQuestion
from data.engines.grouping import Form
from data.engines.partials import TIME, Undecomposable, columns, key_of, keys_of, leaves


def statement(asked: Form, summed: Summed, numbers: Numbers) -> sa.Select[Any]:
    """The whole of it; raises `Undecomposable` if it is for the events alone."""
    parts = _levels(asked, summed)
    answered = {name for names in parts.values() for name in names}
    found = [
        SummedQuestion(_only(asked, names), level, summed, numbers, place).statement()
        for place, ((level, _), names) in enumerate(parts.items())
    ]
    if others := [name for name in asked.values if name not in answered]:
        found.append(_only(asked, others).statement())
    return asked.sorted(_joined(asked, found))


def _levels(asked: Form, summed: Summed) -> dict[tuple[Level, bool], list[str]]:
    """Which values to read where; names and the like (True) apart from others, as there are few
    different ones to look up."""
    if not asked.steady_for:
        raise Undecomposable
    keys = [asked.people.read(key) for key in asked.keys.values()]
    every = keys_of(asked.where).union(key_of(key) for key in keys if columns(key) != TIME)
    found: dict[tuple[Level, bool], list[str]] = {}
    for name, value in asked.values.items():
        try:
            read, looked_up = _needs(asked.people.read(value), summed)
        except Undecomposable:
            continue
        where = level(every | read, asked.steady_for)
        found.setdefault((where, looked_up), []).append(name)
    if not found:
        raise Undecomposable
    return found


def _needs(value: Expression, summed: Summed) -> tuple[frozenset[str], bool]:
    """The keys of rows that say a value, and whether it is only looked up."""
    found = leaves(value)
    if any(one.partial and one.partial.name not in summed.columns for one in found):
        raise Undecomposable
    keys = frozenset().union(*(one.keys for one in found))
    return keys, all(one.looked_up and one.partial is None for one in found)


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
