"""What Spendscope itself has to remember: accounts; beside them budgets with their audit trail
and preferences (`data/budgets/book.py`, `data/state/audit.py`, `data/people/preferences.py`), which
read and write through here.

Every write holds the store's lock from its first read on, so a check and the change that
relies on it are one step.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.errors import Stranger
from data.state.accounts import Account, by_id_or_email, digest, draft, insert, password_row
from data.state.audit import NOWHERE, Actor, Origin
from data.state.database import open_database
from data.state.leadership import Leads
from data.state.passwords import Passwords
from data.state.tables import ACCOUNTS, SETUP

DISABLED: Final = "this account is disabled: ask an administrator to enable it"


class State:
    """The state store. Any thread of any process may read and write."""

    def __init__(self, url: str, passwords: Passwords | None = None) -> None:
        self._database = open_database(url)
        self.passwords = passwords or Passwords()

    def close(self) -> None:
        self._database.engine.dispose()

    @property
    def shared(self) -> bool:
        """Whether other servers may have the same store."""
        return self._database.shared

    def leading(self, work: str) -> AbstractContextManager[Leads]:
        """While this server wants to do some work on a clock: whether it is the one that does, of
        all that share the store."""
        return self._database.leading(work)

    def one_at_a_time(self, thing: str) -> AbstractContextManager[None]:
        """While something is done that no two of the servers that share the store may do at once;
        within a server whoever calls sees to that."""
        return self._database.one_at_a_time(thing)

    def back_up(self, path: Path) -> None:
        """All of it as it is at one moment, into a new file, beside those who read and write."""
        self._database.back_up(path)

    def require_sound(self) -> None:
        """Raises `StoreError` where it is damaged."""
        self._database.require_sound()

    def has_accounts(self) -> bool:
        """Whether anybody can sign in with a password; also the cheapest proof of life."""
        with self.reading() as connection:
            return _any_account(connection)

    def account(self, user: str) -> Account | None:
        """The account of a user id, as it is now."""
        with self.reading() as connection:
            row = connection.execute(_by_id(user)).first()
        return Account.of(row) if row else None

    def account_named(self, name: str) -> Account | None:
        """The account of this id or email address."""
        with self.reading() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(by_id_or_email(name))).first()
        return Account.of(row) if row else None

    def verify(self, name: str, password: str) -> Account | None:
        """The account of this id or email address and password; as slow where there is none.
        Raises `Stranger` where it is disabled, to who knows its password."""
        with self.reading() as connection:
            row = connection.execute(sa.select(ACCOUNTS).where(by_id_or_email(name))).first()
        stored_hash = row.password_hash if row else None
        if not self.passwords.match(stored_hash, password) or row is None:
            return None
        if row.disabled is not None:
            raise Stranger(DISABLED)
        if self.passwords.outdated(row.password_hash):
            self._rehash(row.id, row.password_hash, password)
        return Account.of(row)

    def setup_token(self) -> str | None:
        """The secret of the one-time link, or None once there is an account.

        Only its hash is kept, so every call makes another one and the one before stops working.
        """
        token = secrets.token_urlsafe(32)
        with self.writing() as connection:
            if _any_account(connection):
                return None
            connection.execute(SETUP.delete())
            connection.execute(SETUP.insert().values(token_hash=digest(token)))
        return token

    def is_setup_token(self, token: str) -> bool:
        """Whether this token would still be taken."""
        with self.reading() as connection:
            return _is_open_setup_token(connection, token)

    def use_setup_token(
        self, token: str, raw: Mapping[str, Any], password: str, now: int, origin: Origin = NOWHERE
    ) -> Account:
        """The first account, which sees everything. Works once; `Stranger` for any other token.

        A refused name or password leaves the token as it was.
        """
        row = draft({**raw, "isAdmin": True})
        if not self.is_setup_token(token):
            raise _used_setup_token()
        row |= password_row(self, password, now)
        actor = Actor(Scope.of({"sub": row["id"]}), row["name"], now, origin)
        with self.writing() as connection:
            if not _is_open_setup_token(connection, token):
                raise _used_setup_token()
            return insert(connection, actor, row)

    def _rehash(self, user: str, old: str, password: str) -> None:
        same = sa.and_(ACCOUNTS.c.id == user, ACCOUNTS.c.password_hash == old)
        change = ACCOUNTS.update().where(same)
        fresh = self.passwords.hashed(password)
        with self.writing() as connection:
            connection.execute(change.values(password_hash=fresh))

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """A connection that sees one moment of the store."""
        return self._database.reading()

    def writing(self) -> AbstractContextManager[sa.Connection]:
        """A connection that holds the lock until its changes are kept, all or none."""
        return self._database.writing()


def _any_account(connection: sa.Connection) -> bool:
    return connection.execute(sa.select(sa.exists(sa.select(ACCOUNTS.c.id)))).scalar_one()


def _is_open_setup_token(connection: sa.Connection, token: str) -> bool:
    stored_hash = connection.execute(sa.select(SETUP.c.token_hash)).scalar()
    return stored_hash is not None and hmac.compare_digest(stored_hash, digest(token))


def _used_setup_token() -> Stranger:
    return Stranger(
        "this one-time link was used already, or a later start printed another: open the newest"
    )


def _by_id(user: str) -> sa.Select[Any]:
    return sa.select(ACCOUNTS).where(ACCOUNTS.c.id == user)
