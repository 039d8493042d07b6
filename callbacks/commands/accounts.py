"""What `spendscope account` and `spendscope token` do; the command line itself is elsewhere."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from callbacks.access import one_time_links
from callbacks.access.tokens import sign
from data.access.scope import SYSTEM
from data.errors import Refused
from data.settings import Settings
from data.state.account_changes import (
    add,
    change,
    disable,
    enable,
    make_link,
    remove,
    set_password,
)
from data.state.accounts import FIELDS, Account, get, list_accounts
from data.state.audit import Actor
from data.state.store import State

WHO: Final = "Command line"
RIGHTS: Final = FIELDS[3:]


@dataclass(frozen=True, slots=True)
class Given:
    """What the options of a command say: fields of an account, and where its password is from."""

    described: Mapping[str, Any]
    password_stdin: bool = False
    link: bool = False


def run(
    action: str, user: str | None, state: State, settings: Settings, given: Given
) -> Iterator[str]:
    """What a command does with the accounts, as lines."""
    actor = Actor(SYSTEM, WHO, settings.now())
    if action == "list":
        yield from map(_line, list_accounts(state, SYSTEM))
        return
    if not user:
        raise Refused("id", f"say whose: spendscope account {action} ID")
    if action == "password" and given.link:
        token = make_link(state, actor, user)
        yield f"Whoever opens this link sets the password of {user}; it works once, for three days:"
        yield one_time_links.password_link(token, one_time_links.site(settings))
        return
    yield ACTIONS[action](state, actor, user, given)


def _add(state: State, actor: Actor, user: str, given: Given) -> str:
    described = {"user": user, "name": user, **given.described}
    account = add(state, actor, described, _password(given))
    return f"Added the account {account.id} ({account.name})."


def _change(state: State, actor: Actor, user: str, given: Given) -> str:
    if not given.described:
        raise Refused("rights", "say what changes: --admin, --no-admin, --applications …")
    return f"Changed: {_line(change(state, actor, user, given.described))}"


def _password_of(state: State, actor: Actor, user: str, given: Given) -> str:
    get(state, SYSTEM, user)  # before anybody is asked for a password
    set_password(state, actor, user, _password(given))
    return f"Changed the password of {user}; whoever was signed in with it is signed out."


def _disable(state: State, actor: Actor, user: str, _: Given) -> str:
    disable(state, actor, user)
    return f"Disabled {user}: nobody signs in with it, and whoever had is signed out."


def _enable(state: State, actor: Actor, user: str, _: Given) -> str:
    enable(state, actor, user)
    return f"Enabled {user}."


def _remove(state: State, actor: Actor, user: str, _: Given) -> str:
    remove(state, actor, user)
    return f"Removed the account {user}; what it used stays."


Action = Callable[[State, Actor, str, Given], str]
ACTIONS: Final[dict[str, Action]] = {
    "add": _add,
    "disable": _disable,
    "enable": _enable,
    "password": _password_of,
    "rights": _change,
    "remove": _remove,
}


def _line(one: Account) -> str:
    """An account as a line: its id, name, rights, and whether it can be used."""
    fields = one.as_dict()
    rights = {name: fields[name] for name in RIGHTS if fields.get(name)}
    words = [f"{name}={','.join(value) if isinstance(value, list) else 'true'}"
             for name, value in rights.items()]  # fmt: skip
    state = "disabled" if one.disabled else "" if one.password_set else "no password yet"
    return "  ".join(part for part in (one.id, one.name, one.email or "", *words, state) if part)


def token(
    settings: Settings,
    sub: str,
    email: str | None = None,
    name: str | None = None,
    *,
    admin: bool = False,
    auditor: bool = False,
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
    if auditor:
        claims["isAuditor"] = True
    return sign(settings, claims | {k: v for k, v in optional.items() if v is not None}, ttl)


def _password(given: Given) -> str:
    return sys.stdin.readline().rstrip("\r\n") if given.password_stdin else _prompt_password()


def _prompt_password() -> str:
    first = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != first:
        raise Refused("password", "the two passwords differ")
    return first
