"""What a browser is told with every kind of answer, and where it is never sent."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from data.state.passwords import Passwords
from data.state.store import State
from tests.accounts import PASSWORD, add_account
from tests.serving import KEY, Served, serving

SITE: Final = "https://spend.example.org"
HTML: Final = {"Accept": "text/html"}
BEARER: Final = {"Authorization": f"Bearer {KEY}"}


@dataclass(frozen=True)
class Kind:
    """A kind of answer: how it is asked for, by whom, and what comes."""

    path: str
    status: int
    mimetype: str
    who: str = "ana"  # "stranger", or "token": a script of ana's
    method: str = "GET"
    more: dict[str, Any] = field(default_factory=dict)
    kept: bool = False  # published code, which a browser may keep


KINDS: Final = {
    "page": Kind("/settings/analytics", 200, "text/html", more={"headers": HTML}),
    "settings": Kind("/settings/profile", 200, "text/html", more={"headers": HTML}),
    "layout": Kind("/_dash-layout", 200, "application/json"),
    "callback refused": Kind("/_dash-update-component", 400, "application/json", method="POST"),
    "sign-in": Kind("/sign-in", 200, "text/html", "stranger"),
    "sign-in refused": Kind("/sign-in", 400, "text/html", "stranger", "POST"),
    "sign-out": Kind("/sign-out", 200, "text/html"),
    "one-time link": Kind("/set-password?token=x", 401, "text/html", "stranger"),
    "api": Kind("/api/v1/query?metrics=cost", 200, "application/json"),
    "api of oneself": Kind("/api/v1/preferences", 200, "application/json"),
    "download": Kind("/api/v1/events.csv?metric=requests", 200, "text/csv"),
    "workbook": Kind(
        "/api/v1/sections/cost-by-project.xlsx", 200,
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    "metrics": Kind("/metrics", 403, "application/json"),
    "health": Kind("/healthz", 200, "application/json", "stranger"),
    "otlp": Kind("/v1/traces", 200, "application/json", "stranger", "POST", {
        "headers": BEARER, "json": {"resourceSpans": []},
    }),
    "otlp refused": Kind("/v1/traces", 401, "application/json", "stranger", "POST"),
    "stranger": Kind("/api/v1/preferences", 401, "application/json", "stranger"),
    "start": Kind("/", 302, "text/html"),
    "redirect": Kind("/settings/data", 302, "text/html", "stranger", more={"headers": HTML}),
    "400": Kind("/api/v1/query?metrics=none", 400, "application/json"),
    "403": Kind("/api/v1/audit", 403, "application/json"),
    "404": Kind("/api/v1/none", 404, "application/json"),
    "404 asset": Kind("/assets/none.css", 404, "", "stranger", kept=True),
    "405": Kind("/api/v1/catalog", 405, "application/json", "token", "DELETE"),
    "options": Kind("/healthz", 200, "", method="OPTIONS"),
    "500": Kind("/api/v1/query?metrics=cost", 500, "application/json"),
    "style": Kind("/assets/theme.css", 200, "text/css", "stranger", kept=True),
    "script": Kind("/assets/page.js?m=1", 200, "text/javascript", "stranger", kept=True),
    "head": Kind("/sign-in", 200, "text/html", "stranger", "HEAD"),
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A server at an address, and ana's browser, which is signed in."""

    served: Served
    base: str
    ana: FlaskClient

    def browser(self, who: str) -> FlaskClient:
        return self.ana if who == "ana" else self.served.app.server.test_client()


