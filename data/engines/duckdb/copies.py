"""Copies of a store while it is used, and what is in one: events, tokens and money per source."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Any

import duckdb
import pandas as pd
import sqlalchemy as sa

from data.engines.duckdb import content, damage
from data.engines.duckdb.columns import NUMBERS
from data.engines.duckdb.columns import names as column_names
from data.engines.totals import COUNTED, Totals
from data.errors import StoreError


def totals(reader: duckdb.DuckDBPyConnection) -> dict[str, Totals]:
    """What a store holds, by source."""
    return {name: Totals(*counts) for name, *counts in reader.execute(COUNTED).fetchall()}


def copy(root: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Totals]:
    """All of the store as it is at a moment, into a new file; what it held then."""
    name = f"copy_{token_hex(8)}"
    with closing(root.cursor()) as reader:
        place = str(path).replace("'", "''")
        reader.execute(f"ATTACH '{place}' AS {name}")
        try:
            reader.execute("BEGIN")
            held = totals(reader)
            (present,) = reader.execute("SELECT current_database()").fetchone() or ("",)
            reader.execute(f'COPY FROM DATABASE "{present}" TO {name}')
            reader.execute("COMMIT")
        except duckdb.Error as error:
            raise StoreError(f"the events cannot be copied: {error}") from None
        finally:
            reader.execute(f"DETACH {name}")
    return held


def adopt(
    writer: duckdb.DuckDBPyConnection, table: sa.TableClause, rows: Sequence[Sequence[Any]]
) -> tuple[int, list[int]]:
    """Rows of another store as they are; how many were not there, and when their events were."""
    names = list(table.c.keys())
    writer.register("adopted", pd.DataFrame(rows, columns=names).convert_dtypes())
    listed = column_names(names)
    if table.name != "events":
        writer.execute(f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM adopted")
        return len(rows), []
    found = writer.execute(
        f"INSERT INTO events ({listed}, {content.NAME}, sequence)"
        f" SELECT {listed}, {content.content_hash()}, nextval('stored')"
        f" FROM (SELECT {_typed(names)} FROM adopted) WHERE event_id NOT IN (SELECT event_id"
        " FROM events WHERE id_hash IN (SELECT id_hash FROM adopted)) RETURNING ts"
    ).fetchall()  # fmt: skip
    return len(found), [ts for (ts,) in found]


def _typed(names: Sequence[str]) -> str:
    """The columns as they are stored: one without any value has no type of its own."""
    return ", ".join(
        f'CAST("{name}" AS {"BIGINT" if name in NUMBERS else "VARCHAR"}) AS "{name}"'
        for name in names
    )


def read_totals(path: Path) -> dict[str, Totals]:
    """What the file of a store holds, all of which is read; raises `StoreError` for one that is
    damaged."""
    if damage.is_foreign(path):
        raise damage.damaged(path)
    try:
        with (
            closing(duckdb.connect(str(path), read_only=True)) as root,
            damage.require_sound(root, path),
        ):
            return totals(root)
    except duckdb.Error as error:
        raise next(damage.sentences(path, error)) from None
