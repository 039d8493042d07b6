"""What visitors of the demo made, taken away with it: their personas are nobody, and whatever they
set up must be of no use to anybody once there is something real."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import SYSTEM
from data.sample.people import PERSONAS
from data.state.audit import DEMO, SAMPLE_NAME, Actor, made_in_demo, record
from data.state.store import State
from data.state.tables import (
    ALIASES,
    AUDIT,
    BUDGETS,
    EXCHANGE_RATES,
    INGEST_KEYS,
    NOT_ALIASES,
    PREFERENCES,
    PRICES,
    REPRICINGS,
    RETENTION,
)

# Who made them stands in the rows.
MADE_BY: Final[tuple[sa.Column[Any], ...]] = (
    INGEST_KEYS.c.created_by, ALIASES.c.who, PRICES.c.who, EXCHANGE_RATES.c.who,
    REPRICINGS.c.who, RETENTION.c.who,
)  # fmt: skip
SUBJECTS: Final = tuple(str(one.claims["sub"]) for one in PERSONAS)
BUDGET: Final = "budget "
APART: Final = "different persons "
Traces = Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]


def has_traces(state: State) -> bool:
    """Whether anything is left of what the demo made."""
    with state.reading() as connection:
        return any(
            connection.execute(sa.select(sa.exists().where(theirs))).scalar_one()
            for _, theirs in _traces(connection)
        )


def end_demo(state: State, now: int) -> None:
    """Take away what its visitors made, and the budgets of the sample organisation."""
    with state.writing() as connection:
        counts: dict[str, Any] = {}
        for table, theirs in list(_traces(connection)):
            if gone := connection.execute(sa.delete(table).where(theirs)).rowcount:
                counts[table.name] = counts.get(table.name, 0) + gone
        if counts:
            actor = Actor(SYSTEM, SAMPLE_NAME, now)
            record(connection, actor, "delete", "what the demo made", counts, None)


def _traces(connection: sa.Connection) -> Traces:
    for column in MADE_BY:
        yield column.table, column.startswith(DEMO, autoescape=True)
    yield PREFERENCES, PREFERENCES.c.user.in_(SUBJECTS)
    made = connection.execute(sa.select(AUDIT.c.thing, AUDIT.c.after).where(made_in_demo())).all()
    budgets = [thing.removeprefix(BUDGET) for thing, _ in made if thing.startswith(BUDGET)]
    numbers = [int(one) for one in budgets if one.isdecimal()]
    yield BUDGETS, BUDGETS.c.id.in_(numbers)
    for pair in (after for thing, after in made if thing.startswith(APART)):
        yield NOT_ALIASES, sa.and_(*(NOT_ALIASES.c[name] == one for name, one in pair.items()))
