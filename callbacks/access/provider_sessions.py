"""Sessions by an identity provider: begun with what it grants, and asked about again at the first
request after five minutes, so that a right that was taken away there is gone here.

Its tokens lie in the state store sealed under the key that signs sessions. One request at a time
asks again for a session: a refresh token that is used twice is a stolen one to most providers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final, Literal

from cryptography.fernet import Fernet, InvalidToken

from callbacks.access.github import GitHub
from callbacks.access.oidc import Logout, Provider
from callbacks.access.provider import AWAY, OTHER, Granted, IdentityProvider, Pending
from data.access.scope import SYSTEM
from data.errors import Away, Lapsed, Stranger, TooMany
from data.settings import Settings
from data.state import confirmations, sessions
from data.state.audit import Actor, Origin
from data.state.confirmations import ProviderUser
from data.state.sessions import ByProvider, Session
from data.state.store import State

log: Final = logging.getLogger("spendscope")
Way = Literal["oidc", "github"]
OLDEST: Final = 300_000_000  # µs
LOCKS: Final = 64
PAUSE_SECONDS: Final = 10
OVER: Final = "this session is over: sign in again"
WHO: Final = "Identity provider"
MOST_AT_ONCE: Final = 8
WAIT_SECONDS: Final = 2
MANY: Final = "many people sign in just now: try again in a moment"
SIGN_IN: Final = "/sign-in"


class ProviderSessions:
    """A provider of the settings and the sessions that are by it; `way` is how they say so."""

    def __init__(
        self, way: Way, provider: IdentityProvider, settings: Settings, state: State
    ) -> None:
        self.way, self.provider = way, provider
        self._state, self._settings = state, settings
        key = hashlib.sha256(f"oidc {settings.secret_key}".encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))
        bound = json.dumps(provider.bound)
        self.stamp = hmac.digest(settings.secret_key.encode(), bound.encode(), "sha256").hex()
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._away_until = float("-inf")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While something is asked of the provider for a stranger, who may have made it up: it may
        take seconds, so that a few threads at most wait for it. Raises `TooMany`."""
        if not self._turns.acquire(blocking=False):
            raise TooMany(MANY, WAIT_SECONDS)
        try:
            yield
        finally:
            self._turns.release()

    def begin(self) -> tuple[str, Pending, str]:
        """The state of a sign-in, what belongs to it, and where the browser goes."""
        state = secrets.token_urlsafe(24)
        pending = Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        with self.turn():
            return state, pending, self.provider.sign_in_url(state, pending)

    def redeem(self, code: str, pending: Pending) -> Granted:
        """Who signed in, by the code that came back; raises `Stranger` where it is no good."""
        with self.turn():
            return self.provider.redeem(code, pending)

    def kept(self, granted: Granted) -> ByProvider:
        """What a session keeps of a grant."""
        sealed = self._box.encrypt(json.dumps(granted.tokens).encode()).decode()
        return ByProvider(granted.subject, granted.sid, sealed)

    def rechecked(self, token: str, found: Session) -> Session:
        """The session with the rights of the last five minutes. Raises `Stranger` where the
        provider no longer lets them in, `Away` where it does not answer."""
        if _recent(found):
            return found
        one_server = self._state.one_at_a_time(f"session {found.id}")
        with self._locks[found.id % LOCKS], one_server:
            again = sessions.find(self._state, token)
            if again is None:
                raise Stranger(OVER)
            return again if _recent(again) else self._asked(token, again)

    def _asked(self, token: str, found: Session) -> Session:
        if monotonic() < self._away_until:
            raise Away(AWAY)
        try:
            granted = self.provider.ask_again(self.tokens(found), found.provider_user or "")
            if granted.claims["sub"] != found.user:
                raise Stranger(OTHER)
        except Stranger as refusal:
            sessions.leave(self._state, token)
            if not isinstance(refusal, Lapsed):
                who = ProviderUser(found.stamp, found.provider_user or "")
                confirmations.end(self._state, found.user, who, sessions.now())
            raise
        except Away:
            self._away_until = monotonic() + PAUSE_SECONDS
            raise
        return sessions.recheck(self._state, found, granted.claims, self.kept(granted))

    def tokens(self, found: Session) -> dict[str, str]:
        """The provider's tokens of a session; raises `Stranger` where they cannot be read."""
        with suppress(InvalidToken, ValueError):
            opened: dict[str, str] = json.loads(self._box.decrypt((found.sealed or "").encode()))
            return opened
        raise Lapsed(OVER)

    def sign_out_url(self, found: Session) -> str | None:
        """Where a browser goes on to sign out at the provider; None where it cannot."""
        with suppress(Stranger, Away):
            back = f"{self._settings.public_url}/sign-in"
            return self.provider.sign_out_url(self.tokens(found).get("id_token", ""), back)
        return None

    def give_back(self, found: Session) -> None:
        """Have the provider's tokens of a session that is over open nothing there; where it does
        not answer they end there by themselves."""
        if monotonic() < self._away_until:
            return
        try:
            with self.turn():
                self.provider.give_back(self.tokens(found))
        except (Stranger, Away, TooMany) as error:
            log.warning("the provider's token of session %d was not revoked: %s", found.id, error)

    def end_by(self, logout: Logout, origin: Origin) -> int:
        """End what a provider says has ended; how many sessions that were."""
        actor = Actor(SYSTEM, WHO, self._settings.now(), origin)
        named: Any = {"provider_user": logout.subject, "provider_session": logout.sid}
        which = {name: one for name, one in named.items() if one}
        return sessions.end_of_provider(self._state, actor, which, logout.before)


def of_settings(settings: Settings, state: State) -> dict[str, ProviderSessions]:
    """Those that people sign in by here, by their way."""
    found: dict[str, ProviderSessions] = {}
    address = f"{settings.public_url}{SIGN_IN}"
    if settings.oidc:
        oidc = Provider(settings.oidc, f"{address}/oidc/callback")
        found["oidc"] = ProviderSessions("oidc", oidc, settings, state)
    if settings.github:
        github = GitHub(settings.github, f"{address}/github/callback")
        found["github"] = ProviderSessions("github", github, settings, state)
    return found


def _recent(found: Session) -> bool:
    return sessions.now() - (found.checked or 0) < OLDEST
