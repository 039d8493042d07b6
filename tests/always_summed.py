"""With SUMS=1 every store of the tests keeps sums and answers from them, however few events it has.

`make test` runs some suites so once more: numbers, rights and merging.
"""

from __future__ import annotations

import os
import random
import threading
from typing import Any, Final
from weakref import WeakKeyDictionary

import pytest

from data.engines.duckdb import sums
from data.engines.duckdb.store import DuckEvents
from data.query.catalog import aggregates

ALWAYS: Final = bool(os.environ.get("SUMS"))
NOW: Final = {"LEAST_SAVED": 0, "LEAST_SAVED_OF_FEW": 0, "MOST_OUTDATED": 10**6, "QUIET": 0.0}
MOST_STEPS: Final = 3  # towards what is stored, before a question


class Refreshing:
    """Sums up stores between questions, now and then not all of their events."""

    def __init__(self) -> None:
        self._dice, self._lock = random.Random(0), threading.Lock()
        self._done: WeakKeyDictionary[DuckEvents, int] = WeakKeyDictionary()  # as of which commit

    def before(self, ask: Any) -> Any:
        """The same question, sums refreshed first."""

        def asked(store: DuckEvents, *given: Any) -> Any:
            with self._lock:
                self._refresh(store)
            return ask(store, *given)

        return asked

    def _refresh(self, store: DuckEvents) -> None:
        number = store._noted.number()
        for _ in range(self._dice.randint(0, MOST_STEPS)):
            if self._done.get(store) != number and not store.refresh_sums():
                self._done[store] = number


def sum_always(patch: pytest.MonkeyPatch) -> None:
    """Have stores answer from sums wherever they can."""
    for name, value in NOW.items():
        patch.setattr(sums, name, value)
    refreshing, opened = Refreshing(), DuckEvents.__init__

    def open_summed(store: DuckEvents, *given: Any) -> None:
        opened(store, *given)
        store.sum_up(aggregates())

    patch.setattr(DuckEvents, "__init__", open_summed)
    for name in ("ask", "count_groups"):
        patch.setattr(DuckEvents, name, refreshing.before(getattr(DuckEvents, name)))
