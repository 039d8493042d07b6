"""An account: who signs in with a password, and what is written down about them.

`new_row` is the door: what leaves it fits the table. Whose rows an account may see is
`data/access/scope.py`'s matter; here its claims are only kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from data.access.scope import names
from data.errors import Refused
from data.events.table import ME, NONE, micros

LONGEST_NAME: Final = 200
RESERVED: Final = (ME, NONE)
Names = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in here with a password; `created` is µs UTC."""

    id: str
    email: str | None
    name: str
    is_admin: bool
    applications: tuple[str, ...]
    applications_admin: tuple[str, ...]
    created: int

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
        }

    @classmethod
    def of(cls, row: Any) -> Account:
        """The account of a stored row."""
        return cls(
            id=row.id,
            email=row.email,
            name=row.name,
            is_admin=row.is_admin,
            applications=tuple(row.applications),
            applications_admin=tuple(row.applications_admin),
            created=row.created,
        )


def new_row(user: str, name: str, email: str | None) -> dict[str, Any]:
    """Who a new account is; raises `Refused` naming what cannot be kept."""
    user = _name("user", "a user id", user)
    if user in RESERVED:
        raise Refused("user", f"{user} means something else in filters; choose another user id")
    address = folded(_name("email", "an email address", email)) if email else None
    if address is not None and "@" not in address:
        raise Refused("email", f"{address[:40]!r} is no email address")
    now = micros(datetime.now(UTC))
    return {"id": user, "name": _name("name", "a name", name), "email": address, "created": now}


def rights(is_admin: bool, applications: Names, applications_admin: Names) -> dict[str, Any]:
    """What an account claims, as the table keeps it."""
    return {
        "is_admin": is_admin,
        "applications": _items(applications),
        "applications_admin": _items(applications_admin),
    }


def folded(email: str) -> str:
    """An email address as it is kept and looked for: its case means nothing."""
    return email.strip().lower()


def _items(given: Names) -> list[str]:
    listed = given if isinstance(given, str) else list(given or ())
    return list(dict.fromkeys(names(listed)))


def _name(parameter: str, what: str, text: str) -> str:
    name = text.strip()
    if not name:
        raise Refused(parameter, f"{what} cannot be empty")
    if len(name) > LONGEST_NAME:
        raise Refused(parameter, f"{what} has at most {LONGEST_NAME} characters")
    if not name.isprintable():
        raise Refused(parameter, f"{what} cannot hold control characters")
    return name
