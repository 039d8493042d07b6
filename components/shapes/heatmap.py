"""The week by hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from components.shapes.axes import plain_layout
from components.shapes.colours import LEAST, ONE_HUE
from components.shapes.marks import mark, marked
from components.shapes.shape import Figure, Shape, figure
from components.values import WEEK
from data.query.answers import Answer
from data.query.catalog import HOUR, METRICS, WEEKDAY

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
        values = [[None if pd.isna(v) else float(v) for v in day] for day in days]
        cells = {
            "type": "heatmap", "z": values, "x": list(HOURS), "y": list(WEEK),
            "customdata": [[metric.unit.text(value) for value in row] for row in values],
            "hovertemplate": "%{y} %{x}:00: %{customdata}<extra></extra>", "xgap": 2, "ygap": 2,
            "colorscale": SCALE, "showscale": False,
        }  # fmt: skip
        keys = ({WEEKDAY: day, HOUR: hour} for day in range(len(WEEK)) for hour in HOURS)
        marks = [mark(key, ()) for key in keys]
        return figure([marked(cells, marks, metric.name)], _layout(), answer)


def _layout() -> dict[str, Any]:
    """Monday on top, every third hour named."""
    hours = list(HOURS)[::3]
    across = {
        "tickvals": hours, "ticktext": [f"{hour:02d}" for hour in hours], "showgrid": False,
        "fixedrange": True, "zeroline": False,
    }  # fmt: skip
    down = {"autorange": "reversed", "showgrid": False, "fixedrange": True, "automargin": True}
    return plain_layout() | {
        "xaxis": across, "yaxis": down, "hovermode": "closest",
        "margin": {"l": 8, "r": 8, "t": 4, "b": 28},
    }  # fmt: skip
