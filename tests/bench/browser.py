"""What a reader's browser has to do: real Chromium before the sample, beside Plotly alone.

Times of the main thread are processor time (`threadTicks`), so that a busy machine says the same.
Another checkout is measured in the same run, its turn after ours:

    python -m tests.bench.browser --before ../before
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from components.sections.declared import TABS
from tests.bench.report import QUICK, Row, p50_p95, progress
from tests.bench.watched import ASKED, IN_SIGHT, Cost, Watched
from tests.browser import driver

EVENTS: Final = 20_000 if QUICK else 100_000
TURNS: Final = 2 if QUICK else 5
FILTERS: Final = 4 if QUICK else 20
MOVED: Final = 2 if QUICK else len(TABS)  # tabs that are looked at for what moves
CARD: Final = "top-models"
Found = dict[str, float]


@dataclass(frozen=True)
class Figure:
    """A line of the table: how a number is written, and what it should be at most."""

    label: str
    text: str
    aim: str = ""


FIGURES: Final = {
    "alone": Figure("`Plotly.newPlot` of the Overview's figures, main thread", "{:.2f} s"),
    "load_ratio": Figure("warm load, main thread ÷ that", "{:.1f} ×"),
    "load": Figure("warm load until settled", "{:.2f} s", "≤ 1.0 s"),
    "first": Figure("first card drawn", "{:.2f} s", "≤ 0.6 s"),
    "tab_ratio": Figure("tab switch, main thread ÷ `newPlot`", "{:.1f} ×", "≤ 2 ×"),
    "tab": Figure("tab switch until settled", "{:.2f} s"),
    "filter_ratio": Figure("filter change, main thread ÷ `newPlot`", "{:.1f} ×"),
    "filter": Figure("filter change until settled", "{:.2f} s", "≤ 0.4 s"),
    "filter_p95": Figure(f"the same, p95 of {FILTERS}", "{:.2f} s", "≤ 0.6 s"),
    "one_busy": Figure("one chart → table, the first, main thread", "{:.2f} s"),
    "one": Figure("the same, until it stands", "{:.2f} s"),
    "one_more": Figure("one chart ↔ table after that", "{:.2f} s", "≤ 0.1 s"),
    "all_busy": Figure("all charts → tables, the first time, main thread", "{:.2f} s"),
    "all": Figure("the same, until those in sight stand", "{:.2f} s", "≤ 0.4 s"),
    "all_more": Figure("all charts ↔ tables after that", "{:.2f} s", "≤ 0.4 s"),
    "all_asked": Figure("requests of all that", "{:.0f}", "0"),
    "shift": Figure("layout shift, the most of any tab, 1440 px", "{:.3f}", "< 0.02"),
    "shift_phone": Figure("the same, 390 px", "{:.3f}", "< 0.02"),
    "components": Figure("Dash components in a card", "{:.0f}", "≤ 3"),
    "callbacks": Figure("callbacks on load", "{:.0f}", "≤ 12"),
    "wire": Figure("over the wire, first visit", "{:.2f} MB", "≤ 0.6 MB"),
}  # fmt: skip


def measure() -> list[Row]:
    """A row a figure, of this checkout."""
    found = compare([driver.ROOT])[0]
    return [
        Row(f"browser: {one.label}", remarks=" · ".join(filter(None, (_text(key, found), one.aim))))
        for key, one in FIGURES.items()
    ]


def compare(checkouts: list[Path]) -> list[Found]:
    """The figures of each checkout, every one beside `Plotly.newPlot` in its own page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=driver.installed(), args=driver.FLAGS)
        found = [_of(browser, checkout) for checkout in checkouts]
        browser.close()
        return found


def _of(browser: Browser, checkout: Path) -> Found:
    sample = ["sample", "--events", str(EVENTS), "--until", driver.NOW]
    with tempfile.TemporaryDirectory() as folder:
        commands = sample, ["serve", "--with-sample"]
        with driver.serving(Path(folder), *commands, checkout=checkout) as site:
            progress(f"{checkout.name}: loading, switching and filtering in a browser")
            cookies = signed_in(browser, site)
            with reader_of(browser, cookies, driver.WIDE) as one:
                found = _arrived(one, site) | _loaded(one) | _switched(one) | _filtered(one)
            with reader_of(browser, cookies, driver.WIDE) as one:
                found |= _turned(one, site)
            for key, size in (("shift", driver.WIDE), ("shift_phone", driver.PHONE)):
                with reader_of(browser, cookies, size) as one:
                    found[key] = _moved(one, site)
    for key in ("load", "tab", "filter"):
        found[f"{key}_ratio"] = found[f"{key}_busy"] / found["alone"]
    return found


