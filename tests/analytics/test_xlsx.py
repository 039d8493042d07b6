"""A section as a workbook: the rows of the API, and no formula whatever a name looks like."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

from openpyxl import load_workbook

from components import records
from components.sections.declared import SECTIONS
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query.answers import answer
from data.query.filters import Filters
from data.query.windows import resolve

WEEK = resolve("custom", None, ("2026-11-16", "2026-11-23"), "Europe/Berlin", 0)
LATER = resolve("custom", None, ("2026-11-18", "2026-11-25"), "Europe/Berlin", 0)
NAMES = ('=HYPERLINK("http://x","y")', "+1", "-1", "@SUM(A1)", "<script>", "Zoë 🚀", None)


def test_a_workbook_holds_the_rows_of_the_api(store: EventStore, event: Callable[..., Any]) -> None:
    store.write([event(user=name, model=name, cost_nano=7, input_tokens=3) for name in NAMES])
    for one in SECTIONS.values():
        filters = Filters(WEEK, compared=LATER)
        answered = answer(one, filters, Scope("x", everything=True), store)
        sheet = load_workbook(io.BytesIO(records.xlsx(answered))).active
        assert sheet is not None
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        told = records.section(answered)
        assert head == [column["name"] for column in told["columns"]]
        assert {f"{name}_before" for name in one.metrics} < set(head)
        assert len(rows) == len(told["rows"])
        for row, record in zip(rows, told["rows"], strict=True):
            assert all(map(_same, row, record.values()))
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def _same(written: Any, value: Any) -> bool:
    # A workbook keeps sixteen digits of a number.
    number = isinstance(value, int | float)
    return math.isclose(written, value, rel_tol=1e-14) if number else written == value
