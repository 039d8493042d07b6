"""Settings → Profile: the API tokens that one made for oneself; Settings → People: everybody's."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form
from data.query.units import INSTANT, InstantUnit, moment

REVOKED: Final = InstantUnit("instant", reading=lambda us, zone: f"revoked {moment(us, zone)}")
SCOPES: Final = {
    "read": "Read the API",
    "read,export": "Read the API and export files",
    "send": "Send my own usage",
    "read,export,send": "All of that",
}
DAYS: Final = {"30": "30 days", "90": "90 days", "365": "A year"}
COLUMNS: Final = (
    Column("name", "Name", 140), Column("shown", "Begins with", of=lambda one: f"{one.shown}…"),
    Column("scopes", "For", 140, of=lambda one: ", ".join(one.scopes)),
    Column("created", "Created", 160, unit=INSTANT),
    Column("expires", "Good until", 160, unit=INSTANT),
    Column("used", "Last used", 160, unit=INSTANT),
    Column("revoked", "State", unit=REVOKED, blank="active"),
)  # fmt: skip


def _revoke(key: str) -> Button:
    return Button(
        key, "Revoke", "remove", needs=lambda row: row["revoked"] is None,
        confirm=lambda row: f"Revoke the token “{row['name']}”? Whatever uses it is turned away.",
    )  # fmt: skip


OF_PEOPLE: Final = Card(
    "people-tokens", "people-token", "API tokens",
    "What everybody made for their scripts. What you revoke is turned away at once.",
    columns=(Column("user", "User id", 155, 2), *COLUMNS),
    empty="Nobody has made any.",
    buttons=(_revoke("people-token-revoke"),),
)  # fmt: skip
CARD: Final = Card(
    "tokens", "token", "API tokens",
    "For scripts of yours: each has your rights as they are when it is used, and what it is for.",
    columns=COLUMNS,
    empty="You have made none.",
    buttons=(_revoke("token-revoke"),),
    form=Form(
        fields=(
            Field("name", "Name", hint="what uses it"),
            Field("scopes", "For", "choice", options=SCOPES, initial="read"),
            Field("days", "Good for", "choice", options=DAYS, initial="90"),
        ),
        save="Create token", save_key="token-make",
        once="This is the only time the token is shown. Copy it now.",
    ),
)  # fmt: skip
