"""Rows of ClickHouse's tables, read by what names them, and written many at once.

Nothing is changed where it is: what is written again under the same key takes its place, and what
is written as `gone` takes it away (`schema.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from clickhouse_connect.driver.client import Client

from data.engines.clickhouse.address import sentences
from data.engines.clickhouse.dialect import quoted
from data.engines.clickhouse.schema import EVENTS_TABLE, Table
from data.events.digest_index import digests
from data.events.table import FIELDS, Event
from data.prices.derived import DERIVED

Row = tuple[Any, ...]
COLUMNS: Final = (*FIELDS, *DERIVED)
# What is looked for: `places` has them by these numbers.
EVENT_ID, SHARED_ID, SESSION = range(3)
LOOKED_FOR: Final = {EVENT_ID: "event_id", SHARED_ID: "shared_id", SESSION: "conversation_id"}
PLACES: Final = "SELECT DISTINCT ts, id_hash FROM places WHERE what = {} AND digest IN ({})"


# What comes in parts is put together, however large it is.
IN_ONE_BLOCK: Final = {"min_insert_block_size_rows": 1 << 30, "min_insert_block_size_bytes": 0}


def names(columns: Iterable[str]) -> str:
    """A list of columns."""
    return ", ".join(f"`{name}`" for name in columns)


HELD: Final = names(COLUMNS)


def select(connection: sa.Connection, sql: str) -> list[Row]:
    """The rows of a statement with its values in it, word for word. By SQLAlchemy's cursor an
    answer without rows would be asked for a second time, for the names of its columns."""
    with sentences(connection.engine.url):
        return [tuple(row) for row in client_of(connection).query(sql).result_rows]


def scalar(connection: sa.Connection, sql: str) -> Any:
    """The only value of an answer."""
    ((value,),) = select(connection, sql)
    return value


def column(connection: sa.Connection, sql: str) -> list[Any]:
    """The only column of an answer."""
    return [value for (value,) in select(connection, sql)]


def do(connection: sa.Connection, sql: str) -> None:
    """A statement that answers nothing."""
    with sentences(connection.engine.url):
        client_of(connection).command(sql)


def client_of(connection: sa.Connection) -> Client:
    """What speaks to ClickHouse, without SQLAlchemy."""
    client: Client = connection.connection.dbapi_connection.client  # type: ignore[union-attr]
    return client


def texts(values: Iterable[str]) -> str:
    """A list of texts; of none, one that nothing is."""
    return ", ".join(map(quoted, values)) or "NULL"


def events_by(
    connection: sa.Connection, what: int, values: Collection[str], columns: str = HELD
) -> list[Row]:
    """The events with one of these ids, shared ids or sessions."""
    if not values:
        return []
    hashed = ", ".join(map(str, digests(list(values)).tolist()))
    found = select(connection, PLACES.format(what, hashed))
    if not found:
        return []
    places = ", ".join(f"({ts}, {digest})" for ts, digest in found)
    among = f"`{LOOKED_FOR[what]}` IN ({texts(values)})"
    asked = f"SELECT {columns} FROM events WHERE (ts, id_hash) IN ({places}) AND {among}"
    return select(connection, asked)


def event_of(row: Row) -> Event:
    """A row of `HELD` as an event."""
    return dict(zip(FIELDS, row, strict=False))


def insert(
    connection: sa.Connection, table: Table, columns: Sequence[str], rows: Sequence[Row],
    version: int | None = None,
) -> None:  # fmt: skip
    """Rows in one block: all of them are stored, or none."""
    if not rows:
        return
    given = [list(column) for column in zip(*rows, strict=True)]
    if version is not None:
        columns, given = [*columns, "version"], [*given, [version] * len(rows)]
    types = [table.types[name] for name in columns]
    with sentences(connection.engine.url):
        client_of(connection).insert(
            table.name, given, list(columns), column_oriented=True, column_type_names=types,
            settings=IN_ONE_BLOCK,
        )  # fmt: skip


def place_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Where events (rows of `COLUMNS`) are found, by what they are looked for."""
    for row in rows:
        event, digest = event_of(row), row[len(FIELDS)]
        yield EVENT_ID, digest, event["ts"], digest
        if event["shared_id"] is not None:
            yield SHARED_ID, _digest(event["shared_id"]), event["ts"], digest
        if event["conversation_id"] is not None and event["kind"] == "llm":
            yield SESSION, _digest(event["conversation_id"]), event["ts"], digest


def _digest(text: str) -> int:
    return int(digests([text])[0])


def tombstone(event: Mapping[str, Any], digest: int) -> Row:
    """The key of an event, and nothing else of it."""
    key = {"event_id": event["event_id"], "ts": event["ts"], "id_hash": digest}
    types = EVENTS_TABLE.types
    return tuple(key.get(name, None if "Nullable" in types[name] else "") for name in COLUMNS)
