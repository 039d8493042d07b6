"""The address holds what was chosen: tabs, reload, back and forward, links shared with others."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.driver import Open
from tests.reader import Reader

SEARCH = {"preset": "last_n_days", "n": "30", "user": "ana.lopes", "project": "mobile"}
LINK = "?preset=last_n_days&n=30&user=ana.lopes&project=mobile"


def test_filters_outlive_tabs_settings_and_reloads(turn_as: Open) -> None:
    reader = turn_as("platform-admin", f"/settings/analytics{LINK}")
    told = reader.shows(**SEARCH)
    assert told["totals"]["requests"]
    reader.tab("spending")
    reader.has_query(**SEARCH)
    reader.find("nav-profile").get_by_role("link").click()
    expect(reader.page.get_by_role("heading", name="Profile", level=1)).to_be_visible()
    reader.find("nav-analytics").get_by_role("link").click()
    reader.drawn()
    as_chosen(reader)
    reader.page.reload()
    reader.drawn()
    as_chosen(reader)
    back_returns_to_the_tab_before(reader)


def as_chosen(reader: Reader) -> None:
    reader.has_query(**SEARCH)
    reader.shows(**SEARCH)
    expect(reader.find("filter-users")).to_contain_text("Ana Lopes")
    expect(reader.find("chip")).to_have_count(3)


def back_returns_to_the_tab_before(reader: Reader) -> None:
    reader.tab("spending")
    reader.page.go_back()
    expect(reader.page.locator(".tab-overview")).to_be_visible()
    reader.drawn()
    reader.shows(**SEARCH)


def test_back_and_forward_walk_through_the_filters(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    for n in ("3", "14"):
        reader.field("n").fill(n)
        reader.has_query(preset="last_n_days", n=n)
        reader.shows(preset="last_n_days", n=n)
    reader.page.go_back()
    expect(reader.field("n")).to_have_value("3")
    reader.shows(preset="last_n_days", n="3")
    reader.page.go_back()
    expect(reader.field("n")).to_have_value("7")
    reader.shows()
    reader.page.go_forward()
    expect(reader.field("n")).to_have_value("3")
    reader.shows(preset="last_n_days", n="3")


def test_a_shared_link_shows_each_reader_their_own_rights(open_as: Open, turn_as: Open) -> None:
    """Whether it is loaded or turned to; for who sees everything, the first test loads it."""
    for role, way in (("platform-admin", turn_as), ("project-admin", turn_as), ("user", open_as)):
        reader, knows = way(role, f"/settings/analytics{LINK}"), role == "platform-admin"
        told = reader.shows(**SEARCH)
        reader.has_query(**SEARCH)
        assert bool(told["totals"]["requests"]) is knows
        expect(reader.find("filter-summary")).to_contain_text(told["meta"]["notice"] or "")
        assert (told["meta"]["notice"] is None) is knows
        state = "ready" if knows else "empty"
        expect(reader.section("cost-by-channel")).to_have_attribute("data-state", state)


def test_an_address_that_means_nothing_is_answered(turn_as: Open) -> None:
    reader = turn_as("user", "/settings/profile")
    reader.page.goto(f"{reader.site}/settings/analytics?preset=last_n_days&n=many")
    expect(reader.problem()).to_have_text("N must be a whole number, not 'many'")


def test_the_address_holds_what_is_chosen_on_cards(turn_as: Open, open_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending?n=14")
    reader.choice("cost-over-time", "Measure").select_option("requests")
    reader.has_query(n="14", view="cost-over-time.requests")
    reader.choice("cost-over-time", "Break down").select_option("model")
    reader.section("cost-changes").get_by_test_id("mode-table").click()
    expect(reader.section("cost-changes").locator(".ag-row").first).to_be_visible()
    view = ["cost-changes...table", "cost-over-time.requests.model"]
    reader.has_query(n="14", view=view)
    reader.field("n").fill("30")
    reader.has_query(preset="last_n_days", n="30", view=view)
    reader.answered("cost-over-time", measure="requests", by="model")
    another_reader_sees_the_same(open_as("project-admin", path_of(reader)))
    reader.choice("cost-over-time", "Measure").select_option("cost")
    reader.choice("cost-over-time", "Break down").select_option("project")
    reader.find("view-mode").click()
    reader.has_query(preset="last_n_days", n="30", mode="table")
    expect(reader.page.locator(".ag-row").locator("visible=true").first).to_be_visible()


def path_of(reader: Reader) -> str:
    return reader.page.url.removeprefix(reader.site)


def another_reader_sees_the_same(reader: Reader) -> None:
    expect(reader.choice("cost-over-time", "Measure")).to_have_value("requests")
    expect(reader.choice("cost-over-time", "Break down")).to_have_value("model")
    reader.answered("cost-over-time", measure="requests", by="model")
    expect(reader.section("cost-changes")).to_have_attribute("data-mode", "table")
    expect(reader.section("cost-by-provider")).to_have_attribute("data-mode", "chart")
