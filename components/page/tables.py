"""Frames into rows of a grid: each number raw for sorting, and as text for reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from components.shapes.buckets import bucket_labels
from components.values import change, hover_text, period_text, value_labels
from data.query.answers import Answer
from data.query.catalog import DIMENSIONS, METRICS, TIME, Metric
from data.query.comparison import before_name
from data.query.event_time import TIME_PARTS
from data.query.series import all_or_none, or_none

Row = dict[str, Any]
Cells = dict[str, Sequence[Any]]  # of all rows, by their column
TEXT: Final = "_text"
TOTAL: Final = "Total"
BEFORE: Final = "before"
CHANGE: Final = "change"
NARROW: Final = 104
WIDE: Final = 132
WIDEST: Final = 160


def columns(answer: Answer) -> list[Row]:
    """The grid's column definitions: dimensions, metrics, and beside the measure what it was."""
    made = [dimension_column(name, place) for place, name in enumerate(answer.dimensions)]
    for name in answer.section.metrics:
        made.append(_number_column(name))
        if answer.comparison and name == answer.measure:
            label = METRICS[name].label
            made.append(compared_column(BEFORE, f"{label} before", answer))
            made.append(compared_column(CHANGE, f"{label} change", answer))
    return made


def compared_column(field: str, title: str, answer: Answer) -> Row:
    """The column of the measure's earlier value, or of the change since."""
    compared = answer.comparison
    period = period_text(compared.window, answer.window) if compared else ""
    return {
        "field": field, "headerName": title, "headerTooltip": f"Against {period}.",
        "wrapHeaderText": True, "headerClass": "ag-right-aligned-header", "flex": 1,
        "minWidth": NARROW, "sortingOrder": ["desc", "asc", None],
        "cellClass": {"function": "compared(params)"},
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip


def dimension_column(name: str, place: int) -> Row:
    """The column of a dimension; the first stays in sight."""
    return {
        "field": name, "headerName": DIMENSIONS[name].label, "wrapHeaderText": True,
        "minWidth": 150, "flex": 2,
        "valueFormatter": {"function": "shown(params)"}, "tooltipField": f"{name}_tip",
        **({"pinned": "left", "lockPinned": True} if place == 0 else {}),
    }  # fmt: skip


def _number_column(name: str) -> Row:
    return {
        "field": name, "headerName": METRICS[name].label, "wrapHeaderText": True,
        "headerTooltip": METRICS[name].help,
        "type": "rightAligned", "flex": 1, "sortingOrder": ["desc", "asc", None],
        "minWidth": WIDEST if METRICS[name].unit.wide else WIDE,
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip


def rows(answer: Answer, most: int) -> list[Row]:
    """The section's first `most` rows, in the frame's order."""
    frame, cells = answer.frame.head(most), dict[str, Sequence[Any]]()
    for name in answer.dimensions:
        cells |= _words(frame, name, answer)
    for name in answer.section.metrics:
        cells |= _numbers(frame[name], name, METRICS[name], answer.window.zone)
    if answer.comparison:
        cells |= _changes(frame, answer)
    # Whole columns first: to fill thousands of rows cell by cell takes twice as long.
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def _changes(frame: pd.DataFrame, answer: Answer) -> Cells:
    """What the measure was and how it changed."""
    metric = METRICS[answer.measure]
    before = frame[before_name(metric.name)]
    both = zip(frame[metric.name].tolist(), before.tolist(), strict=True)
    found = [change(metric, *one) for one in both]
    return _numbers(before, BEFORE, metric, answer.window.zone) | {
        CHANGE: [one.size for one in found],
        f"{CHANGE}{TEXT}": [one.text for one in found],
        f"{CHANGE}_mood": [one.mood for one in found],
    }


def changed(metric: Metric, now: Any, before: Any, zone: str) -> Row:
    """The cells of a metric's earlier value and of the change since."""
    found = change(metric, now, before)
    return {
        BEFORE: raw(before), f"{BEFORE}{TEXT}": metric.unit.text(before, zone),
        CHANGE: found.size, f"{CHANGE}{TEXT}": found.text, f"{CHANGE}_mood": found.mood,
    }  # fmt: skip


def _words(frame: pd.DataFrame, name: str, answer: Answer) -> Cells:
    values = frame[name].tolist()
    if name == TIME:
        ticks, starts = _ticks(answer), list(map(int, values))
        return {name: starts, f"{name}{TEXT}": [ticks[start] for start in starts]}
    texts = value_labels(frame, name)
    if name in TIME_PARTS:
        return {name: list(map(int, values)), f"{name}{TEXT}": texts}
    several = answer.ids_by_person if name == "user" else {}
    both = zip(values, texts, strict=True)
    tips = [hover_text(value, several) or text for value, text in both]
    return {name: texts, f"{name}{TEXT}": texts, f"{name}_tip": tips}


def _ticks(answer: Answer) -> dict[int, str]:
    starts = answer.frame[TIME].drop_duplicates().tolist()
    return dict(zip(starts, bucket_labels(answer), strict=True))


def _numbers(values: pd.Series[Any], name: str, metric: Metric, zone: str) -> Cells:
    raws = all_or_none(values.tolist())
    return {name: raws, f"{name}{TEXT}": metric.unit.texts(raws, zone)}


def raw(value: Any) -> Any:
    """A number as JSON carries it: int or float, null for unknown."""
    return or_none(value)


def total(answer: Answer) -> Row:
    """The totals row: what the question without dimensions answered."""
    first = answer.dimensions[0]
    cells: Cells = {first: [TOTAL], f"{first}{TEXT}": [TOTAL]}
    for name in answer.section.metrics:
        cells |= _numbers(answer.totals[name], name, METRICS[name], answer.window.zone)
    if answer.comparison:
        cells |= _changes(answer.totals, answer)
    return {name: values[0] for name, values in cells.items()}
