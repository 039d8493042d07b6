"""Frames as records: raw numbers for JSON, the same for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from data.query.answers import Answer
from data.query.catalog import DIMENSIONS, METRICS, OTHER, OTHER_LABEL, TIME, Metric
from data.query.comparison import BEFORE, Comparison, before_name
from data.query.series import all_or_none
from data.query.units import INSTANT, TEXT, Unit

# A spreadsheet takes a cell that starts so for a formula.
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
Record = dict[str, Any]
DATES: Final[list[Record]] = [
    {"name": "compared_from", "label": "Compared from", "unit": INSTANT.name},
    {"name": "compared_to", "label": "Compared to", "unit": INSTANT.name},
]


def columns(names: tuple[str, ...]) -> list[Record]:
    """What each column is: dimensions (with the names people use), then metrics."""
    return [column for name in names for column in _column(name)]


def _column(name: str) -> Iterator[Record]:
    if metric := _metric(name):
        label = metric.label if name == metric.name else f"{metric.label} before"
        yield {"name": name, "label": label, "unit": metric.unit.name}
        return
    declared = DIMENSIONS[name]
    yield {"name": name, "label": declared.label, "unit": declared.unit.name}
    if declared.naming:
        yield {"name": declared.naming, "label": f"{declared.label} name", "unit": TEXT.name}


def _metric(name: str) -> Metric | None:
    """The metric of a column, or of a column with its earlier value."""
    return METRICS.get(name) or METRICS.get(name.removesuffix(BEFORE))


def with_before(metrics: tuple[str, ...], compared: bool) -> tuple[str, ...]:
    """The columns of metrics, with their earlier values where they are compared."""
    return (*metrics, *map(before_name, metrics)) if compared else metrics


def unit_of(name: str) -> Unit:
    """The unit of a column."""
    if metric := _metric(name):
        return metric.unit
    if name in [one["name"] for one in DATES]:
        return INSTANT
    return DIMENSIONS[name].unit if name in DIMENSIONS else TEXT


def rows(
    frame: pd.DataFrame, by: tuple[str, ...], metrics: tuple[str, ...], zone: str
) -> list[Record]:
    """A record a row, in the frame's order; instants are ISO 8601 with the zone's offset."""
    names = [column["name"] for column in columns((*by, *metrics))]
    values_by_column = [cells(frame[name].tolist(), name, zone) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*values_by_column, strict=True)]


def cells(values: list[Any], name: str, zone: str) -> list[Any]:
    """A column's raw values as JSON carries them."""
    metric = _metric(name)
    if metric or name == TIME:
        unit = metric.unit if metric else DIMENSIONS[name].unit
        return [unit.record(value, zone) for value in values]
    return [OTHER_LABEL if value == OTHER else value for value in all_or_none(values)]


def iso(value: Any, zone: str) -> str | None:
    """An instant as text with the zone's offset."""
    text: str | None = INSTANT.record(value, zone)
    return text


def section(answer: Answer) -> Record:
    """A section's columns, rows and totals."""
    by, zone, comparison = answer.dimensions, answer.window.zone, answer.comparison
    metrics = with_before(answer.section.metrics, comparison is not None)
    record: Record = {
        "columns": columns((*by, *metrics)),
        "rows": rows(answer.frame, by, metrics, zone),
        "totals": rows(answer.totals, (), metrics, zone)[0],
        "row_count": len(answer.frame),
    }
    if comparison:
        record["columns"] += DATES
        times = answer.frame[TIME].tolist() if TIME in by else [None] * len(answer.frame)
        for row, time in zip(record["rows"], times, strict=True):
            row |= _dates(comparison, time)
    return record


def _dates(comparison: Comparison, time: int | None) -> Record:
    """What a row is compared with: the earlier window, or the bucket in the same place, if any."""
    window = comparison.window
    ends = (window.start, window.end) if time is None else comparison.stretches.get(time)
    start, end = ends or (None, None)
    return {"compared_from": iso(start, window.zone), "compared_to": iso(end, window.zone)}


def csv_text(answer: Answer) -> str:
    """The section's rows as CSV, all of them; no cell is a formula to a spreadsheet."""
    record = section(answer)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(column["name"] for column in record["columns"])
    writer.writerows([safe(value) for value in row.values()] for row in record["rows"])
    return text.getvalue()


def safe(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
