"""What an import would store, found without writing.

Ids that came before in the same import are known by 8 bytes of digest each, for there may be more
than memory holds. Two of ten million ids share a digest once in 400,000 times: good enough to
look, not to store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from data.engines.protocol import EventSink
from data.events.merging import Written
from data.events.table import Event, id_hash

Digests = NDArray[np.int64]
Write = Callable[[Sequence[Event]], Written]


class IdSet:
    """Sorted runs of digests, each at least twice as long as the next: few to look through."""

    def __init__(self) -> None:
        self._runs: list[Digests] = []

    def add(self, ids: Sequence[str]) -> list[bool]:
        """Whether each of these different ids is new, and know them from now on."""
        found = np.fromiter(map(id_hash, ids), np.int64, len(ids))
        new = np.ones(len(found), dtype=bool)
        for run in self._runs:
            at = np.searchsorted(run, found)
            new &= run[np.minimum(at, len(run) - 1)] != found
        if new.any():
            self._keep(np.sort(found[new]))
        return [bool(one) for one in new]

    def _keep(self, run: Digests) -> None:
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate((self._runs.pop(), run)), kind="stable")
        self._runs.append(run)


def dry_run_write(sink: EventSink) -> Write:
    """Answers as `write` would, and writes nothing."""
    earlier = IdSet()

    def write(events: Sequence[Event]) -> Written:
        ids = list(dict.fromkeys(event["event_id"] for event in events))
        came = {one for one, new in zip(ids, earlier.add(ids), strict=True) if not new}
        known = sink.stored_ids(ids) | came
        fresh = {e["event_id"]: e for e in reversed(events) if e["event_id"] not in known}
        return Written(fresh.values())

    return write
