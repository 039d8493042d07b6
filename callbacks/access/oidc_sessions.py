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
import secrets
import threading
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken

from callbacks.access.oidc import AWAY, OTHER, Granted, Pending, Provider
from data.access.scope import SYSTEM
from data.errors import Away, Stranger
from data.settings import Settings
from data.state import sessions
from data.state.audit import Actor, Origin
from data.state.sessions import ByProvider, Session
from data.state.store import State

CALLBACK: Final = "/sign-in/oidc/callback"
OLDEST: Final = 300_000_000  # µs
LOCKS: Final = 64
PAUSE_SECONDS: Final = 10
OVER: Final = "this session is over: sign in again"
WHO: Final = "Identity provider"


class ProviderSessions:
    """The provider of the settings and the sessions that are by it."""

    def __init__(self, settings: Settings, state: State) -> None:
        if settings.oidc is None:
            raise ValueError("no identity provider is set")
        self.provider = Provider(settings.oidc, f"{settings.public_url}{CALLBACK}")
        self._state, self._settings = state, settings
        key = hashlib.sha256(f"oidc {settings.secret_key}".encode()).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))
        bound = json.dumps([settings.oidc.issuer, settings.oidc.client_id])
        self.stamp = hmac.digest(settings.secret_key.encode(), bound.encode(), "sha256").hex()
        self._locks = [threading.Lock() for _ in range(LOCKS)]
        self._away_until = float("-inf")

    def begin(self) -> tuple[str, Pending, str]:
        """The state of a sign-in, what belongs to it, and where the browser goes."""
        state = secrets.token_urlsafe(24)
        pending = Pending(secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        return state, pending, self.provider.sign_in_url(state, pending)

    def kept(self, granted: Granted) -> ByProvider:
        """What a session keeps of a grant."""
        sealed = self._box.encrypt(json.dumps(granted.tokens).encode()).decode()
        return ByProvider(granted.subject, granted.sid, sealed)

    def rechecked(self, token: str, found: Session) -> Session:
        """The session with the rights of the last five minutes. Raises `Stranger` where the
        provider no longer lets them in, `Away` where it does not answer."""
        if _recent(found):
            return found
        with self._locks[found.id % LOCKS]:
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
        except Stranger:
            sessions.leave(self._state, token)
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
        raise Stranger(OVER)

    def sign_out_url(self, found: Session) -> str | None:
        """Where a browser goes on to sign out at the provider; None where it cannot."""
        with suppress(Stranger, Away):
            back = f"{self._settings.public_url}/sign-in"
            return self.provider.sign_out_url(self.tokens(found).get("id_token", ""), back)
        return None

    def end_by(self, logout_token: str, origin: Origin) -> int:
        """End what a logout token of the provider names; how many sessions that were."""
        logout = self.provider.logout(logout_token)
        actor = Actor(SYSTEM, WHO, self._settings.now(), origin)
        named: Any = {"provider_user": logout.subject, "provider_session": logout.sid}
        which = {name: one for name, one in named.items() if one}
        return sessions.end_of_provider(self._state, actor, which, logout.before)


def _recent(found: Session) -> bool:
    return sessions.now() - (found.checked or 0) < OLDEST
