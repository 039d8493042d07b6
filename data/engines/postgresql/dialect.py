"""The constructs of `data.dialect` in PostgreSQL's words, and what standard SQL means elsewhere."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql.base import PGCompiler
from sqlalchemy.dialects.postgresql.pg8000 import PGExecutionContext_pg8000
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from data.dialect import EachOf, Latest, MonthStart, Percentile, PerGroup, Place

# A parameter that stands in SELECT and in GROUP BY must be the same one to PostgreSQL.
PARAMSTYLE: Final = "numeric"
# Texts are compared byte by byte, as in every engine; only small letters need to know languages.
LETTERS: Final = 'COLLATE "und-x-icu"'
STATISTICS: Final = {
    "min": "min(n)",
    "max": "max(n)",
    "avg": "CAST(avg(n) AS DOUBLE PRECISION)",
    "median": "percentile_cont(0.5) WITHIN GROUP (ORDER BY n)",
}


class Context(PGExecutionContext_pg8000):
    """Has the driver take parameters by their number."""

    def create_default_cursor(self) -> Any:
        cursor: Any = super().create_default_cursor()
        cursor.paramstyle = PARAMSTYLE
        return cursor

    def create_server_side_cursor(self) -> Any:
        made: Any = super().create_server_side_cursor()  # type: ignore[no-untyped-call]
        made.cursor.paramstyle = PARAMSTYLE
        return made


class Compiler(PGCompiler):
    """SQL as the query layer means it."""

    def visit_lower_func(self, function: Any, **options: Any) -> str:
        (text,) = function.clauses
        return f"lower({self.process(text, **options)} {LETTERS})"

    def visit_ilike_case_insensitive_operand(self, element: Any, **options: Any) -> str:
        return f"lower({self.process(element.element, **options)} {LETTERS})"

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        return self._like(SQLCompiler.visit_ilike_op_binary, binary, operator, options)

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        return self._like(SQLCompiler.visit_not_ilike_op_binary, binary, operator, options)

    def _like(self, spell: Any, binary: Any, operator: Any, options: Any) -> str:
        """As for engines that have no ILIKE."""
        return str(spell(self, binary, operator, **options))

    def visit_funcfilter(self, funcfilter: Any, **options: Any) -> str:
        """The first of an array is no aggregate: the condition is the array's."""
        if not isinstance(funcfilter.func, Latest):
            spell: Any = super().visit_funcfilter
            return str(spell(funcfilter, **options))
        gathered = _gathered(funcfilter.func).filter(funcfilter.criterion)
        return f"({self.process(gathered, **options)})[1]"


def _gathered(latest: Latest) -> Any:
    """The values as an array, the last first."""
    value, at = latest.clauses
    return func.array_agg(aggregate_order_by(value, at.desc(), value))


@compiles(Latest, "postgresql")
def _latest(element: Latest, compiler: SQLCompiler, **options: Any) -> str:
    known = element.clauses.clauses[0].is_not(None)
    return f"({compiler.process(_gathered(element).filter(known), **options)})[1]"


@compiles(Percentile, "postgresql")
def _percentile(element: Percentile, compiler: SQLCompiler, **options: Any) -> str:
    value, share = element.clauses
    return compiler.process(func.percentile_disc(share).within_group(value), **options)


@compiles(PerGroup, "postgresql")
def _per_group(element: PerGroup, compiler: SQLCompiler, **options: Any) -> str:
    """Counts the rows of each group in a query over what the outer one gathered in arrays."""
    group, condition, *weight = element.clauses
    arrays = [compiler.process(func.array_agg(one).filter(condition), **options)
              for one in (group, *weight)]  # fmt: skip
    names = ("each", "weight")[: len(arrays)]
    count = "CAST(sum(greatest(coalesce(weight, 1), 1)) AS BIGINT)" if weight else "count(*)"
    return (
        f"(SELECT {STATISTICS[element.statistic]} FROM (SELECT {count} AS n"
        f" FROM unnest({', '.join(arrays)}) AS gathered({', '.join(names)})"
        " WHERE each IS NOT NULL GROUP BY each) AS counted)"
    )


@compiles(MonthStart, "postgresql")
def _month_start(element: MonthStart, compiler: SQLCompiler, **options: Any) -> str:
    """Of whole seconds: a fraction of seconds would be rounded."""
    (local,) = element.clauses
    seconds = f"div({compiler.process(local, **options)}, 1000000)"
    month = f"date_trunc('month', to_timestamp({seconds}) AT TIME ZONE 'UTC')"
    return f"CAST(extract(epoch FROM {month}) AS BIGINT) * 1000000"


@compiles(Place, "postgresql")
def _place(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    value, width = (compiler.process(one, **options) for one in element.clauses)
    return f"(({value}) / CAST({width} AS BIGINT))"


@compiles(EachOf, "postgresql")
def _each_of(element: EachOf, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(func.unnest(*element.clauses), **options)
