"""Browser sessions: who is signed in, by which way, from where. The browser holds a random id, here
lies its hash; what ends a session here has ended it wherever its cookie was copied to.

A session is found with the account it is of in one read by an index. That it is still good (the
epoch of the account, the demo, the key of a token) is for the door to say. Instants are µs UTC by
the real clock, as signatures and tokens have it, also where SPENDSCOPE_NOW freezes the dashboard's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.errors import Stranger, Unknown
from data.local_time import iso
from data.state import confirmations, viewings
from data.state.accounts import Account, digest
from data.state.audit import Actor, record
from data.state.confirmations import ProviderUser
from data.state.store import DISABLED
from data.state.tables import ACCOUNTS, SESSIONS

if TYPE_CHECKING:
    from data.state.store import State

Way = Literal["account", "demo", "token", "oidc", "github"]
HOUR: Final = 3_600_000_000
LONGEST: Final = 12 * HOUR
MINUTE: Final = 60_000_000
SECOND: Final = 1_000_000
MOST_OF_USER: Final = 200
LONGEST_AGENT: Final = 300
SESSION_OVER: Final = "the session ended"
UNKNOWN: Final = "there is no such session: it may have ended"
require_platform_admin: Final = platform_admins_only("other people's sessions are")
require_platform_reader: Final = platform_readers_only("other people's sessions are")


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from: its address, and what the browser calls itself."""

    address: str = ""
    agent: str = ""

    def as_row(self) -> dict[str, str]:
        """What a session keeps of it."""
        return {"address": self.address[:LONGEST_AGENT], "agent": self.agent[:LONGEST_AGENT]}