@pytest.fixture(scope="module", params=["http://localhost", SITE], ids=["plain", "tls"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A server in the open, and one behind TLS."""
    more = {"PUBLIC_URL": SITE} if request.param == SITE else {}
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.state.store.Passwords", lambda: Passwords(hasher))
        with (
            serving(tmp_path_factory.mktemp("headers"), **more) as served,  # type: ignore[arg-type]
            closing(State(served.settings.state_url)) as state,
        ):
            add_account(state, "ana", "Ana")
            ana = served.app.server.test_client()
            assert sign_in(ana, request.param, "/").status_code == 303
            yield Site(served, request.param, ana)


def sign_in(client: FlaskClient, base: str, to: str) -> TestResponse:
    page = client.get("/sign-in", base_url=base, headers=HTML).text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    form = {"csrf_token": found[1], "name": "ana", "password": PASSWORD, "next": to}
    return client.post("/sign-in", base_url=base, data=form)


def answered(site: Site, kind: Kind) -> TestResponse:
    client, more = site.browser(kind.who), dict(kind.more)
    if kind.who == "token":
        more["headers"] = site.served.headers({"sub": "ana"})
    answer = client.open(kind.path, method=kind.method, base_url=site.base, buffered=True, **more)
    assert answer.status_code == kind.status, answer.text
    if kind.mimetype:
        assert answer.mimetype == kind.mimetype
    return answer


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_answer_is_sealed(
    site: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    kind = KINDS[name]
    if kind.status == 500:
        monkeypatch.setattr("callbacks.api.analytics.run_compared", broken)
    headers = answered(site, kind).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert ("Strict-Transport-Security" in headers) is (site.base == SITE)
    assert "Access-Control-Allow-Origin" not in headers
    if not kind.kept:
        assert headers["Cache-Control"] == "no-store"
    policy = policy_of(headers["Content-Security-Policy"])
    for directive in ("default-src", "connect-src", "base-uri", "form-action"):
        assert policy[directive] == ["'self'"]
    assert policy["style-src"][0] == "'self'"
    assert not [one for one in policy["style-src"][1:] if not one.startswith("'nonce-")]
    assert policy["frame-ancestors"] == policy["object-src"] == ["'none'"]
    ours, *hashes = policy["script-src"]
    assert (ours, bool(hashes)) == ("'self'", True)
    assert all(re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", one) for one in hashes)


def policy_of(header: str) -> dict[str, list[str]]:
    """The sources of each directive of a content security policy."""
    parts = (one.split() for one in header.split(";"))
    return {name: sources for name, *sources in parts}


def test_styles_are_of_files_or_of_the_one_page_that_is_answered(served: Served) -> None:
    """Those that libraries make carry the nonce of their page, which no other has."""
    seen = set()
    for _ in range(2):
        answer = served.client.get("/settings/profile", headers=served.headers({"sub": "ana"}))
        [given] = re.findall(r'nonce="([^"]+)"', answer.text.partition("</script>")[0])
        policy = policy_of(answer.headers["Content-Security-Policy"])
        assert policy["style-src"] == ["'self'", f"'nonce-{given}'"]
        assert policy["style-src-attr"] == ["'unsafe-inline'"]
        assert len(given) >= 20
        seen.add(given)
    assert len(seen) == 2
    other = served.client.get("/api/v1/catalog", headers=served.headers({"sub": "ana"}))
    assert policy_of(other.headers["Content-Security-Policy"])["style-src"] == ["'self'"]


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if kind.mimetype == "text/html"]
)
def test_no_page_has_a_script_that_its_policy_stops(site: Site, name: str) -> None:
    answer = answered(site, KINDS[name])
    allowed = policy_of(answer.headers["Content-Security-Policy"])["script-src"]
    for attributes, script in re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL):
        if "src=" in attributes:
            assert re.search(r'src="/(?!/)', attributes), attributes
        elif "application/json" not in attributes:
            digest = b64encode(sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed, script[:200]
    assert not re.search(r"<[^>]+\son\w+=", answer.text)
    assert "javascript:" not in answer.text


# --- never sent elsewhere

ELSEWHERE: Final = (
    "https://evil.example", "http://evil.example", "HTTPS://evil.example/x", "//evil.example",
    "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example",
    " //evil.example", "\x00//evil.example", "//evil.example/%2f..", "http:/evil.example",
    "http:evil.example", "https:evil.example", "http:///evil.example", "//evil.example@localhost",
    "//localhost@evil.example", "https://localhost.evil.example", "//evil。example",
    "javascript:alert(1)", "data:text/html,x", "evil.example", "./evil.example", "../x",
    "/x\r\nLocation: https://evil.example", "/x\u2028//evil.example", "//[::1]", "//1", "/ /evil",
    "\ufeff//evil.example", "/\u3000//evil.example",
)  # fmt: skip
WITHIN: Final = (
    "/%2fevil.example", "/%5cevil.example", "/%09/evil.example", "/.//evil.example",
    "/x/..//evil.example", "/@evil.example", "/:80", "/?next=//evil.example", "/#//evil.example",
    "/settings/analytics?n=3", "/;//evil.example", "/..//evil.example",
)  # fmt: skip


# As the server decodes them.
ADDRESSES: Final = (
    "//evil.example", "//evil.example/..", "///evil.example", "/\\evil.example", "/@evil.example",
    "/\\/evil.example", "/settings//evil.example", "/\r\nLocation: https://evil.example",
    "/\t/evil", "https://evil.example", "evil.example", "/sign-out?next=//evil.example",
    "/settings/analytics?next=//evil.example", "//evil.example?x=1",
    "/sign-in/?next=//evil.example",
)  # fmt: skip


def reached(base: str, location: str) -> str:
    """The site a browser goes to: it drops tabs and breaks, and takes \\ for / (WHATWG URL)."""
    cleaned = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33)))))
    parts = urlsplit(urljoin(f"{base}/sign-in", cleaned.replace("\\", "/")))
    return f"{parts.scheme}://{parts.netloc}"


def test_signing_in_leads_nowhere_else(site: Site) -> None:
    for spelled in (*ELSEWHERE, *WITHIN):
        client = site.browser("stranger")
        asked = {"next": spelled}
        page = client.get("/sign-in", query_string=asked, base_url=site.base, headers=HTML)
        assert spelled in WITHIN or "evil" not in page.text, spelled
        answer = sign_in(client, site.base, spelled)
        assert answer.status_code == 303, spelled
        assert reached(site.base, answer.location) == site.base, spelled
        assert answer.location == (spelled if spelled in WITHIN else "/"), spelled


@pytest.mark.parametrize("who", ["ana", "stranger"])
def test_no_address_leads_elsewhere(site: Site, who: str) -> None:
    """Whoever is not signed in is asked to, and comes back to this site."""
    for path in ADDRESSES:
        name, _, query = path.partition("?")
        environ = {"PATH_INFO": name, "REQUEST_URI": path, "QUERY_STRING": query}
        answer = site.browser(who).get(
            base_url=site.base, headers=HTML, environ_overrides=environ, buffered=True
        )
        location = answer.headers.get("Location", "/")
        assert reached(site.base, location) == site.base, path
        asked = parse_qs(urlsplit(location).query).get("next", ["/"])[0]
        assert reached(site.base, asked) == site.base, path
