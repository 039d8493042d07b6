"""Who is asking: tokens, sessions, the guard of every route, and the pages to come in by."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from argon2 import PasswordHasher
from dash import Dash, html
from flask import Flask, jsonify
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks.access import bundles, sign_in
from callbacks.access.guard import (
    GITHUB,
    GITHUB_CALLBACK,
    OIDC,
    OIDC_CALLBACK,
    OIDC_LOGOUT,
    PUBLIC,
    local_path,
)
from callbacks.access.throttle import MOST_TRIES, Throttle
from callbacks.access.tokens import Tokens
from callbacks.commands import accounts
from data.engines.protocol import EventStore, open_events
from data.errors import Refused, SettingsError, Stranger, TooMany
from data.sample.organisation import PERSONAS
from data.settings import Settings
from data.state import sessions
from data.state.account_changes import change, remove
from data.state.passwords import Passwords
from data.state.store import State
from data.state.tries import SPAN_SECONDS, LocalTries
from tests.accounts import ROOT, add_account
from tests.signing import CURVE, OTHER, PRIVATE, jwk, providing

SECRET = "a secret of more than thirty-two bytes"
PASSWORD = "correct horse"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
WEEK = 7 * 86_400
Make = Callable[..., Flask]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    opened = State(f"sqlite:///{tmp_path / 'state.sqlite'}", Passwords(hasher))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def store() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


@pytest.fixture
def make(tmp_path: Path, state: State, store: EventStore) -> Make:
    """A server as app.py makes one, with a few routes of every sort and Dash on top."""

    def server_of(**told: str) -> Flask:
        server = Flask("server", static_folder=None, root_path=str(tmp_path))
        environ = {"DATA_DIR": str(tmp_path), "JWT_SECRET": SECRET, **told}
        read = Settings.read({f"SPENDSCOPE_{name}": value for name, value in environ.items()})
        dash: list[Dash] = []
        sign_in.attach(server, read, state, store, lambda: dash[0].csp_hashes())
        _add_routes(server)
        bundles.attach(server)
        folder = str(Path(__file__).parents[2] / "assets")
        dash.append(Dash("x", server=server, assets_folder=folder, enable_mcp=False))
        dash[0].layout = html.Div("page")
        return server

    return server_of


def _add_routes(server: Flask) -> None:
    def me() -> Any:
        scope = sign_in.current_scope()
        person = sign_in.current_person()
        return jsonify(
            user=scope.user,
            all=scope.everything,
            projects=sorted(scope.projects),
            name=person.name,
            email=person.email,
        )

    def ok(**_: str) -> str:
        return "ok"

    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    server.add_url_rule("/api/v1/me", "me", me, methods=every)
    server.add_url_rule("/api/v1/events", "events", ok, methods=["GET", "POST"])
    server.add_url_rule("/api/v1/store/<verb>", "work", ok, methods=["GET", "POST"])
    server.add_url_rule("/v1/traces", "traces", ok, methods=every)
    server.add_url_rule("/settings/<path:page>", "settings", ok, methods=every)
    for path in ("/healthz", "/readyz"):
        server.add_url_rule(path, path, ok)


@pytest.fixture
def client(make: Make) -> FlaskClient:
    return make().test_client()


@pytest.fixture
def filled(store: EventStore, event: Callable[..., Any]) -> Iterator[EventStore]:
    store.write([event(source="sample", user=PERSONAS[0].claims["sub"])])
    yield store
    for source in ("sample", "litellm"):
        store.remove(source)


def signed(key: Any = SECRET, algorithm: str = "HS256", kid: str = "k1", **changes: Any) -> str:
    """A good token, but for the changes; a change to None takes the claim away."""
    claims = {"sub": "ana", "exp": int(time.time()) + 600} | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"kid": kid})


def with_token(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def csrf_of(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path, headers=HTML).text)
    assert found
    return found[1]


def send(client: FlaskClient, path: str = "/sign-in", **form: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf_of(client), **form}, headers=HTML)


def local(client: FlaskClient, name: str = "ana", password: str = PASSWORD) -> TestResponse:
    return send(client, name=name, password=password)


def whoami(client: FlaskClient) -> Any:
    answer = client.get("/api/v1/me")
    return answer.json if answer.status_code == 200 else answer.status_code


def message(answer: TestResponse) -> str:
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"]["code"] == "not_signed_in"
    return str(answer.json["error"]["message"])


# --- tokens


def unsigned(**claims: Any) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "ana", "exp": 9_999_999_999} | claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    return b".".join([*coded, b""]).decode()


NUMBER = '{"alg":' + "9" * 9_000 + "}"
LISTED = '{"alg":["HS256"]}'
BAD = {
    "expired": (lambda: signed(exp=int(time.time()) - 60), "has expired"),
    "no exp": (lambda: signed(exp=None), "no exp claim"),
    "exp no number": (lambda: signed(exp="soon"), "(exp) must be an integer"),
    "exp endless": (lambda: signed(exp=float("inf")), "(exp) must be an integer"),
    "no sub": (lambda: signed(sub=None), "no sub claim"),
    "sub a number": (lambda: signed(sub=7), "sub claim is not text"),
    "sub a list": (lambda: signed(sub=["ana"]), "sub claim is not text"),
    "sub blank": (lambda: signed(sub="  "), "names nobody"),
    "sub no text": (lambda: signed(sub="\ud800"), "no Unicode"),
    "too early": (lambda: signed(nbf=int(time.time()) + 600), "not valid yet"),
    "wrong key": (lambda: signed("another secret of more than 32 bytes"), "another key"),
    "alg none": (unsigned, "not signed"),
    "signature cut": (lambda: signed().rpartition(".")[0] + ".", "not signed"),
    "no signature": (lambda: signed().rpartition(".")[0], "no JSON Web Token"),
    "changed": (lambda: _changed(signed()), "another key"),
    "HS512": (lambda: signed(SECRET * 2, "HS512"), "not signed with HS256"),
    "RS256": (lambda: signed(PRIVATE, "RS256"), "not signed with HS256"),
    "rubbish": (lambda: "rubbish", "no JSON Web Token"),
    "rubbish in parts": (lambda: "a.b.c", "no JSON Web Token"),
    "a deep header": (lambda: f"{_coded('[' * 9_000)}.e30.x", "no JSON Web Token"),
    "a long number": (lambda: f"{_coded(NUMBER)}.e30.x", "no JSON Web"),
    "alg a list": (lambda: f"{_coded(LISTED)}.e30.x", "no JSON Web Token"),
    "body a list": (lambda: _mac("HS256", "[1]"), "cannot be read"),
    "body deep": (lambda: _mac("HS256", "[" * 9_000), "cannot be read"),
    "nothing": (lambda: "", "empty"),
    "too long": (lambda: signed(name="x" * 20_000), "too long"),
}


def _coded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _mac(algorithm: str, body: str) -> str:
    """Any body at all, signed with our own secret."""
    return jwt.PyJWS().encode(body.encode(), SECRET, algorithm)


def _changed(token: str) -> str:
    head, _, tail = token.split(".")
    body = json.dumps({"sub": "root", "exp": 9_999_999_999, "isAdmin": True}).encode()
    return ".".join([head, base64.urlsafe_b64encode(body).rstrip(b"=").decode(), tail])


@pytest.mark.parametrize("case", BAD)
def test_a_bad_token_is_refused_in_a_sentence(client: FlaskClient, case: str) -> None:
    make_token, sentence = BAD[case]
    answer = client.get("/api/v1/me", headers=with_token(make_token()))
    assert sentence in message(answer)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_good_token_is_somebody_and_no_session(client: FlaskClient) -> None:
    token = signed(name="Ana", email="ana@example.com", aud="somebody", iss="anybody")
    answer = client.get("/api/v1/me", headers=with_token(token))
    assert answer.json == {
        "user": "ana", "all": False, "projects": [], "name": "Ana", "email": "ana@example.com",
    }  # fmt: skip
    assert "Set-Cookie" not in answer.headers
    assert whoami(client) == 401
    page = client.get("/", headers=with_token(token) | HTML)
    assert page.status_code == 200
    assert "Set-Cookie" not in page.headers


def test_a_clock_may_be_half_a_minute_off(client: FlaskClient) -> None:
    token = signed(exp=int(time.time()) - 15)
    assert client.get("/api/v1/me", headers=with_token(token)).status_code == 200


@pytest.mark.parametrize("spelling", ["bearer {}", "BEARER {}", "Bearer   {}"])
def test_the_scheme_is_read_as_http_means_it(client: FlaskClient, spelling: str) -> None:
    headers = {"Authorization": spelling.format(signed())}
    assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_without_a_secret_no_token_is_taken(make: Make) -> None:
    client = make(JWT_SECRET="").test_client()
    assert "accepts no tokens" in message(client.get("/api/v1/me", headers=with_token(signed())))


def test_a_bad_bearer_is_refused_although_a_session_is_there(
    client: FlaskClient, state: State
) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    local(client)
    bad = client.get("/api/v1/me", headers=with_token(signed(exp=None)))
    assert "no exp claim" in message(bad)
    assert client.get("/settings/profile", headers=with_token("x") | HTML).status_code == 401
    assert whoami(client)["user"] == "ana"


def test_a_bearer_goes_before_the_session(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD, is_admin=True)
    local(client)
    answer = client.post("/api/v1/me", headers=with_token(signed(sub="bob")))
    assert answer.json is not None
    assert (answer.json["user"], answer.json["all"]) == ("bob", False)


@pytest.mark.parametrize(
    ("claim", "everything"),
    [
        (True, True), ("true", True),
        (False, False), ("false", False), (1, False), (0, False), ("TRUE", False),
        ("True", False), (" true", False), ("1", False), ("yes", False), ([True], False),
        (["true"], False), ({"a": 1}, False), (1.0, False), ("", False), (None, False),
    ],
)  # fmt: skip
def test_only_true_is_everything(client: FlaskClient, claim: Any, everything: bool) -> None:
    answer = client.get("/api/v1/me", headers=with_token(signed(isAdmin=claim)))
    assert answer.json is not None
    assert answer.json["all"] is everything


@pytest.mark.parametrize(
    ("claim", "projects"),
    [
        ("a", ["a"]), ("a,b", ["a", "b"]), (" a , ,b, ", ["a", "b"]), ("", []),
        (["a", "b"], ["a", "b"]), (["a,b", " c "], ["a", "b", "c"]),
        (["a, ,b", "", 7, None], ["a", "b"]),
        ([["a"]], []), ({"a": 1}, []), (7, []), (True, []), (None, []), ("A,a", ["A", "a"]),
    ],
)  # fmt: skip
def test_projects_to_administer(client: FlaskClient, claim: Any, projects: list[str]) -> None:
    token = signed(applications_admin=claim, applications="x,y", Applications_Admin="z")
    answer = client.get("/api/v1/me", headers=with_token(token))
    assert answer.json is not None
    assert answer.json["projects"] == projects


# --- an identity provider's keys


@pytest.fixture
def provider() -> Iterator[str]:
    """A key set over http, with an RSA and an elliptic key."""
    with providing({"keys": [jwk(PRIVATE, "k1"), jwk(CURVE, "k2")]}) as one:
        yield one.url


def keyed(make: Make, url: str) -> FlaskClient:
    told = {"JWKS_URL": url, "JWT_ISSUER": "https://idp", "JWT_AUDIENCE": "spendscope"}
    return make(JWT_SECRET="", **told).test_client()


THEIRS: dict[str, Any] = {"iss": "https://idp", "aud": "spendscope"}


def test_a_provider_vouches_with_either_key(make: Make, provider: str) -> None:
    client = keyed(make, provider)
    assert client.get("/api/v1/me", headers=with_token(signed(PRIVATE, "RS256", **THEIRS))).is_json
    claims = {"sub": "bob", "exp": int(time.time()) + 60, "aud": ["x", "spendscope"]}
    token = jwt.encode(claims | {"iss": "https://idp"}, CURVE, "ES256", headers={"kid": "k2"})
    answer = client.get("/api/v1/me", headers=with_token(token))
    assert answer.json is not None
    assert answer.json["user"] == "bob"


def _confused() -> str:
    """HS256, keyed with the provider's public key: the classic way to forge a token."""
    from cryptography.hazmat.primitives import hashes, hmac, serialization

    public = PRIVATE.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = ({"alg": "HS256", "kid": "k1"}, THEIRS | {"sub": "ana", "exp": 9_999_999_999})
    text = b".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts)
    mac = hmac.HMAC(public, hashes.SHA256())
    mac.update(text)
    return (text + b"." + base64.urlsafe_b64encode(mac.finalize()).rstrip(b"=")).decode()


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (lambda: signed(PRIVATE, "RS256", **THEIRS | {"aud": "other"}), "another audience"),
        (lambda: signed(PRIVATE, "RS256", **THEIRS | {"aud": None}), "no aud claim"),
        (lambda: signed(PRIVATE, "RS256", **THEIRS | {"iss": "https://eve"}), "another issuer"),
        (lambda: signed(PRIVATE, "RS256", **THEIRS | {"iss": None}), "no iss claim"),
        (lambda: signed(OTHER, "RS256", **THEIRS), "another key"),
        (lambda: signed(CURVE, "ES256", **THEIRS), "cannot be read"),
        (lambda: signed(PRIVATE, "RS256", kid="k9"), "key set does not hold"),
        (lambda: jwt.encode({"sub": "a", "exp": 9e9}, PRIVATE, "RS256"), "key set does not hold"),
        (lambda: signed(**THEIRS), "not signed with RS256 or ES256"),
        (_confused, "not signed with RS256 or ES256"),
        (unsigned, "not signed"),
    ],
)  # fmt: skip
def test_what_no_provider_vouched_for(
    make: Make, provider: str, token: Callable[[], str], sentence: str
) -> None:
    client = keyed(make, provider)
    assert sentence in message(client.get("/api/v1/me", headers=with_token(token())))


