"""Events to measure with: the sample organisation, and copies of it beside each other."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from data.engines.protocol import open_events
from data.events.table import Event, micros
from data.sample.organisation import sample
from tests.bench.report import QUICK, progress

DAY: Final = 86_400_000_000
DAYS: Final = 90
UNTIL: Final = micros(datetime(2026, 11, 20, 16, tzinfo=UTC))
SAMPLE: Final = 50_000 if QUICK else 200_000
BATCH: Final = 20_000
COPY: Final = """
INSERT INTO events BY NAME
SELECT * EXCLUDE (copy, sequence) REPLACE (
    event_id || '-' || copy AS event_id,
    ts - copy * 137_000_000 AS ts,
    "user" || '-' || copy AS "user",
    user_name || ' ' || copy AS user_name,
    run_id || '-' || copy AS run_id,
    conversation_id || '-' || copy AS conversation_id,
    (hash(event_id, copy) >> 1)::BIGINT AS id_hash
), nextval('stored') AS sequence
FROM small.events, range({copies}) AS copies(copy)
WHERE ts >= {start} AND ts < {end} + {copies} * 137_000_000::BIGINT
    AND ts - copy * 137_000_000 >= {start} AND ts - copy * 137_000_000 < {end}
ORDER BY ts
"""


def sampled(path: Path) -> float:
    """Store the sample; returns the seconds its telling took, without storing."""
    start = time.perf_counter()
    events = list(sample(SAMPLE, DAYS, until=UNTIL))
    spent = time.perf_counter() - start
    progress(f"storing {SAMPLE:,} sample events")
    store = open_events(f"duckdb:///{path}")
    for first in range(0, SAMPLE, BATCH):
        store.write(events[first : first + BATCH])
    store.close()
    return spent


def multiply(small: Path, large: Path, copies: int) -> int:
    """As many copies of the sample, sorted by time, with other users; returns how many events."""
    open_events(f"duckdb:///{large}").close()
    with duckdb.connect(str(large)) as connection:
        connection.execute(f"ATTACH '{small}' AS small (READ_ONLY)")
        for day in range(-6, DAYS, 3):
            start = UNTIL - (DAYS - day) * DAY
            connection.execute(COPY.format(copies=copies, start=start, end=start + 3 * DAY))
            if not day % 15:
                progress(f"{copies} copies: day {day} of {DAYS}")
        row = connection.execute("SELECT count(*) FROM events").fetchone()
    return int(row[0]) if row else 0


def fresh(count: int, first: int) -> list[Event]:
    """Events that no store has yet, recent ones."""
    told = list(sample(min(count, 20_000), 1, seed=11, until=UNTIL))
    return [told[n % len(told)] | {"event_id": f"fresh-{first + n}"} for n in range(count)]
