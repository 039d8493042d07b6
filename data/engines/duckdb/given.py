"""The rows that `loading.py` stores, as SQL over a Parquet file or over columns in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np

from data.engines.duckdb import rules
from data.events.table import FIELDS
from data.sources import canonical
from data.sources.columns import UNKNOWN, Rows
from data.sources.format import Options, Record, records
from data.sources.parquet import Part, columns_of, projected

KNOWN: Final = frozenset({*FIELDS, "cost"})
Cursor = duckdb.DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Given:
    """`raw` selects number (`n`) and columns of the rows, of which `kinds` are the types; `records`
    reads those of some numbers again; of `doubts` the columns say too little."""

    raw: str
    kinds: Mapping[str, str]
    records: Callable[[Sequence[int]], Iterator[Record]]
    options: Options
    defaults: Mapping[str, str]
    doubts: Set[int] = frozenset()


def given(rows: Part | Rows, cursor: Cursor) -> Given | None:
    """These rows; None where they have columns that no event has, or tell of copies."""
    return _of_parquet(rows, cursor) if isinstance(rows, Part) else _of_columns(rows, cursor)


def _of_parquet(part: Part, cursor: Cursor) -> Given | None:
    columns = columns_of(cursor, part.path)
    if columns.keys() - KNOWN or ("shared_id" in columns and _tells_copies(part, cursor)):
        return None
    wanted = [f'{projected(name, kind)} AS "{name}"' for name, kind in columns.items()]
    raw = f"SELECT file_row_number AS n, {', '.join(wanted)} {_rows(part)}"
    kinds = {name: kind for name, kind, *_ in cursor.execute(f"DESCRIBE {raw}").fetchall()}

    def reread(places: Sequence[int]) -> Iterator[Record]:
        cursor.register("uncertain", {"n": np.array(places, np.int64)})
        found = cursor.execute(f"{raw} AND file_row_number IN (SELECT n FROM uncertain) ORDER BY n")
        names = [column[0] for column in found.description or ()][1:]
        entries = [(f"{part.name}:{n + 1}", dict(zip(names, row, strict=True)))
                   for n, *row in found.fetchall()]  # fmt: skip
        return records(entries, canonical.convert, part.options)

    return Given(raw, kinds, reread, part.options, canonical.DEFAULTS)


def _tells_copies(part: Part, cursor: Cursor) -> bool:
    copies = cursor.execute(f"SELECT 1 {_rows(part)} AND shared_id IS NOT NULL LIMIT 1")
    return copies.fetchone() is not None


def _rows(part: Part) -> str:
    path, last = rules.quoted(str(part.path)), part.start + part.rows - 1
    return (
        f"FROM read_parquet({path}, file_row_number = true)"
        f" WHERE file_row_number BETWEEN {part.start} AND {last}"
    )


def _of_columns(rows: Rows, cursor: Cursor) -> Given | None:
    columns = rows.columns
    if "shared_id" in columns:
        return None
    cursor.register("row_columns", {"n": np.arange(rows.size), **columns})
    values = ", ".join(_value(name, column) for name, column in columns.items())
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE row_values AS SELECT n, {values} FROM row_columns"
    )
    cursor.unregister("row_columns")
    described = cursor.execute("DESCRIBE SELECT * EXCLUDE (n) FROM row_values").fetchall()
    kinds = {name: kind for name, kind, *_ in described}
    return Given(
        "SELECT * FROM row_values", kinds, rows.records, rows.options, rows.defaults, rows.doubts
    )


def _value(name: str, column: Any) -> str:
    if column.dtype == np.int64:
        return f'nullif("{name}", {UNKNOWN}) AS "{name}"'
    if column.dtype == np.float64:
        return f'CASE WHEN NOT isnan("{name}") THEN "{name}" END AS "{name}"'
    return f'"{name}"'
