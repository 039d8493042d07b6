"""The state store copied into another, of whatever database: every row under its number, in one
transaction, read again and compared before it is kept. So the copy is whole, or there is none.

What nobody needs afterwards stays: tries at passwords. Numbers that were given are not given again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from data.errors import Refused, StoreError
from data.state import schema
from data.state.store import State
from data.state.tables import META, TRIES

BATCH: Final = 1_000
TABLES: Final = tuple(table for table in META.sorted_tables if table is not TRIES)
NUMBERED: Final = tuple(table for table in TABLES if table.dialect_kwargs)
FULL: Final = (
    "the second store is not empty, there are {}: name a new file, or a schema of its own that no"
    " server was started with, as postgresql://USER@HOST/DATABASE?schema=spendscope"
)
DIFFERENT: Final = "the copy is not what was copied: {} differ. Nothing was kept: try again"
NUL: Final = "\0"  # PostgreSQL keeps no such character
INSTEAD: Final = "\ufffd"
Row = tuple[Any, ...]


def is_state(url: str) -> bool:
    """Whether this can be the URL of a state store alone."""
    return url.startswith("sqlite:")


def copy_state(source: str, target: str) -> dict[str, int]:
    """How many rows of each table arrived. Raises `Refused` where the first store is none or the
    second has rows, `StoreError` where the copy is not what was copied."""
    _require_file(source)
    with (
        closing(State(source)) as ours, closing(State(target)) as theirs,
        ours.reading() as read, theirs.writing() as write,
    ):  # fmt: skip
        if schema.revision_of(read) != schema.revision_of(write):
            raise StoreError("the two stores have other schemas: copy by one program alone")
        _require_empty(write)
        for table in TABLES:
            _copy(read, write, table)
        return {table.name: _compared(read, write, table) for table in TABLES}


def _require_file(url: str) -> None:
    """An address where nothing is would be that of a new store."""
    if is_state(url) and not Path(str(make_url(url).database)).is_file():
        raise Refused("source", f"there is no file {make_url(url).database}: name the state store")


def _require_empty(connection: sa.Connection) -> None:
    asked = (sa.select(sa.exists(sa.select(table))) for table in TABLES)
    full = zip(TABLES, (connection.execute(one).scalar_one() for one in asked), strict=True)
    if names := [table.name for table, found in full if found]:
        raise Refused("target", FULL.format(", ".join(names)))


def _copy(read: sa.Connection, write: sa.Connection, table: sa.Table) -> None:
    # Returning something has SQLAlchemy send many rows at once, whatever the driver.
    insert = table.insert().returning(sa.literal(1))
    names, rows = table.c.keys(), _rows(read, table)
    while batch := [dict(zip(names, row, strict=True)) for row in islice(rows, BATCH)]:
        write.execute(insert, batch)
    if table in NUMBERED:
        _continue_numbers(write, table, _last_number(read, table))


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[Row]:
    """All rows, in the order of their keys."""
    asked = sa.select(table).order_by(*table.primary_key)
    streamed = connection.execution_options(stream_results=True).execute(asked)
    for some in streamed.partitions(BATCH):
        yield from (tuple(map(_kept, row)) for row in some)


def _kept(value: Any) -> Any:
    return value.replace(NUL, INSTEAD) if isinstance(value, str) else value


def _compared(read: sa.Connection, write: sa.Connection, table: sa.Table) -> int:
    """How many rows there are on both sides, which are the same."""
    number = 0
    for one, other in zip_longest(_rows(read, table), _rows(write, table)):
        if one != other:
            raise StoreError(DIFFERENT.format(table.name))
        number += 1
    return number


def _last_number(connection: sa.Connection, table: sa.Table) -> int:
    """The last number that a row was given; 0 where none was."""
    if connection.dialect.name == "postgresql":
        state = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table.name}_id_seq"
        return int(connection.exec_driver_sql(state).scalar_one())
    asked = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :table")
    return connection.execute(asked, {"table": table.name}).scalar() or 0


def _continue_numbers(connection: sa.Connection, table: sa.Table, last: int) -> None:
    if not last:
        return
    if connection.dialect.name == "postgresql":
        change = "SELECT setval(:table || '_id_seq', :last)"
    else:
        change = "INSERT OR REPLACE INTO sqlite_sequence (rowid, name, seq) VALUES ((SELECT rowid" \
                 " FROM sqlite_sequence WHERE name = :table), :table, :last)"  # fmt: skip
    connection.execute(sa.text(change), {"table": table.name, "last": last})
