"""Events taken out of a store, with all that is kept about them; and a person's name out of events.

What is told again later of an event that was removed is new; of one whose person was forgotten it
is known, by its id, and adds nothing but what it says: who forgets somebody keeps their files away.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import duckdb
import sqlalchemy as sa

from data.engines.duckdb import content
from data.engines.duckdb.outdated import outdate
from data.engines.duckdb.texts import compiled
from data.events.digest_index import digests
from data.events.table import EVENTS

CHOSEN: Final = "SELECT event_id FROM chosen"
MOMENTS: Final = "SELECT ts FROM chosen"
GONE: Final = (
    f"DELETE FROM repriced WHERE event_id IN ({CHOSEN})",
    f"DELETE FROM copy_ids WHERE stored_as IN ({CHOSEN})",
    f"DELETE FROM session_sums WHERE event_id IN ({CHOSEN})",
    f"DELETE FROM events WHERE event_id IN ({CHOSEN})",
    # That a sum gave way to calls is of use while one of its session's is there.
    "DELETE FROM session_sums WHERE gave_way AND conversation_id IN"
    " (SELECT conversation_id FROM chosen) AND conversation_id NOT IN"
    " (SELECT conversation_id FROM events WHERE conversation_id IS NOT NULL)",
)
# What names an event, or somebody beside its user.
WITH_ID: Final = ("event_id", "shared_id", "tags", "repository", "conversation_id", "run_id")
ELSEWHERE: Final = (
    ("repriced", ("event_id",)), ("session_sums", ("event_id", "conversation_id")),
    ("copy_ids", ("event_id", "stored_as")),
)  # fmt: skip
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
