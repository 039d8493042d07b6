"""An identity provider (OpenID Connect): authorisation code with PKCE, and what became of
somebody's rights since. The ID tokens are verified here, with the provider's key set.

What the provider knows is in its discovery document, read anew every hour.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import Any, Final
from urllib.parse import urlencode

import jwt

from callbacks.access.key_set import KeySet
from callbacks.access.provider import (
    AWAY,
    ENDED,
    OTHER,
    TIMEOUT_SECONDS,
    Claims,
    Granted,
    Pending,
    asked,
    fetched,
    is_http,
)
from callbacks.access.tokens import LARGEST, LEEWAY_SECONDS
from data.errors import Away, Lapsed, Stranger
from data.identity.claims import mapped
from data.identity.provider import OidcSettings
from data.settings import KEY_ALGORITHMS

FRESH_SECONDS: Final = 3_600
PAUSE_SECONDS: Final = 10
OLDEST_LOGOUT_SECONDS: Final = 300
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
UNCONFIRMED: Final = (
    "the identity provider says your rights at a sign-in alone: sign in again, or have it give"
    " refresh tokens"
)
ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose sessions a provider ends, or which one, where it began before."""

    subject: str
    sid: str
    before: int  # seconds


class Provider:
    """The provider of the settings."""

    def __init__(self, settings: OidcSettings, redirect_uri: str) -> None:
        self._settings, self._redirect_uri = settings, redirect_uri
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self._read, self._tried = float("-inf"), float("-inf")
        self._keys: KeySet | None = None

    @property
    def bound(self) -> list[str]:
        """A session of it ends with the provider and with the application."""
        return [self._settings.issuer, self._settings.client_id]

    # --- what is known of it

    def document(self) -> Mapping[str, Any]:
        """Its discovery document; raises `Away` where there is none yet and it does not answer."""
        if monotonic() - self._read >= FRESH_SECONDS and self._lock.acquire(
            blocking=not self._known
        ):
            try:
                if monotonic() - self._tried >= PAUSE_SECONDS:
                    self._tried = monotonic()
                    self._discover()
            finally:
                self._lock.release()
        if not self._known:
            raise Away(AWAY)
        return self._known

    def _discover(self) -> None:
        url = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = _object(url)
        except (OSError, ValueError, HTTPException):
            return
        wrong = found.get("issuer") != self._settings.issuer
        if wrong or not all(is_http(found.get(name)) for name in ENDPOINTS):
            return
        if self._keys is None or found["jwks_uri"] != self._known.get("jwks_uri"):
            self._keys = KeySet(found["jwks_uri"], "SPENDSCOPE_OIDC_ISSUER")
        self._known, self._read = found, monotonic()

    # --- signing in and out

    def sign_in_url(self, state: str, pending: Pending) -> str:
        """Where a browser goes to sign in."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self.document()["authorization_endpoint"],
                state=state, nonce=pending.nonce, code_verifier=pending.verifier,
            )  # fmt: skip
        return str(url)

    def sign_out_url(self, id_token: str, back: str) -> str | None:
        """Where a browser goes to sign out there, too; None where there is no such place."""
        url = self.document().get("end_session_endpoint")
        parameters = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back}
        if not is_http(url):
            return None
        return f"{url}?{urlencode(parameters | ({'id_token_hint': id_token} if id_token else {}))}"

    def give_back(self, tokens: Mapping[str, str]) -> None:
        """Revoke the refresh token (RFC 7009), where there is one and the provider can. An access
        token is left to lapse: some revoke with it what other browsers of the person have."""
        url, token = self.document().get("revocation_endpoint"), tokens.get("refresh_token")
        if not is_http(url) or not token:
            return
        what = {"token_type_hint": "refresh_token", "timeout": TIMEOUT_SECONDS}
        self._asked(lambda client: _revoked(client.revoke_token(url, token=token, **what)))

    def check_answer(self, parameters: Mapping[str, str]) -> None:
        """Raises `Stranger` where another provider sent the browser back."""
        document = self.document()
        names_itself = document.get("authorization_response_iss_parameter_supported") is True
        if (names_itself or "iss" in parameters) and parameters.get("iss") != document["issuer"]:
            raise Stranger("another identity provider answered: try again")

    def redeem(self, code: str, pending: Pending) -> Granted:
        """Who signed in, by the code that came back; raises `Stranger` where it is no good."""
        url = self.document()["token_endpoint"]
        tokens = self._asked(lambda client: client.fetch_token(
            url, code=code, code_verifier=pending.verifier, grant_type="authorization_code",
            timeout=TIMEOUT_SECONDS))  # fmt: skip
        claims = self.verified(str(tokens.get("id_token", "")))
        if claims.get("nonce") != pending.nonce:
            raise Stranger("the identity provider answered another sign-in: try again")
        return self._granted(claims, tokens, {})

    def ask_again(self, tokens: Mapping[str, str], subject: str) -> Granted:
        """The same somebody as the provider knows them now: by the refresh token, else by the
        access token while it lasts. Raises `Stranger` where they may not come in any more."""
        url, old = self.document()["token_endpoint"], tokens.get("refresh_token")
        fresh: dict[str, Any] = {}
        if old:
            fresh = self._asked(lambda client: client.refresh_token(
                    url, refresh_token=old, timeout=TIMEOUT_SECONDS), scope=None)  # fmt: skip
        if fresh.get("id_token"):
            claims = self.verified(str(fresh["id_token"]))
        else:
            claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
        if claims.get("sub") != subject:
            raise Stranger(OTHER)
        if not old and _has_lapsed(tokens):
            raise Lapsed("the identity provider's access token has lapsed: sign in again")
        if not old and not is_http(self.document().get("userinfo_endpoint")):
            raise Stranger("the identity provider gave no way to ask again: sign in again")
        return self._granted(claims, fresh, tokens)

    def _granted(
        self, claims: Claims, fresh: Mapping[str, Any], before: Mapping[str, str]
    ) -> Granted:
        names = ("refresh_token", "access_token", "id_token")
        tokens = {**before, **{one: str(fresh[one]) for one in names if fresh.get(one)}}
        tokens |= {"lapses": str(fresh["expires_at"])} if fresh.get("expires_at") else {}
        user_info = self._user_info(tokens.get("access_token", ""), claims["sub"])
        if not fresh.get("id_token"):
            self._refuse_unconfirmed(claims, user_info)
        every = claims | user_info
        ours = mapped(every, self._settings.names)
        return Granted(ours, str(claims["sub"]), _text(claims.get("sid")), tokens)

    def _refuse_unconfirmed(self, claims: Claims, user_info: Claims) -> None:
        """Raises `Lapsed` where a right stands in the ID token of the sign-in alone, which says
        nothing of today: at the next sign-in it does."""
        paths = self._settings.names.of_rights
        names = {path if path in claims else path.partition(".")[0] for path in paths}
        if any(name in claims and name not in user_info for name in names):
            raise Lapsed(UNCONFIRMED)

    def _user_info(self, access_token: str, subject: str) -> Claims:
        url = self.document().get("userinfo_endpoint")
        if not is_http(url) or not access_token:
            return {}
        try:
            found = _object(str(url), access_token)
        except urllib.error.HTTPError as error:
            if error.code in (401, 403):
                raise Stranger(ENDED) from None
            raise Away(AWAY) from None
        except (OSError, ValueError, HTTPException):
            raise Away(AWAY) from None
        if found.get("sub") != subject:
            raise Stranger(OTHER)
        return found

    # --- tokens

    def verified(self, token: str) -> Claims:
        """The claims of an ID token for us; raises `Stranger`."""
        claims = self._decoded(token, ("exp", "iat", "sub", "iss", "aud"))
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", self._settings.client_id if not several else None) != (
            self._settings.client_id
        ):
            raise Stranger("the identity provider's token is for another application")
        return claims

    def logout(self, token: str) -> Logout:
        """What a logout token ends; raises `Stranger` for one that is none."""
        claims = self._decoded(token, ("iat", "iss", "aud", "jti"))
        events = claims.get("events")
        good = isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict)
        subject, sid = _text(claims.get("sub")), _text(claims.get("sid"))
        began = int(claims["iat"])
        recent = time.time() - began < OLDEST_LOGOUT_SECONDS
        if not good or "nonce" in claims or not (subject or sid) or not recent:
            raise Stranger("that is no logout token")
        return Logout(subject, sid, began + LEEWAY_SECONDS)

    def _decoded(self, token: str, required: tuple[str, ...]) -> Claims:
        self.document()
        try:
            if self._keys is None or len(token) > LARGEST:
                raise Stranger("the identity provider's token is too long")
            key = self._keys.key(jwt.get_unverified_header(token).get("kid")).jwk
            claims: Claims = jwt.decode(
                token, key, algorithms=list(KEY_ALGORITHMS), leeway=LEEWAY_SECONDS,
                issuer=self._settings.issuer, audience=self._settings.client_id,
                options={"require": list(required), "enforce_minimum_key_length": True},
            )  # fmt: skip
            json.dumps(claims, ensure_ascii=False).encode()
        except jwt.PyJWKClientConnectionError:
            raise Away(AWAY) from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            why = str(error) or "it cannot be read"
            raise Stranger(f"the identity provider's token is not good: {why}") from None
        return claims

    # --- OAuth

    def _asked(self, ask: Any, **more: Any) -> Claims:
        """What the token endpoint answers."""
        return asked(self._client(**more), ask)

    def _client(self, **more: Any) -> Any:
        """Authlib's client of this provider. It is loaded by those who use it: that takes a tenth
        of a second."""
        from authlib.integrations.requests_client import OAuth2Session

        methods = self.document().get("token_endpoint_auth_methods_supported")
        basic = not isinstance(methods, list) or "client_secret_basic" in methods
        how = "client_secret_basic" if basic else "client_secret_post"
        options = {"scope": self._settings.scopes, "code_challenge_method": "S256"} | more
        return OAuth2Session(
            self._settings.client_id, self._settings.client_secret,
            token_endpoint_auth_method=how if self._settings.client_secret else "none",
            redirect_uri=self._redirect_uri, **options,
        )  # fmt: skip


def _revoked(answer: Any) -> Claims:
    """Nothing, where it is done; raises `OSError` where it is not."""
    answer.raise_for_status()
    return {}


def _object(url: str, token: str = "") -> Claims:
    found, _ = fetched(url, token)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _has_lapsed(tokens: Mapping[str, str]) -> bool:
    """Whether the access token is too old to be asked with, whoever it is for."""
    lapses = tokens.get("lapses", "")
    return lapses.isdecimal() and int(lapses) <= time.time()


def _text(claim: Any) -> str:
    return claim if isinstance(claim, str) else ""
