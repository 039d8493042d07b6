"""A table over time as a pivot: rows are buckets, columns the values of the breakdown, totals both
ways.

Here are its columns and totals; `assets/pivot.js` puts the cells in their places, from the rows of
the long form. A total is a sum only of what adds up; of the rest there is none. Where there is
something to compare with, the change stands beside the total, and what it was on hover.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import pandas as pd

from components.page.tables import (
    BEFORE,
    CHANGE,
    TEXT,
    TOTAL,
    changed,
    compared_column,
    dimension_column,
    raw,
)
from components.shapes import earlier
from components.shapes.axes import cut_name
from components.shapes.marks import mark, shown_values
from components.shapes.over_time import is_empty
from components.values import value_label
from data.query.answers import Answer
from data.query.catalog import METRICS, TIME, Metric
from data.query.comparison import before_name
from data.query.series import EVENT_COUNTS, or_none

Row = dict[str, Any]
SUM: Final = "total"
# Called otherwise than in the long form: a column that both have would keep its place in the other.
CHANGED: Final = f"{SUM}_{CHANGE}"
TIP: Final = f"{CHANGED}_tip"
PLACE: Final = "place"  # in a row of the long form: which of the pivot's columns its value is in


def pivots(dimensions: Sequence[str]) -> bool:
    """Whether rows by these can be read both ways."""
    return len(dimensions) == 2 and dimensions[0] == TIME


def pivot(answer: Answer, rows: list[Row]) -> Row | None:
    """The pivot of the measure, if the answer is a breakdown over time; its rows of the long form
    are numbered by column. What is nowhere anything has no column, as in the chart."""
    if not pivots(answer.dimensions):
        return None
    metric, by, shown = METRICS[answer.measure], answer.by, shown_values(answer)
    groups = {
        or_none(key): found for key, found in answer.frame.groupby(by, dropna=False, sort=False)
    }
    kept = {
        key: found
        for key, found in groups.items()
        if not is_empty(found[metric.name], bars=metric.additive)
    }
    places = {key: place for place, key in enumerate(kept)}
    for row, key in zip(rows, answer.frame[by].tolist(), strict=False):
        row[PLACE] = places.get(or_none(key))
    fields = [_field(by, key) for key in kept]
    names = [value_label(found.iloc[0].to_dict(), by) for found in kept.values()]
    return {
        "measure": metric.name,
        "fields": fields,
        "marks": {field: mark({by: key}, shown) for field, key in zip(fields, kept, strict=True)},
        "columns": _columns(answer, metric, fields, names),
        **_totals(answer, metric, places, fields),
    }


def _field(by: str, key: Any) -> str:
    """The name of a value's column: the same in every answer, and without a dot, which the grid
    reads as a path."""
    value = "null" if key is None else f"={quote(str(key), safe='').replace('.', '%2E')}"
    return f"{by}{value}:"


def _columns(answer: Answer, metric: Metric, fields: list[str], names: list[str]) -> list[Row]:
    sums = [_number(SUM, TOTAL)] if metric.additive else []
    if sums and answer.comparison:
        sums.append(compared_column(CHANGED, "Change", answer) | {"tooltipField": TIP})
    values = [_number(field, name) for field, name in zip(fields, names, strict=True)]
    return [dimension_column(TIME, 0), *sums, *values]


def _number(field: str, name: str) -> Row:
    return {
        "field": field, "headerName": cut_name(name), "headerTooltip": name,
        "wrapHeaderText": True, "type": "rightAligned", "sortingOrder": ["desc", "asc", None],
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip


def _totals(answer: Answer, metric: Metric, places: dict[Any, int], fields: list[str]) -> Row:
    """`totals` has each bucket's, by its start, `total` is the last row."""
    if not metric.additive:
        return {"totals": {}, "total": None}
    keys = map(or_none, answer.frame[answer.by].drop_duplicates())
    of_keys = zip(keys, _sums(answer, answer.by), strict=True)
    sums = {fields[places[key]]: value for key, value in of_keys if key in places}
    total: Row = {TIME: TOTAL, f"{TIME}{TEXT}": TOTAL}
    for field, value in sums.items():
        total |= {field: raw(value), f"{field}{TEXT}": metric.unit.text(value)}
    before = answer.totals[before_name(metric.name)].iloc[0] if answer.comparison else None
    total |= _sum(answer, metric, answer.total, before)
    starts, now = answer.frame[TIME].drop_duplicates(), _sums(answer, TIME)
    then = earlier.sums(answer, [metric.name]) or [None] * len(now)
    totals = {
        str(int(start)): _sum(answer, metric, value, was)
        for start, value, was in zip(starts, now, then, strict=True)
    }
    return {"totals": totals, "total": total}


def _sum(answer: Answer, metric: Metric, now: Any, before: Any) -> Row:
    """The cells of a total, with what became of it where it is compared."""
    made: Row = {SUM: raw(now), f"{SUM}{TEXT}": metric.unit.text(now)}
    if answer.comparison:
        cells = changed(metric, now, before, answer.window.zone)
        made |= {f"{SUM}_{name}": value for name, value in cells.items()}
        made[TIP] = f"was {cells[f'{BEFORE}{TEXT}']}"
    return made


def _sums(answer: Answer, name: str) -> list[Any]:
    """The measure's sum of each value of a dimension, in order: of what is known, unknown if
    nothing is, and zero only where nothing happened at all."""
    frame, metric = answer.frame, METRICS[answer.measure]
    happened = pd.Series(True, frame.index)
    for count in EVENT_COUNTS:
        if count in frame.columns and METRICS[count].kinds <= metric.kinds:
            happened = (frame[count].fillna(0) != 0) | (frame[metric.name].fillna(0) != 0)
    marked = frame.assign(known=frame[metric.name].where(happened), happened=happened)
    groups = marked.groupby(name, dropna=False, sort=False)
    sums = groups["known"].sum(min_count=1).where(groups["happened"].any(), 0)
    values: list[Any] = sums.tolist()
    return values
