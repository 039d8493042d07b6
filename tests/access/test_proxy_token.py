"""A proxy that has asked who somebody is and says so by a token in a header: who is believed,
and what others make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks.receive.connections import SMALL
from callbacks.receive.http_server import ROOM
from data.access.scope import Scope
from data.errors import SettingsError
from data.identity.claims import mapped
from data.ingest.uploads import LARGEST
from data.settings import Settings
from data.state.store import State
from tests.accounts import add_account, sign_in
from tests.oidc.recorded import TOKENS
from tests.oidc.test_claims import preset
from tests.serving import Served, serving
from tests.signing import OTHER, PRIVATE, jwk, providing

PROXY: Final = "10.0.0.5"
STRANGER: Final = "192.0.2.9"
ISSUER: Final = "https://idp.example.org"
HEADER: Final = "X-Forwarded-Access-Token"
NAMES: Final = {
    "JWT_CLAIM_SUB": "preferred_username", "JWT_CLAIM_ADMIN": "realm_access.roles",
    "JWT_ADMIN_ROLES": "platform", "JWT_CLAIM_AUDITOR": "realm_access.roles",
    "JWT_AUDITOR_ROLES": "audit", "JWT_CLAIM_APPLICATIONS_ADMIN": "groups",
    "JWT_APPLICATIONS_ADMIN_PATTERN": "spendscope-(.+)-admins",
}  # fmt: skip
HTML: Final = {"Accept": "text/html"}
pytestmark = pytest.mark.usefixtures("fast_passwords")


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server behind a proxy of 10.0.0.0/24, whose tokens a provider signs in its own words."""
    told = {"JWT_SECRET": "", "JWT_AUDIENCE": "us", "JWT_ISSUER": ISSUER, "JWT_HEADER": HEADER,
            "TRUSTED_PROXIES": "10.0.0.0/24"} | NAMES  # fmt: skip
    folder = tmp_path_factory.mktemp("proxy")
    with (
        providing({"keys": [jwk(PRIVATE, "k1")]}) as keys,
        serving(folder, JWKS_URL=keys.url, **told) as one,  # type: ignore[arg-type]
    ):
        when = "2026-11-20T10:00:00Z"
        one.load([{"event_id": user, "ts": when, "user": user, "project": "web"}
                  for user in ("ana", "eve", "ben")])  # fmt: skip
        yield one


def token(user: str = "ana", key: Any = PRIVATE, **more: Any) -> str:
    claims = {"sub": f"id-{user}", "preferred_username": user, "iss": ISSUER, "aud": "us",
              "exp": int(time.time()) + 600} | more  # fmt: skip
    return jwt.encode(claims, key, "RS256", headers={"kid": "k1"})


def asked(
    behind: Served, said: str, path: str = "/api/v1/query?metrics=events", peer: str = PROXY,
    method: str = "GET", client: FlaskClient | None = None, **headers: Any,
) -> TestResponse:  # fmt: skip
    by: FlaskClient = client or behind.app.server.test_client()
    sent = {HEADER: said} | {name.replace("_", "-"): one for name, one in headers.items()}
    return by.open(path, method=method, headers=sent, environ_base={"REMOTE_ADDR": peer}, json={})


def reach(answer: TestResponse) -> Any:
    """How far somebody sees, and how many events."""
    found: Any = answer.get_json()
    return (found["meta"]["scope"], found["totals"]["events"]) if found else answer.text


@pytest.mark.parametrize(("more", "seen"), [
    ({}, ("own", 1)),
    ({"realm_access": {"roles": ["x", "platform"]}}, ("all", 3)),
    ({"realm_access": {"roles": ["audit"]}}, ("all", 3)),
    ({"groups": ["spendscope-web-admins"]}, ("projects", 3)),
    ({"isAdmin": True, "applications_admin": "web", "isAuditor": True}, ("own", 1)),
])  # fmt: skip
def test_its_claims_are_read_by_the_names_of_the_settings(
    behind: Served, more: dict[str, Any], seen: tuple[str, int]
) -> None:
    for spelled in (token(**more), f"Bearer {token(**more)}"):
        assert reach(asked(behind, spelled)) == seen
    by_hand = {"Authorization": f"Bearer {token(**more)}"}
    assert reach(behind.client.get("/api/v1/query?metrics=events", headers=by_hand)) == seen


def test_a_browser_behind_it_sees_the_page(behind: Served) -> None:
    for path in ("/settings/profile", "/_dash-layout", "/settings/analytics"):
        assert asked(behind, token(), path, Accept="text/html").status_code == 200


@pytest.mark.parametrize("lie", [
    {}, {"X_Forwarded_For": PROXY}, {"X_Real_IP": PROXY}, {"Forwarded": f"for={PROXY}"},
])  # fmt: skip
def test_nobody_else_is_believed(behind: Served, lie: dict[str, Any]) -> None:
    assert asked(behind, token(), peer=STRANGER, **lie).status_code == 401


