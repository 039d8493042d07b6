"""How long the audit trail goes back, where SPENDSCOPE_AUDIT_RETENTION says so: older entries are
deleted when the server starts and once an hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from data.errors import StoreError
from data.state.audit import trim
from data.state.store import State

LOG: Final = logging.getLogger("spendscope")
PAUSE: Final = 3_600.0
PATIENCE: Final = 2.0


@contextmanager
def trim_while_serving(state: State, days: int | None, now: Callable[[], int]) -> Iterator[None]:
    """Delete what is older than so many days again and again; None: nothing is."""
    if days is None:
        yield
        return
    stopped = threading.Event()
    thread = threading.Thread(
        target=_trim, args=(state, days, now, stopped), name="audit retention", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(PATIENCE)


def _trim(state: State, days: int, now: Callable[[], int], stopped: threading.Event) -> None:
    pause = 0.0
    with state.leading("audit retention") as leads:
        while not stopped.wait(pause):
            pause = PAUSE
            try:
                if leads() and (deleted := trim(state, days, now())):
                    LOG.info("the audit trail's retention deleted %s entries", deleted)
            except StoreError:
                LOG.exception("the audit trail could not be trimmed now")
