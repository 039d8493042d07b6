"""What a batch of events does to the table: rows that are new, and known ones that are completed.

Of one id in the batch, each telling goes on from what those before it made of the event. Who may
change the events of one project only leaves all others as they are, those of this batch too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data.engines.duckdb.columns import columns, digests, names, told, values
from data.engines.duckdb.commits import Outcome
from data.engines.duckdb.known import Cursor, Row, change, compare, fetched
from data.engines.duckdb.seen import Digests, Seen
from data.events.merging import completed
from data.events.table import Event
from data.prices.book import PriceBook

TEXT: Final = "SET pandas_analyze_sample = 0"  # objects are text, no need to look


def perhaps(seen: Seen, events: Sequence[Event]) -> NDArray[np.bool_]:
    """Which of these events are stored, as far as digests tell."""
    return seen.among(digests([event["event_id"] for event in events]))


def telling(
    cursor: Cursor, events: Sequence[Event], some: NDArray[np.bool_], project: str | None
) -> list[Event]:
    """Those that are new or may complete what is stored; `some` of them are, perhaps."""
    found = _look(cursor, events, some, project)
    idle = set(found["n"][~found["more"]].tolist())
    return [event for n, event in enumerate(events) if n not in idle]


def _look(
    cursor: Cursor, events: Sequence[Event], some: NDArray[np.bool_], project: str | None = None
) -> dict[str, NDArray[Any]]:
    """Those of `some` events that are stored (`n`), in which `place`, and which may tell `more`."""
    places = np.flatnonzero(some)
    asked = [events[place] for place in places.tolist()]
    batch = told(asked)
    cursor.execute(TEXT)
    cursor.register("wanted", {"id_hash": digests([event["event_id"] for event in asked])})
    cursor.register("told", {"n": places, **batch})
    found = compare(cursor, f"SELECT n, {values(batch)} FROM told", batch, project)
    return found | {"more": found["more"].astype(np.bool_)}


class Batch:
    """The events of a commit, beside those that are stored."""

    def __init__(self, cursor: Cursor, book: PriceBook) -> None:
        self._cursor, self._book = cursor, book
        self.new: dict[str, Event] = {}
        self._known: set[int] = set()  # of the events taken, by place
        self._rows: dict[str, Row] = {}  # that may be completed, by id

    @property
    def changed(self) -> list[Row]:
        """The stored rows that become more than they were."""
        return [row for row in self._rows.values() if row.whole is not row.old]

    def take(
        self, events: Sequence[Event], bound: Sequence[str | None], some: NDArray[np.bool_]
    ) -> list[Outcome]:
        """What becomes of each event, of which `some` are stored, perhaps."""
        if some.any():
            self._meet(_look(self._cursor, events, some))
        told = enumerate(zip(events, bound, strict=True))
        return [self._take(n, event, project) for n, (event, project) in told]

    def store(self) -> Digests:
        """Write what is new and what changed; the digests of what is new."""
        change(self._cursor, self.changed, self._book)
        if not self.new:
            return np.empty(0, np.int64)
        batch = columns(list(self.new.values()), self._book)
        self._cursor.execute(TEXT)
        self._cursor.register("batch", batch)
        self._cursor.execute(
            f"INSERT INTO events ({names(batch)}) SELECT {values(batch)} FROM batch"
        )
        return batch["id_hash"]

    def _meet(self, found: dict[str, NDArray[Any]]) -> None:
        self._known.update(found["n"].tolist())
        if len(more := np.unique(found["place"][found["more"]])):
            rows = fetched(self._cursor, more.tolist())
            self._rows = {row.old["event_id"]: row for row in rows}

    def _take(self, n: int, event: Event, project: str | None) -> Outcome:
        name = event["event_id"]
        if (row := self._rows.get(name)) is not None:
            before, row.whole = row.whole, self._whole(row.whole, event, project)
            return "known" if row.whole is before else "completed"
        if n in self._known:
            return "known"
        if (held := self.new.get(name)) is None:
            self.new[name] = event
            return "new"
        self.new[name] = self._whole(held, event, project)
        return "known" if self.new[name] is held else "completed"

    def _whole(self, held: Event, event: Event, project: str | None) -> Event:
        if project is not None and not held["project"] == event["project"] == project:
            return held
        return completed(held, event, self._book)
