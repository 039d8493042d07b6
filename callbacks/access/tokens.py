"""JSON Web Tokens: verified at the door, and signed for `spendscope token`.

Either HS256 with our own secret or RS256, ES256, EdDSA with an identity provider's keys, never
both: the algorithm is the settings' and the key's, never the token's choice.
A refusal is a `Stranger` whose sentence says what is wrong with the token. The clock is the
real one, also where SPENDSCOPE_NOW freezes the dashboard's.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from callbacks.access.key_set import KeySet
from data.errors import Refused, SettingsError, Stranger
from data.identity.claims import mapped
from data.settings import SECRET_ALGORITHMS, Settings

LEEWAY_SECONDS: Final = 30
REQUIRED: Final = ("exp", "sub")
LARGEST: Final = 16_000
SENTENCES: Final[tuple[tuple[type[jwt.PyJWTError], str], ...]] = (
    (jwt.ExpiredSignatureError, "the token has expired: get a new one"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidSignatureError, "the token is signed with another key than this server's"),
    (jwt.InvalidAudienceError, "the token is meant for another audience than this server"),
    (jwt.InvalidIssuerError, "the token comes from another issuer than this server trusts"),
    (jwt.exceptions.InvalidSubjectError, "the token's sub claim is not text"),
    (jwt.PyJWKClientConnectionError, "the token cannot be checked now: the key set is away"),
    (jwt.PyJWKClientError, "the token is signed with a key that the key set does not hold"),
)


@dataclass(frozen=True, slots=True)
class Verified:
    """The claims of a good token, and what stands for the key that it was verified with: a session
    holds on to that."""

    claims: dict[str, Any]
    binding: str


class Tokens:
    """What this server's settings make of a token."""

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.jwt_secret
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        url = settings.jwks_url
        self._keys = KeySet(url, "SPENDSCOPE_JWKS_URL") if url else None
        self._session_key = settings.secret_key.encode()
        self._algorithms = settings.jwt_algorithms
        self._names = settings.jwt_claims

    @property
    def configured(self) -> bool:
        return self._secret is not None or self._keys is not None

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token that is signed, in time and names somebody."""
        return self.verified(token).claims

    def verified(self, token: str) -> Verified:
        """The same with the key that it was verified with."""
        if not self.configured:
            raise Stranger("this server accepts no tokens: no secret or key set is configured")
        header = _checked_header(token, self._algorithms)
        try:
            key, thumbprint = self._key(header)
            claims = self._decoded(token, key)
        except jwt.PyJWTError as error:
            raise Stranger(_sentence(error)) from None
        except (TypeError, ValueError, RecursionError):
            raise Stranger("the token cannot be read") from None
        return Verified(self._named(_check_subject(claims)), self._binding(thumbprint))

    def still_binds(self, binding: str) -> bool:
        """Whether a token that was verified with this key would be today. Raises `Stranger` where
        that cannot be known now."""
        try:
            known = self._keys.keys().values() if self._keys else ()
        except jwt.PyJWKClientError as error:
            raise Stranger(_sentence(error)) from None
        prints = [one.thumbprint for one in known] if self._keys else [str(self._secret)]
        return any(hmac.compare_digest(self._binding(one), binding) for one in prints)

    def _binding(self, thumbprint: str) -> str:
        """A key under the settings it is good for; it tells nobody the secret."""
        named = [repr(self._names)] if self._names else []
        bound = json.dumps([thumbprint, self._issuer, self._audience, self._algorithms, *named])
        return hmac.digest(self._session_key, bound.encode(), "sha256").hex()

    def _named(self, claims: dict[str, Any]) -> dict[str, Any]:
        """The claims by our names."""
        return mapped(claims, self._names) | {"exp": claims["exp"]} if self._names else claims

    def _decoded(self, token: str, key: str | jwt.PyJWK) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=list(self._algorithms),
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={
                "require": list(REQUIRED),
                "verify_aud": self._audience is not None,
                "enforce_minimum_key_length": True,
            },
        )

    def _key(self, header: Mapping[str, Any]) -> tuple[str | jwt.PyJWK, str]:
        if self._keys is None:
            return str(self._secret), str(self._secret)
        found = self._keys.key(header.get("kid"))
        return found.jwk, found.thumbprint


def sign(settings: Settings, claims: Mapping[str, Any], seconds: int) -> str:
    """A token with these claims that this server accepts for `seconds` from now."""
    if settings.jwt_secret is None:
        raise SettingsError("SPENDSCOPE_JWT_SECRET is not set: there is nothing to sign with")
    if seconds < 1:
        raise Refused("ttl", "a token lives for at least one second")
    now = int(time.time())
    return jwt.encode(
        {**claims, "iat": now, "exp": now + seconds}, settings.jwt_secret, SECRET_ALGORITHMS[0]
    )


def _checked_header(token: str, algorithms: tuple[str, ...]) -> Mapping[str, Any]:
    """The header of a token; refuses what needs no key to be refused."""
    if not token.strip() or len(token) > LARGEST:
        raise Stranger("the token is empty" if not token.strip() else "the token is too long")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise Stranger("the token is no JSON Web Token") from None
    algorithm = header.get("alg")
    if str(algorithm).lower() == "none" or token.endswith("."):
        raise Stranger("the token is not signed")
    if algorithm not in algorithms:
        raise Stranger(f"the token is not signed with {' or '.join(algorithms)}")
    return header


def _sentence(error: jwt.PyJWTError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"the token has no {error.claim} claim"
    known = (sentence for kind, sentence in SENTENCES if isinstance(error, kind))
    return next(known, f"the token cannot be read: {str(error).rstrip('.')}")


def _check_subject(claims: dict[str, Any]) -> dict[str, Any]:
    if not claims["sub"].strip():
        raise Stranger("the token names nobody: its sub claim is empty")
    try:
        json.dumps(claims, ensure_ascii=False).encode()
    except ValueError:
        raise Stranger("the token holds text that is no Unicode") from None
    return claims
