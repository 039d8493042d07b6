"""What every attack needs: a server of its own with two accounts, and the hands of a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from data.state.passwords import Passwords
from data.state.store import State
from tests.accounts import add_account
from tests.serving import Served, serving


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are hashed at once."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("data.state.store.Passwords", lambda: Passwords(hasher))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as one:
        yield one


@pytest.fixture
def state(served: Served) -> Iterator[State]:
    """The state store with the attacker's account, eve, and the one she wants, ana."""
    opened = State(served.settings.state_url)
    add_account(opened, "ana", "Ana", email="ana@x.org")
    add_account(opened, "eve", "Eve")
    yield opened
    opened.close()
