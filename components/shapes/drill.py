"""What a click on a chart or a table narrows to: written beside each point and each row.

`assets/drill.js` reads it there. "Other" is all but what stands beside it; None is what nothing
can be narrowed to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from components.sections.declared import Section
from data.events.table import NONE
from data.local_time import instant
from data.query.answers import Answer
from data.query.catalog import HOUR, METRICS, OTHER, TIME, WEEKDAY
from data.query.filters import LISTS, NOT
from data.query.series import or_none

KEY: Final = "narrows"
Figure = dict[str, Any]
Row = dict[str, Any]
Values = dict[str, str | list[str]] | None  # by field


def mark(figure: Figure, answer: Answer) -> Figure:
    """The figure, each trace and bucket saying what it stands for, and each trace its measure."""
    together = _declared(answer).together
    names = answer.section.drawable if together else (answer.measure,) * len(figure["data"])
    figure["layout"]["meta"] = {"buckets": list(_buckets(answer).values())}
    marks = MARKS[answer.section.shape](answer)
    for trace, values, name in zip(figure["data"], marks, names, strict=False):
        trace["meta"] = {"values": values, "measure": name}
    return figure


def _series(answer: Answer) -> list[list[Values]]:
    """One a trace, in the order in which charts draw them."""
    values = answer.frame[answer.by].drop_duplicates()
    return [[_values({answer.by: value}, _named(answer))] for value in values]


def _ranked(answer: Answer) -> list[list[Values]]:
    """One a bar of the only trace, and the remainder after them."""
    frame, measure = answer.frame, METRICS[answer.measure].name
    ranked = frame[frame[measure].notna()]
    ranked = ranked.sort_values(measure, ascending=False, kind="stable")
    shown = ranked.head(answer.section.top)[answer.by].tolist()
    bars = shown + [OTHER] * (len(ranked) > len(shown))
    return [[_values({answer.by: value}, shown) for value in bars]]


def _mixed(answer: Answer) -> list[list[Values]]:
    """One a measure: what it is the part of, where the section says so."""
    if stands := _declared(answer).stands:
        return [[{field: value}] for field, value in stands]
    return [[{}] for _ in answer.section.drawable]


def _declared(answer: Answer) -> Section:
    return cast(Section, answer.section)


def _cells(_: Answer) -> list[list[Values]]:
    """One an hour of the week, row by row."""
    return [[{WEEKDAY: str(day), HOUR: str(hour)} for day in range(7) for hour in range(24)]]


MARKS: Final = {"time": _series, "ranking": _ranked, "mix": _mixed, "heat": _cells}


def rows(made: list[Row], answer: Answer) -> list[Row]:
    """The table's rows, each saying what it stands for."""
    frame, buckets = answer.frame, _buckets(answer)
    fields = [name for name in answer.dimensions if name != TIME]
    times = frame[TIME].tolist() if buckets else [None] * len(frame)
    keys = frame[fields].to_dict("records") if fields else [{}] * len(frame)
    named = _named(answer)
    for row, key, time in zip(made, keys, times, strict=False):
        row[KEY] = {"values": _values(key, named), "bucket": buckets.get(time)}
    return made


def _named(answer: Answer) -> list[Any]:
    """The values beside "Other"."""
    if not answer.by:
        return []
    return [value for value in answer.frame[answer.by].drop_duplicates() if value != OTHER]


def _values(key: dict[Any, Any], named: Sequence[Any]) -> Values:
    """The values as a filter spells them; fields that cannot be narrowed to are left out."""
    told: dict[str, str | list[str]] = {}
    for field, value in key.items():
        if value != OTHER:
            told |= {str(field): _spelled(value)} if field in LISTS else {}
        elif field in LISTS:
            told[f"{NOT}{field}"] = [_spelled(one) for one in named]
        else:
            return None
    return told


def _spelled(value: Any) -> str:
    return NONE if or_none(value) is None else str(value)


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
