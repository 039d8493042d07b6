"""Events taken out of a store, with all that is kept about them; and a person's name out of events.

What is told again later of an event that was removed is new; of one whose person was forgotten it
is known, by its id, and adds nothing but what it says: who forgets somebody keeps their files away.

An engine has the events in question in a temporary table `chosen`: their `event_id`, `ts` and
`conversation_id`.
"""

from __future__ import annotations

from typing import Final

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
