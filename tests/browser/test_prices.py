"""Prices in a real browser: a model of the sample without one gets it, and loses it again."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.driver import Open
from tests.reader import Reader


def test_a_price_is_set_looked_at_applied_and_undone(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/prices")
    before = cost(reader)
    expect(rows(reader, "unpriced")).to_have_count(1)
    a_price_is_previewed_and_applied(reader)
    expect(rows(reader, "unpriced")).to_have_count(0)
    assert cost(reader) > before
    it_is_undone_and_deleted(reader)
    assert cost(reader) == before
    the_only_release_holds_for_all_time(reader)
    reader.page.set_viewport_size({"width": 390, "height": 800})
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 390


def cost(reader: Reader) -> float:
    found = reader.api("query", metrics="cost", preset="last_n_days", n=90)
    return float(found["totals"]["cost"])


def rows(reader: Reader, key: str) -> Locator:
    return reader.section(key).locator(".ag-center-cols-container [role=row]")


def a_price_is_previewed_and_applied(reader: Reader) -> None:
    page, find = reader.page, reader.find
    rows(reader, "unpriced").first.click()
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
    expect(rows(reader, "repricings")).to_have_count(1)


def it_is_undone_and_deleted(reader: Reader) -> None:
    page, find = reader.page, reader.find
    page.once("dialog", lambda dialog: dialog.accept())
    rows(reader, "repricings").first.click()
    find("price-undo").click()
    expect(rows(reader, "unpriced")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    rows(reader, "prices").first.click()
    find("price-delete").click()
    expect(reader.section("prices")).to_have_attribute("data-state", "empty")


def the_only_release_holds_for_all_time(reader: Reader) -> None:
    expect(rows(reader, "releases")).to_have_count(1)
    rows(reader, "releases").first.click()
    expect(reader.find("release-detail")).to_contain_text("holds for all time")
    expect(reader.find("release-edit")).to_be_disabled()
