"""Copies of a store while it is used, and what is in one: events, tokens and money per source."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Final

import duckdb

from data.engines.duckdb import damage
from data.engines.totals import Totals
from data.errors import StoreError

COUNTED: Final = """
    SELECT coalesce(source, ''), count(*)::BIGINT,
        coalesce(sum(coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0)
            + coalesce(cache_write_tokens, 0) + coalesce(output_tokens, 0)), 0)::BIGINT,
        coalesce(sum(cost_nano), 0)::BIGINT
    FROM events GROUP BY source
"""


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


def read_totals(path: Path) -> dict[str, Totals]:
    """What the file of a store holds, all of which is read; raises `StoreError` for one that is
    damaged."""
    if damage.is_foreign(path):
        raise damage.damaged(path)
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as root:
            damage.require_sound(root, path)
            return totals(root)
    except duckdb.Error as error:
        raise next(damage.sentences(path, error)) from None
