"""Settings → People: the aliases there are, and ids that look like the same person's."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Button, Card, Column, Field, Form, Row, pair, pairs
from components.values import hover_text
from data.people.hints import Hint
from data.people.table import Kept
from data.query.units import COUNT, moment

PEOPLE: Final = Card(
    "people", "alias", "One person, several ids",
    "Events of an id below read as the person's, everywhere, until it is removed.",
    columns=(
        Column("name", "Person", 110, 2, tip="tip"), Column("person", "Id", 110, 2),
        Column("alias", "Also known as", 110, 2), Column("events", "Events", 110, number=True),
        Column("who", "Merged by", 110), Column("when", "When", 210, 2),
    ),
    empty="Everybody has one id: nothing is merged.",
    buttons=(Button("people-remove", "Remove", needs=bool),),
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
        Column("alias", "This id", 110, 2), Column("events", "Events", 110, number=True),
        Column("person", "May be", 110, 2),
        Column("theirs", "Events of theirs", 110, number=True), Column("why", "Why", 110, 2),
    ),
    empty="No other ids look like the same person's.",
    buttons=(
        Button("hint-accept", "Accept", needs=bool),
        Button("hint-dismiss", "Dismiss", needs=bool),
    ),
)  # fmt: skip


def row(one: Kept, everybody: tuple[str, ...], events: int, zone: str) -> Row:
    """An alias's row; `everybody` are all the ids of its person."""
    return {
        **pairs(name=one.name or one.person, person=one.person, alias=one.id, who=one.who,
                when=f"{moment(one.at, zone)} {zone}"),
        "name_tip": hover_text(one.person, {one.person: everybody}),
        **pair("events", events, COUNT.text(events)),
    }  # fmt: skip


def hint_row(one: Hint, events: int, theirs: int) -> Row:
    """A suggestion's row."""
    return {
        **pairs(alias=one.alias, person=one.person, why=one.why),
        **pair("events", events, COUNT.text(events)), **pair("theirs", theirs, COUNT.text(theirs)),
    }  # fmt: skip
