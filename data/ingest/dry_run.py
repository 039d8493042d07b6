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
        ids = list(dict.fromkeys(event["event_id"] for event in events))
        hashed = digests(ids)
        before = index.contains(hashed)
        index.add(hashed[~before])
        stored = sink.stored_ids(ids) | set(compress(ids, before))
        fresh = {e["event_id"]: e for e in reversed(events) if e["event_id"] not in stored}
        return WriteResult(fresh.values())

    return write
