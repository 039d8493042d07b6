"""The question, and the one function that asks it.

`run` holds the only SELECT over `events`: chart, table, export, API, options and "data as of"
are all a `Query` under a `Scope`. Totals are a query without dimensions, never a sum of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import sqlalchemy as sa

from data.catalog import DIMENSIONS, METRICS, NANO, OTHER, TIME, Metric, dimension, metric
from data.engines import EventStore
from data.errors import Refused
from data.events import EVENTS
from data.filters import Filters
from data.scope import Scope
from data.windows import MONDAY_SHIFT, WIDTHS, Grain, Window, buckets, midnight_of, segments

Frame = pd.DataFrame


@dataclass(frozen=True, slots=True)
class Query:
    """A hashable question. `order` holds (name, descending); `top` keeps the N values of the
    last dimension that are largest by the first metric and gathers the others in `OTHER`."""

    metrics: tuple[str, ...]
    by: tuple[str, ...]
    filters: Filters
    grain: Grain | None = None
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    top: int | None = None
    search: str = ""

    def __post_init__(self) -> None:
        for name in self.metrics:
            metric(name)
        for name in self.by:
            dimension(name)
        for name, _ in self.order:
            if name not in (*self.metrics, *self.by):
                raise Refused("order", f"{name[:40]!r} is neither asked for nor broken down by")

    @property
    def bucket(self) -> Grain:
        return self.grain or self.filters.window.grain()

    def total(self) -> Query:
        """The same question without dimensions."""
        return replace(self, by=(), order=(), limit=None, offset=0, top=None)

    def before(self) -> Query:
        """The same question about the window just before this one."""
        filters = replace(self.filters, window=self.filters.window.previous())
        return replace(self, filters=filters)


def run(query: Query, scope: Scope, store: EventStore) -> Frame:
    """One row a group: the dimensions asked for (and their names), then the metrics.

    Time is the bucket's start in µs UTC; money in US dollars, durations in ms, shares 0 to 1;
    counts are `Int64`, the rest floats, unknown is null. The frame is shared: do not change it.
    """
    return store.memo.get((query, scope), lambda: _ask(query, scope, store))


def count(query: Query, scope: Scope, store: EventStore) -> int:
    """How many rows `query` has without its limit."""
    whole = replace(query, order=(), limit=None, offset=0)
    return int(store.memo.get((whole, scope, "count"), lambda: _counted(whole, scope, store)))


def _ask(query: Query, scope: Scope, store: EventStore) -> Frame:
    kept = _largest(query, scope, store) if query.top else None
    statement = _select(query, scope, store, kept)
    with store.sql.connect() as connection:
        result = connection.execute(statement)
        frame = pd.DataFrame(result.fetchall(), columns=list(result.keys()), dtype=object)
    return _typed(frame, query)


def _counted(query: Query, scope: Scope, store: EventStore) -> int:
    inner = _select(query, scope, store, None).subquery()
    with store.sql.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one()


def _largest(query: Query, scope: Scope, store: EventStore) -> list[str | None]:
    """The values of the last dimension that `top` keeps; None is the unattributed."""
    first, last = query.metrics[0], query.by[-1]
    ranking = replace(
        query, metrics=(first,), by=(last,), order=((first, True),), limit=query.top, top=None
    )
    return [_none(value) for value in run(ranking, scope, store)[last]]


def _none(value: Any) -> Any:
    return None if pd.isna(value) else value


def _select(
    query: Query, scope: Scope, store: EventStore, kept: Sequence[str | None] | None
) -> sa.Select[Any]:
    keys = [_key(name, query, store).label(name) for name in query.by]
    if kept is not None:
        keys[-1] = _gathered(EVENTS.c[query.by[-1]], kept).label(query.by[-1])
    namings = [_naming(name, kept is not None and name == query.by[-1], keys) for name in query.by]
    metrics = [metric(name).expression.label(name) for name in query.metrics]
    statement = sa.select(*keys, *(n for n in namings if n is not None), *metrics)
    statement = statement.where(scope.predicate(), query.filters.predicate(scope), _kinds(query))
    statement = statement.where(_found(query)).group_by(*keys).order_by(*_order(query, statement))
    return statement.limit(query.limit).offset(query.offset or None)


def _key(name: str, query: Query, store: EventStore) -> sa.ColumnElement[Any]:
    return EVENTS.c[name] if name != TIME else _bucket(query.filters.window, query.bucket, store)


def _naming(name: str, gathered: bool, keys: Sequence[Any]) -> sa.ColumnElement[Any] | None:
    column = DIMENSIONS[name].naming
    if column is None:
        return None
    known = sa.func.max(EVENTS.c[column])
    if gathered:
        known = sa.func.max(sa.case((keys[-1].element != OTHER, EVENTS.c[column])))
    return known.label(column)


def _gathered(column: sa.ColumnElement[Any], kept: Sequence[str | None]) -> Any:
    stays: sa.ColumnElement[bool] = column.in_([value for value in kept if value is not None])
    if None in kept:
        stays = sa.or_(stays, column.is_(None))
    return sa.case((stays, column), else_=OTHER)


def _bucket(window: Window, grain: Grain, store: EventStore) -> sa.ColumnElement[Any]:
    """An instant's bucket: its start in µs UTC, or from days up its local midnight as if UTC."""
    parts = segments(window.start, window.end, window.zone)
    ts = EVENTS.c.ts
    later = [(ts >= start, sa.literal(offset, sa.BigInteger)) for start, offset in parts[:0:-1]]
    first = sa.literal(parts[0][1], sa.BigInteger)
    offset: sa.ColumnElement[Any] = sa.case(*later, else_=first) if later else first
    local = ts + offset
    if grain == "month":
        return store.month(local)
    shift = MONDAY_SHIFT if grain == "week" else 0
    floor = local - (local + shift) % WIDTHS[grain]
    return floor - offset if grain in ("minute", "hour") else floor


