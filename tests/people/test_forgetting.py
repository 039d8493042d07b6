"""Forgetting somebody: their numbers stay under a pseudonym or go, and nothing names them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import sqlalchemy as sa

from callbacks.commands.main import main
from data.access.scope import SYSTEM, Scope
from data.engines.protocol import EventStore, open_events
from data.errors import Forbidden, Refused
from data.events.table import EVENTS
from data.ingest import keys
from data.people import aliases
from data.people.forgetting import forget, preview
from data.settings import Settings
from data.state.audit import Actor, entries
from data.state.store import State
from tests.accounts import AT, ROOT, add_account
from tests.engine import duckdb_only

ANA: Final = "ana@x.org"
pytestmark = pytest.mark.usefixtures("fast_passwords")
Make = Callable[..., Any]


@pytest.fixture
def known(store: EventStore, state: State, event: Make) -> EventStore:
    """Ana under three ids, and somebody whose id has hers in it."""
    add_account(state, "root", "Root", is_admin=True)
    add_account(state, ANA, "Ana")
    keys.add(state, ROOT, {"name": "hers", "source": "s", "user": ANA})
    tags = '{"who":"ana@x.org"}'
    store.write([
        event(event_id=f"day:{ANA}:1", user=ANA, user_name="Ana", cost_nano=5, tags=tags),
        event(event_id="b", user="ana", cost_nano=7), event(event_id="c", user="ANA@x.org"),
        event(event_id="d", user="banana", repository="ana/banana", cost_nano=9),
    ])  # fmt: skip
    aliases.add(state, ROOT, {"alias": "ana", "person": ANA}, store)
    return store


def column(store: EventStore, name: str) -> list[Any]:
    rows = sa.select(EVENTS.c[name]).order_by(EVENTS.c.cost_nano, EVENTS.c.event_id)
    with store.sql.connect() as connection:
        return list(connection.execute(rows).scalars())


def test_the_numbers_stay_under_a_pseudonym(known: EventStore, state: State) -> None:
    before = known.count_by_source()
    done = forget(state, known, ROOT, "ana", remove=False)
    assert (done.events, known.count_by_source()) == (3, before)
    assert set(column(known, "user")) == {done.pseudonym, "banana"}
    assert column(known, "user_name") == [None] * 4
    assert f"day:{done.pseudonym}:1" in column(known, "event_id")
    assert "ana/banana" in column(known, "repository")
    assert state.account(ANA) is None
    with pytest.raises(Refused):
        preview(state, known, ROOT, ANA)


def test_or_go(known: EventStore, state: State) -> None:
    assert forget(state, known, ROOT, ANA, remove=True).events == 3
    assert column(known, "user") == ["banana"]


@duckdb_only
@pytest.mark.parametrize("remove", [True, False])
def test_nothing_names_them_any_more(
    known: EventStore, state: State, tmp_path: Path, remove: bool
) -> None:
    """In no column of the events, and in the state store in the audit trail's earlier entries
    alone, which never change."""
    newest = entries(state, SYSTEM, 1)[0].id
    forget(state, known, ROOT, ANA, remove=remove)
    copy = tmp_path / "copy.duckdb"
    known.back_up(copy)
    with duckdb.connect(str(copy), read_only=True) as root:
        text = str(root.execute("FROM events").fetchall()).lower()
    assert ANA not in text
    assert "'ana'" not in text
    said = [one for one in entries(state, SYSTEM, 50) if one.id > newest]
    assert [one.thing for one in said] == ["a person"]
    assert ANA not in str(said)
    assert [one.revoked for one in keys.list_keys(state, SYSTEM) if one.name == "hers"] == [AT]


def test_what_is_told_again_is_known(known: EventStore, state: State, event: Make) -> None:
    """By its id; answers and sums go on with the pseudonym."""
    forget(state, known, ROOT, ANA, remove=False)
    again = event(event_id="d", user="banana", repository="ana/banana", cost_nano=9)
    assert not known.write([again])
    assert known.stored_ids(["b", "c", "d"]) == {"b", "c", "d"}


def test_a_preview_changes_nothing(known: EventStore, state: State) -> None:
    found = preview(state, known, ROOT, "ana")
    assert (found.events, found.records["account"], found.records["aliases"]) == (3, 1, 2)
    assert set(column(known, "user")) == {ANA, "ana", "ANA@x.org", "banana"}
    assert state.account(ANA)


def test_the_last_administrator_stays(known: EventStore, state: State) -> None:
    with pytest.raises(Refused, match="last enabled administrator"):
        forget(state, known, ROOT, "root", remove=True)


def test_it_is_for_administrators(known: EventStore, state: State) -> None:
    with pytest.raises(Forbidden):
        forget(state, known, Actor(Scope("ana"), "Ana", AT), "ana", remove=True)


def test_the_command_says_first_what_it_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], event: Make
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    given = Settings.read()
    with closing(open_events(given.events_url)) as store:
        store.write([event(user="ana"), event(user="ben")])
    ran = lambda *words: main(lambda *_: None, ["forget", *words])  # noqa: E731
    assert ran("ana", "--dry-run") == 0
    assert "1 events: would be put under a pseudonym" in capsys.readouterr().out
    assert ran("ana", "--remove") == 0
    assert capsys.readouterr().out == "1 events: removed\nnothing else\n"
    assert ran("ana") == 1
    assert "nothing is known" in capsys.readouterr().err
