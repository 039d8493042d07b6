"""How fast files are imported, beside DuckDB's bare INSERT … SELECT of the same rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import duckdb

from data.engines.protocol import open_events
from data.ingest.importing import ingest_paths
from tests.bench.report import Row, most_memory, progress, timed

FILES: Final = {"parquet": "parquet", "ndjson": "json", "csv": "csv"}
LINES: Final = 50_000


def measure(sample: Path) -> list[Row]:
    """A row a kind of file; the larger the file, the more Parquet gains by whole row groups."""
    return [_imported(sample, kind) for kind in FILES]


def _imported(sample: Path, kind: str) -> Row:
    progress(f"importing {kind}")
    told, ours, theirs = (sample.with_name(f"{kind}.{end}") for end in (kind, "ours", "theirs"))
    with duckdb.connect(str(sample), read_only=True) as connection:
        limit = "" if kind == "parquet" else f"LIMIT {LINES}"
        connection.execute(
            "COPY (SELECT * EXCLUDE (id_hash, cache_saved_nano, cache_write_nano, list_cost_nano)"
            f" FROM events {limit}) TO '{told}' (FORMAT {FILES[kind]})"
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
    remarks = f"{count / taken:,.0f} events/s, peak {most_memory()}"
    return Row(f"import {count:,} events as {kind}", taken, spent, remarks)


if __name__ == "__main__":
    for row in measure(Path(sys.argv[1])):
        print(row.cells())
