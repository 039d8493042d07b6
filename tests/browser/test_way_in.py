"""The way in and out, as each role: sign in, settings, analytics; whose rows; sign out."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.axe.rules import found
from tests.browser.driver import ROLES, Open
from tests.reader import Reader

SEES: Final = {"platform-admin": "all", "project-admin": "projects", "user": "own"}
LOST: Final = "There is no such page"


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_each_role_finds_the_way_in_and_out(open_as: Open, role: str) -> None:
    reader = open_as(None, "/settings/analytics")
    expect(reader.page).to_have_url(f"{reader.site}/sign-in?next=%2Fsettings%2Fanalytics")
    assert role != ROLES[0] or found(reader.page) == []
    reader.find(f"persona-{role}").click()
    reader.drawn()
    numbers_and_first_chart_need_no_scrolling(reader)
    no_chart_offers_to_be_uploaded(reader)
    reader.find("profile-menu").click()
    reader.find("menu-settings").get_by_role("link").click()
    expect(reader.page.get_by_role("heading", name="Profile", level=1)).to_be_visible()
    the_profile_says_what_they_see(reader, role)
    reader.find("nav-analytics").get_by_role("link").click()
    reader.drawn()
    assert reader.shows()["meta"]["scope"] == SEES[role]
    signing_out_closes_the_page(reader, role)


def numbers_and_first_chart_need_no_scrolling(reader: Reader) -> None:
    expect(reader.find("kpi-priced_share")).to_be_in_viewport(ratio=1)
    expect(reader.section("cost-by-channel").get_by_test_id("chart")).to_be_in_viewport(ratio=1)


def no_chart_offers_to_be_uploaded(reader: Reader) -> None:
    expect(reader.page.locator(".main-svg").first).to_be_attached()
    expect(reader.page.locator(".modebar-btn")).to_have_count(0)


def the_profile_says_what_they_see(reader: Reader, role: str) -> None:
    said = {"platform-admin": "Everything", "project-admin": "you administer", "user": "Your own"}
    row = reader.page.locator(".profile-page")
    expect(row.get_by_text(re.compile(said[role])).last).to_be_visible()
    expect(reader.find("filter-preset")).to_be_hidden()


def signing_out_closes_the_page(reader: Reader, role: str) -> None:
    reader.find("profile-menu").click()
    reader.page.get_by_role("link", name="Sign out").click()
    reader.find("sign-out-submit").click()
    expect(reader.find(f"persona-{role}")).to_be_visible()
    reader.go("/settings/profile")
    expect(reader.page).to_have_url(re.compile("/sign-in"))


def test_a_user_sees_nobody_else_and_after_their_session_comes_back(turn_as: Open) -> None:
    reader = turn_as("user", "/settings/analytics/users")
    reader.section("users").get_by_test_id("mode-table").click()
    assert [row["user"] for row in reader.grid("users")["rows"]] == ["Jonas Weber"]
    box = reader.find("filter-users")
    box.locator("button.dash-dropdown").click()
    expect(box.locator(".dash-dropdown-option")).to_have_text(["Me", "Jonas Weber"])
    reader.page.keyboard.press("Escape")
    reader.field("n").focus()
    reader.page.context.clear_cookies(name="spendscope")
    # The page is left while one types: filling the field would look for it again.
    reader.page.keyboard.type("3")
    expect(reader.page).to_have_url(re.compile("/sign-in"))
    reader.find("persona-user").click()
    expect(reader.page).to_have_url(re.compile("/settings/analytics/users"))
    reader.drawn()
    # The browser itself reports answers of 401; they were the point.
    assert all("401" in words for words in reader.complaints)
    reader.complaints.clear()


def test_an_unknown_path_says_so(open_as: Open) -> None:
    """Whether it is loaded or turned to."""
    reader = open_as("user", "/whatever")
    is_lost(reader, "/whatever")
    reader.turn("/settings/nothing")
    is_lost(reader, "/settings/nothing")
    reader.page.goto(f"{reader.site}/settings/analytics/nothing")
    is_lost(reader, "/settings/analytics/nothing")
    reader.page.get_by_role("link", name="Go to Analytics").click()
    reader.drawn()


def is_lost(reader: Reader, path: str) -> None:
    expect(reader.page.locator(".lost")).to_contain_text(path)
    expect(reader.page.get_by_role("heading", name=LOST)).to_be_visible()
    expect(reader.find("filter-preset")).to_be_hidden()


def test_the_policy_stays_strict(site: str, cookies: dict[str, Any]) -> None:
    held = "; ".join(f"{one['name']}={one['value']}" for one in cookies["user"])
    with urlopen(Request(f"{site}/settings/profile", headers={"Cookie": held})) as answer:
        assert answer.url == f"{site}/settings/profile"
        policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
