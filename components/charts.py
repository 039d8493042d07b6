"""Frames into figures: plain dicts, one function a shape.

A chart never asks and never adds up what can be asked; the one sum here is the remainder of a
ranking, and only of additive metrics. Colours of text and grid come from the page's css.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from components.answer import Answer
from components.axes import lying, short, standing
from components.numbers import labels, text
from components.values import GREY, PALETTE, entity, known
from data.catalog import METRICS, OTHER, OTHER_LABEL, TIME, Metric

Figure = dict[str, Any]
Colours = Mapping[str, int]


def draw(answer: Answer) -> Figure:
    """The section's figure."""
    return SHAPES[answer.section.shape](answer, METRICS[answer.measure])


def over_time(answer: Answer, metric: Metric) -> Figure:
    """Stacked bars of what adds up, lines of what does not; a trace for each value."""
    starts = [int(us) for us in answer.frame[TIME].drop_duplicates()]
    ticks = labels(starts, answer.grain, answer.window.zone)
    traces = [
        _trace(name, rows, metric, ticks, colour)
        for name, rows, colour in _series(answer.frame, answer.by, metric, answer.colours)
    ]
    return {"data": traces, "layout": standing(metric, ticks, answer.window)}


def _series(
    frame: pd.DataFrame, by: str, metric: Metric, colours: Colours
) -> list[tuple[str, pd.DataFrame, str]]:
    """`(name, rows, colour)` of each value, the largest first, the others last."""
    groups = {known(key): rows for key, rows in frame.groupby(by, dropna=False, sort=False)}
    size = {key: float(rows[metric.name].sum(skipna=True)) for key, rows in groups.items()}
    ranked = sorted(groups, key=lambda key: (key == OTHER, -size[key], key or ""))
    shade = _distinct([key for key in ranked if key], colours)
    return [(entity(groups[key].iloc[0], by), groups[key], shade.get(key, GREY)) for key in ranked]


def _distinct(keys: list[str], colours: Colours) -> dict[str, str]:
    """A colour of its own for each: the one its number gives, or the next free one."""
    taken: dict[int, str] = {}
    for key in sorted(keys, key=lambda k: colours.get(k, len(colours))):
        place = colours.get(key, len(colours)) % len(PALETTE)
        free = (p % len(PALETTE) for p in range(place, place + len(PALETTE)))
        taken.setdefault(next((p for p in free if p not in taken), place), key)
    return {key: PALETTE[place] for place, key in taken.items()}


def _trace(name: str, rows: pd.DataFrame, metric: Metric, ticks: list[str], colour: str) -> Figure:
    values = [None if pd.isna(v) else float(v) for v in rows[metric.name]]
    said = [text(value, metric.unit) for value in values]
    common = {
        "name": short(name), "x": ticks, "y": values, "customdata": said,
        "hovertemplate": "%{customdata}",
    }  # fmt: skip
    if metric.additive:
        return common | {"type": "bar", "marker": {"color": colour}}
    line = {"color": colour, "width": 2}
    return common | {
        "type": "scatter",
        "mode": "lines+markers",
        "line": line,
        "marker": {"size": 4},
    }


def ranking(answer: Answer, metric: Metric) -> Figure:
    """Horizontal bars of the largest, and the remainder where it can be added up."""
    frame = answer.frame[answer.frame[metric.name].notna()]
    ranked = frame.sort_values(metric.name, ascending=False, kind="stable")
    shown, rest = ranked.head(answer.section.top), ranked.iloc[answer.section.top :]
    names = [entity(row, answer.by) for _, row in shown.iterrows()]
    values = [float(value) for value in shown[metric.name]]
    shades = [_own(known(key), answer.colours) for key in shown[answer.by]]
    if len(rest) and metric.additive:
        names.append(f"{OTHER_LABEL} ({len(rest):,})")
        values.append(round(float(rest[metric.name].sum()), 9))
        shades.append(GREY)
    return {"data": [_bars(names, values, shades, metric)], "layout": lying(metric, names)}


def _own(key: str | None, colours: Colours) -> str:
    return GREY if not key else PALETTE[colours.get(key, len(colours)) % len(PALETTE)]


def _bars(names: list[str], values: list[float], shades: list[str], metric: Metric) -> Figure:
    said = [text(value, metric.unit) for value in values]
    return {
        "type": "bar", "orientation": "h", "x": values, "y": list(range(len(values))),
        "text": said, "textposition": "outside", "cliponaxis": False,
        "customdata": [short(name) for name in names],
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": shades},
    }  # fmt: skip


SHAPES: Final[Mapping[str, Callable[..., Figure]]] = {"time": over_time, "ranking": ranking}