class ByProvider(NamedTuple):
    """What is kept of a session by an identity provider: its own ids of the person and of their
    session there, and its tokens, sealed."""

    provider_user: str
    provider_session: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that begins: what it holds on to, and what is kept of a token or a provider."""

    way: Way
    user: str
    name: str
    stamp: str
    claims: Mapping[str, Any] | None = None
    until: int | None = None  # never longer than this
    provider: ByProvider | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One that is there; `account` is its user's, of a session by password, as it is now."""

    id: int
    way: Way
    user: str
    name: str
    stamp: str
    claims: dict[str, Any] | None
    created: int
    seen: int
    expires: int
    address: str
    agent: str
    provider_user: str | None = None
    provider_session: str | None = None
    sealed: str | None = None
    checked: int | None = None  # when the provider was asked last
    viewing: int | None = None  # which of `viewings.py`, while it sees what another person does
    account: Account | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON, and what the audit trail says of it: nothing that opens anything."""
        instants = {name: iso(getattr(self, name)) for name in ("created", "seen", "expires")}
        texts = {name: getattr(self, name) for name in ("id", "user", "way", "address", "agent")}
        return texts | instants


def now() -> int:
    """The real present in µs UTC."""
    return time.time_ns() // 1_000


def begin(state: State, begun: Begun, client: Client, actor: Actor | None = None) -> str:
    """The secret id of a new session. Those that are over go; of too many of one person, which
    nobody has, the ones that were not seen for longest. The trail says who signed in: `actor`."""
    token, at = secrets.token_urlsafe(32), now()
    end = min(at + LONGEST, begun.until or at + LONGEST)
    row = {
        "id_hash": digest(token), "way": begun.way, "user": begun.user, "name": begun.name,
        "stamp": begun.stamp, "claims": begun.claims and dict(begun.claims),
        "created": at, "seen": at, "expires": end,
    } | client.as_row()  # fmt: skip
    row |= begun.provider._asdict() | {"checked": at} if begun.provider else {}
    with state.writing() as connection:
        connection.execute(SESSIONS.delete().where(SESSIONS.c.expires <= at))
        kept = sa.select(SESSIONS.c.id).where(SESSIONS.c.user == begun.user)
        most = kept.order_by(SESSIONS.c.seen.desc(), SESSIONS.c.id.desc()).offset(MOST_OF_USER - 1)
        connection.execute(SESSIONS.delete().where(SESSIONS.c.id.in_(most)))
        number = connection.execute(SESSIONS.insert().values(row)).inserted_primary_key
        if begun.provider:
            who = ProviderUser(begun.stamp, begun.provider.provider_user)
            confirmations.note(connection, begun.user, who, begun.claims or {}, at)
        if actor and number:
            details = {"way": begun.way, "agent": row["agent"], "until": iso(end)}
            record(connection, actor, "sign-in", f"session {number[0]}", None, details)
    return token


def find(state: State, token: str) -> Session | None:
    """The session of a secret id, until it is over."""
    good = [SESSIONS.c.id_hash == digest(token), SESSIONS.c.expires > now()]
    with state.reading() as connection:
        row = connection.execute(_WITH_ACCOUNT.where(*good)).first()
    return _of(row) if row else None


def touch(state: State, session: Session, client: Client) -> None:
    """Note that it was used, and from where: once a minute."""
    at = now()
    if at - session.seen < MINUTE:
        return
    due = [SESSIONS.c.id == session.id, SESSIONS.c.seen <= at - MINUTE]
    with state.writing() as connection:
        connection.execute(SESSIONS.update().where(*due).values(seen=at, **client.as_row()))


def recheck(
    state: State, session: Session, claims: Mapping[str, Any], provider: ByProvider
) -> Session:
    """The session with what its provider says now."""
    fresh: dict[str, Any] = {"claims": dict(claims), "sealed": provider.sealed, "checked": now()}
    with state.writing() as connection:
        connection.execute(SESSIONS.update().where(SESSIONS.c.id == session.id).values(fresh))
        who = ProviderUser(session.stamp, provider.provider_user)
        confirmations.note(connection, session.user, who, claims, fresh["checked"])
    return replace(session, **fresh)


def end_of_provider(state: State, actor: Actor, which: Mapping[str, str], before: int) -> int:
    """The end of the sessions that a provider names, as far as they began before it did (seconds
    since 1970); how many they were."""
    named = [SESSIONS.c[name] == one for name, one in which.items()]
    began = SESSIONS.c.created < (before + 1) * SECOND
    ended = _listed(state, SESSIONS.c.way == "oidc", began, *named)
    end(state, actor, ended)
    return len(ended)


def of_users(state: State, users: Iterable[str]) -> list[Session]:
    """The sessions of these ids, seen last first."""
    return _listed(state, SESSIONS.c.user.in_(list(users)))


def of_everybody(state: State, actor: Actor) -> list[Session]:
    """Every session; raises `Forbidden` for whom they are not."""
    require_platform_reader(actor.scope)
    return _listed(state)


def leave(state: State, token: str, actor: Actor | None = None) -> None:
    """The end of a session by whoever has it; the trail says who signed out, the `actor`."""
    gone = SESSIONS.delete().where(SESSIONS.c.id_hash == digest(token))
    with state.writing() as connection:
        row = connection.execute(gone.returning(SESSIONS.c.id, SESSIONS.c.viewing)).first()
        if row is None:
            return
        viewings.close(connection, row.viewing, now(), SESSION_OVER, actor)
        if actor:
            record(connection, actor, "sign-out", f"session {row.id}", None, None)


def end(state: State, actor: Actor, ended: Iterable[Session]) -> None:
    """The end of sessions by somebody who sees them in a list; each has its entry in the trail."""
    with state.writing() as connection:
        for one in ended:
            done = connection.execute(SESSIONS.delete().where(SESSIONS.c.id == one.id))
            if done.rowcount:
                viewings.close(connection, one.viewing, now(), SESSION_OVER, actor)
                thing = f"session {one.id} of {one.user}"
                record(connection, actor, "session-end", thing, one.as_dict(), None)


def numbered(sessions: Iterable[Session], number: int) -> Session:
    """The one of a number; raises `Unknown`."""
    for one in sessions:
        if one.id == number:
            return one
    raise Unknown("session", UNKNOWN)


def account_of(found: Session) -> Account:
    """The account of a session, as long as it is what it was when the session began; raises
    `Stranger`."""
    account = found.account
    if account is None or str(account.created) != found.stamp.partition(".")[0]:
        raise Stranger("this account is no longer there")
    if account.disabled is not None:
        raise Stranger(DISABLED)
    if account.stamp != found.stamp:
        raise Stranger("this session was ended, as by a new password: sign in again")
    return account


def _listed(state: State, *which: sa.ColumnElement[bool]) -> list[Session]:
    alive = _WITH_ACCOUNT.where(SESSIONS.c.expires > now(), *which)
    newest = alive.order_by(SESSIONS.c.seen.desc(), SESSIONS.c.id.desc())
    with state.reading() as connection:
        return [_of(row) for row in connection.execute(newest)]


_OWN: Final = len(SESSIONS.c)
_ITS_ACCOUNT: Final = sa.and_(SESSIONS.c.way == "account", ACCOUNTS.c.id == SESSIONS.c.user)
_WITH_ACCOUNT: Final = sa.select(
    *SESSIONS.c, *(one.label(f"account_{one.name}") for one in ACCOUNTS.c)
).select_from(SESSIONS.outerjoin(ACCOUNTS, _ITS_ACCOUNT))


def _of(row: Any) -> Session:
    """A session and its account, whose columns stand behind its own."""
    values = tuple(row)
    theirs = dict(zip(ACCOUNTS.c.keys(), values[_OWN:], strict=True))
    account = None if theirs["id"] is None else Account.of(SimpleNamespace(**theirs))
    own = dict(zip(SESSIONS.c.keys(), values[:_OWN], strict=True))
    del own["id_hash"]
    return Session(**own, account=account)
