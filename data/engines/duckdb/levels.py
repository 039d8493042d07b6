"""Sums of fewer keys and longer stretches, made of those of quarters of an hour: long windows are
read from a fraction of the rows.

Rows with lists of values (of which percentiles are made) have levels of their own: what unfolds a
list has a row of its sums many times. So has, beside the quarters, what tells runs and
conversations apart (`BY_ID`).

A level has rows of whole UTC days that are *sealed*: put together from the rows of quarters as they
are. Of a day that goes on its hours are sealed, one after the other, for levels as fine as that.
Whoever changes a row of a quarter takes the seal off its day and hour in the same transaction;
until these are sealed anew, what is asked of them is read from the quarters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import duckdb

from data.engines.levels import DAY, HOUR, LEVELS, Level
from data.engines.partials import IDS, KEYS, QUARTER, Partial, Wanted
from data.engines.stretches import Stretch, in_stretches, joined

QUARTERS: Final = Level("sums", QUARTER, tuple(KEYS), None)
BY_ID: Final = Level("sums_by_id", QUARTER, tuple(KEYS), False, IDS)
BY_TABLE: Final = {one.table: one for one in (QUARTERS, BY_ID, *LEVELS)}


def key_columns(one: Level) -> list[str]:
    """Its keys as SQL names them: `user` alone is a function."""
    return [f'"{key}"' for key in one.keys]


def partials(one: Level, wanted: Wanted) -> Mapping[str, Partial]:
    """Those that the rows of a level have."""
    if one.ids:
        return wanted.of_ids
    every = wanted.partials.items()
    return {name: each for name, each in every if one.lists in (None, each.is_list)}


def level(keys: Iterable[str], steady_for: int, lists: bool = False) -> Level:
    """Where to read what needs these keys, of an event's time no more than `steady_for` µs tell."""
    wanted = frozenset(keys)
    fitting = (one for one in LEVELS if one.lists is lists and one.says(wanted, steady_for))
    return next(fitting, QUARTERS)


def finer(one: Level) -> list[Level]:
    """The levels that can say what this one does of shorter stretches, the longest first."""
    return [
        other
        for other in LEVELS
        if other.lists is one.lists
        and other.width < one.width
        and frozenset(one.keys).issubset(other.keys)
    ]


def create(cursor: duckdb.DuckDBPyConnection, wanted: Wanted, columns: Mapping[str, str]) -> None:
    """Tables of these columns, empty."""
    for one in BY_TABLE.values():
        kept = partials(one, wanted).items()
        listed = (
            "ts BIGINT NOT NULL",
            *(f"{key} INTEGER NOT NULL" for key in key_columns(one)),
            *(f"{name} TEXT" for name in one.ids),
            *(f"{columns[name]} BIGINT{'[]' if partial.is_list else ''}" for name, partial in kept),
        )
        cursor.execute(f"CREATE OR REPLACE TABLE {one.table} ({', '.join(listed)})")
    cursor.execute("CREATE OR REPLACE TABLE sealed (day BIGINT NOT NULL)")
    cursor.execute("CREATE OR REPLACE TABLE sealed_hours (hour BIGINT NOT NULL)")


def seal(
    cursor: duckdb.DuckDBPyConnection, days: Sequence[int], wanted: Wanted,
    columns: Mapping[str, str],
) -> None:  # fmt: skip
    """Put together every level of some days (in order), from the quarters as they are now."""
    stretches = joined(days, DAY)
    for one in LEVELS:
        _fill(cursor, one, stretches, wanted, columns)
    cursor.execute(f"DELETE FROM sealed_hours WHERE {in_stretches('hour', stretches)}")
    _note(cursor, "sealed", days)


def seal_hours(
    cursor: duckdb.DuckDBPyConnection, hours: Sequence[int], wanted: Wanted,
    columns: Mapping[str, str],
) -> None:  # fmt: skip
    """The same of some hours of days without a seal, for levels as fine as that."""
    for one in LEVELS:
        if one.width <= HOUR:
            _fill(cursor, one, joined(hours, HOUR), wanted, columns)
    _note(cursor, "sealed_hours", hours)


def _fill(
    cursor: duckdb.DuckDBPyConnection, one: Level, stretches: Sequence[Stretch],
    wanted: Wanted, columns: Mapping[str, str],
) -> None:  # fmt: skip
    kept = partials(one, wanted).items()
    combined = ", ".join(_combined(partial, columns[name]) for name, partial in kept)
    within, keys = in_stretches("ts", stretches), ", ".join(key_columns(one))
    cursor.execute(f"DELETE FROM {one.table} WHERE {within}")
    cursor.execute(
        f"INSERT INTO {one.table} SELECT ts - ts % {one.width} AS start, {keys}, {combined}"
        f" FROM sums WHERE {within} GROUP BY ALL ORDER BY start"
    )


def _note(cursor: duckdb.DuckDBPyConnection, table: str, starts: Sequence[int]) -> None:
    cursor.execute(f"INSERT INTO {table} VALUES {', '.join(f'({start})' for start in starts)}")


def unseal(
    cursor: duckdb.DuckDBPyConnection, stretches: Sequence[Stretch]
) -> tuple[list[int], list[int]]:
    """Take the seal off the days and hours in which rows of quarters change; which had one."""
    days = in_stretches("day", [(first - first % DAY, last) for first, last in stretches])
    hours = in_stretches("hour", [(first - first % HOUR, last) for first, last in stretches])
    of_days = f"DELETE FROM sealed WHERE {days} RETURNING day"
    of_hours = f"DELETE FROM sealed_hours WHERE {hours} RETURNING hour"
    one, other = (cursor.execute(sql).fetchall() for sql in (of_days, of_hours))
    return [day for (day,) in one], [hour for (hour,) in other]


def _combined(partial: Partial, column: str) -> str:
    if partial.is_list:
        return f"flatten(list({column}) FILTER ({column} IS NOT NULL))"
    function = "sum" if partial.function == "count" else partial.function
    return f"{function}({column})::BIGINT"
