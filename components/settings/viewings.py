"""Looking at the dashboard as somebody else: who did, on that person's profile; on Settings →
People, beginning it."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Card, Column, Field, Form
from data.query.units import INSTANT
from data.state.viewings import MINUTE, Viewing


def lasted(one: Viewing) -> str:
    """How long, in minutes that began."""
    return "" if one.ended is None else f"{max(1, -((one.started - one.ended) // MINUTE))} min"


def _columns(*more: Column) -> tuple[Column, ...]:
    return (
        Column("viewer_name", "Who looked", 130, 2),
        Column("viewer", "Their user id", 110, 2),
        *more,
        Column("started", "When", 160, unit=INSTANT),
        Column("lasted", "How long", 110, of=lasted, blank="not stopped"),
        Column("until", "At most until", 160, unit=INSTANT),
    )


OWN: Final = Card(
    "viewings", "viewing", "Who looked at the dashboard as you",
    "Platform administrators may see what you see. They change nothing by it.",
    columns=_columns(),
    empty="Nobody has.",
)  # fmt: skip
EVERYBODY: Final = Card(
    "people-viewings", "people-viewing", "View as",
    "See the dashboard exactly as somebody does, for half an hour at most: nothing can be changed,"
    " and they can read in their profile that you did.",
    columns=_columns(Column("name", "As", 120, 2), Column("user", "User id", 110, 2)),
    empty="Nobody has looked as anybody else.",
    form=Form(
        fields=(Field("user", "Person to see as", suggests=True, hint="user id"),),
        save="View as", save_key="view-as",
    ),
)  # fmt: skip
