"""Settings → Accounts: who signs in with a password, and one's own password on the profile."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form
from data.query.units import INSTANT, InstantUnit, day
from data.state.accounts import Account

DISABLED: Final = InstantUnit("instant", reading=lambda us, zone: f"disabled {day(us, zone)}")
ROLES: Final = {"false": "User", "true": "Platform admin", "auditor": "Auditor"}
ROLE_OF: Final = {
    (False, False): "false", (True, False): "true", (True, True): "true", (False, True): "auditor",
}  # fmt: skip


def role(one: Account) -> str:
    """The role of an account, as the form says it."""
    return ROLE_OF[one.is_admin, one.is_auditor]


CARD: Final = Card(
    "accounts", "account", "Accounts",
    "Who signs in here with a password. What changes holds from their next request on.",
    columns=(
        Column("user", "User id", 165, 2, of=lambda one: one.id), Column("name", "Name", 130, 2),
        Column("email", "E-mail", 155, 2),
        Column("isAdmin", "Role", 130, of=lambda one: ROLES[role(one)]),
        Column("applications", "Uses", of=lambda one: ", ".join(one.applications)),
        Column("applications_admin", "Administers", 115,
               of=lambda one: ", ".join(one.applications_admin)),
        Column("password_set", "Password set", 160, unit=INSTANT, blank="not yet"),
        Column("disabled", "State", 172, unit=DISABLED, blank="enabled"),
    ),
    empty="There is no account yet.",
    by="user",
    buttons=(
        Button("account-new", "New account", "new"),
        Button("account-edit", "Edit", "edit", needs=bool, title="Edit account"),
        Button(
            "account-reset", "Reset password", needs=lambda row: row["disabled"] is None,
            reveals=True,
            confirm=lambda row: f"Make a link by which {row['name']} sets another password? Links"
                                " made before stop working.",
        ),
        Button(
            "account-disable", "Disable", needs=lambda row: row["disabled"] is None,
            confirm=lambda row: f"Disable {row['name']}? They are signed out at once.",
        ),
        Button("account-enable", "Enable", needs=lambda row: row["disabled"] is not None),
        Button(
            "account-remove", "Remove", "remove", needs=bool,
            confirm=lambda row: f"Remove the account of {row['name']}? What they used stays.",
        ),
    ),
    form=Form(
        fields=(
            Field("user", "User id", hint="as in the usage data"),
            Field("name", "Name"), Field("email", "E-mail", hint="none"),
            Field("isAdmin", "Role", "choice", options=ROLES, initial="false"),
            Field("applications", "Projects they use", hint="web, mobile"),
            Field("applications_admin", "Projects they administer", hint="web"),
        ),
        save="Save", save_key="account-save", drawer=True,
        once="Send this link: whoever opens it sets the password. It is shown only now, and works"
             " once, for three days.",
    ),
)  # fmt: skip
PASSWORD: Final = Card(
    "password", "password", "Password",
    "Whoever is signed in with the old one elsewhere is signed out.",
    form=Form(
        fields=(
            Field("current", "Current password", "password"),
            Field("password", "New password", "password", hint="at least 10 characters"),
            Field("repeat", "The same again", "password"),
        ),
        save="Change password", save_key="password-save", saved="Changed",
    ),
)  # fmt: skip
