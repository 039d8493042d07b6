"""An account: who signs in with a password, and what is written down about them.

`draft` is the door: what leaves it fits the table. Whose rows an account may see is
`data/access/scope.py`'s matter; here its claims are only kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from data.access.rights import platform_admins_only, platform_readers_only
from data.access.scope import Scope, names
from data.errors import Refused
from data.events.table import ME, NONE, micros
from data.local_time import iso
from data.state.audit import Actor
from data.state.records import Records
from data.state.tables import ACCOUNTS, SETUP

if TYPE_CHECKING:
    from data.state.store import State

LONGEST_NAME: Final = 200
RESERVED: Final = (ME, NONE)
FIELDS: Final = (
    "user",
    "name",
    "email",
    "isAdmin",
    "applications",
    "applications_admin",
    "isAuditor",
)
FLAGS: Final = {"true": True, "false": False, "": False}
FIRST_EPOCH: Final = 1
require_platform_admin: Final = platform_admins_only("accounts are")
require_platform_reader: Final = platform_readers_only("accounts are")


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in here with a password. Instants are µs UTC: `password_set` is null until
    there is a password, `disabled` while the account may be used."""

    id: str
    email: str | None
    name: str
    is_admin: bool
    applications: tuple[str, ...]
    applications_admin: tuple[str, ...]
    created: int
    disabled: int | None = None
    password_set: int | None = None
    epoch: int = FIRST_EPOCH
    is_auditor: bool = False

    @property
    def claims(self) -> dict[str, Any]:
        """The same words a token would carry."""
        return {
            "sub": self.id,
            "email": self.email,
            "name": self.name,
            "isAdmin": self.is_admin,
            "applications": list(self.applications),
            "applications_admin": list(self.applications_admin),
        } | ({"isAuditor": True} if self.is_auditor else {})

    @property
    def stamp(self) -> str:
        """What a session of it carries: a namesake has another, and so has the next epoch."""
        return f"{self.created}.{self.epoch}"

    def as_dict(self) -> dict[str, Any]:
        """What the audit trail says of it, and JSON."""
        claims = {name: self.claims[name] for name in FIELDS if name in self.claims}
        found = {"password_set": self.password_set, "disabled": self.disabled}
        instants = {name: None if us is None else iso(us) for name, us in found.items()}
        return {"user": self.id} | claims | instants

    @classmethod
    def of(cls, row: Any) -> Account:
        """The account of a stored row."""
        return cls(
            row.id, row.email, row.name, row.is_admin, tuple(row.applications),
            tuple(row.applications_admin), row.created, row.disabled, row.password_set, row.epoch,
            row.is_auditor,
        )  # fmt: skip


RECORDS: Final = Records(ACCOUNTS, Account.of, "account", "account", "there is no such account")


def draft(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an account as described; raises `Refused` naming what cannot be kept."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(str(name)[:40], f"an account has {', '.join(FIELDS)}, no other field")
    user = _text("user", "a user id", raw.get("user"))
    if user in RESERVED:
        raise Refused("user", f"{user} means something else in filters; choose another user id")
    given = raw.get("email")
    blank = given is None or (isinstance(given, str) and not given.strip())
    address = None if blank else folded(_text("email", "an email address", given))
    if address is not None and "@" not in address:
        raise Refused("email", f"{address[:40]!r} is no email address")
    return {
        "id": user,
        "name": _text("name", "a name", raw.get("name")),
        "email": address,
        "is_admin": _flag("isAdmin", raw.get("isAdmin")),
        "is_auditor": _flag("isAuditor", raw.get("isAuditor")),
        "applications": _projects("applications", raw.get("applications")),
        "applications_admin": _projects("applications_admin", raw.get("applications_admin")),
    }


def folded(email: str) -> str:
    """An email address as it is kept and looked for: its case means nothing."""
    return email.strip().lower()


def _flag(name: str, given: Any) -> bool:
    flag = FLAGS.get(given.lower()) if isinstance(given, str) else given or False
    if not isinstance(flag, bool):
        raise Refused(name, f"{name} is true or false")
    return flag


def _projects(parameter: str, given: Any) -> list[str]:
    """Their ids: a comma-separated text, or a list of such."""
    if not isinstance(given, str | list | tuple | None):
        raise Refused(parameter, f"{parameter} are the ids of projects, separated by commas")
    listed = given if isinstance(given, str) else list(given or ())
    return list(dict.fromkeys(names(listed)))


def _text(parameter: str, what: str, given: Any) -> str:
    name = given.strip() if isinstance(given, str) else ""
    if not name:
        raise Refused(parameter, f"{what} cannot be empty")
    if len(name) > LONGEST_NAME:
        raise Refused(parameter, f"{what} has at most {LONGEST_NAME} characters")
    if not name.isprintable():
        raise Refused(parameter, f"{what} cannot hold control characters")
    return name


# --- read


def list_accounts(state: State, scope: Scope) -> list[Account]:
    """Every account, by id; raises `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    with state.reading() as connection:
        rows = connection.execute(sa.select(ACCOUNTS).order_by(ACCOUNTS.c.id))
        return [Account.of(row) for row in rows]


def administrators(state: State) -> list[str]:
    """Whom anybody may ask: how those who set up the platform are called, and their address."""
    named = sa.select(ACCOUNTS).where(ACCOUNTS.c.is_admin, ACCOUNTS.c.disabled.is_(None))
    with state.reading() as connection:
        found = [Account.of(row) for row in connection.execute(named.order_by(ACCOUNTS.c.id))]
    return [f"{one.name or one.id} ({one.email})" if one.email else one.name or one.id
            for one in found]  # fmt: skip


def get(state: State, scope: Scope, user: str) -> Account:
    """The account of an id; raises `Unknown`, or `Forbidden` for whom they are not."""
    require_platform_reader(scope)
    with state.reading() as connection:
        return RECORDS.get(connection, user)


# --- kept


def password_row(state: State, password: str | None, now: int) -> dict[str, Any]:
    """What the table keeps of a password; of none, that nobody can sign in yet."""
    if password is None:
        return {"password_hash": "", "password_set": None}
    chosen = state.passwords.chosen(password)
    return {"password_hash": chosen, "password_set": now}


def insert(connection: sa.Connection, actor: Actor, row: Mapping[str, Any]) -> Account:
    """One name opens one account: no id is another's email address, and no address is shared."""
    refuse_taken(connection, "user", row["id"])
    refuse_taken(connection, "email", row["email"])
    connection.execute(SETUP.delete())
    # By the real clock: who is made anew under an old name must not have its stamp.
    created = {"created": micros(datetime.now(UTC)), "epoch": FIRST_EPOCH}
    return RECORDS.create(connection, actor, {**row, **created})


def refuse_taken(
    connection: sa.Connection, parameter: str, name: str | None, but: str = ""
) -> None:
    """Raises `Refused` where a name is another account's."""
    if name is None:
        return
    lowered = sa.func.lower(ACCOUNTS.c.id) == folded(name)
    same = [sa.or_(lowered, by_id_or_email(name)), ACCOUNTS.c.id != but]
    if connection.execute(sa.select(ACCOUNTS.c.id).where(*same)).first():
        raise Refused(parameter, f"there is an account named {name} already")


def by_id_or_email(name: str) -> sa.ColumnElement[bool]:
    """Whose account a name is that somebody signs in with."""
    return sa.or_(ACCOUNTS.c.id == name.strip(), ACCOUNTS.c.email == folded(name))


def digest(token: str) -> str:
    """What is kept of a secret that is known to its holder alone."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
