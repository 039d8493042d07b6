"""The sums of sessions (`data/engines/session_sums.py`) as PostgreSQL keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from data.engines.postgresql.rows import mapping, plain, run
from data.engines.session_sums import (
    FORGOTTEN,
    GIVING_WAY,
    OF_GONE,
    REMOVED,
    is_sum,
    sessions_of_calls,
    time_of,
)
from data.events.digest_index import digests
from data.events.table import Event

KNOWN: Final = (
    "SELECT event_id, gave_way FROM session_sums WHERE event_id = ANY(CAST(:ids AS TEXT[]))"
)
ADD: Final = (
    "INSERT INTO session_sums SELECT *, false FROM unnest(CAST(:event_id AS TEXT[]),"
    " CAST(:id_hash AS BIGINT[]), CAST(:conversation_id AS TEXT[]), CAST(:after AS BIGINT[]),"
    " CAST(:until AS BIGINT[]))"
)
TOUCHED: Final = (
    "CREATE TEMP TABLE touched ON COMMIT DROP AS SELECT DISTINCT conversation_id FROM session_sums"
    " WHERE NOT gave_way AND conversation_id = ANY(CAST(:names AS TEXT[]))"
)
WAITING: Final = (
    "SELECT 1 FROM session_sums"
    " WHERE NOT gave_way AND conversation_id = ANY(CAST(:names AS TEXT[])) LIMIT 1"
)
GIVE_WAY: Final = f"CREATE TEMP TABLE gone ON COMMIT DROP AS {GIVING_WAY}"
GONE: Final = f"SELECT event_id, ts FROM events {OF_GONE}"
FORGET: Final = FORGOTTEN.format(":source")


def given_way(connection: sa.Connection, events: Sequence[Event]) -> set[str]:
    """Which of these events are sums that gave way before; those that are new are known from now
    on."""
    sums = {event["event_id"]: event for event in events if is_sum(event)}
    if not sums:
        return set()
    known = mapping(run(connection, KNOWN, ids=list(sums)))
    if new := [event for name, event in sums.items() if name not in known]:
        run(connection, ADD, **_columns(new))
    return {name for name, gave_way in known.items() if gave_way}


def _columns(sums: Sequence[Event]) -> dict[str, list[Any]]:
    ids = [event["event_id"] for event in sums]
    after, until = zip(*map(time_of, sums), strict=True)
    return {
        "event_id": ids, "id_hash": digests(ids).tolist(),
        "conversation_id": [event["conversation_id"] for event in sums],
        "after": list(after), "until": list(until),
    }  # fmt: skip


def settle(connection: sa.Connection, events: Sequence[Event]) -> dict[str, int]:
    """Have sums give way, now that these events are stored: those that did, and when they were."""
    names = sessions_of_calls(events)
    if not names or run(connection, WAITING, names=names).first() is None:
        return {}
    run(connection, TOUCHED, names=names)
    plain(connection, GIVE_WAY)
    gone = mapping(plain(connection, GONE))
    if gone:
        for statement in REMOVED:
            plain(connection, statement)
    return gone
