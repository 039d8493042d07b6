"""The one function that asks a query.

`run` holds the only SELECT over `events`: chart, table, export, API, options and "data as of"
are all a `Query` under a `Scope`. Totals are a query without dimensions, never a sum of rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.grouping import Form, Grouping
from data.engines.protocol import EventStore
from data.events.table import EVENTS
from data.local_time import WIDTHS
from data.query.catalog import DIMENSIONS, HOUR, METRICS, OTHER, TIME, metric
from data.query.clauses import of_any_time, of_kinds
from data.query.event_time import (
    SUB_DAILY,
    TIME_PARTS,
    bucket_start,
    bucket_starts,
    local_time,
    steady_for,
)
from data.query.names import with_found
from data.query.passes import mark, part_of
from data.query.query import Query
from data.query.series import or_none
from data.query.units import TEXT
from data.query.windows import Window

Frame = pd.DataFrame
DAY: Final = WIDTHS["day"]
MOST_FORMS: Final = 512


def run(query: Query, scope: Scope, store: EventStore) -> Frame:
    """One row a group: the dimensions asked for (and their names), then the metrics.

    Time is the bucket's start in µs UTC; money in US dollars, durations in ms, shares 0 to 1;
    counts are `Int64`, the rest floats, unknown is null. The frame is shared: do not change it.
    """
    if query.passes and (whole := query.passes.get(query)):
        return _part(query, whole, scope, store)
    query = with_found(query, scope, store)
    return store.memo.get((query, scope), lambda: _execute(query, scope, store), _window(query))


def _part(query: Query, whole: Query, scope: Scope, store: EventStore) -> Frame:
    """The answer from that to the wider question it is a part of."""
    key = (query, scope)
    return store.memo.get(key, lambda: part_of(run(whole, scope, store), query), _window(query))


def totals(query: Query, scope: Scope, store: EventStore) -> dict[str, Any]:
    """The one row of the question without dimensions, as Python's own numbers: a row of a frame
    would turn counts into floats."""
    frame = run(query.total(), scope, store)
    return {str(name): values[0] for name, values in frame.to_dict("list").items()}


def count(query: Query, scope: Scope, store: EventStore) -> int:
    """How many rows `query` has without its limit."""
    whole = replace(with_found(query, scope, store), order=(), limit=None, offset=0)
    key = (whole, scope, "count")
    return store.memo.get(key, lambda: _count_groups(whole, scope, store), _window(query))


def _window(query: Query) -> tuple[int, int]:
    return query.filters.window.start, query.filters.window.end


def _execute(query: Query, scope: Scope, store: EventStore) -> Frame:
    top = largest(query, scope, store) if query.top else query.kept
    names, rows = store.ask(_grouping(query, scope, top))
    return _frame(names, list(zip(*rows, strict=True)) or [()] * len(names), query)


def _count_groups(query: Query, scope: Scope, store: EventStore) -> int:
    return store.count_groups(_grouping(query, scope, None))


def largest(query: Query, scope: Scope, store: EventStore) -> tuple[str | None, ...]:
    """The values of the last dimension that `top` keeps; None is the unattributed."""
    first, last = query.metrics[0], query.by[-1]
    ranking = replace(
        query, metrics=(first,), by=(last,), order=((first, True),), limit=query.top, top=None
    )
    return tuple(or_none(value) for value in run(ranking, scope, store)[last])


def _grouping(query: Query, scope: Scope, top: Sequence[str | None] | None) -> Grouping:
    window, start, end, grain = query.filters.window, 0, 0, None
    if _reads_clocks(query):
        # The same is asked in all windows of the same days; without clocks, in any.
        start, end = window.start - window.start % DAY, -(-window.end // DAY) * DAY
        grain = query.bucket
    days = replace(query.filters, window=Window(start, end, window.zone))
    of_days = replace(query, filters=days, grain=grain, passes=None)
    form = _form(of_days, scope, None if top is None else tuple(top))
    return Grouping(form, _window(query))


def _reads_clocks(query: Query) -> bool:
    """Whether what is asked of an event, or in which group it counts, is a matter of its time."""
    metrics = (*query.metrics, *filter(None, [query.of_metric]))
    local = any(callable(metric(name).aggregate) for name in metrics)
    return local or not {*query.by, *query.filters.names}.isdisjoint((TIME, *TIME_PARTS))


@lru_cache(MOST_FORMS)
def _form(query: Query, scope: Scope, top: tuple[str | None, ...] | None) -> Form:
    keys = {name: _key(name, query) for name in query.by}
    if top is not None:
        keys[query.by[-1]] = _with_other(EVENTS.c[query.by[-1]], top)
    local = local_time(query.filters.window)
    values: dict[str, sa.ColumnElement[Any]] = {}
    for name in query.by:
        column = DIMENSIONS[name].naming
        if column is not None:
            gathered = top is not None and name == query.by[-1]
            values[column] = _naming(EVENTS.c[column], keys[name] if gathered else None)
    values |= {name: metric(name).of(local).sql for name in query.metrics}
    values |= {mark(kinds): sa.func.count().filter(of_kinds(kinds)) for kinds in query.apart}
    return Form(
        keys, values, sa.and_(*of_any_time(query, scope)), scope.people, _steady_for(query),
        query.order, query.limit, query.offset, _shape(query, scope, top),
    )  # fmt: skip


def _shape(query: Query, scope: Scope, top: tuple[str | None, ...] | None) -> Hashable:
    """What is the same for a question whatever its window: what it makes of one event is."""
    timeless = replace(query.filters, window=Window(0, 0, query.filters.window.zone))
    return replace(query, filters=timeless), scope, top


def _steady_for(query: Query) -> int:
    """For how long, in µs, an event's time is all the same to a query."""
    window, names = query.filters.window, {*query.by, *query.filters.names}
    if not _reads_clocks(query):
        return DAY
    if TIME in query.by and query.bucket in SUB_DAILY:
        return steady_for(window, WIDTHS[query.bucket])
    return steady_for(window, WIDTHS["hour" if HOUR in names else "day"])


def _key(name: str, query: Query) -> sa.ColumnElement[Any]:
    window = query.filters.window
    if name == TIME:
        return bucket_start(window, query.bucket)
    return TIME_PARTS[name](local_time(window)) if name in TIME_PARTS else EVENTS.c[name]


def _naming(
    column: sa.ColumnElement[Any], gathered: sa.ColumnElement[Any] | None
) -> sa.ColumnElement[Any]:
    """What people call the value of a key; those `gathered` as others have no name."""
    return sa.func.max(column if gathered is None else sa.case((gathered != OTHER, column)))


def _with_other(column: sa.ColumnElement[Any], top: Sequence[str | None]) -> Any:
    stays: sa.ColumnElement[bool] = column.in_([value for value in top if value is not None])
    if None in top:
        stays = sa.or_(stays, column.is_(None))
    return sa.case((stays, column), else_=OTHER)


def _frame(names: Sequence[str], columns: Sequence[Sequence[Any]], query: Query) -> Frame:
    """Made of whole columns: to change the type of one after the other takes ten times as long."""
    units = {name: METRICS[name].unit for name in query.metrics}
    named = zip(names, columns, strict=True)
    frame = pd.DataFrame({name: units.get(name, TEXT).column(values) for name, values in named})
    if TIME in query.by:
        frame[TIME] = bucket_starts(frame[TIME], query.filters.window, query.bucket)
    return frame
