"""The page for everybody: axe finds nothing, on any tab and page, in what opens over them, in light
and dark; the filters are three keys away; one change is announced once; charts are sentences.

What axe judges of a page costs seconds, so nothing is judged twice: cards are the same component on
every tab, and tables the same grid, of thousands of elements. The other tabs are judged where they
are walked through (test_walk.py)."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.sync_api import expect

from callbacks.settings.pages import PAGES
from tests.axe.rules import found
from tests.browser.driver import PHONE, Open
from tests.reader import Reader

EVERY_SHAPE: Final = ("overview", "models", "budgets", "users/ana.lopes")
THEMES: Final = ("light", "dark")
ANALYTICS: Final = "/settings/analytics"
ZOOMED: Final = {"width": 720, "height": 450}  # 1440 × 900 at 200 %
TABLES: Final = """() => [...document.querySelectorAll("section[data-section]")]
    .every((card) => card.dataset.state !== "ready" || card.querySelector(".ag-row"))"""
THEME: Final = """(theme) => {
    document.documentElement.dataset.bsTheme = theme;
    document.documentElement.dataset.agThemeMode = theme;
}"""
MODE: Final = "(all) => dash_clientside.set_props('modes', { data: { all, own: {} } })"
LIVE: Final = """() => {
    window.said = [];
    for (const region of document.querySelectorAll("[aria-live='polite'], [role='status']")) {
        new MutationObserver(() => said.push(region.textContent)).observe(
            region, { childList: true, characterData: true, subtree: true });
    }
}"""


def judged(reader: Reader) -> list[str]:
    """What axe finds in light, and of the contrast in dark."""
    reader.page.evaluate(THEME, "light")
    objections = found(reader.page)
    reader.page.evaluate(THEME, "dark")
    objections += [f"dark {one}" for one in found(reader.page, contrast_alone=True)]
    reader.page.evaluate(THEME, "light")
    return objections


@pytest.mark.parametrize("tab", EVERY_SHAPE)
def test_axe_finds_nothing_on_a_tab(turn_as: Open, tab: str) -> None:
    assert judged(turn_as("platform-admin", f"{ANALYTICS}/{tab}")) == []


def test_axe_finds_nothing_in_tables(turn_as: Open) -> None:
    """A pivot, a long one, a narrow one."""
    reader = turn_as("platform-admin", f"{ANALYTICS}/users")
    reader.page.evaluate(MODE, "table")
    reader.page.wait_for_function(TABLES)
    assert judged(reader) == []


def test_axe_finds_nothing_on_a_page_made_for_one_person(turn_as: Open) -> None:
    assert found(turn_as("user", ANALYTICS).page) == []


def test_axe_finds_nothing_in_what_opens_over_the_page(turn_as: Open) -> None:
    reader = turn_as("platform-admin", ANALYTICS)
    list_is_clean(reader, "filter-users")
    reader.find("time-open").click()
    list_is_clean(reader, "filter-zone")
    opened_is_clean(reader, ".time-menu")
    reader.find("filter-more").click()
    list_is_clean(reader, "filter-model")
    opened_is_clean(reader, ".more-drawer.show:not(.showing)")
    reader.section("top-models").get_by_test_id("more").click()
    opened_is_clean(reader, "[role='menu']:not([hidden])")
    for key, name in (("?", ".keys"), ("Control+k", ".palette")):
        reader.page.keyboard.press(key)
        opened_is_clean(reader, name)
    reader.find("kpi-cost").click()
    expect(reader.page.locator(".events-drawer .ag-row").first).to_be_visible()
    opened_is_clean(reader, ".events-drawer")


def list_is_clean(reader: Reader, name: str) -> None:
    """A list of Dash's, with what it offers to be seen: it has a name, and its options are some."""
    reader.find(name).locator("button.dash-dropdown").click()
    listed = reader.find(name).locator(".dash-dropdown-content")
    option = listed.get_by_role("option").first
    expect(option).to_have_attribute("aria-selected", "false")
    expect(option).to_have_accessible_name(re.compile(r"\w"))
    expect(listed.locator(".dash-dropdown-option").first).to_contain_text(re.compile(r"\w"))
    opened_is_clean(reader, f"[data-testid='{name}'] .dash-dropdown-content")


