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
        stored = sink.stored_ids([event["event_id"] for event in events])
        shared = sink.stored_shared_ids({e["shared_id"] for e in events if e["shared_id"]})
        uses = _by_use(events)
        names = list(dict.fromkeys(name for use in uses for event in use for name in _ids(event)))
        hashed = digests(names)
        before = index.contains(hashed)
        index.add(hashed[~before])
        known = {*compress(names, before), *stored, *shared}
        return WriteResult(
            use[0] for use in uses if known.isdisjoint(name for e in use for name in _ids(e))
        )

    return write


def _by_use(events: Sequence[Event]) -> list[list[Event]]:
    """The events, copies beside what they copy."""
    shared: dict[str, str] = {e["event_id"]: e["shared_id"] for e in events if e["shared_id"]}
    uses: dict[str, list[Event]] = {}
    for event in events:
        own: str = event["event_id"]
        uses.setdefault(shared.get(own, own), []).append(event)
    return list(uses.values())


def _ids(event: Event) -> tuple[str, ...]:
    """By which it may be known."""
    own, common = event["event_id"], event["shared_id"]
    return (own, common) if common else (own,)
