"""One writer at a time, whichever processes there are: who reads before it writes must not be
overtaken. ClickHouse has no locks, so who wants to write says so in the table `writers`, looks
whether somebody else did, and takes it back where both did.

A claim holds for `LEASE` and is renewed while somebody writes: of one that vanished it ends. Who
could not renew it in time writes no more.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import sqlalchemy as sa

from data.engines.clickhouse.rows import do, select
from data.engines.commits import Busy
from data.errors import StoreError

LEASE: Final = 7.0  # seconds; less than who sends waits
RENEWED: Final = 2.0
TRUSTED: Final = 5.0  # after a renewal
LONGEST_WAIT: Final = 600.0  # of who has all the time
NOW: Final = "toUnixTimestamp64Micro(now64(6))"
LOOK: Final = (
    "SELECT countIf(writer <> '{0}' AND until > " + NOW + "), toInt64(max(version)) FROM writers"
)
CLAIM: Final = (
    "INSERT INTO writers (writer, until, version) SELECT '{}', " + NOW + " + {:.0f} * 1000000, {}"
)
LOST: Final = "the event store did not answer in time while these events were stored: send again"


class Lock:
    """The right to write, for one of all processes."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._me = engine, uuid4().hex
        self._here = threading.Lock()
        self._renewed = 0.0

    @contextmanager
    def held(self, until: float | None) -> Iterator[int]:
        """The number of this turn, larger than all before. Raises `Busy` where there is none until
        that moment of `time.monotonic`."""
        until = time.monotonic() + LONGEST_WAIT if until is None else until
        if not self._here.acquire(timeout=max(0.0, until - time.monotonic())):
            raise Busy
        try:
            number, done = self._claimed(until), threading.Event()
            renewing = threading.Thread(target=self._renew, args=(number, done), daemon=True)
            renewing.start()
            try:
                yield number
            finally:
                done.set()
                renewing.join()
                self._claim(2 * number + 1, 0)
        finally:
            self._here.release()

    def require(self) -> None:
        """Raises `StoreError` where somebody else may have the right by now."""
        if time.monotonic() - self._renewed > TRUSTED:
            raise StoreError(LOST)

    def _claimed(self, until: float) -> int:
        while True:
            others, last = self._look()
            number = last // 2 + 1
            if not others:
                self._claim(2 * number, LEASE)
                others, _ = self._look()
                if not others:
                    return number
                self._claim(2 * number + 1, 0)
            if time.monotonic() >= until:
                raise Busy
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311  # no secret

    def _look(self) -> tuple[int, int]:
        with self._engine.connect() as connection:
            others, last = select(connection, LOOK.format(self._me))[0]
        return int(others), int(last or 0)

    def _claim(self, version: int, seconds: float) -> None:
        asked = time.monotonic()
        with self._engine.connect() as connection:
            do(connection, CLAIM.format(self._me, seconds, version))
        self._renewed = asked

    def _renew(self, number: int, done: threading.Event) -> None:
        while not done.wait(RENEWED):
            try:
                self._claim(2 * number, LEASE)
            except (StoreError, sa.exc.DBAPIError):
                continue  # `require` knows since when
