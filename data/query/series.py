"""Series over time: a row for every bucket there is, the largest group first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.local_time import buckets
from data.query.catalog import DIMENSIONS, METRICS, OTHER, TIME, Metric
from data.query.event_time import TIME_PART_VALUES, TIME_PARTS
from data.query.query import Query
from data.query.units import is_unknown

Frame = pd.DataFrame
EVENT_COUNTS: Final = ("requests", "sessions")  # how many events there are of a kind


def or_none(value: Any) -> Any:
    """The value, with every spelling of missing as None."""
    return None if is_unknown(value) else value


def all_or_none(values: Iterable[Any]) -> list[Any]:
    """The same of many values, in a third of the time."""
    return [
        None if value is None or value is pd.NA or value != value else value for value in values
    ]


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
        grid = _crossed(grid, _by_size(frame, query, named))
    rows = matching_rows(grid, frame, keys)
    counts = {name: count_of_kind(METRICS[name], frame.columns) for name in query.metrics}
    made = {name: values_at(rows, METRICS[name], frame, counts[name]) for name in query.metrics}
    return grid.assign(**made)


def _crossed(grid: Frame, groups: Frame) -> Frame:
    """Each row of a grid with every group."""
    each = grid.iloc[np.repeat(np.arange(len(grid)), len(groups))].reset_index(drop=True)
    every = np.tile(np.arange(len(groups)), len(grid))
    return each.assign(**{name: groups[name].array.take(every) for name in groups.columns})


def matching_rows(wanted: Frame, frame: Frame, names: Sequence[str]) -> NDArray[np.int64]:
    """Where in a frame the row is that has the names' values of each one wanted, -1 where there is
    none. Of small frames pandas' own merge takes several times as long."""
    places = {key: place for place, key in enumerate(_keys(frame, names))}
    return np.array([places.get(key, -1) for key in _keys(wanted, names)], dtype=np.int64)


def _keys(frame: Frame, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    columns = [all_or_none(frame[name].tolist()) for name in names]
    return zip(*columns, strict=True)


def values_at(
    rows: NDArray[np.int64], metric: Metric, frame: Frame, count: str, known: Any = True
) -> Any:
    """A metric's values in these rows of a frame; in -1, which is none, and where the column
    `count` of the metric's events is zero, that is zero of what adds up where it is `known`."""
    values = frame[metric.name].array.take(rows, allow_fill=True)
    if not (metric.additive or metric.unit.zero_when_empty):
        return values
    empty = known & (rows < 0)
    if count:
        counts = frame[count].array.take(rows, allow_fill=True)
        empty |= known & np.asarray(pd.Series(counts).fillna(0) == 0, dtype=bool)
    values[empty] = 0
    return values


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
