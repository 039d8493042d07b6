"""API tokens that people make for themselves.

A token has its maker's rights at the moment of use, less what its scopes leave out: `read` (the
API), `export` (files), `send` (usage, of the maker alone). It is 256 random bits, shown once; kept
are its SHA-256 and its first characters. It ends by itself, when it is revoked, and with the
account: while that is disabled, and for good when it is removed. Of somebody who comes by an
identity provider it has the rights that were confirmed last, and works while that is recent.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import Refused, Stranger, Unknown
from data.local_time import iso
from data.state import sessions
from data.state.audit import Actor, record
from data.state.confirmations import ProviderUser, confirmed
from data.state.records import Records
from data.state.store import DISABLED, State
from data.state.tables import API_TOKENS

START: Final = "sst_"
SHOWN_LENGTH: Final = len(START) + 4
LONGEST_NAME: Final = 100
SCOPES: Final = ("read", "export", "send")
FIELDS: Final = ("name", "scopes", "days")
MOST_DAYS: Final = 366
MOST: Final = 50
MINUTE: Final = 60_000_000
DAY: Final = 86_400_000_000
NO_ACCOUNTS: Final = "this server takes no API tokens of accounts: SPENDSCOPE_SIGN_IN has no local"
OTHER_PROVIDER: Final = "this server has another identity provider than the maker of this token"
require_platform_admin: Final = platform_admins_only("other people's API tokens are")
require_platform_reader: Final = platform_readers_only("other people's API tokens are")
OVER: Final = "this token is wrong, was revoked, or has ended: make another in Settings → Profile"


class Doors(NamedTuple):
    """By which ways their makers may come in now: by accounts, by providers of these stamps, which
    confirmed them so many hours ago at most."""

    accounts: bool
    stamps: frozenset[str]
    hours: int


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it may be shown; instants are µs UTC, `revoked` is null while it is good."""

    id: int
    user: str
    name: str
    shown: str
    scopes: tuple[str, ...]
    account: int  # when the account was made: its namesake is another
    created: int
    expires: int
    revoked: int | None
    used: int | None
    stamp: str | None = None  # the identity provider by which its maker comes
    provider_user: str | None = None

    @property
    def by(self) -> ProviderUser | None:
        """Its maker as their identity provider knows them; None of a holder of an account."""
        return ProviderUser(self.stamp, self.provider_user or "") if self.stamp else None

    @classmethod
    def of(cls, row: Any) -> ApiToken:
        """The token of a stored row, without the digest of its secret."""
        fields = row._asdict() | {"scopes": tuple(row.scopes.split(","))}
        del fields["token_hash"]
        return cls(**fields)

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail says of it."""
        return {"user": self.user, "name": self.name, "shown": self.shown,
                "scopes": ",".join(self.scopes), "expires": iso(self.expires)}  # fmt: skip


RECORDS: Final = Records(
    API_TOKENS, ApiToken.of, "API token", "token", "there is no such token of yours"
)


def draft(raw: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The fields of a token as described; raises `Refused` naming the one that is wrong."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], "a token has a name, scopes and days, no other field")
    name, days = (str(raw.get(one) or "").strip() for one in ("name", "days"))
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("name", "give the token a name, to know what uses it")
    given = {one.strip() for one in str(raw.get("scopes") or "").split(",") if one.strip()}
    if not given or not given <= set(SCOPES):
        raise Refused("scopes", f"say what it is for: some of {', '.join(SCOPES)}")
    if not (days.isascii() and days.isdecimal() and 0 < int(days[:9]) <= MOST_DAYS):
        raise Refused("days", f"say for how many days it is good, 1 to {MOST_DAYS}")
    scopes = ",".join(one for one in SCOPES if one in given)
    return {"name": name, "scopes": scopes, "expires": now + int(days) * DAY}


def list_tokens(state: State, user: str) -> list[ApiToken]:
    """Those that an account's holder made, the newest first."""
    theirs = sa.select(API_TOKENS).where(API_TOKENS.c.user == user)
    with state.reading() as connection:
        rows = connection.execute(theirs.order_by(API_TOKENS.c.id.desc()))
        return [ApiToken.of(row) for row in rows]


