"""Events that share an id are one use: by every road, in any order, whatever is undone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.engines.protocol import EventStore, open_events
from data.ingest.importing import ingest_paths
from tests.engines.test_parquet_load import written

NOON = 1_793_527_200_000_000
Row = dict[str, Any]
KINDS = {"event_id": "VARCHAR", "ts": "BIGINT", "kind": "VARCHAR", "model": "VARCHAR",
         "input_tokens": "BIGINT", "shared_id": "VARCHAR"}  # fmt: skip


def told(chance: random.Random) -> tuple[list[Row], int]:
    """Some calls, most of them copied under other ids, in any order; and all their tokens."""
    rows, tokens = [], 0
    for use in range(40):
        call = {"ts": NOON + use, "kind": "llm", "model": "gpt-4o", "input_tokens": use + 1}
        copies = chance.randint(1, 4)
        common = None if copies == 1 else f"use {use}"
        rows += [call | {"event_id": f"{use}.{n}", "shared_id": common} for n in range(copies)]
        tokens += use + 1
    return chance.sample(rows, len(rows)), tokens


@pytest.fixture
def other() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


def totals(store: EventStore) -> tuple[Any, ...]:
    question = "SELECT count(*), sum(input_tokens), sum(cost_nano) FROM events"
    with store.sql.connect() as connection:
        return tuple(connection.exec_driver_sql(question).one())


@pytest.mark.parametrize("seed", range(3))
def test_both_roads_count_copies_once(
    store: EventStore, other: EventStore, tmp_path: Path, seed: int
) -> None:
    rows, tokens = told(random.Random(seed))
    lines = tmp_path / "a.ndjson"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cells = [tuple(row[name] for name in KINDS) for row in rows]
    parquet = written(tmp_path / "a.parquet", KINDS, cells)
    reports = [ingest_paths([lines], other), ingest_paths([parquet], store)]
    assert totals(store) == totals(other) == (40, tokens, tokens * 2_500)
    assert [report.accepted for report in reports] == [40, 40]
    assert ingest_paths([lines], store).accepted == ingest_paths([parquet], other).accepted == 0
    assert totals(store) == totals(other)
