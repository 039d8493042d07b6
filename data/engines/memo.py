"""Answers asked twice at once are computed once, and kept while their events stand still."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import pandas as pd

from data.engines.versions import ALL_TIME, Stretch, Versions, VersionSource

T = TypeVar("T")
MOST_ANSWERS: Final = 2_000
MOST_CELLS: Final = 1_000_000  # of all frames together: at most some 100 MB of texts


@dataclass(slots=True)
class _Kept:
    """An answer that is there or on its way, of events as they were at a `version`."""

    version: int
    answer: Future[Any] = field(default_factory=Future)
    cells: int = 1


class Memo:
    """A single-flight cache. Keys hold the scope. An answer about a window is dropped when its
    events were written to since it was asked; those used longest ago go when there are too many."""

    def __init__(self, versions: VersionSource | None = None) -> None:
        """Without versions an answer stays until it is dropped."""
        self._versions = versions or Versions()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._cells = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, compute: Callable[[], T], window: Stretch = ALL_TIME) -> T:
        """The kept answer, another thread's that is on its way, or a new one; `window` is of which
        events it tells."""
        # Before it is computed: a write in between makes it one of events that are outdated.
        version = self._versions.of(window)
        with self._lock:
            kept = self._kept.get(key)
            mine = kept is None or kept.version != version
            if kept is None or mine:
                self._drop(key)
                kept = self._kept[key] = _Kept(version)
                self._cells += 1
            self._kept.move_to_end(key)
        if mine:
            self._settle(key, kept, compute)
        result: T = kept.answer.result()
        return result

    def _settle(self, key: Hashable, kept: _Kept, compute: Callable[[], Any]) -> None:
        try:
            answer = compute()
        except BaseException as error:
            # A failure is told to those who wait for it, and tried again by who comes next.
            with self._lock:
                if self._kept.get(key) is kept:
                    self._drop(key)
            kept.answer.set_exception(error)
            return
        kept.answer.set_result(answer)
        with self._lock:
            if self._kept.get(key) is kept:
                kept.cells = _cells(answer)
                self._cells += kept.cells - 1
                self._shrink()

    def _shrink(self) -> None:
        while len(self._kept) > MOST_ANSWERS or self._cells > MOST_CELLS:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        if kept := self._kept.pop(key, None):
            self._cells -= kept.cells

    def clear(self) -> None:
        """Drop every answer; those under way reach only those who already wait for them."""
        with self._lock:
            self._kept.clear()
            self._cells = 0

    def discard(self, key: Hashable) -> None:
        """Drop one answer."""
        with self._lock:
            self._drop(key)


def _cells(answer: Any) -> int:
    return max(1, int(answer.size)) if isinstance(answer, pd.DataFrame) else 1
