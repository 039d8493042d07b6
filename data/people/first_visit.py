"""Who has been shown around: once, whoever they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from data.state.tables import SHOWN_AROUND

if TYPE_CHECKING:
    from data.state.store import State


def is_over(state: State, *ids: str) -> bool:
    """Whether a person of these ids was shown around before."""
    with state.reading() as connection:
        found = sa.select(SHOWN_AROUND.c.user).where(SHOWN_AROUND.c.user.in_(ids)).limit(1)
        return connection.execute(found).first() is not None


def end(state: State, now: int, *ids: str) -> None:
    """Show this person around no more."""
    with state.writing() as connection:
        connection.execute(SHOWN_AROUND.delete().where(SHOWN_AROUND.c.user == ids[0]))
        connection.execute(SHOWN_AROUND.insert().values(user=ids[0], at=now))
