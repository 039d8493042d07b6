"""What a metric is, and the words its SQL is built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy import func

from data.dialect import Expression, Latest, Percentile, PerGroup, Statistic
from data.events.table import BILLED, EVENTS, TOKENS
from data.query.units import Unit

Better = Literal["more", "less", "neither"]

E = EVENTS.c
CALL: Final = E.kind == "llm"
LLM: Final = frozenset({"llm"})
PAID: Final = frozenset(BILLED)  # calls, and what was refunded or corrected
ADJUSTMENT: Final = E.kind == "adjustment"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A number made of events, in SQL.

    It counts those that meet `condition` (none: every one), or of them the different values of
    `distinct`. What is put together of others, as a ratio is, counts every event.
    """

    sql: Expression
    condition: Expression | None = None
    distinct: Expression | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A number about a set of events. `kinds` limits a query to the events it speaks of.

    `aggregate` says how it is made, or is a function of an event's local time that says so.
    """

    name: str
    label: str
    unit: Unit
    aggregate: Aggregate | Callable[[Expression], Aggregate]
    help: str
    kinds: frozenset[str] = frozenset()
    better: Better = "neither"
    additive: bool = True

    def of(self, local: Expression) -> Aggregate:
        """How the number is made, where local time is `local`."""
        return self.aggregate if isinstance(self.aggregate, Aggregate) else self.aggregate(local)


def total(column: Expression, condition: Expression | None = None) -> Aggregate:
    """A sum that every engine gives back as a 64-bit integer; null where none is known."""
    summed = func.sum(column)
    if condition is not None:
        return Aggregate(sa.cast(summed.filter(condition), sa.BigInteger), condition)
    return Aggregate(sa.cast(summed, sa.BigInteger))


def total_where(column: Expression, condition: Expression) -> Aggregate:
    """A sum over the events that meet a condition: zero over none, null where none is known."""
    known, met = func.sum(column).filter(condition), count_of(condition).sql
    return Aggregate(sa.cast(sa.case((met > 0, known), else_=0), sa.BigInteger), condition)


def count_of(condition: Expression) -> Aggregate:
    """How many events meet a condition."""
    return Aggregate(func.count().filter(condition), condition)


def calls(condition: Expression) -> Aggregate:
    """How many model calls meet a condition: an event that sums up many counts as many."""
    made = func.sum(func.coalesce(E.request_count, 1)).filter(condition)
    return Aggregate(sa.cast(func.coalesce(made, 0), sa.BigInteger), condition)


def distinct(column: Expression, condition: Expression | None = None) -> Aggregate:
    """How many different known values, where a condition holds."""
    counted = func.count(sa.distinct(column))
    sql = counted if condition is None else counted.filter(condition)
    return Aggregate(sql, condition, column)


def ratio(part: Aggregate, whole: Aggregate) -> Aggregate:
    """A fraction; null over nothing."""
    divisor = sa.cast(func.nullif(whole.sql, 0), sa.Double)
    return Aggregate(sa.cast(part.sql, sa.Double) / divisor)


def mean(column: Expression, condition: Expression) -> Aggregate:
    """The mean of the known values, in the column's own unit; null over none."""
    added, known = (made.filter(condition) for made in (func.sum(column), func.count(column)))
    return Aggregate(ratio(Aggregate(added), Aggregate(known)).sql, condition)


def largest(column: Expression, condition: Expression) -> Aggregate:
    """The largest known value."""
    return Aggregate(func.max(column).filter(condition), condition)


def percentile(column: Expression, share: float, condition: Expression) -> Aggregate:
    """The exact percentile as SQL's `percentile_disc`: a value that occurred."""
    return Aggregate(Percentile(column, share).filter(condition), condition)


def latest(value: Expression, condition: Expression) -> Aggregate:
    """The value of the last event that meets a condition and has one."""
    known = sa.and_(condition, value.is_not(None))
    return Aggregate(Latest(value, E.ts).filter(known), known)


def per_group(group: Expression, condition: Expression, statistic: Statistic) -> Aggregate:
    """A statistic of how many events each value of `group` has."""
    return Aggregate(PerGroup(statistic, group, condition))


def calls_per_group(group: Expression, condition: Expression, statistic: Statistic) -> Aggregate:
    """A statistic of how many model calls each value of `group` has."""
    return Aggregate(PerGroup(statistic, group, condition, E.request_count))


def all_tokens() -> Aggregate:
    """The four disjoint counts together; null where none of them is known."""
    sums = [total(E[name]).sql for name in TOKENS]
    added = sum((func.coalesce(part, 0) for part in sums[1:]), func.coalesce(sums[0], 0))
    return Aggregate(sa.case((func.coalesce(*sums).is_not(None), added)))


SPENT: Final = Aggregate(func.sum(E.cost_nano).filter(CALL))  # by calls, before refunds
CALL_TOKENS: Final = sum(
    (func.coalesce(E[name], 0) for name in TOKENS[1:]), func.coalesce(E[TOKENS[0]], 0)
)
USED: Final = sa.and_(CALL, func.coalesce(*(E[name] for name in TOKENS)).is_not(None))
