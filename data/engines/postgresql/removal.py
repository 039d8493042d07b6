"""Events taken out of PostgreSQL, and a person's name out of events (`data/engines/removal.py`)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from data.engines.postgresql.rows import plain, run
from data.engines.removal import CHOSEN, ELSEWHERE, GONE, MOMENTS, WITH_ID
from data.events.digest_index import digests
from data.events.table import EVENTS

# An id that stands by itself: not in the middle of a word.
BY_ITSELF: Final = "(^|[^[:alnum:]]){}($|[^[:alnum:]])"
PUNCTUATION: Final = re.compile(r"[!-/:-@\[-`{-~]")
REHASH: Final = (
    "UPDATE {0} SET id_hash = r.id_hash"
    " FROM unnest(CAST(:ids AS TEXT[]), CAST(:hashed AS BIGINT[])) AS r(event_id, id_hash)"
    " WHERE {0}.event_id = r.event_id"
)


def choose(connection: sa.Connection, where: sa.ColumnElement[bool]) -> int:
    """Have the events that a condition holds for as the temporary table `chosen`; how many."""
    plain(connection, "CREATE TEMP TABLE chosen (event_id TEXT, ts BIGINT, conversation_id TEXT)"
                      " ON COMMIT DROP")  # fmt: skip
    names = ("event_id", "ts", "conversation_id")
    chosen = sa.table("chosen", *(sa.column(name) for name in names))
    wanted = sa.select(*(EVENTS.c[name] for name in names)).where(where)
    connection.execute(sa.insert(chosen).from_select(names, wanted))
    return int(plain(connection, "SELECT count(*) FROM chosen").scalar_one())


def remove_chosen(connection: sa.Connection) -> list[int]:
    """No such events any more; when they were."""
    moments = list(plain(connection, MOMENTS).scalars())
    for statement in GONE:
        plain(connection, statement)
    return moments


def rename_chosen(connection: sa.Connection, ids: Collection[str], pseudonym: str) -> list[int]:
    """Whoever these ids mean is the pseudonym in the chosen events, and nowhere named beside it;
    when the events were."""
    for table, names in ELSEWHERE:
        link = names[-1] if table == "copy_ids" else "event_id"
        _replace(connection, table, names, f"{link} IN ({CHOSEN})", ids, pseudonym)
    run(connection, f'UPDATE events SET "user" = :pseudonym, user_name = NULL'
                    f" WHERE event_id IN ({CHOSEN})", pseudonym=pseudonym)  # fmt: skip
    _replace(connection, "events", WITH_ID, f"\"user\" = '{pseudonym}'", ids, pseudonym)
    for table in ("events", "copy_ids", "session_sums"):
        _digest(connection, table, pseudonym)
    return list(plain(connection, MOMENTS).scalars())


def _replace(
    connection: sa.Connection, table: str, names: Collection[str], rows: str,
    ids: Collection[str], pseudonym: str,
) -> None:  # fmt: skip
    """The pseudonym in the place of the ids in these columns of these rows."""
    made = ", ".join(f"{name} = regexp_replace({name}, :pattern, :by, 'g')" for name in names)
    for one in sorted(ids, key=len, reverse=True):
        pattern = BY_ITSELF.format(PUNCTUATION.sub(r"\\\g<0>", one))
        run(connection, f"UPDATE {table} SET {made} WHERE {rows}",
            pattern=pattern, by=rf"\1{pseudonym}\2")  # fmt: skip


def _digest(connection: sa.Connection, table: str, pseudonym: str) -> None:
    """Rows whose id was renamed have the digest of their new one."""
    found = run(connection, f"SELECT event_id FROM {table} WHERE strpos(event_id, :name) > 0",
                name=pseudonym)  # fmt: skip
    names = list(found.scalars())
    run(connection, REHASH.format(table), ids=names, hashed=digests(names).tolist())
