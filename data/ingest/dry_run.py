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
        by_use = {_use(event): event for event in reversed(events)}
        uses = list(by_use)
        hashed = digests(uses)
        before = index.contains(hashed)
        index.add(hashed[~before])
        stored = sink.stored_ids([event["event_id"] for event in events])
        known = {
            *compress(uses, before),
            *(_use(e) for e in events if e["event_id"] in stored),
        }
        shared = {e["shared_id"] for e in events if e["shared_id"]} - known
        known |= sink.stored_shared_ids(shared)
        fresh = {e["event_id"]: e for use, e in by_use.items() if use not in known}
        return WriteResult(fresh.values())

    return write


def _use(event: Event) -> str:
    """What it has in common with its copies."""
    return str(event["shared_id"] or event["event_id"])
