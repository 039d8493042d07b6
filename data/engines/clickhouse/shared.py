"""The shared ids of copied events (`data/engines/shared_ids.py`) as ClickHouse keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from data.engines.clickhouse.rows import EVENT_ID, SHARED_ID, events_by, names, select, texts
from data.engines.clickhouse.turn import Turn
from data.engines.shared_ids import OWNED
from data.events.table import Event, id_hash

RESOLVED: Final = "SELECT event_id, stored_as FROM copy_ids WHERE event_id IN ({})"
FOLLOWING: Final = "SELECT event_id, id_hash FROM copy_ids WHERE stored_as = {}"


class StoredIds:
    """What is stored, to the turn of who writes."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def resolved(self, ids: Sequence[str]) -> Mapping[str, str]:
        found = select(self._turn.connection, RESOLVED.format(texts(dict.fromkeys(ids))))
        return {row[0]: row[1] for row in found}

    def sharing(self, shared: Sequence[str]) -> dict[str, Event]:
        """Of several that share it, the first in order."""
        columns = names(("shared_id", *OWNED))
        rows = events_by(self._turn.connection, SHARED_ID, set(shared), columns)
        rows.sort(key=lambda row: row[1], reverse=True)
        return {name: dict(zip(OWNED, row, strict=True)) for name, *row in rows}

    def owned(self, ids: Sequence[str]) -> dict[str, Event]:
        rows = events_by(self._turn.connection, EVENT_ID, set(ids), names(OWNED))
        return {row[0]: dict(zip(OWNED, row, strict=True)) for row in rows}

    def take_out(self, copies: Collection[str]) -> list[Event]:
        found = self._turn.fetch(copies)
        for event in found:
            self._turn.take_away(event)
        return found

    def rename(self, stored_as: Mapping[str, str]) -> None:
        """What stood for one of them follows it."""
        for old, new in stored_as.items():
            for name, digest in select(self._turn.connection, FOLLOWING.format(texts([old]))):
                self._turn.copies[name] = (name, digest, new)
            self._turn.copies[old] = (old, id_hash(old), new)