def test_a_provider_that_is_away(make: Make) -> None:
    client = keyed(make, "http://127.0.0.1:9/keys")
    token = signed(PRIVATE, "RS256", **THEIRS)
    assert "cannot be checked now" in message(client.get("/api/v1/me", headers=with_token(token)))


def test_a_key_set_is_an_http_address(make: Make) -> None:
    with pytest.raises(SettingsError, match="SPENDSCOPE_JWKS_URL"):
        keyed(make, "file:///etc/passwd")


# --- the guard

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LINKED = ("/setup", "/set-password")
DOORS = {
    *(("/healthz", m) for m in ("GET", "HEAD")),
    *(("/readyz", m) for m in ("GET", "HEAD")),
    *(("/metrics", m) for m in ("GET", "HEAD")),
    *(("/_favicon.ico", m) for m in ("GET", "HEAD")),
    *(("/assets/<path:filename>", m) for m in ("GET", "HEAD")),
    *(("/assets/bundle.css", m) for m in ("GET", "HEAD")),
    *(("/assets/bundle.js", m) for m in ("GET", "HEAD")),
    *(("/sign-in", m) for m in ("GET", "HEAD", "POST")),
    *((path, m) for path in LINKED for m in ("GET", "HEAD", "POST")),
    ("/api/v1/events", "POST"),
    ("/api/v1/store/<verb>", "POST"),
    ("/v1/traces", "POST"),
}


