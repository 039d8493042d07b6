"""Frames into figures: plain dicts, one function a shape.

A chart never asks and never adds up what can be asked; the one sum here is the remainder of a
ranking, and only of additive metrics. Colours of text and grid come from the page's css.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import pandas as pd

from components.page.numbers import SO_FAR
from components.page.tables import bucket_labels
from components.page.values import DASHES, GREY, HEAT, PALETTE, ROUNDS, WEEK, Look, entity, looks
from components.sections.declared import Section
from components.shapes.axes import beside, drawn, lying, short, standing, week
from data.query.answers import Answer
from data.query.catalog import METRICS, OTHER_LABEL, TIME, WEEKDAY, Metric
from data.query.series import or_none

Figure = dict[str, Any]
Colours = Mapping[str, int]


def draw(answer: Answer) -> Figure:
    """The section's figure."""
    return SHAPES[answer.section.shape](answer, METRICS[answer.measure])


def over_time(answer: Answer, metric: Metric) -> Figure:
    """Stacked bars of what adds up, lines of what does not; a trace for each value."""
    ticks = bucket_labels(answer)
    bars = metric.additive and not cast(Section, answer.section).lines
    traces = [
        _trace(name, rows, metric, ticks, seen, bars)
        for name, rows, seen in _series(answer.frame, answer.by, answer.colours)
    ]
    by_bucket = answer.frame.groupby(TIME)[metric.name]
    largest = or_none((by_bucket.sum() if bars else by_bucket.max()).max()) or 0
    return {"data": traces, "layout": standing(metric, ticks, answer.window, largest)}


def _series(
    frame: pd.DataFrame, by: str, colours: Colours
) -> Iterator[tuple[str, pd.DataFrame, Look]]:
    """`(name, rows, look)` of each value, in the frame's order: the largest first, others last."""
    groups = [(or_none(key), rows) for key, rows in frame.groupby(by, dropna=False, sort=False)]
    shades = looks([key for key, _ in groups], colours)
    for (_, rows), shade in zip(groups, shades, strict=True):
        yield entity(rows.iloc[0], by), rows, shade


def _trace(
    name: str, rows: pd.DataFrame, metric: Metric, ticks: list[str], seen: Look, bars: bool
) -> Figure:
    values = rows[metric.name].tolist()
    common = {
        "name": short(name), "x": ticks, "y": [drawn(value, metric) for value in values],
        "customdata": [metric.unit.text(value) for value in values],
        "hovertemplate": "%{customdata}",
    }  # fmt: skip
    if bars:
        return common | {"type": "bar", "marker": _fill(seen, ticks)}
    line = {"color": seen[0], "width": 2, "dash": DASHES[seen[1]]}
    return common | {
        "type": "scatter",
        "mode": "lines+markers",
        "line": line,
        "marker": {"size": 4},
    }


def _fill(seen: Look, ticks: list[str]) -> Figure:
    """Colour and pattern of a value's bars; the bucket that still runs is paler."""
    colour, used = seen
    return {
        "color": colour,
        # Only where there is one: Plotly warns of a pattern over a list of colours.
        **({"pattern": {"shape": ROUNDS[used], "fillmode": "overlay"}} if used else {}),
        "opacity": [0.55 if tick.endswith(SO_FAR) else 1 for tick in ticks],
        "line": {"width": 0},
    }


def ranking(answer: Answer, metric: Metric) -> Figure:
    """Horizontal bars of the largest, and the remainder where it can be added up."""
    frame = answer.frame[answer.frame[metric.name].notna()]
    ranked = frame.sort_values(metric.name, ascending=False, kind="stable")
    shown, rest = ranked.head(answer.section.top), ranked.iloc[answer.section.top :]
    names = [entity(row, answer.by) for _, row in shown.iterrows()]
    values = [float(value) for value in shown[metric.name]]
    # Each bar has its name beside it: the colour alone is enough.
    shades = [
        shade for shade, _ in looks([or_none(key) for key in shown[answer.by]], answer.colours)
    ]
    if len(rest) and metric.additive:
        names.append(f"{OTHER_LABEL} ({len(rest):,})")
        values.append(round(float(rest[metric.name].sum()), 9))
        shades.append(GREY)
    return {"data": [_bars(names, values, shades, metric)], "layout": lying(metric, names)}


def _bars(names: list[str], values: list[float], shades: list[str], metric: Metric) -> Figure:
    said = [metric.unit.text(value) for value in values]
    return {
        "type": "bar", "orientation": "h", "x": values, "y": list(range(len(values))),
        "text": said, "textposition": "outside", "cliponaxis": False,
        "customdata": [short(name) for name in names],
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": shades, "line": {"width": 0}},
    }  # fmt: skip


def mix(answer: Answer, metric: Metric) -> Figure:
    """All measures together over time (or the chosen one): what adds up in stacked bars, the rest
    in lines; lines beside bars have an axis of their own."""
    section = cast(Section, answer.section)
    every = [METRICS[name] for name in section.drawable]
    ticks, shown = bucket_labels(answer), every if section.together else [metric]
    stacked = [one for one in shown if one.additive or section.stacked]
    lines = [one for one in shown if one not in stacked]
    traces = [
        _trace(one.label, answer.frame, one, ticks, (shade, 0), one in stacked)
        for one, shade in zip(shown, PALETTE, strict=False)
    ]
    for trace, one in zip(traces, shown, strict=True):
        if stacked and one in lines:
            trace["yaxis"] = "y2"
    first = (stacked or lines)[0]
    bars = [one.name for one in stacked or lines]
    layout = standing(
        first, ticks, answer.window, or_none(answer.frame[bars].sum(axis=1).max()) or 0
    )
    if stacked and lines:
        layout["yaxis2"] = beside(lines[0], or_none(answer.frame[lines[0].name].max()) or 0)
    if section.grouped:
        layout["barmode"] = "group"
    return {"data": traces, "layout": layout}


def heat(answer: Answer, metric: Metric) -> Figure:
    """The week by hours: a cell each, the darker the more."""
    frame = answer.frame
    rows = [frame[frame[WEEKDAY] == day] for day in range(7)]
    values = [[None if pd.isna(v) else float(v) for v in row[metric.name]] for row in rows]
    said = [[metric.unit.text(value) for value in row] for row in values]
    cells = {
        "type": "heatmap", "z": values, "x": list(range(24)), "y": list(WEEK), "customdata": said,
        "hovertemplate": "%{y} %{x}:00: %{customdata}<extra></extra>", "xgap": 2, "ygap": 2,
        "colorscale": HEAT, "showscale": False,
    }  # fmt: skip
    return {"data": [cells], "layout": week()}


SHAPES: Final[Mapping[str, Callable[..., Figure]]] = {
    "time": over_time,
    "mix": mix,
    "ranking": ranking,
    "heat": heat,
}
