"""The public keys of an identity provider, by its address (JWKS), kept for five minutes.

A key id that is not among them has them read anew, at most every ten seconds, so that a key that
was rotated in is known at once and forged ids cost the provider nothing. Where the provider is
away, the keys of the last hour stay; one reads while the others go on with what there is.
"""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import Any, Final

import jwt

from data.errors import SettingsError

FRESH_SECONDS: Final = 300
STALE_SECONDS: Final = 3_600
PAUSE_SECONDS: Final = 10
TIMEOUT_SECONDS: Final = 5
LARGEST: Final = 1_000_000
AWAY: Final = "the key set is away"
PARTS: Final = ("kty", "crv", "n", "e", "x", "y")  # what makes a public key


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key that verifies, and what tells it from any other, whatever its id."""

    jwk: jwt.PyJWK
    thumbprint: str


class KeySet:
    """The keys at an address; `setting` names it in refusals."""

    def __init__(self, url: str, setting: str, clock: Callable[[], float] | None = None) -> None:
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"{setting} must be an http or https address")
        self._url, self._lock = url, threading.Lock()
        self._clock = clock or monotonic
        self._keys: dict[str, ProviderKey] = {}
        self._read, self._tried = float("-inf"), float("-inf")

    def key(self, kid: Any) -> ProviderKey:
        """The key of an id; raises `jwt.PyJWKClientError`, of which a kind says that the provider
        is away."""
        name = kid if isinstance(kid, str) else ""
        known = self.keys().get(name) or self.keys(anew=True).get(name)
        if known is None:
            raise jwt.PyJWKClientError("no such key")
        return known

    def keys(self, anew: bool = False) -> dict[str, ProviderKey]:
        """All of them, by id."""
        if anew or self._clock() - self._read >= FRESH_SECONDS:
            self._refresh()
        if self._clock() - self._read >= STALE_SECONDS:
            raise jwt.PyJWKClientConnectionError(AWAY)
        return self._keys

    def _refresh(self) -> None:
        """Read them, unless somebody does or just did; who has none yet waits for that."""
        if not self._lock.acquire(blocking=not self._keys):
            return
        try:
            if self._clock() - self._tried >= PAUSE_SECONDS:
                self._tried = self._clock()
                self._keys = _usable(_read(self._url))
                self._read = self._clock()
        except (OSError, ValueError, HTTPException, jwt.PyJWTError):
            pass  # those of before are kept for a while
        finally:
            self._lock.release()


def _read(url: str) -> list[Any]:
    """What an answer lists; raises `ValueError` for any other answer than one with keys."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # http(s)
        found = json.loads(answer.read(LARGEST))
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not listed:
        raise ValueError("no keys")
    return listed


def _usable(listed: Iterable[Any]) -> dict[str, ProviderKey]:
    """The public keys that sign, by id: no secret, and nothing that is private."""
    found: dict[str, ProviderKey] = {}
    for one in listed:
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or "d" in one:
            continue
        if one.get("kty") not in ("RSA", "EC", "OKP") or not isinstance(one.get("kid"), str):
            continue
        with suppress(jwt.PyJWTError):
            key = ProviderKey(jwt.PyJWK(one), _thumbprint(one))
            found.setdefault(one["kid"], key)
    return found


def _thumbprint(jwk: dict[str, Any]) -> str:
    parts = [[name, jwk[name]] for name in PARTS if name in jwk]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
