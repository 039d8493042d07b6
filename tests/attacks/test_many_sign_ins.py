"""Eighty wrong sign-ins at once, each of which takes a tenth of a second of a processor."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest
from argon2 import PasswordHasher

from data.errors import TooMany
from data.state.passwords import BUSY, MOST_AT_ONCE, MOST_WAITING, RETRY_SECONDS, Passwords
from tests.accounts import csrf_of
from tests.serving import Served, serving

SECONDS: Final = 60  # more than a busy machine needs; nothing waits for it that goes well
AT_ONCE: Final = 80
TAKEN: Final = MOST_AT_ONCE + MOST_WAITING


class Slow(PasswordHasher):
    """Compares only when it may, and counts how many do so at once."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may, self.lock = threading.Event(), threading.Lock()
        self.now = self.most = 0

    def verify(self, *given: Any) -> Any:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.may.wait(SECONDS)
        with self.lock:
            self.now -= 1
        return super().verify(*given)


@pytest.fixture
def hasher() -> Slow:
    return Slow()


@pytest.fixture
def slow(tmp_path: Path, hasher: Slow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr("data.state.store.Passwords", lambda: Passwords(hasher))
    with serving(tmp_path) as one:
        yield one


def ready(served: Served, number: int) -> Callable[[], Any]:
    """A sign-in under a name and from an address of its own, ready to be sent."""
    client = served.app.server.test_client()
    client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
    form = {"csrf_token": csrf_of(client), "name": f"user{number}", "password": "wrong horse"}
    return lambda: client.post("/sign-in", data=form)


def test_many_sign_ins_hold_few_threads(slow: Served, hasher: Slow) -> None:
    """Ten are taken, two of them at work; the others are answered while those still wait."""
    tries = [ready(slow, number) for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = as_completed([pool.submit(one) for one in tries], timeout=SECONDS)
        refused = [one.result() for one in islice(sent, AT_ONCE - TAKEN)]
        hasher.may.set()
        answered = [one.result().status_code for one in sent]
    assert Counter(one.status_code for one in refused) == {429: AT_ONCE - TAKEN}
    assert {one.headers["Retry-After"] for one in refused} == {str(RETRY_SECONDS)}
    assert all(BUSY[1:] in one.text for one in refused)
    assert answered == [401] * TAKEN
    assert hasher.most == MOST_AT_ONCE


def test_who_was_refused_for_the_crowd_has_guessed_nothing(
    slow: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(*_: Any) -> bool:
        raise TooMany(BUSY, RETRY_SECONDS)

    monkeypatch.setattr(Passwords, "match", crowded)
    assert [ready(slow, 1)().status_code for _ in range(20)] == [429] * 20
    monkeypatch.setattr(Passwords, "match", lambda *_: False)
    assert ready(slow, 1)().status_code == 401
