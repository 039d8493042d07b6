"""Choosing when: every preset, a range of date and time, a zone; and what is refused."""

from __future__ import annotations

from typing import Any, Final

from playwright.sync_api import expect

from tests.browser.driver import Open
from tests.reader import Reader

# It is 16:30 in Berlin on 20 November: (preset, N, what the page resolves it to).
WINDOWS: Final[tuple[tuple[str, str | None, str], ...]] = (
    ("last_hour", None, "20 Nov 2026 15:30 → now"),
    ("last_n_hours", None, "19 Nov 2026 16:30 → now"),
    ("last_n_hours", "5", "20 Nov 2026 11:30 → now"),
    ("last_n_days", "30", "22 Oct 2026 00:00 → now"),
    ("yesterday", None, "19 Nov 2026 00:00 → 20 Nov 2026 00:00"),
    ("this_week", None, "16 Nov 2026 00:00 → now"),
    ("this_year", None, "1 Jan 2026 00:00 → now"),
    ("last_month", None, "1 Oct 2026 00:00 → 1 Nov 2026 00:00"),
)
FROM, TO = "2026-10-24T08:15", "2026-10-26T17:45"
REFUSED: Final = {
    "last_n_days": (
        ("0", "N must be a whole number of days from 1 to 3,660"),
        ("soon", "N must be a whole number, not 'soon'"),
    ),
    "last_n_hours": (("8785", "N must be a whole number of hours from 1 to 8,784"),),
}


def test_every_preset_and_range_shows_its_window_and_the_api_s_numbers(turn_as: Open) -> None:
    """As one role: a window is the same for all, and the numbers of each are the API's concern."""
    reader = turn_as("project-admin")
    for preset, n, window in WINDOWS:
        chosen = {"preset": preset} | ({"n": n} if n else {})
        reader.preset(preset)
        if n:
            expect(reader.field("n")).to_have_value("24" if "hours" in preset else "7")
            reader.field("n").fill(n)
        expect(reader.find("filter-summary")).to_contain_text(f"{window}, {reader.zone}")
        reader.shows(**chosen)
        reader.has_query(**chosen | ({"n": "24"} if (preset, n) == WINDOWS[1][:2] else {}))
        expect(reader.field("n")).to_be_visible(visible="_n_" in preset)

    a_range_has_dates_and_times(reader)


def a_range_has_dates_and_times(reader: Reader) -> None:
    """From the last window that was chosen, to any other."""
    reader.preset("custom")
    expect(reader.field("from")).to_have_value("2026-10-01T00:00")
    reader.field("from").fill(FROM)
    reader.field("to").fill(TO)
    window = f"24 Oct 2026 08:15 → 26 Oct 2026 17:45, {reader.zone}"
    expect(reader.find("filter-summary")).to_contain_text(window)
    reader.has_query(preset="custom", from_=FROM, to=TO)
    reader.shows(preset="custom", from_=FROM, to=TO)


def test_a_wrong_n_is_answered_and_the_picture_stays(turn_as: Open) -> None:
    for preset, wrong in REFUSED.items():
        start: dict[str, Any] = {"preset": preset, "n": "2"}
        reader = turn_as("platform-admin", f"/settings/analytics?preset={preset}&n=2")
        before = reader.traces("cost-by-channel")
        for n, sentence in wrong:
            reader.field("n").fill(n)
            expect(reader.problem()).to_have_text(sentence)
            reader.shows(**start)
            assert reader.traces("cost-by-channel") == before
            reader.has_query(**start)
        reader.field("n").fill("1")
        expect(reader.problem()).to_be_empty()
        reader.shows(preset=preset, n="1")


def test_an_inverted_range_is_answered_and_the_picture_stays(turn_as: Open) -> None:
    reader = turn_as(
        "platform-admin", f"/settings/analytics?preset=custom&from={FROM}:00&to={TO}:00"
    )
    before = reader.traces("cost-by-channel")
    reader.field("to").fill("2026-10-01T00:00")
    expect(reader.problem()).to_have_text("the range must end after it starts")
    assert reader.traces("cost-by-channel") == before
    reader.shows(preset="custom", from_=FROM, to=TO)


def test_a_zone_moves_the_days(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    reader.find("time-open").click()
    zone, summary = reader.find("filter-zone"), reader.find("filter-summary")
    expect(zone).to_contain_text("Europe/Berlin · UTC+1")
    zone.locator("button.dash-dropdown").click()
    zone.locator("input[type=search]").fill("Auckland")
    zone.get_by_role("option", name="Pacific/Auckland · UTC+13").click()
    expect(zone).to_contain_text("Pacific/Auckland · UTC+13")
    expect(summary).to_contain_text("15 Nov 2026 00:00 → now, Pacific/Auckland")
    reader.shows(tz="Pacific/Auckland")
    reader.has_query(tz="Pacific/Auckland")
