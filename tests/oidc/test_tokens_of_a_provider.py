"""What a provider signs and what it says of itself: what is believed, and what is not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

import jwt
import pytest

from callbacks.access import oidc
from callbacks.access.oidc import LOGOUT_EVENT, Logout
from callbacks.access.oidc import Provider as Door
from data.errors import Away, Lapsed, SpendscopeError, Stranger
from data.identity.provider import read_oidc
from tests.signing import CURVE, OTHER, PRIVATE, Provider, jwk, providing

US: Final = "spendscope"


@pytest.fixture
def keys() -> Iterator[Provider]:
    with providing({"keys": [jwk(PRIVATE, "k1"), jwk(CURVE, "k2")]}) as one:
        yield one


@pytest.fixture
def provider(keys: Provider) -> Provider:
    """Its issuer is where the keys are, too."""
    issuer = keys.url.removesuffix("/keys")
    document = {
        "issuer": issuer, "jwks_uri": keys.url, "token_endpoint": f"{issuer}/token",
        "authorization_endpoint": f"{issuer}/auth",
    }  # fmt: skip
    keys.also["/.well-known/openid-configuration"] = document
    return keys


@pytest.fixture
def door(provider: Provider) -> Door:
    settings = read_oidc({"OIDC_ISSUER": provider.url.removesuffix("/keys"), "OIDC_CLIENT_ID": US})
    assert settings
    return Door(settings, "http://localhost/sign-in/oidc/callback")


def signed(provider: Provider, key: Any = PRIVATE, algorithm: str = "RS256", kid: Any = "k1",
           **changes: Any) -> str:  # fmt: skip
    """A good ID token, but for the changes; a change to None takes the claim away."""
    now = int(time.time())
    claims = {"iss": provider.url.removesuffix("/keys"), "aud": US, "sub": "ana",
              "iat": now, "exp": now + 300} | changes  # fmt: skip
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(kept, key, algorithm, headers={"kid": kid} if kid else {})


@pytest.mark.parametrize("more", [
    {}, {"aud": [US]}, {"aud": [US, "other"], "azp": US}, {"azp": US},
    {"key": CURVE, "algorithm": "ES256", "kid": "k2"},
])  # fmt: skip
def test_a_token_for_us_is_believed(door: Door, provider: Provider, more: dict[str, Any]) -> None:
    assert door.verified(signed(provider, **more))["sub"] == "ana"


@pytest.mark.parametrize("more", [
    {"aud": "other"}, {"aud": ["other"]}, {"aud": [US, "other"]}, {"aud": None}, {"aud": []},
    {"aud": [US, "other"], "azp": "other"}, {"azp": "other"}, {"azp": ""},
    {"iss": "https://evil.example"}, {"iss": None}, {"sub": None}, {"sub": 7}, {"sub": ["ana"]},
    {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"iat": None}, {"iat": int(time.time()) + 3_600},
    {"nbf": int(time.time()) + 3_600}, {"key": OTHER}, {"kid": "k9"}, {"kid": None},
    {"key": CURVE, "algorithm": "ES256"}, {"kid": "k2"},
    {"key": "x" * 64, "algorithm": "HS256"}, {"key": PRIVATE, "algorithm": "RS512"},
])  # fmt: skip
def test_any_other_is_not(door: Door, provider: Provider, more: dict[str, Any]) -> None:
    with pytest.raises(Stranger, match="identity provider's token"):
        door.verified(signed(provider, **more))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "x" * 20_000, "..", "e30.e30."])
def test_nor_is_what_is_no_token(door: Door, token: str) -> None:
    with pytest.raises(Stranger):
        door.verified(token)


def logout(**changes: Any) -> dict[str, Any]:
    return {"events": {LOGOUT_EVENT: {}}, "jti": "1", "sid": "s1", "exp": None} | changes


def test_a_logout_token_names_person_or_session(door: Door, provider: Provider) -> None:
    for more, subject, sid in (
        ({}, "ana", "s1"),
        ({"sub": None}, "", "s1"),
        ({"sid": None}, "ana", ""),
    ):
        found = door.logout(signed(provider, **logout(**more)))
        assert (found.subject, found.sid) == (subject, sid)
        assert isinstance(found, Logout)


@pytest.mark.parametrize("more", [
    {"events": None}, {"events": {}}, {"events": {LOGOUT_EVENT: None}}, {"events": [LOGOUT_EVENT]},
    {"events": LOGOUT_EVENT}, {"nonce": "n"}, {"jti": None}, {"sub": None, "sid": None},
    {"sub": 7, "sid": None}, {"iat": int(time.time()) - 400}, {"iat": None}, {"aud": "other"},
    {"iss": "https://evil.example"}, {"key": OTHER}, {"exp": 1}, {"iat": "soon"},
    {"iat": str(int(time.time()) - 400)},
])  # fmt: skip
def test_what_is_no_logout_token_ends_nothing(
    door: Door, provider: Provider, more: dict[str, Any]
) -> None:
    with pytest.raises(Stranger):
        door.logout(signed(provider, **logout(**more)))


# --- what it says of itself


@pytest.mark.parametrize("change", [
    {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": None},
    {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": "javascript:alert(1)"},
    {"jwks_uri": 7},
])  # fmt: skip
def test_a_document_that_is_not_its_own_is_not_used(
    door: Door, provider: Provider, change: dict[str, Any]
) -> None:
    provider.also["/.well-known/openid-configuration"] |= change
    with pytest.raises(Away):
        door.document()


def test_it_is_read_once_an_hour_and_kept_while_it_is_away(
    door: Door, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(oidc, "monotonic", lambda: now[0])
    for _ in range(3):
        assert door.document()["issuer"]
    assert provider.asked == 1
    provider.status = 500
    now[0] += oidc.FRESH_SECONDS
    for _ in range(3):
        assert door.document()["issuer"]
    assert provider.asked == 2
    provider.status = 200
    provider.also["/.well-known/openid-configuration"]["end_session_endpoint"] = "http://x/end"
    now[0] += oidc.PAUSE_SECONDS
    assert door.sign_out_url("", "http://localhost/sign-in") == (
        "http://x/end?client_id=spendscope"
        "&post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Fsign-in"
    )


def test_a_provider_without_such_a_place_signs_nobody_out(door: Door) -> None:
    assert door.sign_out_url("x", "http://localhost/sign-in") is None


@pytest.mark.parametrize(("status", "error", "kind"), [
    (400, "invalid_grant", Stranger), (400, "temporarily_unavailable", Away),
    (503, "", Away), (200, "", Away), (401, "invalid_client", Stranger),
])  # fmt: skip
def test_a_refusal_is_told_from_a_failure(
    door: Door, provider: Provider, status: int, error: str, kind: type[SpendscopeError]
) -> None:
    """Only who is refused is out."""
    door.document()
    provider.also["/token"] = {"error": error} if error else ["no object"]
    provider.status = status
    tokens = {"refresh_token": "r", "id_token": signed(provider)}
    with pytest.raises(kind):
        door.ask_again(tokens, "ana")


def test_a_refresh_for_somebody_else_is_refused(door: Door, provider: Provider) -> None:
    door.document()
    tokens = {"refresh_token": "r", "id_token": signed(provider)}
    answer = {"access_token": "a", "token_type": "Bearer", "id_token": signed(provider, sub="eve")}
    provider.also["/token"] = answer
    with pytest.raises(Stranger, match="somebody else"):
        door.ask_again(tokens, "ana")
    provider.also["/token"] = answer | {"id_token": signed(provider, isAdmin=True)}
    granted = door.ask_again(tokens, "ana")
    assert granted.claims["isAdmin"] is True
    assert granted.tokens["refresh_token"] == "r"
    provider.also["/token"] = {"access_token": "b", "token_type": "Bearer"}
    assert door.ask_again(tokens, "ana").tokens["access_token"] == "b"


@pytest.mark.parametrize(("told", "good"), [
    ({}, False), ({"groups": ["staff"]}, True), ({"groups": []}, True), ({"roles": ["x"]}, False),
])  # fmt: skip
@pytest.mark.parametrize("refresh", [False, True])
def test_a_right_that_nothing_says_anew_is_not_believed(
    provider: Provider, told: dict[str, Any], good: bool, refresh: bool
) -> None:
    """The ID token of the sign-in says what was, also where a refresh brings no other."""
    issuer = provider.url.removesuffix("/keys")
    also, one = "/.well-known/openid-configuration", {"access_token": "a", "token_type": "Bearer"}
    provider.also[also] |= {"userinfo_endpoint": f"{issuer}/me"}
    provider.also |= {"/me": {"sub": "ana"} | told, "/token": one}
    groups = {"OIDC_CLAIM_ADMIN": "groups", "OIDC_ADMIN_ROLES": "boss"}
    settings = read_oidc({"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": US} | groups)
    assert settings
    here = Door(settings, "http://localhost/sign-in/oidc/callback")
    tokens = {"id_token": signed(provider, groups=["boss"]), "access_token": "a"}
    tokens |= {"refresh_token": "r"} if refresh else {}
    if good:
        assert here.ask_again(tokens, "ana").claims["isAdmin"] is False
        return
    with pytest.raises(Lapsed, match="at a sign-in alone"):
        here.ask_again(tokens, "ana")
    plain = tokens | {"id_token": signed(provider)}
    assert here.ask_again(plain, "ana").claims["isAdmin"] is False


def test_an_access_token_that_is_too_old_says_nothing_against_anybody(
    door: Door, provider: Provider
) -> None:
    """Their session is over; what was confirmed of them stays for their API tokens."""
    tokens = {"id_token": signed(provider), "access_token": "x", "lapses": "1"}
    with pytest.raises(Lapsed, match="has lapsed"):
        door.ask_again(tokens, "ana")
    with pytest.raises(Stranger) as refused:
        door.ask_again(tokens, "eve")
    assert not isinstance(refused.value, Lapsed)
