"""Narrowing and the events behind a number, in a real browser."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.browser.driver import PHONE, WIDE, Open
from tests.reader import Reader

# Those of what is compared with come first, and are of no value.
BARS = ".bars path:not([style*='rgb(225, 229, 236)']), .rank-row"
LEADING = """async () => (await dash_ag_grid.getApiAsync('events-grid'))
    .getAllDisplayedColumns().slice(0, 4).map(one => one.getColId())"""
CUT = """() => [...document.querySelectorAll("[data-testid='events-table'] .ag-cell")]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"""
HEIGHTS = "bars => bars.map(bar => bar.getBoundingClientRect().height)"


def click_bar(reader: Reader, key: str, place: int) -> None:
    """Bars lie below the layer that takes the mouse: click where one is."""
    bar = reader.section(key).locator(BARS).nth(place)
    bar.scroll_into_view_if_needed()
    expect(bar).to_be_visible()
    box = bar.bounding_box()
    assert box
    reader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    reader.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_charts_narrow_to_a_bar_and_to_an_hour(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?preset=last_n_days&n=30")
    a_bar_narrows_to_itself_and_its_chip_undoes(reader)
    a_cell_of_the_week_narrows_to_its_hour(reader)


def test_charts_show_their_events(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?preset=last_n_days&n=30")
    a_point_of_a_chart_shows_its_events(reader)
    other_shows_its_events_and_narrows_to_what_is_left(reader)


def closed(reader: Reader) -> None:
    """The drawer is gone, and what lay over the page."""
    reader.page.keyboard.press("Escape")
    expect(reader.find("events-drawer")).to_be_hidden()
    expect(reader.page.locator(".modal-backdrop")).to_have_count(0)


def a_bar_narrows_to_itself_and_its_chip_undoes(reader: Reader) -> None:
    first = reader.api("sections/top-projects", preset="last_n_days", n=30)["rows"][0]
    for _ in range(2):
        click_bar(reader, "top-projects", 0)
        reader.has_query(preset="last_n_days", n="30", project=first["project"] or "(none)")
        reader.shows(preset="last_n_days", n=30, project=first["project"] or "(none)")
        reader.chip("project: ").click()
        reader.has_query(preset="last_n_days", n="30")
        reader.drawn()


def test_a_bucket_narrows_to_its_time_and_value(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?preset=last_n_days&n=3")
    reader.shows(preset="last_n_days", n=3)
    heights = reader.section("cost-by-channel").locator(BARS).evaluate_all(HEIGHTS)
    click_bar(reader, "cost-by-channel", heights.index(max(heights)))
    expect(reader.chip("channel: ")).to_be_visible()
    said = reader.query()
    assert said["preset"] == ["custom"]
    reader.shows(preset="custom", from_=said["from"][0], to=said["to"][0],
                 channel=said["channel"][0])  # fmt: skip
    reader.chip("Custom range").click()
    reader.has_query(preset="last_n_days", n="3", channel=said["channel"])


def test_a_table_narrows_is_searched_and_keeps_its_columns(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics/models")
    reader.find("view-mode").click()
    a_row_narrows_by_mouse_and_by_keyboard(reader)
    a_search_narrows_the_table(reader)
    columns_stay_where_they_were_dragged_and_hidden(reader)


def models(reader: Reader) -> list[str]:
    return [row["model"] for row in reader.grid("models")["rows"]]


def a_row_narrows_by_mouse_and_by_keyboard(reader: Reader) -> None:
    rows = reader.section("models").locator(".ag-center-cols-container .ag-row")
    every = models(reader)
    wanted = every[1]
    rows.nth(1).locator(".ag-cell").first.click()
    reader.has_query(model=wanted)
    reader.chip("model: ").click()
    reader.has_query()
    reader.drawn()
    cell = rows.nth(1).locator(".ag-cell").first
    cell.focus()
    cell.press("Enter")
    reader.has_query(model=wanted)
    reader.becomes(lambda: models(reader), [wanted])
    reader.chip("model: ").click()
    reader.becomes(lambda: models(reader), every)


def a_cell_of_the_week_narrows_to_its_hour(reader: Reader) -> None:
    told = reader.api("sections/utilisation", preset="last_n_days", n=30)["rows"]
    best = max(told, key=lambda row: row["requests"] or 0)
    field = reader.section("utilisation").locator(".nsewdrag").first
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box
    at = [(best["hour"] + 0.5) / 24, (best["weekday"] + 0.5) / 7]
    reader.page.mouse.click(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])
    said = {"preset": "last_n_days", "n": "30"}
    said |= {"weekday": str(best["weekday"]), "hour": str(best["hour"])}
    reader.has_query(**said)
    totals = reader.shows(**said)["totals"]
    assert totals["requests"] == best["requests"]
    expect(reader.chip(f"hour: {best['hour']:02}:00")).to_be_visible()
    reader.chips_go("hour: ", "weekday: ")
    reader.has_query(preset="last_n_days", n="30")


def test_a_number_of_a_table_shows_its_events(turn_as: Open) -> None:
    """By mouse and by keyboard; the total's are the section's."""
    month = {"preset": "last_n_days", "n": "30"}
    reader = turn_as("project-admin", "/settings/analytics/workflows?preset=last_n_days&n=30")
    reader.find("view-mode").click()
    row = next(one for one in reader.grid("workflows")["rows"] if one["runs_succeeded"])
    cells = reader.section("workflows").locator("[col-id='runs_succeeded']")
    cell = cells.filter(has_text=re.compile(f"^{row['runs_succeeded_text']}$")).first
    cell.hover()
    reader.find("cell-events").click()
    expect(reader.find("events-runs_succeeded")).to_have_attribute(
        "data-value", str(row["runs_succeeded"])
    )
    expect(reader.find("events-drawer")).to_contain_text("workflow: ")
    reader.page.keyboard.press("Escape")
    expect(reader.find("events-drawer")).to_be_hidden()
    reader.has_query(**month)
    total = reader.section("workflows").locator(".ag-floating-bottom [col-id='runs']").first
    total.focus()
    total.press("Shift+Enter")
    wanted = reader.api("sections/workflows", **month)["totals"]["runs"]
    expect(reader.find("events-runs")).to_have_attribute("data-value", str(wanted))


def a_point_of_a_chart_shows_its_events(reader: Reader) -> None:
    first = reader.api("sections/top-projects", preset="last_n_days", n=30)["rows"][0]
    reader.page.keyboard.down("Shift")
    click_bar(reader, "top-projects", 0)
    reader.page.keyboard.up("Shift")
    expect(reader.find("events-cost")).to_have_attribute("data-value", repr(first["cost"]))
    reader.has_query(preset="last_n_days", n="30")
    closed(reader)


def other_shows_its_events_and_narrows_to_what_is_left(reader: Reader) -> None:
    month = {"preset": "last_n_days", "n": "30"}
    users = reader.api("sections/top-users", **month)["rows"]
    shown = [row["user"] or "(none)" for row in users[:6]]
    rest = reader.api("events", metric="cost", limit=1, not_user=shown, **month)["totals"]
    reader.page.keyboard.down("Shift")
    click_bar(reader, "top-users", 6)
    reader.page.keyboard.up("Shift")
    for name, value in rest.items():
        expect(reader.find(f"events-{name}")).to_have_attribute("data-value", repr(value))
    assert rest["cost"] == pytest.approx(sum(row["cost"] or 0 for row in users[6:]))
    expect(reader.find("events-drawer")).to_contain_text("3 more")
    with reader.page.expect_download() as found:
        reader.find("events-csv").click()
    listed = list(csv.DictReader(io.StringIO(found.value.path().read_text())))
    assert len(listed) == rest["events"]
    assert not {row["user"] or "(none)" for row in listed} & {*shown}
    closed(reader)
    click_bar(reader, "top-users", 6)
    reader.has_query(not_user=shown, **month)
    reader.shows(not_user=shown, **month)
    reader.chip("user: not ").click()
    reader.has_query(**month)


def columns_stay_where_they_were_dragged_and_hidden(reader: Reader) -> None:
    """Through a filter, a move to another tab, and when the page is opened again."""
    card = reader.section("models")
    card.get_by_text("Columns", exact=True).click()
    card.get_by_label("Requests", exact=True).click()
    card.get_by_text("Columns", exact=True).click()
    header = "[col-id='{}'] .ag-header-cell-label"
    card.locator(header.format("tokens")).first.drag_to(card.locator(header.format("cost")).first)
    wanted = ["model", "tokens", "cost"]
    reader.becomes(lambda: reader.columns("models")[:3], wanted)
    assert "requests" not in reader.columns("models")
    reader.preset("last_month")
    reader.has_query(preset="last_month")
    reader.drawn()
    reader.becomes(lambda: reader.columns("models")[:3], wanted)
    reader.tab("workflows")
    reader.tab("models")
    reader.becomes(lambda: reader.columns("models")[:3], wanted)
    reader.page.reload()
    reader.drawn()
    reader.becomes(lambda: reader.columns("models")[:3], wanted)
    reader.becomes(lambda: "requests" in reader.columns("models"), False)


def a_search_narrows_the_table(reader: Reader) -> None:
    every, search = models(reader), reader.section("models").get_by_placeholder("Search table")
    search.fill(every[2])
    reader.becomes(lambda: models(reader), [every[2]])
    search.fill("")
    reader.becomes(lambda: models(reader), every)


def test_the_drawer_filters_and_counts(turn_as: Open) -> None:
    reader = turn_as("platform-admin")
    reader.find("filter-more").click()
    reader.pick("channel", "cl", "CLI")
    reader.has_query(channel="cli")
    expect(reader.find("filter-more")).to_have_text("More filters1")
    reader.shows(channel="cli")
    operator = reader.find("filter-channel").get_by_label("Channel: operator")
    operator.select_option("is not")
    reader.has_query(not_channel="cli")
    operator.select_option("contains")
    reader.find("filter-channel").get_by_label("Channel contains").fill("LATF")
    reader.has_query(contains_channel="LATF")
    expect(reader.chip("channel contains LATF")).to_be_visible()
    expect(reader.find("filter-more")).to_have_text("More filters1")
    reader.shows(contains_channel="LATF")
    reader.find("filter-clear").click()
    reader.has_query()
    expect(operator).to_have_value("is")
    expect(reader.find("filter-more")).to_have_text("More filters")


def test_a_choice_that_others_empty_stays_and_says_so(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/analytics?model=gpt-6-sol&provider=nobody")
    chip = reader.chip("model: gpt-6-sol")
    expect(chip).to_have_class("chip muted")
    expect(chip).to_have_attribute("title", re.compile("no activity under the present filters"))
    reader.chip("provider: nobody").click()
    reader.has_query(model="gpt-6-sol")
    expect(chip).to_have_class("chip")


@pytest.mark.parametrize(("role", "viewport", "first"), [
    ("platform-admin", WIDE, ["ts", "requests"]), ("user", PHONE, ["user", "requests"]),
])  # fmt: skip
def test_the_events_add_up_to_the_headline(
    turn_as: Open, role: str, viewport: ViewportSize, first: list[str]
) -> None:
    """On a phone name and number come first; no cell is cut."""
    reader = turn_as(role, viewport=viewport)
    wanted = reader.shows()["totals"]
    reader.find("kpi-requests").click()
    expect(reader.find("events-requests")).to_have_attribute("data-value", str(wanted["requests"]))
    expect(reader.find("events-events")).to_have_attribute("data-value", str(wanted["requests"]))
    expect(reader.find("events-cost")).to_have_attribute("data-value", repr(wanted["cost"]))
    expect(reader.find("events-table").locator(".ag-center-cols-container .ag-row").first
           ).to_be_visible()  # fmt: skip
    assert reader.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    reader.becomes(lambda: reader.page.evaluate(LEADING)[:2], first)
    reader.becomes(lambda: reader.page.evaluate(CUT), [])


def test_the_events_sort_and_download(turn_as: Open) -> None:
    reader = turn_as("project-admin", "/settings/analytics/models")
    reader.menu("models", "show-events").click()
    table = reader.find("events-table")
    told = reader.api("events", section="models", metric="cost", order="cost", limit=1)
    table.locator(".ag-header-cell[col-id='cost']").click()
    least = told["rows"][0]["event_id"]
    grid = "() => dash_ag_grid.getApi('events-grid').getDisplayedRowAtIndex(0)?.data?.event_id"
    reader.becomes(lambda: reader.page.evaluate(grid), least)
    href = reader.find("events-csv").get_attribute("href")
    text = reader.page.context.request.get(f"{reader.site}{href}").text()
    assert len(list(csv.DictReader(io.StringIO(text)))) == told["row_count"]
    closed(reader)
    reader.choice("errors-by-class", "Break down").select_option("provider")
    reader.answered("errors-by-class", by="provider")
    reader.menu("errors-by-class", "show-events").click()
    wanted = ["ts", "provider", "error_class", "requests"]
    reader.becomes(lambda: reader.page.evaluate(LEADING), wanted)


def test_preferences_are_saved_at_once_and_follow_the_reader(open_as: Open, turn_as: Open) -> None:
    reader = turn_as("project-admin", "/settings/profile")
    reader.find("pref-preset").locator("select").select_option("last_n_hours")
    reader.find("pref-n").locator("input").fill("48")
    reader.find("pref-theme").locator("select").select_option("dark")
    reader.find("pref-mode").locator("select").select_option("table")
    expect(reader.find("pref-saved")).to_have_text("Saved")
    kept = {"preset": "last_n_hours", "n": 48, "zone": None, "theme": "dark", "mode": "table"}
    read = reader.page.context.request.get
    reader.becomes(lambda: read(f"{reader.site}/api/v1/preferences").json(), kept)
    other = open_as("project-admin")
    other.has_query(preset="last_n_hours", n="48")
    expect(other.page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(other.find("view-mode")).to_have_attribute("aria-checked", "true")
    other.find("filter-clear").click()
    other.has_query(preset="last_n_days", n="7")
    other.page.reload()
    other.has_query(preset="last_n_days", n="7")
    reader.find("pref-preset").locator("select").select_option("none")
    reader.find("pref-theme").locator("select").select_option("none")
    reader.find("pref-mode").locator("select").select_option("none")
    none = dict.fromkeys(kept)
    reader.becomes(lambda: read(f"{reader.site}/api/v1/preferences").json(), none)
