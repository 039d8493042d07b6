"""What Claude Code prints: exact, once, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import EVENTS, TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats, head_of
from data.sources.events import event_of

Line = dict[str, Any]
START: Final = datetime(2026, 5, 1, tzinfo=UTC)
SESSION: Final = "6c1e1d1e-0000-4000-8000-000000000001"
INIT: Final[Line] = {
    "type": "system", "subtype": "init", "cwd": "/home/ana/web", "session_id": SESSION,
    "model": "claude-sonnet-4-5", "claude_code_version": "2.1.38", "tools": [], "uuid": "u0",
}  # fmt: skip


def message(own: str, model: str = "claude-sonnet-4-5") -> Line:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 500, "output_tokens": 1}
    return {
        "type": "assistant", "session_id": SESSION, "uuid": f"u-{own}", "parent_tool_use_id": None,
        "message": {"id": own, "model": model, "usage": usage, "content": []},
    }  # fmt: skip


def counters(*numbers: int, cost: float) -> Line:
    names = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
    return dict(zip(names, numbers, strict=True)) | {"webSearchRequests": 0, "costUSD": cost}


MODELS: Final[Line] = {
    "claude-sonnet-4-5[1m]": counters(10, 200, 1_000, 300, cost=0.01),
    "claude-haiku-4-5": counters(400, 20, 0, 0, cost=0.0005),
}
RESULT: Final[Line] = {
    "type": "result", "subtype": "success", "is_error": False, "duration_ms": 9_451,
    "duration_api_ms": 5_289, "num_turns": 2, "result": ".", "session_id": SESSION,
    "total_cost_usd": 0.0105, "uuid": "u9", "modelUsage": MODELS,
    "usage": {
        "input_tokens": 10, "output_tokens": 200, "cache_read_input_tokens": 1_000,
        "cache_creation_input_tokens": 300, "service_tier": "standard",
    },
}  # fmt: skip
RUN: Final = (INIT, message("m1"), message("m1"), message("m2"), RESULT)


def written(*lines: Line) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def read_output(*lines: Line, body: bytes | None = None) -> list[Event]:
    file = File("out.jsonl", body=written(*lines) if body is None else body)
    made = formats()["claude_code_output"].read(file, Options(start=START))
    return [event_of(raw) for _, raw in made if not isinstance(raw, Note)]


def test_a_run_costs_what_its_result_says() -> None:
    sonnet, haiku, session = read_output(*RUN)
    assert [sonnet[name] for name in TOKENS] == [10, 1_000, 300, 200]
    assert [haiku[name] for name in TOKENS] == [400, 0, 0, 20]
    assert sonnet["cost_nano"] + haiku["cost_nano"] == 10_500_000
    assert (sonnet["model"], sonnet["provider"]) == ("claude-sonnet-4-5", "anthropic")
    assert (sonnet["request_count"], haiku["request_count"]) == (2, None)
    assert (session["kind"], session["duration_ms"], session["status"]) == ("session", 9_451, "ok")
    assert session["event_id"] == f"claude_code:session:{SESSION}"
    assert (session["client"], session["repository"]) == ("claude-code 2.1.38", "web")


def test_one_object_and_a_list_are_read_as_lines_are() -> None:
    whole = json.dumps(RUN, indent=1).encode()
    assert read_output(body=whole) == read_output(*RUN)
    single = read_output(body=json.dumps(RESULT).encode())
    assert [event["event_id"] for event in single] == [e["event_id"] for e in read_output(*RUN)]


def test_results_of_one_process_run_on() -> None:
    usage = RESULT["usage"] | {"input_tokens": 5, "output_tokens": 100}
    models = MODELS | {"claude-sonnet-4-5[1m]": counters(15, 300, 2_000, 600, cost=0.02)}
    second = RESULT | {
        "uuid": "u10",
        "usage": usage,
        "modelUsage": models,
        "total_cost_usd": 0.0205,
    }
    events = read_output(*RUN, message("m3"), second)
    calls = [event for event in events if event["kind"] == "llm"]
    assert [sum(event[name] for event in calls) for name in TOKENS] == [415, 2_000, 600, 320]
    assert sum(event["cost_nano"] for event in calls) == 20_500_000


def test_runs_that_were_written_one_after_the_other_are_each_counted() -> None:
    again = RESULT | {"uuid": "u10"}
    calls = [event for event in read_output(*RUN, INIT, again) if event["kind"] == "llm"]
    assert sum(event["cost_nano"] for event in calls) == 21_000_000


def test_an_older_result_tells_usage_alone() -> None:
    older = {name: value for name, value in RESULT.items() if name not in ("modelUsage", "uuid")}
    (call, _) = read_output(INIT, older)
    assert [call[name] for name in TOKENS] == [10, 1_000, 300, 200]
    assert (call["model"], call["cost_nano"]) == ("claude-sonnet-4-5", 10_500_000)
    assert read_output(INIT, older)[0]["event_id"] == call["event_id"]


def test_a_run_that_failed_before_any_call() -> None:
    failed = RESULT | {"is_error": True, "subtype": "error_during_execution", "modelUsage": {},
                       "usage": {}, "total_cost_usd": 0}  # fmt: skip
    (session,) = read_output(INIT, failed)
    assert (session["status"], session["error_class"]) == ("error", "error_during_execution")


def test_a_run_cut_off_is_a_note(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "out.jsonl").write_bytes(written(*RUN[:-1]))
    report = ingest_paths([tmp_path], store, Options(start=START))
    assert (report.read, report.format) == (0, "claude_code_output")
    assert ["cut off" in note for note in report.notes] == [True]


def test_no_time_needs_a_start_and_a_time_that_is_told_is_used() -> None:
    file = File("out.jsonl", body=written(INIT | {"timestamp": "2026-04-01T00:00:00Z"}, RESULT))
    made = [raw for _, raw in formats()["claude_code_output"].read(file, Options())]
    assert {raw["ts"].isoformat() for raw in made if isinstance(raw, dict)} == {
        "2026-04-01T00:00:00+00:00"
    }
    untimed = File("out.jsonl", body=written(INIT, RESULT))
    [(_, error)] = formats()["claude_code_output"].read(untimed, Options())
    assert isinstance(error, EventError)
    assert "--start" in str(error)


def test_another_program_that_prints_alike_is_refused() -> None:
    init = {name: value for name, value in INIT.items() if name != "claude_code_version"}
    free = {name: value for name, value in RESULT.items()
            if name not in ("usage", "modelUsage", "total_cost_usd")}  # fmt: skip
    file = File("out.jsonl", body=written(init, free))
    [(_, error)] = formats()["claude_code_output"].read(file, Options(start=START))
    assert "not Claude Code's" in str(error)
    qwen = INIT | {"qwen_code_version": "0.5.0"}
    head = head_of(File("out.jsonl", body=written(qwen)))
    assert not any(each.recognises(head) for each in formats().values())


LOGGED: Final[Line] = {
    "type": "assistant", "sessionId": SESSION, "uuid": "l1", "requestId": "req_1",
    "timestamp": "2026-05-01T10:00:00Z", "cwd": "/home/ana/web", "version": "2.1.38",
    "message": {
        "id": "m1", "model": "claude-sonnet-4-5", "stop_reason": "end_turn", "content": [],
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 500, "output_tokens": 90},
    },
}  # fmt: skip


def test_a_run_whose_log_lies_beside_counts_once(tmp_path: Path, store: EventStore) -> None:
    """Of its sums only the model counts that no message was printed of, as no log tells it."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / f"{SESSION}.jsonl").write_bytes(written(LOGGED))
    (tmp_path / "out.jsonl").write_bytes(written(*RUN))
    report = ingest_paths([tmp_path], store, Options(start=START))
    assert (report.accepted, report.rejected, report.tokens) == (3, 0, 593 + 420)


