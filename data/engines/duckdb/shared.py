"""Events that are one under two ids: a copy, and what it was copied from.

A copied log has ids of its own, and keeps something that both have in common (`shared_id`). The
event that is stored first lends the others its id, so that they merge with it. One that was told
under its own id alone before (telemetry tells no shared one) stays, and takes the place of its
copies. The ids that gave way are kept (`copy_ids`): what comes later under one of them alone is
the stored event, too. They go with it.

To look through the table takes 0.3 s a million events; digests in memory tell of nearly every
shared id that it is new. They are the engine's own: only good in the process that made them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb
import numpy as np

from data.engines.duckdb.columns import array
from data.engines.duckdb.columns import names as column_names
from data.engines.duckdb.outdated import outdate
from data.events.digest_index import DigestIndex, Digests, digests
from data.events.merging import Bound
from data.events.table import FIELDS, Event

OWNED: Final = ("event_id", "project", "user")
STORED: Final = (
    'SELECT shared_id, event_id, project, "user" FROM events'
    " WHERE shared_id IN (SELECT shared_id FROM sharing) ORDER BY event_id DESC"
)
IDS: Final = (
    'SELECT event_id, event_id, project, "user" FROM events'
    " WHERE id_hash IN (SELECT id_hash FROM own) AND event_id IN (SELECT event_id FROM own)"
)
# The ids that gave way, each with the id of the stored event.
COPY_IDS: Final = (
    "CREATE TABLE IF NOT EXISTS copy_ids"
    " (event_id TEXT NOT NULL, id_hash BIGINT NOT NULL, stored_as TEXT NOT NULL)"
)
RESOLVED: Final = (
    "SELECT event_id, stored_as FROM copy_ids WHERE id_hash IN (SELECT id_hash FROM wanted)"
)
RENAMED: Final = (
    "UPDATE copy_ids SET stored_as = r.stored_as FROM renamed r"
    " WHERE copy_ids.stored_as = r.event_id;"
    "INSERT INTO copy_ids SELECT event_id, id_hash, stored_as FROM renamed"
)
FORGET_COPIES: Final = (
    "DELETE FROM copy_ids WHERE stored_as IN (SELECT event_id FROM events WHERE source = ?)"
)
HELD: Final = (
    f"SELECT {column_names(FIELDS)} FROM events WHERE event_id IN (SELECT event_id FROM copies)"
)
# With what re-pricings found: they may come back as others.
REMOVED: Final = (
    "DELETE FROM repriced WHERE event_id IN (SELECT event_id FROM copies);"
    "DELETE FROM events WHERE event_id IN (SELECT event_id FROM copies)"
)
ALL: Final = "SELECT hash(shared_id) AS digest FROM events WHERE shared_id IS NOT NULL"
THESE: Final = "SELECT hash(shared_id) AS digest FROM sharing"
Cursor = duckdb.DuckDBPyConnection


# A list price is worked out anew of what the events tell together.
UNPRICED: Final = {"cost_nano": None, "cost_origin": "unpriced", "unpriced_reason": None}


class SharedIds:
    """The shared ids that are stored and the ids that gave way, as far as digests tell; for the
    one who writes."""

    def __init__(self) -> None:
        self._index: DigestIndex | None = None
        self._copies: DigestIndex | None = None

    def clear(self) -> None:
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

    def resolved(self, cursor: Cursor, events: list[Event]) -> list[Event]:
        """The events, under the id of the stored one to which theirs gave way."""
        if self._copies is None:
            found = cursor.execute("SELECT id_hash FROM copy_ids").fetchnumpy()["id_hash"]
            self._copies = DigestIndex(np.asarray(found, np.int64))
        if not self._copies:
            return events
        wanted = digests([event["event_id"] for event in events])
        if not (probable := self._copies.contains(wanted)).any():
            return events
        cursor.register("wanted", {"id_hash": wanted[probable]})
        stored_as = dict(cursor.execute(RESOLVED).fetchall())
        return [_under(stored_as.get(event["event_id"]), event) for event in events]

    def rename(self, cursor: Cursor, stored_as: Mapping[str, str]) -> None:
        """From now on these ids stand for stored events."""
        if not stored_as:
            return
        old, new = list(stored_as), list(stored_as.values())
        hashed = digests(old)
        texts = {"event_id": array("event_id", old), "stored_as": array("event_id", new)}
        cursor.register("renamed", texts | {"id_hash": hashed})
        cursor.execute(RENAMED)
        if self._copies is not None:
            self._copies.add(hashed)


def _under(event_id: str | None, event: Event) -> Event:
    return event if event_id in (None, event["event_id"]) else event | {"event_id": event_id}


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
    """The events, copies under the id of what they copy, and after them what was stored of copies
    that give way to one of them; and the quarters of these. Whoever is bound to the events of one
    project or user replaces no copy of another's."""
    events = shared.resolved(cursor, events)
    if not (sharing := [event for event in events if event["shared_id"]]):
        return events, []
    names = [event["shared_id"] for event in sharing]
    kept = shared.stored(cursor, names)
    shared.add(cursor, names)
    own = {event["event_id"]: event for event in events if event["shared_id"] is None}
    own |= _stored(cursor, index, sharing)
    replaced = _replaced(events, bounds, kept, own)
    stored_as = {copy: kept[name]["event_id"] for copy, name in replaced.items()}
    removed, quarters = _remove(cursor, list(replaced))
    shared.rename(cursor, stored_as | _renamed(events, bounds, kept, own))
    found = [_under(_kept_id(event, kept, own), event) for event in events]
    return [*found, *(_under(stored_as[event["event_id"]], event) for event in removed)], quarters


