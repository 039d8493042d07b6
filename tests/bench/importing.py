"""How fast files are imported, beside DuckDB's bare INSERT … SELECT of the same rows."""

from __future__ import annotations

import statistics
import sys
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from data.engines.duckdb.columns import names
from data.engines.protocol import EventStore, open_events
from data.events.table import FIELDS
from data.ingest.importing import ingest, ingest_paths
from data.sources import Options, find, read
from tests.bench.report import QUICK, Row, most_memory, ms, progress, timed

FILES: Final = {"parquet": "parquet", "ndjson": "json", "csv": "csv"}
LINES: Final = 5_000 if QUICK else 50_000
COMPARISONS: Final = 1 if QUICK else 3


def measure(sample: Path) -> list[Row]:
    """A row a kind of file; the larger the file, the more Parquet gains by whole row groups."""
    return [*(_imported(sample, kind) for kind in FILES), _compared(sample)]


def _compared(sample: Path) -> Row:
    """Parquet as the store reads it, in SQL, beside record by record as everything else: the rules
    that are written twice for it must save two thirds of the time."""
    file = sample.with_name("parquet.parquet")
    works = {"sql": _in_sql, "records": _by_record}
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(COMPARISONS):
        for name, work in works.items():
            progress(f"importing parquet: {name}, {turn + 1} of {COMPARISONS}")
            store = open_events(f"duckdb:///{sample.with_name(f'{name}.{turn}')}")
            taken[name].append(timed(partial(work, file, store)))
            store.close()
    sql, records = (statistics.median(taken[name]) for name in works)
    remarks = f"record by record {ms(records)}, {records / sql:.1f}× as long (kept while ≥ 3×)"
    return Row("import parquet in SQL", sql, None, remarks)


def _in_sql(file: Path, store: EventStore) -> None:
    ingest_paths([file], store)


def _by_record(file: Path, store: EventStore) -> None:
    ingest(read(find([file]), Options()), store)


def _imported(sample: Path, kind: str) -> Row:
    progress(f"importing {kind}")
    told, ours, theirs = (sample.with_name(f"{kind}.{end}") for end in (kind, "ours", "theirs"))
    with duckdb.connect(str(sample), read_only=True) as connection:
        limit = "" if kind == "parquet" else f"LIMIT {LINES}"
        connection.execute(
            f"COPY (SELECT {names(FIELDS)} FROM events {limit}) TO '{told}' (FORMAT {FILES[kind]})"
        )
    open_events(f"duckdb:///{theirs}").close()
    with duckdb.connect(str(theirs)) as bare:
        spent = timed(lambda: bare.execute(
            f"INSERT INTO events BY NAME SELECT *, 0 AS id_hash FROM read_{FILES[kind]}('{told}')"
        ))  # fmt: skip
    store = open_events(f"duckdb:///{ours}")
    reports = []
    taken = timed(lambda: reports.append(ingest_paths([told], store)))
    store.close()
    count = reports[0].accepted
    if reports[0].rejected:
        raise SystemExit(f"bench: of {told.name} were rejected: {reports[0].rejections[:3]}")
    remarks = f"{count / taken:,.0f} events/s, peak {most_memory()}"
    return Row(f"import {count:,} events as {kind}", taken, spent, remarks)


if __name__ == "__main__":
    for row in measure(Path(sys.argv[1])):
        print(row.cells())
