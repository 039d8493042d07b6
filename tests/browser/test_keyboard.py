"""Keys, what Ctrl+K finds, refreshing by itself, and the page on paper."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.driver import Open
from tests.reader import Reader

HIDDEN = ".rail, .controls, .tabs, .chrome"
BROKEN = """() => [...document.querySelectorAll('.card-section, .headline')]
    .filter(one => getComputedStyle(one).breakInside !== 'avoid').length"""
INKS = """() => document.querySelector("[data-section='cost-by-channel'] .js-plotly-plot").data
    .filter(({ type }) => type === "bar").map(({ marker }) => marker.color)"""
TOO_WIDE = """() => {
    const edge = document.querySelector('main').getBoundingClientRect().right + 1;
    return [...document.querySelectorAll('.main-svg, .rank-row, .kpi')]
        .filter(one => one.getBoundingClientRect().right > edge).length;
}"""


def test_each_key_does_what_the_list_of_keys_says(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?n=14")
    press = reader.page.keyboard.press
    press("?")
    keys = reader.page.get_by_role("dialog", name="Keys")
    expect(keys.locator("kbd")).to_contain_text(["Ctrl", "K", "Esc", "?", "/", "t", "r", "e"])
    press("Escape")
    expect(keys).to_have_count(0)
    press("/")
    expect(reader.find("time-open")).to_be_focused()
    press("t")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "true")
    expect(reader.page.locator(".ag-row").locator("visible=true").first).to_be_visible()
    press("t")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "false")
    press("]")
    expect(reader.page.locator(".tab-spending")).to_be_visible()
    reader.drawn()
    press("[")
    expect(reader.page.locator(".tab-overview")).to_be_visible()
    reader.drawn()
    the_card_in_focus_is_exported(reader)
    r_asks_anew(reader)
    what_is_typed_into_a_field_is_no_key(reader)


def the_card_in_focus_is_exported(reader: Reader) -> None:
    reader.answered("top-models", measure="cost")
    reader.section("top-models").get_by_test_id("more").focus()
    with reader.page.expect_download() as download:
        reader.page.keyboard.press("e")
    assert "top-models" in download.value.url


def r_asks_anew(reader: Reader) -> None:
    with reader.page.expect_request("**/_dash-update-component*") as request:
        reader.page.keyboard.press("r")
    assert "refresh.n_clicks" in (request.value.post_data or "")


def what_is_typed_into_a_field_is_no_key(reader: Reader) -> None:
    reader.field("n").focus()
    reader.page.keyboard.press("t")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "false")
    reader.field("n").fill("14")


def test_ctrl_k_finds_tabs_people_projects_models_and_actions(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    find(reader, "work", "WorkflowsTab")
    expect(reader.page.locator(".tab-workflows")).to_be_visible()
    reader.drawn()
    find(reader, "ana lop", "Ana LopesPerson")
    reader.has_query(user="ana.lopes")
    find(reader, "mobile", "Mobile AppProject")
    reader.has_query(user="ana.lopes", project="mobile")
    find(reader, "gpt-6-astra", "gpt-6-astraModel")
    reader.has_query(user="ana.lopes", project="mobile", model="gpt-6-astra")
    find(reader, "clear", "Clear all filtersAction")
    reader.has_query()
    find(reader, "prices", "PricesPage")
    expect(reader.page.get_by_role("heading", name="Prices", level=1)).to_be_visible()
    find(reader, "ana lop", "Ana LopesPerson")
    reader.drawn()
    reader.has_query(user="ana.lopes")


def find(reader: Reader, typed: str, found: str) -> None:
    """Open, type, go down to what is meant by the arrow, take it by Enter."""
    reader.page.keyboard.press("Control+k")
    palette = reader.page.get_by_role("dialog", name="Find")
    palette.get_by_role("combobox").fill(typed)
    option = palette.get_by_role("option").filter(has_text=re.compile(f"^{re.escape(found)}$"))
    expect(option).to_be_visible()
    for _ in range(palette.get_by_role("option").count()):
        if option.get_attribute("aria-selected") == "true":
            break
        reader.page.keyboard.press("ArrowDown")
    reader.page.keyboard.press("Enter")
    expect(palette).to_have_count(0)


def test_nobody_is_found_who_is_not_seen(turn_as: Open) -> None:
    reader = turn_as("user")
    reader.page.keyboard.press("Control+k")
    palette = reader.page.get_by_role("dialog", name="Find")
    with reader.page.expect_response("**/api/v1/options/users**") as answer:
        palette.get_by_role("combobox").fill("ana lop")
    assert answer.value.json() == []
    expect(palette.get_by_role("option")).to_have_count(0)
    reader.page.keyboard.press("Escape")


def test_the_page_refreshes_by_itself_where_it_is_seen(open_as: Open) -> None:
    reader = open_as("user", "/settings/analytics/tools")
    due = "told => spendscope.isDue(told)"
    for told, wanted in (
        ({"every": 30, "since": 30_000, "hidden": False}, True),
        ({"every": 30, "since": 29_000, "hidden": False}, False),
        ({"every": 30, "since": 90_000, "hidden": True}, False),
        ({"every": 0, "since": 90_000, "hidden": False}, False),
    ):
        assert reader.page.evaluate(due, told) is wanted
    choice = reader.find("auto-refresh")
    assert choice.locator("option").all_text_contents() == [
        "Off",
        "30 s",
        "1 min",
        "5 min",
        "15 min",
    ]
    # No test waits for half a minute.
    choice.evaluate("list => { list.options[1].value = '0.2'; }")
    with reader.page.expect_request("**/_dash-update-component*") as request:
        choice.select_option("30 s")
    assert "refresh.n_clicks" in (request.value.post_data or "")
    choice.select_option("5 min")
    reader.page.reload()
    expect(choice).to_have_value("300")
    choice.select_option("Off")


def test_the_page_fits_on_a4_and_is_light(open_as: Open) -> None:
    reader = open_as("platform-admin")
    expect(reader.drawing("cost-by-channel")).to_be_visible()
    light = reader.page.evaluate(INKS)
    reader.page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    reader.page.wait_for_function(f"light => String(({INKS})()) !== light", arg=",".join(light))
    reader.page.emulate_media(media="print")
    reader.page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert reader.page.evaluate(INKS) == light
    for place in reader.page.locator(HIDDEN).all():
        expect(place).to_be_hidden()
    assert reader.page.evaluate(BROKEN) == 0
    assert reader.page.evaluate(TOO_WIDE) == 0
    sizes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", reader.page.pdf(
        prefer_css_page_size=True)))  # fmt: skip
    assert {(round(float(w)), round(float(h))) for w, h in sizes} == {(595, 842)}
