"""A section: chart, table, API and file say the same; measure, breakdown, sorting, paging, mode."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, ViewportSize, expect

from components.page.pivot import pivots
from components.sections.declared import section
from components.shapes.ranking import Ranking
from tests.browser.driver import PHONE, WIDE, Open
from tests.reader import Reader

# The numbers and heads that do not fit into their cell, the columns that the edge cuts, and what is
# scrolled.
CUT = """card => {
    const box = one => one.getBoundingClientRect();
    const edge = box(card.querySelector('.ag-center-cols-viewport')).right;
    const all = some => [...card.querySelectorAll(some)];
    const body = card.querySelector('.ag-body-viewport') || card.querySelector('.ag-grid-scrolling-container');
    return {
        numbers: all('.ag-right-aligned-cell').filter(one => one.scrollWidth > one.clientWidth).length,
        heads: all('.ag-header-cell-text').filter(one => one.scrollWidth > one.clientWidth).length,
        columns: all('.ag-center-cols-container .ag-cell')
            .filter(one => box(one).left < edge - 2 && box(one).right > edge + 2).length,
        rows: body ? body.scrollHeight - body.clientHeight : 0,
        cells: all('.ag-center-cols-container .ag-cell').length > 0,
    };
}"""  # noqa: E501
TIMED, RANKED = "cost-over-time", "cost-by-provider"


def same(reader: Reader, key: str, **said: Any) -> dict[str, Any]:
    """The section's table holds the API's numbers, row by row, and its totals."""
    told: dict[str, Any] = reader.api(f"sections/{key}", **said)
    reader.section(key).get_by_test_id("mode-table").click()
    if pivots(section(key).shape.dimensions((*section(key).by, "")[0])):
        reader.section(key).get_by_role("button", name="Long form").click()
    names = section(key).metrics
    wanted = [[row[name] for name in names] for row in [*told["rows"], told["totals"]]]

    def held() -> list[Any]:
        grid = reader.grid(key)
        return [[row.get(name) for name in names] for row in [*grid["rows"], grid["total"]]]

    reader.becomes(held, wanted)
    reader.section(key).get_by_test_id("mode-chart").click()
    return told


@pytest.mark.parametrize("role", ["platform-admin", "user"])
def test_chart_table_and_api_tell_the_same_numbers(turn_as: Open, role: str) -> None:
    reader = turn_as(role, "/settings/analytics/spending?preset=last_n_days&n=30")
    said = {"preset": "last_n_days", "n": 30}
    over_time = [row["cost"] for row in same(reader, TIMED, **said)["rows"]]
    drawn = [value for trace in reader.traces(TIMED) for value in trace["y"]]
    assert sorted(drawn, key=repr) == sorted(over_time, key=repr)
    ranked = [
        row["cost"] for row in same(reader, RANKED, **said)["rows"] if row["cost"] is not None
    ]
    (bars,) = reader.traces(RANKED)
    top = Ranking().bars
    assert bars["x"][:top] == ranked[:top]
    assert sum(bars["x"]) == pytest.approx(sum(ranked), abs=1e-8)


def test_a_table_over_time_is_a_pivot(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending?preset=last_n_days&n=30")
    month = {"preset": "last_n_days", "n": "30"}
    rows = reader.api(f"sections/{TIMED}", **month)["rows"]
    reader.section(TIMED).get_by_test_id("mode-table").click()
    held = a_day_has_a_row_and_a_project_a_column(reader, rows)
    a_cell_shows_its_events_and_narrows(reader, held, month)
    the_long_form_is_one_click_away_and_stays(reader, rows, month)


def a_day_has_a_row_and_a_project_a_column(
    reader: Reader, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    times, projects = {row["time"] for row in rows}, {row["project"] for row in rows}
    reader.becomes(lambda: len(reader.grid(TIMED)["rows"]), len(times))
    assert reader.columns(TIMED)[:3] == ["time", "total", "total_change"]
    fields = reader.columns(TIMED)[3:]
    assert len(fields) == len(projects) <= 7
    grid = reader.grid(TIMED)
    held: list[dict[str, Any]] = grid["rows"]
    cells = [row[field] for row in held for field in fields]
    assert sorted(cells, key=repr) == sorted((row["cost"] for row in rows), key=repr)
    for row in [*held, grid["total"]]:
        parts = [row[field] for field in fields if row[field] is not None]
        assert row["total"] == pytest.approx(sum(parts), abs=1e-8)
    whole = sum(cell for cell in cells if cell is not None)
    assert grid["total"]["total"] == pytest.approx(whole, abs=1e-8)
    return held


def a_cell_shows_its_events_and_narrows(
    reader: Reader, held: list[dict[str, Any]], month: dict[str, str]
) -> None:
    field = reader.columns(TIMED)[3]
    place = next(at for at, row in enumerate(held[:10]) if row[field])
    cell = reader.section(TIMED).locator(f"[row-index='{place}'] [col-id='{field}']").first
    cell.focus()
    cell.press("Shift+Enter")
    shown = reader.find("events-cost")
    expect(shown).to_be_visible()
    assert float(shown.get_attribute("data-value") or 0) == pytest.approx(held[place][field])
    reader.page.keyboard.press("Escape")
    expect(reader.find("events-drawer")).to_be_hidden()
    cell.click()
    expect(reader.chip("project: ")).to_be_visible()
    expect(reader.chip("Custom range")).to_be_visible()
    reader.page.go_back()
    reader.has_query(**month)


def the_long_form_is_one_click_away_and_stays(
    reader: Reader, rows: list[dict[str, Any]], month: dict[str, str]
) -> None:
    card = reader.section(TIMED)
    card.get_by_role("button", name="Long form").click()
    reader.becomes(lambda: len(reader.grid(TIMED)["rows"]), len(rows))
    assert reader.columns(TIMED)[:3] == ["time", "project", "cost"]
    reader.has_query(**month, view=f"{TIMED}...table.long")
    reader.tab("models")
    reader.tab("spending")
    expect(card.get_by_role("button", name="Pivot")).to_be_visible()
    card.get_by_role("button", name="Pivot").click()
    reader.becomes(lambda: reader.columns(TIMED)[:2], ["time", "total"])
    reader.has_query(**month, view=f"{TIMED}...table")


def test_a_section_is_chosen_read_sorted_and_turned(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending")
    measure_and_breakdown_lead_chart_and_table(reader)
    the_table_reads_as_people_write_numbers(reader)
    a_click_on_a_head_sorts(reader)
    paging_turns_the_page(reader)


def measure_and_breakdown_lead_chart_and_table(reader: Reader) -> None:
    reader.choice(TIMED, "Break down").select_option("user")
    reader.choice(TIMED, "Measure").select_option("tokens")
    reader.answered(TIMED, by="user", measure="tokens")
    told = same(reader, TIMED, by="user", measure="tokens")
    drawn = [value for trace in reader.traces(TIMED) for value in trace["y"]]
    assert sorted(drawn) == sorted(row["tokens"] for row in told["rows"])
    reader.section(TIMED).get_by_test_id("mode-table").click()
    expect(reader.section(TIMED).get_by_role("columnheader", name="User")).to_be_visible()


def test_the_file_holds_what_the_api_tells(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending?preset=last_month&user=me")
    reader.answered(TIMED, preset="last_month", user="me")
    with reader.page.expect_download() as coming:
        reader.menu(TIMED, "export-csv").click()
    assert coming.value.suggested_filename == f"spendscope-{TIMED}.csv"
    rows = list(csv.DictReader(io.StringIO(Path(coming.value.path()).read_text())))
    asked = {"preset": "last_month", "user": "me", "compare": "previous"}
    told = reader.api(f"sections/{TIMED}", **asked)["rows"]
    assert rows == [{name: "" if v is None else str(v) for name, v in r.items()} for r in told]
    assert rows


def the_table_reads_as_people_write_numbers(reader: Reader) -> None:
    card = reader.section(RANKED)
    card.get_by_test_id("mode-table").click()
    total = reader.api(f"sections/{RANKED}")["totals"]
    pinned = card.locator(".ag-floating-bottom, .ag-grid-pinned-bottom-rows").first
    expect(pinned).to_contain_text(f"${total['cost']:,.2f}")
    expect(pinned).to_contain_text(f"{total['requests']:,}")


def a_click_on_a_head_sorts(reader: Reader) -> None:
    """Of a table that is shown already."""
    head = reader.section(RANKED).get_by_role("columnheader", name="Requests")

    def in_order() -> list[int]:
        return [row["requests"] for row in reader.grid(RANKED)["rows"]]

    for reverse in (True, False):
        head.click()
        reader.becomes(in_order, sorted(in_order(), reverse=reverse))
    assert reader.grid(RANKED)["total"]["requests"] == sum(in_order())


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_table_cuts_no_number_column_or_row(turn_as: Open, size: ViewportSize) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending", viewport=size)
    reader.find("view-mode").click()
    for key in (TIMED, RANKED, "cost-changes", "unit-costs"):
        cuts_nothing(reader, key)
    reader.fits()
    reader.tab("integrations")
    cuts_nothing(reader, "integrations-by-type")


def cuts_nothing(reader: Reader, key: str) -> None:
    reader.section(key).scroll_into_view_if_needed()
    reader.grid(key)
    expect(reader.section(key).locator(".ag-cell").first).to_be_visible()
    cut = reader.section(key).evaluate(CUT)
    assert cut == {"numbers": 0, "heads": 0, "columns": 0, "rows": 0, "cells": True}, key


def paging_turns_the_page(reader: Reader) -> None:
    """Of a table that is shown already."""
    card = reader.section(TIMED)
    card.get_by_role("button", name="Next Page").click()
    reader.becomes(lambda: reader.grid(TIMED)["page"], 1)
    card.get_by_role("button", name="Previous Page").click()
    reader.becomes(lambda: reader.grid(TIMED)["page"], 0)


def test_sections_turn_into_tables_one_or_all_and_stay_so(turn_as: Open) -> None:
    reader = turn_as("user", "/settings/analytics/spending")
    reader.section(RANKED).get_by_test_id("mode-table").click()
    one_differs(reader, "table", "chart")
    asked = list[str]()

    def note(request: Request) -> None:
        asked.append(request.url)

    reader.page.on("request", note)
    reader.find("view-mode").click()
    expect(reader.find("chart").locator("visible=true")).to_have_count(0)
    expect(reader.section(TIMED).locator(".ag-row").first).to_be_visible()
    reader.section(RANKED).get_by_test_id("mode-chart").click()
    one_differs(reader, "chart", "table")
    reader.page.remove_listener("request", note)
    assert [url for url in asked if "_dash-update" in url] == []
    reader.page.reload()
    reader.drawn()
    one_differs(reader, "chart", "table")
    reader.tab("models")
    expect(reader.section("models").get_by_test_id("table")).to_be_visible()
    reader.find("view-mode").click()
    expect(reader.find("table").locator("visible=true")).to_have_count(0)
    expect(reader.section("models").get_by_test_id("chart")).to_be_visible()


def one_differs(reader: Reader, own: str, other: str) -> None:
    """One section is shown in a mode of its own, another as all are."""
    for key, shown, hidden in ((RANKED, own, other), (TIMED, other, own)):
        expect(reader.section(key).get_by_test_id(shown)).to_be_visible()
        expect(reader.section(key).get_by_test_id(hidden)).to_be_hidden()
