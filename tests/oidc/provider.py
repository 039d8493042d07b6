"""A real identity provider on loopback, as the tests drive it: panva's certified oidc-provider for
Node.js, installed once by its lock file, started once a file of tests."""

from __future__ import annotations

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

from tests.npm import installed

HERE: Final = Path(__file__).parent
SECONDS: Final = 60
CLIENT: Final = "spendscope"
SECRET: Final = "the secret of spendscope at its provider"
OTHER: Final = "another-application"


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
    folder = installed(HERE).parent
    # Beside the packages, where Node.js looks for them; other checkouts have scripts of their own.
    script = Path(shutil.copy(HERE / "provider.mjs", folder / f"provider-{os.getpid()}.mjs"))
    environ = {**os.environ, "CLIENTS": json.dumps(list(clients)), "NODE_NO_WARNINGS": "1"}
    command = [shutil.which("node") or "node", script.name]
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
            script.unlink(missing_ok=True)


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
