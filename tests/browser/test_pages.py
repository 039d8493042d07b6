"""A page about one user, project, model or assistant, from any name; a click still narrows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Route, expect

from tests.axe.rules import found
from tests.browser.driver import Open
from tests.reader import Reader

MONTH = {"preset": "last_n_days", "n": 30}
OF_ANA = MONTH | {"of": "user:ana.lopes"}
PATH = "/settings/analytics"


def test_a_name_leads_to_its_page_and_the_filters_go_along(turn_as: Open) -> None:
    reader = turn_as("platform-admin", f"{PATH}?preset=last_n_days&n=30")
    a_ranking_leads_to_the_page_of_its_model(reader)
    a_click_on_the_page_narrows_it(reader)
    its_file_is_about_it(reader)
    a_cell_of_a_table_leads_on(reader)
    a_chip_leads_to_the_page_of_what_is_chosen(reader)
    what_is_found_has_a_page_too(reader)


def shows(reader: Reader, **asked: Any) -> None:
    """Wait until the page's cost and calls are the API's."""
    totals = reader.api("query", metrics="cost,requests", **asked)["totals"]
    assert totals["requests"]
    for name, value in totals.items():
        expect(reader.find(f"kpi-{name}")).to_have_attribute("data-value", repr(value))


def title(reader: Reader, name: str) -> None:
    expect(reader.find("about").get_by_role("heading", name=name, exact=True)).to_be_visible()
    reader.drawn()


def a_ranking_leads_to_the_page_of_its_model(reader: Reader) -> None:
    row = reader.section("top-users").locator("li").filter(has_text="Ana Lopes")
    row.hover()
    row.get_by_role("link", name="Open the page of Ana Lopes").click()
    title(reader, "Ana Lopes")
    reader.has_query(preset="last_n_days", n="30")
    shows(reader, **OF_ANA)
    expect(reader.page).to_have_title(re.compile("^Ana Lopes · Last 30 days"))
    expect(reader.find("tab-users").get_by_role("link")).to_have_attribute("aria-current", "page")


def a_click_on_the_page_narrows_it(reader: Reader) -> None:
    first = reader.api("sections/top-models", **OF_ANA)["rows"][0]["model"]
    reader.section("top-models").locator(".rank-row").first.click()
    reader.has_query(preset="last_n_days", n="30", model=first)
    shows(reader, model=first, **OF_ANA)
    reader.page.go_back()
    reader.has_query(preset="last_n_days", n="30")
    shows(reader, **OF_ANA)


def its_file_is_about_it(reader: Reader) -> None:
    reader.answered("top-models", of="user:ana.lopes")
    reader.find("kpi-requests").click()
    calls = reader.api("query", metrics="requests", **OF_ANA)["totals"]["requests"]
    expect(reader.find("events-requests")).to_have_attribute("data-value", repr(calls))
    expect(reader.find("events-drawer")).to_contain_text("user: Ana Lopes")
    reader.find("events-table").get_by_test_id("open-timeline").first.click()
    expect(reader.find("events-drawer")).to_be_hidden()
    the_timeline_adds_up(reader)
    reader.page.go_back()
    title(reader, "Ana Lopes")


def the_timeline_adds_up(reader: Reader) -> None:
    expect(reader.find("timeline-list")).to_be_visible()
    place, value = urlsplit(reader.page.url).path.split("/")[-2:]
    field = {"conversations": "conversation_id", "runs": "run_id"}[place]
    ever = {"preset": "custom", "from": "2026-01-01", "to": "2027-01-01", field: value}
    totals = reader.api("query", metrics="events,cost", **ever)["totals"]
    for name, number in totals.items():
        expect(reader.find(f"timeline-{name}")).to_have_attribute("data-value", repr(number))
    expect(reader.find("timeline-list").locator(".bar")).to_have_count(totals["events"])
    assert found(reader.page) == []


def a_cell_of_a_table_leads_on(reader: Reader) -> None:
    reader.section("top-models").get_by_test_id("mode-table").click()
    cell = reader.section("top-models").locator(".ag-row .ag-cell[col-id='model']").first
    name = cell.inner_text()
    cell.focus()
    reader.page.keyboard.press("Shift+Enter")
    title(reader, name)
    shows(reader, of=f"model:{name}", **MONTH)


def a_chip_leads_to_the_page_of_what_is_chosen(reader: Reader) -> None:
    reader.turn(f"{PATH}?preset=last_n_days&n=30&project=mobile&user=ana.lopes")
    reader.chip("project: ").locator("xpath=..").get_by_test_id("chip-page").click()
    title(reader, "Mobile App")
    reader.has_query(preset="last_n_days", n="30", user="ana.lopes")
    shows(reader, of="project:mobile", user="ana.lopes", **MONTH)


def what_is_found_has_a_page_too(reader: Reader) -> None:
    """What is found stays while the models come, whose list is asked for as the palette opens."""
    held = list[Route]()
    reader.page.route("**/api/v1/query?*by=model*", lambda route: held.append(route))
    reader.page.keyboard.press("Control+k")
    palette = reader.page.get_by_role("dialog", name="Find")
    palette.get_by_role("combobox").fill("ana lop")
    expect(palette.get_by_role("option", selected=True)).to_have_text("Ana LopesPerson")
    reader.page.route("**/api/v1/options/users?*", lambda route: held.append(route))
    with reader.page.expect_request_finished(lambda one: "by=model" in one.url):
        held[0].continue_()
    reader.page.keyboard.press("Shift+Enter")
    title(reader, "Ana Lopes")
    reader.has_query(preset="last_n_days", n="30")
    reader.page.unroute_all(behavior="ignoreErrors")


def test_a_page_of_what_is_not_seen_is_none(turn_as: Open) -> None:
    reader = turn_as("user", f"{PATH}/users/me")
    title(reader, "Jonas Weber")
    expect(reader.find("about")).to_contain_text("your own activity")
    for nobody in ("ana.lopes", "nobody.at.all"):
        reader.page.evaluate("path => spendscope.turn(path)", f"{PATH}/users/{nobody}")
        expect(reader.page.get_by_role("heading", name="There is no such page")).to_be_visible()
        expect(reader.page.get_by_text(f"/users/{nobody}")).to_be_visible()
