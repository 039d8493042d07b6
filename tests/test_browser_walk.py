"""Every tab as every role, all charts and then all tables: drawn, and saying what the API says."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from components.section import Section
from components.sections import TABS
from data.catalog import METRICS
from tests.browser import ROLES, Open
from tests.reader import Reader

MONTH: Final[dict[str, Any]] = {"preset": "last_n_days", "n": 30}
WALKED: Final = [tab for tab in TABS if tab.sections]


@pytest.mark.parametrize("role", ROLES)
def test_every_tab_in_both_modes(open_as: Open, role: str) -> None:
    reader = open_as(role, "/settings/analytics?preset=last_n_days&n=30")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "false")
    for mode in ("chart", "table"):
        for tab in WALKED:
            reader.tab(tab.key)
            reader.has_query(preset="last_n_days", n="30")
            for one in tab.sections:
                (says if mode == "table" else draws)(reader, one)
        budgets(reader, mode)
        reader.tab(WALKED[0].key)
        reader.find("view-mode").click()


def budgets(reader: Reader, mode: str) -> None:
    """The cards of the Budgets tab, which are no sections of the list, obey the same switch."""
    reader.tab("budgets")
    held = len(reader.page.context.request.get(f"{reader.site}/api/v1/budgets").json()["budgets"])
    for key in ("budgets", "crossings"):
        card = reader.section(key)
        expect(card).to_have_attribute("data-mode", mode)
        expect(card).to_have_attribute("data-state", "ready" if held else "empty")
        expect(card.get_by_test_id("table" if mode == "chart" else "chart")).to_be_hidden()
        if not held:
            expect(card.get_by_test_id("state")).not_to_be_empty()
        elif mode == "chart":
            expect(card.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        else:
            expect(card.locator(".ag-center-cols-container [role=row]").first).to_be_visible()


def draws(reader: Reader, one: Section) -> None:
    """The numbers or the chart are there, unless nothing happened, which is said instead."""
    card = reader.section(one.key)
    if one.shape == "headline":
        for name, value in reader.api(f"sections/{one.key}", **MONTH)["totals"].items():
            exact = "" if value is None else repr(value)
            expect(card.get_by_test_id(f"kpi-{name}")).to_have_attribute("data-value", exact)
        return
    expect(card).to_have_attribute("data-state", re.compile("^(ready|empty)$"))
    expect(card.get_by_test_id("table")).to_be_hidden()
    if card.get_attribute("data-state") == "empty":
        expect(card.get_by_test_id("state")).not_to_be_empty()
    else:
        expect(card.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def says(reader: Reader, one: Section) -> None:
    """The table holds the API's rows and totals."""
    if one.shape == "headline":
        return
    told = reader.api(f"sections/{one.key}", **MONTH)
    if reader.section(one.key).get_attribute("data-state") == "ready":
        expect(reader.section(one.key).get_by_test_id("table")).to_be_visible()
    wanted = [measured(one, row) for row in [*told["rows"], told["totals"]]]

    def held() -> list[Any]:
        grid = reader.grid(one.key)
        return [measured(one, row) for row in [*grid["rows"], grid["total"] or {}]]

    reader.becomes(held, wanted)


def measured(one: Section, row: dict[str, Any]) -> list[Any]:
    """The numbers; instants and names are written for people in a table."""
    names = [n for n in one.metrics if METRICS[n].unit not in ("instant", "text")]
    return [row.get(name) for name in names]
