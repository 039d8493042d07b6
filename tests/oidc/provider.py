"""A real identity provider on loopback, as the tests drive it: panva's certified oidc-provider for
Node.js, installed once by its lock file, started once a file of tests."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import pytest

HERE: Final = Path(__file__).parent
FILES: Final = ("package.json", "package-lock.json", "provider.mjs")
SECONDS: Final = 60
CLIENT: Final = "spendscope"
SECRET: Final = "the secret of spendscope at its provider"
OTHER: Final = "another-application"


def cache() -> Path:
    """Where the provider is installed; another lock file has another place."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mark = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    return home / "spendscope-tests" / f"oidc-provider-{mark}"


def installed() -> Path:
    """The folder of the provider, installed by the first test that wants it."""
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in FILES:
            shutil.copy(HERE / name, folder / name)
        if not (folder / "node_modules" / "oidc-provider" / "package.json").exists():
            _install(folder)
    return folder


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("the tests of identity providers need Node.js 18 or later with npm")
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([npm, "ci", *quiet], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(folder / "node_modules", ignore_errors=True)
        pytest.fail(f"npm could not install the identity provider:\n{done.stdout}{done.stderr}")


@dataclass
class Provider:
    """A provider that runs, and a person's browser before it."""

    issuer: str
    asked: list[str] = field(default_factory=list)

    def tell(self, **known: Any) -> str:
        """Have it know something else: `accounts`, `ttl`, `refresh`, `down`; `rotate` its key. The
        id of its key; what it was asked until now is in `asked`."""
        answer = httpx.post(f"{self.issuer}/control", json=known, timeout=SECONDS).json()
        self.asked = answer["asked"]
        return str(answer["kid"])

    def came_back(self, url: str, login: str, browser: httpx.Client) -> str:
        """Where the provider sends a browser that signs in there and agrees; its session stays."""
        answer = browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                target = urljoin(str(answer.request.url), answer.headers["location"])
                if not target.startswith(self.issuer):
                    return target
                answer = browser.get(target)
            else:
                answer = self._filled_in(answer, login, browser)
        raise AssertionError(f"the provider sends nobody back: {answer.text[:500]}")

    def _filled_in(self, page: httpx.Response, login: str, browser: httpx.Client) -> httpx.Response:
        action = re.search(r'action="([^"]+)"', page.text)
        assert action, page.text[:1_000]
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        typed = {"login": login, "password": "any"} if hidden.get("prompt") == "login" else {}
        target = urljoin(str(page.request.url), action[1])
        return browser.post(target, data=hidden | typed)

    def signs_out(self, url: str, browser: httpx.Client) -> str:
        """Where it sends a browser that agrees to sign out at an address of it."""
        page = browser.get(url)
        fields = dict(re.findall(r'name="(xsrf)" value="([^"]*)"', page.text))
        assert fields, page.text[:1_000]
        done = browser.post(f"{self.issuer}/session/end/confirm", data=fields | {"logout": "yes"})
        return str(done.headers.get("location", done.text))


def browser() -> httpx.Client:
    """A person's browser, which has its cookies at the provider."""
    return httpx.Client(timeout=SECONDS)


@contextmanager
def running(clients: Sequence[Mapping[str, Any]]) -> Iterator[Provider]:
    """A provider that knows these applications."""
    folder = installed()
    environ = {**os.environ, "CLIENTS": json.dumps(list(clients)), "NODE_NO_WARNINGS": "1"}
    command = [shutil.which("node") or "node", "provider.mjs"]
    with (folder / f"log-{os.getpid()}").open("w") as log:
        node = subprocess.Popen(
            command, cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
        assert node.stdin
        assert node.stdout
        try:
            issuer = node.stdout.readline().strip()
            assert issuer, (folder / f"log-{os.getpid()}").read_text()
            yield Provider(issuer)
        finally:
            node.stdin.close()
            node.wait(SECONDS)
            node.stdout.close()


def clients(site: str) -> list[dict[str, Any]]:
    """We, at an address, and another application of the same provider."""
    ours = {
        "client_id": CLIENT, "client_secret": SECRET,
        "redirect_uris": [f"{site}/sign-in/oidc/callback"],
        "post_logout_redirect_uris": [f"{site}/sign-in"],
        "backchannel_logout_session_required": True,
        "backchannel_logout_uri": f"{site}/sign-in/oidc/back-channel-logout",
        "grant_types": ["authorization_code", "refresh_token"],
    }  # fmt: skip
    other = {
        "client_id": OTHER,
        "client_secret": SECRET,
        "redirect_uris": ["http://127.0.0.1/back"],
    }
    return [ours, other]