WHOLE: Final = {"input_tokens": 3, "cache_read_input_tokens": 500, "output_tokens": 90}
LATER: Final = {"input_tokens": 5, "cache_creation_input_tokens": 40, "output_tokens": 10}


def whole_run() -> tuple[Line, ...]:
    """A run whose printed messages are all of what its result says."""
    first, second = message("m1"), message("m2")
    first["message"]["usage"], second["message"]["usage"] = WHOLE, LATER
    models = {"claude-sonnet-4-5": counters(8, 100, 500, 40, cost=0.002)}
    return INIT, first, second, RESULT | {"modelUsage": models, "total_cost_usd": 0.002}


def test_messages_that_add_up_to_the_result_are_the_calls() -> None:
    one, two, _ = read_output(*whole_run())
    assert [one[name] for name in TOKENS] == [3, 500, 0, 90]
    assert [two[name] for name in TOKENS] == [5, 0, 40, 10]
    assert one["cost_nano"] + two["cost_nano"] == 2_000_000
    assert one["cost_nano"] == 1_654_605  # 3 + 500 / 10 + 5 × 90 of 608 tokens of input
    assert (one["event_id"], one["request_count"]) == ("claude_code:m1", None)


@pytest.mark.parametrize("logs_first", [True, False])
def test_such_messages_and_their_log_count_once_in_any_order(
    logs_first: bool, tmp_path: Path, store: EventStore
) -> None:
    log, out = tmp_path / f"{SESSION}.jsonl", tmp_path / "out.jsonl"
    log.write_bytes(written(LOGGED))
    out.write_bytes(written(*whole_run()))
    for path in (log, out) if logs_first else (out, log):
        ingest_paths([path], store, Options(start=START))
    with store.sql.connect() as connection:
        rows = connection.execute(
            sa.select(EVENTS.c.output_tokens).where(EVENTS.c.kind == "llm")
        ).scalars()
        assert sorted(rows) == [10, 90]


@pytest.mark.parametrize("session", ["../x", "*", "/etc", "a/b"])
def test_a_session_id_names_no_file_elsewhere(session: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"{}")
    (tmp_path / "out.jsonl").write_bytes(written(RESULT | {"session_id": session}))
    (found,) = (each for each in find([tmp_path]) if each.format)
    made = [
        raw for _, raw in formats()["claude_code_output"].read(found.file, Options(start=START))
    ]
    assert sum(isinstance(raw, dict) for raw in made) == 3
