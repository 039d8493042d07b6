"""Sums of every metric, brought up to date in the background while a store is served."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from data.engines.protocol import EventStore
from data.query.catalog import aggregates

LOG: Final = logging.getLogger("spendscope.sums")
PAUSE: Final = 5.0  # seconds
# Of its time as much again as it worked, so often: readers and writers have most of the machine.
REST: Final = 4
PATIENCE: Final = 2.0


@contextmanager
def sum_while_serving(store: EventStore) -> Iterator[None]:
    """Keep sums of every metric; answers are the same with and without them."""
    store.sum_up(aggregates())
    stopped = threading.Event()
    thread = threading.Thread(target=_refresh, args=(store, stopped), name="sums", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE)


def _refresh(store: EventStore, stopped: threading.Event) -> None:
    """Refresh again and again until stopped; what fails leaves the events to answer."""
    pause = 0.0
    while not stopped.wait(pause):
        start = time.monotonic()
        more = False
        try:
            more = store.refresh_sums()
        except Exception:
            LOG.exception("the sums could not be brought up to date; answers come from the events")
        pause = max(0.0 if more else PAUSE, REST * (time.monotonic() - start))
