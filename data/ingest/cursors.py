"""How far each database that is followed has been read: kept in the state store, no password."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.state.tables import FOLLOWED

if TYPE_CHECKING:
    from data.state.store import State


@dataclass(frozen=True, slots=True)
class Place:
    """The last row read (its time and id over there, an event's id here), and how late the rows
    were inserted that have been looked for."""

    started: str | None = None
    request: str | None = None
    event: str | None = None
    created: str | None = None


def place(state: State, source: str) -> Place:
    """How far a source was read; nowhere if never."""
    asked = sa.select(FOLLOWED).where(FOLLOWED.c.source == source)
    with state.reading() as connection:
        row = connection.execute(asked).mappings().first()
    return Place(**{name: row[name] for name in asdict(Place())}) if row else Place()


def remember(state: State, source: str, reached: Place) -> None:
    """Keep how far a source was read."""
    with state.writing() as connection:
        connection.execute(FOLLOWED.delete().where(FOLLOWED.c.source == source))
        connection.execute(FOLLOWED.insert().values(source=source, **asdict(reached)))
