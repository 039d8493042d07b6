"""The tables of the event store in PostgreSQL: made, and brought from older schemas to today's.

Texts have the collation C: they are ordered and compared byte by byte, whatever the database's
locale is, as in the other engines. What starts at the same time waits for the first.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from data.engines.postgresql.sealed import TABLES as SEALED
from data.engines.repricing import REPRICED
from data.errors import StoreError
from data.events.table import EVENTS

# Who writes, or changes the tables, holds this lock until the end of its transaction.
LOCK: Final = (
    "SELECT pg_advisory_xact_lock(hashtext('spendscope events'), hashtext(current_schema()))"
)
TABLES: Final = (
    *("events", "copy_ids", "session_sums", "repriced", "versions"),
    *("sum_tables", "sealed_days"),
)
VERSION: Final = "events_schema"
COPY_IDS: Final = (
    "CREATE TABLE copy_ids"
    " (event_id TEXT NOT NULL, id_hash BIGINT NOT NULL, stored_as TEXT NOT NULL)"
)
SESSION_SUMS: Final = (
    "CREATE TABLE session_sums (event_id TEXT NOT NULL, id_hash BIGINT NOT NULL,"
    " conversation_id TEXT NOT NULL, after BIGINT, until BIGINT, gave_way BOOLEAN NOT NULL)"
)


def byte_by_byte(statement: str) -> str:
    """The statement that makes a table, with the collation of its texts."""
    return statement.replace(" TEXT", ' TEXT COLLATE "C"')


def _events() -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return str(CreateTable(EVENTS).compile(dialect=dialect))


# UPGRADES[v] brings a store of schema version v to v + 1.
UPGRADES: Final = (
    (
        *map(byte_by_byte, (_events(), COPY_IDS, SESSION_SUMS, REPRICED)),
        "CREATE UNIQUE INDEX events_event_id ON events (event_id)",
        "CREATE INDEX events_ts ON events (ts)",
        'CREATE INDEX events_user ON events ("user", ts)',
        "CREATE INDEX events_project ON events (project, ts)",
        "CREATE INDEX events_shared_id ON events (shared_id) WHERE shared_id IS NOT NULL",
        "CREATE INDEX events_conversation ON events (conversation_id)"
        " WHERE conversation_id IS NOT NULL AND kind = 'llm'",
        "CREATE INDEX copy_ids_event_id ON copy_ids (event_id)",
        "CREATE INDEX copy_ids_stored_as ON copy_ids (stored_as)",
        "CREATE INDEX session_sums_event_id ON session_sums (event_id)",
        "CREATE INDEX session_sums_conversation ON session_sums (conversation_id)",
        "CREATE INDEX repriced_event_id ON repriced (event_id)",
        "CREATE INDEX repriced_number ON repriced (repricing)",
        # Of each day the last write to its events: what an answer about it holds by.
        "CREATE TABLE versions (day BIGINT PRIMARY KEY, version BIGINT NOT NULL)",
        "CREATE SEQUENCE event_writes",
    ),
    SEALED,
)
OLDEST_SERVER: Final = 140_000
TOO_OLD: Final = "the event store needs PostgreSQL 14 or later; this one is {}"
FOREIGN: Final = (
    "the database has a table {} that is not Spendscope's: give the event store a database or a"
    " schema of its own"
)
NEWER: Final = (
    "the event store has schema version {}, newer than this program's {}: start a newer Spendscope"
)
NO_ICU: Final = "the event store needs a PostgreSQL with ICU: this one was built without it"
NOT_UTF8: Final = "the event store needs a database in UTF8; this one is in {}"


def upgrade(connection: sa.Connection) -> None:
    """Within a transaction, have the tables as they are today; raises `StoreError` where they are
    not ours or this is not for us."""
    _require_server(connection)
    connection.exec_driver_sql(LOCK)
    known = _tables(connection)
    if VERSION not in known:
        if foreign := [name for name in TABLES if name in known]:
            raise StoreError(FOREIGN.format(foreign[0]))
        connection.exec_driver_sql(f"CREATE TABLE {VERSION} (version INTEGER PRIMARY KEY)")
    found = connection.exec_driver_sql(f"SELECT max(version) FROM {VERSION}").scalar() or 0
    if found > len(UPGRADES):
        raise StoreError(NEWER.format(found, len(UPGRADES)))
    for number, statements in enumerate(UPGRADES[found:], start=found + 1):
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO {VERSION} VALUES ({number})")


def _require_server(connection: sa.Connection) -> None:
    version, name, encoding = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
        " current_setting('server_encoding')"
    ).one()
    if version < OLDEST_SERVER:
        raise StoreError(TOO_OLD.format(name))
    if encoding != "UTF8":
        raise StoreError(NOT_UTF8.format(encoding))
    letters = "SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"
    if connection.exec_driver_sql(letters).first() is None:
        raise StoreError(NO_ICU)


def _tables(connection: sa.Connection) -> set[str]:
    found = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())"
    return set(connection.exec_driver_sql(found).scalars())
