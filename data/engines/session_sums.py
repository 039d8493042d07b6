"""Sums of a session that give way to its calls, whichever is stored first.

A program may tell a session twice: its calls one by one in a log or database, and what they add up
to where it ends. A source marks such a sum (`SUM_OF_SESSION` in its tags). It is stored like any
event until as many calls of its session and model as it stands for are; from then on it is known,
as a duplicate, and stored no more. The calls are those within its time, where it tells one, and of
nobody else's user or project.

An engine keeps a table `session_sums`: of each sum its id and digest, its session, after when and
until when its calls were, and whether it `gave_way`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from data.events.table import SUM_OF_SESSION, Event, micros
from data.sources.times import instant

# The ids of sums that give way now, of the sessions in a table `touched` (`conversation_id`).
GIVING_WAY: Final = """WITH calls AS (
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
    GROUP BY s.event_id HAVING sum(c.requests) >= max(s.requests)"""
# What becomes of those in a table `gone`.
OF_GONE: Final = "WHERE event_id IN (SELECT event_id FROM gone)"
REMOVED: Final = (
    f"DELETE FROM repriced {OF_GONE}",
    f"DELETE FROM events {OF_GONE}",
    f"UPDATE session_sums SET gave_way = true {OF_GONE}",
)
# With the events of a source: its sums, and that others gave way to its calls.
FORGOTTEN: Final = (
    "DELETE FROM session_sums"
    " WHERE event_id IN (SELECT event_id FROM events WHERE source = {0})"
    " OR (gave_way AND conversation_id IN"
    " (SELECT conversation_id FROM events WHERE source = {0}))"
)


def is_sum(event: Event) -> bool:
    """Whether an event may give way to the calls it sums up."""
    return (
        event["tags"] is not None
        and SUM_OF_SESSION in event["tags"]
        and event["kind"] == "llm"
        and event["conversation_id"] is not None
    )


def time_of(event: Event) -> tuple[int | None, int | None]:
    """After when and until when its calls were, where it tells."""
    period = orjson.loads(event["tags"]).get("sum_of_session")
    if not isinstance(period, dict):
        return None, None
    return _micros(period.get("after")), _micros(period.get("until"))


def _micros(text: Any) -> int | None:
    return micros(instant("sum_of_session", text)) if isinstance(text, str) else None


def sessions_of_calls(events: Sequence[Event]) -> list[str]:
    """The sessions of which there are calls among these, each once."""
    found = (e["conversation_id"] for e in events if e["kind"] == "llm" and e["conversation_id"])
    return list(dict.fromkeys(found))
