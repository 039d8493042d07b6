"""Stores that were cut short, overwritten, or are somebody else's file: told from stores that
another process has open, before anybody is answered, and never said of one that is sound."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import pytest

import app
from data.engines.protocol import open_events
from data.errors import StoreError
from data.sample.organisation import sample
from data.settings import Settings
from data.state.store import State
from tests.accounts import AT, add_account

WHAT_TO_DO: Final = "is damaged: restore a backup (spendscope restore DIR)"
EVENTS: Final = f"the event store events.duckdb {WHAT_TO_DO}"
STATE: Final = f"the state store state.sqlite {WHAT_TO_DO}"
HEADERS: Final = 12_288
Damage = Callable[[bytes], bytes]


@cache
def sound_events() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.duckdb"
        store = open_events(f"duckdb:///{path}")
        store.write(list(sample(3_000, until=AT)))
        store.close()
        return path.read_bytes()


@cache
def sound_state() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "state.sqlite"
        state = State(f"sqlite:///{path}")
        for number in range(200):
            add_account(state, f"user{number}", "User" * 40, None)
        state.close()
        return path.read_bytes()


def overwritten(where: Callable[[int], int], count: int = 64) -> Damage:
    def damage(good: bytes) -> bytes:
        at, junk = where(len(good)), random.Random(7).randbytes(count)
        return good[:at] + junk + good[at + count :]

    return damage


DAMAGES: Final[dict[str, Damage]] = {
    "emptied": lambda _: b"",
    "cut to a header": lambda good: good[:4_096],
    "cut to half": lambda good: good[: len(good) // 2],
    "zeros": lambda good: bytes(len(good)),
    "text": lambda _: b"somebody else's notes\n" * 400,
    "overwritten at the start": overwritten(lambda _: 0),
    "overwritten in the middle": overwritten(lambda size: size // 2, 30_000),
}


def events_of(folder: Path, content: bytes) -> None:
    (folder / "events.duckdb").write_bytes(content)
    store = open_events(f"duckdb:///{folder / 'events.duckdb'}")
    try:
        store.require_sound()
    finally:
        store.close()


def state_of(folder: Path, content: bytes) -> None:
    (folder / "state.sqlite").write_bytes(content)
    state = State(f"sqlite:///{folder / 'state.sqlite'}")
    try:
        state.require_sound()
    finally:
        state.close()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_event_store_is_named_so(tmp_path: Path, damage: Damage) -> None:
    with pytest.raises(StoreError) as refused:
        events_of(tmp_path, damage(sound_events()))
    assert str(refused.value) == EVENTS


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_state_store_is_named_so(tmp_path: Path, damage: Damage) -> None:
    with pytest.raises(StoreError) as refused:
        state_of(tmp_path, damage(sound_state()))
    assert str(refused.value) == STATE


@pytest.mark.parametrize("block", range(6))
def test_each_block_that_holds_events_is_looked_at(tmp_path: Path, block: int) -> None:
    """The first that hold rows; of what nothing uses nothing is said."""
    good = sound_events()
    used = duckdb_blocks(tmp_path, good)
    at = HEADERS + used[block % len(used)] * 262_144 + 1_000
    with pytest.raises(StoreError) as refused:
        events_of(tmp_path, good[:at] + b"\xff" * 8 + good[at + 8 :])
    assert str(refused.value) == EVENTS


def duckdb_blocks(folder: Path, good: bytes) -> list[int]:
    path = folder / "look.duckdb"
    path.write_bytes(good)
    with duckdb.connect(str(path), read_only=True) as root:
        found = root.execute(
            "SELECT DISTINCT block_id FROM pragma_storage_info('events') WHERE block_id >= 0"
        ).fetchall()
    return [block for (block,) in found]


def test_stores_of_others_are_not_taken_over(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with duckdb.connect(str(other)) as root:
        root.execute("CREATE TABLE theirs (x INTEGER)")
    foreign = other.read_bytes()
    with pytest.raises(StoreError, match="is damaged"):
        events_of(tmp_path, foreign)
    other.unlink()
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (x INTEGER)")
    connection.close()
    for check in (events_of, state_of):
        with pytest.raises(StoreError, match="is damaged"):
            check(tmp_path, other.read_bytes())


def test_sound_stores_are_never_called_damaged(tmp_path: Path) -> None:
    """Nor is one with a log that was cut short, with a block that nothing uses, or beginning."""
    good = sound_events()
    events_of(tmp_path, good)
    events_of(tmp_path, good + bytes(100_000))
    (tmp_path / "events.duckdb.wal").write_bytes(b"cut sho")
    events_of(tmp_path, good)
    state_of(tmp_path, sound_state())
    for name in ("events.duckdb", "state.sqlite"):
        (tmp_path / name).unlink()
    open_events(f"duckdb:///{tmp_path / 'events.duckdb'}").close()
    State(f"sqlite:///{tmp_path / 'state.sqlite'}").close()
    assert not list(tmp_path.glob("*.new*"))


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("events.duckdb", sound_events, EVENTS), ("state.sqlite", sound_state, STATE),
])  # fmt: skip
def test_a_server_does_not_begin_to_listen(
    tmp_path: Path, name: str, content: Callable[[], bytes], sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / name).write_bytes(DAMAGES["overwritten in the middle"](content()))
    monkeypatch.setattr("app.signal.signal", lambda *_: None)
    monkeypatch.setattr(app, "_listen", lambda *_: pytest.fail("it listens"))
    with pytest.raises(StoreError) as refused:
        app.serve(Settings.read({"SPENDSCOPE_DATA_DIR": str(tmp_path)}))
    assert str(refused.value) == sentence


def test_a_store_that_is_open_elsewhere_is_not_damaged(tmp_path: Path) -> None:
    (tmp_path / "events.duckdb").write_bytes(sound_events())
    holding = "import duckdb, sys; d = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path / "events.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as holder:  # fmt: skip
        assert holder.stdout
        assert holder.stdout.readline()
        with pytest.raises(StoreError, match="another process has the event store"):
            open_events(f"duckdb:///{tmp_path / 'events.duckdb'}")
        holder.communicate(b"\n")


def test_a_store_that_was_looked_at_stays_closed_to_others(tmp_path: Path) -> None:
    """Reading its file beside the engine gave up the engine's lock on it, and two servers wrote."""
    (tmp_path / "events.duckdb").write_bytes(sound_events())
    asking = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    with closing(open_events(f"duckdb:///{tmp_path / 'events.duckdb'}")) as store:
        store.require_sound()
        other = subprocess.run(
            [sys.executable, "-c", asking, str(tmp_path / "events.duckdb")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Could not set lock" in other.stderr
        store.require_sound()
