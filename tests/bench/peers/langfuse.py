"""Langfuse's traces and observations in ClickHouse's own engine (chDB), asked by statements of the
shape that its dashboards send: rows deduplicated as they are read, an observation each first, then
grouped.

A trace a call, as LiteLLM's callback for Langfuse sends. A dashboard of Langfuse is of one of its
projects; so a team is an environment of it. Without Langfuse's own server before it, and all parts
merged.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.bench.peers.questions import END, START, TOP, Answer
from tests.bench.peers.rows import COLUMNS

NAME: Final = "langfuse_peers"
PROJECT: Final = "peers"
TABLES: Final = (
    """CREATE TABLE traces (id String, timestamp DateTime64(3), name String,
    user_id Nullable(String), metadata Map(LowCardinality(String), String),
    release Nullable(String), version Nullable(String), project_id String,
    environment LowCardinality(String) DEFAULT 'default', public Bool, bookmarked Bool,
    tags Array(String), input Nullable(String) CODEC(ZSTD(3)),
    output Nullable(String) CODEC(ZSTD(3)), session_id Nullable(String),
    created_at DateTime64(3) DEFAULT now(), updated_at DateTime64(3) DEFAULT now(),
    event_ts DateTime64(3), is_deleted UInt8,
    INDEX idx_id id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_user_id user_id TYPE bloom_filter() GRANULARITY 1)
    ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(timestamp)
    PRIMARY KEY (project_id, toDate(timestamp)) ORDER BY (project_id, toDate(timestamp), id)""",
    """CREATE TABLE observations (id String, trace_id String, project_id String,
    environment LowCardinality(String) DEFAULT 'default', type LowCardinality(String),
    parent_observation_id Nullable(String), start_time DateTime64(3),
    end_time Nullable(DateTime64(3)), name String,
    metadata Map(LowCardinality(String), String), level LowCardinality(String),
    provided_model_name Nullable(String), usage_details Map(LowCardinality(String), UInt64),
    cost_details Map(LowCardinality(String), Decimal64(12)), total_cost Nullable(Decimal64(12)),
    created_at DateTime64(3) DEFAULT now(), updated_at DateTime64(3) DEFAULT now(),
    event_ts DateTime64(3), is_deleted UInt8,
    INDEX idx_id id TYPE bloom_filter() GRANULARITY 1,
    INDEX idx_trace_id trace_id TYPE bloom_filter() GRANULARITY 1)
    ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(start_time)
    PRIMARY KEY (project_id, type, toDate(start_time))
    ORDER BY (project_id, type, toDate(start_time), id)""",
)
_KINDS: Final = dict.fromkeys(("event_id", "user", "project", "model", "provider"), "String")
_STRUCTURE: Final = ", ".join(
    f"`{name}` {_KINDS.get(name, 'Nullable(Int64)')}" for name in COLUMNS
)  # fmt: skip
_AT: Final = "fromUnixTimestamp64Micro(assumeNotNull(ts), 'UTC')"
_READ: Final = ("toUInt64(coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0)"
                " + coalesce(cache_write_tokens, 0))")  # fmt: skip
_WRITTEN: Final = "toUInt64(coalesce(output_tokens, 0))"
_COST: Final = "toDecimal64(toDecimal128(coalesce(cost_nano, 0), 12) / 1000000000, 12)"
FILL: Final = (
    f"""INSERT INTO traces (id, timestamp, name, user_id, project_id, environment, event_ts)
    SELECT event_id, {_AT}, 'call', user, '{PROJECT}', project, {_AT} FROM {{told}}""",
    f"""INSERT INTO observations (id, trace_id, project_id, environment, type, start_time, end_time,
    name, level, provided_model_name, usage_details, cost_details, total_cost, event_ts)
    SELECT event_id, event_id, '{PROJECT}', project, 'GENERATION', {_AT},
    {_AT} + toIntervalMillisecond(coalesce(duration_ms, 0)), 'call', 'DEFAULT', model,
    map('input', {_READ}, 'output', {_WRITTEN}, 'total', {_READ} + {_WRITTEN}),
    map('total', {_COST}), {_COST}, {_AT}
    FROM {{told}}""",
    "OPTIMIZE TABLE traces FINAL", "OPTIMIZE TABLE observations FINAL",
)  # fmt: skip


def _within(column: str) -> str:
    return (f"{column} >= toDateTime64('{START:%F %T}', 3, 'UTC')"
            f" AND {column} < toDateTime64('{END:%F %T}', 3, 'UTC')")  # fmt: skip


def _statement(dimension: str, joins: str, ending: str) -> str:
    return f"""SELECT dimension, sum(totalCost) AS sum_totalCost FROM (
      SELECT observations.project_id, observations.id, any({dimension}) AS dimension,
        sum(total_cost) AS totalCost
      FROM observations FINAL {joins}
      WHERE observations.type IN ('GENERATION') AND observations.project_id = '{PROJECT}'
        AND {_within("observations.start_time")}
        {f"AND {_within('traces.timestamp')}" if joins else ""}
      GROUP BY observations.project_id, observations.id)
    GROUP BY dimension {ending}"""


TRACES: Final = ("INNER JOIN traces FINAL ON observations.trace_id = traces.id"
                 " AND observations.project_id = traces.project_id")  # fmt: skip
MOST: Final = f"ORDER BY sum_totalCost DESC LIMIT {TOP}"
STATEMENTS: Final = {
    "day": _statement("toDate(observations.start_time)", "", "ORDER BY dimension"),
    "user": _statement("traces.user_id", TRACES, MOST),
    "model": _statement("observations.provided_model_name", "", MOST),
    "project": _statement("observations.environment", "", MOST),
}


def connected(folder: Path, database: str | None = None) -> Any:
    """A client of the engine in this process; `ImportError` where there is none."""
    import chdb  # noqa: F401  # what the client's own sentence would not say
    import clickhouse_connect

    return clickhouse_connect.get_client(interface="chdb", path=str(folder), database=database)


def load(folder: Path, csv: Path) -> None:
    with closing(connected(folder)) as client:
        client.command(f"CREATE DATABASE {NAME}")
    told = f"file('{csv}', CSVWithNames, '{_STRUCTURE}')"
    with closing(connected(folder, NAME)) as client:
        for statement in (*TABLES, *FILL):
            client.command(statement.format(told=told) if "{told}" in statement else statement)


class Langfuse:
    def __init__(self, folder: Path) -> None:
        self._client = connected(folder, NAME)

    def ask(self, question: str) -> Answer:
        rows = self._client.query(STATEMENTS[question]).result_rows
        return {str(key): float(cost or 0) for key, cost in rows}

    def close(self) -> None:
        self._client.close()
