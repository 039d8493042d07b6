"""A section as a workbook: the rows of the API, and no formula whatever a name looks like."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from openpyxl import load_workbook

from components import records
from components.sections.declared import SECTIONS
from components.workbook import xlsx
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query.answers import answer
from data.query.catalog import METRICS
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
        sheet = load_workbook(io.BytesIO(xlsx(answered, one, filters))).worksheets[0]
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        told = records.section(answered)
        assert head == [column["name"] for column in told["columns"]]
        assert {f"{name}_before" for name in one.metrics} < set(head)
        assert len(rows) == len(told["rows"])
        for row, record in zip(rows, told["rows"], strict=True):
            assert all(map(_same, row, record.values()))
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_cells_are_typed_and_a_sheet_says_what_they_are(
    store: EventStore, event: Callable[..., Any]
) -> None:
    store.write([event(user="ana", model="m", cost_nano=1_234_500_000, input_tokens=3)])
    filters = Filters(WEEK, (("model", ("m",)), ("not_user", ("bob",))), me=True, compared=LATER)
    one = SECTIONS["cost-over-time"]
    answered = answer(one, filters, Scope("ana", everything=True), store, "project")
    rows, about = load_workbook(io.BytesIO(xlsx(answered, one, filters))).worksheets
    cells = {rows.cell(1, n).value: rows.cell(2, n) for n in range(1, rows.max_column + 1)}
    assert cells["time"].value == datetime.fromisoformat("2026-11-16")
    assert cells["time"].number_format == "yyyy-mm-dd hh:mm"
    assert cells["cost"].number_format == "$#,##0.00####"
    assert (rows.freeze_panes, rows.auto_filter.ref.startswith("A1:")) == ("B2", True)
    said = [[cell.value for cell in row if cell.value is not None] for row in about.iter_rows()]
    week = [datetime.fromisoformat("2026-11-16"), datetime.fromisoformat("2026-11-23")]
    assert said[:4] == [
        ["Section", "Cost over time"], ["Broken down by", "Project"], ["Window", *week],
        ["Compared with", *map(datetime.fromisoformat, ("2026-11-18", "2026-11-25"))],
    ]  # fmt: skip
    assert said[4:8] == [
        ["Time zone", "Europe/Berlin"], ["Model", "is", "m"], ["User", "is not", "bob"],
        ["User", "is", "me"],
    ]  # fmt: skip
    assert ["Cost", 1.2345] in said
    cost = ["cost", METRICS["cost"].label, "usd", METRICS["cost"].help]
    assert cost in said


def _same(written: Any, value: Any) -> bool:
    if isinstance(written, datetime):
        return written == datetime.fromisoformat(value).replace(tzinfo=None)
    # A workbook keeps sixteen digits of a number.
    number = isinstance(value, int | float)
    return math.isclose(written, value, rel_tol=1e-14) if number else written == value
