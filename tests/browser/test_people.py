"""Choosing whose: users and projects by typing, Me, chips, Clear all."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.driver import ROLES, Open
from tests.reader import Reader

Options = list[dict[str, str]]


def test_typing_finds_whom_the_list_leaves_out(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    quiet = reader.api_options("users")[-1]
    box = reader.find("filter-users")
    box.locator("button.dash-dropdown").click()
    expect(box.get_by_role("option").first).to_be_visible()
    expect(box.get_by_role("option", name=quiet["label"], exact=True)).to_have_count(0)
    reader.page.keyboard.press("Escape")
    reader.pick("users", quiet["label"][:6], quiet["label"])
    reader.has_query(user=quiet["value"])
    reader.shows(user=quiet["value"], preset="last_n_days", n="7")


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
        reader = turn_as(role, "/settings/analytics?preset=last_n_days&n=60")
        reader.find("filter-users-me").click()
        expect(reader.find("filter-users-me")).to_have_attribute("aria-pressed", "true")
        reader.has_query(preset="last_n_days", n="60", user="me")
        reader.shows(preset="last_n_days", n="60", user="me")
        reader.find("filter-users-me").click()
        reader.has_query(preset="last_n_days", n="60")


def test_clear_all_leads_back_to_the_last_seven_days(turn_as: Open) -> None:
    search = "?preset=last_month&tz=Asia/Tokyo&user=me&project=mobile&project=helpdesk"
    reader = turn_as("project-admin", f"/settings/analytics{search}")
    expect(reader.find("chip")).to_have_count(4)
    reader.find("filter-clear").click()
    expect(reader.find("chip")).to_have_count(0)
    expect(reader.page).to_have_url(f"{reader.site}/settings/analytics")
    expect(reader.find("filter-preset").locator("select")).to_have_value("last_n_days")
    expect(reader.field("n")).to_have_value("7")
    expect(reader.find("filter-users")).to_contain_text("All users")
    expect(reader.find("filter-summary")).to_contain_text("14 Nov 2026 00:00 → now, Europe/Berlin")
    reader.shows()
