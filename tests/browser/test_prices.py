"""Prices in a real browser: a model of the sample without one gets it, and loses it again."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.browser.driver import Open


def test_a_price_is_set_looked_at_applied_and_undone(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/prices")
    page, find = reader.page, reader.find
    before = reader.api("query", metrics="cost", preset="last_n_days", n=90)["totals"]["cost"]

    def rows(key: str) -> Any:
        return reader.section(key).locator(".ag-center-cols-container [role=row]")

    expect(rows("unpriced")).to_have_count(1)
    rows("unpriced").first.click()
    find("price-set").click()
    form = page.get_by_role("dialog", name="Set a price")
    form.get_by_label("Output ($ per million)", exact=True).fill("-1")
    expect(find("price-apply")).to_be_disabled()
    find("price-preview").click()
    expect(find("price-problem-output")).to_have_text("the output price is negative")
    form.get_by_label("Output ($ per million)", exact=True).fill("1000")
    find("price-preview").click()
    expect(find("price-seen")).to_contain_text("– → $")
    form.get_by_label("Output ($ per million)", exact=True).fill("2000")
    expect(find("price-apply")).to_be_disabled()
    find("price-preview").click()
    find("price-apply").click()
    expect(form).to_be_hidden()
    expect(rows("unpriced")).to_have_count(0)
    expect(rows("repricings")).to_have_count(1)
    after = reader.api("query", metrics="cost", preset="last_n_days", n=90)["totals"]["cost"]
    assert after > before
    page.once("dialog", lambda dialog: dialog.accept())
    rows("repricings").first.click()
    find("price-undo").click()
    expect(rows("unpriced")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    rows("prices").first.click()
    find("price-delete").click()
    expect(reader.section("prices")).to_have_attribute("data-state", "empty")
    again = reader.api("query", metrics="cost", preset="last_n_days", n=90)["totals"]["cost"]
    assert again == before
    expect(rows("releases")).to_have_count(1)
    rows("releases").first.click()
    expect(find("release-detail")).to_contain_text("holds for all time")
    expect(find("release-edit")).to_be_disabled()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
