"""What an import would store, found without writing.

An id that came before in the same import is known by its digest: good enough to look, not to store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress

from data.engines.protocol import EventSink
from data.events.digest_index import DigestIndex, digests
from data.events.merging import WriteResult
from data.events.table import Event

Write = Callable[[Sequence[Event]], WriteResult]


def dry_run_write(sink: EventSink) -> Write:
    """Answers as `write` would, and writes nothing."""
    index = DigestIndex()

    def write(events: Sequence[Event]) -> WriteResult:
        told = {event["shared_id"] or event["event_id"]: event for event in reversed(events)}
        ids = list(told)
        hashed = digests(ids)
        before = index.contains(hashed)
        index.add(hashed[~before])
        stored = sink.stored_ids([event["event_id"] for event in events])
        known = set(compress(ids, before))
        fresh = {
            e["event_id"]: e
            for key, e in told.items()
            if key not in known and e["event_id"] not in stored
        }
        return WriteResult(fresh.values())

    return write
