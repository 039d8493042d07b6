"""The header: one row, a menu for the time, a sheet on phones, and what it says of the view."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.driver import PHONE, SMALL, Open
from tests.reader import Reader

CHOSEN: Final = {"user": "ana.lopes", "project": "mobile"}
RANGE: Final = {"preset": "custom", "from_": "2026-11-10T08:00", "to": "2026-11-12T20:00"}
ADDRESS: Final = (
    f"{SMALL}?preset=custom&from=2026-11-10T08:00&to=2026-11-12T20:00"
    "&user=ana.lopes&project=mobile&compare=year"
)
ROW: Final = """bar => [...bar.querySelectorAll('.time-box, .sheet > *, .switch')]
    .filter(one => one.offsetWidth && one.offsetHeight).map(one => {
        const {top, height, left, right} = one.getBoundingClientRect();
        return [Math.round(top + height / 2), left, right];
    })"""
CUT: Final = """bar => [...bar.querySelectorAll('.dash-dropdown-value, select, .toggle')]
    .filter(one => one.offsetWidth && one.clientWidth < Math.min(one.scrollWidth, 36))
    .map(one => one.className)"""
# It is 16:30 in Berlin on Friday, 20 November: (button, address, what the pill says).
QUICK: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("today", {"preset": "last_n_days", "n": "1"}, "Today"),
    ("yesterday", {"preset": "yesterday"}, "Yesterday"),
    ("this-month", {"preset": "this_month"}, "This month"),
    ("last-30-days", {"preset": "last_n_days", "n": "30"}, "Last 30 days"),
    ("last-month", {"preset": "last_month"}, "Last month"),
    ("last-7-days", {}, "Last 7 days"),
)


def time_menu(reader: Reader) -> Locator:
    """The menu of the time, opened."""
    reader.find("time-open").click()
    menu = reader.page.get_by_role("dialog", name="Time")
    expect(menu).to_be_visible()
    return menu


def test_the_widest_choice_is_one_row(turn_as: Open) -> None:
    reader = turn_as("platform-admin", ADDRESS)
    reader.shows(**RANGE, **CHOSEN)
    is_one_row(reader)
    reader.find("filter-clear").click()
    reader.has_query()
    is_one_row(reader)
    expect(reader.find("filter-clear")).to_be_disabled()
    reader.find("filter-users-me").click()
    expect(reader.find("filter-clear")).to_be_enabled()


def is_one_row(reader: Reader) -> None:
    """On every screen from 1024 pixels on; nothing over its neighbour, no name unreadable."""
    for width in (1024, 1241, 1440):
        reader.page.set_viewport_size({"width": width, "height": 900})
        row = reader.page.locator("#filter-bar .controls").evaluate(ROW)
        middles = [middle for middle, *_ in row]
        assert len(row) > 8
        assert max(middles) - min(middles) <= 1
        assert all(one[2] <= other[1] + 1 for one, other in pairwise(row)), (width, row)
        assert reader.page.locator("#filter-bar .controls").evaluate(CUT) == []
        reader.fits()


def test_a_range_is_one_click_away(turn_as: Open) -> None:
    reader = turn_as("project-admin", SMALL)
    for key, address, label in QUICK:
        time_menu(reader).get_by_test_id(f"time-{key}").click()
        reader.has_query(**address)
        expect(reader.find("time-open")).to_have_accessible_name(f"Time: {label}")
        expect(reader.page).to_have_title(f"Assistants · {label} · Spendscope")
        expect(reader.page.get_by_role("dialog", name="Time")).to_be_hidden()
    reader.shows()
    everything_is_as_many_days_as_there_are(reader)


def everything_is_as_many_days_as_there_are(reader: Reader) -> None:
    time_menu(reader).get_by_test_id("time-everything").click()
    reader.becomes(lambda: reader.query().get("preset"), ["last_n_days"])
    (n,) = reader.query()["n"]
    every = {"preset": "custom", "from_": "2001-01-01", "to": "2099-01-01"}
    all_of_it = reader.api("query", metrics="events", **every)["totals"]
    assert reader.api("query", metrics="events", preset="last_n_days", n=n)["totals"] == all_of_it
    fewer = reader.api("query", metrics="events", preset="last_n_days", n=int(n) - 1)["totals"]
    assert fewer != all_of_it


def test_n_is_typed_in_the_menu_and_the_zone_stays(turn_as: Open) -> None:
    reader = turn_as("user", f"{SMALL}?tz=Asia/Tokyo")
    menu = time_menu(reader)
    menu.get_by_test_id("time-n-hours").fill("36")
    menu.get_by_test_id("time-n-hours").press("Enter")
    reader.has_query(preset="last_n_hours", n="36", tz="Asia/Tokyo")
    expect(reader.field("n")).to_have_value("36")
    reader.shows(preset="last_n_hours", n="36", tz="Asia/Tokyo")


def test_a_range_is_picked_from_either_end(turn_as: Open) -> None:
    """Days by the calendar, times by the fields; what is later is the end."""
    reader = turn_as("platform-admin", SMALL)
    menu = time_menu(reader)
    expect(menu.locator(".month-name")).to_have_text(["October 2026", "November 2026"])
    expect(menu.locator(".weekday").first).to_have_text("M")
    menu.locator("[data-day='2026-11-12']").click()
    menu.locator("[data-day='2026-11-10']").click()
    expect(menu.get_by_label("From")).to_have_value("2026-11-10T00:00")
    expect(menu.get_by_label("To", exact=True)).to_have_value("2026-11-13T00:00")
    menu.get_by_label("From").fill(RANGE["to"])
    menu.get_by_label("To", exact=True).fill(RANGE["from_"])
    menu.get_by_test_id("time-apply").click()
    reader.has_query(**RANGE)
    reader.shows(**RANGE)
    expect(reader.field("from")).to_have_value(RANGE["from_"])
    the_keyboard_walks_the_days(reader)


def the_keyboard_walks_the_days(reader: Reader) -> None:
    menu = time_menu(reader)
    menu.locator("[data-day='2026-11-10']").press("ArrowDown")
    expect(menu.locator("[data-day='2026-11-17']")).to_be_focused()
    reader.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(reader.find("time-open")).to_be_focused()


def test_the_calendar_speaks_the_reader_s_language(open_as: Open) -> None:
    """One whose weeks begin on Sunday."""
    reader = open_as("user", "/settings/analytics/tools")
    reader.page.add_init_script("Object.defineProperty(navigator, 'language', {value: 'en-US'})")
    reader.page.reload()
    menu = time_menu(reader)
    expect(menu.locator(".weekday").first).to_have_text("S")
    expect(menu.locator(".month-name").first).to_have_text("October 2026")


def test_numbers_and_dates_are_written_as_the_reader_s_language_does(open_as: Open) -> None:
    """The server writes them in English, whose separators are the other way round in German."""
    reader = open_as("platform-admin", "/settings/profile", locale="de-DE")
    reader.go("/settings/analytics?preset=last_n_days&n=90")
    expect(reader.find("kpi-cost")).to_have_text(re.compile(r"^\$\d+\.\d{3},\d\d$"))
    first = reader.section("top-models").locator(".rank-row").first
    expect(first).to_contain_text(re.compile(r"\$(\d+\.)?\d{3},\d\d"))
    assert (
        reader.section("cost-by-channel")
        .locator(".js-plotly-plot")
        .evaluate("one => one._fullLayout.separators")
        == ",."
    )
    expect(reader.find("filter-summary")).to_contain_text("23. Aug. 2026 00:00 → now")
    shown = reader.drawing("cost-by-channel").locator(".xtick text")
    expect(shown.first).to_have_text("23. Aug.")


def test_dragging_over_a_chart_zooms_and_back_undoes_it(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    expect(reader.drawing("cost-by-channel")).to_be_visible()
    plot = reader.section("cost-by-channel").locator(".nsewdrag").first
    box: Any = plot.bounding_box()
    mouse, middle = reader.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * 2.5 / 7, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 4.4 / 7, middle, steps=4)
    expect(reader.section("cost-by-channel").locator(".zoom-band")).to_be_visible()
    mouse.up()
    expect(reader.find("filter-summary")).to_contain_text("16 Nov 2026 00:00 → 19 Nov 2026 00:00")
    reader.page.go_back()
    reader.has_query()
    reader.shows()


def test_a_phone_has_a_sheet(turn_as: Open) -> None:
    reader = turn_as("user", f"{SMALL}?model=gpt-6-astra", viewport=PHONE)
    opener = reader.find("filter-sheet-open")
    expect(opener).to_have_text("Filters1")
    expect(reader.find("filter-users-me")).to_be_hidden()
    opener.click()
    reader.find("filter-users-me").click()
    expect(opener).to_have_text("Filters2")
    reader.fits()
    reader.page.keyboard.press("Escape")
    expect(reader.find("filter-users-me")).to_be_hidden()
    menu = time_menu(reader)
    reader.fits()
    menu.get_by_test_id("time-yesterday").click()
    reader.has_query(preset="yesterday", model="gpt-6-astra", user="me")


def test_the_page_says_where_the_reader_is(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?preset=last_month")
    current = reader.page.locator("[aria-current='page']")
    expect(current).to_have_text(["Analytics", "Overview"])
    reader.tab("tools")
    expect(reader.page).to_have_title("Tools · Last month · Spendscope")
    expect(current).to_have_text(["Analytics", "Tools"])
    reader.find("nav-prices").get_by_role("link").click()
    expect(reader.page).to_have_title("Prices · Spendscope")
    expect(current).to_have_text(["Prices"])
    # Analytics stands apart from the settings.
    titles = reader.page.locator(".links").evaluate(
        "all => [...all.children].map(one => one.textContent)"
    )
    assert titles[:3] == ["Analytics", "Settings", "Profile"]


def test_the_link_of_the_view_is_copied(open_as: Open) -> None:
    """Where the browser refuses its clipboard, too."""
    reader = open_as("user", f"{SMALL}?n=14")
    reader.page.evaluate("""() => {
        navigator.clipboard.writeText = async () => { throw new Error("refused"); };
        document.execCommand = () => { window.copied = document.activeElement.value; };
    }""")
    reader.find("copy-view").click()
    expect(reader.find("copy-view")).to_have_accessible_name("Link copied")
    assert reader.page.evaluate("() => window.copied").endswith(f"{SMALL}?n=14")


@pytest.mark.parametrize(("address", "sentence", "left"), [
    ("?preset=last_n_days&n=many", "N must be a whole number, not 'many'", {}),
    ("?preset=fortnight&user=me", "preset is 'fortnight'; use one of", {"user": "me"}),
])  # fmt: skip
def test_a_bad_address_shows_the_rest_and_offers_a_reset(
    open_as: Open, address: str, sentence: str, left: dict[str, str]
) -> None:
    reader = open_as("user", f"{SMALL}{address}")
    expect(reader.problem()).to_have_text(re.compile(re.escape(sentence)))
    reader.has_query(**left)
    reader.shows(**left)
    reader.find("filter-reset").click()
    expect(reader.problem()).to_be_empty()
    expect(reader.find("filter-reset")).to_be_hidden()
    reader.has_query()


def test_what_is_chosen_is_left_out_by_its_chip(turn_as: Open) -> None:
    reader = turn_as("platform-admin", f"{SMALL}?user=ana.lopes&project=mobile")
    chip = reader.chip("user: Ana Lopes")
    flip = chip.locator("xpath=..").get_by_test_id("chip-flip")
    expect(flip).to_have_accessible_name("Leave out user: Ana Lopes")
    flip.click()
    reader.has_query(not_user="ana.lopes", project="mobile")
    reader.shows(not_user="ana.lopes", project="mobile")
    reader.chip("user: not Ana Lopes").locator("xpath=..").get_by_test_id("chip-flip").click()
    reader.has_query(user="ana.lopes", project="mobile")
    reader.shows(user="ana.lopes", project="mobile")
