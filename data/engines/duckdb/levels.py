"""Sums of fewer keys and longer stretches, made of those of quarters of an hour: long windows are
read from a fraction of the rows.

A level has rows of whole UTC days that are *sealed*: put together from the rows of quarters as they
are. Whoever changes a row of a quarter takes the seal off its day in the same transaction; until it
is sealed anew, what is asked of that day is read from the quarters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from data.engines.duckdb.stretches import Stretch, in_stretches, joined
from data.engines.partials import KEYS, QUARTER, Partial
from data.local_time import WIDTHS

DAY: Final = WIDTHS["day"]
WITHOUT_USER: Final = tuple(key for key in KEYS if "user" not in KEYS[key])


@dataclass(frozen=True)
class Level:
    """A table of sums: a row for the events of a stretch of `width` that agree in all its keys."""

    table: str
    width: int
    keys: tuple[str, ...]

    @property
    def key_columns(self) -> list[str]:
        """Its keys as SQL names them: `user` alone is a function."""
        return [f'"{key}"' for key in self.keys]


QUARTERS: Final = Level("sums", QUARTER, tuple(KEYS))
# The fewest rows first: a question reads the first that knows its keys, and time finely enough.
# Hardly a user has one row a day: so all that is asked of nobody's in particular reads few rows.
LEVELS: Final = (
    Level("sums_by_day", DAY, WITHOUT_USER),
    Level("sums_by_hour", WIDTHS["hour"], WITHOUT_USER),
    Level("sums_by_quarter", QUARTER, WITHOUT_USER),
    Level("sums_of_users_by_hour", WIDTHS["hour"], ("user", "project")),
    Level(
        "sums_of_users_by_day", DAY,
        ("user", "user_named", "project", "kind", "channel", "status"),
    ),
)  # fmt: skip


BY_TABLE: Final = {one.table: one for one in (QUARTERS, *LEVELS)}


def level(keys: Iterable[str], steady_for: int) -> Level:
    """Where to read what needs these keys, of an event's time no more than `steady_for` µs tell."""
    wanted = frozenset(keys)
    fitting = (one for one in LEVELS if wanted.issubset(one.keys) and one.width <= steady_for)
    return next(fitting, QUARTERS)


def create(cursor: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> None:
    """Tables of these columns, empty."""
    added = "".join(f", {column} BIGINT" for column in columns)
    for one in (QUARTERS, *LEVELS):
        keys = ", ".join(f"{key} INTEGER NOT NULL" for key in one.key_columns)
        cursor.execute(f"CREATE OR REPLACE TABLE {one.table} (ts BIGINT NOT NULL, {keys}{added})")
    cursor.execute("CREATE OR REPLACE TABLE sealed (day BIGINT NOT NULL)")


def seal(
    cursor: duckdb.DuckDBPyConnection, days: Sequence[int], partials: Mapping[str, Partial],
    columns: Mapping[str, str],
) -> None:  # fmt: skip
    """Put together every level of some days (in order), from the quarters as they are now."""
    combined = ", ".join(_combined(one, columns[name]) for name, one in partials.items())
    stretches = joined(days, DAY)
    for one in LEVELS:
        keys = ", ".join(one.key_columns)
        cursor.execute(f"DELETE FROM {one.table} WHERE {in_stretches('ts', stretches)}")
        cursor.execute(
            f"INSERT INTO {one.table} SELECT ts - ts % {one.width} AS start, {keys}, {combined}"
            f" FROM sums WHERE {in_stretches('ts', stretches)} GROUP BY ALL ORDER BY start"
        )
    cursor.execute(f"INSERT INTO sealed VALUES {', '.join(f'({day})' for day in days)}")


def unseal(cursor: duckdb.DuckDBPyConnection, stretches: Sequence[Stretch]) -> list[int]:
    """Take the seal off the days in which rows of quarters change; which of them had one."""
    days = in_stretches("day", [(first - first % DAY, last) for first, last in stretches])
    found = cursor.execute(f"DELETE FROM sealed WHERE {days} RETURNING day").fetchall()
    return [day for (day,) in found]


def _combined(partial: Partial, column: str) -> str:
    function = "sum" if partial.function == "count" else partial.function
    return f"{function}({column})::BIGINT"
