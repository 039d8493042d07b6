"""Values of a breakdown side by side: a small chart of each over the same time, on one scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from components.shapes import earlier, over_time
from components.shapes.axes import short_name, vertical_layout
from components.shapes.buckets import bucket_labels
from components.shapes.colours import ONE_HUE, Style
from components.shapes.marks import marked
from components.shapes.shape import Figure, Trace, figure
from components.shapes.time_series import TimeSeries, gathered, value_series
from data.query.answers import Answer
from data.query.catalog import METRICS, OTHER, Metric

HEADROOM: Final = 1.08


@dataclass(frozen=True)
class SideBySide(TimeSeries):
    """At most six panels, each with its name: no legend, no colours to tell apart. All others
    together are in the table. `assets/panels.js` puts as many in a row as there is room for."""

    css_class = "shape-panels"

    def draw(self, answer: Answer) -> Figure:
        metric, ticks = METRICS[answer.measure], bucket_labels(answer)
        trace = over_time.bars if metric.additive else over_time.line
        frame = gathered(answer, self.top_values)
        shown = list(value_series(answer, frame[~frame[answer.by].isin([OTHER])]))
        drawn: list[Trace] = []
        names: list[str] = []
        for name, rows, _, one in shown:
            if over_time.is_empty(rows[metric.name], metric.additive):
                continue
            names.append(name)
            panel = _axes(len(names))
            made = trace(name, rows[metric.name], metric, ticks, Style(ONE_HUE))
            drawn.append(marked(made, [one], metric.name) | panel)
            dashed = _before(answer, rows, metric, made, ticks)
            first = not any(one["showlegend"] for one in drawn)
            drawn += [one | panel | {"showlegend": first} for one in dashed]
        return figure(drawn, _layout(metric, ticks, answer, names, _largest(drawn)), answer)


def _axes(place: int) -> Trace:
    number = "" if place == 1 else str(place)
    return {"xaxis": f"x{number}", "yaxis": f"y{number}", "showlegend": False}


def _before(
    answer: Answer, rows: pd.DataFrame, metric: Metric, now: Trace, ticks: list[str]
) -> list[Trace]:
    known = earlier.values(answer, rows, metric.name)
    line = now | {"line": {"color": "var(--soft)"}}
    return earlier.lines(answer, [(metric, line, known)], ticks, legend=False)


def _largest(traces: list[Trace]) -> float:
    return max((value for one in traces for value in one["y"] if value is not None), default=0)


def _layout(
    metric: Metric, ticks: list[str], answer: Answer, names: list[str], largest: float
) -> dict[str, Any]:
    layout = vertical_layout(metric, ticks, answer.window, largest)
    across, up = layout.pop("xaxis"), layout.pop("yaxis")
    up |= {"range": [0, HEADROOM * largest or 1], "nticks": 4}
    axes: dict[str, Any] = {}
    for place in range(max(len(names), 1)):
        number = str(place + 1) if place else ""
        axes[f"xaxis{number}"] = across | {"anchor": f"y{number}", "nticks": 3}
        axes[f"yaxis{number}"] = up | {"anchor": f"x{number}"}
    titles = [
        {"text": f"<b>{short_name(name)}</b>", "showarrow": False, "xref": "paper", "yref": "paper",
         "xanchor": "left", "yanchor": "bottom", "x": 0, "y": 1}
        for name in names
    ]  # fmt: skip
    return layout | axes | {
        "annotations": titles, "meta": {"panels": len(names)},
    }  # fmt: skip
