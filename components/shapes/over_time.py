"""Bars and lines over the buckets of time, for the shapes that have them."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from components.shapes.axes import axis_value, short_name
from components.shapes.buckets import INCOMPLETE
from components.shapes.colours import Style
from components.shapes.marks import marked
from components.shapes.shape import Trace
from data.query.catalog import Metric
from data.query.units import SHARE

CLEAR: Final = "rgba(0,0,0,0)"
APART: Final = {"width": 0.8, "color": "var(--surface)"}


def bars(
    name: str, values: pd.Series[Any], metric: Metric, ticks: list[str], style: Style
) -> Trace:
    """A bar a bucket."""
    marker = {
        "color": CLEAR if style.outlined else style.colour,
        # A bucket that is not whole is paler.
        "opacity": [0.55 if tick.endswith(INCOMPLETE) else 1 for tick in ticks],
        # What lies on another in a stack stands apart from it.
        "line": {"width": 1.5, "color": style.colour} if style.outlined else APART,
    }  # fmt: skip
    return _points(name, values, metric, ticks) | {"type": "bar", "marker": marker}


def line(
    name: str, values: pd.Series[Any], metric: Metric, ticks: list[str], style: Style
) -> Trace:
    """A line through the buckets, with gaps where nothing is known."""
    stroke = {"color": style.colour, "width": 2, "dash": "dot" if style.outlined else "solid"}
    # The point of a bucket that is not whole is hollow.
    partial = [tick.endswith(INCOMPLETE) for tick in ticks]
    marker = {
        "color": style.colour,
        "size": [7 if one else 4 for one in partial],
        "symbol": ["circle-open" if one else "circle" for one in partial],
    }
    return _points(name, values, metric, ticks) | {
        "type": "scatter", "mode": "lines+markers", "line": stroke, "marker": marker,
    }  # fmt: skip


def is_empty(values: pd.Series[Any], bars: bool) -> bool:
    """Whether there is nothing to draw: nothing known, or only bars without height."""
    known = values.dropna()
    return not (bool(known.astype(bool).any()) if bars else len(known))


def _total(values: pd.Series[Any], metric: Metric, ticks: list[str]) -> Trace:
    """What all bars of a bucket add up to, first of what is read on hover; nothing is drawn."""
    return _points("Total", values, metric, ticks) | {
        "type": "scatter", "mode": "none", "showlegend": False,
        "hovertemplate": "%{customdata}",
    }  # fmt: skip


def with_total(traces: list[Trace], whole: pd.Series[Any], metric: Metric) -> list[Trace]:
    """Stacked bars with their total, and the share of it beside each value on hover."""
    if len(traces) < 2:
        return traces
    sums = [axis_value(value, metric) or 0 for value in whole.tolist()]
    for trace in traces:
        trace["customdata"] = [
            f"{text} · {SHARE.text(value / of)}" if value and of > 0 else text
            for text, value, of in zip(trace["customdata"], trace["y"], sums, strict=True)
        ]
    return [marked(_total(whole, metric, traces[0]["x"]), [], metric.name), *traces]


def _points(name: str, values: pd.Series[Any], metric: Metric, ticks: list[str]) -> Trace:
    known = values.tolist()
    return {
        "name": short_name(name), "x": ticks, "y": [axis_value(value, metric) for value in known],
        "customdata": [metric.unit.text(value) for value in known],
        "hovertemplate": "%{customdata}",
    }  # fmt: skip
