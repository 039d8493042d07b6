"""Budgets in a real browser, with the sample organisation's."""

from __future__ import annotations

import csv
import io
import re
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, expect

from components.settings.budgets import BUDGETS, CROSSINGS
from tests.browser.driver import PHONE, WIDE, Open
from tests.reader import Reader

PAGE: Final = "/settings/analytics/budgets"
CARDS: Final = ("budgets", "crossings")
# The heads of the columns that the edge cuts.
CUT: Final = """card => {
    const box = one => one.getBoundingClientRect();
    const edge = box(card.querySelector('.ag-center-cols-viewport')).right;
    return [...card.querySelectorAll('.ag-header-cell')]
        .filter(one => box(one).left < edge - 2 && box(one).right > edge + 2)
        .map(one => one.textContent);
}"""


def rows(reader: Reader, key: str) -> Locator:
    return reader.section(key).locator(".ag-center-cols-container [role=row]")


def as_table(reader: Reader) -> None:
    for key in CARDS:
        reader.section(key).get_by_test_id("mode-table").click()
        expect(reader.section(key)).to_have_attribute("data-mode", "table")


def remove(reader: Reader, name: str) -> None:
    rows(reader, "budgets").filter(has_text=name).click()
    reader.page.once("dialog", lambda dialog: dialog.accept())
    reader.find("budget-delete").click()
    expect(rows(reader, "budgets").filter(has_text=name)).to_have_count(0)


def test_a_budget_is_made_corrected_and_deleted(turn_as: Open) -> None:
    reader = turn_as("platform-admin", PAGE)
    page, find = reader.page, reader.find
    as_table(reader)
    expect(rows(reader, "budgets")).to_have_count(4)
    find("budget-new").click()
    form = page.get_by_role("dialog", name="New budget")
    form.get_by_label("Limit for").select_option("project")
    form.get_by_label("Project id").fill("checkout")
    form.get_by_label("Limit (US dollars)", exact=True).fill("-3")
    form.get_by_label("Limit (US dollars)", exact=True).press("Enter")
    expect(find("budget-problem-hard")).to_have_text("the limit must be more than $0")
    expect(form.get_by_label("Project id")).to_have_value("checkout")
    form.get_by_label("Limit (US dollars)", exact=True).fill("50")
    find("budget-save").click()
    expect(form).to_be_hidden()
    expect(rows(reader, "budgets")).to_have_count(5)
    remove(reader, "Checkout")
    expect(rows(reader, "budgets")).to_have_count(4)
    find("nav-audit").get_by_role("link").click()
    entries = find("audit").locator(".ag-center-cols-container [role=row]")
    expect(entries.first).to_contain_text("deleted")


def test_a_project_admin_sets_budgets_for_their_projects_alone(turn_as: Open) -> None:
    reader = turn_as("project-admin", PAGE)
    page, find = reader.page, reader.find
    expect(reader.section("budgets")).to_have_attribute("data-state", "empty")
    expect(reader.section("budgets").get_by_test_id("state")).to_contain_text("No budget is set")
    find("budget-new").click()
    form = page.get_by_role("dialog", name="New budget")
    expect(form.get_by_label("Limit for").locator("option")).to_have_text(["Project"])
    form.get_by_label("Project id").fill("checkout")
    form.get_by_label("Limit (US dollars)", exact=True).fill("0.5")
    form.get_by_label("Starts on").fill("2026-10-01")
    find("budget-save").click()
    refused = find("budget-problem-subject")
    expect(refused).to_have_text("you do not administer the project 'checkout'")
    form.get_by_label("Project id").fill("research")
    find("budget-save").click()
    expect(form).to_be_hidden()
    # It was crossed in October and November, and they see by whom.
    for key in CARDS:
        expect(reader.drawing(key)).to_be_visible()
    assert len(reader.traces("crossings")[1]["x"]) == 2
    as_table(reader)
    expect(rows(reader, "budgets")).to_contain_text(["Project: Market Research"])
    expect(rows(reader, "crossings")).to_have_count(2)
    expect(rows(reader, "crossings").first.locator("[col-id=user]")).not_to_have_text("–")
    remove(reader, "Market Research")
    expect(reader.section("crossings")).to_have_attribute("data-state", "empty")


def fits_everywhere(reader: Reader) -> None:
    """Also on a phone, which it stays."""
    for size in (WIDE, PHONE):
        reader.page.set_viewport_size(size)
        reader.fits()


def test_a_user_sees_a_ring_and_no_audit(turn_as: Open) -> None:
    reader = turn_as("user", "/settings/profile")
    answer = reader.page.context.request.get(f"{reader.site}/api/v1/budgets")
    (mine,) = answer.json()["budgets"]
    number = reader.find(f"spending-{mine['id']}")
    expect(number).to_have_attribute("data-value", repr(mine["spent"]))
    expect(reader.find("nav-audit")).to_be_hidden()
    fits_everywhere(reader)
    reader.turn(PAGE)
    expect(reader.find("budget-new")).to_be_hidden()
    (bars, _) = reader.traces("budgets")
    assert bars["x"] == [mine["share"]]
    fits_everywhere(reader)
    as_table(reader)
    expect(rows(reader, "budgets")).to_contain_text(["User: Jonas Weber"])
    fits_everywhere(reader)
    rows(reader, "budgets").click()
    expect(reader.find("budget-chosen")).to_have_text("User: Jonas Weber, weekly")
    expect(reader.find("budget-edit")).to_be_hidden()
    expect(reader.find("budget-delete")).to_be_hidden()


