"""Values of a breakdown over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from components.shapes import earlier, over_time
from components.shapes.axes import vertical_layout
from components.shapes.buckets import bucket_labels
from components.shapes.colours import Style, styles
from components.shapes.marks import Mark, mark, marked, shown_values
from components.shapes.shape import Figure, Shape, figure
from components.values import value_label
from data.query.answers import Answer
from data.query.catalog import METRICS, OTHER, TIME
from data.query.series import or_none


@dataclass(frozen=True)
class TimeSeries(Shape):
    """Stacked bars of what adds up and lines of what does not, a trace for each value; with
    `lines`, lines of anything."""

    top_values: int = 6
    lines: bool = False

    css_class = "shape-time"
    fills_gaps = True

    def dimensions(self, by: str) -> tuple[str, ...]:
        return (TIME, by) if by else (TIME,)

    def draw(self, answer: Answer) -> Figure:
        metric, ticks = METRICS[answer.measure], bucket_labels(answer)
        stacked = metric.additive and not self.lines
        trace = over_time.bars if stacked else over_time.line
        # Beside single lines, that of all others together would flatten them.
        aside = [OTHER] if metric.additive and not stacked else []
        series = [
            one for one in _series(answer, aside)
            if not over_time.is_empty(one[1][metric.name], stacked)
        ]  # fmt: skip
        traces = [
            marked(trace(name, rows[metric.name], metric, ticks, style), [one], metric.name)
            for name, rows, style, one in series
        ]
        kept = answer.frame[~answer.frame[answer.by].isin(aside)] if aside else answer.frame
        buckets = kept.groupby(TIME)[metric.name]
        whole = buckets.sum() if stacked else buckets.max()
        if stacked:
            sums = earlier.sums(answer, [metric.name])
            traces = over_time.with_total(traces, whole, metric)
            traces += earlier.bars(answer, [(metric, sums)], ticks)
        else:
            before = [earlier.values(answer, rows, metric.name) for _, rows, *_ in series]
            lines = [(metric, *one) for one in zip(traces, before, strict=True)]
            traces += earlier.lines(answer, lines, ticks)
        largest = or_none(whole.max()) or 0
        return figure(traces, vertical_layout(metric, ticks, answer.window, largest), answer)


def _series(
    answer: Answer, aside: Sequence[str]
) -> Iterator[tuple[str, pd.DataFrame, Style, Mark]]:
    """`(name, rows, style, mark)` of each value but those `aside`, in the frame's order: the
    largest first, "Other" last."""
    by, shown = answer.by, shown_values(answer)
    groups = [(or_none(k), rows) for k, rows in answer.frame.groupby(by, dropna=False, sort=False)]
    for (key, rows), style in zip(
        groups, styles([key for key, _ in groups], answer.colours), strict=True
    ):
        if key not in aside:
            yield value_label(rows.iloc[0].to_dict(), by), rows, style, mark({by: key}, shown)
