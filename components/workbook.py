"""A section as a file: its rows as CSV, or as a workbook with typed cells and a sheet that says
what they are: filters, window, zone, totals, definitions."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from components import records
from components.sections.section import Section
from data.query.answers import Answer
from data.query.catalog import DIMENSIONS, METRICS
from data.query.filters import OPERATORS, Filters, field_of, operator_of
from data.query.listing import column_label
from data.query.units import INSTANT, TEXT, Unit
from data.query.windows import Window

ROWS: Final = "Spendscope"
ABOUT: Final = "About"
WIDEST: Final = 44  # characters
Cell = tuple[Any, Unit]
Line = tuple[Cell, ...]


class Book:
    """A workbook that is written; a number format is made once."""

    def __init__(self, file: io.BytesIO) -> None:
        self._book = xlsxwriter.Workbook(file, {"in_memory": True})
        self._formats = {"": None, "head": self._book.add_format({"bold": True})}

    def sheet(self, name: str, lines: list[Line], heads: set[int]) -> Any:
        """A sheet of these lines; those of some places are in bold."""
        sheet = self._book.add_worksheet(name)
        for place, line in enumerate(lines):
            for column, (value, unit) in enumerate(line):
                self._write(sheet, (place, column), value, "head" if place in heads else unit.cell)
        for column in range(max(map(len, lines))):
            longest = max(len(str(line[column][0])) for line in lines if len(line) > column)
            sheet.set_column(column, column, min(longest + 2, WIDEST))
        return sheet

    def close(self) -> None:
        self._book.close()

    def _write(self, sheet: Any, place: tuple[int, int], value: Any, cell: str) -> None:
        """A text is written as a text: nothing is a formula."""
        if cell not in self._formats:
            self._formats[cell] = self._book.add_format({"num_format": cell, "align": "right"})
        form = self._formats[cell]
        if isinstance(value, datetime):
            sheet.write_datetime(*place, value, form)
        elif isinstance(value, str):
            sheet.write_string(*place, value, form)
        elif value is not None:
            sheet.write_number(*place, value, form)


def xlsx(answer: Answer, section: Section, filters: Filters) -> bytes:
    """All rows, and beside them what they are."""
    file, rows, about = io.BytesIO(), _rows(answer), list(_about(answer, section, filters))
    book = Book(file)
    sheet = book.sheet(ROWS, rows, {0})
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(rows) - 1, 1), len(rows[0]) - 1)
    heads = {place for place, line in enumerate(about) if line and line[0][0] in HEADS}
    book.sheet(ABOUT, about, heads)
    book.close()
    return file.getvalue()


def _rows(answer: Answer) -> list[Line]:
    record = records.section(answer)
    names = [column["name"] for column in record["columns"]]
    units = [records.unit_of(name) for name in names]
    lines = [tuple(map(_cell, row.values(), units)) for row in record["rows"]]
    return [tuple((name, TEXT) for name in names), *lines]


def _cell(value: Any, unit: Unit) -> Cell:
    """An instant is the time in the reader's zone: a spreadsheet knows none."""
    if unit.cell == INSTANT.cell and isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=None), unit
    return value, unit


HEADS: Final = ("Section", "Totals", "Column")


def _about(answer: Answer, section: Section, filters: Filters) -> Iterator[Line]:
    """What the rows are, line by line."""
    yield _texts("Section", section.title)
    if answer.by:
        yield _texts("Broken down by", DIMENSIONS[answer.by].label)
    yield _window("Window", answer.window)
    if filters.compared:
        yield _window("Compared with", filters.compared)
    yield _texts("Time zone", answer.window.zone)
    for name, values in dict(filters.fields).items():
        label, operator = DIMENSIONS[field_of(name)].label, OPERATORS[operator_of(name)]
        yield _texts(label, operator, *values)
    if filters.me:
        yield _texts("User", "is", "me")
    for field, value in filters.about:
        yield _texts(f"About one {column_label(field).lower()}", "is", value)
    yield ()
    yield _texts("Totals")
    totals = records.rows(answer.totals, (), section.metrics, answer.window.zone)[0]
    for name in section.metrics:
        yield (METRICS[name].label, TEXT), _cell(totals[name], METRICS[name].unit)
    yield ()
    yield _texts("Column", "Label", "Unit", "Meaning")
    for column in records.columns((*answer.dimensions, *section.metrics)):
        known = METRICS.get(column["name"])
        yield _texts(
            *(column[one] for one in ("name", "label", "unit")), known.help if known else ""
        )


def _texts(*values: str) -> Line:
    return tuple((value, TEXT) for value in values)


def _window(label: str, window: Window) -> Line:
    ends = (records.iso(us, window.zone) for us in (window.start, window.end))
    return (label, TEXT), *(_cell(end, INSTANT) for end in ends)


# What a section comes as, by the ending of its address, and the media type of it.
Make = Callable[[Answer, Section, Filters], str | bytes]
FILES: Final[dict[str, tuple[Make, str]]] = {
    "csv": (lambda answer, *_: records.csv_text(answer), "text/csv"),
    "xlsx": (xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
