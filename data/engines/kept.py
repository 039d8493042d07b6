"""What a store keeps, in any engine: the events, and beside them what is known of their ids."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from data.engines.repricing import CHANGED
from data.events.table import FIELDS
from data.prices.derived import DERIVED


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *map(sa.column, columns))


EVENTS: Final = _table("events", *FIELDS, *DERIVED)
# Each with the columns that a row is known by.
BESIDE: Final = (
    (_table("copy_ids", "event_id", "id_hash", "stored_as"), ("event_id",)),
    (
        _table("session_sums", "event_id", "id_hash", "conversation_id", "after", "until",
               "gave_way"), ("event_id",),
    ),
    (_table("repriced", "repricing", "event_id", *CHANGED), ("repricing", "event_id")),
)  # fmt: skip
