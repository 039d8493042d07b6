"""Expressions over events, said of other rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from data.dialect import Expression
from data.events.table import EVENTS

Columns = Mapping[str, Expression] | sa.sql.base.ReadOnlyColumnCollection[str, Any]


def moved(expression: Expression, columns: Columns) -> Expression:
    """An expression over events with other columns of the same names."""

    def other(element: Any, **_: Any) -> Any:
        ours = isinstance(element, sa.ColumnClause) and element.table is EVENTS
        return columns[element.name] if ours else None

    made: Expression = visitors.replacement_traverse(expression, {}, other)
    return made


def reads_more(expression: Expression) -> bool:
    """Whether it reads other tables than events."""
    return any(
        isinstance(element, sa.ColumnClause) and element.table not in (None, EVENTS)
        for element in visitors.iterate(expression)
    )