def _walked(server: Flask) -> Iterator[tuple[str, str, str]]:
    for rule in server.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "bootstrap.min.css", rule.rule)
        for method in METHODS:
            yield rule.rule, path, method


@pytest.mark.parametrize("headers", [{}, HTML, {"Accept": "application/json"}])
def test_strangers_get_no_further_than_the_doors(make: Make, headers: dict[str, str]) -> None:
    server = make()
    client = server.test_client()
    client.get("/healthz")  # Dash adds its routes with the first request
    passed = set()
    rules = set()
    for rule, path, method in list(_walked(server)):
        answer = client.open(path, method=method, headers=headers)
        answer.close()
        rules.add(rule)
        sent_away = answer.status_code == 302 and answer.location.startswith("/sign-in")
        if answer.status_code != 401 and not sent_away:
            passed.add((rule, method))
    assert {"/", "/<path:path>", "/_dash-layout", "/_dash-update-component"} <= rules
    # Without its link or key either says so, with 401 for a status.
    keyed = (*LINKED, "/metrics")
    assert passed == DOORS - {(path, method) for path in keyed for method in ("GET", "HEAD")}


def test_every_open_rule_is_one_we_named() -> None:
    provider = {OIDC, OIDC_CALLBACK, OIDC_LOGOUT, GITHUB, GITHUB_CALLBACK}  # where there is one
    named = {rule for rule, _ in DOORS} - {"/v1/traces"} | {"/favicon.ico"} | provider
    assert named == set(PUBLIC)


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/v1/unknown", "/assets", "/sign-in/", "/healthz/x", "/SIGN-IN", "//assets/x",
     "/%61ssets/../api/v1/me", "/assets/../_dash-layout", "/assets/%2e%2e/_dash-layout",
     "/api/v1/events/", "/favicon.ico"],
)  # fmt: skip
def test_paths_that_look_like_doors(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (302, 308, 401, 404)
    assert b"_dash-renderer" not in answer.data
    assert b"page" not in answer.data
    follow = client.get(path, follow_redirects=True)
    assert b"_dash-renderer" not in follow.data


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/sign-in?next=%2F"),
        ("/settings/x?n=3&user=me", "/sign-in?next=%2Fsettings%2Fx%3Fn%3D3%26user%3Dme"),
        ("/settings/a%3Fb", "/sign-in?next=%2Fsettings%2Fa%253Fb"),
        ("/sign-out", "/sign-in"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [HTML, {}, {"Accept": "*/*"}])
def test_a_page_leads_to_sign_in_and_back(
    client: FlaskClient, path: str, target: str, headers: dict[str, str]
) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.location) == (302, target)


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/settings/analytics", "GET", {"Accept": "application/json"}),
        ("/settings/analytics", "POST", HTML),
        ("/api/v1/me", "GET", HTML),
        ("/_dash-layout", "GET", HTML),
        ("/_reload-hash", "GET", HTML),
        ("/_dash-component-suites/dash/deps/polyfill.js", "GET", HTML),
        ("/api/v1/events", "GET", HTML),
    ],
)
def test_scripts_are_told_instead(
    client: FlaskClient, path: str, method: str, headers: dict[str, str]
) -> None:
    assert "sign in first" in message(client.open(path, method=method, headers=headers))


