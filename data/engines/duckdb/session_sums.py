"""The sums of sessions (`data/engines/session_sums.py`) as DuckDB keeps them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Final, NamedTuple

import duckdb

from data.engines.duckdb.columns import UNKNOWN, array
from data.engines.duckdb.outdated import outdate
from data.engines.session_sums import (
    FORGOTTEN,
    GIVING_WAY,
    OF_GONE,
    REMOVED,
    is_sum,
    sessions_of_calls,
    time_of,
)
from data.events.digest_index import DigestIndex, digests
from data.events.table import Event

TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS session_sums (event_id TEXT NOT NULL, id_hash BIGINT NOT NULL,"
    " conversation_id TEXT NOT NULL, after BIGINT, until BIGINT, gave_way BOOLEAN NOT NULL)"
)
KNOWN: Final = (
    "SELECT event_id, gave_way FROM session_sums WHERE event_id IN (SELECT event_id FROM sums)"
)
ADDED: Final = (
    "INSERT INTO session_sums SELECT event_id, id_hash, conversation_id,"
    f" nullif(after, {UNKNOWN}), nullif(until, {UNKNOWN}), false FROM sums"
)
GIVE_WAY: Final = f"CREATE OR REPLACE TEMP TABLE gone AS {GIVING_WAY}"
FORGET: Final = FORGOTTEN.format("$source")
WAITING: Final = "SELECT DISTINCT conversation_id FROM session_sums WHERE NOT gave_way"
Cursor = duckdb.DuckDBPyConnection


class Gone(NamedTuple):
    """Sums that gave way: their ids, and the quarters of an hour that no longer hold them."""

    ids: Set[str] = frozenset()
    quarters: Sequence[int] = ()


class SessionSums:
    """The sums that are stored or gave way; for the one who writes."""

    def __init__(self) -> None:
        self._waiting: DigestIndex | None = None  # sessions with stored sums, as far as known

    def given_way(self, cursor: Cursor, events: Sequence[Event]) -> set[str]:
        """Which of these events are sums that gave way before; those that are new are known from
        now on."""
        sums = {event["event_id"]: event for event in events if is_sum(event)}
        if not sums:
            return set()
        cursor.register("sums", {"event_id": array("event_id", list(sums))})
        known = dict(cursor.execute(KNOWN).fetchall())
        self._add(cursor, [event for name, event in sums.items() if name not in known])
        return {name for name, gave_way in known.items() if gave_way}

    def _add(self, cursor: Cursor, sums: Sequence[Event]) -> None:
        if not sums:
            return
        ids = [event["event_id"] for event in sums]
        after, until = zip(*map(time_of, sums), strict=True)
        cursor.register("sums", {
            "event_id": array("event_id", ids), "id_hash": digests(ids),
            "conversation_id": array("", [event["conversation_id"] for event in sums]),
            "after": array("ts", after), "until": array("ts", until),
        })  # fmt: skip
        cursor.execute(ADDED)
        self._waiting = None

    def settle(self, cursor: Cursor, events: Sequence[Event]) -> Gone:
        """Have sums give way, now that these events are stored; those that did."""
        if not (names := sessions_of_calls(events)):
            return Gone()
        if self._waiting is None:
            waiting = [name for (name,) in cursor.execute(WAITING).fetchall()]
            self._waiting = DigestIndex(digests(waiting))
        touched = self._waiting.contains(digests(names))
        return give_way(cursor, [n for n, there in zip(names, touched, strict=True) if there])


def give_way(cursor: Cursor, sessions: Sequence[str]) -> Gone:
    """Take the sums of these sessions out of the store that their calls tell."""
    if not sessions:
        return Gone()
    cursor.register("touched", {"conversation_id": array("conversation_id", sessions)})
    cursor.execute(GIVE_WAY)
    ids = {name for (name,) in cursor.execute("SELECT event_id FROM gone").fetchall()}
    if not ids:
        return Gone()
    quarters = outdate(cursor, f"SELECT ts FROM events {OF_GONE}")
    cursor.execute(";".join(REMOVED))
    return Gone(ids, quarters)


def waiting_among(cursor: Cursor, sessions: str) -> list[str]:
    """Of the sessions that this SQL selects (`conversation_id`), those with stored sums."""
    if not cursor.execute(f"{WAITING} LIMIT 1").fetchone():
        return []
    found = cursor.execute(f"{WAITING} AND conversation_id IN ({sessions})").fetchall()
    return [name for (name,) in found]
