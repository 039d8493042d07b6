"""What a first load of each tab costs the main thread of a real Chromium: processor time, and by
how much its tasks took more than 50 ms of it, which is what Lighthouse calls blocking. A busy
machine moves neither by much.

    python -m tests.bench.loads --before ../before
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from components.sections.declared import TABS
from tests.bench.browser import EVENTS, reader_of, signed_in
from tests.bench.report import progress
from tests.bench.watched import Watched
from tests.browser import driver

LOADS: Final = 3
LONG: Final = 50_000  # microseconds
SCRIPT: Final = ("EvaluateScript", "FunctionCall")
TRACED: Final = {
    "traceConfig": {
        "includedCategories": ["devtools.timeline", "disabled-by-default-devtools.timeline"]
    },
    "transferMode": "ReportEvents",
}
Events = list[dict[str, Any]]


class Load(NamedTuple):
    """Milliseconds of the main thread, and of them beyond what nobody notices."""

    busy: float
    blocked: float


def _loaded(one: Watched, address: str) -> Load:
    events, ended = Events(), list[Any]()
    one.devtools.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    one.devtools.on("Tracing.tracingComplete", lambda told: ended.append(told))
    one.devtools.send("Tracing.start", TRACED)
    one.page.goto(address)
    one.settle()
    one.page.wait_for_timeout(600)
    one.devtools.send("Tracing.end")
    while not ended:
        one.page.wait_for_timeout(50)
    return _read(events)


def _read(events: Events) -> Load:
    """Of the thread that runs the page's scripts."""
    threads = Counter[tuple[int, int]]()
    for one in events:
        if one["name"] in SCRIPT:
            threads[one["pid"], one["tid"]] += one.get("tdur", 0)
    ((main, _),) = threads.most_common(1)
    tasks = [one.get("tdur", 0) for one in events
             if one["name"] == "RunTask" and (one["pid"], one["tid"]) == main]  # fmt: skip
    return Load(sum(tasks) / 1e3, sum(max(0, task - LONG) for task in tasks) / 1e3)


def _compare(browser: Browser, sites: list[str]) -> None:
    cookies = [signed_in(browser, site) for site in sites]
    for tab in TABS:
        loads: list[list[Load]] = [[] for _ in sites]
        for _ in range(LOADS):
            for site, kept, found in zip(sites, cookies, loads, strict=True):
                with reader_of(browser, kept, driver.WIDE) as one:
                    found.append(_loaded(one, f"{site}/settings/analytics/{tab.key}"))
        cells = [f"{statistics.median(column):,.0f} ms"
                 for found in loads for column in zip(*found, strict=True)]  # fmt: skip
        print(f"| {tab.title} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench.loads", description=__doc__)
    parser.add_argument("--before", type=Path, help="a checkout to compare with")
    before = parser.parse_args().before
    checkouts = [*([before.resolve()] if before else []), driver.ROOT]
    sample = ["sample", "--events", str(EVENTS), "--until", driver.NOW]
    with ExitStack() as stack, sync_playwright() as playwright:
        sites = []
        for checkout in checkouts:
            progress(f"{checkout.name}: the sample, and a server")
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            commands = sample, ["serve", "--with-sample"]
            sites.append(stack.enter_context(driver.serving(folder, *commands, checkout=checkout)))
        browser = playwright.chromium.launch(executable_path=driver.installed(), args=driver.FLAGS)
        heads = "".join(f" main thread{when} | blocked{when} |" for when in _whens(len(sites)))
        print(f"| tab |{heads}\n|---|{'--:|' * 2 * len(sites)}")
        _compare(browser, sites)
        browser.close()


def _whens(checkouts: int) -> list[str]:
    return [""] if checkouts == 1 else [", before", ", now"]


if __name__ == "__main__":
    main()
