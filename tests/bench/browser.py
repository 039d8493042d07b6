"""What a reader's browser has to do: real Chromium before the sample, beside Plotly alone.

Times of the main thread are processor time (`threadTicks`), so that a busy machine says the same.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, Request, sync_playwright

from tests.bench.report import Row, ms, progress
from tests.browser import driver

TURNS: Final = 5
FRAME: Final = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
DRAWN: Final = """() => {
    const cards = [...document.querySelectorAll('.sections > *')];
    return cards.length > 0 && !document.querySelector("[data-state='loading'], .as-chart:empty")
        && cards.every(one => !one.querySelector('.as-chart') || one.querySelector('.main-svg'));
}"""
# The figures of the page, drawn by Plotly into places of the same size.
ALONE: Final = """async () => {
    const graphs = [...document.querySelectorAll('.js-plotly-plot')];
    const told = graphs.map(one => [one.clientWidth, one.clientHeight,
        structuredClone(one.data), structuredClone(one.layout)]);
    const held = document.body.appendChild(document.createElement('div'));
    for (const [width, height, data, layout] of told) {
        const place = held.appendChild(document.createElement('div'));
        Object.assign(place.style, {width: `${width}px`, height: `${height}px`});
        await Plotly.newPlot(place, data, {...layout, autosize: true}, {responsive: true});
    }
    held.remove();
}"""
SHIFT: Final = """() => {
    window.shifted = 0;
    new PerformanceObserver(list => list.getEntries().forEach(one => {
        if (!one.hadRecentInput) window.shifted += one.value;
    })).observe({type: 'layout-shift', buffered: true});
}"""


class Watched:
    """A page, what its main thread did, and what it is waiting for."""

    def __init__(self, page: Page) -> None:
        self.page, self.asked = page, 0
        self._waiting: set[Request] = set()
        page.on("request", self._ask)
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self._waiting.discard(request))
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _ask(self, request: Request) -> None:
        self._waiting.add(request)
        self.asked += "_dash-update-component" in request.url

    def busy(self) -> float:
        """Seconds of the main thread so far."""
        told: list[dict[str, Any]] = self._devtools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in told if one["name"] == "TaskDuration"))

    def settle(self) -> None:
        """Wait until everything is drawn and nothing more is asked for."""
        quiet = 0
        while quiet < 3:
            self.page.evaluate(FRAME)
            drawn = not self._waiting and self.page.evaluate(DRAWN)
            quiet = quiet + 1 if drawn else 0

    def costs(self, work: Callable[[], object]) -> tuple[float, float]:
        """Seconds until settled, and of the main thread."""
        start, busy = time.perf_counter(), self.busy()
        work()
        self.settle()
        wall = time.perf_counter() - start
        self.page.wait_for_timeout(300)
        after = self.busy()
        # A page that is loaded anew counts from nothing.
        return wall, after - busy if after > busy else after


def measure() -> list[Row]:
    """A row a thing that readers do."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sample = ["sample", "--events", "100000", "--until", driver.NOW]
        with driver.serving(Path(folder), sample, ["serve", "--with-sample"]) as site:
            browser = playwright.chromium.launch(
                executable_path=driver.installed(), args=driver.FLAGS
            )
            context = browser.new_context(
                timezone_id=driver.ZONE, viewport={"width": 1440, "height": 900}
            )
            rows = _rows(Watched(context.new_page()), site)
            browser.close()
            return rows


def _rows(one: Watched, site: str) -> list[Row]:
    page = one.page
    page.goto(f"{site}/sign-in")
    page.get_by_test_id("persona-platform-admin").click()
    page.wait_for_url("**/settings/analytics")
    one.settle()
    progress("loading, switching and filtering in a browser")
    before = one.asked
    loads = [one.costs(page.reload) for _ in range(TURNS)]
    asked = (one.asked - before) // TURNS
    page.evaluate(SHIFT)
    alone = statistics.median(one.costs(lambda: page.evaluate(ALONE))[1] for _ in range(TURNS))
    field = page.get_by_test_id("filter-n").locator("input")
    filters = [one.costs(partial(field.fill, str(20 + n))) for n in range(TURNS)]
    tabs = [_switched(one) for _ in range(TURNS)]
    modes = [one.costs(page.get_by_test_id("view-mode").click) for _ in range(2)]
    shift = page.evaluate("() => window.shifted")
    return [
        _row("load, warm", loads, alone, f"{asked} callbacks"),
        _row("filter changed", filters, alone),
        _row("tab switched to Overview", tabs, alone, f"layout shift {shift:.3f}"),
        _row("all tables, the first time", modes[:1], alone),
    ]


def _switched(one: Watched) -> tuple[float, float]:
    one.page.get_by_test_id("tab-tools").click()
    one.settle()
    return one.costs(one.page.get_by_test_id("tab-overview").click)


def _row(what: str, taken: list[tuple[float, float]], alone: float, more: str = "") -> Row:
    wall, busy = (statistics.median(column) for column in zip(*taken, strict=True))
    remarks = f"settled in {ms(wall)}; beside Plotly.newPlot of the figures; {more}"
    return Row(f"browser, main thread: {what}", busy, alone, remarks.removesuffix("; "))


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row.cells()))
