"""How it looks and feels: phones, the first screen, themes, keyboard, charts, late answers."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from components import ids
from components.page import cards
from tests.browser.driver import PHONE, WIDE, Open
from tests.reader import FRAME, Reader

CALLS = "**/_dash-update-component*"
THEME = (
    "() => [document.documentElement.dataset.bsTheme, document.documentElement.dataset.agThemeMode]"
)

# All that moved since the page was loaded, what the reader caused too unless `unasked`.
SHIFT = """async unasked => {
    let sum = 0;
    const count = list => list.getEntries().forEach(one => {
        if (!unasked || !one.hadRecentInput) sum += one.value;
    });
    new PerformanceObserver(count).observe({type: 'layout-shift', buffered: true});
    await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    return sum;
}"""


def test_a_phone_reader_can_filter(turn_as: Open) -> None:
    reader = turn_as("user", viewport=PHONE)
    reader.preset("custom")
    expect(reader.field("to")).to_be_visible()
    reader.fits()
    reader.find("profile-menu").click()
    expect(reader.find("menu-settings")).to_be_in_viewport()


def test_the_theme_is_remembered(turn_as: Open) -> None:
    reader = turn_as("user", "/settings/profile")
    assert reader.page.evaluate(THEME) == ["light", "light"]
    reader.find("profile-menu").click()
    reader.page.get_by_role("button", name="Dark theme").click()
    reader.becomes(lambda: reader.page.evaluate(THEME), ["dark", "dark"])
    reader.page.reload()
    assert reader.page.evaluate(THEME) == ["dark", "dark"]
    reader.find("profile-menu").click()
    reader.page.get_by_role("button", name="Light theme").click()
    reader.becomes(lambda: reader.page.evaluate(THEME), ["light", "light"])


def test_the_system_s_theme_comes_first_and_the_keyboard_finds_its_way(open_as: Open) -> None:
    """In a page that nobody has touched."""
    reader = open_as("user", "/settings/profile", color_scheme="dark")
    assert reader.page.evaluate(THEME) == ["dark", "dark"]
    the_keyboard_opens_and_closes_the_menu(reader)


def the_keyboard_opens_and_closes_the_menu(reader: Reader) -> None:
    expect(reader.page.locator(".profile-page")).to_be_visible()
    focused = reader.page.locator(":focus")
    reader.page.keyboard.press("Tab")
    expect(focused).to_have_text("Skip to content")
    while not reader.find("profile-menu").evaluate("menu => menu === document.activeElement"):
        reader.page.keyboard.press("Tab")
        assert focused.count(), "the profile menu is not reached by Tab"
    reader.page.keyboard.press("Enter")
    expect(reader.find("menu-settings")).to_be_visible()
    reader.page.keyboard.press("Escape")
    expect(reader.find("menu-settings")).to_be_hidden()
    assert reader.find("profile-menu").evaluate("menu => menu === document.activeElement")


@pytest.mark.parametrize("output", ["question.data", '"card"'])
def test_the_newest_question_wins_over_a_late_answer(turn_as: Open, output: str) -> None:
    """The answer about 30 days is held back until the one about 3 days is drawn."""
    reader, held = turn_as("platform-admin"), list[Route]()

    def hold(route: Route) -> None:
        asked = route.request.post_data or ""
        late = output in json.loads(asked)["output"] and '"30"' in asked and "channel" in asked
        (held.append(route) if late and not held else route.continue_())

    reader.page.route(CALLS, hold)
    reader.field("n").fill("30")
    reader.becomes(lambda: len(held), 1)
    reader.field("n").fill("3")
    reader.shows(preset="last_n_days", n="3")
    reader.answered("cost-by-channel", preset="last_n_days", n="3")
    drawn, request = reader.traces("cost-by-channel"), held[0].request
    with reader.page.expect_event("requestfinished", lambda one: one == request):
        held[0].continue_()
    reader.page.evaluate(FRAME)
    reader.shows(preset="last_n_days", n="3")
    assert reader.traces("cost-by-channel") == drawn
    reader.has_query(preset="last_n_days", n="3")
    reader.page.unroute(CALLS)


def test_a_failed_section_says_so_and_is_asked_again(turn_as: Open) -> None:
    reader, key = turn_as("platform-admin"), ids.card("top-models")
    card = reader.section("top-models")

    def fail(route: Route) -> None:
        asked = json.loads(route.request.post_data or "{}")["outputs"]
        if asked != {"id": key, "property": "answer"}:
            return route.continue_()
        answer = {"answer": cards.failed("The store is away.")}
        return route.fulfill(json={"multi": True, "response": {ids.dom(key): answer}})

    reader.page.route(CALLS, fail)
    reader.choice("top-models", "Measure").select_option("tokens")
    expect(card).to_have_attribute("data-state", "failed")
    expect(card.get_by_test_id("state")).to_have_text("The store is away.")
    expect(reader.section("top-users")).to_have_attribute("data-state", "ready")
    reader.page.unroute(CALLS)
    card.get_by_role("button", name="Retry").click()
    expect(card).to_have_attribute("data-state", "ready")
    reader.answered("top-models", measure="tokens")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_moves_as_the_rest_arrives(open_as: Open, size: dict[str, int]) -> None:
    """The lists' code comes late here; and a chip more moves no card."""
    reader = open_as("user", "/settings/profile", viewport=size)
    late, holding = list[Route](), True

    def hold(route: Route) -> None:
        late.append(route) if holding else route.continue_()

    reader.page.route("**/async-dropdown*", hold)
    # The page may ask for that code before it says that it is loaded, which it then never does.
    reader.page.goto(f"{reader.site}/settings/analytics", wait_until="commit")
    reader.becomes(lambda: bool(late), True)
    holding = False  # it may be asked for more than once
    for one in late:
        one.continue_()
    expect(reader.page.locator("button.dash-dropdown").first).to_be_attached()
    if size == PHONE:
        reader.find("filter-sheet-open").click()
    reader.find("filter-users-me").click()
    expect(reader.chip("user: Me")).to_be_visible()
    assert reader.page.evaluate(SHIFT) < 0.02
    reader.page.keyboard.press("Escape")
    reader.find("view-mode").click()
    # A table draws its rows where it is looked at: on a phone the first is below the window.
    reader.section("cost-by-channel").scroll_into_view_if_needed()
    expect(reader.page.locator(".ag-row").locator("visible=true").first).to_be_visible()
    # Tables have a height of their own: the rows below give way to who asked for them.
    assert reader.page.evaluate(SHIFT, True) < 0.02


def test_remembered_tables_are_drawn_as_tables_at_once(open_as: Open) -> None:
    month = "/settings/analytics/spending?preset=last_n_days&n=30"
    reader = open_as("platform-admin", month, viewport=WIDE)
    reader.find("view-mode").click()
    reader.page.reload()
    expect(reader.page.locator(".ag-row").locator("visible=true").first).to_be_visible()
    assert reader.page.evaluate(SHIFT) < 0.01
