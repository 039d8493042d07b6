"""OTLP: the real requests give the totals of ground_truth.json, in both wire forms; spellings."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import Options, find, read
from data.sources.events import event_of
from data.sources.format import Note
from data.sources.otlp import requests as otlp

ANYBODY: Final = Options()
PROMPT: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens")


def unpacked(path: Path) -> bytes:
    body = path.read_bytes()
    return gzip.decompress(body) if path.suffix == ".gz" else body


def signal_of(path: Path) -> str:
    return path.name.split("_v1_")[1].split(".")[0]


def events_of(signal: str, body: bytes, as_json: bool) -> list[Event]:
    records = otlp.request_records(signal, body, json=as_json, options=ANYBODY)
    return [event_of(raw) for _, raw in records if not isinstance(raw, Note)]


def folder(path: Path) -> list[Event]:
    """The distinct events of a folder of requests."""
    found: dict[str, Event] = {}
    for file in sorted(path.iterdir()):
        for event in events_of(signal_of(file), unpacked(file), ".json" in file.name):
            found.setdefault(event["event_id"], event)
    return list(found.values())


def total(events: list[Event], *names: str) -> int:
    return sum(event[name] or 0 for event in events for name in names)


def kinds(events: list[Event]) -> dict[str, int]:
    return dict(Counter(event["kind"] for event in events))


@pytest.fixture
def otlp_data(shared: Path) -> Path:
    return shared / "otlp"


@pytest.fixture
def truth(shared: Path) -> Any:
    return json.loads((shared / "ground_truth.json").read_text())


# The real requests


def test_python_spans(otlp_data: Path, truth: Any) -> None:
    events, want = folder(otlp_data / "python_openai_v2"), truth["otlp/python_openai_v2"]
    assert kinds(events) == {
        "llm": want["llm_spans"],
        "tool": want["execute_tool_spans"],
        "message": want["agent_spans"],
    }
    assert len(events) == want["spans"]
    calls = [event for event in events if event["kind"] == "llm"]
    assert sum(event["status"] == "error" for event in calls) == want["llm_error_spans"]
    assert sum(event["input_tokens"] is not None for event in calls) == want["llm_spans_with_usage"]
    assert total(events, *PROMPT) == want["input_tokens"]
    assert total(events, "output_tokens") == want["output_tokens"]
    assert {event["project"] for event in events} == {"platform"}
    assert {event["user"] for event in events} == {"u-ana", "u-bela", "u-chen"}
    assert {event["assistant"] for event in calls} == {"code-review"}


def test_js_spans(otlp_data: Path, truth: Any) -> None:
    events, want = (
        folder(otlp_data / "js_instrumentation_openai"),
        truth["otlp/js_instrumentation_openai"],
    )
    assert kinds(events) == {"llm": want["llm_spans"], "workflow": want["workflow_spans"]}
    calls = [event for event in events if event["kind"] == "llm"]
    assert sum(event["status"] == "error" for event in calls) == want["llm_error_spans"]
    assert sum(event["input_tokens"] is not None for event in calls) == want["llm_spans_with_usage"]
    assert total(events, *PROMPT) == want["input_tokens"]
    assert total(events, "output_tokens") == want["output_tokens"]
    assert {event["project"] for event in events} == {"team-support"}
    assert {event["workflow"] for event in events} == {"ticket-digest"}
    runs = {event["run_id"] for event in events if event["kind"] == "workflow"}
    assert runs == {event["run_id"] for event in calls}
    assert len(runs) == want["workflow_spans"]


def test_litellm_spans(otlp_data: Path, truth: Any) -> None:
    events, want = folder(otlp_data / "litellm_proxy_1.106.2"), truth["otlp/litellm_proxy_1.106.2"]
    assert kinds(events) == {"llm": want["litellm_request_spans"]}
    assert Counter(event["status"] for event in events) == {
        "ok": want["with_usage"],
        "error": want["errors"],
    }
    assert total(events, *PROMPT) == want["input_tokens"]
    assert total(events, "output_tokens") == want["output_tokens"]
    assert total(events, "cost_nano") == round(want["true_cost_from_spendlogs"] * 10**9)


def test_claude_code_logs_and_metrics(otlp_data: Path, truth: Any) -> None:
    events, want = folder(otlp_data / "claude_code_2.1.197"), truth["otlp/claude_code_2.1.197"]
    calls = [event for event in events if event["kind"] == "llm"]
    answered = [event for event in calls if event["status"] == "ok"]
    assert len(answered) == want["api_request_events"]
    assert len(calls) - len(answered) == want["api_error_events"]
    assert kinds(events)["tool"] == want["tool_result_events"]
    assert kinds(events)["session"] == want["sessions"]
    assert total(events, "input_tokens") == want["input_uncached"]
    assert total(events, "cached_input_tokens") == want["cache_read"]
    assert total(events, "cache_write_tokens") == want["cache_write"]
    assert total(events, "output_tokens") == want["output"]
    assert total(events, "cost_nano") == round(want["cost_usd"] * 10**9)
    assert Counter(event["project"] for event in answered) == want["by_team"]
    assert {event["channel"] for event in events} == {"cli"}


def test_codex_logs(otlp_data: Path, truth: Any) -> None:
    events, want = folder(otlp_data / "codex_0.169.0"), truth["otlp/codex_0.169.0"]
    calls = [event for event in events if event["kind"] == "llm"]
    answered = [event for event in calls if event["status"] == "ok"]
    assert len(answered) == want["usage_events"]
    assert len(calls) - len(answered) == want["api_requests_http_500"]
    assert {event["error_class"] for event in calls} == {None, "500"}
    assert kinds(events)["tool"] == want["tool_results"]
    assert kinds(events)["session"] == want["conversations"]
    assert total(events, *PROMPT) == want["input_tokens"]
    assert total(events, "cached_input_tokens") == want["cached"]
    assert total(events, "output_tokens") == want["output_tokens"]
    assert total(events, "reasoning_tokens") == want["reasoning"]


def requests(path: Path) -> Iterator[tuple[str, Path]]:
    for file in sorted(path.rglob("*")):
        if file.is_file():
            yield signal_of(file), file


def test_import_twice_and_in_any_order(otlp_data: Path, store: EventStore) -> None:
    files = [file for _, file in requests(otlp_data)]
    first = ingest_paths(reversed(files), store)
    assert (first.accepted, first.rejected, first.format) == (303, 0, "otlp")
    second = ingest_paths([otlp_data], store)
    assert (second.accepted, second.duplicates) == (0, first.read)


# One use, several ways in

LITELLM: Final = (
    "litellm/spendlogs.csv.gz",
    "litellm/generic_api_callback",
    "otlp/litellm_proxy_1.106.2",
)


GUESSED: Final = 67  # tokens of five refused calls in LiteLLM's log; their spans have none


@pytest.mark.parametrize("order", tuple(itertools.permutations(range(3))))
def test_the_three_ways_of_litellm_count_a_call_once(
    shared: Path, truth: Any, store: EventStore, order: tuple[int, ...]
) -> None:
    want = truth["litellm/spendlogs.csv.gz"]
    reports = [ingest_paths([shared / LITELLM[each]], store) for each in order]
    assert sum(report.accepted for report in reports) == want["rows"]
    assert sum(report.cost_nano for report in reports) == round(want["spend_usd"] * 10**9)
    with store.sql.connect() as connection:
        used = "+".join(f"coalesce({name}, 0)" for name in (*PROMPT, "output_tokens"))
        found = connection.exec_driver_sql(f"SELECT sum({used}) FROM events").scalar_one()
    assert found == want["prompt_tokens"] + want["completion_tokens"]
    assert [report.rejected for report in reports] == [0, 0, 0]


def test_a_call_of_litellm_is_the_same_event_in_its_log_and_its_span(shared: Path) -> None:
    rows = {
        event["event_id"]: event
        for _, raw in read(find([shared / LITELLM[0]]), ANYBODY)
        if not isinstance(raw, Note)
        for event in [event_of(raw)]
    }
    spans, guessed = folder(shared / LITELLM[2]), 0
    assert len(spans) == 60
    for span in spans:
        row = rows[span["event_id"]]
        apart = abs(span["ts"] - row["ts"])
        differing = {name for name, told in row.items() if span[name] != told} - {"ts"}
        if span["status"] == "ok":
            assert not differing
            assert apart < 1_000  # the log is cut to milliseconds
        else:
            assert apart < 10_000
            assert differing == {"input_tokens", "output_tokens", "duration_ms"}
            guessed += total([row], *PROMPT, "output_tokens")
    assert guessed == GUESSED


@pytest.mark.parametrize("files_first", [True, False])
def test_a_call_of_codex_is_the_same_in_its_files_and_its_telemetry(
    shared: Path, truth: Any, store: EventStore, files_first: bool
) -> None:
    """But for refused attempts (telemetry alone) and the turn that failed (its file alone)."""
    want = truth["codex/cli_0.169.0"]
    doors = [shared / "codex/cli_0.169.0", shared / "otlp/codex_0.169.0"]
    first, second = (ingest_paths([one], store) for one in doors[:: 1 if files_first else -1])
    assert first.tokens == want["input_tokens"] + want["output_tokens"] == 284_584
    assert (second.tokens, second.rejected) == (0, 0)
    assert second.accepted == (2 if files_first else 1)


def test_a_session_of_claude_code_is_the_same_in_its_files_and_its_telemetry(
    shared: Path, truth: Any, store: EventStore
) -> None:
    wanted = truth["otlp/claude_code_2.1.197"]
    told = ingest_paths([shared / "otlp/claude_code_2.1.197"], store)
    files = ingest_paths([shared / "claude_code/cli_2.1.197"], store)
    assert told.accepted == 30
    assert (files.accepted, files.rejected) == (0, 0)
    assert files.duplicates >= wanted["api_request_events"]
