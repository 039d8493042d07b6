"""Frames into rows of a grid: each number raw for sorting, and as text for reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd

from components.shapes.buckets import bucket_labels
from components.values import change, hover_text, period_text, value_label
from data.query.answers import Answer
from data.query.catalog import DIMENSIONS, METRICS, TIME
from data.query.comparison import before_name
from data.query.event_time import TIME_PARTS
from data.query.series import or_none

Row = dict[str, Any]
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
        made.append(_number(name))
        if answer.comparison and name == answer.measure:
            period = period_text(answer.comparison.window, answer.window)
            made += _comparing(METRICS[name].label, period)
    return made


def _comparing(label: str, period: str) -> list[Row]:
    """The measure's earlier value, and the change since."""
    several = ((BEFORE, f"{label} before"), (CHANGE, f"{label} change"))
    return [
        {
            "field": field, "headerName": title, "headerTooltip": f"Against {period}.",
            "wrapHeaderText": True, "headerClass": "ag-right-aligned-header", "flex": 1,
            "minWidth": NARROW, "sortingOrder": ["desc", "asc", None],
            "cellClass": {"function": "compared(params)"},
            "valueFormatter": {"function": "shown(params)"},
        }
        for field, title in several
    ]  # fmt: skip


def dimension_column(name: str, place: int) -> Row:
    """The column of a dimension; the first stays in sight."""
    return {
        "field": name, "headerName": DIMENSIONS[name].label, "minWidth": 150, "flex": 2,
        "valueFormatter": {"function": "shown(params)"}, "tooltipField": f"{name}_tip",
        **({"pinned": "left", "lockPinned": True} if place == 0 else {}),
    }  # fmt: skip


def _number(name: str) -> Row:
    return {
        "field": name, "headerName": METRICS[name].label, "wrapHeaderText": True,
        "headerTooltip": METRICS[name].help,
        "type": "rightAligned", "flex": 1, "sortingOrder": ["desc", "asc", None],
        "minWidth": WIDEST if METRICS[name].unit.wide else WIDE,
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip


def rows(answer: Answer, most: int) -> list[Row]:
    """The section's first `most` rows, in the frame's order."""
    frame, names = answer.frame.head(most), answer.dimensions
    ticks = _ticks(answer) if TIME in names else {}
    numbers = [_cells(frame[name], name, answer.window.zone) for name in answer.section.metrics]
    made: list[Row] = [{} for _ in range(len(frame))]
    for place, row in enumerate(frame[_named(frame, names)].to_dict("records")):
        for name in names:
            made[place] |= _words(row, name, ticks, answer.ids_by_person if name == "user" else {})
        for cells in numbers:
            made[place] |= cells[place]
    if answer.comparison:
        for place, changes in enumerate(_changes(frame, answer)):
            made[place] |= changes
    return made


def _changes(frame: pd.DataFrame, answer: Answer) -> Iterator[Row]:
    """What the measure was and how it changed, row by row."""
    metric, zone = METRICS[answer.measure], answer.window.zone
    for now, before in zip(frame[metric.name], frame[before_name(metric.name)], strict=True):
        changed = change(metric, now, before)
        yield {
            BEFORE: raw(before), f"{BEFORE}{TEXT}": metric.unit.text(before, zone),
            CHANGE: changed.size, f"{CHANGE}{TEXT}": changed.text, f"{CHANGE}_mood": changed.mood,
        }  # fmt: skip


def _named(frame: pd.DataFrame, dimensions: tuple[str, ...]) -> list[str]:
    namings = [n for name in dimensions if (n := DIMENSIONS[name].naming) in frame.columns]
    return [*dimensions, *(name for name in namings if name)]


def _words(
    row: Mapping[Any, Any], name: str, ticks: dict[int, str], several: Mapping[str, tuple[str, ...]]
) -> Row:
    if name == TIME:
        return {name: int(row[TIME]), f"{name}{TEXT}": ticks[int(row[TIME])]}
    text = value_label(row, name)
    if name in TIME_PARTS:
        return {name: int(row[name]), f"{name}{TEXT}": text}
    return {
        name: text,
        f"{name}{TEXT}": text,
        f"{name}_tip": hover_text(row[name], several) or text,
    }


def _ticks(answer: Answer) -> dict[int, str]:
    starts = answer.frame[TIME].drop_duplicates().tolist()
    return dict(zip(starts, bucket_labels(answer), strict=True))


def _cells(values: pd.Series[Any], name: str, zone: str) -> list[Row]:
    unit = METRICS[name].unit
    return [
        {name: raw(value), f"{name}{TEXT}": unit.text(value, zone)} for value in values.tolist()
    ]


def raw(value: Any) -> Any:
    """A number as JSON carries it: int or float, null for unknown."""
    return or_none(value)


def total(answer: Answer) -> Row:
    """The totals row: what the question without dimensions answered."""
    first = answer.dimensions[0]
    row: Row = {first: TOTAL, f"{first}{TEXT}": TOTAL}
    for name in answer.section.metrics:
        row |= _cells(answer.totals[name], name, answer.window.zone)[0]
    return row | next(_changes(answer.totals, answer)) if answer.comparison else row
