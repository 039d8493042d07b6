"""What was committed to a store, noted so that a reader knows what its snapshot holds."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from data.engines.versions import Versions


class CommitNotes:
    """What was committed, noted so that a reader's snapshot and what is noted go together."""

    def __init__(self) -> None:
        self.written, self.changed = Versions(), Versions()
        self._number = 0  # odd while a commit is under way
        self._under_way = threading.Lock()

    @contextmanager
    def noted(self, new: Sequence[int] = (), changed: Sequence[int] = ()) -> Iterator[None]:
        """Commit within: of these moments (µs UTC) events are new, or changed and removed."""
        with self._under_way:
            self._number += 1
            try:
                yield
            finally:
                self.written.touch([*new, *changed])
                if changed:
                    self.changed.touch(changed)
                self._number += 1

    def number(self) -> int:
        """The same before and after a snapshot was taken: nothing was committed meanwhile."""
        with self._under_way:
            return self._number

    def settled(self) -> int | None:
        """The same at once; None while a commit is under way."""
        number = self._number
        return None if number % 2 else number
