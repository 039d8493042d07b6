"""The constructs of `data.dialect` in DuckDB's words."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from data.dialect import EachOf, Expression, Latest, MonthStart, Percentile, PerGroup, Place

# As text: a parameter made while compiling would be new to a statement that is compiled already.
NOTHING: Final[Expression] = sa.literal_column("0")
ONE: Final[Expression] = sa.literal_column("1")


@compiles(Percentile, "duckdb")
def _percentile(element: Percentile, compiler: SQLCompiler, **options: Any) -> str:
    value, share = element.clauses
    return compiler.process(func.percentile_disc(share).within_group(value), **options)


@compiles(Latest, "duckdb")
def _latest(element: Latest, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.arg_max(*element.clauses), **options)


@compiles(PerGroup, "duckdb")
def _per_group(element: PerGroup, compiler: SQLCompiler, **options: Any) -> str:
    group, condition, *weight = element.clauses
    counts = func.histogram(group).filter(condition)
    numbers = _weighed(counts, group, condition, *weight) if weight else func.map_values(counts)
    statistic: Expression = sa.literal_column(f"'{element.statistic}'")
    return compiler.process(func.list_aggregate(numbers, statistic), **options)


def _weighed(
    counts: Expression, group: Expression, condition: Expression, weight: Expression
) -> Expression:
    """The counts, each with what its heavier rows add: few if any, a list beside the counts."""
    heavy = func.list(func.row(group, weight - ONE)).filter(sa.and_(condition, weight > ONE))
    own = func.list_filter(heavy, sa.literal_column("lambda more: more[1] = one.key"))
    more = func.list_sum(func.list_transform(own, sa.literal_column("lambda mine: mine[2]")))
    count = sa.literal_column("lambda one: one.value", sa.BigInteger) + func.coalesce(more, NOTHING)
    return func.list_transform(func.map_entries(counts), count)


@compiles(MonthStart, "duckdb")
def _month_start(element: MonthStart, compiler: SQLCompiler, **options: Any) -> str:
    (local,) = element.clauses
    month = func.date_trunc(sa.literal_column("'month'"), func.make_timestamp(local))
    return compiler.process(func.epoch_us(month), **options)


@compiles(Place, "duckdb")
def _place(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    value, width = (compiler.process(one, **options) for one in element.clauses)
    # Small keys take two thirds of the time to group by.
    return f"CAST(({value}) // {width} AS UTINYINT)"


@compiles(EachOf, "duckdb")
def _each_of(element: EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.unnest(*element.clauses), **options)
