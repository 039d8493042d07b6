"""Settings → Ingest: the keys of those who send events, and how to point an exporter here."""

from __future__ import annotations

from typing import Final

from dash import html

from components import ids
from components.settings.draw import plain
from components.settings.resource import Button, Card, Column, Field, Form
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


def exporter(address: str) -> html.Section:
    """The card beside it: the three lines that an exporter needs."""
    lines = (
        f"OTEL_EXPORTER_OTLP_ENDPOINT={address}\n"
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        'OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20YOUR_KEY"'
    )
    return plain("otel", "Send OpenTelemetry here",
                 "Any exporter of OTLP over HTTP, with one of the keys above.",
                 [html.Pre(lines, className="otel-lines", **ids.testid("otel-lines"))])  # fmt: skip
