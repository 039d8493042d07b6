"""Settings → Data: for how long events are kept."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form
from data.query.units import COUNT, INSTANT

CARD: Final = Card(
    "retention", "rule", "Retention",
    "Events that are older than a source's are to be kept are deleted, for good. A rule works from"
    " a day after it was made; until then it can be taken back.",
    columns=(
        Column("source", "Source", 150), Column("days", "Days kept", unit=COUNT),
        Column("older", "Older now", unit=COUNT), Column("starts", "Works from", 170, unit=INSTANT),
        Column("who", "By", 130),
    ),
    empty="There is no rule: everything is kept.",
    buttons=(
        Button(
            "retention-remove", "Remove", "remove", needs=bool,
            confirm=lambda row: f"Keep the events of “{row['source']}” from now on? What was"
                                " deleted stays deleted.",
        ),
    ),
    form=Form(
        fields=(
            Field("source", "Source", hint="as in the table above"),
            Field("days", "Days kept", hint="365"),
        ),
        save="Add rule", save_key="retention-save",
    ),
)  # fmt: skip
