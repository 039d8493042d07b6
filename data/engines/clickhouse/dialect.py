"""The constructs of `data.dialect` in ClickHouse's words, and what standard SQL means elsewhere."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect
from clickhouse_connect.cc_sqlalchemy.sql.compiler import ChStatementCompiler
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from data.dialect import EachOf, Latest, MonthStart, Percentile, PerGroup, Place

NAME: Final = "clickhousedb"
STATISTICS: Final = {
    "min": "arrayMin({0})", "max": "arrayMax({0})", "avg": "arrayAvg({0})",
    "median": "arrayReduce('quantileExactInclusive(0.5)', {0})",
}  # fmt: skip
# What a filter has before characters that would mean something to LIKE.
ESCAPED: Final = "'/([/%%_])', '\\\\1'"


class Compiler(ChStatementCompiler):
    """SQL as the query layer means it."""

    def group_by_clause(self, select: Any, **options: Any) -> str:
        """By what is read, never by what it is called: a name may be that of a column, too."""
        spell: Any = SQLCompiler.group_by_clause
        return str(spell(self, select, **options))

    def visit_bindparam(self, bindparam: Any, *_: Any, **options: Any) -> str:
        """Large numbers are signed here: they stand beside others that are below zero."""
        spell: Any = super().visit_bindparam
        text = str(spell(bindparam, **options))
        signed = isinstance(bindparam.type, sa.BigInteger) and not bindparam.expanding
        return f"toInt64({text})" if signed else text

    def visit_lower_func(self, function: Any, **options: Any) -> str:
        (text,) = function.clauses
        return f"lowerUTF8({self.process(text, **options)})"

    def visit_icontains_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002
        return self._holds(binary, "lowerUTF8({})", options)

    def visit_contains_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002
        return self._holds(binary, "{}", options)

    def visit_not_icontains_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:  # noqa: ARG002
        return f"NOT {self._holds(binary, 'lowerUTF8({})', options)}"

    def _holds(self, binary: Any, letters: str, options: Any) -> str:
        """Whether a text stands in another, letter by letter: LIKE has no word for ESCAPE."""
        whole, part = (self.process(one, **options) for one in (binary.left, binary.right))
        if binary.modifiers.get("escape"):
            part = f"replaceRegexpAll({part}, {ESCAPED})"
        return f"(position({letters.format(whole)}, {letters.format(part)}) > 0)"


class Dialect(ClickHouseDialect):
    """That of clickhouse-connect with our words."""

    statement_compiler = Compiler
    supports_statement_cache = False
    supports_simple_order_by_label = False


def text_of(statement: Any) -> str:
    """A statement with its values in it, as `exec_driver_sql` takes it."""
    made = statement.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    return str(made).replace("%%", "%")


DIALECT: Final = Dialect(paramstyle="pyformat")


@compiles(Latest, NAME)
def _latest(element: Latest, compiler: SQLCompiler, **options: Any) -> str:
    """Of equally late ones the first in order, as in every engine; null is none."""
    value, at = (compiler.process(one, **options) for one in element.clauses)
    return f"argMin({value}, (-({at}), {value}))"


@compiles(Percentile, NAME)
def _percentile(element: Percentile, compiler: SQLCompiler, **options: Any) -> str:
    """Where a share of all is a whole number of them, the last of those and not the one after: a
    hair below the share, less than one of ten milliards makes of it."""
    value, share = (compiler.process(one, **options) for one in element.clauses)
    return f"quantileExact({share} - 1e-12)({value})"


@compiles(PerGroup, NAME)
def _per_group(element: PerGroup, compiler: SQLCompiler, **options: Any) -> str:
    group, condition, *weight = (compiler.process(one, **options) for one in element.clauses)
    count = f"toInt64(greatest(coalesce({weight[0]}, 1), 1))" if weight else "toInt64(1)"
    met = f"({condition}) AND {group} IS NOT NULL"
    counts = f"sumMapIf([assumeNotNull({group})], [{count}], {met}).2"
    return f"if(empty({counts}), NULL, {STATISTICS[element.statistic].format(counts)})"


@compiles(MonthStart, NAME)
def _month_start(element: MonthStart, compiler: SQLCompiler, **options: Any) -> str:
    local = compiler.process(element.clauses.clauses[0], **options)
    month = f"toStartOfMonth(fromUnixTimestamp64Micro(toInt64({local}), 'UTC'))"
    return f"toInt64(toUnixTimestamp(toDateTime({month}, 'UTC'))) * 1000000"


@compiles(Place, NAME)
def _place(element: Place, compiler: SQLCompiler, **options: Any) -> str:
    value, width = (compiler.process(one, **options) for one in element.clauses)
    return f"intDiv({value}, {width})"


@compiles(EachOf, NAME)
def _each_of(element: EachOf, _: SQLCompiler, **__: Any) -> str:
    """Each of several lists by the same number, which counts up once for all of them."""
    texts = element.clauses.clauses[0].clause.effective_value
    known = ", ".join("NULL" if one is None else quoted(one) for one in texts)
    every = f"CAST([{known}] AS Array(Nullable(String)))".replace("%", "%%")
    return f"{every}[arrayJoin(range(1, {len(texts) + 1}))]"


def quoted(text: str) -> str:
    """A text as ClickHouse reads it between quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