def signed_in(browser: Browser, site: str) -> list[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_test_id("persona-platform-admin").click()
    page.wait_for_url("**/settings/analytics")
    cookies = list(context.cookies())
    context.close()
    return cookies


@contextmanager
def reader_of(browser: Browser, cookies: list[Any], size: ViewportSize) -> Iterator[Watched]:
    """A reader whose browser has nothing of ours but the session."""
    context = browser.new_context(timezone_id=driver.ZONE, viewport=size)
    context.add_cookies(cookies)
    yield Watched(context)
    context.close()


def _arrived(one: Watched, site: str) -> Found:
    one.page.goto(f"{site}/settings/analytics")
    one.settle()
    return {"wire": one.received / 1e6, "components": one.components(CARD)}


def _loaded(one: Watched) -> Found:
    one.page.reload()  # once for what the browser makes of the code it has
    one.settle()
    before, firsts, loads = one.asked, list[float](), list[Cost]()
    for _ in range(TURNS):
        loads.append(one.costs(one.page.reload))
        firsts.append(one.first())
    callbacks = (one.asked - before) / TURNS
    alone = statistics.median(one.alone() for _ in range(TURNS))
    first = statistics.median(firsts)
    return _named("load", loads) | {"first": first, "callbacks": callbacks, "alone": alone}


def _switched(one: Watched) -> Found:
    taken = list[Cost]()
    for _ in range(TURNS):
        one.page.get_by_test_id("tab-tools").click()
        one.settle()
        taken.append(one.costs(one.page.get_by_test_id("tab-overview").click))
    return _named("tab", taken)


def _filtered(one: Watched) -> Found:
    """From when a question is asked: the field waits for more keys before."""
    taken = list[Cost]()
    for n in range(FILTERS):
        busy = one.busy()
        with one.page.expect_request(f"**/{ASKED}*"):
            one.page.get_by_test_id("filter-n").locator("input").fill(str(20 + n))
        start = time.perf_counter()
        one.settle()
        wall = time.perf_counter() - start
        one.page.wait_for_timeout(300)
        taken.append(Cost(wall, one.busy() - busy))
    return _named("filter", taken) | {"filter_p95": p50_p95([wall for wall, _ in taken])[1]}


def _turned(one: Watched, site: str) -> Found:
    """Charts into tables and back, one and all; what is far down is built later, and counted."""
    one.page.goto(f"{site}/settings/analytics")
    one.settle()
    card, before = one.page.get_by_test_id(f"section-{CARD}"), one.asked
    table, chart = (card.get_by_test_id(f"mode-{name}").click for name in ("table", "chart"))
    every = one.page.get_by_test_id("view-mode").click
    first, rest = one.costs(table, IN_SIGHT), _turns(one, chart, table)
    chart()
    all_first, all_rest = one.costs(every, IN_SIGHT), _turns(one, every, every)
    return {
        "one": first.wall, "one_busy": first.busy, "one_more": rest, "all": all_first.wall,
        "all_busy": all_first.busy, "all_more": all_rest, "all_asked": one.asked - before,
    }  # fmt: skip


def _turns(one: Watched, *clicks: Callable[[], object]) -> float:
    """Seconds until it stands, of one click among several."""
    works = [partial(one.costs, click, IN_SIGHT) for _ in range(TURNS) for click in clicks]
    return statistics.median(work().wall for work in works)


def _moved(one: Watched, site: str) -> float:
    """The most that moved on any tab: as it is loaded, as it is turned to, as a filter changes. A
    table takes the height of its rows: what turning to tables moves is meant, and not counted."""
    most = list[float]()
    one.page.goto(f"{site}/settings/analytics")
    one.settle()
    for tab in TABS[:MOVED]:
        one.page.get_by_test_id(f"tab-{tab.key}").click()
        one.costs(partial(_toggle_me, one))
        turned = one.shifted()
        one.page.goto(f"{site}/settings/analytics/{tab.key}")
        one.settle()
        loaded = one.shifted()
        one.costs(one.page.get_by_test_id("view-mode").click)
        one.page.reload()
        one.settle()
        most += [turned, loaded, one.shifted()]
        one.page.get_by_test_id("view-mode").click()
    return max(most)


def _toggle_me(one: Watched) -> None:
    """Another filter, which phones have in a sheet."""
    sheet = one.page.get_by_test_id("filter-sheet-open")
    if in_sheet := sheet.is_visible():
        sheet.click()
    one.page.get_by_test_id("filter-users-me").click()
    if in_sheet:
        one.page.keyboard.press("Escape")


def _named(key: str, taken: list[Cost]) -> Found:
    wall, busy = (statistics.median(column) for column in zip(*taken, strict=True))
    return {key: wall, f"{key}_busy": busy}


def _text(key: str, found: Found) -> str:
    return FIGURES[key].text.format(found[key])


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench.browser", description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    before = parser.parse_args().before
    found = compare([*([before.resolve()] if before else []), driver.ROOT])
    print(
        f"| browser | {'before | ' if before else ''}now | aim |\n|---|{'--:|' * (len(found) + 1)}"
    )
    for key, one in FIGURES.items():
        cells = [one.label, *(_text(key, each) for each in found), one.aim]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