def _replaced(
    events: Sequence[Event],
    bounds: Sequence[Bound],
    kept: dict[str, Event],
    own: dict[str, Event],
) -> dict[str, str]:
    """The copies that give way to an event told under its own id, each with what it shares; `kept`
    has what stays of each shared id then."""
    replaced: dict[str, str] = {}  # copies, with what they share
    for event, bound in zip(events, bounds, strict=True):
        if event["shared_id"] is None:
            continue
        held, mine = kept.setdefault(event["shared_id"], event), own.get(event["event_id"])
        if mine and held["event_id"] != mine["event_id"] and bound.covers(held, mine):
            replaced[held["event_id"]] = event["shared_id"]
            own.pop(held["event_id"], None)
            kept[event["shared_id"]] = mine
    return replaced


def _renamed(
    events: Sequence[Event],
    bounds: Sequence[Bound],
    kept: Mapping[str, Event],
    own: Mapping[str, Event],
) -> dict[str, str]:
    """The ids of copies that give way, with that of what is kept; whoever is bound to other events
    says nothing of these."""
    return {
        event["event_id"]: new
        for event, bound in zip(events, bounds, strict=True)
        if (new := _kept_id(event, kept, own)) not in (None, event["event_id"])
        and bound.covers(kept[event["shared_id"]], event)
    }


def _kept_id(event: Event, kept: Mapping[str, Event], own: Mapping[str, Event]) -> str | None:
    if event["shared_id"] is None or event["event_id"] in own:
        return None
    return str(kept[event["shared_id"]]["event_id"])


def _stored(cursor: Cursor, index: DigestIndex, events: Sequence[Event]) -> dict[str, Event]:
    """Of each of these ids that is stored the event, as far as it is `OWNED`."""
    names = [event["event_id"] for event in events]
    probable = index.contains(digests(names))
    names = [name for name, there in zip(names, probable.tolist(), strict=True) if there]
    if not names:
        return {}
    cursor.register("own", {"id_hash": digests(names), "event_id": array("event_id", names)})
    return _owned(cursor, IDS)


def _remove(cursor: Cursor, copies: Sequence[str]) -> tuple[list[Event], list[int]]:
    """Take these copies out of the store; what it held of them, and their quarters."""
    if not copies:
        return [], []
    cursor.register("copies", {"event_id": array("event_id", copies)})
    events = "SELECT ts FROM events WHERE event_id IN (SELECT event_id FROM copies)"
    quarters = outdate(cursor, events)
    rows = cursor.execute(HELD).fetchall()
    cursor.execute(REMOVED)
    held = (dict(zip(FIELDS, row, strict=True)) for row in rows)
    removed = [event | (UNPRICED if event["cost_origin"] == "list" else {}) for event in held]
    return removed, quarters
