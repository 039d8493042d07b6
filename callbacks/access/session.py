"""Who is asking, found anew at every request.

A browser's cookie holds the id of a session and nothing else; what the session is of lies in the
state store (`data/state/sessions.py`). An account's claims are read with it, a persona's from the
sample data while the demo is open; a pasted token's are kept, until it expires or the key that
verified it is no longer this server's. A bearer token needs no session and makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

from flask import Flask, Request, current_app, g, request
from flask_login import LoginManager, current_user

from callbacks.access import trail
from callbacks.access.demo import DemoTraces, persona, why_closed
from callbacks.access.provider_sessions import ProviderSessions
from callbacks.access.site import PROXY_TOKEN
from callbacks.access.throttle import Throttle
from callbacks.access.tokens import Tokens
from callbacks.access.trail import client_address, origin
from callbacks.access.viewing import GLANCE, Viewer, as_viewed, end_with_session
from data.access.people import NO_ALIASES, People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Away, Stranger
from data.people.aliases import PersonDirectory
from data.settings import Settings
from data.state import sessions
from data.state.accounts import Account, digest, folded
from data.state.api_tokens import START, ApiToken, Doors, verify
from data.state.audit import Actor
from data.state.confirmations import ProviderUser
from data.state.sessions import Client, Session
from data.state.store import State
from data.state.tries import tries_of

Claims = Mapping[str, Any]
EXTENSION: Final = "authenticator"
OVER: Final = "this session is over: sign in again"
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody who has shown who they are, in which way. `stamp` is what a session of theirs holds
    on to, `session` the one they came by."""

    way: Literal["account", "demo", "token", "oidc", "github", "bearer", "api"]
    claims: Claims
    people: People = NO_ALIASES
    stamp: str = ""
    session: Session | None = None
    grants: tuple[str, ...] | None = None  # what an API token is for; None: all that they may do
    viewer: Viewer | None = None  # who looks at the dashboard as this person, and only looks
    is_authenticated: bool = field(default=True, init=False)
    is_active: bool = field(default=True, init=False)
    is_anonymous: bool = field(default=False, init=False)

    @property
    def id(self) -> str:
        return self.scope.user

    @property
    def has_account(self) -> bool:
        """Whether they came with the password of an account."""
        return self.way == "account"

    @property
    def provider_user(self) -> ProviderUser | None:
        """Who they are for the identity provider by which they signed in, in this very session."""
        session = self.session if self.viewer is None else None
        if session is None or session.provider_user is None:
            return None
        return ProviderUser(session.stamp, session.provider_user)

    @property
    def is_demo(self) -> bool:
        """Whether this is one of the demo's personas, who are nobody."""
        return self.way == "demo"

    @property
    def ids(self) -> tuple[str, ...]:
        """All their ids: the person's, the one they came with, the others."""
        return tuple(dict.fromkeys((self.id, self.scope.subject, *self.people.ids(self.id))))

    @property
    def name(self) -> str:
        return _text(self.claims.get("name")) or self.email or self.id

    @property
    def email(self) -> str:
        return _text(self.claims.get("email"))

    @property
    def scope(self) -> Scope:
        return Scope.of(self.claims, self.people)


