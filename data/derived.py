"""What is worked out of an event when it is stored, so that asking stays a plain sum."""

from __future__ import annotations

from typing import Final

from data.events import Event, id_hash
from data.local_time import instant
from data.prices import rates

DERIVED: Final = ("id_hash", "cache_saved_nano", "cache_write_nano")


def derived(event: Event) -> tuple[int, int | None, int | None]:
    """The values of `DERIVED`; nano-dollars at list prices, null where nothing was cached."""
    read, written = event["cached_input_tokens"], event["cache_write_tokens"]
    if not read and not written:
        return id_hash(event["event_id"]), None, None
    listed = rates(event["provider"], event["model"] or "", instant(event["ts"]))
    if listed is None:
        return id_hash(event["event_id"]), None, None
    saved = (listed.input - listed.cached_input) * (read or 0)
    return id_hash(event["event_id"]), round(saved), round(listed.cache_write * (written or 0))
