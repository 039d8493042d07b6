"""Choosing what to compare with: it is said, stands in the address, and shows in every card."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import expect

from tests.browser.driver import Open
from tests.reader import Reader

# It is 16:30 in Berlin on Friday 20 November: what each choice of seven days is compared with.
CHOICES: Final = (
    ("week", "7 Nov 00:00 → 13 Nov 16:30", "7–13 Nov"),
    ("month", "17 Oct 00:00 → 23 Oct 16:30", "17–23 Oct"),
    ("previous", "7 Nov 00:00 → 13 Nov 16:30", "7–13 Nov"),
)
MINE: Final = {"compare_from": "2026-10-01T08:00", "compare_to": "2026-10-03T20:00"}


def test_what_is_compared_is_said_and_stands_in_the_address(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    for compare, dates, period in CHOICES:
        choose(reader, compare)
        expect(reader.find("filter-summary")).to_contain_text(dates)
        reader.has_query(**({} if compare == "previous" else {"compare": compare}))
        compares(reader, period, compare=compare)
    nothing_is_compared_with_nothing(reader)
    a_range_of_ones_own(reader)


def choose(reader: Reader, compare: str) -> None:
    reader.find("filter-compare").locator("select").select_option(compare)


def compares(reader: Reader, period: str, **asked: Any) -> None:
    """Headline, chart, ranking, table and file compare with the API's numbers."""
    told = reader.api("query", metrics="cost", **asked)
    was = f"was ${told['totals']['cost_before']:,.2f}, {period}"
    kpi = reader.find("kpi-cost").locator("xpath=..").locator(".kpi-change")
    expect(kpi).to_contain_text(was)
    drawn = "cost-by-channel"
    reader.becomes(lambda: [one["name"] for one in reader.earlier_traces(drawn)], [period])
    added = sum(value or 0 for value in reader.earlier_traces(drawn)[0]["y"])
    assert round(added, 6) == round(told["totals"]["cost_before"], 6)
    reader.answered("top-models", compare_from=told["meta"]["compared"]["from"])
    expect(reader.section("top-models").locator(".rank-change").first).to_contain_text("%")


def nothing_is_compared_with_nothing(reader: Reader) -> None:
    choose(reader, "off")
    reader.has_query(compare="off")
    expect(reader.section("headline").locator(".kpi-change").first).to_be_empty()
    expect(reader.section("top-models").locator(".rank-change")).to_have_count(0)
    reader.shows()


def a_range_of_ones_own(reader: Reader) -> None:
    """It outlives a reload, is refused where it ends too early, and goes with Clear all."""
    choose(reader, "custom")
    for name, value in MINE.items():
        reader.field(name.replace("_", "-")).fill(value)
    reader.has_query(compare="custom", **MINE)
    compares(reader, "1–3 Oct", compare="custom", **MINE)
    reader.field("compare-to").fill("2026-09-30T20:00")
    expect(reader.problem()).to_have_text("the range must end after it starts")
    reader.has_query(compare="custom", **MINE)
    reader.find("filter-clear").click()
    reader.has_query()
    expect(reader.find("filter-compare").locator("select")).to_have_value("previous")
    expect(reader.find("filter-compare-from")).to_be_hidden()
    expect(reader.problem()).to_be_empty()


def test_a_table_has_what_was_and_how_it_changed(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/spending?preset=last_month")
    reader.find("view-mode").click()
    told = reader.api("sections/cost-by-provider", preset="last_month", compare="previous")
    rows, first = reader.grid("cost-by-provider")["rows"], told["rows"][0]
    assert rows[0]["before"] == first["cost_before"]
    now, was = first["cost"], first["cost_before"]
    assert rows[0]["change_text"] == f"{'+' if now > was else '−'}{abs(now / was - 1):.0%}"
    cell = reader.section("cost-by-provider").locator(".ag-row-first [col-id='change']").first
    expect(cell).to_have_text(rows[0]["change_text"])
    assert reader.grid("cost-by-provider")["total"]["before"] == told["totals"]["cost_before"]


def test_an_address_with_a_comparison_that_cannot_be_shows_the_rest(open_as: Open) -> None:
    reader = open_as("user", "/settings/analytics?n=3&compare=century")
    expect(reader.problem()).to_contain_text("compare is 'century'; use one of previous, week,")
    reader.has_query(n="3")
    reader.shows(n="3")
