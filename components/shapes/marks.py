"""What a click on a chart or a table narrows to: written beside each point and each row.

`assets/chart.js` and `assets/table.js` read it there. "Other" is all but the values beside it; a
mark of None is of what nothing can be narrowed to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from components.shapes.buckets import bucket_ranges
from data.events.table import NONE
from data.query.answers import Answer
from data.query.catalog import OTHER, TIME
from data.query.filters import LISTS, NOT
from data.query.series import all_or_none, or_none

KEY: Final = "narrows"
Mark = dict[str, str | list[str]] | None  # values by field, as a filter spells them
Row = dict[str, Any]


def mark(values: Mapping[Any, Any], shown: Sequence[Any]) -> Mark:
    """The mark of a value of each dimension; `shown` are all the values beside "Other". Fields
    that cannot be narrowed to are left out."""
    made: dict[str, str | list[str]] = {}
    for field, value in values.items():
        if value != OTHER:
            made |= {str(field): _spelled(value)} if field in LISTS else {}
        elif field in LISTS:
            made[f"{NOT}{field}"] = [_spelled(one) for one in shown]
        else:
            return None
    return made


def marked(trace: dict[str, Any], marks: Sequence[Mark], measure: str) -> dict[str, Any]:
    """The trace with a mark for each point (or one for all), and the measure it shows."""
    return trace | {"meta": {"values": list(marks), "measure": measure}}


def marked_rows(rows: list[Row], answer: Answer) -> list[Row]:
    """The table's rows, each with its mark."""
    frame, buckets = answer.frame, bucket_ranges(answer)
    fields = [name for name in answer.dimensions if name != TIME]
    times = frame[TIME].tolist() if buckets else [None] * len(frame)
    keys = frame[fields].to_dict("records") if fields else [{}] * len(frame)
    shown = shown_values(answer)
    for row, key, time in zip(rows, keys, times, strict=False):
        row[KEY] = {"values": mark(key, shown), "bucket": buckets.get(time)}
    return rows


def shown_values(answer: Answer) -> list[Any]:
    """The values of the breakdown that are not gathered in "Other"."""
    return distinct(answer.frame[answer.by]) if answer.by else []


def distinct(values: Iterable[Any]) -> list[Any]:
    """The different values but "Other", in order, with every spelling of missing as None."""
    return [value for value in dict.fromkeys(all_or_none(values)) if value != OTHER]


def _spelled(value: Any) -> str:
    return NONE if or_none(value) is None else str(value)
