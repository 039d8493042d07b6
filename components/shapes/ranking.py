"""Values of a breakdown, the largest first."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from components.shapes.axes import horizontal_layout, short_name
from components.shapes.colours import NOBODY, ONE_HUE, OTHER
from components.shapes.marks import Mark, mark, marked
from components.shapes.shape import Figure, Shape, Trace, figure
from components.values import value_label
from data.query.answers import Answer, Order
from data.query.catalog import METRICS, OTHER_LABEL, Metric
from data.query.catalog import OTHER as OTHERS
from data.query.series import or_none

Bar = tuple[str, float, str, Mark]  # name, value, colour, mark


@dataclass(frozen=True)
class Ranking(Shape):
    """Every value in the table, the largest `bars` of them in the chart, and the remainder where
    it can be added up."""

    bars: int = 8

    css_class = "shape-ranking"

    def order(self, measure: str) -> Order:
        return ((measure, True),)

    def draw(self, answer: Answer) -> Figure:
        metric = METRICS[answer.measure]
        bars = self._bars(answer, metric)
        marks = [mark for *_, mark in bars]
        layout = horizontal_layout(metric, [name for name, *_ in bars])
        return figure([marked(_trace(bars, metric), marks, metric.name)], layout, answer)

    def _bars(self, answer: Answer, metric: Metric) -> list[Bar]:
        frame = answer.frame[answer.frame[metric.name].notna()]
        ranked = frame.sort_values(metric.name, ascending=False, kind="stable")
        shown, rest = ranked.head(self.bars), ranked.iloc[self.bars :]
        keys = [or_none(key) for key in shown[answer.by]]
        # Each bar has its name beside it: one hue is enough.
        colours = [NOBODY if key is None else ONE_HUE for key in keys]
        names = [value_label(row, answer.by) for _, row in shown.iterrows()]
        values = [float(value) for value in shown[metric.name]]
        marks = [mark({answer.by: key}, keys) for key in keys]
        bars: list[Bar] = list(zip(names, values, colours, marks, strict=True))
        if len(rest) and metric.additive:
            bars.append(_remainder(rest, metric, mark({answer.by: OTHERS}, keys)))
        return bars


def _remainder(rest: pd.DataFrame, metric: Metric, own: Mark) -> Bar:
    total = round(float(rest[metric.name].sum()), 9)
    return f"{OTHER_LABEL} ({len(rest):,})", total, OTHER, own


def _trace(bars: list[Bar], metric: Metric) -> Trace:
    return {
        "type": "bar", "orientation": "h",
        "x": [value for _, value, *_ in bars], "y": list(range(len(bars))),
        "text": [metric.unit.text(value) for _, value, *_ in bars],
        "textposition": "outside", "cliponaxis": False,
        "customdata": [short_name(name) for name, *_ in bars],
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": [colour for *_, colour, _ in bars], "line": {"width": 0}},
    }  # fmt: skip
