"""Budgets in a real browser, with the sample organisation's."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import Open


def test_a_budget_is_made_corrected_and_deleted(open_as: Open) -> None:
    reader = open_as("platform-admin", "/settings/analytics/budgets")
    page, find = reader.page, reader.find
    rows = reader.section("budgets").locator(".ag-center-cols-container [role=row]")
    expect(rows).to_have_count(4)
    find("budget-new").click()
    form = page.get_by_role("dialog", name="New budget")
    form.get_by_label("What is limited").select_option("project")
    form.get_by_label("Project id").fill("checkout")
    form.get_by_label("Limit (US dollars)", exact=True).fill("-3")
    form.get_by_label("Limit (US dollars)", exact=True).press("Enter")
    expect(find("budget-problem-hard")).to_have_text("the limit must be more than $0")
    expect(form.get_by_label("Project id")).to_have_value("checkout")
    form.get_by_label("Limit (US dollars)", exact=True).fill("50")
    find("budget-save").click()
    expect(form).to_be_hidden()
    expect(rows).to_have_count(5)
    rows.filter(has_text="Checkout").click()
    page.once("dialog", lambda dialog: dialog.accept())
    find("budget-delete").click()
    expect(rows).to_have_count(4)
    reader.go("/settings/audit")
    entries = find("audit").locator(".ag-center-cols-container [role=row]")
    expect(entries.first).to_contain_text("deleted")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_user_sees_a_ring_and_no_audit(open_as: Open, width: int) -> None:
    viewport = {"width": width, "height": 800}
    reader = open_as("user", "/settings/profile", viewport=viewport)
    answer = reader.page.context.request.get(f"{reader.site}/api/v1/budgets")
    (mine,) = answer.json()["budgets"]
    number = reader.find(f"spending-{mine['id']}")
    expect(number).to_have_attribute("data-value", repr(mine["spent"]))
    expect(reader.find("nav-audit")).to_be_hidden()
    wide = reader.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    reader.go("/settings/analytics/budgets")
    expect(reader.find("budget-new")).to_be_hidden()
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= width
