"""The passwords that whoever guesses tries first: nobody can have them."""

from __future__ import annotations

import pytest

from data.errors import Refused
from data.state import account_changes
from data.state.passwords import COMMON, common
from data.state.store import State
from tests.accounts import AT, ROOT


@pytest.mark.parametrize("password", [
    "password123", "Password2026!", "  password ", "1234567890", "qwertyuiop", "Welcome2026!",
    "aaaaaaaaaaaa", "adminadmin", "abcabcabcabc", "\uff50assword2026", "!!Summer2026!!",
])  # fmt: skip
def test_a_common_password_is_refused(state: State, password: str) -> None:
    token = account_changes.make_link(state, ROOT, "ana")
    with pytest.raises(Refused, match=COMMON) as refused:
        account_changes.use_link(state, token, password, AT)
    assert refused.value.parameter == "password"
    assert account_changes.use_link(state, token, "four plain words here", AT)


@pytest.mark.parametrize("password", ["correct horse", "another horse", "password of my aunt"])
def test_what_is_not_guessed_first_is_taken(state: State, password: str) -> None:
    token = account_changes.make_link(state, ROOT, "ana")
    assert account_changes.use_link(state, token, password, AT)


def test_there_are_a_few_hundred() -> None:
    assert len(common()) > 300
