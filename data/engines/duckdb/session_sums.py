"""Sums of a session that give way to its calls, whichever is stored first.

A program may tell a session twice: its calls one by one in a log or database, and what they add up
to where it ends. A source marks such a sum (`SUM_OF_SESSION` in its tags). It is stored like any
event until as many calls of its session and model as it stands for are; from then on it is known,
as a duplicate, and stored no more. The calls are those within its time, where it tells one, and of
nobody else's user or project.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any, Final, NamedTuple

import duckdb
import orjson

from data.engines.duckdb.columns import UNKNOWN, array
from data.engines.duckdb.outdated import outdate
from data.events.digest_index import DigestIndex, digests
from data.events.table import SUM_OF_SESSION, Event, micros
from data.sources.times import instant

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
GIVE_WAY: Final = """CREATE OR REPLACE TEMP TABLE gone AS WITH calls AS (
      SELECT event_id, conversation_id, model, ts, "user", project,
       coalesce(request_count, 1) AS requests
      FROM events WHERE kind = 'llm'
       AND conversation_id IN (SELECT conversation_id FROM touched)),
     sums AS (SELECT calls.*, after, until FROM calls
      JOIN session_sums USING (event_id) WHERE NOT gave_way)
    SELECT s.event_id FROM sums s JOIN calls c ON c.conversation_id = s.conversation_id
      AND c.model IS NOT DISTINCT FROM s.model
      AND (s.after IS NULL OR c.ts > s.after) AND (s.until IS NULL OR c.ts <= s.until)
      AND (s."user" IS NULL OR c."user" IS NULL OR s."user" = c."user")
      AND (s.project IS NULL OR c.project IS NULL OR s.project = c.project)
    WHERE c.event_id NOT IN (SELECT event_id FROM session_sums)
    GROUP BY s.event_id HAVING sum(c.requests) >= any_value(s.requests)"""
OF_GONE: Final = "WHERE event_id IN (SELECT event_id FROM gone)"
REMOVED: Final = (
    f"DELETE FROM repriced {OF_GONE}; DELETE FROM events {OF_GONE};"
    f" UPDATE session_sums SET gave_way = true {OF_GONE}"
)
# With the events of a source: its sums, and that others gave way to its calls.
FORGET: Final = (
    "DELETE FROM session_sums"
    " WHERE event_id IN (SELECT event_id FROM events WHERE source = $source)"
    " OR (gave_way AND conversation_id IN"
    " (SELECT conversation_id FROM events WHERE source = $source))"
)
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
        sums = {event["event_id"]: event for event in events if _is_sum(event)}
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
        after, until = zip(*map(_time_of, sums), strict=True)
        cursor.register("sums", {
            "event_id": array("event_id", ids), "id_hash": digests(ids),
            "conversation_id": array("", [event["conversation_id"] for event in sums]),
            "after": array("ts", after), "until": array("ts", until),
        })  # fmt: skip
        cursor.execute(ADDED)
        self._waiting = None

    def settle(self, cursor: Cursor, events: Sequence[Event]) -> Gone:
        """Have sums give way, now that these events are stored; those that did."""
        calls = [
            e["conversation_id"] for e in events if e["kind"] == "llm" and e["conversation_id"]
        ]
        names = list(dict.fromkeys(calls))
        if not names:
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
    cursor.execute(REMOVED)
    return Gone(ids, quarters)


def waiting_among(cursor: Cursor, sessions: str) -> list[str]:
    """Of the sessions that this SQL selects (`conversation_id`), those with stored sums."""
    if not cursor.execute(f"{WAITING} LIMIT 1").fetchone():
        return []
    found = cursor.execute(f"{WAITING} AND conversation_id IN ({sessions})").fetchall()
    return [name for (name,) in found]


def _is_sum(event: Event) -> bool:
    return (
        event["tags"] is not None
        and SUM_OF_SESSION in event["tags"]
        and event["kind"] == "llm"
        and event["conversation_id"] is not None
    )


def _time_of(event: Event) -> tuple[int | None, int | None]:
    """After when and until when its calls were, where it tells."""
    period = orjson.loads(event["tags"]).get("sum_of_session")
    if not isinstance(period, dict):
        return None, None
    return _micros(period.get("after")), _micros(period.get("until"))


def _micros(text: Any) -> int | None:
    return micros(instant("sum_of_session", text)) if isinstance(text, str) else None
