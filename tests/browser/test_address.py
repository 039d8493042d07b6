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
