"""A real browser before a real server: one of each for the whole test run. A reader is fresh, or
has a page that stays open from test to test: to load one costs four times what turning it does.

Every reader keeps what the page complains of (console, errors, requests to elsewhere), and the
test fails at its end if there was anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from data.engines.protocol import open_events
from data.sample.budgets import examples
from data.sample.organisation import sample
from data.settings import Settings
from data.state.store import State
from tests.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ViewportSize

    from tests.reader import Reader

ROOT: Final = Path(__file__).resolve().parents[2]
NOW: Final = "2026-11-20T15:30:00+00:00"
ZONE: Final = "Europe/Berlin"
EVENTS: Final = 20_000
SECONDS: Final = 60  # more than a busy machine needs; nothing is waited for that is there
WIDE: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
# A tab of two cards where the overview has eight, so that little is drawn for each choice.
SMALL: Final = "/settings/analytics/assistants"
ROLES: Final = ("platform-admin", "project-admin", "user")
# The same names as in the Makefile.
BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS: Final = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
# In every window Chromium draws two pages of its own for what its address bar would suggest: a
# third of what a small page costs. The first three turn that off; the others are Playwright's,
# whose list this one replaces.
OFF: Final = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades",
    "LensOverlay", "MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints",
    "PaintHolding", "PreconnectToSearch", "ThirdPartyStoragePartitioning",
)  # fmt: skip
# Pages of tests live too short to gain from code made faster while it runs: a fifth of their time.
UNOPTIMISED: Final = "--js-flags=--no-turbofan"
Open = Callable[..., "Reader"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the sample organisation, its clock standing still."""
    folder = tmp_path_factory.mktemp("site")
    settings = Settings.read({"SPENDSCOPE_DATA_DIR": str(folder / "var"), "SPENDSCOPE_NOW": NOW})
    store, state = open_events(settings.events_url), State(settings.state_url)
    store.write(list(sample(EVENTS, until=settings.now())))
    examples(state, store, settings.now())
    store.close()
    state.close()
    with serving(folder, ["serve"]) as address:
        yield address


@contextmanager
def serving(
    folder: Path, *commands: list[str], checkout: Path = ROOT, **more: str
) -> Iterator[str]:
    """The address of a server under a folder; of the commands the last one serves."""
    port = str(free_port())
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SPENDSCOPE_")}
    settings = {"DATA_DIR": str(folder / "var"), "NOW": NOW, "PORT": port} | more
    environ = inherited | {f"SPENDSCOPE_{name}": value for name, value in settings.items()}
    python = sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")
    command, log = [python, str(checkout / "app.py")], folder / "server.log"
    with log.open("w") as output:
        for one in commands[:-1]:
            subprocess.run([*command, *one], env=environ, check=True, stdout=output, stderr=output)
        server = subprocess.Popen(
            [*command, *commands[-1]], env=environ, stdout=output, stderr=output
        )
    try:
        _answers(f"http://127.0.0.1:{port}/healthz", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(SECONDS)


def _answers(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server is well."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(url, timeout=SECONDS):
                return
        except URLError:
            # Refused at once, as nobody listens yet: let the server have the processor.
            time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text()}")


def installed() -> str:
    """The path of the installed browser."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(f"the browser tests need one of {', '.join(BROWSERS)} on the PATH")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The installed browser."""
    from playwright.sync_api import expect, sync_playwright

    path = installed()
    expect.set_options(timeout=SECONDS * 1_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, UNOPTIMISED, f"--disable-features={','.join(OFF)}"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies(chromium: Browser, site: str) -> dict[str, Any]:
    """What the browser holds after signing in, by role: by the form, but without drawing a page."""
    by_role = {}
    for role in ROLES:
        context = chromium.new_context()
        form = context.request.get(f"{site}/sign-in").text()
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token
        said = {"csrf_token": token[1], "persona": role, "next": "/settings/analytics"}
        answer = context.request.post(f"{site}/sign-in", form=said)
        assert answer.url == f"{site}/settings/analytics"
        by_role[role] = context.cookies()
        context.close()
    return by_role


def _opener(chromium: Browser, site: str, cookies: dict[str, Any]) -> Open:
    from tests.reader import Reader

    def open_page(role: str | None, path: str = "/settings/analytics", **options: Any) -> Reader:
        options = {"viewport": WIDE, "locale": "en-GB"} | options
        context = chromium.new_context(timezone_id=ZONE, **options)
        if role:
            context.add_cookies(cookies[role])
        reader = Reader(context.new_page(), site, ZONE)
        reader.go(path)
        return reader

    return open_page


@pytest.fixture
def open_as(chromium: Browser, site: str, cookies: dict[str, Any]) -> Iterator[Open]:
    """Open the page as a role: `open_as("user", "/settings/profile", viewport=…)`."""
    fresh, readers = _opener(chromium, site, cookies), list["Reader"]()

    def open_page(*asked: Any, **options: Any) -> Reader:
        readers.append(fresh(*asked, **options))
        return readers[-1]

    yield open_page
    for reader in readers:
        reader.page.context.close()
    assert [words for reader in readers for words in reader.complaints] == []


@pytest.fixture(scope="session")
def _held(chromium: Browser, site: str, cookies: dict[str, Any]) -> Iterator[dict[str, Reader]]:
    """The pages that stay open from test to test, by role."""
    held = dict[str, "Reader"]()
    yield held
    for reader in held.values():
        reader.page.context.close()
    assert [words for reader in held.values() for words in reader.complaints] == []


@pytest.fixture
def turn_as(
    chromium: Browser, site: str, cookies: dict[str, Any], _held: dict[str, Reader],
    request: pytest.FixtureRequest,
) -> Iterator[Open]:  # fmt: skip
    """The same of a page that all tests share, for those that leave no trace in it: an address is
    turned to, not loaded. A page that a test failed with is left to no other."""
    used, failed = set[str](), request.session.testsfailed
    fresh = _opener(chromium, site, cookies)

    def turn(role: str, path: str = "/settings/analytics", viewport: ViewportSize = WIDE) -> Reader:
        if role in _held:
            used.add(role)
            _held[role].turn(path, viewport)
        else:
            _held[role] = fresh(role, path, viewport=viewport, reduced_motion="reduce")
            used.add(role)
        return _held[role]

    yield turn
    found = [words for role in used for words in _held[role].complaints]
    for role in used:
        _held[role].complaints.clear()
        if found or request.session.testsfailed > failed:
            _held.pop(role).page.context.close()
    assert found == []
