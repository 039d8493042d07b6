"""The one function that asks a query.

`run` holds the only SELECT over `events`: chart, table, export, API, options and "data as of"
are all a `Query` under a `Scope`. Totals are a query without dimensions, never a sum of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import EVENTS
from data.query.catalog import DIMENSIONS, METRICS, OTHER, TIME, metric
from data.query.clauses import clauses
from data.query.event_time import TIME_PARTS, bucket_start, bucket_starts, local_time
from data.query.query import Query
from data.query.series import or_none
from data.query.units import TEXT

Frame = pd.DataFrame


def run(query: Query, scope: Scope, store: EventStore) -> Frame:
    """One row a group: the dimensions asked for (and their names), then the metrics.

    Time is the bucket's start in µs UTC; money in US dollars, durations in ms, shares 0 to 1;
    counts are `Int64`, the rest floats, unknown is null. The frame is shared: do not change it.
    """
    return store.memo.get((query, scope), lambda: _execute(query, scope, store))


def totals(query: Query, scope: Scope, store: EventStore) -> dict[str, Any]:
    """The one row of the question without dimensions, as Python's own numbers: a row of a frame
    would turn counts into floats."""
    frame = run(query.total(), scope, store)
    return {str(name): values[0] for name, values in frame.to_dict("list").items()}


def count(query: Query, scope: Scope, store: EventStore) -> int:
    """How many rows `query` has without its limit."""
    whole = replace(query, order=(), limit=None, offset=0)
    return int(store.memo.get((whole, scope, "count"), lambda: _count_groups(whole, scope, store)))


def _execute(query: Query, scope: Scope, store: EventStore) -> Frame:
    top = _largest(query, scope, store) if query.top else None
    statement = _select(query, scope, top)
    with store.sql.connect() as connection:
        result = connection.execute(statement)
        names, rows = list(result.keys()), result.fetchall()
    return _frame(names, list(zip(*rows, strict=True)) or [()] * len(names), query)


def _count_groups(query: Query, scope: Scope, store: EventStore) -> int:
    inner = _select(query, scope, None).subquery()
    with store.sql.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one()


def _largest(query: Query, scope: Scope, store: EventStore) -> list[str | None]:
    """The values of the last dimension that `top` keeps; None is the unattributed."""
    first, last = query.metrics[0], query.by[-1]
    ranking = replace(
        query, metrics=(first,), by=(last,), order=((first, True),), limit=query.top, top=None
    )
    return [or_none(value) for value in run(ranking, scope, store)[last]]


def _select(query: Query, scope: Scope, top: Sequence[str | None] | None) -> sa.Select[Any]:
    keys = [_key(name, query).label(name) for name in query.by]
    if top is not None:
        keys[-1] = _with_other(EVENTS.c[query.by[-1]], top).label(query.by[-1])
    namings = [_naming(name, top is not None and name == query.by[-1], keys) for name in query.by]
    local = local_time(query.filters.window)
    metrics = [metric(name).of(local).sql.label(name) for name in query.metrics]
    statement = sa.select(*keys, *(n for n in namings if n is not None), *metrics)
    statement = scope.people.reading(statement.group_by(*keys)).where(*clauses(query, scope))
    statement = statement.order_by(*_order(query, statement))
    return statement.limit(query.limit).offset(query.offset or None)


def _key(name: str, query: Query) -> sa.ColumnElement[Any]:
    window = query.filters.window
    if name == TIME:
        return bucket_start(window, query.bucket)
    return TIME_PARTS[name](local_time(window)) if name in TIME_PARTS else EVENTS.c[name]


def _naming(name: str, gathered: bool, keys: Sequence[Any]) -> sa.ColumnElement[Any] | None:
    column = DIMENSIONS[name].naming
    if column is None:
        return None
    name_of = sa.func.max(EVENTS.c[column])
    if gathered:
        name_of = sa.func.max(sa.case((keys[-1].element != OTHER, EVENTS.c[column])))
    return name_of.label(column)


def _with_other(column: sa.ColumnElement[Any], top: Sequence[str | None]) -> Any:
    stays: sa.ColumnElement[bool] = column.in_([value for value in top if value is not None])
    if None in top:
        stays = sa.or_(stays, column.is_(None))
    return sa.case((stays, column), else_=OTHER)


def _order(query: Query, statement: sa.Select[Any]) -> list[Any]:
    columns = statement.selected_columns
    order = [(columns[name], descending) for name, descending in query.order]
    ties = [(columns[name], False) for name in query.by]
    return [(c.desc() if down else c.asc()).nulls_last() for c, down in (*order, *ties)]


def _frame(names: Sequence[str], columns: Sequence[Sequence[Any]], query: Query) -> Frame:
    """Made of whole columns: to change the type of one after the other takes ten times as long."""
    units = {name: METRICS[name].unit for name in query.metrics}
    told = zip(names, columns, strict=True)
    frame = pd.DataFrame({name: units.get(name, TEXT).column(values) for name, values in told})
    if TIME in query.by:
        frame[TIME] = bucket_starts(frame[TIME], query.filters.window, query.bucket)
    return frame
