"""Settings → Ingest: the keys of those who send events, and the way to what is done with them."""

from __future__ import annotations

from typing import Final

from dash import html

from components.settings.draw import plain
from components.settings.resource import Button, Card, Column, Field, Form
from components.wiring import Link
from data.query.units import INSTANT, InstantUnit, moment

REVOKED: Final = InstantUnit("instant", reading=lambda us, zone: f"revoked {moment(us, zone)}")
CARD: Final = Card(
    "keys", "key", "Ingest keys",
    "One a sender. A key stamps its source and, if it has one, its project and its user.",
    columns=(
        Column("name", "Name", 150),
        Column("shown", "Begins with", of=lambda one: f"{one.shown}…"),
        Column("source", "Source", blank="any"), Column("project", "Project", blank="any"),
        Column("user", "User", blank="any"),
        Column("created", "Created", 170, unit=INSTANT), Column("created_by", "By"),
        Column("used", "Last used", 170, unit=INSTANT),
        Column("revoked", "State", unit=REVOKED, blank="active"),
    ),
    empty="There is no key yet: make one, and give it to one sender.",
    buttons=(
        Button(
            "key-revoke", "Revoke", "remove", needs=lambda row: row["revoked"] is None,
            confirm=lambda row: f"Revoke the key “{row['name']}”? Whoever sends with it is turned"
                                " away.",
        ),
    ),
    form=Form(
        fields=(
            Field("name", "Name", hint="who sends with it"),
            Field("source", "Source", hint="what all it sends is from"),
            Field("project", "Project", hint="any"), Field("user", "User", hint="any"),
        ),
        save="Create key", save_key="key-make",
        once="This is the only time the key is shown. Copy it now.",
    ),
)  # fmt: skip


def how_to_send() -> html.Section:
    """The card beside it: where the lines for each sender are."""
    link = Link("Connect", href="/settings/data", className="link")
    return plain("senders", "What to do with a key",
                 "For LiteLLM, OpenTelemetry, coding agents and developers' machines.",
                 [html.P([link, " has the lines to copy, with this server's address, and makes a"
                          " key on the spot."], className="card-words")])  # fmt: skip
