"""Copilot's OpenTelemetry files: its calls, once beside the store or log of the same sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import TOKENS
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, formats
from data.sources.events import event_of
from tests.sources.test_copilot_store import CALL, write_log, write_store

Line = dict[str, Any]
AGENT: Final[Line] = {
    "type": "span", "traceId": "aa0000000000000000000000000000a1", "spanId": "bb000000000000b1",
    "name": "invoke_agent copilot", "kind": 0, "startTime": [1_777_629_600, 0],
    "endTime": [1_777_629_610, 500_000_000], "status": {"code": 0}, "events": [],
    "attributes": {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.conversation.id": "s1",
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 50,
    },
    "resource": {"attributes": {"service.name": "github-copilot"}},
    "instrumentationScope": {"name": "github.copilot"},
}  # fmt: skip
CHAT: Final = AGENT | {
    "spanId": "bb000000000000b2", "parentSpanId": "bb000000000000b1", "name": "chat gpt-5",
    "kind": 2, "startTime": [1_777_629_601, 0], "endTime": [1_777_629_605, 500_000_000],
    "attributes": {
        "gen_ai.operation.name": "chat", "gen_ai.conversation.id": "s1",
        "gen_ai.provider.name": "github", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.cache_read.input_tokens": 600,
        "gen_ai.usage.output_tokens": 50,
    },
}  # fmt: skip
TOOL: Final = AGENT | {
    "spanId": "bb000000000000b3", "parentSpanId": "bb000000000000b1", "name": "execute_tool view",
    "attributes": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "view"},
}  # fmt: skip
METRIC: Final = {"type": "metric", "name": "gen_ai.client.token.usage", "unit": "{token}"}


def telemetry(*lines: Line) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_a_call_a_tool_and_no_sum(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "a.jsonl").write_bytes(telemetry(METRIC, AGENT, CHAT, TOOL))
    report = ingest_paths([tmp_path], store)
    assert (report.format, report.accepted, report.rejected) == ("copilot_otel", 3, 0)
    assert (report.tokens, report.cost_nano, report.unpriced) == (1_050, 0, 1)
    assert ingest_paths([tmp_path], store).duplicates == 3


def test_counts_and_times() -> None:
    made = formats()["copilot_otel"].read(File("f", body=telemetry(CHAT)), Options())
    (event,) = (event_of(raw) for _, raw in made if not isinstance(raw, Note))
    assert [event[name] for name in TOKENS] == [400, 600, None, 50]
    assert (event["conversation_id"], event["duration_ms"]) == ("s1", 4_500)
    assert event["ts"] == 1_777_629_601_000_000


@pytest.mark.parametrize("kept", ["store", "log"])
def test_what_the_folder_tells_too_counts_once(
    kept: str, tmp_path: Path, store: EventStore
) -> None:
    if kept == "store":
        write_store(tmp_path, CALL)
    else:
        write_log(tmp_path, ("2026-06-01T10:20:00Z", 1, 50))
    (tmp_path / "otel").mkdir()
    (tmp_path / "otel" / "a.jsonl").write_bytes(telemetry(AGENT, CHAT, TOOL))
    report = ingest_paths([tmp_path], store)
    assert (report.tokens, report.rejected) == (1_050, 0)
    assert any("beside tells, too" in note for note in report.notes)


def test_a_time_that_is_none_rejects_its_span_alone() -> None:
    broken = CHAT | {"startTime": "now"}
    made = [raw for _, raw in formats()["copilot_otel"].read(
        File("f", body=telemetry(broken, TOOL)), Options())]  # fmt: skip
    assert [str(raw) for raw in made if isinstance(raw, EventError)] == [
        "a time is a pair of seconds and nanoseconds"
    ]
    assert sum(isinstance(raw, dict) for raw in made) == 1
