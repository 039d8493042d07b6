"""A page in a real Chromium, and what it costs: processor time of its main thread, time until
settled, what came over the wire, what moved."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from playwright.sync_api import BrowserContext, CDPSession, Page, Request

QUIET: Final = 3  # frames in a row in which nothing is left to do
ASKED: Final = "_dash-update-component"
FRAME: Final = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
DRAWN: Final = """() => {
    const cards = [...document.querySelectorAll('.sections > *')];
    return cards.length > 0 && !document.querySelector("[data-state='loading']")
        && cards.every(one => !one.querySelector("[data-testid='chart']")
            || one.querySelector('.main-svg, .rank-row, .ag-row') || one.dataset.state === 'empty');
}"""
# Set when the first numbers or the first chart stand there.
FIRST: Final = """() => {
    const there = "[data-testid^='kpi-']:not([data-value='']), .as-chart .main-svg, .rank-row";
    const look = () => {
        if (document.querySelector(there)) performance.mark('first card');
        else requestAnimationFrame(look);
    };
    look();
}"""
# All that moves, what the reader caused too.
SHIFTS: Final = """() => {
    window.shifted = 0;
    const count = list => list.getEntries().forEach(one => { window.shifted += one.value; });
    new PerformanceObserver(count).observe({type: 'layout-shift', buffered: true});
}"""
# The figures of the page, drawn by Plotly into places of the same size; of lists, too.
ALONE: Final = """async () => {
    const graphs = [...document.querySelectorAll('.js-plotly-plot, .ranking')];
    const drawn = graphs.map(one => [one.clientWidth, one.clientHeight,
        structuredClone(one.data), structuredClone(one.layout)]);
    const held = document.body.appendChild(document.createElement('div'));
    for (const [width, height, data, layout] of drawn) {
        const place = held.appendChild(document.createElement('div'));
        Object.assign(place.style, {width: `${width}px`, height: `${height}px`});
        await Plotly.newPlot(place, data, {...layout, autosize: true}, {responsive: true});
    }
    held.remove();
}"""
IN_SIGHT: Final = """() => [...document.querySelectorAll("[data-testid='table']")].every(one => {
    const {height, top} = one.getBoundingClientRect();
    return !height || top > innerHeight || one.querySelector('.ag-row');
})"""
# Dash's components from a card downwards.
COMPONENTS: Final = """(key) => {
    const under = node => [node].flat(Infinity).filter(one => one && one.namespace);
    const all = node => under(node).flatMap(one => [one, ...all(one.props.children)]);
    const named = ({props}) => (props.id && props.id.card === key)
        || props['data-testid'] === `section-${key}`;
    return all(all(dash_component_api.getLayout(['components'])).find(named)).length;
}"""


class Cost(NamedTuple):
    """Seconds until settled, and of the main thread."""

    wall: float
    busy: float


class Watched:
    """A page, what its main thread did, and what it is waiting for."""

    def __init__(self, context: BrowserContext) -> None:
        self.page: Page = context.new_page()
        self.page.add_init_script(f"({FIRST})(); ({SHIFTS})();")
        self.asked, self.received = 0, 0
        self._waiting: set[Request] = set()
        self.page.on("request", self._ask)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda request: self._waiting.discard(request))
        self.devtools: CDPSession = context.new_cdp_session(self.page)
        self.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.devtools.send("Network.enable")
        self.devtools.on("Network.loadingFinished", self._receive)

    def _ask(self, request: Request) -> None:
        self._waiting.add(request)
        self.asked += ASKED in request.url

    def _receive(self, event: dict[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])

    def busy(self) -> float:
        """Seconds of the main thread so far."""
        metrics: list[dict[str, Any]] = self.devtools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    def settle(self, done: str = DRAWN) -> None:
        """Wait until everything is drawn and nothing more is asked for."""
        quiet = 0
        while quiet < QUIET:
            self.page.evaluate(FRAME)
            settled = not self._waiting and self.page.evaluate(done)
            quiet = quiet + 1 if settled else 0

    def costs(self, work: Callable[[], object], done: str = DRAWN) -> Cost:
        """What a piece of work costs, with what the page does within 0.3 s of being settled."""
        busy, start = self.busy(), time.perf_counter()
        work()
        self.settle(done)
        wall = time.perf_counter() - start
        self.page.wait_for_timeout(300)
        after = self.busy()
        # A page that is loaded anew counts from nothing.
        return Cost(wall, after - busy if after > busy else after)

    def alone(self) -> float:
        """Seconds of the main thread for the page's figures by `Plotly.newPlot`."""
        return self.costs(lambda: self.page.evaluate(ALONE)).busy

    def first(self) -> float:
        """Seconds from the start of loading until the first card stood there."""
        marks = "() => performance.getEntriesByName('first card')[0].startTime"
        return float(self.page.evaluate(marks)) / 1_000

    def shifted(self) -> float:
        """How much has moved since it was asked last."""
        return float(self.page.evaluate("() => [window.shifted, window.shifted = 0][0]"))

    def components(self, key: str) -> int:
        """How many of Dash's components a section's card is."""
        return int(self.page.evaluate(COMPONENTS, key))
