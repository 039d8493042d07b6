"""Guessing a password is slowed down: so many tries for a name from an address, then a pause."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

MOST_TRIES: Final = 10
SPAN_SECONDS: Final = 300
MOST_KEYS: Final = 10_000

Key = tuple[str, str]


class Throttle:
    """Tries of this process. A try counts when it begins, so that many at once count too."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[Key, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: Key) -> int:
        """0 when this try may go on, else the seconds until one may."""
        now = self._clock()
        with self._lock:
            tries = self._tries.setdefault(key, deque(maxlen=MOST_TRIES))
            self._tries.move_to_end(key)
            if len(tries) == MOST_TRIES and now - tries[0] < SPAN_SECONDS:
                return math.ceil(tries[0] + SPAN_SECONDS - now)
            tries.append(now)
            while len(self._tries) > MOST_KEYS:
                self._tries.popitem(last=False)
        return 0

    def reset(self, key: Key) -> None:
        """It was the right password: nothing was guessed."""
        with self._lock:
            self._tries.pop(key, None)
