"""Backups: made while somebody writes, counted, put back with and without a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest

from data.access.scope import SYSTEM
from data.backups.backup import back_up
from data.backups.manifest import EVENTS, MANIFEST, STATE, verified
from data.engines.protocol import EventStore, open_events
from data.errors import StoreError
from data.settings import Settings
from data.state.audit import entries
from data.state.store import State
from tests.accounts import AT, add_account
from tests.browser.driver import serving
from tests.commands.conftest import Run

KEY: Final = "the key of those who send events"
DAY: Final = "2026-11-20T10:00:00Z"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the commands that are run."""
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    return Settings.read()


@pytest.fixture
def filled(given: Settings, event: Callable[..., Any], fast_passwords: None) -> Settings:
    """Two sources and an account."""
    with closing(open_events(given.events_url)) as store:
        store.write([event(source="a", cost_nano=5, cost_origin="reported", input_tokens=n)
                     for n in range(3)])  # fmt: skip
        store.write([event(source="b", output_tokens=7)])
    with closing(State(given.state_url)) as state:
        add_account(state, "ana", "Ana")
    return given


def held(settings: Settings) -> dict[str, Any]:
    with closing(open_events(settings.events_url)) as store:
        return store.count_by_source()


def accounts(settings: Settings) -> bool:
    with closing(State(settings.state_url)) as state:
        return state.has_accounts()


def empty(settings: Settings) -> None:
    for path in settings.data_dir.iterdir():
        path.unlink()


def test_what_was_backed_up_comes_back(filled: Settings, tmp_path: Path, run: Run) -> None:
    before, folder = held(filled), tmp_path / "backup"
    code, out, _ = run("backup", str(folder))
    assert (code, "a: 3 events, 3 tokens, 0.00 USD" in out) == (0, True)
    assert {one.name for one in folder.iterdir()} == {EVENTS, STATE, MANIFEST, "secret_key"}
    assert folder.stat().st_mode & 0o777 == 0o700
    secret = (filled.data_dir / "secret_key").read_bytes()
    empty(filled)
    assert run("restore", str(folder))[0] == 0
    assert (held(filled), accounts(filled)) == (before, True)
    assert (filled.data_dir / "secret_key").read_bytes() == secret
    assert not list(filled.data_dir.glob("*.restored"))
    with closing(State(filled.state_url)) as state:
        assert entries(state, SYSTEM, 1)[0].thing == "all data"


def test_nothing_is_replaced_unasked(filled: Settings, tmp_path: Path, run: Run) -> None:
    folder = tmp_path / "backup"
    run("backup", str(folder))
    with closing(open_events(filled.events_url)) as store:
        store.remove("a")
    left = held(filled)
    code, _, err = run("restore", str(folder))
    assert (code, "say --replace" in err, held(filled)) == (1, True, left)
    assert run("restore", str(folder), "--replace")[0] == 0
    assert set(held(filled)) == {"a", "b"}


def test_a_damaged_store_is_something_that_can_be_replaced(
    filled: Settings, tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "backup"
    run("backup", str(folder))
    events = filled.data_dir / "events.duckdb"
    events.write_bytes(events.read_bytes()[:5_000])
    assert "say --replace" in run("restore", str(folder))[2]
    assert run("restore", str(folder), "--replace")[0] == 0
    assert set(held(filled)) == {"a", "b"}


@pytest.mark.parametrize("name", [EVENTS, STATE, MANIFEST])
def test_a_damaged_backup_changes_nothing(
    filled: Settings, tmp_path: Path, run: Run, name: str
) -> None:
    folder, before = tmp_path / "backup", held(filled)
    run("backup", str(folder))
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    code, _, err = run("restore", str(folder), "--replace")
    assert (code, len(err.splitlines())) == (1, 1)
    (folder / name).unlink()
    assert run("restore", str(folder), "--replace")[0] == 1
    assert (held(filled), accounts(filled)) == (before, True)


def test_a_manifest_that_says_something_else_is_refused(
    filled: Settings, tmp_path: Path, run: Run
) -> None:
    folder = tmp_path / "backup"
    run("backup", str(folder))
    said = json.loads((folder / MANIFEST).read_text())
    said["sources"]["a"]["cost_nano"] += 1
    (folder / MANIFEST).write_text(json.dumps(said))
    code, _, err = run("restore", str(folder), "--replace")
    assert (code, "does not hold what its manifest says: of a 3 events" in err) == (1, True)


def test_a_folder_with_something_in_it_is_left_alone(
    filled: Settings, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").touch()
    assert "is not empty" in run("backup", str(tmp_path / "mine"))[2]
    assert "holds no backup" in run("restore", str(tmp_path / "mine"), "--replace")[2]


def test_it_is_of_one_moment_while_others_write(
    given: Settings, store: EventStore, state: State, tmp_path: Path, event: Callable[..., Any]
) -> None:
    """What is written meanwhile is in it with all of its transaction, or not at all."""
    store.write([event(source="a") for _ in range(500)])
    stopped = threading.Event()

    def write() -> None:
        while not stopped.is_set():
            store.write([event(source="x"), event(source="y")])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            made = back_up(state, store, given.data_dir, tmp_path / f"backup{number}", AT)
            counts = [made.sources[name].events for name in ("x", "y") if name in made.sources]
            assert len(set(counts)) <= 1
    finally:
        stopped.set()
        writer.join()


def test_a_backup_that_cannot_be_finished_leaves_none(
    filled: Settings, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StoreError("the events cannot be copied: no space left")

    monkeypatch.setattr("data.engines.duckdb.copies.copy", full)
    assert run("backup", str(tmp_path / "backup"))[0] == 1
    assert not list(tmp_path.glob("backup*"))


# --- while a server runs


@pytest.fixture
def site(given: Settings, tmp_path: Path) -> Iterator[str]:
    with serving(tmp_path, ["serve"], INGEST_KEY=KEY) as address:
        yield address


def send(site: str, name: str) -> None:
    event = {"event_id": name, "ts": DAY, "kind": "llm", "channel": "api", "source": "live",
             "status": "ok"}  # fmt: skip
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{site}/api/v1/events", json.dumps([event]).encode(), headers)) as answer:
        assert json.load(answer)["accepted"] == 1


def test_a_server_that_runs_goes_back_to_a_backup(site: str, tmp_path: Path, run: Run) -> None:
    """It answers before and after at its address, and takes in what it no longer knows."""
    folder = tmp_path / "backup"
    send(site, "one")
    assert run("backup", str(folder))[0] == 0
    assert verified(folder).sources["live"].events == 1
    send(site, "two")
    assert "say --replace" in run("restore", str(folder))[2]
    code, out, err = run("restore", str(folder), "--replace")
    assert (code, err, "live: 1 events" in out) == (0, "", True)
    send(site, "two")
    with urlopen(f"{site}/readyz") as answer:
        assert answer.status == 200