def test_outside_a_request_nobody_asks() -> None:
    with pytest.raises(Stranger):
        sign_in.current_scope()


# --- where to go after signing in


@pytest.mark.parametrize(
    "path", ["/", "/settings/analytics?n=3&user=a%20b", "/a//b", "/?x=https://b.example", "/ü"]
)
def test_local_paths_stay(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", None, "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
     "javascript:alert(1)", "evil.example", "/\t/evil.example", "/\n/evil.example",
     " //evil.example", "/x\r\nSet-Cookie: a=b", "http:/evil.example", "///evil.example",
     "/x\\..\\y", "/" + "x" * 3_000, "/sign-in", "/sign-out?x=1", "/setup",
     "/sign-in/oidc", "/sign-in/oidc/callback?code=x"],
)  # fmt: skip
def test_other_places_do_not(path: str | None) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize(
    ("given", "reached"),
    [("/settings/analytics?n=3", "/settings/analytics?n=3"), ("//evil.example", "/"), ("", "/")],
)
def test_signing_in_goes_there(client: FlaskClient, state: State, given: str, reached: str) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    shown = client.get("/sign-in", query_string={"next": given}, headers=HTML).text
    assert f'name="next" value="{reached}"' in shown
    answer = send(client, name="ana", password=PASSWORD, next=given)
    assert (answer.status_code, answer.location) == (303, reached)


