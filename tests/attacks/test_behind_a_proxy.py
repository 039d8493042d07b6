"""Behind a proxy: who is believed about whom, what travels only under TLS, which host is ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from callbacks.access import one_time_links
from callbacks.access.site import Forwarded, parsed
from callbacks.access.throttle import MOST_OF_ADDRESS
from callbacks.commands import accounts
from data.access.scope import SYSTEM
from data.errors import SettingsError
from data.settings import Settings
from data.state.audit import entries
from data.state.store import State
from tests.accounts import PASSWORD, add_account, csrf_of
from tests.listening import listens
from tests.serving import ADMIN, Served, serving

SITE: Final = "https://spend.example.org"
PROXY: Final = "10.0.0.5"
PROXIES: Final = "10.0.0.0/24, 2001:db8::1"
TLS: Final = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "spend.example.org"}
pytestmark = pytest.mark.usefixtures("fast_passwords")


@contextmanager
def behind(folder: Path, **more: str) -> Iterator[Served]:
    """A server that believes some proxies."""
    with serving(folder, **({"TRUSTED_PROXIES": PROXIES} | more)) as one:  # type: ignore[arg-type]
        yield one


def visitor(served: Served, peer: str = PROXY, **headers: str) -> FlaskClient:
    """A browser whose requests come from the address of a peer."""
    client: FlaskClient = served.app.server.test_client()
    named = {f"HTTP_{name.upper().replace('-', '_')}": said for name, said in headers.items()}
    client.environ_base |= {"REMOTE_ADDR": peer} | named
    return client


def seen(peer: str, said: dict[str, str], trusted: str = PROXIES) -> tuple[str, str, str]:
    """Client address, scheme and host as the application gets them."""
    got: dict[str, Any] = {}
    trusted_list = [one.strip() for one in trusted.split(",") if one.strip()]
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "inner:8050"}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": text for name, text in said.items()}
    Forwarded(lambda given, _: got.update(given), trusted_list)(environ, None)
    assert not [name for name in got if "FORWARDED" in name or "REAL_IP" in name]
    return got["REMOTE_ADDR"], got["wsgi.url_scheme"], got["HTTP_HOST"]


# --- whom to believe


@pytest.mark.parametrize(("peer", "chain", "client"), [
    (PROXY, "192.0.2.1", "192.0.2.1"),
    (PROXY, "203.0.113.9, 192.0.2.1", "192.0.2.1"),  # the first is what the client wrote
    (PROXY, "192.0.2.1, 10.0.0.7", "192.0.2.1"),  # two proxies of ours
    (PROXY, "127.0.0.1, 192.0.2.1, 10.0.0.7", "192.0.2.1"),
    (PROXY, "10.0.0.9, 10.0.0.7", "10.0.0.9"),  # somebody on the proxy itself
    (PROXY, "", PROXY), (PROXY, "nonsense", PROXY), (PROXY, "192.0.2.1, nonsense", PROXY),
    (PROXY, "nonsense, 10.0.0.7", "10.0.0.7"),
    (PROXY, "192.0.2.1:4711", "192.0.2.1"), (PROXY, "[2001:db8::7]:443", "2001:db8::7"),
    (PROXY, "2001:db8::7", "2001:db8::7"), (PROXY, "::ffff:192.0.2.1", "192.0.2.1"),
    ("::ffff:10.0.0.5", "192.0.2.1", "192.0.2.1"), ("2001:db8::1", "192.0.2.1", "192.0.2.1"),
    ("198.51.100.1", "192.0.2.1", "198.51.100.1"),  # no proxy of ours
    ("127.0.0.1", "192.0.2.1", "127.0.0.1"), ("2001:db8::2", "192.0.2.1", "2001:db8::2"),
    (PROXY, "192.0.2.1,", PROXY), (PROXY, ",".join(["10.0.0.7"] * 5_000), "10.0.0.7"),
])  # fmt: skip
def test_the_client_is_the_last_that_is_no_proxy(peer: str, chain: str, client: str) -> None:
    assert seen(peer, {"X-Forwarded-For": chain})[0] == client


@pytest.mark.parametrize("name", [
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto",
    "X-Forwarded-Port", "X-Forwarded-Prefix",
])  # fmt: skip
def test_nobody_else_is_believed(name: str) -> None:
    for trusted in (PROXIES, ""):
        assert seen("198.51.100.1", {name: "https"}, trusted) == (
            "198.51.100.1", "http", "inner:8050",
        )  # fmt: skip


def test_a_proxy_says_scheme_and_host() -> None:
    assert seen(PROXY, TLS)[1:] == ("https", "spend.example.org")
    twice = {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "evil.example, inner"}
    assert seen(PROXY, twice)[1:] == ("http", "inner")
    assert seen(PROXY, {"X-Forwarded-Proto": "javascript"})[1] == "http"


@pytest.mark.parametrize(
    "text", ["", " ", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "[::1", None]
)
def test_what_is_no_address_is_none(text: str | None) -> None:
    assert parsed(text) is None or text == "[::1"


def test_a_whole_socket_believes_no_stranger(served: Served) -> None:
    """Also where the server itself takes headers away or leaves them."""
    with closing(State(served.settings.state_url)) as state, listens(served) as made:
        connection = HTTPConnection("127.0.0.1", made.effective_port, timeout=20)
        connection.request("GET", "/set-password?token=x", headers={"X-Forwarded-For": "192.0.2.1"})
        assert connection.getresponse().status == 401
        connection.close()
        [tried] = entries(state, SYSTEM, 1)
        assert tried.address == "127.0.0.1"


def test_a_whole_socket_believes_its_proxy(tmp_path: Path) -> None:
    with (
        behind(tmp_path, TRUSTED_PROXIES="127.0.0.1") as served,
        closing(State(served.settings.state_url)) as state,
        listens(served) as made,
    ):
        connection = HTTPConnection("127.0.0.1", made.effective_port, timeout=20)
        headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        connection.request("GET", "/set-password?token=x", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 401
        assert "Strict-Transport-Security" in answer.headers
        connection.close()
        assert entries(state, SYSTEM, 1)[0].address == "192.0.2.1"


def test_guesses_through_the_proxy_count_for_each_client(tmp_path: Path) -> None:
    with behind(tmp_path) as served, closing(State(served.settings.state_url)) as state:
        add_account(state, "ana", "Ana")
        eve = visitor(served, **{"X-Forwarded-For": "192.0.2.66"})
        for n in range(MOST_OF_ADDRESS):
            form = {"csrf_token": csrf_of(eve), "name": f"x{n}", "password": "wrong horse"}
            assert eve.post("/sign-in", data=form).status_code == 401
        right = {"name": "ana", "password": PASSWORD}
        assert eve.post("/sign-in", data={"csrf_token": csrf_of(eve)} | right).status_code == 429
        ana = visitor(served, **{"X-Forwarded-For": "203.0.113.9, 192.0.2.7"})
        assert ana.post("/sign-in", data={"csrf_token": csrf_of(ana)} | right).status_code == 303
        assert entries(state, SYSTEM, 1)[0].address == "192.0.2.7"


# --- what travels under TLS alone


def signed_in(client: FlaskClient, base: str = "http://localhost") -> list[str]:
    """The cookies that signing in and the page after it set."""
    page = client.get("/sign-in", base_url=base, headers={"Accept": "text/html"})
    token = page.text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "name": "ana", "password": PASSWORD}
    came = client.post("/sign-in", data=form, base_url=base)
    assert came.status_code == 303, came.text
    shown = client.get("/settings/profile", base_url=base, headers={"Accept": "text/html"})
    assert shown.status_code == 200
    return [*page.headers.getlist("Set-Cookie"), *came.headers.getlist("Set-Cookie"),
            *shown.headers.getlist("Set-Cookie")]  # fmt: skip


@pytest.mark.parametrize("more", [{"TRUSTED_PROXIES": PROXIES}, {"PUBLIC_URL": SITE}])
def test_under_tls_every_cookie_is_secure_and_of_this_host(
    tmp_path: Path, more: dict[str, str]
) -> None:
    with serving(tmp_path, **more) as served, closing(State(served.settings.state_url)) as state:  # type: ignore[arg-type]
        add_account(state, "ana", "Ana")
        client = visitor(served, **TLS)
        cookies = signed_in(client, SITE)
        assert {one.partition("=")[0] for one in cookies} == {"__Host-spendscope", "_csrf_token"}
        for one in cookies:
            parts = [part.strip() for part in one.split(";")]
            assert "Secure" in parts
            assert "Path=/" in parts
            assert "SameSite=Lax" in parts
            assert not [part for part in parts if part.startswith("Domain")]
            assert ("HttpOnly" in parts) is one.startswith("__Host-")
        answer = client.get("/sign-in", base_url=SITE)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_without_tls_neither(served: Served) -> None:
    with closing(State(served.settings.state_url)) as state:
        add_account(state, "ana", "Ana")
    client = visitor(served, **TLS)
    cookies = signed_in(client)
    assert {one.partition("=")[0] for one in cookies} == {"spendscope", "_csrf_token"}
    assert not [one for one in cookies if "Secure" in one]
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers


def test_a_cookie_of_the_unsafe_name_opens_nothing_under_tls(tmp_path: Path) -> None:
    """A neighbour on a subdomain can set any cookie but one with the prefix."""
    with (
        serving(tmp_path, PUBLIC_URL=SITE) as served,
        closing(State(served.settings.state_url)) as state,
    ):
        add_account(state, "ana", "Ana")
        client = visitor(served)
        signed_in(client, SITE)
        cookie = client.get_cookie("__Host-spendscope", domain="spend.example.org")
        assert cookie
        planted = visitor(served)
        planted.set_cookie("spendscope", cookie.value, domain="spend.example.org")
        assert planted.get("/api/v1/preferences", base_url=SITE).status_code == 401
        assert client.get("/api/v1/preferences", base_url=SITE).status_code == 200


# --- the address of this server


@pytest.mark.parametrize(("host", "status"), [
    ("spend.example.org", 200), ("SPEND.example.org", 200), ("spend.example.org:443", 200),
    ("evil.example", 400), ("spend.example.org.evil.example", 400), ("spend.example.org:8050", 400),
    ("127.0.0.1:8050", 400), ("localhost", 400), ("evil.example:443", 400), ("", 400),
    ("spend.example.org@evil.example", 400), ("spend.example.org, evil.example", 400),
])  # fmt: skip
def test_other_hosts_are_refused(tmp_path: Path, host: str, status: int) -> None:
    with serving(tmp_path, PUBLIC_URL=SITE) as served:
        for path in ("/sign-in", "/assets/inter.css"):
            answer = served.client.get(path, headers={"Host": host}, buffered=True)
            assert answer.status_code == status, path
        headers = served.headers(ADMIN) | {"Host": host}
        answer = served.client.get("/api/v1/catalog", headers=headers)
        assert answer.status_code == status
        if status == 400:
            assert f"This server answers at {SITE} alone." in answer.text
            assert "evil" not in answer.text
        assert served.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_a_proxy_may_hand_the_host_on(tmp_path: Path) -> None:
    with serving(tmp_path, PUBLIC_URL=SITE, TRUSTED_PROXIES=PROXIES) as served:
        for peer, status in ((PROXY, 200), ("198.51.100.1", 400)):
            client = visitor(served, peer, **TLS)
            answer = client.get("/sign-in", headers={"Host": "inner:8050"})
            assert answer.status_code == status


def test_commands_of_this_machine_still_reach_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, PUBLIC_URL=SITE) as served:
        headers = {"Host": "127.0.0.1:8050", "Authorization": "Bearer the key of commands"}
        sent = json.dumps(["e1"])
        answer = served.client.post("/api/v1/store/stored_ids", data=sent, headers=headers)
        assert answer.status_code == 200, answer.text


def test_links_lead_to_the_public_address(tmp_path: Path) -> None:
    with (
        serving(tmp_path, PUBLIC_URL=f"{SITE}/") as served,
        closing(State(served.settings.state_url)) as state,
    ):
        headers = served.headers(ADMIN) | {"Host": "spend.example.org"}
        sent = {"user": "ana", "name": "Ana"}
        made = served.client.post("/api/v1/accounts", json=sent, headers=headers).json
        assert made
        assert made["link"].startswith(f"{SITE}/set-password?token=")
        given = accounts.Given({}, link=True)
        lines = list(accounts.run("password", "ana", state, served.settings, given))
        assert lines[-1].startswith(f"{SITE}/set-password?token=")
        assert one_time_links.site(served.settings) == SITE
        page = headers | {"X-Page-Address": "/settings/data"}
        shown = str(served.client.get("/_dash-layout", headers=page).json)
        assert f"'export OTEL_EXPORTER_OTLP_ENDPOINT=', '{SITE}'" in shown


@pytest.mark.parametrize(("name", "value", "sentence"), [
    ("TRUSTED_PROXIES", "proxy.example", "lists addresses or networks"),
    ("TRUSTED_PROXIES", "10.0.0.0/33", "lists addresses or networks"),
    ("TRUSTED_PROXIES", "*", "lists addresses or networks"),
    ("PUBLIC_URL", "spend.example.org", "must be"), ("PUBLIC_URL", "ftp://x", "must be"),
    ("PUBLIC_URL", "https://", "must be"), ("PUBLIC_URL", "https://x/path", "must be"),
    ("PUBLIC_URL", "https://x?y=1", "must be"), ("PUBLIC_URL", "https://a:b@x", "must be"),
    ("PUBLIC_URL", "https://x:port", "must be"), ("PUBLIC_URL", "https://a b", "must be"),
    ("PUBLIC_URL", "https://[x", "must be"), ("PUBLIC_URL", "https://x:0", "must be"),
    ("PUBLIC_URL", "https://x#y", "must be"), ("PUBLIC_URL", "https://x:99999", "must be"),
])  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    environ = {"SPENDSCOPE_DATA_DIR": str(tmp_path), f"SPENDSCOPE_{name}": value}
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_{name} {sentence}"):
        Settings.read(environ)


@pytest.mark.parametrize(("given", "kept"), [
    ("https://Spend.Example.org", SITE), ("https://spend.example.org:443/", SITE),
    ("http://x:80", "http://x"), ("https://x:8443", "https://x:8443"),
    ("http://[2001:db8::1]:8050/", "http://[2001:db8::1]:8050"),
])  # fmt: skip
def test_a_public_address_is_kept_in_one_spelling(tmp_path: Path, given: str, kept: str) -> None:
    environ = {"SPENDSCOPE_DATA_DIR": str(tmp_path), "SPENDSCOPE_PUBLIC_URL": given}
    assert Settings.read(environ).public_url == kept
