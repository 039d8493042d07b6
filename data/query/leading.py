"""What a list of the events behind a metric leads with, and by what it is sorted.

Both are read off the metric's declaration: the fields that its SQL is made of, but for those that
its condition fixes; no metric is known here by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from data.dialect import Expression
from data.events.table import EVENTS, TOKENS
from data.query.catalog import DIMENSIONS, Metric
from data.query.listing import COLUMNS, LATEST_FIRST, column_unit
from data.query.metric import E

# Where an event has the values that a metric is made of, but not as a column of its own.
_COLUMNS: Final = {"cost_nano": "cost", "request_count": "requests"}
_FAILED: Final = "error"


def leading(metric: Metric, by: Iterable[str] = ()) -> tuple[str, ...]:
    """The columns after the time: what the number is broken down `by`, what the metric is about,
    and its values."""
    own = [name for name in sorted(metric.kinds) if name in DIMENSIONS]
    found = [name for name in dict.fromkeys([*by, *own, *_texts(metric)]) if name in COLUMNS]
    return (*found, *(_values(metric) or _counts(metric)))


def ordered(metric: Metric) -> tuple[tuple[str, bool], ...]:
    """The largest first of what has a size; of what is only counted the newest."""
    return tuple((name, True) for name in _values(metric)[:1]) or LATEST_FIRST


def columns(metric: Metric, by: Iterable[str] = ()) -> tuple[str, ...]:
    """All columns of a list, the time and those that lead first."""
    return tuple(dict.fromkeys(("ts", *leading(metric, by), *COLUMNS)))


def _values(metric: Metric) -> tuple[str, ...]:
    """The columns with a size; how many calls an event sums up is none but a count."""
    fields = _fields(metric.of(E.ts).sql)
    if set(TOKENS) <= set(fields):
        fields = [name for name in fields if name not in TOKENS[1:]]
        fields = ["tokens" if name == TOKENS[0] else name for name in fields]
    listed = [_COLUMNS.get(name, name) for name in fields]
    sized = [name for name in listed if name in COLUMNS and name not in ("ts", "requests")]
    return tuple(name for name in dict.fromkeys(sized) if _has_size(name))


def _counts(metric: Metric) -> tuple[str, ...]:
    return ("requests",) if "request_count" in _fields(metric.of(E.ts).sql) else ()


def _has_size(name: str) -> bool:
    return column_unit(name).numeric


def _texts(metric: Metric) -> list[str]:
    """What is counted or told of each event; how it failed stands beside whether it did."""
    aggregate = metric.of(E.ts)
    fixed = set() if aggregate.condition is None else set(_fields(aggregate.condition))
    names = [name for name in _fields(aggregate.sql) if name not in {*fixed, "ts", "kind"}]
    if _about_failure(aggregate.condition, "status" in names):
        names.append("error_class")
    return [name for name in names if name in COLUMNS and not _has_size(name)]


def _about_failure(condition: Expression | None, has_status: bool) -> bool:
    if condition is None:
        return has_status
    bound = (one for one in visitors.iterate(condition) if isinstance(one, sa.BindParameter))
    return any(one.value == _FAILED for one in bound)


def _fields(sql: Expression) -> list[str]:
    """The fields of an event that an expression is made of."""
    found = (one for one in visitors.iterate(sql) if isinstance(one, sa.Column))
    return list(dict.fromkeys(one.name for one in found if one.table is EVENTS))
