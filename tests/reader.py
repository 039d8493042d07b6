"""What a reader does on the page and what they see there, in the words of the tests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, ViewportSize, expect

SECONDS: Final = 60  # as the driver: more than a busy machine needs
KPIS: Final = (
    "cost", "requests", "tokens", "input_tokens", "cached_input_tokens", "output_tokens",
    "active_users", "active_projects", "error_rate", "priced_share",
)  # fmt: skip
WIDER: Final = "() => document.documentElement.scrollWidth - window.innerWidth"
FRAME: Final = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
# Looking once a frame, in the page: what is read when it is as wanted, or when it never was.
BECOMES: Final = """async ([wanted, seconds]) => {
    const read = %s, end = performance.now() + 1000 * seconds;
    const same = (a, b) => Object.keys(a).length === Object.keys(b).length
        && Object.entries(a).every(([key, value]) => b[key] === value);
    while (!same(read(wanted), wanted) && performance.now() < end)
        await new Promise(done => setTimeout(done, 40));
    return read(wanted);
}"""
NUMBERS: Final = """(wanted) => Object.fromEntries(Object.keys(wanted).map((name) =>
    [name, document.querySelector(`[data-testid='${name}']`)?.dataset.value]))"""
LOADING: Final = """() => [...document.querySelectorAll("[data-state='loading']")]
    .map((one) => one.dataset.testid)"""
ELSEWHERE: Final = "/settings/nowhere"
TURN: Final = """(path) => {
    localStorage.clear();
    sessionStorage.clear();
    dash_clientside.set_props('modes', {data: {all: 'chart', own: {}}});
    history.pushState({}, '', path);
    dispatchEvent(new CustomEvent('_dashprivate_pushstate'));
    scrollTo(0, 0);
}"""
# What is only read on hover, or compared with, stands for no value to narrow to. The charts of
# budgets have neither, and so no `meta`.
TRACES: Final = """(card, read) => (card.querySelector('.js-plotly-plot, .ranking').data || [])
    .filter(({meta}) => read === 'now' ? !meta || meta.values.length : meta?.earlier)
    .map(one => ({name: one.name, x: [...one.x], y: [...one.y]}))"""
# A table is there from when it is first looked at.
COLUMNS: Final = """async (key) => (await dash_ag_grid.getApiAsync({part: 'table', section: key}))
    .getAllDisplayedColumns().map(one => one.getColId())"""
GRID: Final = """async (key) => {
    const api = await dash_ag_grid.getApiAsync({part: 'table', section: key});
    const rows = [];
    api.forEachNodeAfterFilterAndSort(node => rows.push(node.data));
    return {rows, total: (api.getPinnedBottomRow(0) || {}).data, page: api.paginationGetCurrentPage()};
}"""  # noqa: E501


class Reader:
    """A page of one reader; `complaints` is everything that a clean page would not say."""

    def __init__(self, page: Page, site: str, zone: str) -> None:
        self.page, self.site, self.zone = page, site, zone
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self._waiting: set[Request] = set()
        page.on("request", self._asked)
        for end in ("requestfinished", "requestfailed"):
            page.on(end, lambda request: self._waiting.discard(request))

    def _heard(self, message: ConsoleMessage) -> None:
        if "preloaded using link preload but not used within" in message.text:
            return  # of how busy the machine is, not of the page
        if message.type in ("error", "warning", "assert", "trace") or "WARN" in message.text:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        self._waiting.add(request)
        if not request.url.startswith((f"{self.site}/", "data:", "blob:")):
            self.complaints.append(f"left for {request.url}")

    def go(self, path: str) -> None:
        """Open an address of the site and wait until the page is drawn."""
        self.page.goto(self.site + path)
        if urlsplit(self.page.url).path.startswith("/settings/analytics"):
            self.drawn()

    def turn(self, path: str, viewport: ViewportSize | None = None) -> None:
        """Move to an address within the page that is open, as links do; what readers before have
        left in the browser is gone."""
        expect(self.page.locator("#main")).to_be_attached()
        self.page.keyboard.press("Escape")
        if viewport and viewport != self.page.viewport_size:
            self.page.set_viewport_size(viewport)
        if urlsplit(self.page.url).path == urlsplit(path).path:
            self._move(ELSEWHERE)
        self._move(path)
        if path.startswith("/settings/analytics"):
            self.drawn()

    def _move(self, path: str) -> None:
        self.page.evaluate(TURN, path)
        quiet = 0
        while quiet < 3:
            self.page.evaluate(FRAME)
            quiet = 0 if self._waiting else quiet + 1

    def drawn(self) -> None:
        """Wait until every section has an answer."""
        expect(self.page.locator("[data-testid^='section-']").first).to_be_visible()
        assert self.page.evaluate(BECOMES % LOADING, [[], SECONDS]) == []

    def tab(self, key: str) -> None:
        self.find(f"tab-{key}").click()
        self.page.wait_for_url(re.compile(rf"/settings/analytics/{key}(\?|$)"))
        # The budgets are no list of sections, but one that is called as its tab.
        body = self.page.locator(f".tab-{key}, [data-testid='section-{key}']")
        expect(body.first).to_be_visible()
        self.drawn()

    def find(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def section(self, key: str) -> Locator:
        return self.find(f"section-{key}")

    def preset(self, key: str) -> None:
        self.find("filter-preset").locator("select").select_option(key)

    def field(self, name: str) -> Locator:
        """The input of `filter-n`, `filter-from` or `filter-to`."""
        return self.find(f"filter-{name}").locator("input")

    def pick(self, field: str, typed: str, label: str) -> None:
        """Type into a picker, take the option, close it."""
        box = self.find(f"filter-{field}")
        box.locator("button.dash-dropdown").click()
        box.locator("input[type=search]").fill(typed)
        box.get_by_role("option", name=label, exact=True).click()
        expect(self.chip(f"{field.removesuffix('s')}: {label}")).to_be_visible()
        self.page.keyboard.press("Escape")

    def chip(self, label: str) -> Locator:
        return self.find("chip").filter(has_text=label)

    def chips_go(self, *labels: str) -> None:
        """Click chips at once, before the page answers to the first."""
        chips = [self.chip(label).element_handle() for label in labels]
        self.page.evaluate("chips => chips.forEach(chip => chip.click())", chips)

    def menu(self, key: str, item: str) -> Locator:
        """An item of a section's menu, which is opened for it."""
        self.section(key).get_by_test_id("more").click()
        return self.section(key).get_by_test_id(item)

    def choice(self, key: str, name: str) -> Locator:
        """A section's `Measure` or `Break down` select."""
        return self.section(key).locator(f"select[name^='{name}']")

    def fits(self) -> None:
        """Nothing is wider than the window, once charts are as wide as that."""
        self.becomes(lambda: self.page.evaluate(WIDER) <= 0, True)

    def problem(self) -> Locator:
        return (
            self.find("filter-summary")
            .locator("xpath=..")
            .get_by_role("alert", include_hidden=True)
        )

    def query(self) -> dict[str, list[str]]:
        """What the address says was chosen."""
        return parse_qs(urlsplit(self.page.url).query)

    def has_query(self, **parameters: Any) -> None:
        """Wait until the address says exactly this; what is chosen on cards, where it is named."""
        query = {
            name.rstrip("_"): v if isinstance(v, list) else [v] for name, v in parameters.items()
        }
        seen = {"view", "mode"} - set(query)
        self.becomes(lambda: {k: v for k, v in self.query().items() if k not in seen}, query)

    def api(self, path: str, **parameters: Any) -> Any:
        """The API's answer in the same session, read in the browser's zone."""
        query = {"tz": self.zone} | {name.rstrip("_"): value for name, value in parameters.items()}
        url = f"{self.site}/api/v1/{path}?{urlencode(query, doseq=True)}"
        answer = self.page.context.request.get(url)
        assert answer.status == 200, answer.text()
        return answer.json()

    def api_options(self, field: str) -> list[dict[str, str]]:
        """Everything that this reader may filter a field by, the most active first."""
        answer = self.page.context.request.get(f"{self.site}/api/v1/options/{field}?limit=500")
        found: list[dict[str, str]] = answer.json()
        return found

    def shows(self, **parameters: Any) -> Any:
        """Wait until the headline numbers are the API's for these filters, exactly; on a tab that
        has none, until its last section answers them."""
        answer = self.api("query", metrics=",".join(KPIS), **parameters)
        if not urlsplit(self.page.url).path.endswith("/analytics"):
            last = self.find("export-csv").last
            self._answers(last, {"preset": "last_n_days", "n": 7} | parameters)
            return answer
        wanted = {f"kpi-{k}": "" if v is None else repr(v) for k, v in answer["totals"].items()}
        assert self.page.evaluate(BECOMES % NUMBERS, [wanted, SECONDS]) == wanted
        return answer

    def answered(self, key: str, **parameters: Any) -> None:
        """Wait until a section shows the answer to this question: its export asks the same, of a
        window that stands still."""
        self._answers(self.section(key).get_by_test_id("export-csv"), parameters)

    def _answers(self, export: Locator, parameters: dict[str, Any]) -> None:
        query = {name.rstrip("_"): value for name, value in parameters.items()}
        if "preset" in query:
            window = self.api("query", metrics="cost", **parameters)["meta"]
            query = {k: v for k, v in query.items() if k not in ("preset", "n")}
            query |= {"from": window["from"], "to": window["to"]}
        for name, value in query.items():
            said_so = re.escape(urlencode({name: value}, doseq=True))
            expect(export).to_have_attribute("href", re.compile(rf"[?&]{said_so}(&|$)"))

    def columns(self, key: str) -> list[str]:
        """The columns of a section's table that are shown, from left to right."""
        self._built(key)
        found: list[str] = self.page.evaluate(COLUMNS, key)
        return found

    def drawing(self, key: str) -> Locator:
        """What a section draws: a chart, or the rows of a ranking."""
        return self.section(key).locator(".js-plotly-plot .main-svg, .rank-row").first

    def traces(self, key: str) -> list[dict[str, Any]]:
        """The numbers that a section's chart draws."""
        return self._traces(key, "now")

    def earlier_traces(self, key: str) -> list[dict[str, Any]]:
        """The numbers that it compares them with."""
        return self._traces(key, "earlier")

    def _traces(self, key: str, read: str) -> list[dict[str, Any]]:
        expect(self.drawing(key)).to_be_attached()
        found: list[dict[str, Any]] = self.section(key).evaluate(TRACES, read)
        return found

    def grid(self, key: str) -> dict[str, Any]:
        """A section's table: `rows` as sorted, the `total` row, the `page`."""
        self._built(key)
        found: dict[str, Any] = self.page.evaluate(GRID, key)
        return found

    def _built(self, key: str) -> None:
        """Wait until a section's table is there: far down the page it comes a little later."""
        expect(self.section(key).locator(".ag-root")).to_be_attached()

    def becomes(self, read: Callable[[], Any], expected: Any) -> None:
        """Wait until reading gives what is wanted, looking once a frame."""
        end = time.monotonic() + SECONDS
        while (found := read()) != expected and time.monotonic() < end:
            self.page.evaluate(FRAME)
        assert found == expected