def list_all(state: State, scope: Scope) -> list[ApiToken]:
    """Everybody's, the newest first; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    with state.reading() as connection:
        rows = connection.execute(sa.select(API_TOKENS).order_by(API_TOKENS.c.id.desc()))
        return [ApiToken.of(row) for row in rows]


def add(
    state: State, actor: Actor, raw: Mapping[str, Any], by: ProviderUser | None = None
) -> tuple[ApiToken, str]:
    """A new token of who asks, and its secret, which nobody can see again. Who came `by` a provider
    has what that says of them, whatever account there is of the same name."""
    account = None if by else state.account(actor.who)
    if account is None and by is None:
        raise Refused("name", "only who has an account here makes tokens")
    secret = START + secrets.token_urlsafe(32)
    row = draft(raw, actor.now) | {
        "user": actor.who, "account": account.created if account else 0, "created": actor.now,
        "shown": secret[:SHOWN_LENGTH], "token_hash": _digest(secret),
    } | (by._asdict() if by else {})  # fmt: skip
    good = [API_TOKENS.c.user == actor.who, API_TOKENS.c.revoked.is_(None),
            API_TOKENS.c.expires > actor.now]  # fmt: skip
    with state.writing() as connection:
        if len(connection.execute(sa.select(API_TOKENS.c.id).where(*good)).all()) >= MOST:
            raise Refused("name", f"there are {MOST} good tokens already: revoke some")
        return RECORDS.create(connection, actor, row), secret


def revoke(state: State, actor: Actor, number: int) -> ApiToken:
    """From now on it opens nothing; once more changes nothing. `Unknown` for another's."""
    return _revoked(state, actor, number, actor.who)


def revoke_of_anybody(state: State, actor: Actor, number: int) -> ApiToken:
    """The same by who sets up the platform, whosever it is."""
    require_platform_admin(actor.scope)
    return _revoked(state, actor, number, None)


def _revoked(state: State, actor: Actor, number: int, user: str | None) -> ApiToken:
    with state.writing() as connection:
        old = RECORDS.get(connection, number)
        if user is not None and old.user != user:
            raise Unknown(RECORDS.parameter, RECORDS.unknown)
        if old.revoked is not None:
            return old
        this = API_TOKENS.update().where(API_TOKENS.c.id == number)
        connection.execute(this.values(revoked=actor.now))
        record(connection, actor, "delete", RECORDS.name(old), old.as_dict(), None)
    return replace(old, revoked=actor.now)


def verify(state: State, secret: str, now: int, doors: Doors) -> tuple[ApiToken, dict[str, Any]]:
    """The token that this secret is and the claims of its maker, as they are now; notes its use,
    but not oftener than once a minute. Raises `Stranger`."""
    with state.reading() as connection:
        this = sa.select(API_TOKENS).where(API_TOKENS.c.token_hash == _digest(secret))
        row = connection.execute(this).first()
    token = ApiToken.of(row) if row else None
    if token is None or token.revoked is not None or token.expires <= now:
        raise Stranger(OVER)
    claims = _of_account(state, token, doors) if token.by is None else (
        _of_provider(state, token, token.by, doors))  # fmt: skip
    if token.used is None or now - token.used >= MINUTE:
        with state.writing() as connection:
            used = API_TOKENS.update().where(API_TOKENS.c.id == token.id)
            connection.execute(used.values(used=now))
    return token, claims


def _of_account(state: State, token: ApiToken, doors: Doors) -> dict[str, Any]:
    if not doors.accounts:
        raise Stranger(NO_ACCOUNTS)
    account = state.account(token.user)
    if account is None or account.created != token.account:
        raise Stranger(OVER)
    if account.disabled is not None:
        raise Stranger(DISABLED)
    return account.claims


def _of_provider(state: State, token: ApiToken, by: ProviderUser, doors: Doors) -> dict[str, Any]:
    if by.stamp not in doors.stamps:
        raise Stranger(OTHER_PROVIDER)
    return confirmed(state, token.user, by, doors.hours, sessions.now())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
