"""Copilot CLI's session store: its calls, exact, and once beside the logs of the same sessions."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.doubts import UNKNOWN_COUNT
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import Note, Options, find, read
from data.sources.events import event_of

COLUMNS: Final = (
    "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, turn_index INTEGER, model TEXT,"
    " input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,"
    " cache_write_tokens INTEGER, reasoning_tokens INTEGER, total_nano_aiu INTEGER,"
    " duration_ms REAL, time_to_first_token_ms REAL, finish_reason TEXT, created_at TEXT"
)
CALL: Final[dict[str, Any]] = {
    "session_id": "s1", "turn_index": 0, "model": "claude-sonnet-4.5", "input_tokens": 1_000,
    "output_tokens": 50, "cache_read_tokens": 700, "cache_write_tokens": 200,
    "reasoning_tokens": 20, "total_nano_aiu": 5_000, "duration_ms": 1500.6,
    "time_to_first_token_ms": 300.2, "finish_reason": "stop",
    "created_at": "2026-06-01T10:05:00.000Z",
}  # fmt: skip
LATER: Final = CALL | {"created_at": "2026-06-01T10:06:00.000Z"}


def write_store(folder: Path, *calls: dict[str, Any], columns: str = COLUMNS) -> Path:
    path = folder / "session-store.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, cwd TEXT, created_at TEXT)")
        db.execute("INSERT INTO sessions VALUES ('s1', '/home/ana/web', '2026-06-01T10:00:00Z')")
        db.execute(f"CREATE TABLE assistant_usage_events ({columns})")
        for call in calls:
            names, marks = ", ".join(call), ", ".join("?" * len(call))
            db.execute(
                f"INSERT INTO assistant_usage_events ({names}) VALUES ({marks})",
                tuple(call.values()),
            )
        db.commit()
    return path


def write_log(folder: Path, *told: tuple[str, int, int]) -> Path:
    """A session's log that shuts down at these times with so many requests of 1,000 tokens."""
    lines: list[Any] = [
        {"type": "session.start", "timestamp": "2026-06-01T10:00:00Z", "data": {"sessionId": "s1"}}
    ]
    for moment, requests, output in told:
        usage = {"inputTokens": 1_000 * requests, "outputTokens": output,
                 "cacheReadTokens": 700 * requests, "cacheWriteTokens": 200 * requests}  # fmt: skip
        metrics = {"claude-sonnet-4.5": {"requests": {"count": requests}, "usage": usage}}
        data = {"modelMetrics": metrics}
        lines.append({"type": "session.shutdown", "timestamp": moment, "data": data})
    path = folder / "session-state" / "s1" / "events.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def events_in(path: Path) -> list[Event]:
    return [event_of(raw) for _, raw in read(find([path]), Options()) if not isinstance(raw, Note)]


def test_a_call(tmp_path: Path) -> None:
    (event,) = events_in(write_store(tmp_path, CALL))
    assert [event[name] for name in TOKENS] == [100, 700, 200, 50]
    assert (event["reasoning_tokens"], event["duration_ms"], event["ttft_ms"]) == (20, 1_501, 300)
    assert (event["conversation_id"], event["repository"]) == ("s1", "web")
    assert (event["cost_nano"], event["cost_origin"]) == (None, "unpriced")
    assert json.loads(event["tags"]) == {"total_nano_aiu": 5_000}


def test_what_an_older_store_does_not_tell_is_unknown(tmp_path: Path) -> None:
    columns = (
        "id INTEGER PRIMARY KEY, session_id TEXT, model TEXT, input_tokens INTEGER, created_at TEXT"
    )
    call = {name: CALL[name] for name in ("session_id", "model", "created_at")}
    (event,) = events_in(write_store(tmp_path, call, columns=columns))
    assert {event[name] for name in (*TOKENS, "duration_ms", "ttft_ms")} == {None}


def test_a_store_without_calls_is_a_note(tmp_path: Path, store: EventStore) -> None:
    path = tmp_path / "session-store.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE turns (id INTEGER)")
    report = ingest_paths([path], store)
    assert (report.read, len(report.notes)) == (0, 1)


def test_a_running_store_keeps_its_latest_calls_beside(tmp_path: Path) -> None:
    path = write_store(tmp_path, CALL)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("UPDATE assistant_usage_events SET output_tokens = 51")
        db.commit()
        (event,) = events_in(path)
        assert event["output_tokens"] == 51


def test_a_folder_with_both_counts_once(tmp_path: Path, store: EventStore) -> None:
    write_store(tmp_path, CALL, LATER)
    write_log(tmp_path, ("2026-06-01T10:20:00Z", 2, 100))
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.tokens) == (3, 2_100)  # two calls, one session
    assert ingest_paths([tmp_path], store).accepted == 0


def test_what_the_store_has_lost_comes_from_the_log(tmp_path: Path, store: EventStore) -> None:
    """Three calls until the first shutdown and two until the second: the store has one of each."""
    again = CALL | {"created_at": "2026-06-01T11:00:00.000Z"}
    write_store(tmp_path, CALL, again)
    log = write_log(tmp_path, ("2026-06-01T10:20:00Z", 3, 150), ("2026-06-01T11:20:00Z", 5, 250))
    two, one = (event for event in events_in(log) if event["kind"] == "llm")
    assert (two["request_count"], one["request_count"]) == (2, 1)
    assert [two[name] for name in TOKENS] == [200, 1_400, 400, 100]
    assert [one[name] for name in TOKENS] == [100, 700, 200, 50]
    assert ingest_paths([tmp_path], store).tokens == 5 * 1_050


def test_a_log_is_beside_the_store_that_its_links_lead_to(tmp_path: Path) -> None:
    write_store(tmp_path, CALL, LATER)
    log = write_log(tmp_path, ("2026-06-01T10:20:00Z", 2, 100))
    (tmp_path / "x").mkdir()
    to_file, to_folder = tmp_path / "x" / "linked.jsonl", tmp_path / "x" / "folder"
    to_file.symlink_to(log)
    to_folder.symlink_to(log.parent)
    for path in (log, to_file, to_folder / log.name):
        assert [event["kind"] for event in events_in(path)] == ["session"], path


def test_a_log_without_a_store_tells_its_sums(tmp_path: Path) -> None:
    log = write_log(tmp_path, ("2026-06-01T10:20:00Z", 3, 150))
    assert [event["request_count"] for event in events_in(log) if event["kind"] == "llm"] == [3]


@pytest.mark.parametrize("column", ["session_id", "created_at", "model"])
def test_a_bad_row_alone_is_rejected(column: str, tmp_path: Path, store: EventStore) -> None:
    path = write_store(tmp_path, CALL, LATER | {column: b"\xff\x00"})
    report = ingest_paths([path], store)
    assert (report.accepted, report.rejected) == (1, 1)
    write_log(tmp_path, ("2026-06-01T10:20:00Z", 2, 100))
    assert ingest_paths([tmp_path], store).rejected == 1


def test_bytes_that_are_no_count_leave_their_call(tmp_path: Path, store: EventStore) -> None:
    path = write_store(tmp_path, CALL, LATER | {"input_tokens": b"\xff\x00"})
    report = ingest_paths([path], store)
    assert (report.accepted, report.notes) == (2, {UNKNOWN_COUNT.format("input_tokens"): 1})


def test_a_store_cut_off_is_one_sentence(tmp_path: Path) -> None:
    path = write_store(tmp_path, CALL)
    path.write_bytes(path.read_bytes()[:6_000])
    [(_, error)] = read(find([path]), Options())
    assert isinstance(error, EventError)
