"""The key that a request to a receiving route carries, and what it opens."""

from __future__ import annotations

import hmac
from typing import Final

from flask import request

from callbacks.access.session import current_authenticator
from data.access.rights import require_changes
from data.access.scope import Scope
from data.errors import Forbidden, Stranger
from data.ingest.keys import UNNAMED, Key, any_good, is_of_demo, verify
from data.settings import Settings
from data.state.api_tokens import START
from data.state.store import State

OF_DEMO: Final = "this key was made in the demo, and opens nothing: make an account, then a key"
WRONG_KEY: Final = "the key is missing or wrong: send Authorization: Bearer KEY"


def require_ingest_key(settings: Settings, state: State) -> Key:
    """The ingest key this request shows; raises `Stranger` where it shows no good one."""
    if settings.ingest_key is not None and _equal(_sent_key(), settings.ingest_key):
        return UNNAMED
    if _sent_key().startswith(START):
        return _of_token()
    if key := verify(state, _sent_key(), settings.now()):
        return key
    if is_of_demo(state, _sent_key()):
        raise Stranger(OF_DEMO)
    if settings.ingest_key is None and not any_good(state):
        raise Stranger(
            "nothing is received here: SPENDSCOPE_INGEST_KEY is not set and there is no ingest key"
        )
    raise Stranger(WRONG_KEY)


def _of_token() -> Key:
    """An API token in the place of a key: what it brings is of its holder alone."""
    token, claims = current_authenticator().api_token(_sent_key())
    if "send" not in token.scopes:
        raise Forbidden("this API token is not for send: make another in Settings → Profile")
    require_changes(Scope.of(claims))
    name = f"{token.user}: {token.name}"
    return Key(0, name, token.shown, None, None, token.created, token.user, user=token.user)


def require_key(key: str) -> None:
    """Let nobody on without this key; raises `Stranger`."""
    if not _equal(_sent_key(), key):
        raise Stranger(WRONG_KEY)


def _sent_key() -> str:
    """The key of a request: a bearer, or `x-api-key` for senders that cannot write a space."""
    _, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return bearer.strip() or request.headers.get("x-api-key", "").strip()


def _equal(shown: str, key: str) -> bool:
    return hmac.compare_digest(shown.encode(), key.encode())
