"""How fast events are stored once and for all, beside an INSERT that does not care."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from data.engines.protocol import open_events
from data.events.table import Event
from tests.bench.crowd import fresh
from tests.bench.report import QUICK, Row, ms, p50_p95, progress, timed

# Rows a batch: how often.
BATCHES: Final = {1: 4, 100: 4, 1_000: 2} if QUICK else {1: 40, 100: 40, 1_000: 20, 10_000: 6}


def measure(path: Path) -> list[Row]:
    """A row a batch size, into a table that is large already."""
    store, bare, numbers = open_events(f"duckdb:///{path}"), duckdb.connect(str(path)), count()
    rows = []
    for size, times in BATCHES.items():
        progress(f"writing batches of {size:,}")
        ours, theirs = [], []
        for _ in range(times):
            ours.append(timed(partial(store.write, _batch(size, numbers))))
            frame = pd.DataFrame(_batch(size, numbers)).assign(id_hash=0).convert_dtypes()
            theirs.append(timed(partial(_insert, bare, frame)))
        rows.append(_row(path.stem, size, ours, theirs))
    bare.close()
    store.close()
    return rows


def _batch(size: int, numbers: count[int]) -> list[Event]:
    return fresh(size, next(numbers) * max(BATCHES))


def _insert(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> None:
    connection.register("batch", frame)
    connection.execute("INSERT INTO events BY NAME SELECT * FROM batch")


def _row(table: str, size: int, ours: list[float], theirs: list[float]) -> Row:
    p50, p95 = p50_p95(ours)
    rate = f"{size / p50:,.0f} rows/s, commit p95 {ms(p95)}"
    return Row(f"write {size:,} into {table}, idempotent", p50, p50_p95(theirs)[0], rate)