def opened_is_clean(reader: Reader, name: str) -> None:
    """In both themes; and Escape closes it."""
    expect(reader.page.locator(name)).to_be_visible()
    assert [one for theme in THEMES for one in in_theme(reader, theme, name)] == []
    reader.page.keyboard.press("Escape")
    expect(reader.page.locator(name)).to_be_hidden()


def in_theme(reader: Reader, theme: str, within: str) -> list[str]:
    reader.page.evaluate(THEME, theme)
    lines = found(reader.page, contrast_alone=theme == "dark", within=within)
    reader.page.evaluate(THEME, "light")
    return lines


def test_axe_finds_nothing_on_a_phone_s_sheet(turn_as: Open) -> None:
    reader = turn_as("platform-admin", ANALYTICS, PHONE)
    reader.find("filter-sheet-open").click()
    assert found(reader.page) == []


@pytest.mark.parametrize("page", [one.key for one in PAGES])
def test_axe_finds_nothing_on_a_page_of_the_settings(turn_as: Open, page: str) -> None:
    reader = turn_as("platform-admin", f"/settings/{page}")
    expect(reader.page.locator("[data-state='loading']")).to_have_count(0)
    if page == "data":
        reader.find("connect-claude-code").locator("summary").click()
    assert judged(reader) == []


def test_the_first_filter_is_three_keys_away(turn_as: Open) -> None:
    reader = turn_as("platform-admin", ANALYTICS)
    reader.page.locator(".skip").first.focus()  # as by the first key on a page that is new
    for key in ("Tab", "Enter", "Tab"):
        reader.page.keyboard.press(key)
    assert reader.page.evaluate("() => document.activeElement.closest('.filter-bar') !== null")
    reader.turn("/settings/profile")
    expect(reader.page.locator(".to-filters")).to_be_hidden()


def test_a_list_is_opened_by_the_keyboard(turn_as: Open) -> None:
    reader = turn_as("platform-admin", ANALYTICS)
    users = reader.find("filter-users").locator("button.dash-dropdown")
    expect(users).to_have_attribute("tabindex", "0")
    users.focus()
    reader.page.keyboard.press("Enter")
    expect(users).to_have_attribute("aria-expanded", "true")
    reader.page.keyboard.press("Escape")


def test_one_choice_on_a_card_is_announced_once(turn_as: Open) -> None:
    reader = turn_as("platform-admin", f"{ANALYTICS}/models")
    card = reader.section("models")
    reader.page.evaluate(LIVE)
    card.get_by_label("Measure of").select_option("requests")
    reader.page.wait_for_function("() => window.said.some((one) => one.includes('Requests'))")
    reader.drawn()
    said = [one for one in reader.page.evaluate("() => window.said") if one]
    assert len(said) == 1, said
    assert re.match(r"^[^:]+: Requests: [\d,.k]+ in total", said[0])


def test_charts_have_a_role_a_name_and_a_sentence_of_their_numbers(turn_as: Open) -> None:
    reader = turn_as("platform-admin", f"{ANALYTICS}/spending")
    charts = reader.page.locator(".dash-graph[role='img'], .ranking")
    expect(charts.first).to_be_attached()
    for chart in charts.all():
        assert chart.get_attribute("aria-label")
        sentence = reader.page.locator(f"#{chart.get_attribute('aria-describedby')}").inner_text()
        assert re.search(r"(– in total|\d.* in total.*Largest: .+ with .*\d)", sentence)


@pytest.mark.parametrize("path", [ANALYTICS, f"{ANALYTICS}/models", "/settings/data"])
def test_at_200_percent_nothing_is_cut(turn_as: Open, path: str) -> None:
    reader = turn_as("platform-admin", path, ZOOMED)
    reader.fits()


def test_who_wants_less_motion_gets_none(turn_as: Open) -> None:
    """The reader's page asks for less; what only reports that something is there is no motion."""
    reader = turn_as("platform-admin", "/settings/data")
    moving = reader.page.evaluate("""() => document.getAnimations()
        .filter((one) => one.animationName !== "arrived").length""")
    assert moving == 0
