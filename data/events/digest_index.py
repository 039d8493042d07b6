"""Which ids are there, of more than memory holds: the digest of each, 8 bytes.

Sorted runs, each at least four times as long as the next, so that adding is cheap and a look goes
through few of them. Two of ten million ids share a digest once in 400,000 times: what must be
exact asks the table about those that are found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data.events.table import id_hash

Digests = NDArray[np.int64]
STEP: Final = 4


def digests(ids: Sequence[str]) -> Digests:
    """The digest of each id, as it is stored."""
    return np.fromiter(map(id_hash, ids), np.int64, len(ids))


class DigestIndex:
    """A set of digests that only grows (and takes over the first); one thread adds."""

    def __init__(self, first: Digests | None = None) -> None:
        first = np.empty(0, np.int64) if first is None else first
        first.sort()
        self._runs: tuple[Digests, ...] = (first,) if len(first) else ()

    def __bool__(self) -> bool:
        """Whether any is in the set."""
        return bool(self._runs)

    def add(self, added: Digests) -> None:
        if not len(added):
            return
        runs = [*self._runs, np.sort(added)]
        while len(runs) > 1 and len(runs[-2]) < STEP * len(runs[-1]):
            joined = np.concatenate((runs[-2], runs[-1]))
            joined.sort(kind="stable")  # two sorted runs: a merge
            runs[-2:] = [joined]
        self._runs = tuple(runs)

    def contains(self, asked: Digests) -> NDArray[np.bool_]:
        """Which of these are in the set."""
        order = np.argsort(asked)  # neighbours lie near each other in memory: three times faster
        ordered, found = asked[order], np.zeros(len(asked), dtype=np.bool_)
        for run in self._runs:
            places = run.searchsorted(ordered)
            places[places == len(run)] = 0
            found[order] |= run[places] == ordered
        return found
