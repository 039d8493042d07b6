"""The tables of the event store in ClickHouse: made, and brought from older schemas to today's.

Of each row the version that was written last holds, and none where that says it is `gone`: what
ReplacingMergeTree keeps and FINAL reads. A block of one INSERT is stored whole or not at all, so
tables have no partitions.

With a cluster, each table is a Distributed one over a replicated one on every node
(`…_here`), spread by what names an event; what all have to agree about is on every node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from data.engines.repricing import CHANGED
from data.errors import StoreError
from data.events.table import EVENTS

OLDEST_SERVER: Final = (24, 8)
TOO_OLD: Final = "the event store needs ClickHouse 24.8 or later; this one is {}"
KNOWN: Final = "SELECT name FROM system.tables WHERE database = currentDatabase()"
FOREIGN: Final = (
    "the database has a table {} that is not Spendscope's: give the event store a database of its"
    " own"
)
NEWER: Final = (
    "the event store has schema version {}, newer than this program's {}: start a newer Spendscope"
)
# Texts with few different values, kept as numbers.
FEW: Final = frozenset(
    ("kind", "channel", "source", "status", "cost_origin", "user", "user_name", "project",
     "project_name", "assistant", "workflow", "tool", "tool_type", "integration",
     "integration_type", "client", "repository", "provider", "model", "operation", "error_class",
     "service_tier", "unpriced_reason")
)  # fmt: skip
WRITTEN: Final = (("version", "UInt64"), ("gone", "UInt8"))


def _type(column: sa.Column[object]) -> str:
    made = "Int64" if isinstance(column.type, sa.BigInteger) else "String"
    made = f"Nullable({made})" if column.nullable else made
    return f"LowCardinality({made})" if column.name in FEW else made


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns with their types, what a row is known by, by what it is spread over the
    shards of a cluster (nothing: it is whole on each), and what else helps to find a row."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    spread: str | None = None
    indexes: tuple[str, ...] = ()
    granularity: int = 8_192
    replaced: bool = True

    @property
    def types(self) -> dict[str, str]:
        """The type of each column."""
        return dict((*self.columns, *(WRITTEN if self.replaced else ())))

    def engine(self, cluster: str | None) -> str:
        """ReplacingMergeTree of the last version, replicated in a cluster."""
        last = "version, gone" if self.replaced else ""
        if not cluster:
            return f"ReplacingMergeTree({last})"
        of, replica = ("{shard}", "{replica}") if self.spread else ("all", "{shard}-{replica}")
        path = f"/clickhouse/tables/{of}/{{database}}/{self.here(cluster)}"
        given = ", ".join(filter(None, (f"'{path}'", f"'{replica}'", last)))
        return f"ReplicatedReplacingMergeTree({given})"

    def here(self, cluster: str | None) -> str:
        """The table that holds the rows, of this node."""
        return f"{self.name}_here" if cluster and self.spread else self.name

    def statements(self, database: str, cluster: str | None) -> list[str]:
        """What makes it."""
        here, everywhere = self.here(cluster), on_cluster(cluster)
        columns = [f"{quoted_name(name)} {type_}" for name, type_ in self.types.items()]
        made = [
            f"CREATE TABLE IF NOT EXISTS {here}{everywhere}"
            f" ({', '.join((*columns, *self.indexes))})"
            f" ENGINE = {self.engine(cluster)} ORDER BY ({', '.join(self.key)})"
            f" SETTINGS index_granularity = {self.granularity}"
        ]
        if cluster and self.spread:
            place = ", ".join(map(quoted_name, (cluster, database, here)))
            made.append(
                f"CREATE TABLE IF NOT EXISTS {self.name}{everywhere} AS {here}"
                f" ENGINE = Distributed({place}, {self.spread})"
            )
        return made


def on_cluster(cluster: str | None) -> str:
    """What has a statement done on all nodes."""
    return f" ON CLUSTER {quoted_name(cluster)}" if cluster else ""


def quoted_name(name: str) -> str:
    """A name between backquotes."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _found_by(column: str) -> str:
    return f"INDEX by_{column} {column} TYPE bloom_filter(0.001) GRANULARITY 1"


