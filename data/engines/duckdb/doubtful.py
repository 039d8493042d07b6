"""The rows of a Parquet file that the fast road is not sure of: through `clean`, one by one.

They are read from the file again, join the temporary table `cleaned` as whole events, and
`ready` (`bulk.py`) with what decides about them; a rejected one is in the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import duckdb
import pandas as pd

from data.errors import EventError
from data.events.table import COUNTS, EVENTS, TOKENS, Event
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived
from data.sources.canonical import convert
from data.sources.events import event_of
from data.sources.format import Note, Record, records
from data.sources.parquet import Part
from data.sources.report import Report

COLUMNS: Final = tuple(column.name for column in EVENTS.columns)
LIST: Final = ", ".join(f'"{name}"' for name in COLUMNS)
PLAIN: Final = tuple(name for name in COLUMNS if name not in DERIVED)
NUMBERS: Final = frozenset({"n", "ts", *COUNTS, *DERIVED})
WORKED_OUT: Final = ("cost_nano", "cost_origin", *DERIVED)
READY: Final = ("n", "event_id", "source", "kind", "ts", *TOKENS, *WORKED_OUT)
SLOW: Final = 10_000
Cursor = duckdb.DuckDBPyConnection


def append(part: Part, cursor: Cursor, raw: str, book: PriceBook, report: Report) -> None:
    """The rows that are not surely fine, through `clean`."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE cleaned AS SELECT 0 AS n, {LIST} FROM events LIMIT 0"
    )
    source = _doubtful(part, cursor, raw)
    while batch := list(islice(source, SLOW)):
        events = list(_cleaned(batch, book, report, part.name))
        rows = [(n, *(event[c] for c in PLAIN), *derived(event, book)) for n, event in events]
        cursor.register("batch", frame(("n", *PLAIN, *DERIVED), rows))
        cursor.execute(f"INSERT INTO cleaned SELECT n, {LIST} FROM batch")
    cursor.execute(f"INSERT INTO ready SELECT {', '.join(READY)} FROM cleaned")


def _doubtful(part: Part, cursor: Cursor, raw: str) -> Iterator[Record]:
    found = cursor.execute("SELECT n FROM stage WHERE NOT fine ORDER BY n").fetchnumpy()["n"]
    reader = cursor.cursor()
    for first in range(0, len(found), SLOW):
        reader.register("doubtful", pd.DataFrame({"n": found[first : first + SLOW]}))
        rows = reader.execute(f"{raw} AND file_row_number IN (SELECT n FROM doubtful) ORDER BY n")
        names = [column[0] for column in reader.description or ()]
        entries = [(str(row[0]), dict(zip(names[1:], row[1:], strict=True))) for row in
                   rows.fetchall()]  # fmt: skip
        yield from records(entries, convert, part.options)
    reader.close()


def _cleaned(
    batch: list[Record], book: PriceBook, report: Report, name: str
) -> Iterator[tuple[int, Event]]:
    for where, raw in batch:
        number = int(where)
        try:
            if not isinstance(raw, Note):
                yield number, event_of(raw, book)
        except EventError as error:
            report.reject(f"{name}:{number + 1}", error)


def frame(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a frame DuckDB can read: numbers or text, both with nulls."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="Int64" if name in NUMBERS else "string")
            for name, column in zip(columns, values, strict=True)
        }
    )
