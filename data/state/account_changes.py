"""Every change of an account: made, renamed, given other rights, disabled, enabled, removed; its
password, by whoever may change it.

A session carries the account's epoch: a new password and disabling end all that were begun before.
Rights are read at every request. One administrator who can sign in stays. Each change leaves its
entry in the audit trail.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.errors import Refused, Stranger
from data.local_time import iso
from data.state.accounts import (
    FIELDS,
    RECORDS,
    Account,
    digest,
    draft,
    insert,
    password_row,
    refuse_taken,
    require_platform_admin,
)
from data.state.audit import NOWHERE, Actor, Origin, record
from data.state.tables import ACCOUNTS

if TYPE_CHECKING:
    from data.state.store import State

LINK_HOURS: Final = 72
Verify = Callable[[str, str], Account | None]  # of a name and a password
HOUR: Final = 3_600_000_000
LINK_OVER: Final = (
    "this link was used already, is older than three days, or a newer one was made: ask for another"
)


def add(state: State, actor: Actor, raw: Mapping[str, Any], password: str | None = None) -> Account:
    """A new account; without a password it waits for one to be set by a link.

    Raises `Refused` naming the field that is wrong, `Forbidden` for whom accounts are not.
    """
    require_platform_admin(actor.scope)
    row = draft(raw) | password_row(state, password, actor.now)
    with state.writing() as connection:
        return insert(connection, actor, row)


def change(state: State, actor: Actor, user: str, raw: Mapping[str, Any]) -> Account:
    """Other names or rights, from its next request on; what is not described stays."""
    require_platform_admin(actor.scope)
    with _changing(state, user) as (connection, old):
        row = draft(_described(old) | dict(raw))
        if row["id"] != old.id:
            raise Refused("user", "an account keeps its user id: make another account")
        refuse_taken(connection, "email", row["email"], but=old.id)
        return RECORDS.change(connection, actor, old, row)


def disable(state: State, actor: Actor, user: str) -> Account:
    """Nobody signs in with it, and its sessions have ended; once more changes nothing."""
    require_platform_admin(actor.scope)
    with _changing(state, user) as (connection, old):
        if old.disabled is not None:
            return old
        row = {"disabled": actor.now, "epoch": old.epoch + 1} | _no_link()
        return RECORDS.change(connection, actor, old, row)


def enable(state: State, actor: Actor, user: str) -> Account:
    """It may be used again, after signing in."""
    require_platform_admin(actor.scope)
    with _changing(state, user) as (connection, old):
        if old.disabled is None:
            return old
        return RECORDS.change(connection, actor, old, {"disabled": None})


def remove(state: State, actor: Actor, user: str) -> None:
    """No such account any more, and none of its sessions. Raises `Unknown`."""
    require_platform_admin(actor.scope)
    with _changing(state, user) as (connection, old):
        RECORDS.remove(connection, actor, old)


def set_password(state: State, actor: Actor, user: str, password: str) -> Account:
    """Another password for anybody's account; its sessions have ended."""
    require_platform_admin(actor.scope)
    return _set_password(state, actor, user, password)


def change_own_password(
    state: State, actor: Actor, verify: Verify, current: str, password: str
) -> Account:
    """Another password for one's own account, by who knows the present one, which `verify` looks
    at; every session of it has ended, so this one must be begun anew."""
    if verify(actor.who, current) is None:
        raise Refused("current", "that is not your current password")
    return _set_password(state, actor, actor.who, password)


def make_link(state: State, actor: Actor, user: str) -> str:
    """The secret of a one-time link by which its holder sets a password; one made before stops
    working. Until it is used, the password stays."""
    require_platform_admin(actor.scope)
    token, until = secrets.token_urlsafe(32), actor.now + LINK_HOURS * HOUR
    with state.writing() as connection:
        old = RECORDS.get(connection, user)
        if old.disabled is not None:
            raise Refused("account", f"{old.id} is disabled: enable the account first")
        link = {"link_hash": digest(token), "link_until": until}
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == old.id).values(link))
        thing = f"set-password link of {RECORDS.name(old)}"
        record(connection, actor, "create", thing, None, {"until": iso(until)})
    return token


def find_link(state: State, token: str, now: int) -> Account | None:
    """Whose password a link sets; None where it does not work."""
    good = [ACCOUNTS.c.link_hash == digest(token), ACCOUNTS.c.link_until > now]
    with state.reading() as connection:
        row = connection.execute(sa.select(ACCOUNTS).where(*good)).first()
    return Account.of(row) if row else None


def of_link(state: State, token: str, now: int) -> Account:
    """Whose password a link sets; raises `Stranger` for one that no longer works."""
    account = find_link(state, token, now)
    if account is None:
        raise Stranger(LINK_OVER)
    return account


def use_link(
    state: State, token: str, password: str, now: int, origin: Origin = NOWHERE
) -> Account:
    """The account of a link, with this password. Works once; a refused password leaves the link."""
    account = of_link(state, token, now)
    actor = Actor(Scope.of(account.claims), account.name, now, origin)
    return _set_password(state, actor, account.id, password, digest(token))


def _set_password(
    state: State, actor: Actor, user: str, password: str, link: str | None = None
) -> Account:
    """By a `link`, as long as it is the account's."""
    row = password_row(state, password, actor.now) | _no_link()
    with _changing(state, user) as (connection, old):
        this = sa.select(ACCOUNTS.c.link_hash).where(ACCOUNTS.c.id == old.id)
        if link is not None and connection.execute(this).scalar() != link:
            raise Stranger(LINK_OVER)
        return RECORDS.change(connection, actor, old, row | {"epoch": old.epoch + 1})


def _no_link() -> dict[str, None]:
    return {"link_hash": None, "link_until": None}


def _described(old: Account) -> dict[str, Any]:
    return {name: value for name, value in old.as_dict().items() if name in FIELDS}


@contextmanager
def _changing(state: State, user: str) -> Iterator[tuple[sa.Connection, Account]]:
    """An account while it is changed, all or nothing: there stays who can administer."""
    with state.writing() as connection:
        old = RECORDS.get(connection, user)
        before = _has_administrator(connection)
        yield connection, old
        if before and not _has_administrator(connection):
            raise Refused(
                "isAdmin",
                f"{old.id} is the last enabled administrator: make another account one first",
            )


def _has_administrator(connection: sa.Connection) -> bool:
    """Whether somebody who sees everything can sign in."""
    able = [ACCOUNTS.c.is_admin, ACCOUNTS.c.disabled.is_(None), ACCOUNTS.c.password_hash != ""]
    return connection.execute(
        sa.select(sa.exists(sa.select(ACCOUNTS.c.id).where(*able)))
    ).scalar_one()
