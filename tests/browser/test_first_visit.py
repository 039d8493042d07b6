"""The first visit, and how fresh the data are: by keys alone, and gone by Escape."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.driver import PHONE, Open

# What shows that a program drives the browser, which is shown nothing.
PERSON = "Object.defineProperty(navigator, 'webdriver', {get: () => false})"


def test_four_steps_and_never_again(open_as: Open) -> None:
    reader = open_as("user", viewport=PHONE)
    visit = reader.find("first-visit")
    expect(visit).to_have_count(0)
    reader.page.add_init_script(PERSON)
    reader.page.reload()
    reader.drawn()
    expect(visit).to_contain_text("1 of 4")
    for step in (2, 3, 4):
        reader.page.keyboard.press("Enter")
        expect(visit).to_contain_text(f"{step} of 4")
    expect(visit.get_by_role("heading")).to_have_text("Your own spending")
    reader.fits()
    reader.page.keyboard.press("Escape")
    expect(visit).to_have_count(0)
    reader.page.reload()
    reader.drawn()
    expect(visit).to_have_count(0)


def test_the_last_events_are_asked_as_they_are_opened(turn_as: Open) -> None:
    reader = turn_as("project-admin", "/settings/analytics/tools")
    reader.find("last-events").press("Enter")
    menu = reader.page.get_by_role("dialog", name="Last events")
    expect(menu.locator("dt")).to_have_text(["sample"])
    expect(menu.locator("dd")).to_contain_text("20 Nov 2026")
    reader.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(reader.find("last-events")).to_be_focused()
