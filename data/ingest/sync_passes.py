"""How reading another's database goes: when it was last read to its end, and how often it failed
since. Of the servers that share a state store one reads; the others know it from here."""

from __future__ import annotations

from typing import Final, NamedTuple

import sqlalchemy as sa

from data.state.store import State
from data.state.tables import SYNC_PASSES

MICROSECONDS: Final = 1_000_000


class Passes(NamedTuple):
    """Seconds since 1970, 0 for never, and a number of readings."""

    last_success: float = 0.0
    failures: int = 0


def note(state: State, source: str, passes: Passes) -> None:
    """Tell the other servers."""
    micros = round(passes.last_success * MICROSECONDS)
    row = {"source": source, "last_success": micros, "failures": passes.failures}
    with state.writing() as connection:
        connection.execute(SYNC_PASSES.delete().where(SYNC_PASSES.c.source == source))
        connection.execute(SYNC_PASSES.insert().values(row))


def noted(state: State, source: str) -> Passes:
    """What the server that reads has told."""
    asked = sa.select(SYNC_PASSES).where(SYNC_PASSES.c.source == source)
    with state.reading() as connection:
        row = connection.execute(asked).first()
    return Passes(row.last_success / MICROSECONDS, row.failures) if row else Passes()
