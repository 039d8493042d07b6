"""The shared ids of copied events (`data/engines/shared_ids.py`) as PostgreSQL keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from data.engines.postgresql.rows import HELD, events_of, mapping, run
from data.engines.shared_ids import OWNED
from data.events.digest_index import digests
from data.events.table import Event

THESE: Final = "= ANY(CAST(:names AS TEXT[]))"
RESOLVED: Final = f"SELECT event_id, stored_as FROM copy_ids WHERE event_id {THESE}"
SHARING: Final = (
    'SELECT shared_id, event_id, project, "user" FROM events'
    f" WHERE shared_id {THESE} ORDER BY event_id DESC"
)
IDS: Final = f'SELECT event_id, event_id, project, "user" FROM events WHERE event_id {THESE}'
FORGET_RECORDS: Final = f"DELETE FROM repriced WHERE event_id {THESE}"
TAKE_OUT: Final = f"DELETE FROM events WHERE event_id {THESE} RETURNING {HELD}"
RENAMED: Final = (
    "unnest(CAST(:old AS TEXT[]), CAST(:hashed AS BIGINT[]), CAST(:new AS TEXT[]))"
    " AS r(event_id, id_hash, stored_as)"
)
FOLLOW: Final = (
    f"UPDATE copy_ids SET stored_as = r.stored_as FROM {RENAMED}"
    " WHERE copy_ids.stored_as = r.event_id"
)
NOTE: Final = f"INSERT INTO copy_ids SELECT event_id, id_hash, stored_as FROM {RENAMED}"
FORGET_COPIES: Final = (
    "DELETE FROM copy_ids WHERE stored_as IN (SELECT event_id FROM events WHERE source = :source)"
)


class StoredIds:
    """What is stored, to the transaction of who writes."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def resolved(self, ids: Sequence[str]) -> Mapping[str, str]:
        return mapping(run(self._connection, RESOLVED, names=list(ids)))

    def sharing(self, names: Sequence[str]) -> dict[str, Event]:
        return self._owned(SHARING, names)

    def owned(self, ids: Sequence[str]) -> dict[str, Event]:
        return self._owned(IDS, ids)

    def _owned(self, statement: str, names: Sequence[str]) -> dict[str, Event]:
        rows = run(self._connection, statement, names=list(names))
        return {name: dict(zip(OWNED, row, strict=True)) for name, *row in rows}

    def take_out(self, copies: Collection[str]) -> list[Event]:
        run(self._connection, FORGET_RECORDS, names=list(copies))
        return events_of(run(self._connection, TAKE_OUT, names=list(copies)))

    def rename(self, stored_as: Mapping[str, str]) -> None:
        old, new = list(stored_as), list(stored_as.values())
        given = {"old": old, "new": new, "hashed": digests(old).tolist()}
        run(self._connection, FOLLOW, **given)
        run(self._connection, NOTE, **given)
