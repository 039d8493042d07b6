"""Every tab, all charts and then all tables: drawn, saying what the API says, and clean for axe."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from playwright.sync_api import expect

from components.page.pivot import pivots
from components.sections.declared import TABS
from components.sections.section import Section, Tab
from data.query.catalog import METRICS
from tests.axe.rules import found
from tests.browser.driver import PHONE, WIDE, Open
from tests.reader import Reader

MONTH: Final[dict[str, Any]] = {"preset": "last_n_days", "n": 30}
WALKED: Final = [tab for tab in TABS if tab.sections]
# Whoever sees everything finds nothing empty.
STATES: Final = {"platform-admin": "ready", "user": "ready|empty"}


@pytest.mark.parametrize("role", STATES)
def test_every_tab_in_both_modes(turn_as: Open, role: str) -> None:
    """The switch stays from tab to tab: every other one is opened as tables, and for the next role
    those between. Who sees most has the smallest screen. A project admin's page is made by the same
    code of other rows, which the tests of rights and numbers compare."""
    viewport = PHONE if role == "platform-admin" else WIDE
    reader = turn_as(role, "/settings/analytics?preset=last_n_days&n=30", viewport=viewport)
    tables = role == "user"
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "false")
    if tables:
        reader.find("view-mode").click()
    for tab in WALKED:
        reader.tab(tab.key)
        looks(reader, tab, tables, role)
        reader.find("view-mode").click()
        tables = not tables
    reader.find("nav-profile").get_by_role("link").click()
    expect(reader.page.locator(".profile-page")).to_be_visible()
    reader.fits()


def looks(reader: Reader, tab: Tab, tables: bool, role: str) -> None:
    reader.has_query(preset="last_n_days", n="30")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", str(tables).lower())
    for one in (tab.for_one() if role == "user" else tab).sections:
        if tables:
            says(reader, one)
        else:
            draws(reader, one, STATES[role])
    reader.fits()
    assert role != "platform-admin" or found(reader.page) == []


def draws(reader: Reader, one: Section, states: str) -> None:
    """The numbers or the chart are there, unless nothing happened, which is said instead."""
    card = reader.section(one.key)
    if not one.shape.has_chart:
        for name, value in reader.api(f"sections/{one.key}", **MONTH)["totals"].items():
            exact = "" if value is None else repr(value)
            expect(card.get_by_test_id(f"kpi-{name}")).to_have_attribute("data-value", exact)
        return
    expect(card).to_have_attribute("data-state", re.compile(f"^({states})$"))
    expect(card.get_by_test_id("table")).to_be_hidden()
    if card.get_attribute("data-state") == "empty":
        expect(card.get_by_test_id("state")).not_to_be_empty()
    else:
        expect(reader.drawing(one.key)).to_be_visible()
        drawn = (*one.shape.choices(one.measures), *one.measures)[0]
        if reader.api(f"sections/{one.key}", **MONTH)["totals"][drawn]:
            reader.becomes(lambda: bool(reader.traces(one.key)), True)


def says(reader: Reader, one: Section) -> None:
    """The table holds the API's rows and totals; what can be a pivot, in its long form."""
    if not one.shape.has_chart:
        return
    told, card = reader.api(f"sections/{one.key}", **MONTH), reader.section(one.key)
    wanted = [measured(one, row) for row in [*told["rows"], told["totals"]]]
    if card.get_attribute("data-state") == "empty":
        expect(card.get_by_test_id("state")).not_to_be_empty()
        assert not any(number for numbers in wanted for number in numbers)
        return
    expect(card.get_by_test_id("table")).to_be_visible()
    if pivots(one.shape.dimensions((*one.by, "")[0])):
        card.get_by_role("button", name="Long form").click()

    def held() -> list[Any]:
        grid = reader.grid(one.key)
        return [measured(one, row) for row in [*grid["rows"], grid["total"] or {}]]

    reader.becomes(held, wanted)


def measured(one: Section, row: dict[str, Any]) -> list[Any]:
    """The numbers; instants and names are written for people in a table."""
    names = [n for n in one.metrics if METRICS[n].unit.numeric]
    return [row.get(name) for name in names]
