"""What `spendscope account` and `spendscope token` do; the command line itself is elsewhere."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from callbacks.access.tokens import sign
from data.errors import Refused
from data.settings import Settings
from data.state.store import State


def add(
    state: State,
    user: str,
    name: str | None = None,
    email: str | None = None,
    *,
    admin: bool = False,
    applications: str | None = None,
    applications_admin: str | None = None,
    password_stdin: bool = False,
) -> str:
    """Add an account and say so; the password comes from a prompt or from standard input."""
    account = state.add_account(
        user,
        user if name is None else name,
        _prompt_password() if not password_stdin else sys.stdin.readline().rstrip("\r\n"),
        email,
        is_admin=admin,
        applications=applications,
        applications_admin=applications_admin,
    )
    return f"Added the account {account.id} ({account.name})."


def token(
    settings: Settings,
    sub: str,
    email: str | None = None,
    name: str | None = None,
    *,
    admin: bool = False,
    applications: str | None = None,
    applications_admin: str | None = None,
    ttl: int = 3_600,
) -> str:
    """A signed token with these claims; raises `SettingsError` where no secret is set."""
    if not sub.strip():
        raise Refused("sub", "a token names somebody: --sub cannot be empty")
    optional = {
        "email": email,
        "name": name,
        "applications": applications,
        "applications_admin": applications_admin,
    }
    claims: dict[str, Any] = {"sub": sub, "isAdmin": admin}
    return sign(settings, claims | {k: v for k, v in optional.items() if v is not None}, ttl)


def _prompt_password() -> str:
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise Refused("password", "the two passwords differ")
    return first
