"""Values of a breakdown over time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from components.shapes import earlier, over_time
from components.shapes.axes import vertical_layout
from components.shapes.buckets import bucket_labels
from components.shapes.colours import Style, styles
from components.shapes.marks import Mark, distinct, mark, marked, shown_values
from components.shapes.shape import Figure, Shape, figure
from components.values import value_label
from data.query.answers import Answer
from data.query.catalog import METRICS, OTHER, TIME
from data.query.comparison import before_name
from data.query.series import or_none


@dataclass(frozen=True)
class TimeSeries(Shape):
    """Stacked bars of what adds up and lines of what does not, a trace for each of at most six
    values and one for all others together: more colours cannot be told apart. The rows have each
    value that was chosen."""

    top_values: int = 6

    css_class = "shape-time"
    fills_gaps = True

    def dimensions(self, by: str) -> tuple[str, ...]:
        return (TIME, by) if by else (TIME,)

    def draw(self, answer: Answer) -> Figure:
        metric, ticks = METRICS[answer.measure], bucket_labels(answer)
        stacked = metric.additive
        trace = over_time.bars if stacked else over_time.line
        frame = gathered(answer, self.top_values)
        series = [
            one for one in value_series(answer, frame)
            if not over_time.is_empty(one[1][metric.name], stacked)
        ]  # fmt: skip
        traces = [
            marked(trace(name, rows[metric.name], metric, ticks, style), [one], metric.name)
            for name, rows, style, one in series
        ]
        buckets = frame.groupby(TIME)[metric.name]
        whole = buckets.sum() if stacked else buckets.max()
        if stacked:
            sums = earlier.sums(answer, [metric.name])
            traces = over_time.with_total(traces, whole, metric)
            traces += earlier.total(answer, [metric], sums, ticks)
        else:
            before = [earlier.values(answer, rows, metric.name) for _, rows, *_ in series]
            lines = [(metric, *one) for one in zip(traces, before, strict=True)]
            traces += earlier.lines(answer, lines, ticks)
        largest = or_none(whole.max()) or 0
        return figure(traces, vertical_layout(metric, ticks, answer.window, largest), answer)


def gathered(answer: Answer, most: int) -> pd.DataFrame:
    """The rows of at most so many values, the first ones, and of all others together as "Other";
    of what does not add up the others are left out."""
    metric, frame, by = METRICS[answer.measure], answer.frame, answer.by
    beyond = shown_values(answer)[most:]
    if not beyond:
        return frame
    keys = pd.Series([or_none(key) for key in frame[by]], frame.index, dtype=object)
    among = keys.isin([key for key in beyond if key is not None]) | (
        keys.isna() if None in beyond else False
    )
    if not metric.additive:
        return frame[~among]
    others = frame[among | (keys == OTHER)].groupby(TIME, sort=False)
    names = [one for one in (metric.name, before_name(metric.name)) if one in frame]
    summed = others[names].sum(min_count=1).reset_index().assign(**{by: OTHER})
    return pd.concat([frame[~among & (keys != OTHER)], summed], ignore_index=True)


def value_series(
    answer: Answer, frame: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, Style, Mark]]:
    """`(name, rows, style, mark)` of each value of such rows, in their order: the largest first,
    "Other" last."""
    by, shown = answer.by, distinct(frame[answer.by])
    groups = [(or_none(k), rows) for k, rows in frame.groupby(by, dropna=False, sort=False)]
    for (key, rows), style in zip(
        groups, styles([key for key, _ in groups], answer.colours), strict=True
    ):
        yield value_label(rows.iloc[0].to_dict(), by), rows, style, mark({by: key}, shown)
