"""Frames over time: the SQL of a bucket, and a row for every bucket there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import sqlalchemy as sa

from data.dialect import MonthStart
from data.local_time import MONDAY_SHIFT, WIDTHS, Grain, buckets, midnight_of
from data.query.catalog import DIMENSIONS, HOUR, METRICS, OTHER, TIME, WEEKDAY, Metric
from data.query.clock import CLOCK, by_segment, jumping, local_time, offset
from data.query.windows import Window

if TYPE_CHECKING:
    from data.query.query import Query

Frame = pd.DataFrame
CLOCKED: Final = ("minute", "hour")
COUNTED: Final = ("requests", "sessions")  # how many events there are of a kind


def bucket(window: Window, grain: Grain) -> sa.ColumnElement[Any]:
    """An instant's bucket: its start in µs UTC, or from days up its local midnight as if UTC."""
    ahead, local = offset(window), local_time(window)
    if grain == "month":
        return MonthStart(local)
    shift = MONDAY_SHIFT if grain == "week" else 0
    floor = local - (local + shift) % WIDTHS[grain]
    return _not_before_its_segment(floor - ahead, window) if grain in CLOCKED else floor


def _not_before_its_segment(start: sa.ColumnElement[Any], window: Window) -> sa.ColumnElement[Any]:
    """An hour that a jump of the clocks cuts off begins at the jump."""
    jumps = [at for at, _ in jumping(window)[1:]]
    if not jumps:
        return start
    return sa.func.greatest(start, by_segment([(0, 0), *((at, at) for at in jumps)]))


def starts(values: pd.Series[Any], window: Window, grain: Grain) -> pd.Series[Any]:
    """The instants (µs UTC) at which buckets start, from what `bucket` answered."""
    if grain in CLOCKED:
        return values.astype("int64")
    return values.map(lambda local: midnight_of(int(local), window.zone)).astype("int64")


def or_none(value: Any) -> Any:
    """The value, with every spelling of missing as None."""
    return None if pd.isna(value) else value


def texts(column: pd.Series[Any]) -> list[str | None]:
    """A column's texts, with every spelling of missing as None."""
    return [value if isinstance(value, str) else None for value in column]


def fill_gaps(frame: Frame, query: Query) -> Frame:
    """The same frame with a row for every bucket (or hour of the week): where nothing happened,
    zero for counts and null for averages and rates. What happened unpriced stays null."""
    others = [name for name in query.by if name != TIME and name not in CLOCK]
    named = others + [n for name in others if (n := DIMENSIONS[name].naming)]
    grid = _grid(query)
    keys = [*grid.columns, *others]
    if others:
        grid = grid.merge(_by_size(frame, query, named), how="cross")
    values = frame.drop(columns=[name for name in named if name not in others])
    full = grid.merge(values, how="left", on=keys, indicator="_from")
    for name in query.metrics:
        if METRICS[name].additive or METRICS[name].unit == "count":
            full[name] = full[name].mask(_nothing(full, METRICS[name]), 0)
    return full.drop(columns="_from")


def _nothing(full: Frame, metric: Metric) -> pd.Series[bool]:
    """Where no event happened of which a metric speaks."""
    empty: pd.Series[bool] = full["_from"] == "left_only"
    counted = next((one for one in COUNTED if METRICS[one].kinds == metric.kinds), "")
    return empty | (full[counted].fillna(0) == 0) if counted in full else empty


def _grid(query: Query) -> Frame:
    window = query.filters.window
    if TIME in query.by:
        starts = buckets(window.start, window.end, window.zone, query.bucket)
        return pd.DataFrame({TIME: starts})
    week = [(day, hour) for day in range(7) for hour in range(24)]
    return pd.DataFrame(week, columns=[WEEKDAY, HOUR], dtype=object)


def _by_size(frame: Frame, query: Query, named: list[str]) -> Frame:
    """The groups beside time, the largest by the first metric first and `OTHER` last."""
    last, first = query.by[-1], query.metrics[0]
    sizes = frame.groupby(last, dropna=False)[first].sum()
    order = [or_none(key) for key in sizes.sort_values(ascending=False, kind="stable").index]
    ranks = {OTHER: len(order)} | {key: rank for rank, key in enumerate(order) if key != OTHER}
    groups = frame[named].drop_duplicates(subset=[last])
    places = [ranks.get(key, len(order)) for key in map(or_none, groups[last])]
    return groups.assign(_rank=places).sort_values("_rank", kind="stable").drop(columns="_rank")