@dataclass(frozen=True)
class Authenticator:
    """Where people are recognised: the stores and settings that decide it."""

    settings: Settings
    state: State
    store: EventStore
    tokens: Tokens
    directory: PersonDirectory
    providers: Mapping[str, ProviderSessions] = field(default_factory=dict)  # by their way
    throttle: Throttle = field(init=False)
    other_tries: trail.Limit = field(default_factory=trail.Limit)
    demo: DemoTraces = field(init=False)

    def __post_init__(self) -> None:
        traces = DemoTraces(self.settings, self.state, self.store)
        object.__setattr__(self, "demo", traces)
        object.__setattr__(self, "throttle", Throttle(tries_of(self.state)))

    @property
    def takes_passwords(self) -> bool:
        return "local" in self.settings.sign_in

    def verify(self, name: str, password: str) -> Account | None:
        """The account of a name and its password, as one of the tries that are counted; raises
        `TooMany` for one too many."""
        known = self.state.account_named(name)
        account = f"account:{known.id}" if known else f"name:{digest(folded(name))}"
        verify = lambda: self.state.verify(name, password)  # noqa: E731
        try:
            found = self.throttle.check(account, client_address(), verify)
        except Stranger as refusal:
            self._failed(known, "password", str(refusal))
            raise
        if found is None:
            self._failed(known, "password", "wrong password" if known else "no such account")
            self._locked_out(account, known)
        return found

    def find_link(self, find: Callable[[], T | None]) -> T | None:
        """What a one-time link opens; links that open nothing are counted as tries are."""
        found = self.throttle.check("", client_address(), find)
        if found is None:
            self._failed(None, "one-time link", "it opens nothing")
            self._locked_out("", None)
        return found

    def refused_try(self, thing: str, why: str) -> None:
        """Note a try that no limit of passwords slows down."""
        if self.other_tries.allows():
            self._failed(None, thing, why)

    def _failed(self, known: Account | None, thing: str, why: str) -> None:
        trail.failed(self.state, self.settings.now(), known, thing, why)

    def _locked_out(self, account: str, known: Account | None) -> None:
        """Note the limits that this try was the last of."""
        reached = self.throttle.reached(account, client_address())
        trail.locked_out(self.state, self.settings.now(), known, reached)

    def from_session(self, token: Any) -> Person | None:
        """The person of a session, if they may still come in. A bearer token goes first."""
        if bearer(request) is not None:
            return None
        found, now = None, self.settings.now()
        try:
            found = self._found(token) if isinstance(token, str) else None
            return as_viewed(self.of_session(found), self.state, now, self.stamps)
        except Away as away:
            g.away = away
        except Stranger as refusal:
            g.refusal = refusal
            end_with_session(self.state, found, now, str(refusal))
        return None

    def _found(self, token: str) -> Session | None:
        """The session of an id; what a provider says of it is five minutes old at most, but where a
        request is only looked at."""
        found = sessions.find(self.state, token)
        door = self.providers.get(found.way) if found else None
        if found and door and GLANCE not in request.environ:
            return door.rechecked(token, found)
        return found

    def is_good(self, found: Session) -> bool:
        """Whether a session that is there still lets its holder in."""
        try:
            self.of_session(found)
        except Stranger:
            return False
        return True

    def of_session(self, found: Session | None) -> Person:
        """Whose session it is; raises `Stranger` where it is over."""
        if found is None:
            raise Stranger(OVER)
        claims = self._claims(found)
        return Person(found.way, claims, self.directory.now(), found.stamp, found)

    def from_request(self, sent: Request) -> Person | None:
        """The person a bearer token names."""
        token = bearer(sent)
        try:
            if token is not None and token.startswith(START):
                return self._from_api_token(token)
            if token is not None:
                return Person("bearer", self.tokens.verify(token), self.directory.now())
        except Stranger as refusal:
            g.refusal = refusal
        return None

    def _from_api_token(self, secret: str) -> Person:
        """Somebody by a token that they made, with the rights they have now."""
        token, claims = self.api_token(secret)
        return Person("api", claims, self.directory.now(), grants=token.scopes)

    def api_token(self, secret: str) -> tuple[ApiToken, Claims]:
        """The API token that a secret is, and the claims of its maker; raises `Stranger`."""
        doors = Doors(self.takes_passwords, self.stamps, self.settings.api_token_hours)
        return verify(self.state, secret, self.settings.now(), doors)

    @property
    def stamps(self) -> frozenset[str]:
        """What stands for the identity providers by which people come in now."""
        return frozenset(one.stamp for one in self.providers.values())

    def _claims(self, found: Session) -> Claims:
        if found.way == "account" and self.takes_passwords:
            return sessions.account_of(found).claims
        if found.way == "demo":
            return self.persona(found.stamp).claims
        if found.way == "token" and self.tokens.still_binds(found.stamp):
            return found.claims or {}
        if (door := self.providers.get(found.way)) and found.stamp == door.stamp:
            return found.claims or {}
        raise Stranger(OVER)

    def persona(self, key: str) -> Person:
        """A demo persona, while the demo is open."""
        if reason := why_closed(self.settings, self.state, self.store):
            raise Stranger(reason)
        self.demo.visited()
        return Person("demo", persona(key).claims, stamp=key)


def install_authenticator(server: Flask, authenticator: Authenticator) -> None:
    """Teach a server who its people are."""
    server.extensions[EXTENSION] = authenticator
    manager = LoginManager(server)
    manager.session_protection = None  # a session is found by its id alone
    manager.user_loader(authenticator.from_session)
    manager.request_loader(authenticator.from_request)


def current_authenticator() -> Authenticator:
    """Where people are recognised in the server that answers now."""
    authenticator: Authenticator = current_app.extensions[EXTENSION]
    return authenticator


def client() -> Client:
    """The same, with what the browser calls itself."""
    return Client(client_address(), request.headers.get("User-Agent", ""))


def current_person() -> Person:
    """Who is asking; raises `Stranger` where nobody is, also outside a request."""
    if not current_user or not current_user.is_authenticated:
        raise Stranger("sign in first")
    person: Person = current_user._get_current_object()
    return person


def current_scope() -> Scope:
    """Whose rows they may see; raises `Stranger` where nobody asks."""
    return current_person().scope


def current_actor(settings: Settings) -> Actor:
    """Whose change it is that is asked for now."""
    person = current_person()
    own = Actor(person.scope, person.name, settings.now(), origin(), person.is_demo)
    viewer = person.viewer
    return replace(own, name=viewer.name, viewer=viewer.id) if viewer else own


def provider_away() -> Away | None:
    """Why the person of a session cannot be told now, where that is so."""
    found: Away | None = g.get("away")
    return found


def refusal() -> Stranger:
    """Why nobody was recognised."""
    known: Stranger | None = g.get("refusal")
    return known or Stranger("sign in first, or send a bearer token")


def bearer(sent: Request) -> str | None:
    """The token of an Authorization header, empty if it has none; else the one by which a proxy
    says who asks; None without either."""
    scheme, _, token = sent.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return by_proxy(sent)


def by_proxy(sent: Request) -> str | None:
    """The token in SPENDSCOPE_JWT_HEADER, from a trusted proxy that has asked who it is."""
    token: str | None = sent.environ.get(PROXY_TOKEN)
    return None if token is None else token.strip().removeprefix("Bearer ").strip()


def account_person(account: Account) -> Person:
    """An account's holder, in a session of its present epoch."""
    return Person("account", account.claims, stamp=account.stamp)


def _text(claim: Any) -> str:
    return claim.strip() if isinstance(claim, str) else ""
