"""What a metric is, and the words its SQL is built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy import func

from data.dialect import Expression, Latest, Percentile, PerGroup, Statistic
from data.events.table import EVENTS, TOKENS

Unit = Literal["usd", "usd_each", "count", "number", "tokens", "share", "ms", "instant", "text"]
Better = Literal["more", "less", "neither"]

E = EVENTS.c
CALL: Final = E.kind == "llm"
LLM: Final = frozenset({"llm"})


@dataclass(frozen=True, slots=True)
class Metric:
    """A number about a set of events. `kinds` limits a query to the events it speaks of.

    The expression is SQL over `events`, or a function of an event's local time that makes it.
    """

    name: str
    label: str
    unit: Unit
    expression: Expression | Callable[[Expression], Expression]
    help: str
    kinds: frozenset[str] = frozenset()
    better: Better = "neither"
    additive: bool = True

    def of(self, local: Expression) -> Expression:
        """The SQL, where local time is `local`."""
        if isinstance(self.expression, sa.ColumnElement):
            return self.expression
        return self.expression(local)


def total(column: Expression) -> Expression:
    """A sum that every engine gives back as a 64-bit integer."""
    return sa.cast(func.sum(column), sa.BigInteger)


def total_where(column: Expression, condition: Expression) -> Expression:
    """A sum over the events that meet a condition: zero over none, null where none is known."""
    known = func.sum(column).filter(condition)
    return sa.cast(sa.case((count_of(condition) > 0, known), else_=0), sa.BigInteger)


def count_of(condition: Expression) -> Expression:
    """How many events meet a condition."""
    return func.count().filter(condition)


def calls(condition: Expression) -> Expression:
    """How many model calls meet a condition: an event that sums up many counts as many."""
    made = func.sum(func.coalesce(E.request_count, 1)).filter(condition)
    return sa.cast(func.coalesce(made, 0), sa.BigInteger)


def distinct(column: Expression, condition: Expression | None = None) -> Expression:
    """How many different known values, where a condition holds."""
    counted = func.count(sa.distinct(column))
    return counted if condition is None else counted.filter(condition)


def ratio(part: Expression, whole: Expression) -> Expression:
    """A fraction; null over nothing."""
    return sa.cast(part, sa.Double) / sa.cast(func.nullif(whole, 0), sa.Double)


def percentile(column: Expression, share: float, condition: Expression) -> Expression:
    """The exact percentile: a value that occurred."""
    return Percentile(column, share).filter(condition)


def latest(value: Expression, condition: Expression) -> Expression:
    """The value of the last event that meets a condition and has one."""
    return Latest(value, E.ts).filter(sa.and_(condition, value.is_not(None)))


def per_group(group: Expression, condition: Expression, statistic: Statistic) -> Expression:
    """A statistic of how many events each value of `group` has."""
    return PerGroup(statistic, group, condition)


def calls_per_group(group: Expression, condition: Expression, statistic: Statistic) -> Expression:
    """A statistic of how many model calls each value of `group` has."""
    return PerGroup(statistic, group, condition, E.request_count)


def all_tokens() -> Expression:
    """The four disjoint counts together; null where none of them is known."""
    sums = [total(E[name]) for name in TOKENS]
    added = sum((func.coalesce(part, 0) for part in sums[1:]), func.coalesce(sums[0], 0))
    return sa.case((func.coalesce(*sums).is_not(None), added))


CALL_TOKENS: Final = sum(
    (func.coalesce(E[name], 0) for name in TOKENS[1:]), func.coalesce(E[TOKENS[0]], 0)
)
USED: Final = sa.and_(CALL, func.coalesce(*(E[name] for name in TOKENS)).is_not(None))
