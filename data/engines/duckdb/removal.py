"""Events taken out of DuckDB, and a person's name out of events (`data/engines/removal.py`)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import duckdb
import sqlalchemy as sa

from data.engines.duckdb import content
from data.engines.duckdb.outdated import outdate
from data.engines.duckdb.texts import compiled
from data.engines.removal import CHOSEN, ELSEWHERE, GONE, MOMENTS, WITH_ID
from data.events.digest_index import digests
from data.events.table import EVENTS

# An id that stands by itself: not in the middle of a word.
BY_ITSELF: Final = "'(^|[^[:alnum:]])' || regexp_escape($1) || '($|[^[:alnum:]])'"


def choose(cursor: duckdb.DuckDBPyConnection, where: sa.ColumnElement[bool]) -> int:
    """Have the events that a condition holds for as the temporary table `chosen`; how many."""
    columns = (EVENTS.c.event_id, EVENTS.c.ts, EVENTS.c.conversation_id)
    chosen = compiled(sa.select(*columns).where(where))
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen.sql}", list(chosen.parameters))
    row = cursor.execute("SELECT count(*) FROM chosen").fetchone()
    return int(row[0]) if row else 0


def remove_chosen(cursor: duckdb.DuckDBPyConnection) -> list[int]:
    """No such events any more; the quarters of an hour of which some are gone."""
    quarters = outdate(cursor, MOMENTS)
    for statement in GONE:
        cursor.execute(statement)
    return quarters


def rename_chosen(
    cursor: duckdb.DuckDBPyConnection, ids: Collection[str], pseudonym: str
) -> list[int]:
    """Whoever these ids mean is the pseudonym in the chosen events, and nowhere named beside it;
    the quarters of an hour of the events."""
    quarters = outdate(cursor, MOMENTS)
    for table, names in ELSEWHERE:
        link = names[-1] if table == "copy_ids" else "event_id"
        _replace(cursor, table, names, f"{link} IN ({CHOSEN})", ids, pseudonym)
    cursor.execute(
        f'UPDATE events SET "user" = $1, user_name = NULL WHERE event_id IN ({CHOSEN})', [pseudonym]
    )
    _replace(cursor, "events", WITH_ID, f"\"user\" = '{pseudonym}'", ids, pseudonym)
    _digest(cursor, pseudonym)
    content.refresh(cursor, f"\"user\" = '{pseudonym}'")
    return quarters


def _replace(
    cursor: duckdb.DuckDBPyConnection, table: str, names: Collection[str], rows: str,
    ids: Collection[str], pseudonym: str,
) -> None:  # fmt: skip
    """The pseudonym in the place of the ids in these columns of these rows."""
    for one in sorted(ids, key=len, reverse=True):
        made = ", ".join(
            f"{name} = regexp_replace({name}, {BY_ITSELF}, '\\1' || $2 || '\\2', 'g')"
            for name in names
        )
        cursor.execute(f"UPDATE {table} SET {made} WHERE {rows}", [one, pseudonym])


def _digest(cursor: duckdb.DuckDBPyConnection, pseudonym: str) -> None:
    """Rows whose id was renamed have the digest of their new one."""
    for table in ("events", "copy_ids", "session_sums"):
        found: Any = cursor.execute(
            f"SELECT event_id FROM {table} WHERE contains(event_id, $1)", [pseudonym]
        ).fetchall()
        names = [name for (name,) in found]
        for name, digest in zip(names, digests(names).tolist(), strict=True):
            cursor.execute(f"UPDATE {table} SET id_hash = $1 WHERE event_id = $2", [digest, name])
