"""The frame around a chart: axes, margins, ticks. Plain dicts for Plotly."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from components.shapes.buckets import INCOMPLETE
from data.local_time import instant
from data.query.answers import OWN_ONLY
from data.query.catalog import Metric
from data.query.series import or_none
from data.query.windows import Window

LONGEST_NAME: Final = 28
OWN_MARK: Final = " (own)"  # the table says it in full
MOST_TICKS: Final = 8
LOWER: Final = 0.34  # of the height: the lower of two panels
BETWEEN: Final = 0.1
FEWEST_BARS: Final = 6  # keeps a lonely bar from filling its card
SLIM: Final = 0.15  # of the width, at most, is a bar where there are few


def short_name(name: str) -> str:
    """A name as a chart may show it: cut in the middle to fit, and never taken for markup."""
    return escape(cut_name(name), quote=False)


def cut_name(name: str) -> str:
    """A name cut in the middle to fit."""
    named, mark, _ = name.partition(OWN_ONLY)
    half = LONGEST_NAME // 2
    cut = named if len(named) <= LONGEST_NAME else f"{named[:half]}…{named[1 - half :]}"
    return cut + (OWN_MARK if mark else "")


def plain_layout() -> dict[str, Any]:
    """What all charts have in common."""
    return {
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12}, "hoverlabel": {"namelength": -1},
    }  # fmt: skip


def vertical_layout(
    metric: Metric, ticks: list[str], window: Window, largest: float
) -> dict[str, Any]:
    """The layout of a chart over time; `ticks` are the labels of all buckets."""
    shown = _spread(ticks)
    year = f" {instant(window.end - 1, window.zone).year}"
    texts = [_shortened(tick.replace(year, "")) for tick in shown]
    across = {
        "type": "category", "tickvals": shown, "ticktext": texts,
        "showgrid": False, "fixedrange": True, "automargin": True,
        # As many are shown as stand beside each other (assets/chart.js), below the lowest value.
        "tickangle": 0, "ticklabelstandoff": 5,
    }  # fmt: skip
    up = _value_axis(metric, largest) | {"rangemode": "tozero", "nticks": 6}
    return plain_layout() | {
        "xaxis": across, "yaxis": up, "barmode": "stack", "barcornerradius": 3,
        "bargap": max(0.25, 1 - SLIM * len(ticks)),
        "hovermode": "x unified", "hoversubplots": "axis", "showlegend": True,
        # As high as its lines are: the axis moves up for it.
        "legend": {
            "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0,
            "xanchor": "left", "traceorder": "normal",
        },
    }  # fmt: skip


def horizontal_layout(metric: Metric, names: list[str]) -> dict[str, Any]:
    """The layout of horizontal bars, one a name, the first on top."""
    places = list(range(len(names)))
    down = {
        "tickvals": places, "ticktext": [f"{short_name(name)} " for name in names],
        "range": [max(len(names), FEWEST_BARS) - 0.5, -0.5], "fixedrange": True,
        "automargin": True, "showgrid": False, "zeroline": False,
    }  # fmt: skip
    along = _value_axis(metric, 0) | {"showticklabels": False, "showgrid": False, "zeroline": False}
    return plain_layout() | {
        "xaxis": along, "yaxis": down, "showlegend": False, "bargap": 0.35, "hovermode": "closest",
        "margin": {"l": 8, "r": 76, "t": 4, "b": 8},
    }  # fmt: skip


def panel_below(layout: dict[str, Any], metric: Metric, largest: float) -> dict[str, Any]:
    """The layout with a second panel below, over the same buckets, on a scale of its own."""
    lower = _value_axis(metric, largest) | {
        "domain": [0, LOWER],
        "rangemode": "tozero",
        "nticks": 4,
        "zeroline": True,
    }
    upper = layout["yaxis"] | {"domain": [LOWER + BETWEEN, 1], "nticks": 5}
    return layout | {
        "yaxis": upper, "yaxis2": lower, "xaxis": layout["xaxis"] | {"anchor": "y2"}
    }  # fmt: skip


def axis_value(value: Any, metric: Metric) -> float | None:
    """A value as its axis counts: the unknown as a gap."""
    if or_none(value) is None:
        return None
    return float(value) / metric.unit.axis.scale


def _shortened(tick: str) -> str:
    """The label with an ellipsis for the mark of a bucket that is not whole."""
    for mark in INCOMPLETE:
        tick = tick.replace(mark, "…")
    return tick


def _spread(ticks: list[str]) -> list[str]:
    """At most `MOST_TICKS` of the labels, evenly."""
    step = -(-len(ticks) // MOST_TICKS) or 1
    return ticks[::step]


def _value_axis(metric: Metric, largest: float) -> dict[str, Any]:
    axis = metric.unit.axis
    few = {"dtick": 1} if axis.whole and 0 < largest < MOST_TICKS else {}
    return few | {
        "tickprefix": axis.prefix, "tickformat": axis.format(largest), "ticksuffix": axis.suffix,
        "fixedrange": True, "automargin": True,
    }  # fmt: skip
