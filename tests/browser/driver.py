"""A real browser before a real server: one of each for the whole test run, a fresh reader a test.

Every reader keeps what the page complains of (console, errors, requests to elsewhere), and the
test fails at its end if there was anything.
"""

from __future__ import annotations

import os
import shutil
import socket
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

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.reader import Reader

ROOT: Final = Path(__file__).resolve().parents[2]
NOW: Final = "2026-11-20T15:30:00+00:00"
ZONE: Final = "Europe/Berlin"
EVENTS: Final = "20000"
SECONDS: Final = 60  # more than a busy machine needs; nothing is waited for that is there
WIDE: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
ROLES: Final = ("platform-admin", "project-admin", "user")
# The same names as in the Makefile.
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
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
Open = Callable[..., "Reader"]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with the sample organisation, its clock standing still."""
    sample = ["sample", "--events", EVENTS, "--until", NOW]
    with serving(tmp_path_factory.mktemp("site"), sample, ["serve", "--with-sample"]) as address:
        yield address


@contextmanager
def serving(folder: Path, *commands: list[str], **more: str) -> Iterator[str]:
    """The address of a server under a folder; of the commands the last one serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SPENDSCOPE_")}
    settings = {"DATA_DIR": str(folder / "var"), "NOW": NOW, "PORT": port} | more
    environ = inherited | {f"SPENDSCOPE_{name}": value for name, value in settings.items()}
    command, log = [sys.executable, str(ROOT / "app.py")], folder / "server.log"
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
            executable_path=path, args=[*FLAGS, f"--disable-features={','.join(OFF)}"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def cookies(chromium: Browser, site: str) -> dict[str, Any]:
    """What the browser holds after signing in, by role."""
    by_role = {}
    for role in ROLES:
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{site}/sign-in")
        page.get_by_test_id(f"persona-{role}").click(no_wait_after=True)
        page.wait_for_url("**/settings/analytics", wait_until="commit")
        by_role[role] = context.cookies()
        context.close()
    return by_role


def _opener(chromium: Browser, site: str, cookies: dict[str, Any]) -> Open:
    from tests.reader import Reader

    def open_page(role: str | None, path: str = "/settings/analytics", **options: Any) -> Reader:
        options = {"viewport": WIDE} | options
        context = chromium.new_context(timezone_id=ZONE, locale="en-GB", **options)
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


@pytest.fixture(scope="module")
def _held(chromium: Browser, site: str, cookies: dict[str, Any]) -> Iterator[Open]:
    fresh, readers = _opener(chromium, site, cookies), dict[str, "Reader"]()

    def turn_to(role: str, path: str = "/settings/analytics") -> Reader:
        if role in readers:
            readers[role].turn(path)
        else:
            readers[role] = fresh(role, path)
        return readers[role]

    yield turn_to
    for reader in readers.values():
        reader.page.context.close()


@pytest.fixture
def turn_as(_held: Open) -> Iterator[Open]:
    """The same of a page that tests of a file share, for those that leave no trace in it: an
    address is turned to, not loaded."""
    readers = list["Reader"]()

    def turn(role: str, path: str = "/settings/analytics") -> Reader:
        readers.append(_held(role, path))
        return readers[-1]

    yield turn
    found = [words for reader in readers for words in reader.complaints]
    for reader in readers:
        reader.complaints.clear()
    assert found == []
