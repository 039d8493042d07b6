"""What one turn of writing makes of the tables, gathered before any of it is stored.

There are no transactions, so the order is what keeps numbers right whenever it is cut short: first
what is known of ids and of re-pricings, and last the events, in one block. Who was not told that
events are stored sends them again, and finds nothing doubled and nothing missing. (An event that
came to other tokens in the turn that was cut short is left as it is when a re-pricing is undone.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from data.engines.clickhouse.rows import (
    COLUMNS,
    EVENT_ID,
    Row,
    event_of,
    events_by,
    insert,
    place_rows,
    select,
    texts,
    tombstone,
)
from data.engines.clickhouse.schema import COPY_IDS, EVENTS_TABLE, PLACES, REPRICED, SESSION_SUMS
from data.engines.clickhouse.versions import DAY, touch
from data.engines.merge_batch import MergeBatch, cost_changes
from data.engines.merge_batch import Row as Merged
from data.engines.repricing import CHANGED
from data.events.merging import same_price
from data.events.table import FIELDS, Event, id_hash
from data.prices.book import PriceBook
from data.prices.derived import derived

RECORDS: Final = f"SELECT repricing, event_id, {', '.join(CHANGED)} FROM repriced WHERE event_id IN"
RECORD: Final = ("repricing", "event_id", *CHANGED)


class Turn:
    """Rows that are to be written, and those that are to go."""

    def __init__(self, connection: sa.Connection, number: int) -> None:
        self.connection, self.number = connection, number
        self.stored: dict[str, Row] = {}  # as far as they were looked for, by id
        self.rows: dict[str, Row] = {}  # events to be written, by id
        self.gone: dict[str, Event] = {}  # events to be taken away, by id
        self.copies: dict[str, Row] = {}
        self.sums: dict[str, Row] = {}
        self.records: list[Row] = []
        self.records_gone: list[Row] = []

    def fetch(self, ids: Collection[str]) -> list[Event]:
        """What is stored of these ids."""
        found = events_by(self.connection, EVENT_ID, ids)
        self.stored |= {row[0]: row for row in found}
        return [event_of(row) for row in found if row[0] not in self.gone]

    def take_away(self, event: Event) -> None:
        """An event that is stored is to go, with what re-pricings found of it."""
        self.gone[event["event_id"]] = event
        self.rows.pop(event["event_id"], None)

    def put(self, batch: MergeBatch) -> None:
        """Write what is new and what changed."""
        for event in batch.new.values():
            self.rows[event["event_id"]] = _row(event, derived(event, batch.book))
        self._put_changed(batch.changed, batch.book)

    def _put_changed(self, changed: Sequence[Merged], book: PriceBook) -> None:
        repriced = [row for row in changed if cost_changes(row, book)]
        for row in changed:
            worked_out = self.stored[row.old["event_id"]][len(FIELDS) :]
            self.rows[row.old["event_id"]] = _row(row.merged, worked_out)
        for row in repriced:
            self.rows[row.old["event_id"]] = _row(row.merged, derived(row.merged, book))
        self._amend(repriced, book)

    def _amend(self, rows: Sequence[Merged], book: PriceBook) -> None:
        """Keep the records of re-pricings right: a reported cost stays when they are undone, and
        what stood for other tokens is forgotten."""
        by_id = {row.old["event_id"]: row for row in rows}
        for record in self.records_of(by_id):
            found, row = dict(zip(RECORD, record, strict=True)), by_id[record[1]]
            other = not same_price(row.old, row.merged, book)
            if other and found["cost_origin"] != "unpriced":
                self.records_gone.append(record)
            elif row.merged["cost_origin"] == "reported":
                self.records.append(_reported(found, row.merged["cost_nano"]))

    def records_of(self, ids: Iterable[str]) -> list[Row]:
        """What re-pricings found of these events."""
        if not (ids := list(ids)):
            return []
        return select(self.connection, f"{RECORDS} ({texts(ids)})")

    def store(self, moments: Iterable[int], require: Callable[[], None]) -> None:
        """Store it, where events of these moments (µs UTC) are touched; `require` raises where that
        is not for us any more."""
        days = {moment // DAY for moment in moments}
        if not (days or self.copies or self.sums):
            return
        touch(self.connection, days, self.number, done=False)
        try:
            self._store_beside()
            require()
            self._store_events()
        finally:
            touch(self.connection, days, self.number, done=True)

    def _store_beside(self) -> None:
        gone = [*self.records_gone, *self.records_of(self.gone)]
        for table, columns, rows in (
            (COPY_IDS, ("event_id", "id_hash", "stored_as"), self.copies.values()),
            (SESSION_SUMS, SUM, self.sums.values()),
            (REPRICED, RECORD, self.records),
        ):
            insert(self.connection, table, columns, list(rows), self.number)
        ending = [(*record, 1) for record in gone]
        insert(self.connection, REPRICED, (*RECORD, "gone"), ending, self.number)

    def _store_events(self) -> None:
        places = [*place_rows(self.rows.values())]
        insert(self.connection, PLACES, ("what", "digest", "ts", "id_hash"), places)
        live = [(*row, 0) for row in self.rows.values()]
        ending = [(*tombstone(event, id_hash(event["event_id"])), 1) for event in self._ending()]
        insert(self.connection, EVENTS_TABLE, (*COLUMNS, "gone"), [*live, *ending], self.number)

    def _ending(self) -> Iterator[Event]:
        """Rows that are to go, as they are stored: under another instant an event is another."""
        stored = {name: event_of(row) for name, row in self.stored.items()}
        for name, row in self.rows.items():
            if name in stored and stored[name]["ts"] != row[1]:
                yield stored[name]
        for name, event in self.gone.items():
            yield stored.get(name, event)


SUM: Final = ("event_id", "id_hash", "conversation_id", "after", "until", "gave_way")


def _row(event: Mapping[str, Any], worked_out: Sequence[Any]) -> Row:
    return (*(event[name] for name in FIELDS), *worked_out)


def _reported(found: dict[str, Any], cost: int) -> Row:
    """A record, now that the cost is reported."""
    listed = found["cost_nano"] if found["cost_origin"] == "list" else None
    if found["cost_origin"] == "reported":
        listed = found["list_cost_nano"]
    amended = found | {
        "cost_nano": cost, "cost_origin": "reported", "unpriced_reason": None,
        "list_cost_nano": listed,
    }  # fmt: skip
    return tuple(amended[name] for name in RECORD)
