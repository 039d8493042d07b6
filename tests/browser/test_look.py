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

# What the labels beside a chart need, and what was kept for them before it was drawn.
ROOM = """() => [...document.querySelectorAll('.js-plotly-plot')].map(one =>
    [one.closest('[data-section]').dataset.section, one.layout.margin, one._fullLayout._size])"""
# Two charts and what comes between them, as they are to be drawn.
TURNS = """() => new Promise(done => {
    const seen = [];
    const work = name => () => { seen.push(name); queueMicrotask(() => seen.push('free')); };
    ['first', 'second', 'third'].forEach(name => spendscope.inTurn(work(name)));
    spendscope.inTurn(work('taken back'))();
    spendscope.inTurn(() => done(seen));
})"""
# The names of three panels on a phone.
NAMES = """names => spendscope.arranged({
    meta: {panels: names.length}, annotations: names.map(name => ({text: `<b>${name}</b>`})),
    ...Object.fromEntries(['', 2, 3].flatMap(at => [
        [`xaxis${at}`, {tickvals: [], ticktext: []}], [`yaxis${at}`, {}]])),
}, 330, 300).annotations.map(one => one.text)"""


def test_charts_are_drawn_once_and_one_at_a_time(turn_as: Open) -> None:
    """Where more room is needed than was kept Plotly draws all of a chart again."""
    reader = turn_as("platform-admin", "/settings/analytics/overview")
    expect(reader.drawing("utilisation")).to_be_visible()
    expect(reader.drawing("cost-by-channel")).to_be_visible()
    for key, kept, needed in reader.page.evaluate(ROOM):
        assert [round(needed[side]) for side in "lrtb"] == [round(kept[side]) for side in "lrtb"], (
            key
        )
    between = [name for turn in ("first", "second", "third") for name in (turn, "free")]
    assert reader.page.evaluate(TURNS) == between
    names = reader.page.evaluate(NAMES, ["Web", "Voice Agent Pilot (own)", "Voice Agent Pilots"])
    assert names == ["<b>Web</b>", "<b>Voice Age…lot (own)</b>", "<b>Voice Agent Pilots</b>"]


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


def opened_late(reader: Reader) -> None:
    """The list of users, pressed before its code is there."""
    late, holding = list[Route](), True

    def hold(route: Route) -> None:
        late.append(route) if holding else route.continue_()

    reader.page.route("**/dash_core_components*", hold)
    users = reader.find("filter-users")
    users.locator("button.dash-dropdown").click()
    reader.becomes(lambda: bool(late), True)
    holding = False
    for one in late:
        one.continue_()
    expect(users.get_by_role("option").first).to_be_visible()
    reader.page.keyboard.press("Escape")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_moves_as_the_rest_arrives(open_as: Open, size: dict[str, int]) -> None:
    """The code of lists comes late here, when one was pressed; a chip more moves no card, and
    neither do cards with less to show than before."""
    reader = open_as("platform-admin", "/settings/analytics/tools", viewport=size)
    reader.drawn()
    if size == PHONE:
        reader.find("filter-sheet-open").click()
    opened_late(reader)
    empty = reader.page.locator("section[data-state='empty']")
    reader.find("filter-users-me").click()
    expect(reader.chip("user: Me")).to_be_visible()
    expect(empty.first).to_be_visible()
    assert reader.page.evaluate(SHIFT) < 0.02
    reader.find("filter-users-me").click()
    expect(empty).to_have_count(0)
    reader.page.keyboard.press("Escape")
    reader.find("view-mode").click()
    # A table draws its rows where it is looked at: on a phone the first is below the window.
    reader.section("tools").scroll_into_view_if_needed()
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