def test_the_one_switch_and_a_card_of_its_own(turn_as: Open) -> None:
    """On a phone, where either has to fit."""
    reader = turn_as("platform-admin", "/settings/analytics/spending", viewport=PHONE)
    reader.find("view-mode").click()
    reader.tab("budgets")
    for key in CARDS:
        is_a_table(reader, key)
        cuts_nothing(reader, key)
    reader.fits()
    budgets = reader.section("budgets")
    budgets.get_by_test_id("mode-chart").click()
    expect(budgets.get_by_test_id("mode-chart")).to_have_attribute("aria-pressed", "true")
    is_a_chart(reader, "budgets")
    is_a_table(reader, "crossings")
    reader.page.reload()
    reader.drawn()
    is_a_chart(reader, "budgets")
    is_a_table(reader, "crossings")
    reader.tab("spending")
    expect(reader.find("view-mode")).to_have_attribute("aria-checked", "true")
    reader.find("view-mode").click()
    reader.tab("budgets")
    for key in CARDS:
        is_a_chart(reader, key)
    reader.fits()


def is_a_table(reader: Reader, key: str) -> None:
    expect(rows(reader, key).first).to_be_visible()
    expect(reader.section(key).get_by_test_id("chart")).to_be_hidden()


def cuts_nothing(reader: Reader, key: str) -> None:
    """Whole columns are in sight, the others beyond."""
    reader.becomes(lambda: reader.section(key).evaluate(CUT), [])


def is_a_chart(reader: Reader, key: str) -> None:
    expect(reader.drawing(key)).to_be_visible()
    expect(reader.section(key).get_by_test_id("table")).to_be_hidden()


def test_a_bar_chooses_its_budget_and_the_history_follows(turn_as: Open) -> None:
    reader = turn_as("platform-admin", PAGE)
    budgets, crossings = (reader.section(key) for key in CARDS)
    expect(crossings.locator("select")).to_have_value("all")
    every = sum(len(trace["x"]) for trace in reader.traces("crossings"))
    told = reader.page.context.request.get(f"{reader.site}/api/v1/budgets").json()["budgets"]
    fullest = max(told, key=lambda one: one["share"])
    budgets.locator(".barlayer .trace").last.locator(".point").first.click(force=True)
    expect(crossings.locator("select")).to_have_value(str(fullest["id"]))
    chosen = crossings.locator("select option:checked").inner_text()
    expect(reader.find("budget-chosen")).to_have_text(chosen)
    expect(reader.find("budget-edit")).to_be_visible()
    ticks = crossings.locator(".ytick")
    expect(ticks).to_have_count(1)
    expect(crossings.get_by_test_id("export-csv")).to_have_attribute(
        "href", re.compile(rf"crossings\.csv\?budget={fullest['id']}$")
    )
    crossings.locator("select").select_option("all")
    expect(ticks).to_have_count(4)
    assert sum(len(trace["x"]) for trace in reader.traces("crossings")) == every


def test_files_hold_what_the_tables_show(turn_as: Open) -> None:
    reader = turn_as("platform-admin", PAGE)
    as_table(reader)
    for card, field, column in ((BUDGETS, "hard", "hard"), (CROSSINGS, "amount", "most")):
        limits = [f"${float(row[field]):,.2f}" for row in file(reader, card.key)]
        shown = rows(reader, card.key).locator(f"[col-id={column}]")
        expect(shown).to_have_text(limits[: card.page_size or None])


def file(reader: Reader, key: str) -> list[dict[str, Any]]:
    href = reader.section(key).get_by_test_id("export-csv").get_attribute("href")
    answer = reader.page.context.request.get(f"{reader.site}{href}")
    assert answer.ok
    return list(csv.DictReader(io.StringIO(answer.text())))


@pytest.mark.parametrize(("role", "kind"), [("platform-admin", "model"), ("user", "user")])
def test_from_a_budget_to_what_it_counts(turn_as: Open, role: str, kind: str) -> None:
    """That the address says it right for every kind, tests/budgets compares."""
    reader = turn_as(role, PAGE)
    as_table(reader)
    budgets = reader.page.context.request.get(f"{reader.site}/api/v1/budgets").json()["budgets"]
    place, one = next((n, one) for n, one in enumerate(budgets) if one["kind"] == kind)
    rows(reader, "budgets").nth(place).click()
    reader.find("budget-show").click()
    reader.page.wait_for_url("**/settings/analytics/spending?**")
    reader.drawn()
    query = reader.query()
    assert (query["from"], query["to"]) == ([one["from"]], [one["to"]])
    expect(reader.find("chip").first).to_be_visible()
    spent = pytest.approx(one["spent"], abs=1e-9)
    reader.section("cost-by-provider").get_by_test_id("mode-table").click()
    reader.becomes(lambda: (reader.grid("cost-by-provider")["total"] or {}).get("cost"), spent)
    reader.page.go_back()
    expect(rows(reader, "budgets")).to_have_count(len(budgets))
    assert urlsplit(reader.page.url).path == PAGE


def test_overview_leads_to_the_budgets_at_risk(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics")
    link = reader.find("budgets-at-risk").get_by_role("link")
    expect(link).to_have_text(re.compile(r"^\d budgets at risk$"))
    expect(link).to_have_attribute("title", re.compile("Everything, monthly: "))
    link.click()
    expect(reader.section("budgets")).to_be_visible()
    expect(reader.find("budgets-at-risk")).to_be_hidden()
