"""Settings → People: the aliases there are, and ids that look like the same person's."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form
from data.query.units import COUNT, ZONED_INSTANT

PEOPLE: Final = Card(
    "people", "alias", "One person, several ids",
    "Events of an id below read as the person's, everywhere, until it is removed.",
    columns=(
        Column("name", "Person", 110, 2, of=lambda one: one.stored.name or one.stored.person,
               tip="tip"),
        Column("person", "Id", 110, 2, of=lambda one: one.stored.person),
        Column("alias", "Also known as", 110, 2, of=lambda one: one.stored.id),
        Column("events", "Events", 110, unit=COUNT),
        Column("who", "Merged by", 110, of=lambda one: one.stored.who),
        Column("at", "When", 210, 2, ZONED_INSTANT, of=lambda one: one.stored.at),
    ),
    empty="Everybody has one id: nothing is merged.",
    by="alias",
    buttons=(Button("people-remove", "Remove", "remove", needs=bool),),
    form=Form(
        fields=(
            Field("alias", "Id to merge", suggests=True),
            Field("person", "Person it belongs to", suggests=True),
        ),
        save="Merge", save_key="people-add",
    ),
)  # fmt: skip
HINTS: Final = Card(
    "hints", "hint", "Suggestions",
    "Ids that look alike. Names and addresses prove nothing: you decide.",
    columns=(
        Column("alias", "This id", 110, 2, of=lambda one: one.hint.alias),
        Column("events", "Events", 110, unit=COUNT),
        Column("person", "Possibly", 110, 2, of=lambda one: one.hint.person),
        Column("theirs", "Their events", 110, unit=COUNT),
        Column("why", "Why", 110, 2, of=lambda one: one.hint.why),
    ),
    empty="No other ids look like the same person's.",
    buttons=(
        Button("hint-accept", "Accept", needs=bool),
        Button("hint-dismiss", "Dismiss", needs=bool),
    ),
)  # fmt: skip
