"""Re-pricing in ClickHouse (`data/engines/repricing.py`): one join computes what changes. What was
there is kept first, then the events are written with their new costs: one that was cut short is
undone like any other.
"""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa

from data.engines.clickhouse.dialect import quoted
from data.engines.clickhouse.rows import column, do, names, scalar, select
from data.engines.clickhouse.schema import EVENTS_TABLE
from data.engines.clickhouse.turn import RECORD
from data.engines.repricing import (
    BY_PROJECT,
    CHANGED,
    LATER,
    RATE_COLUMNS,
    RATE_NUMBERS,
    RATE_TEXTS,
    Words,
    changes,
    quotient,
)
from data.prices.cost_change import CostChange
from data.prices.rate_rows import RateChange, RateRow

WIDE: Final = "Int256"
WORDS: Final = Words(
    "event_id", lambda name: f"{quotient(name, f'intDiv(abs({name}), parts)')} AS {name}"
)
DIFFERENT: Final = re.compile(r"([\w.]+) IS DISTINCT FROM ([\w.]+)")
KEPT: Final = [name for name, _ in EVENTS_TABLE.columns if name not in CHANGED]
DAYS: Final = "SELECT DISTINCT intDiv(ts, 86400000000) FROM events WHERE event_id IN ({})"
KEEP: Final = (
    f"INSERT INTO repriced ({names(RECORD)}, version)"
    f" SELECT {{}}, {names(('event_id', *CHANGED))}, {{}} FROM ({{}})"
)
WRITE: Final = (
    f"INSERT INTO events ({names((*KEPT, *CHANGED))}, version)"
    f" SELECT {', '.join(f'e.`{name}`' for name in KEPT)},"
    f" {', '.join(f'r.{{0}}{name}' for name in CHANGED)}, {{1}}"
    " FROM events e INNER JOIN ({2}) r ON e.event_id = r.event_id"
)
FOUND: Final = "SELECT * FROM repriced WHERE repricing = {}"
DONE: Final = (
    "INSERT INTO repriced (event_id, repricing, version, gone)"
    " SELECT event_id, repricing, {1}, 1 FROM repriced WHERE repricing = {0}"
)


def changed(change: RateChange) -> str:
    """The SELECT of what a re-pricing changes."""
    found = changes(WORDS, change.what, change.start, change.end)
    rated = f"WITH rates AS ({_rates(change.rates)}), "
    return _in_our_words(found).replace("WITH ", rated, 1)


def _in_our_words(sql: str) -> str:
    """What is standard, but not here."""
    different = r"NOT ifNull(\1 = \2, isNull(\1) AND isNull(\2))"
    named = {"starts_with(": "startsWith(", "strpos(": "position("}
    for standard, ours in named.items():
        sql = sql.replace(standard, ours)
    return DIFFERENT.sub(different, sql)


def _rates(rates: tuple[RateRow, ...]) -> str:
    """The rows of a book as a table: numbers of any size stand there as texts."""
    columns = ", ".join(f"{_column(name)} Nullable(String)" for name in RATE_COLUMNS)
    rows = ", ".join(
        f"({', '.join(_text(getattr(one, n)) for n in RATE_COLUMNS)})" for one in rates
    )
    typed = ", ".join(_typed(name) for name in RATE_COLUMNS)
    given = f"values({quoted(columns)}, {rows})" if rates else f"null({quoted(columns)})"
    return f"SELECT {typed} FROM {given}"


def _column(name: str) -> str:
    return f"given_{name}"


def _text(value: Any) -> str:
    return "NULL" if value is None else quoted(str(value))


def _typed(name: str) -> str:
    given = _column(name)
    if name in RATE_TEXTS:
        made = given if name == "reason" else f"assumeNotNull({given})"
        return f"{made} AS {name}"
    type_ = "Int64" if name in RATE_NUMBERS else f"Nullable({WIDE})"
    return f"CAST({given} AS {type_}) AS `{name}`"


def compute(connection: sa.Connection, changed: str) -> list[CostChange]:
    """What would change, by project."""
    asked = _in_our_words(BY_PROJECT).replace("FROM changes", f"FROM ({changed})")
    return [CostChange(*row) for row in select(connection, asked)]


def days_of(connection: sa.Connection, rows: str) -> list[int]:
    """The days of the events of these rows."""
    return column(connection, DAYS.format(f"SELECT event_id FROM ({rows})"))


def store(connection: sa.Connection, changed: str, repricing: int, turn: int) -> None:
    """Make the changes; under the number of the re-pricing what was there is kept."""
    do(connection, KEEP.format(repricing, turn, changed))
    do(connection, WRITE.format("new_", turn, changed))


def later(connection: sa.Connection, number: int) -> int | None:
    """The newest later re-pricing that changed an event of this one, if one did."""
    found: int | None = scalar(connection, LATER.format(number))
    return found


def restore(connection: sa.Connection, number: int, turn: int) -> int:
    """Put back what a re-pricing found; of how many events."""
    found = FOUND.format(number)
    count = int(scalar(connection, f"SELECT count() FROM ({found})"))
    do(connection, WRITE.format("", turn, found))
    do(connection, DONE.format(number, turn))
    return count
