"""Re-pricing in PostgreSQL (`data/engines/repricing.py`): one join computes, one update stores, and
what was there is kept. The caller holds the writer's lock and the transaction."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from data.engines.postgresql.rows import plain, run
from data.engines.repricing import (
    BY_PROJECT,
    CHANGED,
    LATER,
    MOVES,
    RATE_COLUMNS,
    Words,
    changes,
    quotient,
    rate_type,
)
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange, RateRow

WIDE: Final = "NUMERIC"
WORDS: Final = Words(
    "event_id", lambda name: f"{quotient(name, f'div(abs({name}), parts)')} AS {name}"
)
RATES: Final = "CREATE TEMP TABLE rates ({}) ON COMMIT DROP".format(
    ", ".join(f'"{name}" {rate_type(name, WIDE)}' for name in RATE_COLUMNS)
)
FILL: Final = "INSERT INTO rates SELECT * FROM unnest({})".format(
    ", ".join(f"CAST(:{name} AS {rate_type(name, WIDE)}[])" for name in RATE_COLUMNS)
)
MOMENTS: Final = "SELECT DISTINCT ts FROM events WHERE event_id IN (SELECT event_id FROM {})"
KEEP: Final = (
    f"INSERT INTO repriced SELECT :number, {', '.join(('event_id', *CHANGED))} FROM changes"
)
FOUND: Final = "(SELECT * FROM repriced WHERE repricing = :number)"
PUT_BACK: Final = (
    f"UPDATE events SET {', '.join(f'{name} = r.{name}' for name in CHANGED)} FROM {FOUND} AS r"
    " WHERE events.event_id = r.event_id"
)


def compute(connection: sa.Connection, change: RateChange) -> list[CostChange]:
    """Work out the changes (a temporary table `changes`, for `store`); returns them by project."""
    _register(connection, change.rates)
    found = changes(WORDS, change.what, change.start, change.end)
    plain(connection, f"CREATE TEMP TABLE changes ON COMMIT DROP AS {found}")
    return [CostChange(*row) for row in plain(connection, BY_PROJECT)]


def store(connection: sa.Connection, number: int) -> list[int]:
    """Make the computed changes; under a number what was there is kept for `restore`. Returns when
    the events were."""
    moments = list(plain(connection, MOMENTS.format("changes")).scalars())
    run(connection, KEEP, number=number)
    moved = plain(connection, MOVES).one()
    columns = [name for name, differs in zip(CHANGED, moved, strict=True) if differs]
    if columns:
        values = ", ".join(f"{name} = r.new_{name}" for name in columns)
        plain(connection, f"UPDATE events SET {values} FROM changes r"
                          " WHERE events.event_id = r.event_id")  # fmt: skip
    return moments


def later(connection: sa.Connection, number: int) -> int | None:
    """The newest later re-pricing that changed an event of this one, if one did."""
    found: int | None = run(connection, LATER.format(":number"), number=number).scalar()
    return found


def restore(connection: sa.Connection, number: int) -> tuple[int, list[int]]:
    """Put back what a re-pricing found; of how many events, and when they were."""
    moments = list(run(connection, MOMENTS.format(f"{FOUND} AS found"), number=number).scalars())
    run(connection, PUT_BACK, number=number)
    done = run(connection, "DELETE FROM repriced WHERE repricing = :number", number=number)
    return done.rowcount, moments


def _register(connection: sa.Connection, rates: tuple[RateRow, ...]) -> None:
    """Have the rows of a book as a temporary table."""
    plain(connection, RATES)
    columns = {name: [getattr(rate, name) for rate in rates] for name in RATE_COLUMNS}
    run(connection, FILL, **columns)
    plain(connection, "ANALYZE rates")
