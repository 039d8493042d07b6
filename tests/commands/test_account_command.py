"""`spendscope account`, each of its actions as the operators' page has it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from data.access.scope import SYSTEM
from data.settings import Settings
from data.state.audit import entries
from data.state.store import State
from tests.commands.conftest import Run

PASSWORD: Final = "correct horse"
OTHER: Final = "another horse"
pytestmark = pytest.mark.usefixtures("fast_passwords")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """The state store of the commands that are run, and their standard input."""
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path))
    with closing(State(Settings.read().state_url)) as opened:
        yield opened


def typed(monkeypatch: pytest.MonkeyPatch, password: str) -> str:
    """The option with which a password is read from what is piped in."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return "--password-stdin"


@pytest.fixture
def people(state: State, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ana, who sets up the platform, Ben and an auditor."""
    told = typed(monkeypatch, PASSWORD)
    added = run("account", "add", "ana", "--name", "Ana Lopes", "--admin", told)
    assert added == (0, "Added the account ana (Ana Lopes).\n", "")
    for more in (("ben", "--name", "Ben Weber"), ("vera", "--auditor", "--email", "Vera@x.org")):
        assert run("account", "add", *more, typed(monkeypatch, PASSWORD))[0] == 0
    assert state.verify("vera@x.org", PASSWORD)


@pytest.mark.usefixtures("people")
def test_all_are_listed_with_their_rights(run: Run) -> None:
    assert run("account", "list") == (0, (
        "ana  Ana Lopes  isAdmin=true\n"
        "ben  Ben Weber\n"
        "vera  vera  vera@x.org  isAuditor=true\n"
    ), "")  # fmt: skip


@pytest.mark.usefixtures("people")
def test_rights_are_changed_and_the_rest_stays(run: Run, state: State) -> None:
    changed = run("account", "rights", "ben", "--applications-admin", "web")
    assert changed == (0, "Changed: ben  Ben Weber  applications_admin=web\n", "")
    assert run("account", "rights", "ben", "--auditor", "--name", "Ben")[0] == 0
    assert run("account", "rights", "ben", "--no-auditor")[1] == (
        "Changed: ben  Ben  applications_admin=web\n"
    )
    code, _, why = run("account", "rights", "ana", "--no-admin")
    assert (code, "last enabled administrator" in why) == (1, True)
    assert run("account", "rights", "ben")[0] == 1
    said = entries(state, SYSTEM, 3)
    assert {(one.action, one.thing, one.name) for one in said} == {
        ("edit", "account ben", "Command line")
    }


@pytest.mark.usefixtures("people")
def test_a_password_is_set_or_a_link_made(
    run: Run, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("account", "password", "ben", typed(monkeypatch, OTHER))[0] == 0
    assert state.verify("ben", OTHER)
    code, said, _ = run("account", "password", "ben", "--link")
    assert code == 0
    assert said.splitlines()[1].startswith("http://127.0.0.1:8050/set-password?token=")
    code, _, why = run("account", "password", "ben", typed(monkeypatch, "password123456"))
    assert (code, "tried first" in why) == (1, True)
    assert run("account", "password", "nobody", typed(monkeypatch, OTHER))[0] == 1


@pytest.mark.usefixtures("people")
def test_an_account_is_disabled_enabled_and_removed(run: Run, state: State) -> None:
    assert run("account", "disable", "ben")[0] == 0
    assert run("account", "list")[1].splitlines()[1] == "ben  Ben Weber  disabled"
    assert run("account", "enable", "ben")[0] == 0
    assert state.verify("ben", PASSWORD)
    assert run("account", "remove", "ben")[0] == 0
    assert state.account("ben") is None
    for action in ("disable", "remove"):
        code, _, why = run("account", action, "ana")
        assert (code, "last enabled administrator" in why) == (1, True)
    assert run("account", "remove")[2] == "spendscope: say whose: spendscope account remove ID\n"
