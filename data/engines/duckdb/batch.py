"""What a batch of events does to the table, as `MergeBatch` has it: found, compared and written.

Finding a row by the digest of its id reads one column of the table, and seeing that an event is
word for word its row one more (`content.py`). Comparing the others reads the rest of the stretches
that hold such rows: what comes again came together the first time. Only rows that something can be
added to leave the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from data.engines.commits import Outcome
from data.engines.duckdb import content
from data.engines.duckdb.columns import array, columns, event_columns, names, values
from data.engines.duckdb.outdated import outdate
from data.engines.merge_batch import MergeBatch, Row, cost_changes, moments
from data.events.digest_index import DigestIndex, Digests, digests
from data.events.merging import ANYWHERE, FALLING, Bound, same_price
from data.events.table import COUNTS, FIELDS, Event
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived

NEVER_NULL: Final = frozenset({"event_id", "source", "channel", "kind", "status"})
COST_ADDS: Final = (
    "t.cost_origin = 'reported' AND (e.cost_origin <> 'reported' OR t.cost_nano > e.cost_nano)"
    " OR t.cost_origin = 'list' AND e.cost_origin = 'unpriced'"
)
PLACES: Final = "SELECT rowid AS place FROM events WHERE id_hash IN (SELECT id_hash FROM wanted)"
# Of at most so many places the scan reads no stretch but theirs, and not all that lie between.
FEW: Final = "SET dynamic_or_filter_threshold = 1000"
# Amended where an event comes to a cost: the re-pricing shall put back what it would have found.
FORGOTTEN: Final = (
    "DELETE FROM repriced WHERE cost_origin <> 'unpriced'"
    " AND event_id IN (SELECT event_id FROM amended WHERE other)"
)
REPORTED: Final = (
    "UPDATE repriced SET cost_nano = a.cost_nano, cost_origin = 'reported', unpriced_reason = NULL,"
    " list_cost_nano = CASE repriced.cost_origin WHEN 'list' THEN repriced.cost_nano"
    " WHEN 'reported' THEN repriced.list_cost_nano END FROM amended a"
    " WHERE repriced.event_id = a.event_id AND a.reported"
)
Cursor = duckdb.DuckDBPyConnection
Mask = NDArray[np.bool_]


def probably_stored(index: DigestIndex, events: Sequence[Event]) -> Mask:
    """Which of these events are stored, as far as digests tell."""
    return index.contains(digests([event["event_id"] for event in events]))


def without_duplicates(
    cursor: Cursor, events: Sequence[Event], probable: Mask, bound: Bound
) -> list[Event]:
    """Those that are new or may add to what is stored; `probable` have a stored digest."""
    found = _look_up(cursor, events, probable, bound)
    duplicates = set(found["n"][~found["more"]].tolist())
    return [event for n, event in enumerate(events) if n not in duplicates]


def _look_up(
    cursor: Cursor, events: Sequence[Event], probable: Mask, bound: Bound = ANYWHERE
) -> dict[str, NDArray[Any]]:
    """Which of `probable` events are stored (`n`), in which `place`, and may add to it (`more`)."""
    places = np.flatnonzero(probable)
    asked = [events[place] for place in places.tolist()]
    batch, ids = event_columns(asked), digests([event["event_id"] for event in asked])
    cursor.register("wanted", {"id_hash": ids})
    cursor.register("asked", {"n": places, "id_hash": ids, **batch})
    rows = f"SELECT n, id_hash, {values(batch)} FROM asked"
    same = repeats(cursor, rows, batch)
    others = ~np.isin(places, same["n"])
    cursor.register("wanted", {"id_hash": ids[others]})
    cursor.register("others", {"n": places[others]})
    left = f"SELECT * FROM ({rows}) WHERE n IN (SELECT n FROM others)"
    found = compare(cursor, left, batch, bound) if others.any() else same
    return {name: np.concatenate((found[name], same[name])) for name in same}


def repeats(cursor: Cursor, events: str, columns: Collection[str]) -> dict[str, NDArray[Any]]:
    """Of the events that this SQL selects (`n`, `id_hash` and these columns), those that are word
    for word their stored row, as `compare` has them."""
    found: dict[str, Any] = cursor.execute(
        "SELECT n, e.rowid AS place FROM"
        f" (SELECT n, id_hash, {content.content_hash(columns)} AS digest FROM ({events})) t JOIN"
        f" (SELECT rowid, id_hash, {content.NAME} FROM events"
        " WHERE id_hash IN (SELECT id_hash FROM wanted)) e"
        f" ON e.id_hash = t.id_hash AND e.{content.NAME} = t.digest"
    ).fetchnumpy()
    return found | {"more": np.zeros(len(found["n"]), np.bool_)}


class Batch(MergeBatch):
    """The events of a commit, beside those that are stored."""

    def take(
        self, cursor: Cursor, events: Sequence[Event], bounds: Sequence[Bound], probable: Mask
    ) -> list[Outcome]:
        """What becomes of each event; `probable` have a stored digest."""
        if probable.any():
            self._fetch(cursor, _look_up(cursor, events, probable))
        return self.merge(events, bounds)

    def store(self, cursor: Cursor) -> Digests:
        """Write what is new and what changed; the digests of what is new."""
        update(cursor, self.changed, self.book)
        if not self.new:
            return np.empty(0, np.int64)
        # The engine finds this variable by its name: to register it takes a tenth of a commit.
        added = columns(list(self.new.values()), self.book)
        cursor.execute(
            f"INSERT INTO events ({names(added)}, {content.NAME}, sequence)"
            f" SELECT *, {content.content_hash(added)}, nextval('stored')"
            f" FROM (SELECT {values(added)} FROM added)"
        )
        return added["id_hash"]

    def _fetch(self, cursor: Cursor, found: dict[str, NDArray[Any]]) -> None:
        self.repeated.update(found["n"].tolist())
        if len(more := np.unique(found["place"][found["more"]])):
            rows = fetched(cursor, more.tolist())
            self.rows = {row.old["event_id"]: row for row in rows}


def compare(
    cursor: Cursor, events: str, columns: Collection[str], bound: Bound = ANYWHERE
) -> dict[str, NDArray[Any]]:
    """Of the events that this SQL selects (`n` and these columns), those whose id is stored:
    `n`, the `place` of the row, and whether there may be `more` in them (for a row that
    they are not `bound` to: never). Their digests are what is registered as `wanted`."""
    cursor.register("places", cursor.execute(PLACES).fetchnumpy())
    cursor.execute(FEW)
    more = " OR ".join(_more(name) for name in columns if name not in ("event_id", "cost_origin"))
    found: dict[str, Any] = cursor.execute(
        f"SELECT t.n, e.rowid AS place, ({more}) AND ($project IS NULL OR"
        " e.project IS NOT DISTINCT FROM $project) AND ($user IS NULL OR"
        ' e."user" IS NOT DISTINCT FROM $user) AS more FROM'
        " (SELECT rowid, * FROM events WHERE rowid IN (SELECT place FROM places)) e"
        f" JOIN ({events}) t ON e.event_id = t.event_id",
        {"project": bound.project, "user": bound.user},
    ).fetchnumpy()
    return found | {"more": found["more"].astype(np.bool_)}


def _more(name: str) -> str:
    """The SQL of whether the event may add to a column; `data.events.merging` decides."""
    mine, kept = f't."{name}"', f'e."{name}"'
    if name == "cost_nano":
        return f"({COST_ADDS})"
    if name in NEVER_NULL:
        return f"{mine} <> {kept}"
    sign = "<" if name in FALLING else ">" if name in COUNTS else "<>"
    adds = f"coalesce({mine} {sign} {kept}, {mine} IS NOT NULL)"
    return f"(e.cost_origin <> 'reported' AND {adds})" if name == "unpriced_reason" else adds


def fetched(cursor: Cursor, places: Sequence[int]) -> list[Row]:
    """The rows at these places."""
    cursor.register("places", {"place": np.array(places, np.int64)})
    rows = cursor.execute(
        f"SELECT rowid, {names(FIELDS)} FROM events WHERE rowid IN (SELECT place FROM places)"
    ).fetchall()
    found = ((place, dict(zip(FIELDS, row, strict=True))) for place, *row in rows)
    return [Row(place, event, event) for place, event in found]


def update(cursor: Cursor, rows: Sequence[Row], book: PriceBook) -> None:
    """Write the rows that became more than they were, and what is worked out of them."""
    if not rows:
        return
    outdate(cursor, "SELECT unnest(?::BIGINT[]) AS ts", list(moments(rows)))
    repriced = [row for row in rows if cost_changes(row, book)]
    changed = (name for name in FIELDS if any(row.old[name] != row.merged[name] for row in rows))
    _store(cursor, rows, {name: [row.merged[name] for row in rows] for name in changed})
    if repriced:
        _, *worked_out = zip(*(derived(row.merged, book) for row in repriced), strict=True)
        _store(cursor, repriced, dict(zip(DERIVED[1:], worked_out, strict=True)))
        _amend(cursor, repriced, book)
    cursor.register("places", {"place": np.array([row.place for row in rows], np.int64)})
    content.refresh(cursor, "rowid IN (SELECT place FROM places)")


def _store(cursor: Cursor, rows: Sequence[Row], changes: Mapping[str, Sequence[Any]]) -> None:
    batch = {name: array(name, column) for name, column in changes.items()}
    places = np.array([row.place for row in rows], np.int64)
    cursor.register("batch", {"place": places, **batch})
    wanted = ", ".join(f'"{name}" = b."{name}"' for name in batch)
    cursor.execute(
        f"UPDATE events SET {wanted} FROM (SELECT place, {values(batch)} FROM batch) b"
        " WHERE events.rowid = b.place"
    )


def _amend(cursor: Cursor, rows: Sequence[Row], book: PriceBook) -> None:
    """Keep the records of re-pricings right: a reported cost stays when they are undone, and what
    stood for other tokens is forgotten."""
    amended = {
        "event_id": array("event_id", [row.merged["event_id"] for row in rows]),
        "cost_nano": np.array([row.merged["cost_nano"] or 0 for row in rows], np.int64),
        "reported": np.array([row.merged["cost_origin"] == "reported" for row in rows], np.bool_),
        "other": np.array([not same_price(row.old, row.merged, book) for row in rows], np.bool_),
    }
    cursor.register("amended", amended)
    cursor.execute(FORGOTTEN)
    cursor.execute(REPORTED)
