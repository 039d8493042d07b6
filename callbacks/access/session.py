"""Who is asking, found anew at every request.

A session names a kind and an id, never rights: an account's claims are read from the state
store, a persona's from the sample data while the demo is open. Only a pasted token's claims
lie in the (signed) session, until they expire. A bearer token needs no session and makes none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from flask import Flask, Request, current_app, g, request, session
from flask_login import LoginManager, current_user, login_user, logout_user

from callbacks.access.demo import persona, why_closed
from callbacks.access.throttle import Throttle
from callbacks.access.tokens import Tokens, expired
from data.access.people import NO_ALIASES, People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused, Stranger
from data.people.aliases import PersonDirectory
from data.settings import Settings
from data.state.accounts import Account, digest, folded
from data.state.audit import Actor
from data.state.store import DISABLED, State

Claims = Mapping[str, Any]
CARRIED: Final = (
    "sub",
    "email",
    "name",
    "isAdmin",
    "applications",
    "applications_admin",
    "exp",
)
LARGEST_COOKIE: Final = 3_600
EXTENSION: Final = "authenticator"
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody who has shown who they are. `key` is what their session remembers."""

    key: str
    claims: Claims
    people: People = NO_ALIASES
    is_authenticated: bool = field(default=True, init=False)
    is_active: bool = field(default=True, init=False)
    is_anonymous: bool = field(default=False, init=False)

    def get_id(self) -> str:
        return self.key

    @property
    def id(self) -> str:
        return self.scope.user

    @property
    def has_account(self) -> bool:
        """Whether they came with the password of an account."""
        return self.key.startswith("account:")

    @property
    def is_demo(self) -> bool:
        """Whether this is one of the demo's personas, who are nobody."""
        return self.key.startswith("demo:")

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
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def takes_passwords(self) -> bool:
        return "local" in self.settings.sign_in

    def verify(self, name: str, password: str) -> Account | None:
        """The account of a name and its password, as one of the tries that are counted; raises
        `TooMany` for one too many."""
        known = self.state.account_named(name)
        account = f"account:{known.id}" if known else f"name:{digest(folded(name))}"
        return self.throttle.check(
            account, client_address(), lambda: self.state.verify(name, password)
        )

    def find_link(self, find: Callable[[], T | None]) -> T | None:
        """What a one-time link opens; links that open nothing are counted as tries are."""
        return self.throttle.check("", client_address(), find)

    def from_session(self, key: str) -> Person | None:
        """The person a session names, if they may still come in. A bearer token goes first."""
        if bearer(request) is not None:
            return None
        kind, _, rest = key.partition(":")
        try:
            return Person(key, self._claims(kind, rest), self.directory.now())
        except Stranger as refusal:
            g.refusal = refusal
        return None

    def from_request(self, sent: Request) -> Person | None:
        """The person a bearer token names."""
        token = bearer(sent)
        try:
            if token is not None:
                return Person("bearer:", self.tokens.verify(token), self.directory.now())
        except Stranger as refusal:
            g.refusal = refusal
        return None

    def _claims(self, kind: str, rest: str) -> Claims:
        if kind == "account":
            return self._account(rest).claims
        if kind == "demo":
            return self.persona(rest).claims
        if kind == "token" and self.tokens.configured:
            return _claims_of_session()
        raise Stranger("this session is over: sign in again")

    def _account(self, rest: str) -> Account:
        stamp, _, user = rest.partition(":")
        account = self.state.account(user) if self.takes_passwords else None
        if account is None or str(account.created) != stamp.partition(".")[0]:
            raise Stranger("this account is no longer there")
        if account.disabled is not None:
            raise Stranger(DISABLED)
        if not account.began(stamp):
            raise Stranger("this session was ended, as by a new password: sign in again")
        return account

    def persona(self, key: str) -> Person:
        """A demo persona, while the demo is open."""
        if reason := why_closed(self.settings, self.store):
            raise Stranger(reason)
        return Person(f"demo:{key}", persona(key).claims)


def install_authenticator(server: Flask, authenticator: Authenticator) -> None:
    """Teach a server who its people are."""
    server.extensions[EXTENSION] = authenticator
    manager = LoginManager(server)
    manager.session_protection = "basic"
    manager.user_loader(authenticator.from_session)
    manager.request_loader(authenticator.from_request)


def current_authenticator() -> Authenticator:
    """Where people are recognised in the server that answers now."""
    authenticator: Authenticator = current_app.extensions[EXTENSION]
    return authenticator


def client_address() -> str:
    """Where the request came from."""
    return request.remote_addr or ""


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
    return Actor(person.scope, person.name, settings.now())


def refusal() -> Stranger:
    """Why nobody was recognised."""
    known: Stranger | None = g.get("refusal")
    return known or Stranger("sign in first, or send a bearer token")


def bearer(sent: Request) -> str | None:
    """The token of an Authorization header, empty if it has none; None without such a header."""
    scheme, _, token = sent.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def account_person(account: Account) -> Person:
    """An account's holder, in a session of its present epoch."""
    return Person(f"account:{account.stamp}:{account.id}", account.claims)


def begin_session(person: Person) -> None:
    """Start this person's session, and nothing of the one before."""
    end_session()
    session.permanent = True
    if person.key == "token:":
        session["claims"] = {name: person.claims[name] for name in CARRIED if name in person.claims}
        _refuse_large()
    login_user(person)


def renew_session(account: Account) -> None:
    """Go on in this session, where all others of the account have ended."""
    login_user(account_person(account))


def end_session() -> None:
    """Forget whoever was signed in here, and their CSRF token."""
    logout_user()
    session.clear()
    g.pop("csrf_token", None)


def _claims_of_session() -> Claims:
    claims: Claims = session.get("claims", {})
    if "exp" not in claims or expired(claims):
        raise Stranger("the token of this session has expired: sign in again")
    return claims


def _refuse_large() -> None:
    signer = current_app.session_interface.get_signing_serializer(current_app)  # type: ignore[attr-defined]
    if len(signer.dumps(dict(session))) > LARGEST_COOKIE:
        session.clear()
        raise Refused("token", "the token is too large for a browser session: use it as a bearer")


def _text(claim: Any) -> str:
    return claim.strip() if isinstance(claim, str) else ""
