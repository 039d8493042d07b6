"""What the events of a commit make of what is stored: new rows, and rows that become more.

Of one id, each event is merged with what those before it made of it. Who may change the events of
one project or user only (`Bound`) leaves all others as they are, those of this commit too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from data.engines.commits import Outcome
from data.events.merging import ANYWHERE, COST_FIELDS, Bound, merge, same_price
from data.events.table import Event
from data.prices.book import PriceBook


@dataclass(slots=True)
class Row:
    """A stored event that may become more: as it was, and as it becomes; `place` is where the
    engine has it."""

    place: int
    old: Event
    merged: Event


class MergeBatch:
    """The events of a commit, beside those that are stored."""

    def __init__(self, book: PriceBook, known: Set[str] = frozenset()) -> None:
        """`known` ids are stored no more, and known all the same."""
        self.book, self._known = book, known
        self.new: dict[str, Event] = {}
        self.rows: dict[str, Row] = {}  # stored ones that may become more, by id
        self.repeated: set[int] = set()  # events, by place, that add nothing to their row

    @property
    def changed(self) -> list[Row]:
        """The stored rows that become more than they were."""
        return [row for row in self.rows.values() if row.merged is not row.old]

    def merge(self, events: Sequence[Event], bounds: Sequence[Bound]) -> list[Outcome]:
        """What becomes of each event."""
        numbered = enumerate(zip(events, bounds, strict=True))
        return [self._take(n, event, bound) for n, (event, bound) in numbered]

    def _take(self, n: int, event: Event, bound: Bound) -> Outcome:
        name = event["event_id"]
        if (row := self.rows.get(name)) is not None:
            before, row.merged = row.merged, self._merged(row.merged, event, bound)
            return "duplicate" if row.merged is before else "merged"
        if n in self.repeated or name in self._known:
            return "duplicate"
        if (held := self.new.get(name)) is None:
            self.new[name] = event
            return "new"
        self.new[name] = self._merged(held, event, bound)
        return "duplicate" if self.new[name] is held else "merged"

    def _merged(self, held: Event, event: Event, bound: Bound) -> Event:
        return merge(held, event, self.book) if bound.covers(held, event) else held


def moments(rows: Sequence[Row]) -> Iterator[int]:
    """When the events of these rows happened, before and after (µs UTC)."""
    return (event["ts"] for row in rows for event in (row.old, row.merged))


def cost_changes(row: Row, book: PriceBook) -> bool:
    """Whether what is worked out of the price of a row is to be worked out anew."""
    same = all(row.old[name] == row.merged[name] for name in COST_FIELDS)
    return not (same and same_price(row.old, row.merged, book))


def bounds_of(events: Sequence[Event], bounds: Sequence[Bound]) -> list[Bound]:
    """A bound for each event; those behind the last that somebody brought are the store's own."""
    return [*bounds, *(ANYWHERE for _ in events[len(bounds) :])]


def without(gone: Set[str], events: Sequence[Event], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What became of the events, now that the sums of sessions among them are `gone`."""
    pairs = zip(events, outcomes, strict=False)
    return ["duplicate" if event["event_id"] in gone else outcome for event, outcome in pairs]
