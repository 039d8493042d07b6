"""Choosing whose: users and projects by typing, Me, chips, Clear all."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Route, expect

from tests.browser.driver import PHONE, ROLES, SMALL, Open
from tests.reader import Reader

Options = list[dict[str, str]]


def test_typing_finds_whom_the_list_leaves_out(turn_as: Open) -> None:
    reader = turn_as("platform-admin", SMALL)
    quiet = reader.api_options("users")[-1]
    box = reader.find("filter-users")
    box.locator("button.dash-dropdown").click()
    expect(box.get_by_role("option").first).to_be_visible()
    expect(box.get_by_role("option", name=quiet["label"], exact=True)).to_have_count(0)
    reader.page.keyboard.press("Escape")
    reader.pick("users", quiet["label"][:6], quiet["label"])
    reader.has_query(user=quiet["value"])
    reader.shows(user=quiet["value"], preset="last_n_days", n="7")


def test_a_list_opens_whatever_is_drawn_while_its_code_comes(open_as: Open) -> None:
    reader, held = open_as("platform-admin", SMALL), list[Route]()
    reader.page.route("**/dash_core_components-shared*", lambda route: held.append(route))
    with reader.page.expect_request_finished(lambda one: "/dash_core_components.v" in one.url):
        reader.find("filter-users").locator("button.dash-dropdown").click()
    reader.find("filter-users-me").click()
    expect(reader.find("filter-users").locator("button.dash-dropdown")).to_contain_text("Me")
    reader.becomes(lambda: len(held), 1)
    held[0].continue_()
    expect(reader.find("filter-users").get_by_role("option").first).to_be_visible()


def test_the_list_has_me_first_and_leaves_out(turn_as: Open) -> None:
    """By mouse; and by the keyboard alone on a phone's sheet."""
    reader = turn_as("platform-admin", SMALL)
    box = reader.find("filter-users")
    box.locator("button.dash-dropdown").click()
    expect(box.get_by_role("option").first).to_have_accessible_name("Me")
    box.get_by_role("option", name="Me", exact=True).click()
    reader.has_query(user="me")
    expect(reader.find("filter-users-me")).to_have_attribute("aria-pressed", "true")
    box.get_by_role("button", name="All but these").click()
    reader.has_query(not_user="me")
    expect(reader.chip("user: not Me")).to_be_visible()
    reader.shows(not_user="me")
    box.get_by_role("button", name="Only these").click()
    reader.has_query(user="me")
    reader.page.keyboard.press("Escape")


def test_all_that_are_found_are_chosen_by_keys_alone(turn_as: Open) -> None:
    reader = turn_as("platform-admin", SMALL, viewport=PHONE)
    reader.find("filter-sheet-open").click()
    box, keys = reader.find("filter-users"), reader.page.keyboard
    box.locator("button.dash-dropdown").press("Enter")
    expect(box.get_by_role("searchbox")).to_be_focused()
    keys.type("an")
    answer = reader.page.context.request.get(f"{reader.site}/api/v1/options/users?q=an")
    found = [one["value"] for one in answer.json()]
    assert len(found) > 2
    expect(box.get_by_role("option")).to_have_count(len(found))
    tab_to(box.get_by_role("button", name="Select all found"))
    keys.press("Enter")
    reader.becomes(lambda: sorted(reader.query().get("user", [])), sorted(found))
    reader.shows(user=found)
    box.get_by_role("searchbox").focus()
    tab_to(box.get_by_role("button", name="Everyone with “an” in the name"))
    keys.down("Enter")
    expect(box.locator("button.dash-dropdown")).to_be_focused()
    keys.up("Enter")
    reader.has_query(user=reader.query()["user"], contains_user="an")
    expect(reader.chip("user contains an")).to_be_visible()
    expect(box.get_by_role("searchbox")).to_have_count(0)
    expect(reader.find("filter-users-me")).to_be_visible()
    keys.press("Escape")
    expect(reader.find("filter-users-me")).to_be_hidden()


def tab_to(button: Locator) -> None:
    """Reach a button by Tab: few others stand before it."""
    for _ in range(8):
        button.page.keyboard.press("Tab")
        if button.evaluate("one => one === document.activeElement"):
            return
    expect(button).to_be_focused()


def test_several_users_and_projects_narrow_together_and_go_one_by_one(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?n=30&preset=last_n_days")
    users, projects = reader.api_options("users")[:2], reader.api_options("projects")[:2]
    chosen: dict[str, Any] = {"preset": "last_n_days", "n": "30"}
    for field, options in (("users", users), ("projects", projects)):
        for option in options:
            reader.pick(field, option["label"][:5], option["label"])
        chosen[field[:-1]] = [option["value"] for option in options]
    reader.has_query(**chosen)
    reader.shows(**chosen)
    reader.find("filter-users-me").click()
    reader.has_query(**chosen | {"user": ["me", *chosen["user"]]})
    chips_go_one_by_one(reader, users, projects)


def chips_go_one_by_one(reader: Reader, users: Options, projects: Options) -> None:
    """Of two users, oneself, two projects and a month."""
    month = {"preset": "last_n_days", "n": "30"}
    left = {"user": [one["value"] for one in users], "project": [one["value"] for one in projects]}
    expect(reader.find("chip")).to_have_count(6)
    reader.chip("user: Me").click()
    reader.has_query(**left, **month)
    reader.shows(**left, **month)
    for field, option in (("user", users[0]), ("project", projects[0])):
        reader.chip(f"{field}: {option['label']}").click()
        left[field].remove(option["value"])
        reader.has_query(**left, **month)
    reader.shows(**left, **month)
    reader.chip("Last 30 days").click()
    reader.has_query(**left)
    expect(reader.find("chip")).to_have_count(2)
    reader.chips_go("project: ", "user: ")
    reader.has_query()
    reader.shows()


def test_me_is_whoever_reads(turn_as: Open) -> None:
    for role in ROLES:
        reader = turn_as(role, f"{SMALL}?preset=last_n_days&n=60")
        reader.find("filter-users-me").click()
        expect(reader.find("filter-users-me")).to_have_attribute("aria-pressed", "true")
        reader.has_query(preset="last_n_days", n="60", user="me")
        reader.shows(preset="last_n_days", n="60", user="me")
        reader.find("filter-users-me").click()
        reader.has_query(preset="last_n_days", n="60")


def test_clear_all_leads_back_to_the_last_seven_days(turn_as: Open) -> None:
    search = "?preset=last_month&tz=Asia/Tokyo&user=me&project=mobile&project=helpdesk"
    reader = turn_as("project-admin", f"{SMALL}{search}")
    expect(reader.find("chip")).to_have_count(4)
    reader.find("filter-clear").click()
    expect(reader.find("chip")).to_have_count(0)
    expect(reader.page).to_have_url(reader.site + SMALL)
    expect(reader.find("filter-preset").locator("select")).to_have_value("last_n_days")
    expect(reader.field("n")).to_have_value("7")
    expect(reader.find("filter-users")).to_contain_text("All users")
    expect(reader.find("filter-summary")).to_contain_text("14 Nov 2026 00:00 → now, Europe/Berlin")
    reader.shows()