EVENTS_TABLE: Final = Table(
    "events", tuple((one.name, _type(one)) for one in EVENTS.columns),
    ("ts", "id_hash", "event_id"), "id_hash",
)  # fmt: skip
# Where an event is, by the digest of what it is looked for: its id, what it shares, its session.
# What stands here is asked of the events: a row too many does no harm.
PLACES: Final = Table(
    "places",
    (("what", "UInt8"), ("digest", "Int64"), ("ts", "Int64"), ("id_hash", "Int64")),
    ("what", "digest", "ts", "id_hash"), "id_hash", granularity=512, replaced=False,
)  # fmt: skip
COPY_IDS: Final = Table(
    "copy_ids", (("event_id", "String"), ("id_hash", "Int64"), ("stored_as", "String")),
    ("event_id",), "cityHash64(event_id)",
)  # fmt: skip
SESSION_SUMS: Final = Table(
    "session_sums",
    (
        ("event_id", "String"), ("id_hash", "Int64"), ("conversation_id", "String"),
        ("after", "Nullable(Int64)"), ("until", "Nullable(Int64)"), ("gave_way", "Bool"),
    ),
    ("event_id",), "cityHash64(event_id)",
)  # fmt: skip
REPRICED: Final = Table(
    "repriced",
    (
        ("repricing", "Int64"), ("event_id", "String"),
        *((name, EVENTS_TABLE.types[name]) for name in CHANGED),
    ),
    ("event_id", "repricing"), "cityHash64(event_id)",
)  # fmt: skip
# Of each day the last write to its events, odd once it is done: what an answer about it holds by.
VERSIONS: Final = Table("versions", (("day", "Int64"),), ("day",))
# Who writes, until when: `data/engines/clickhouse/lock.py`.
WRITERS: Final = Table("writers", (("writer", "String"), ("until", "Int64")), ("writer",))
SCHEMA: Final = Table("events_schema", (("number", "UInt32"),), ("number",), replaced=False)
TABLES: Final = (
    EVENTS_TABLE, PLACES, COPY_IDS, SESSION_SUMS, REPRICED, VERSIONS, WRITERS, SCHEMA,
)  # fmt: skip
BY_NAME: Final = {table.name: table for table in TABLES}
# MADE[v] brings a store of schema version v to v + 1.
UPGRADES: Final = (TABLES,)


def upgrade(connection: sa.Connection, database: str, cluster: str | None) -> None:
    """Have the tables as they are today; raises `StoreError` where they are not ours or this is
    not for us. Who starts at the same time does the same: nothing is made twice."""
    _require_server(connection)
    known = set(_column(connection, KNOWN))
    found = 0
    if SCHEMA.name in known:
        found = max(_column(connection, f"SELECT number FROM {SCHEMA.name}"), default=0)
    elif foreign := sorted(known & BY_NAME.keys()):
        raise StoreError(FOREIGN.format(foreign[0]))
    if found > len(UPGRADES):
        raise StoreError(NEWER.format(found, len(UPGRADES)))
    for number, tables in enumerate(UPGRADES[found:], start=found + 1):
        # The table that says it is done is the first: one that was cut short goes on.
        for table in sorted(tables, key=lambda one: one.name != SCHEMA.name):
            for statement in table.statements(database, cluster):
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO {SCHEMA.name} SELECT {number}")


def _require_server(connection: sa.Connection) -> None:
    (found,) = _column(connection, "SELECT version()")
    if tuple(map(int, found.split(".")[:2])) < OLDEST_SERVER:
        raise StoreError(TOO_OLD.format(found))


def _column(connection: sa.Connection, asked: str) -> list[Any]:
    return list(connection.exec_driver_sql(asked).scalars())