@pytest.mark.parametrize("wrong", [
    {"key": OTHER}, {"exp": 1}, {"aud": "others"}, {"iss": "https://evil.example"},
    {"preferred_username": None}, {"preferred_username": " "},
])  # fmt: skip
def test_a_wrong_token_is_a_sentence_and_no_way_in(behind: Served, wrong: dict[str, Any]) -> None:
    said = token(**wrong)
    assert asked(behind, said).status_code == 401
    page = asked(behind, said, "/settings/profile", Accept="text/html")
    assert (page.status_code, "Not signed in" in page.text) == (401, True)
    for nothing in ("", "x", "Bearer", f"{said}, {said}"):
        assert asked(behind, nothing).status_code == 401


def test_it_goes_before_the_session_of_a_browser(behind: Served) -> None:
    """Who is somebody else for the proxy now is not who was here before."""
    with closing(State(behind.settings.state_url)) as state:
        add_account(state, "boss", "Boss", is_admin=True)
    client: FlaskClient = behind.app.server.test_client()
    assert sign_in(client, "boss").status_code == 303
    assert reach(client.get("/api/v1/query?metrics=events")) == ("all", 3)
    assert reach(asked(behind, token("eve"), client=client)) == ("own", 1)
    assert asked(behind, "x", client=client).status_code == 401


@pytest.mark.parametrize(("said", "status"), [
    ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
    ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
    ({"Sec_Fetch_Site": "cross-site", "Origin": "http://localhost"}, 403),
    ({"Origin": "http://localhost.evil.example"}, 403),
    ({"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost"}, 200), ({}, 200),
    ({"Sec_Fetch_Site": "none"}, 200), ({"Origin": "http://localhost"}, 200),
])  # fmt: skip
def test_another_site_changes_nothing_through_it(
    behind: Served, said: dict[str, Any], status: int
) -> None:
    """The proxy adds the token to whatever a browser sends, whoever had it do so."""
    path = "/api/v1/preferences"
    assert asked(behind, token(), path, method="PUT", **said).status_code == status
    by_hand = said | {"Authorization": f"Bearer {token()}"}
    assert asked(behind, "", path, STRANGER, "PUT", **by_hand).status_code == status
    assert asked(behind, token(), path, **said).status_code == 200


def test_signing_out_is_the_proxys(behind: Served) -> None:
    page = asked(behind, token(), "/sign-out", Accept="text/html")
    assert (page.status_code, "sign out there" in page.text) == (200, True)
    assert asked(behind, token(), "/sign-out", method="POST").status_code == 403


@pytest.mark.parametrize(("peer", "room"), [(PROXY, LARGEST), (STRANGER, SMALL)])
def test_what_may_be_sent_is_known_before_it_is_read(behind: Served, peer: str, room: int) -> None:
    admin = token(realm_access={"roles": ["platform"]})
    headers = {"HOST": "localhost", HEADER.upper().replace("-", "_"): admin}
    found = behind.app.server.extensions[ROOM]("POST", "/api/v1/imports", headers, peer)
    assert found == room


def test_the_settings_of_the_page_read_what_keycloak_sends(tmp_path: Path) -> None:
    told = preset("Behind an authenticating proxy") | {"DATA_DIR": str(tmp_path)}
    settings = Settings.read({f"SPENDSCOPE_{name}": one for name, one in told.items()})
    assert settings.jwt_header == HEADER
    assert settings.jwt_claims
    keycloak = TOKENS["Keycloak"]
    scope = Scope.of(mapped(keycloak.claims | keycloak.ours, settings.jwt_claims))
    assert (scope.user, scope.everything) == (keycloak.user, True)


@pytest.mark.parametrize(("change", "sentence"), [
    ({"JWT_HEADER": "X Y"}, "JWT_HEADER must be the name"),
    ({"JWT_HEADER": "Authorization"}, "JWT_HEADER must be the name"),
    ({"JWT_HEADER": "Cookie"}, "JWT_HEADER must be the name"),
    ({"TRUSTED_PROXIES": ""}, "TRUSTED_PROXIES is missing"),
    ({"JWKS_URL": "", "JWT_ISSUER": "", "JWT_AUDIENCE": ""}, "JWKS_URL is missing"),
    ({"JWT_CLAIM_SUB": "a b"}, "JWT_CLAIM_SUB is the name of a claim"),
    ({"JWT_APPLICATIONS_PATTERN": "("}, "JWT_APPLICATIONS_PATTERN must be a regular"),
    ({"JWT_ISSUER": "https://accounts.google.com"}, "JWT_REQUIRED_VALUES is missing"),
    ({"JWKS_URL": "", "JWT_ISSUER": "", "JWT_AUDIENCE": "", "JWT_HEADER": "",
      "JWT_CLAIM_SUB": "email"}, "JWKS_URL is missing"),
])  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path: Path, change: dict[str, str], sentence: str) -> None:
    good = {
        "DATA_DIR": str(tmp_path), "JWT_HEADER": HEADER, "TRUSTED_PROXIES": "10.0.0.1",
        "JWKS_URL": "https://x/keys", "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "us",
    }  # fmt: skip
    assert Settings.read({f"SPENDSCOPE_{name}": one for name, one in good.items()}).jwt_header
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_{sentence}"):
        Settings.read({f"SPENDSCOPE_{name}": one for name, one in (good | change).items()})
