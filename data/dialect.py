"""What engines spell differently in SQL: a construct each, that says what is wanted and not how.

Metrics, buckets and the table of aliases are written in these and in standard SQL alone. The
package of an engine compiles each of them (`data/engines/duckdb/dialect.py`), which costs nothing
when a statement is asked again: SQLAlchemy keeps what it compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal

Expression = sa.ColumnElement[Any]
Statistic = Literal["min", "median", "avg", "max"]


class Percentile(FunctionElement[Any]):
    """An aggregate: the least value that a `share` of all are not above, exact."""

    inherit_cache = True

    def __init__(self, value: Expression, share: float) -> None:
        super().__init__(value, sa.literal(share))
        self.type = value.type


class Latest(FunctionElement[Any]):
    """An aggregate: the value of the row that is the last by `at`."""

    inherit_cache = True

    def __init__(self, value: Expression, at: Expression) -> None:
        super().__init__(value, at)
        self.type = value.type


class PerGroup(FunctionElement[Any]):
    """An aggregate: a statistic of how many rows that meet a condition each group has.

    A row counts `weight` times, once where that is null. Few rows weigh more than one.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy's, for its cache of statements
        *FunctionElement._traverse_internals,
        ("statistic", InternalTraversal.dp_string),
    ]

    def __init__(
        self,
        statistic: Statistic,
        group: Expression,
        condition: Expression,
        weight: Expression | None = None,
    ) -> None:
        super().__init__(group, condition, *(() if weight is None else (weight,)))
        self.statistic = statistic


class MonthStart(FunctionElement[int]):
    """The first midnight of the month of a local time, both in µs as if UTC."""

    inherit_cache = True
    type = sa.BigInteger()

    def __init__(self, local: Expression) -> None:
        super().__init__(local)


class Place(FunctionElement[int]):
    """In which part of a width something from 0 up lies, as a whole number; of fewer than 256."""

    inherit_cache = True
    type = sa.BigInteger()

    def __init__(self, value: Expression, width: int) -> None:
        super().__init__(value, sa.literal(width, sa.BigInteger))


class EachOf(FunctionElement[str]):
    """A row for each of many texts; several in one SELECT go in step. One parameter, however many
    there are."""

    inherit_cache = True
    type = sa.Text()

    def __init__(self, texts: Sequence[str | None]) -> None:
        super().__init__(sa.cast(list(texts), sa.ARRAY(sa.Text)))
