"""The week by hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from components.shapes.axes import axis_value, plain_layout
from components.shapes.colours import LEAST, ONE_HUE
from components.shapes.marks import mark, marked
from components.shapes.shape import Figure, Shape, figure
from components.values import WEEK
from data.query.answers import Answer
from data.query.catalog import HOUR, METRICS, WEEKDAY, Metric
from data.query.series import or_none

SCALE: Final = ((0, LEAST), (1, ONE_HUE))
HOURS: Final = range(24)


@dataclass(frozen=True)
class Heatmap(Shape):
    """A cell for each hour of each weekday in the reader's zone, the darker the more."""

    css_class = "shape-heat"
    fills_gaps = True

    def dimensions(self, by: str) -> tuple[str, ...]:
        return (WEEKDAY, HOUR)

    def draw(self, answer: Answer) -> Figure:
        metric, frame = METRICS[answer.measure], answer.frame
        days = [frame[frame[WEEKDAY] == day][metric.name] for day in range(len(WEEK))]
        values = [[axis_value(value, metric) for value in day] for day in days]
        cells = {
            "type": "heatmap", "z": values, "x": list(HOURS), "y": list(WEEK),
            "customdata": [[metric.unit.text(value) for value in day] for day in days],
            "hovertemplate": "%{y} %{x}:00: %{customdata}<extra></extra>", "xgap": 2, "ygap": 2,
            "colorscale": SCALE, "colorbar": _scale(metric, frame[metric.name].max()),
        }  # fmt: skip
        keys = ({WEEKDAY: day, HOUR: hour} for day in range(len(WEEK)) for hour in HOURS)
        marks = [mark(key, ()) for key in keys]
        return figure([marked(cells, marks, metric.name)], _layout(), answer)


def _scale(metric: Metric, largest: Any) -> dict[str, Any]:
    """What the shades mean, small beside the week."""
    axis = metric.unit.axis
    return {
        "thickness": 6, "len": 0.6, "outlinewidth": 0, "nticks": 3, "xpad": 6, "ypad": 0,
        "tickfont": {"size": 10}, "tickprefix": axis.prefix, "ticksuffix": axis.suffix,
        "tickformat": axis.format(or_none(largest) or 0),
    }  # fmt: skip


def _layout() -> dict[str, Any]:
    """Monday on top, every third hour named."""
    hours = list(HOURS)[::3]
    across = {
        "tickvals": hours, "ticktext": [f"{hour:02d}" for hour in hours], "showgrid": False,
        "fixedrange": True, "zeroline": False, "ticks": "",
    }  # fmt: skip
    down = {
        "autorange": "reversed", "showgrid": False, "fixedrange": True, "automargin": True,
        "ticks": "",
    }  # fmt: skip
    return plain_layout() | {
        "xaxis": across, "yaxis": down, "hovermode": "closest",
        "margin": {"l": 32, "r": 50, "t": 4, "b": 28},
    }  # fmt: skip
