"""The tools of a card: what its menu does, by mouse and by keyboard, and what is said on focus."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
from playwright.sync_api import expect

from tests.browser.driver import Open
from tests.reader import Reader

KEY = "cost-over-time"
FOCUSED = "() => document.activeElement.dataset.testid"


def test_the_menu_of_a_card_is_a_menu(open_as: Open) -> None:
    reader = open_as("platform-admin", "/settings/analytics/spending?preset=last_month")
    the_keyboard_walks_it_round(reader)
    its_link_leads_back_to_the_card(reader)
    its_files_are_the_rows_and_the_picture(reader)
    one_button_turns_the_card_and_keeps_the_focus(reader)
    help_stands_on_focus(reader)


def the_keyboard_walks_it_round(reader: Reader) -> None:
    keyboard, menu = reader.page.keyboard, reader.section(KEY).get_by_role("menu")
    expect(menu).to_be_hidden()
    reader.section(KEY).get_by_test_id("more").press("Enter")
    expect(menu).to_be_visible()
    assert reader.page.evaluate(FOCUSED) == "show-events"
    keyboard.press("ArrowUp")
    assert reader.page.evaluate(FOCUSED) == "full-screen"
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    assert reader.page.evaluate(FOCUSED) == "copy-link"
    keyboard.press("Escape")
    expect(menu).to_be_hidden()
    assert reader.page.evaluate(FOCUSED) == "more"
    keyboard.press("ArrowDown")
    reader.page.locator("h1").click()
    expect(menu).to_be_hidden()


def its_link_leads_back_to_the_card(reader: Reader) -> None:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    link = reader.menu("unit-costs", "copy-link")
    link.click()
    expect(link).to_have_text("Link copied")
    copied = reader.page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{reader.page.url}#unit-costs"
    reader.page.goto("about:blank")
    reader.page.goto(copied)
    reader.drawn()
    expect(reader.section("unit-costs")).to_be_in_viewport()
    reader.go("/settings/analytics/spending?preset=last_month")


def its_files_are_the_rows_and_the_picture(reader: Reader) -> None:
    heads = {"export-png": b"\x89PNG", "export-svg": b"<svg"}
    for item, suffix in (("export-xlsx", "xlsx"), ("export-png", "png"), ("export-svg", "svg")):
        with reader.page.expect_download() as coming:
            reader.menu(KEY, item).click()
        assert coming.value.suggested_filename == f"spendscope-{KEY}.{suffix}"
        path = Path(coming.value.path())
        if item in heads:
            assert path.read_bytes().startswith(heads[item])
        else:
            sheet = openpyxl.load_workbook(io.BytesIO(path.read_bytes())).active
            assert sheet is not None
            rows = reader.api(f"sections/{KEY}", preset="last_month")["rows"]
            assert sheet.max_row > len(rows)
    assert "Cost over time" in path.read_text()


def one_button_turns_the_card_and_keeps_the_focus(reader: Reader) -> None:
    card = reader.section(KEY)
    expect(card.get_by_test_id("mode-chart")).to_have_count(0)
    card.get_by_role("button", name="Show Cost over time as table").press("Enter")
    expect(card.get_by_test_id("mode-table")).to_have_count(0)
    assert reader.page.evaluate(FOCUSED) == "mode-chart"
    expect(reader.menu(KEY, "export-png")).to_have_count(0)  # a table is no picture
    reader.page.keyboard.press("Escape")
    card.get_by_role("button", name="Show Cost over time as chart").press("Enter")
    expect(card.get_by_test_id("mode-chart")).to_have_count(0)
    assert reader.page.evaluate(FOCUSED) == "mode-table"


def help_stands_on_focus(reader: Reader) -> None:
    tip = reader.section(KEY).get_by_role("tooltip")
    expect(tip).to_be_hidden()
    reader.section(KEY).get_by_test_id("more").focus()
    for _ in range(4):  # the toggle, the breakdown, the measure, the help
        reader.page.keyboard.press("Shift+Tab")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text("Cost: Reported by the source")


def test_the_headline_draws_courses_and_leads_to_the_prices(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?n=14")
    for name in ("cost", "requests", "active_users", "error_rate"):
        kpi = reader.find(f"kpi-{name}").locator("xpath=..")
        for drawn in ("now", "before"):
            path = kpi.locator(f".spark-{drawn}")
            expect(path).to_have_attribute("d", re.compile(r"^M[\d.]+ [\d.]+L"))
    shares = reader.section("headline").locator(".strip-bar > span")
    tokens = reader.shows(n="14")["totals"]
    grown = [float(one) for one in shares.evaluate_all("all => all.map(s => s.style.flexGrow)")]
    parts = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    known = reader.api("query", metrics=",".join(parts), n="14")["totals"]
    assert [round(one, 4) for one in grown] == [
        round(known[part] / tokens["tokens"], 4) for part in parts
    ]
    reader.find("kpi-priced_share").click()
    expect(reader.page).to_have_url(re.compile(r"/settings/prices\?n=14$"))
    expect(reader.page.get_by_role("heading", name="Prices", level=1)).to_be_visible()
