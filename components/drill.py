"""What a click on a chart or a table narrows to: written beside each point and each row.

`assets/drill.js` reads it there. None is what nothing can be narrowed to: "Other".
"""

from __future__ import annotations

from typing import Any, Final

from components.answer import Answer
from data.catalog import METRICS, OTHER, TIME
from data.filters import LISTS, NONE
from data.local_time import instant
from data.series import known

KEY: Final = "narrows"
Figure = dict[str, Any]
Row = dict[str, Any]


def mark(figure: Figure, answer: Answer) -> Figure:
    """The figure, each trace and bucket saying what it stands for."""
    figure["layout"]["meta"] = {"buckets": list(_buckets(answer).values()), "field": _field(answer)}
    keys = MARKS.get(answer.section.shape, _nothing)(answer)
    for trace, values in zip(figure["data"], keys, strict=False):
        trace["meta"] = {"values": values}
    return figure


def _nothing(_: Answer) -> list[list[str | None]]:
    return []


def _series(answer: Answer) -> list[list[str | None]]:
    """A value a trace, in the order in which charts draw them."""
    if not _field(answer):
        return []
    return [[_value(value)] for value in answer.frame[answer.by].drop_duplicates()]


def _ranked(answer: Answer) -> list[list[str | None]]:
    """A value a bar of the only trace; the remainder after them has none."""
    frame, measure = answer.frame, METRICS[answer.measure].name
    ranked = frame[frame[measure].notna()]
    ranked = ranked.sort_values(measure, ascending=False, kind="stable")
    return [[_value(value) for value in ranked.head(answer.section.top)[answer.by]]]


MARKS: Final = {"time": _series, "ranking": _ranked}


def rows(made: list[Row], answer: Answer) -> list[Row]:
    """The table's rows, each saying what it stands for."""
    frame, buckets, field = answer.frame, _buckets(answer), _field(answer)
    values = frame[answer.by].tolist() if field else [OTHER] * len(frame)
    times = frame[TIME].tolist() if buckets else [None] * len(frame)
    for row, value, time in zip(made, values, times, strict=False):
        row[KEY] = {"field": field, "value": _value(value), "bucket": buckets.get(time)}
    return made


def _field(answer: Answer) -> str | None:
    return answer.by if answer.by in LISTS and answer.by in answer.dimensions else None


def _value(value: Any) -> str | None:
    return NONE if (seen := known(value)) is None else str(seen) if seen != OTHER else None


def _buckets(answer: Answer) -> dict[int, list[str]]:
    """The stretch of each bucket within the window, by its start."""
    if TIME not in answer.dimensions:
        return {}
    window = answer.window
    starts = [int(us) for us in answer.frame[TIME].drop_duplicates()]
    ends = [*starts, window.end][1:]
    return {
        start: [
            instant(us, window.zone).isoformat()
            for us in (max(start, window.start), min(end, window.end))
        ]
        for start, end in zip(starts, ends, strict=True)
    }
