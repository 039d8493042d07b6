"""Another user of the machine: what can be read below the data folder, or beside a store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

import pytest

from data import permissions
from data.engines.protocol import open_events
from data.settings import Settings
from data.state.store import State
from tests.browser.driver import serving

KEY: Final = "the key of those who send events"
EVENT: Final = (
    b'[{"event_id": "e", "ts": "2026-11-20T10:00:00Z", "kind": "llm", "channel": "api",'
    b' "source": "x", "status": "ok"}]'
)


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The umask of a service that somebody set up carelessly."""
    before = os.umask(0)
    yield
    os.umask(before)


def readable(folder: Path) -> list[str]:
    """What others may read or enter, by its path below a folder."""
    every = [folder, *folder.rglob("*")]
    found = [path for path in every if path.lstat().st_mode & 0o077]
    return [path.relative_to(folder).as_posix() for path in found]


def send(site: str) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{site}/api/v1/events", EVENT, headers)) as answer:
        assert answer.status == 200


def test_a_server_leaves_nothing_readable(tmp_path: Path) -> None:
    """Its logs of what is not yet in the stores are there while it serves."""
    with serving(tmp_path, ["serve"], INGEST_KEY=KEY) as site:
        send(site)
        names = {path.name for path in (tmp_path / "var").iterdir()}
        assert {"events.duckdb", "events.duckdb.wal", "state.sqlite", "state.sqlite-wal"} <= names
        assert readable(tmp_path / "var") == []


def test_what_was_readable_is_closed_at_the_start(tmp_path: Path) -> None:
    """The folder, and stores that lie elsewhere, with what was left beside them."""
    var, other = tmp_path / "var", tmp_path / "other"
    other.mkdir()
    events = f"duckdb:///{other / 'events.duckdb'}"
    settings = Settings.read({"SPENDSCOPE_DATA_DIR": str(var), "SPENDSCOPE_EVENTS_URL": events})
    open_events(settings.events_url).close()
    State(settings.state_url).close()
    (var / "uploads" / "u1").mkdir(parents=True)
    (var / "uploads" / "u1" / "usage.csv").write_text("secret")
    assert {".", "uploads", "uploads/u1/usage.csv"} <= set(readable(var))
    assert "events.duckdb" in readable(other)
    with serving(tmp_path, ["serve"], EVENTS_URL=events, INGEST_KEY=KEY) as site:
        send(site)
        assert readable(var) == []
        assert readable(other) == ["."]  # not ours


def test_a_folder_of_others_stays_as_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As /tmp is, which a careless setting may name; the stores in it are closed nevertheless."""
    tmp_path.chmod(0o1777)
    for name in ("state.sqlite", "state.sqlite-wal", "theirs"):
        (tmp_path / name).touch()
    permissions.close_to_others(tmp_path, f"sqlite:///{tmp_path / 'state.sqlite'}")
    assert readable(tmp_path) == [".", "theirs"]
    assert "SPENDSCOPE_DATA_DIR" in caplog.text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (target := tmp_path / "theirs").touch()
    (folder := tmp_path / "var").mkdir()
    (folder / "link").symlink_to(target)
    permissions.close_to_others(folder)
    assert target.stat().st_mode & 0o777 == 0o666
    assert folder.stat().st_mode & 0o777 == 0o700
