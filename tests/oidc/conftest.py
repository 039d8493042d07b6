"""A provider, and a whole Spendscope that is one of its applications, for all tests of a file."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from flask.testing import FlaskClient

from data.state import sessions
from data.state.store import State
from tests.listening import listens
from tests.oidc import provider as providers
from tests.oidc.provider import CLIENT, SECRET, Provider
from tests.serving import Served, serving

ACCOUNTS: Final[dict[str, dict[str, Any]]] = {
    "ana": {"name": "Ana", "email": "ana@x.org", "email_verified": True},
    "lena": {"name": "Lena", "groups": ["spendscope-web-admins", "spendscope-web", "staff"]},
    "root": {"name": "Root", "realm_access": {"roles": ["offline", "platform-admin"]}},
    "vera": {"name": "Vera", "realm_access": {"roles": ["platform-auditor"]}},
    "eve": {"name": "Eve", "isAdmin": True, "applications_admin": "vault"},
}
SETTINGS: Final = {
    "SIGN_IN": "local,oidc",
    "OIDC_CLIENT_ID": CLIENT,
    "OIDC_CLIENT_SECRET": SECRET,
    "OIDC_SCOPES": "openid profile email rights",
    "OIDC_CLAIM_ADMIN": "realm_access.roles",
    "OIDC_ADMIN_ROLES": "owner, platform-admin",
    "OIDC_CLAIM_AUDITOR": "realm_access.roles",
    "OIDC_AUDITOR_ROLES": "platform-auditor",
    "OIDC_CLAIM_APPLICATIONS": "groups",
    "OIDC_APPLICATIONS_PATTERN": "spendscope-([a-z]+)",
    "OIDC_CLAIM_APPLICATIONS_ADMIN": "groups",
    "OIDC_APPLICATIONS_ADMIN_PATTERN": "spendscope-(.+)-admins",
}


@dataclass
class Site:
    """Both of them, and short ways to be somebody there."""

    address: str
    served: Served
    provider: Provider
    state: State
    clock: list[int]  # µs that have passed for sessions, beside the real ones
    monotonic: list[float]

    def pass_by(self, seconds: float) -> None:
        """Let time pass, for sessions and for what is asked seldom."""
        self.clock[0] += int(seconds * 1_000_000)
        self.monotonic[0] += seconds

    def client(self) -> FlaskClient:
        """A browser before Spendscope."""
        made: FlaskClient = self.served.app.server.test_client()
        made.environ_base["HTTP_HOST"] = self.address.removeprefix("http://")
        return made

    def begin(self, client: FlaskClient, **query: str) -> str:
        """Where it is sent to sign in."""
        answer = client.get("/sign-in/oidc", query_string=query, base_url=self.address)
        assert answer.status_code == 302, answer.text
        return str(answer.location)

    def back(self, client: FlaskClient, login: str, browser: httpx.Client | None = None) -> str:
        """What the provider sends it back with, path and query."""
        with browser or providers.browser() as person:
            target = self.provider.came_back(self.begin(client), login, person)
        assert target.startswith(self.address)
        return target.removeprefix(self.address)

    def enter(self, login: str) -> FlaskClient:
        """A browser in which somebody has signed in by the provider."""
        client = self.client()
        answer = client.get(self.back(client, login), base_url=self.address)
        assert answer.status_code == 303, answer.text
        return client

    def get(self, client: FlaskClient, path: str, **headers: str) -> Any:
        """A page, or what the API answers."""
        return client.get(path, base_url=self.address, headers=headers)

    def status(self, client: FlaskClient, path: str = "/api/v1/preferences") -> int:
        return int(self.get(client, path).status_code)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Both, once for a file of tests; time stands in the hands of the tests."""
    clock, passed = [0], [0.0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        real, real_monotonic = sessions.now, time.monotonic
        patch.setattr(sessions, "now", lambda: real() + clock[0])
        for module in ("key_set", "oidc", "provider_sessions"):
            patch.setattr(f"callbacks.access.{module}.monotonic",
                          lambda: real_monotonic() + passed[0])  # fmt: skip
        provider = stack.enter_context(providers.running(providers.clients(address)))
        settings = SETTINGS | {"PUBLIC_URL": address, "OIDC_ISSUER": provider.issuer}
        folder = tmp_path_factory.mktemp("oidc")
        served = stack.enter_context(serving(folder, **settings))  # type: ignore[arg-type]
        stack.enter_context(listens(served, port))
        state = State(served.settings.state_url)
        stack.callback(state.close)
        yield Site(address, served, provider, state, clock, passed)


@pytest.fixture
def site(running: Site) -> Iterator[Site]:
    """The same, knowing the same people at the beginning of each test."""
    running.provider.tell(accounts=ACCOUNTS, ttl={}, refresh=True, down=False)
    running.clock[0] = 0
    running.monotonic[0] += 11  # whoever was away in the test before is asked again
    yield running
    running.provider.tell(accounts=ACCOUNTS, ttl={}, refresh=True, down=False)
