"""Who looks at the dashboard as whom: a platform admin's browser session sees what a chosen person
does, for half an hour at most, and changes nothing. Each time is kept for that person to read.

Instants are µs UTC by the real clock, as those of sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope
from data.errors import Refused
from data.local_time import iso
from data.state.accounts import Account
from data.state.audit import Actor, record
from data.state.tables import SESSIONS, VIEWINGS

if TYPE_CHECKING:
    from data.state.sessions import Session
    from data.state.store import State

MINUTE: Final = 60_000_000
SECOND: Final = 1_000_000
LONGEST: Final = 30 * MINUTE
MOST: Final = 500
LISTED: Final = 200
require_platform_admin: Final = platform_admins_only("looking at the dashboard as others is")
require_platform_reader: Final = platform_readers_only("looking at the dashboard as others is")
ALREADY: Final = "you look at the dashboard as somebody already: stop that first"
TOO_LATE: Final = "half an hour is over"


@dataclass(frozen=True, slots=True)
class Viewing:
    """One time that `viewer` looked as `user`; `account` is when the account of that id was made,
    where it had one. It ends at `until`, or ended before."""

    id: int
    viewer: str
    viewer_name: str
    user: str
    name: str
    account: int | None
    started: int
    until: int
    ended: int | None

    def end(self, now: int) -> int | None:
        """When it ended; None as long as it goes on."""
        if self.ended is None and now < self.until:
            return None
        return self.until if self.ended is None else self.ended

    def as_dict(self) -> dict[str, Any]:
        """JSON: who looked, as whom, from when, until when at the latest, and when it ended."""
        who = {"viewer": self.viewer, "viewer_name": self.viewer_name, "user": self.user}
        ended = None if self.ended is None else iso(self.ended)
        return who | {"id": self.id, "from": iso(self.started), "until": iso(self.until),
                      "ended": ended}  # fmt: skip


def begin(state: State, actor: Actor, session: Session, user: str, name: str, now: int) -> Viewing:
    """Have a session look as this person from now on; raises `Refused` where it does already, or
    where nobody signs in by the account."""
    require_platform_admin(actor.scope)
    account = state.account(user)
    if account and account.disabled is not None:
        raise Refused("user", "this account is disabled: its holder sees nothing now")
    with state.writing() as connection:
        free = [SESSIONS.c.id == session.id, SESSIONS.c.viewing.is_(None)]
        row = {
            "viewer": actor.who, "viewer_name": actor.name, "user": user, "name": name,
            "account": account and account.created,
            "started": now, "until": min(now + LONGEST, session.expires),
        }  # fmt: skip
        made = Viewing(
            *connection.execute(VIEWINGS.insert().values(row).returning(*VIEWINGS.c)).one()
        )
        if not connection.execute(SESSIONS.update().where(*free).values(viewing=made.id)).rowcount:
            raise Refused("user", ALREADY)
        _forget_oldest(connection, user)
        details = {"name": name, "until": iso(made.until)}
        record(connection, actor, "view-as", user, None, details)
    return made


def of_session(state: State, session: Session) -> Viewing | None:
    """What a session looks at; None also where that was forgotten."""
    asked = sa.select(VIEWINGS).where(VIEWINGS.c.id == session.viewing)
    with state.reading() as connection:
        row = connection.execute(asked).first()
    return Viewing(*row) if row else None


def claims_of(
    view: Viewing, account: Account | None, confirmed: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], str]:
    """The claims of who is looked as, by their account as it is now, else by what an identity
    provider `said` last; and why they see nothing any more, if so. Others are plain users."""
    gone = account is None or account.created != view.account
    if view.account is not None and gone:
        return {}, "this account is no longer there"
    if account is not None and account.disabled is not None:
        return {}, "this account was disabled"
    plain = {"sub": view.user, "name": view.name, **(confirmed or {})}
    return (account.claims if account else plain), ""


def finish(state: State, actor: Actor, session: Session, now: int, why: str) -> None:
    """Have a session see what is its own again."""
    if session.viewing is None:
        return
    with state.writing() as connection:
        mine = [SESSIONS.c.id == session.id, SESSIONS.c.viewing == session.viewing]
        connection.execute(SESSIONS.update().where(*mine).values(viewing=None))
        close(connection, session.viewing, now, why, actor)


def close(
    connection: sa.Connection, number: int | None, now: int, why: str, actor: Actor | None = None
) -> None:
    """The end of looking, with its entry: in the transaction that takes it from its session."""
    going = [VIEWINGS.c.id == number, VIEWINGS.c.ended.is_(None)]
    over = sa.case((VIEWINGS.c.until < now, VIEWINGS.c.until), else_=now)
    ended = VIEWINGS.update().where(*going).values(ended=over).returning(*VIEWINGS.c)
    row = connection.execute(ended).first() if number is not None else None
    if row is None:
        return
    view = Viewing(*row)
    by = actor or Actor(Scope.of({"sub": view.viewer}), view.viewer_name, now)
    seconds = round((view.end(now) or now) - view.started) // SECOND
    record(connection, by, "view-as-end", view.user, None, {"why": why, "seconds": seconds})


def of_users(state: State, users: Iterable[str]) -> list[Viewing]:
    """Who looked as these ids, the latest first."""
    return _listed(state, VIEWINGS.c.user.in_(list(users)))


def of_everybody(state: State, scope: Scope) -> list[Viewing]:
    """Who looked as whom; raises `Forbidden` for whom that is not."""
    require_platform_reader(scope)
    return _listed(state)


def _listed(state: State, *which: sa.ColumnElement[bool]) -> list[Viewing]:
    latest = sa.select(VIEWINGS).where(*which).order_by(VIEWINGS.c.id.desc()).limit(LISTED)
    with state.reading() as connection:
        return [Viewing(*row) for row in connection.execute(latest)]


def _forget_oldest(connection: sa.Connection, user: str) -> None:
    """Of one person so many are kept."""
    kept = sa.select(VIEWINGS.c.id).where(VIEWINGS.c.user == user).order_by(VIEWINGS.c.id.desc())
    connection.execute(VIEWINGS.delete().where(VIEWINGS.c.id.in_(kept.offset(MOST))))
