"""Every store keeps sums and answers from them, however few events it has: `pytest --sums`."""

from __future__ import annotations

import random
import threading
from typing import Any, Final

import pytest

from data.engines.duckdb import sums
from data.engines.duckdb.store import DuckEvents
from data.query.catalog import aggregates

NOW: Final = {"LEAST_SAVED": 0, "LEAST_SAVED_OF_FEW": 0, "MOST_OUTDATED": 10**6, "QUIET": 0.0}
MOST_STEPS: Final = 3  # towards what is stored, before a question


def sum_always(patch: pytest.MonkeyPatch) -> None:
    """Have stores sum up their events between questions, now and then not all of them."""
    for name, value in NOW.items():
        patch.setattr(sums, name, value)
    dice, lock = random.Random(0), threading.Lock()
    opened = DuckEvents.__init__

    def open_summed(store: DuckEvents, *given: Any) -> None:
        opened(store, *given)
        store.sum_up(aggregates())

    def fresh(ask: Any) -> Any:
        def asked(store: DuckEvents, *given: Any) -> Any:
            with lock:
                for _ in range(dice.randint(0, MOST_STEPS)):
                    store.refresh_sums()
            return ask(store, *given)

        return asked

    patch.setattr(DuckEvents, "__init__", open_summed)
    patch.setattr(DuckEvents, "ask", fresh(DuckEvents.ask))
    patch.setattr(DuckEvents, "count_groups", fresh(DuckEvents.count_groups))