# --- accounts


def test_an_account_signs_in_and_out(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD, "ana@example.com", applications_admin=["p"])
    assert local(client, "ana@example.com").status_code == 303
    assert whoami(client) == {
        "user": "ana", "all": False, "projects": ["p"], "name": "Ana", "email": "ana@example.com",
    }  # fmt: skip
    asked = client.get("/sign-out", headers=HTML)
    assert "Ana" in asked.text
    assert whoami(client)["user"] == "ana"
    answer = client.post("/sign-out", data={"csrf_token": csrf_of(client, "/sign-out")})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert whoami(client) == 401
    assert client.get_cookie("spendscope") is None
    assert client.get_cookie("_csrf_token") is None


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("ana", "")]
)
def test_wrong_words_are_one_sentence_and_nothing_is_lost(
    client: FlaskClient, state: State, name: str, password: str
) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    answer = send(client, name=name, password=password, next="/settings/profile")
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert f'name="name" value="{name}"' in answer.text
    assert 'name="next" value="/settings/profile"' in answer.text
    assert whoami(client) == 401


def test_what_was_typed_is_shown_as_text(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    answer = send(client, name='"><script>x</script>', password="wrong horse")
    assert "<script" not in answer.text


def test_changed_claims_count_from_the_next_request(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD, is_admin=True)
    local(client)
    assert whoami(client)["all"] is True
    add_account(state, "bob", "Bob", PASSWORD, is_admin=True)
    change(state, ROOT, "ana", {"isAdmin": False, "applications_admin": "p"})
    assert (whoami(client)["all"], whoami(client)["projects"]) == (False, ["p"])


def test_a_removed_account_is_out_and_a_namesake_is_another(
    client: FlaskClient, state: State
) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    local(client)
    kept = client.get_cookie("spendscope")
    assert kept is not None
    remove(state, ROOT, "ana")
    assert "no longer there" in message(client.get("/api/v1/me"))
    assert "This account is no longer there." in client.get("/sign-in", headers=HTML).text
    assert "no longer there" not in client.get("/sign-in", headers=HTML).text
    assert whoami(client) == 401
    add_account(state, "ana", "Another Ana", PASSWORD)
    client.set_cookie("spendscope", kept.value)
    assert "no longer there" in message(client.get("/api/v1/me"))


def test_passwords_can_be_switched_off(make: Make, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    client = make(SIGN_IN="local").test_client()
    local(client)
    kept = client.get_cookie("spendscope")
    assert kept is not None
    demo_only = make(SIGN_IN="demo").test_client()
    assert local(demo_only).status_code == 401
    demo_only.set_cookie("spendscope", kept.value)
    assert whoami(demo_only) == 401


def test_a_session_starts_with_nothing_of_the_one_before(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    before = csrf_of(client)
    local(client)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert "ana" not in str(dict(session))
    assert client.post("/api/v1/me", headers={"X-CSRFToken": before}).status_code == 400


@pytest.mark.parametrize("key", ["account:0:ana", "", "demo:", 7, None, ["x"], {"a": 1}, "\ud800"])
def test_a_session_of_nobody_is_nobody(client: FlaskClient, key: Any) -> None:
    with client.session_transaction() as session:
        session["_user_id"] = key
    assert whoami(client) == 401


def test_a_forged_session_is_nobody(client: FlaskClient) -> None:
    client.set_cookie("spendscope", "eyJfdXNlcl9pZCI6ImEifQ.aaaaaa.bbbbbbbb")
    assert whoami(client) == 401


def test_a_session_lasts_twelve_hours(
    client: FlaskClient, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    local(client)
    cookie = client.get_cookie("spendscope")
    assert cookie is not None
    now = time.time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 11.9 * 3_600)
    client.set_cookie("spendscope", cookie.value)
    assert whoami(client)["user"] == "ana"
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 12.1 * 3_600)
    client.set_cookie("spendscope", cookie.value)
    assert whoami(client) == 401


# --- guessing


def test_guessing_is_paused(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    add_account(state, "bob", "Bob", PASSWORD)
    for _ in range(MOST_TRIES):
        assert local(client, "ana", "wrong horse").status_code == 401
    answer = local(client, "ana ", PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= SPAN_SECONDS
    assert "Too many tries" in answer.text
    assert 'value="ana "' in answer.text
    assert local(client, "bob").status_code == 303


def test_the_right_password_clears_the_count(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    for _ in range(3):
        for _ in range(MOST_TRIES - 1):
            local(client, "ana", "wrong horse")
        assert local(client).status_code == 303


def test_a_pause_ends_by_itself() -> None:
    now = [0.0]
    throttle = Throttle(LocalTries(lambda: now[0]))
    for _ in range(MOST_TRIES):
        assert throttle.check("ana", "1.2.3.4", lambda: None) is None
    now[0] = SPAN_SECONDS - 0.5
    with pytest.raises(TooMany) as refused:
        throttle.check("ana", "1.2.3.4", lambda: None)
    assert refused.value.seconds == 1
    assert throttle.check("bob", "1.2.3.4", lambda: None) is None
    now[0] = SPAN_SECONDS
    assert throttle.check("ana", "1.2.3.4", lambda: "in") == "in"


# --- the demo


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.key)
def test_a_persona_comes_in(filled: EventStore, client: FlaskClient, persona: Any) -> None:
    page = client.get("/sign-in", headers=HTML).text
    assert page.count('<button type="submit" name="persona"') == len(PERSONAS)
    assert f'data-testid="persona-{persona.key}"' in page
    assert send(client, persona=persona.key, next="/settings/analytics").status_code == 303
    me = whoami(client)
    assert me["user"] == persona.claims["sub"]
    assert me["all"] is persona.claims["isAdmin"]
    assert me["projects"] == sorted(persona.claims["applications_admin"])


def test_the_demo_ends_when_real_data_arrives(
    filled: EventStore, client: FlaskClient, state: State, event: Callable[..., Any]
) -> None:
    send(client, persona="platform-admin")
    assert whoami(client)["all"] is True
    filled.write([event(source="litellm")])
    assert "the demo has ended" in message(client.get("/api/v1/me"))
    page = client.get("/sign-in", headers=HTML).text
    assert "The demo has ended: this server holds real data now." in page
    assert "persona-" not in page
    add_account(state, "ana", "Ana", PASSWORD)
    assert 'data-testid="sign-in-name"' in client.get("/sign-in", headers=HTML).text
    refused = send(client, persona="platform-admin")
    assert refused.status_code == 401
    assert "The demo has ended" in refused.text
    assert "The demo" not in client.get("/sign-in", headers=HTML).text
    assert whoami(client) == 401


def test_the_demo_needs_sample_data(client: FlaskClient) -> None:
    assert "persona-" not in client.get("/sign-in", headers=HTML).text
    refused = send(client, persona="user")
    assert refused.status_code == 401
    assert "no sample data" in refused.text


def test_the_demo_can_be_switched_off(filled: EventStore, make: Make) -> None:
    open_client = make().test_client()
    send(open_client, persona="user")
    kept = open_client.get_cookie("spendscope")
    assert kept is not None
    client = make(SIGN_IN="local").test_client()
    assert "persona-" not in client.get("/sign-in", headers=HTML).text
    assert send(client, persona="user").status_code == 401
    client.set_cookie("spendscope", kept.value)
    assert "switched off" in message(client.get("/api/v1/me"))


def test_nobody_is_a_persona_by_another_name(filled: EventStore, client: FlaskClient) -> None:
    assert send(client, persona="root").status_code == 401


# --- a pasted token


def test_a_pasted_token_is_a_session_until_it_expires(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = send(client, token=f" {signed(isAdmin='true', secret='x')}\n", next="/settings/x")
    assert (answer.status_code, answer.location) == (303, "/settings/x")
    assert whoami(client)["all"] is True
    with client.session_transaction() as session:
        assert set(session) == {"_user_id", "_permanent"}
    later = sessions.now() + 601_000_000
    monkeypatch.setattr(sessions, "now", lambda: later)
    assert "session is over" in message(client.get("/api/v1/me"))
    with client.session_transaction() as session:
        assert set(session) == {"note"}


def test_a_bad_pasted_token_is_told_on_the_page(client: FlaskClient) -> None:
    answer = send(client, token=signed(exp=None))
    assert answer.status_code == 401
    assert "The token has no exp claim." in answer.text
    assert whoami(client) == 401


def test_a_token_of_many_claims_is_a_session_with_a_small_cookie(client: FlaskClient) -> None:
    names = [f"project-{n:04}" for n in range(600)]
    assert send(client, token=signed(applications_admin=names)).status_code == 303
    assert whoami(client)["projects"] == names
    cookie = client.get_cookie("spendscope")
    assert cookie
    assert len(cookie.value) < 400


def test_the_page_offers_tokens_only_where_they_can_be_checked(make: Make) -> None:
    assert 'data-testid="sign-in-token"' in make().test_client().get("/sign-in").text
    assert "sign-in-token" not in make(JWT_SECRET="").test_client().get("/sign-in").text


def test_a_page_with_no_way_in_says_what_to_do(make: Make) -> None:
    page = make(JWT_SECRET="").test_client().get("/sign-in").text
    assert "spendscope account add" in page
    assert "one-time link" in page
    assert "<input id" not in page
    page = make(JWT_SECRET="", SIGN_IN="demo").test_client().get("/sign-in").text
    assert "SPENDSCOPE_SIGN_IN=local" in page


# --- forged requests


def test_a_form_from_elsewhere_is_refused(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    for csrf in ({}, {"csrf_token": "x"}, {"csrf_token": "x" + csrf_of(client)[1:]}):
        answer = client.post("/sign-in", data={"name": "ana", "password": PASSWORD, **csrf})
        assert answer.status_code == 400
        assert "too old, or was not sent from here" in answer.text
    assert whoami(client) == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_writes_only_with_its_own_token(
    client: FlaskClient, state: State, method: str
) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    local(client)
    refused = client.open("/api/v1/me", method=method, json={})
    assert refused.status_code == 400
    assert refused.json is not None
    assert set(refused.json) == {"error"}
    client.get("/", headers=HTML)
    cookie = client.get_cookie("_csrf_token")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site) == (False, "Lax")
    headers = {"X-CSRFToken": cookie.value}
    assert client.open("/api/v1/me", method=method, json={}, headers=headers).status_code == 200


def test_dash_writes_with_it_too(client: FlaskClient, state: State) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    local(client)
    client.get("/", headers=HTML)
    cookie = client.get_cookie("_csrf_token")
    assert cookie is not None
    assert client.post("/_dash-update-component", json={}).status_code == 400
    assert client.post("/sign-out").status_code == 400
    assert whoami(client)["user"] == "ana"


def test_who_is_not_signed_in_is_told_that_first(client: FlaskClient) -> None:
    assert client.post("/_dash-update-component", json={}).status_code == 401
    assert client.post("/sign-out").location == "/sign-in"


# --- the one-time link


def test_the_link_works_once(client: FlaskClient, state: State) -> None:
    token = state.setup_token() or ""
    path = f"/setup?token={token}"
    form = {"csrf_token": csrf_of(client, path), "token": token, "user": "ana", "name": "Ana"}
    short = client.post("/setup", data=form | {"password": "short"})
    assert short.status_code == 400
    assert "at least 10 characters" in short.text
    assert 'value="ana"' in short.text
    assert "short" not in re.sub(r"class=\S+", "", short.text).replace("A password", "")
    made = client.post("/setup", data=form | {"password": PASSWORD, "email": " "})
    assert (made.status_code, made.location) == (303, "/")
    assert (whoami(client)["user"], whoami(client)["all"]) == ("ana", True)
    again = client.get(path)
    assert again.status_code == 401
    assert "no longer works" in again.text
    token_now = csrf_of(client, "/sign-out")
    eve = form | {"user": "eve", "password": PASSWORD, "csrf_token": token_now}
    assert client.post("/setup", data=eve).status_code == 401
    assert state.account("eve") is None


@pytest.mark.parametrize("query", ["", "?token=", "?token=guess", "?token=%00"])
def test_without_the_link_there_is_no_setup(client: FlaskClient, state: State, query: str) -> None:
    state.setup_token()
    assert client.get(f"/setup{query}").status_code == 401
    assert 'name="password"' not in client.get(f"/setup{query}").text


def test_no_setup_where_passwords_are_switched_off(make: Make, state: State) -> None:
    token = state.setup_token()
    assert make(SIGN_IN="demo").test_client().get(f"/setup?token={token}").status_code == 401


# --- headers and cookies


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/v1/me", "/nowhere", "/healthz"])
def test_every_answer_is_sealed(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert re.search(r"script-src 'self' 'sha256-[^']+';", policy)
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_published_code_may_be_kept(client: FlaskClient) -> None:
    answer = client.get("/assets/sign-in.css")
    answer.close()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] != "no-store"
    assert "immutable" not in answer.headers["Cache-Control"]


def test_a_file_with_its_time_in_the_address_is_kept_for_good(client: FlaskClient) -> None:
    for path, kept in (("/assets/sign-in.css?m=1", True), ("/assets/none.css?m=1", False)):
        answer = client.get(path)
        answer.close()
        assert ("immutable" in answer.headers.get("Cache-Control", "")) is kept


def test_the_page_brings_nothing_from_elsewhere(filled: EventStore, client: FlaskClient) -> None:
    page = client.get("/sign-in", headers=HTML).text
    assert "<script" not in page
    assert " style=" not in page
    linked = set(re.findall(r'<link[^>]+href="(/[^"?]+)', page))
    assert {one for one in linked if not one.endswith(".woff2")} == {
        "/assets/bootstrap.min.css",
        "/assets/inter.css",
        "/assets/sign-in.css",
    }
    assert not re.findall(r'(?:src|href|action)="https?:', page)


@pytest.mark.parametrize("secure", [False, True])
def test_the_cookie_keeps_to_itself(make: Make, state: State, secure: bool) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    client = make().test_client()
    client.environ_base["wsgi.url_scheme"] = "https" if secure else "http"
    base = "https://localhost" if secure else "http://localhost"
    found = re.search(r'csrf_token" value="([^"]+)"', client.get("/sign-in", base_url=base).text)
    assert found
    form = {"csrf_token": found[1], "name": "ana", "password": PASSWORD}
    answer = client.post("/sign-in", data=form, base_url=base)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-spendscope=" if secure else "spendscope=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ("Secure" in cookie) is secure


# --- commands


def _read(tmp_path: Path, **told: str) -> Settings:
    told["DATA_DIR"] = str(tmp_path)
    return Settings.read({f"SPENDSCOPE_{name}": value for name, value in told.items()})


def test_a_token_of_ours_is_taken_by_us(tmp_path: Path, client: FlaskClient) -> None:
    settings = _read(tmp_path, JWT_SECRET=SECRET)
    token = accounts.token(
        settings, "ana", "a@b.c", admin=False, applications="x", applications_admin="p,q"
    )
    answer = client.get("/api/v1/me", headers=with_token(token))
    assert answer.json is not None
    assert (answer.json["user"], answer.json["projects"]) == ("ana", ["p", "q"])
    claims = Tokens(settings).verify(accounts.token(settings, "bob", admin=True, ttl=60))
    assert set(claims) == {"sub", "isAdmin", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 5


def test_no_token_without_secret_name_or_time(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SPENDSCOPE_JWT_SECRET"):
        accounts.token(_read(tmp_path), "ana")
    settings = _read(tmp_path, JWT_SECRET=SECRET)
    for words in ({"sub": " "}, {"sub": "ana", "ttl": 0}):
        with pytest.raises(Refused) as refusal:
            accounts.token(settings, **words)
        assert refusal.value.parameter == list(words)[-1]


def test_an_account_is_added_from_a_prompt(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter([PASSWORD, PASSWORD, PASSWORD, "another one"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    given = accounts.Given({"isAdmin": True, "applications": "a,b"})
    settings = _read(tmp_path)
    assert list(accounts.run("add", "ana", state, settings, given)) == [
        "Added the account ana (ana)."
    ]
    account = state.verify("ana", PASSWORD)
    assert account is not None
    assert (account.is_admin, account.applications) == (True, ("a", "b"))
    with pytest.raises(Refused, match="differ"):
        list(accounts.run("add", "bob", state, settings, accounts.Given({})))
    assert state.account("bob") is None


def test_an_account_is_added_from_a_pipe(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\r\nmore\n"))
    given = accounts.Given({}, password_stdin=True)
    assert list(accounts.run("add", "ana", state, _read(tmp_path), given))
    assert state.verify("ana", PASSWORD)
