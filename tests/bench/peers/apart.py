"""Who answers in a process of its own, so that its memory is its own."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

from tests.bench.peers.questions import Answer, Peer

_ONE: list[Peer] = []


class Apart:
    """Made there by `make`, which raises here what it raises there. Answers come with the seconds
    that they took, without the way between the processes."""

    def __init__(self, make: Callable[[], Peer]) -> None:
        context = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(1, context, initializer=os.dup2, initargs=(2, 1))
        try:
            self.pid: int = self._process.submit(_open, make).result()
        except BaseException:
            self._process.shutdown()
            raise

    def ask(self, question: str) -> Answer:
        return self.timed(question)[0]

    def timed(self, question: str) -> tuple[Answer, float]:
        return self._process.submit(_timed, question).result()

    def close(self) -> None:
        self._process.shutdown()


def apart(work: Callable[..., Any], *arguments: Any) -> None:
    """Have something done in a process that ends."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=os.dup2, initargs=(2, 1)) as process:
        process.submit(partial(work, *arguments)).result()


def asked(peer: Peer, question: str) -> tuple[Answer, float]:
    """An answer and the seconds it took."""
    if isinstance(peer, Apart):
        return peer.timed(question)
    start = time.perf_counter()
    answer = peer.ask(question)
    return answer, time.perf_counter() - start


def _open(make: Callable[[], Peer]) -> int:
    _ONE.append(make())
    return os.getpid()


def _timed(question: str) -> tuple[Answer, float]:
    return asked(_ONE[0], question)
