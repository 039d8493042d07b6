"""Answers asked twice at once are computed once, and kept while the data stands still."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

T = TypeVar("T")
MOST_ANSWERS: Final = 512


class Memo:
    """A single-flight cache. Keys hold the scope; `clear` is called with every change of data."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The kept answer, another thread's that is on its way, or a new one."""
        with self._lock:
            answer = self._answers.get(key)
            mine = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
                while len(self._answers) > MOST_ANSWERS:
                    self._answers.popitem(last=False)
            self._answers.move_to_end(key)
        if mine:
            self._settle(key, answer, compute)
        result: T = answer.result()
        return result

    def _settle(self, key: Hashable, answer: Future[Any], compute: Callable[[], Any]) -> None:
        try:
            answer.set_result(compute())
        except BaseException as error:
            # A failure is told to those who wait for it, and tried again by who comes next.
            with self._lock:
                if self._answers.get(key) is answer:
                    del self._answers[key]
            answer.set_exception(error)

    def clear(self) -> None:
        """Drop every answer; those under way reach only those who already wait for them."""
        with self._lock:
            self._answers.clear()

    def discard(self, key: Hashable) -> None:
        """Drop one answer."""
        with self._lock:
            self._answers.pop(key, None)
