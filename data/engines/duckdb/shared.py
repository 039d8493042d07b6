"""Events that are one under two ids: a copy, and what it was copied from.

A copied log has ids of its own, and keeps something that both have in common (`shared_id`). The
event that is stored first lends the others its id, so that they merge with it. One that was told
under its own id alone before (telemetry tells no shared one) stays, and takes the place of its
copies.

To look through the table takes 0.3 s a million events; digests in memory tell of nearly every
shared id that it is new. They are the engine's own: only good in the process that made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb
import numpy as np

from data.engines.duckdb.columns import array
from data.engines.duckdb.outdated import outdate
from data.events.digest_index import DigestIndex, Digests, digests
from data.events.merging import Bound
from data.events.table import Event

OWNED: Final = ("event_id", "project", "user")
STORED: Final = (
    'SELECT shared_id, event_id, project, "user" FROM events'
    " WHERE shared_id IN (SELECT shared_id FROM sharing) ORDER BY event_id DESC"
)
IDS: Final = (
    'SELECT event_id, event_id, project, "user" FROM events'
    " WHERE id_hash IN (SELECT id_hash FROM own) AND event_id IN (SELECT event_id FROM own)"
)
# With what re-pricings found: they may come back as others.
REMOVED: Final = (
    "DELETE FROM repriced WHERE event_id IN (SELECT event_id FROM copies);"
    "DELETE FROM events WHERE event_id IN (SELECT event_id FROM copies)"
)
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

    def stored(self, cursor: Cursor, names: Sequence[str]) -> dict[str, Event]:
        """Of each that is stored the event, as far as it is `OWNED`."""
        if self._index is None:
            self._index = DigestIndex(_digests(cursor, ALL))
        cursor.register("sharing", {"shared_id": array("shared_id", names)})
        found = self._index.contains(_digests(cursor, THESE)).any()
        return _owned(cursor, STORED) if found else {}

    def add(self, cursor: Cursor, names: Sequence[str]) -> None:
        """From now on these count as stored."""
        if self._index is not None:
            cursor.register("sharing", {"shared_id": array("shared_id", names)})
            these = np.unique(_digests(cursor, THESE))
            self._index.add(these[~self._index.contains(these)])


def _owned(cursor: Cursor, statement: str) -> dict[str, Event]:
    rows = cursor.execute(statement).fetchall()
    return {name: dict(zip(OWNED, row, strict=True)) for name, *row in rows}


def _digests(cursor: Cursor, statement: str) -> Digests:
    found = cursor.execute(statement).fetchnumpy()["digest"]
    return np.ascontiguousarray(found, np.uint64).view(np.int64)


def under_one_id(
    cursor: Cursor,
    index: DigestIndex,
    shared: SharedIds,
    events: list[Event],
    bounds: Sequence[Bound],
) -> tuple[list[Event], list[int]]:
    """The events, copies under the id of what they copy, and the quarters of stored copies that
    went; whoever is bound to the events of one project or user replaces no copy of another's."""
    if not (sharing := [event for event in events if event["shared_id"]]):
        return events, []
    names = [event["shared_id"] for event in sharing]
    kept = shared.stored(cursor, names)
    shared.add(cursor, names)
    own = {event["event_id"]: event for event in events if event["shared_id"] is None}
    own |= _stored(cursor, index, sharing)
    copies = []
    for event, bound in zip(events, bounds, strict=True):
        if event["shared_id"] is None:
            continue
        held, mine = kept.setdefault(event["shared_id"], event), own.get(event["event_id"])
        if mine and held["event_id"] != mine["event_id"] and bound.covers(held, mine):
            copies.append(held["event_id"])
            own.pop(held["event_id"], None)
            kept[event["shared_id"]] = mine
    quarters = _remove(cursor, copies)
    return [_renamed(event, kept, own) for event in events], quarters


def _renamed(event: Event, kept: Mapping[str, Event], own: Mapping[str, Event]) -> Event:
    if event["shared_id"] is None or event["event_id"] in own:
        return event
    return event | {"event_id": kept[event["shared_id"]]["event_id"]}


def _stored(cursor: Cursor, index: DigestIndex, events: Sequence[Event]) -> dict[str, Event]:
    """Of each of these ids that is stored the event, as far as it is `OWNED`."""
    names = [event["event_id"] for event in events]
    probable = index.contains(digests(names))
    names = [name for name, there in zip(names, probable.tolist(), strict=True) if there]
    if not names:
        return {}
    cursor.register("own", {"id_hash": digests(names), "event_id": array("event_id", names)})
    return _owned(cursor, IDS)


def _remove(cursor: Cursor, copies: Sequence[str]) -> list[int]:
    if not copies:
        return []
    cursor.register("copies", {"event_id": array("event_id", copies)})
    events = "SELECT ts FROM events WHERE event_id IN (SELECT event_id FROM copies)"
    quarters = outdate(cursor, events)
    cursor.execute(REMOVED)
    return quarters
