"""A browser's session: begun, used and ended. Its cookie holds the random id of it and the CSRF
token of its forms, signed; an id that was there before signing in is never the one after."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Final

from flask import g, session
from flask_login import current_user, logout_user

from callbacks.access.session import (
    Person,
    account_person,
    client,
    current_authenticator,
)
from callbacks.access.trail import visitor
from data.errors import StoreError, Stranger
from data.state import sessions
from data.state.accounts import Account
from data.state.audit import Actor
from data.state.sessions import Begun, ByProvider

ID: Final = "_user_id"  # Flask-Login's name for it
CARRIED: Final = (
    "sub",
    "email",
    "name",
    "isAdmin",
    "isAuditor",
    "applications",
    "applications_admin",
)
MICROS: Final = 1_000_000
log: Final = logging.getLogger("spendscope")


def begin_session(person: Person, provider: ByProvider | None = None) -> None:
    """Start this person's session, and nothing of the one before; with what a provider gave."""
    begun, authenticator = replace(_described(person), provider=provider), current_authenticator()
    actor = visitor(begun.user, begun.name, authenticator.settings.now())
    end_session()
    session.permanent = True
    _enter(begun, None if person.is_demo else actor)


def renew_session(account: Account) -> None:
    """Go on in this browser, where all sessions of the account have ended."""
    _leave()
    _enter(_described(account_person(account)))


def end_session(actor: Actor | None = None) -> None:
    """Forget whoever was signed in here, on this side too, and their CSRF token. The trail says who
    signed out, the `actor`."""
    _leave(actor)
    logout_user()
    session.clear()
    g.pop("csrf_token", None)


def note_use() -> None:
    """Note when and from where the session of this request was used, once a minute. Where that
    cannot be written, who reads goes on reading."""
    found = current_user.session if current_user.is_authenticated else None
    if found is None:
        return
    try:
        sessions.touch(current_authenticator().state, found, client())
    except StoreError as error:
        log.warning("the use of a session was not noted: %s", error)


def _described(person: Person) -> Begun:
    if person.way == "bearer" or person.way == "api":
        raise ValueError("a bearer token has no session")
    claims = until = None
    if person.way in ("token", "oidc", "github"):
        claims = {name: person.claims[name] for name in CARRIED if name in person.claims}
    if person.way == "token":
        until = _expiry(person.claims)
    return Begun(person.way, person.scope.subject, person.name, person.stamp, claims, until)


def _expiry(claims: Any) -> int:
    """When a token ends, in µs UTC: no session of it is longer, whatever leeway it came in by."""
    until = int(claims["exp"]) * MICROS
    if until <= sessions.now():
        raise Stranger("the token has expired: get a new one")
    return until


def _enter(begun: Begun, actor: Actor | None = None) -> None:
    session[ID] = sessions.begin(current_authenticator().state, begun, client(), actor)


def _leave(actor: Actor | None = None) -> None:
    token = session.get(ID)
    if isinstance(token, str):
        sessions.leave(current_authenticator().state, token, actor)
