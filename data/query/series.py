"""Series over time: a row for every bucket there is, the largest group first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, Final

import pandas as pd

from data.local_time import buckets
from data.query.catalog import DIMENSIONS, METRICS, OTHER, TIME, Metric
from data.query.event_time import TIME_PART_VALUES, TIME_PARTS
from data.query.query import Query

Frame = pd.DataFrame
EVENT_COUNTS: Final = ("requests", "sessions")  # how many events there are of a kind


def or_none(value: Any) -> Any:
    """The value, with every spelling of missing as None."""
    return None if pd.isna(value) else value


def texts(column: pd.Series[Any]) -> list[str | None]:
    """A column's texts, with every spelling of missing as None."""
    return [value if isinstance(value, str) else None for value in column]


def fill_gaps(frame: Frame, query: Query) -> Frame:
    """The same frame with a row for every bucket (or hour of the week): where nothing happened,
    zero for counts and null for averages and rates. What happened unpriced stays null."""
    others = [name for name in query.by if name != TIME and name not in TIME_PARTS]
    named = others + [n for name in others if (n := DIMENSIONS[name].naming)]
    grid = _grid(query)
    keys = [*grid.columns, *others]
    if others:
        grid = grid.merge(_by_size(frame, query, named), how="cross")
    values = frame.drop(columns=[name for name in named if name not in others])
    full = grid.merge(values, how="left", on=keys, indicator="_from")
    for name in query.metrics:
        if METRICS[name].additive or METRICS[name].unit.zero_when_empty:
            full[name] = full[name].mask(_is_empty(full, METRICS[name]), 0)
    return full.drop(columns="_from")


def _is_empty(full: Frame, metric: Metric) -> pd.Series[bool]:
    """Where no event happened of which a metric speaks."""
    empty: pd.Series[bool] = full["_from"] == "left_only"
    counted = count_of_kind(metric, full.columns)
    return empty | (full[counted].fillna(0) == 0) if counted else empty


def count_of_kind(metric: Metric, columns: Iterable[str]) -> str:
    """The column, if there is one, that counts the events of which a metric speaks."""
    counts = (name for name in columns if name in EVENT_COUNTS)
    return next((name for name in counts if METRICS[name].kinds == metric.kinds), "")


def _grid(query: Query) -> Frame:
    window = query.filters.window
    if TIME in query.by:
        bucket_starts = buckets(window.start, window.end, window.zone, query.bucket)
        return pd.DataFrame({TIME: bucket_starts})
    parts = [name for name in query.by if name in TIME_PARTS]
    every = product(*(map(int, TIME_PART_VALUES[name]) for name in parts))
    return pd.DataFrame(every, columns=parts, dtype=object)


def _by_size(frame: Frame, query: Query, named: list[str]) -> Frame:
    """The groups beside time, the largest by the first metric first and `OTHER` last."""
    last, first = query.by[-1], query.metrics[0]
    sizes = frame.groupby(last, dropna=False)[first].sum()
    order = [or_none(key) for key in sizes.sort_values(ascending=False, kind="stable").index]
    ranks = {OTHER: len(order)} | {key: rank for rank, key in enumerate(order) if key != OTHER}
    groups = frame[named].drop_duplicates(subset=[last])
    places = [ranks.get(key, len(order)) for key in map(or_none, groups[last])]
    return groups.assign(_rank=places).sort_values("_rank", kind="stable").drop(columns="_rank")