def _kinds(query: Query) -> sa.ColumnElement[bool]:
    """Only the events the metrics speak of, so that no group appears for the others' sake."""
    kinds = [metric(name).kinds for name in query.metrics]
    if not kinds or not all(kinds):
        return sa.true()
    return EVENTS.c.kind.in_(sorted(frozenset().union(*kinds)))


def _found(query: Query) -> sa.ColumnElement[bool]:
    if not query.search:
        return sa.true()
    name = DIMENSIONS[query.by[0]]
    columns = [EVENTS.c[name.name], *([EVENTS.c[name.naming]] if name.naming else [])]
    return sa.or_(*(column.icontains(query.search, autoescape=True) for column in columns))


def _order(query: Query, statement: sa.Select[Any]) -> list[Any]:
    columns = statement.selected_columns
    asked = [(columns[name], descending) for name, descending in query.order]
    ties = [(columns[name], False) for name in query.by]
    return [(c.desc() if down else c.asc()).nulls_last() for c, down in (*asked, *ties)]


def _typed(frame: Frame, query: Query) -> Frame:
    for name in query.metrics:
        frame[name] = _column(frame[name], METRICS[name])
    if TIME in query.by:
        frame[TIME] = _starts(frame[TIME], query)
    return frame


def _column(values: pd.Series[Any], declared: Metric) -> pd.Series[Any]:
    if declared.unit in ("usd", "usd_each"):
        return values.astype("float64") / NANO
    if declared.unit in ("count", "tokens", "instant"):
        return values.astype("Int64")
    return values.astype("float64")


def _starts(values: pd.Series[Any], query: Query) -> pd.Series[Any]:
    if query.bucket in ("minute", "hour"):
        return values.astype("int64")
    zone = query.filters.window.zone
    return values.map(lambda local: midnight_of(int(local), zone)).astype("int64")


def complete(frame: Frame, query: Query) -> Frame:
    """The same frame with a row for every bucket: zero for counts, null for averages and rates."""
    others = [name for name in query.by if name != TIME]
    named = others + [n for name in others if (n := DIMENSIONS[name].naming)]
    grid = pd.DataFrame({TIME: buckets(query.filters.window, query.bucket)})
    if others:
        groups = frame[named].drop_duplicates(subset=others)
        grid = grid.merge(groups, how="cross")
    values = frame.drop(columns=[name for name in named if name not in others])
    full = grid.merge(values, how="left", on=[TIME, *others])
    for name in query.metrics:
        if METRICS[name].additive or METRICS[name].unit == "count":
            full[name] = full[name].fillna(0)
    return full
