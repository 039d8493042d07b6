"""What every attack needs: a server of its own with two accounts, and the hands of a stranger."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from data.state.store import State
from tests.accounts import add_account
from tests.serving import Served


@pytest.fixture(autouse=True)
def _fast(fast_passwords: None) -> None:
    """Attacks try many passwords."""


@pytest.fixture
def state(served: Served) -> Iterator[State]:
    """The state store with the attacker's account, eve, and the one she wants, ana."""
    opened = State(served.settings.state_url)
    add_account(opened, "ana", "Ana", email="ana@x.org")
    add_account(opened, "eve", "Eve")
    yield opened
    opened.close()
