"""Events that are one under two ids: a copy, and what it was copied from.

A copied log has ids of its own, and keeps something that both have in common (`shared_id`). The
event that is stored first lends the others its id, so that they merge with it. One that was stored
under its own id before (telemetry tells no shared one) stays, and takes the place of its copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb

from data.engines.duckdb.columns import array
from data.events.digest_index import DigestIndex, digests
from data.events.merging import ANYWHERE, Bound
from data.events.table import Event

STORED: Final = (
    "SELECT shared_id, event_id FROM events"
    " WHERE shared_id IN (SELECT shared_id FROM sharing) ORDER BY event_id DESC"
)
IDS: Final = (
    "SELECT event_id FROM events WHERE id_hash IN (SELECT id_hash FROM own)"
    " AND event_id IN (SELECT event_id FROM own)"
)
REMOVED: Final = "DELETE FROM events WHERE event_id IN (SELECT event_id FROM copies)"
Cursor = duckdb.DuckDBPyConnection


def under_one_id(
    cursor: Cursor, index: DigestIndex, events: list[Event], bounds: Sequence[Bound]
) -> list[Event]:
    """The events, copies under the id of what they copy; whoever is bound to the events of
    one project or user replaces no stored copy."""
    if not (sharing := [event for event in events if event["shared_id"]]):
        return events
    cursor.register("sharing", {"shared_id": array("shared_id", [e["shared_id"] for e in sharing])})
    ids = dict(cursor.execute(STORED).fetchall())
    own = _stored(cursor, index, sharing)
    found, copies = [], []
    for event, bound in zip(events, bounds, strict=True):
        name, shared = event["event_id"], event["shared_id"]
        if shared is None or ids.setdefault(shared, name) == name:
            found.append(event)
        elif name in own and bound == ANYWHERE:
            copies.append(ids[shared])
            ids[shared] = name
            found.append(event)
        else:
            found.append(event if name in own else event | {"event_id": ids[shared]})
    _remove(cursor, copies)
    return found


def _stored(cursor: Cursor, index: DigestIndex, events: Sequence[Event]) -> set[str]:
    """Which of these ids are stored."""
    names = [event["event_id"] for event in events]
    probable = index.contains(digests(names))
    names = [name for name, there in zip(names, probable.tolist(), strict=True) if there]
    if not names:
        return set()
    cursor.register("own", {"id_hash": digests(names), "event_id": array("event_id", names)})
    return {row[0] for row in cursor.execute(IDS).fetchall()}


def _remove(cursor: Cursor, copies: Sequence[str]) -> None:
    if copies:
        cursor.register("copies", {"event_id": array("event_id", copies)})
        cursor.execute(REMOVED)
