"""Events that are one under two ids: a copy, and what it was copied from.

A copied log has ids of its own, and keeps something that both have in common (`shared_id`). The
event that is stored first lends the others its id, so that they merge with it. One that was stored
under its own id before (telemetry tells no shared one) stays, and takes the place of its copies.

To look through the table takes 0.3 s a million events; digests in memory tell of nearly every
shared id that it is new. They are the engine's own: only good in the process that made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import duckdb
import numpy as np

from data.engines.duckdb.columns import array
from data.events.digest_index import DigestIndex, Digests, digests
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
ALL: Final = "SELECT hash(shared_id) AS digest FROM events WHERE shared_id IS NOT NULL"
THESE: Final = "SELECT hash(shared_id) AS digest FROM sharing"
Cursor = duckdb.DuckDBPyConnection


class SharedIds:
    """The shared ids that are stored, as far as digests tell; for the one who writes."""

    def __init__(self) -> None:
        self._index: DigestIndex | None = None

    def forget(self) -> None:
        """More were stored elsewhere: all are read again when they are needed."""
        self._index = None

    def stored(self, cursor: Cursor, names: Sequence[str]) -> dict[str, str]:
        """The ids of the events that have these; from now on they count as stored."""
        if self._index is None:
            self._index = DigestIndex(_digests(cursor, ALL))
        cursor.register("sharing", {"shared_id": array("shared_id", names)})
        these = _digests(cursor, THESE)
        probable = self._index.contains(these)
        self._index.add(np.unique(these[~probable]))
        return dict(cursor.execute(STORED).fetchall()) if probable.any() else {}


def _digests(cursor: Cursor, statement: str) -> Digests:
    found = cursor.execute(statement).fetchnumpy()["digest"]
    return np.ascontiguousarray(found, np.uint64).view(np.int64)


def under_one_id(
    cursor: Cursor,
    index: DigestIndex,
    shared: SharedIds,
    events: list[Event],
    bounds: Sequence[Bound],
) -> list[Event]:
    """The events, copies under the id of what they copy; whoever is bound to the events of
    one project or user replaces no stored copy."""
    if not (sharing := [event for event in events if event["shared_id"]]):
        return events
    ids = shared.stored(cursor, [event["shared_id"] for event in sharing])
    own = _stored(cursor, index, sharing)
    found, copies = [], []
    for event, bound in zip(events, bounds, strict=True):
        name, common = event["event_id"], event["shared_id"]
        if common is None or ids.setdefault(common, name) == name:
            found.append(event)
        elif name in own and bound == ANYWHERE:
            copies.append(ids[common])
            ids[common] = name
            found.append(event)
        else:
            found.append(event if name in own else event | {"event_id": ids[common]})
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
