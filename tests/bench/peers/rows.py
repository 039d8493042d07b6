"""The rows that everybody has: model calls of the sample organisation and of copies of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final

import duckdb

from data.engines.protocol import open_events
from data.events.table import Event
from data.query.catalog import aggregates
from data.sample.organisation import sample
from tests.bench.crowd import BATCH, DAYS, UNTIL, multiply
from tests.bench.report import progress

MOST: Final = 100_000  # events of the sample; beyond, there are copies with other users
# All a peer reads, in this order.
COLUMNS: Final = (
    "event_id", "ts", "user", "project", "model", "provider", "input_tokens",
    "cached_input_tokens", "cache_write_tokens", "output_tokens", "cost_nano", "duration_ms",
)  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Where they are: as a store of ours, and as CSV with a head."""

    count: int
    store: Path
    csv: Path


def make(folder: Path, events: int) -> Rows:
    """So many calls within ninety days, none without user or project, as not everybody has a place
    for those."""
    calls = [_whole(one) for one in sample(min(events, MOST), DAYS, until=UNTIL)
             if one["kind"] == "llm"]  # fmt: skip
    small, store, csv = (folder / name for name in ("small.duckdb", "ours.duckdb", "rows.csv"))
    _write(small, calls)
    progress(f"copying {len(calls):,} calls until there are {events:,}")
    multiply(small, store, ceil(events / len(calls)) + 1)
    count = _trim(store, events, csv)
    progress("summing up, as the server does in the background")
    opened = open_events(f"duckdb:///{store}")
    opened.sum_up(aggregates())
    while opened.refresh_sums():
        pass
    opened.close()
    return Rows(count, store, csv)


def _whole(event: Event) -> Event:
    return {**event, "user": event["user"] or "nobody", "project": event["project"] or "unassigned"}


def _write(path: Path, calls: list[Event]) -> None:
    store = open_events(f"duckdb:///{path}")
    for first in range(0, len(calls), BATCH):
        store.write(calls[first : first + BATCH])
    store.close()


def _trim(store: Path, events: int, csv: Path) -> int:
    """Take out what is too much, anywhere in time; write the rest as CSV."""
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    with duckdb.connect(str(store)) as connection:
        connection.execute(
            "DELETE FROM events WHERE event_id NOT IN"
            " (SELECT event_id FROM events ORDER BY hash(event_id) LIMIT ?)", [events]
        )  # fmt: skip
        told = connection.execute("SELECT count(*) FROM events").fetchone()
        connection.execute(f"COPY (SELECT {names} FROM events ORDER BY ts) TO '{csv}' (HEADER)")
    return int(told[0]) if told else 0
