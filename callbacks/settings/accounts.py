"""Settings → Accounts, over HTTP, too; and one's own password on the profile."""

from __future__ import annotations

from typing import Any, Final

from callbacks.access.browser_session import renew_session
from callbacks.access.one_time_links import password_link
from callbacks.access.session import current_authenticator, current_person
from callbacks.access.site import public_site
from callbacks.settings.resource import Context, Found, Opening, Page, Resource, Route, Values
from components.settings.accounts import CARD, PASSWORD, role
from components.settings.resource import Row
from data.access.scope import Scope
from data.errors import Forbidden, Refused, TooMany
from data.state.account_changes import (
    add,
    change,
    change_own_password,
    disable,
    enable,
    make_link,
    remove,
)
from data.state.accounts import Account, get, list_accounts, require_platform_reader

NO_PASSWORDS: Final = (
    "Nobody signs in with a password here: SPENDSCOPE_SIGN_IN does not name local."
)
# What the role of the form means.
FIELDS_OF_ROLE: Final[dict[str, Values]] = {
    "false": {"isAdmin": "false", "isAuditor": False},
    "true": {"isAdmin": "true", "isAuditor": False},
    "auditor": {"isAdmin": "false", "isAuditor": True},
}
Made = tuple[Account, str]  # and the link by which its password is set


def _allow(scope: Scope) -> None:
    """A visitor of the demo, who may see everything, makes nothing that outlives it."""
    require_platform_reader(scope)
    if current_person().is_demo:
        raise Forbidden("accounts are not for the demo's personas: sign in with an account")


def _read(context: Context) -> Found[Account]:
    found = list_accounts(context.state, context.scope)
    return Found(found, note="" if "local" in context.stores.settings.sign_in else NO_PASSWORDS)


def _link(context: Context, user: Any) -> str:
    return password_link(make_link(context.state, context.actor, str(user)), public_site())


def _create(context: Context, values: Values) -> Made:
    made = add(context.state, context.actor, values)
    return made, _link(context, made.id)


def _save(context: Context, user: Any, values: Values) -> Any:
    """What the form says: its one role is two fields."""
    described = {**values, **FIELDS_OF_ROLE.get(str(values.get("isAdmin")), {})}
    return _create(context, described) if user is None else _change(context, user, described)


def _change(context: Context, user: str, values: Values) -> Account:
    return change(context.state, context.actor, user, values)


def _opening(context: Context, button: str, row: Row) -> Opening:
    if button == "account-new":
        return Opening()
    found = get(context.state, context.scope, CARD.number_of(row))
    old = found.as_dict()
    lists = {name: ", ".join(one) for name, one in old.items() if isinstance(one, list)}
    return Opening(old["user"], old | lists | {"isAdmin": role(found)})


def _disable(context: Context, values: Values) -> None:
    disable(context.state, context.actor, str(values.get("user")))


def _enable(context: Context, values: Values) -> None:
    enable(context.state, context.actor, str(values.get("user")))


def _reset(context: Context, values: Values) -> dict[str, str]:
    return {"link": _link(context, values.get("user"))}


ACCOUNTS: Final[Resource[Account]] = Resource(
    CARD,
    allow=_allow,
    read=_read,
    create=_create,
    change=_change,
    save=_save,
    remove=lambda context, user: remove(context.state, context.actor, user),
    opening=_opening,
    actions={
        "account-reset": lambda context, row: (None, _link(context, CARD.number_of(row))),
        "account-disable": _disable,
        "account-enable": _enable,
    },
    secret=lambda made: made[1] if isinstance(made, tuple) else "",
    route=Route(
        "/api/v1/accounts",
        "accounts",
        Account.as_dict,
        made=lambda made: made[0].as_dict() | {"link": made[1]},
        change="PATCH",
        posts={"disable": _disable, "enable": _enable, "password": _reset},
    ),
)
PAGE: Final = Page("accounts", "Accounts", (ACCOUNTS,))


# --- one's own password


def _holders(_: Scope) -> None:
    if not current_person().has_account:
        raise Forbidden("only who signed in with an account has a password here")


def _change_own(context: Context, _: Any, values: Values) -> Account:
    if values.get("password") != values.get("repeat"):
        raise Refused("repeat", "the two passwords differ")
    current, password = (str(values.get(name) or "") for name in ("current", "password"))
    verify = current_authenticator().verify
    try:
        account = change_own_password(context.state, context.actor, verify, current, password)
    except TooMany as refusal:
        raise TooMany(str(refusal), refusal.seconds, "current") from None
    renew_session(account)
    return account


OWN_PASSWORD: Final[Resource[Account]] = Resource(
    PASSWORD, allow=_holders, save=_change_own, own=True
)
