"""Log events and metrics: what assistants on the command line tell, and what is not counted."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from data.errors import EventError
from data.sources import Note, Options
from data.sources.codex.calls import call_id
from data.sources.events import event_of
from data.sources.format import UNREAD
from data.sources.otlp import requests
from data.sources.otlp.logs import (
    LOST,
    METRICS_ONLY,
    REPEATS_MESSAGE,
    REPEATS_SPAN,
    UNCOUNTED_EVENTS,
)
from tests.sources.test_otlp_spans import SECRET, pairs

AT: Final = 1_795_350_580_123_456_789
REQUEST: Final = {
    "session.id": "s1", "user.id": "f00d", "model": "claude-sonnet-4-5-20250929",
    "input_tokens": 10, "cache_read_tokens": 2_000, "cache_creation_tokens": 300,
    "output_tokens": 40, "cost_usd": 0.0012345678, "duration_ms": 900, "request_id": "req_1",
}  # fmt: skip
COMPLETED: Final = {
    "event.name": "codex.sse_event", "event.kind": "response.completed",
    "event.timestamp": "2026-11-22T12:34:11.700Z", "conversation.id": "c1",
    "model": "gpt-5-codex", "originator": "codex_exec", "input_token_count": "100",
    "cached_token_count": "60", "output_token_count": "20", "reasoning_token_count": "5",
}  # fmt: skip


def log(attributes: dict[str, Any], body: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"body": {"stringValue": body}} if body else {}
    return {"timeUnixNano": str(AT), "attributes": pairs(attributes), **told, **more}


def read(*logs: Any, resource: dict[str, Any] | None = None, scope: str = "s") -> list[Any]:
    group = {
        "resource": {"attributes": pairs(resource or {})},
        "scopeLogs": [{"scope": {"name": scope}, "logRecords": list(logs)}],
    }
    return _asked("logs", {"resourceLogs": [group]})


def measured(name: str, *points: dict[str, Any], **more: Any) -> list[Any]:
    shape = {"aggregationTemporality": 1, "dataPoints": list(points), **more}
    group = {"resource": {}, "scopeMetrics": [{"metrics": [{"name": name, "sum": shape}]}]}
    return _asked("metrics", {"resourceMetrics": [group]})


def _asked(signal: str, request: Any) -> list[Any]:
    body = json.dumps(request).encode()
    records = requests.request_records(signal, body, json=True, options=Options())
    return [_said(raw) for _, raw in records]


def _said(raw: Any) -> Any:
    try:
        return raw if isinstance(raw, Note) else event_of(raw)
    except EventError as error:
        return str(error)


def claude(name: str, attributes: dict[str, Any], **more: Any) -> Any:
    (event,) = read(log(attributes, f"claude_code.{name}"), **more)
    return event


def codex(attributes: dict[str, Any], **more: Any) -> Any:
    (event,) = read(log(attributes), **more)
    return event


# Claude Code


def test_a_request_of_claude_code() -> None:
    resource = {"team.id": "team-web", "service.version": "2.1.197"}
    event = claude("api_request", REQUEST, resource=resource)
    want = {
        "event_id": "claude_code:req_1",
        "ts": AT // 1_000,
        "kind": "llm",
        "channel": "cli",
        "source": "claude_code",
        "client": "claude-code 2.1.197",
        "provider": "anthropic",
        "conversation_id": "s1",
        "user": "f00d",
        "project": "team-web",
        "input_tokens": 10,
        "cached_input_tokens": 2_000,
        "cache_write_tokens": 300,
        "output_tokens": 40,
        "cost_nano": 1_234_568,
        "cost_origin": "reported",
        "duration_ms": 900,
    }
    assert {name: event[name] for name in want} == want


def test_its_event_is_known_by_body_attribute_or_scope() -> None:
    by_body = log(REQUEST, "claude_code.api_request")
    by_field = log(REQUEST, eventName="claude_code.api_request")
    by_name = log(REQUEST | {"event.name": "claude_code.api_request"})
    by_scope = log(REQUEST | {"event.name": "api_request"})
    found = read(by_body, by_field, by_name, by_scope, scope="com.anthropic.claude_code.events")
    assert [event["event_id"] for event in found] == ["claude_code:req_1"] * 4
    assert read(by_scope) == [Note(f"{LOST}: api_request")]


def test_counts_that_nobody_reads_are_named() -> None:
    event, note = read(log(REQUEST | {"advisor_tokens": 7, "cost_usd_micros": 1_234},
                           "claude_code.api_request"))  # fmt: skip
    assert (event["input_tokens"], note) == (10, Note(UNREAD.format("otlp", "advisor_tokens")))
    assert len(read(log(REQUEST | {"advisor_tokens": 0}, "claude_code.api_request"))) == 1
    assert len(read(log(COMPLETED))) == 1


def test_an_event_of_another_program_with_counts_is_named() -> None:
    counts = {"input_token_count": 5, "event.name": "qwen-code.api_response"}
    assert read(log(counts)) == [Note(f"{LOST}: qwen-code.api_response")]
    assert read(log(counts | {"input_token_count": 0})) == []
    assert read(log({"event.name": "qwen-code.user_prompt", "prompt_length": 5})) == []


def test_an_event_about_a_model_that_becomes_nothing_is_named() -> None:
    score = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5}
    named = "gen_ai.evaluation.result"
    assert read(log(score, named)) == [Note(f"{UNCOUNTED_EVENTS}: {named}")]
    assert read(log(score, eventName="ours")) == [Note(f"{UNCOUNTED_EVENTS}: ours")]
    assert read(log({}, "gen_ai.client.operation.exception")) == [
        Note(f"{UNCOUNTED_EVENTS}: gen_ai.client.operation.exception")
    ]
    assert read(log({}, "gen_ai.choice"), log({}, "gen_ai.user.message")) == [REPEATS_MESSAGE] * 2
    assert read(log({"http.route": "/"}, "http.request")) == []


@pytest.mark.parametrize(
    ("told", "user"),
    [
        ({"user.id": "f00d", "user.email": "ana@example.com"}, "ana@example.com"),
        ({"user.id": "f00d", "user.account_uuid": "uu"}, "uu"),
        ({"user.id": "f00d", "enduser.id": "ana", "user.email": "a@example.com"}, "ana"),
        ({"user.id": "f00d"}, "f00d"),
    ],
)
def test_people_before_the_hashes_of_their_machines(told: dict[str, Any], user: str) -> None:
    assert claude("api_request", REQUEST | told)["user"] == user


def test_older_versions_without_ids_still_have_stable_ones() -> None:
    plain = {name: told for name, told in REQUEST.items() if name != "request_id"}
    ids = [
        claude("api_request", plain | more)["event_id"]
        for more in ({"event.sequence": 1}, {"event.sequence": 1}, {"event.sequence": 2}, {})
    ]
    assert ids[0] == ids[1] != ids[2] != ids[3]
    assert all(each.startswith("claude_code:") for each in ids)


def test_an_error_of_claude_code_keeps_no_words() -> None:
    told = {"error": SECRET, "status_code": "529", "attempt": "11", "duration_ms": "7"}
    event = claude("api_error", {"session.id": "s1", "model": "m", "request_id": "r"} | told)
    assert (event["event_id"], event["status"]) == ("claude_code:error:r", "error")
    assert (event["error_class"], event["duration_ms"]) == ("529", 7)
    assert event["input_tokens"] is event["cost_nano"] is None
    assert SECRET not in repr(event)


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ({"tool_name": "Bash", "success": "true"}, ("tool", "Bash", None, "ok")),
        ({"tool_name": "Bash", "success": False}, ("tool", "Bash", None, "error")),
        (
            {"tool_name": "mcp__jira__get_issue", "success": "true"},
            ("integration", "get_issue", "jira", "ok"),
        ),
        (
            {
                "tool_name": "mcp_tool",
                "success": "true",
                "tool_parameters": '{"mcp_server_name":"jira","mcp_tool_name":"get_issue"}',
            },
            ("integration", "get_issue", "jira", "ok"),
        ),
        ({"tool_name": "mcp_tool", "success": "true"}, ("integration", "mcp_tool", None, "ok")),
    ],
)
def test_tools_of_claude_code(told: dict[str, Any], want: tuple[Any, ...]) -> None:
    event = claude("tool_result", told | {"tool_use_id": "toolu_1", "duration_ms": "33"})
    assert event["event_id"] == "claude_code:tool:toolu_1"
    assert event["duration_ms"] == 33
    assert tuple(event[n] for n in ("kind", "tool", "integration", "status")) == want


def test_what_claude_code_tells_besides_is_no_use() -> None:
    names = ("user_prompt", "tool_decision", "assistant_response", "hook_execution_start")
    assert read(*(log(REQUEST, f"claude_code.{name}") for name in names)) == []


# Codex


def test_a_call_of_codex_is_the_completed_one_with_counts() -> None:
    bare = {name: told for name, told in COMPLETED.items() if not name.endswith("_count")}
    bare |= {"event.kind": "response.completed"}
    (event,) = read(log(bare), log(COMPLETED))
    assert event["event_id"] == call_id("c1", (100, 60, 20, 5))
    counts = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
    assert tuple(event[name] for name in counts) == (40, 60, 20, 5)
    assert (event["conversation_id"], event["assistant"]) == ("c1", "codex_exec")
    assert (event["source"], event["client"]) == ("codex", "codex-cli")


def test_the_same_record_has_the_same_id_and_another_has_another() -> None:
    again = codex(COMPLETED, resource={"added.by": "a collector"})
    more = codex(COMPLETED | {"output_token_count": "21"})
    (relayed,) = read(log(COMPLETED, timeUnixNano=str(AT + 10**9)))  # by the relay's clock
    ids = [event["event_id"] for event in (codex(COMPLETED), again, relayed, more)]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    later = log(COMPLETED, timeUnixNano=str(AT + 10**9))
    found = [event["event_id"] for event in read(log(COMPLETED), later, later, log(COMPLETED))]
    assert found == [ids[0], f"{ids[0]}:2", f"{ids[0]}:2", ids[0]]
    alone = {name: told for name, told in COMPLETED.items() if name != "conversation.id"}
    assert codex(alone)["event_id"].startswith("codex:otel:")


def test_refused_and_failed_calls_of_codex() -> None:
    asked = {"event.name": "codex.api_request", "conversation.id": "c", "model": "m"}
    refused = codex(asked | {"http.response.status_code": "429", "error.message": SECRET})
    assert (refused["status"], refused["error_class"]) == ("error", "429")
    assert read(log(asked | {"http.response.status_code": "200"})) == []
    lost = codex(asked | {"error.message": SECRET})
    assert (lost["status"], lost["error_class"]) == ("error", None)
    kind = {"event.name": "codex.sse_event", "event.kind": "response.failed"}
    failed = codex(asked | kind | {"error.message": SECRET})
    assert (failed["kind"], failed["status"], failed["input_tokens"]) == ("llm", "error", None)
    assert SECRET not in repr((refused, lost, failed))


def test_tools_and_sessions_of_codex() -> None:
    told = {"event.name": "codex.tool_result", "conversation.id": "c", "call_id": "k"}
    told |= {"tool_name": "t", "success": "false", "arguments": SECRET, "output": SECRET}
    event = codex(told | {"mcp_server": ""})
    assert (event["event_id"], event["kind"], event["status"]) == (
        "codex:tool:c:k",
        "tool",
        "error",
    )
    through = codex(told | {"mcp_server": "jira"})
    assert (through["kind"], through["integration"]) == ("integration", "jira")
    assert SECRET not in repr((event, through))
    session = codex({"event.name": "codex.conversation_starts", "conversation.id": "c"})
    assert (session["event_id"], session["kind"]) == ("codex:session:c", "session")


# Gemini CLI

GEMINI: Final = {
    "event.name": "gemini_cli.api_response", "event.timestamp": "2026-11-22T12:00:00.000Z",
    "session.id": "g1", "user.email": "ana@example.com", "model": "gemini-2.5-pro",
    "duration_ms": 1_200, "prompt_id": "p1", "auth_type": "gemini-api-key",
    "input_token_count": 12_000, "cached_content_token_count": 8_000, "output_token_count": 350,
    "thoughts_token_count": 42, "tool_token_count": 5, "total_token_count": 12_397,
    "response_text": SECRET,
}  # fmt: skip


def test_a_call_of_gemini_cli_adds_up_to_its_total() -> None:
    event = codex(GEMINI)
    counts = ("input_tokens", "cached_input_tokens", "output_tokens")
    assert tuple(event[name] for name in counts) == (4_005, 8_000, 392)
    assert sum(event[name] for name in counts) == GEMINI["total_token_count"]
    assert (event["reasoning_tokens"], event["duration_ms"]) == (42, 1_200)
    assert (event["source"], event["client"], event["channel"]) == (
        "gemini_cli",
        "gemini-cli",
        "cli",
    )
    assert (event["user"], event["provider"]) == ("ana@example.com", "gcp.gemini")
    assert event["cost_origin"] == "list"
    assert SECRET not in repr(event)
    assert codex(GEMINI | {"auth_type": "vertex-ai"})["provider"] == "gcp.vertex_ai"
    again, other = codex(GEMINI), codex(GEMINI | {"output_token_count": 351})
    assert event["event_id"] == again["event_id"] != other["event_id"]


def test_what_else_gemini_cli_tells() -> None:
    told = {"session.id": "g1", "function_args": SECRET, "error": SECRET, "function_name": "grep"}
    tool = codex(
        told | {"event.name": "gemini_cli.tool_call", "success": True, "tool_type": "native"}
    )
    assert (tool["kind"], tool["tool"], tool["tool_type"]) == ("tool", "grep", "native")
    server = {"event.name": "gemini_cli.tool_call", "success": False, "tool_type": "mcp"}
    through = codex(told | server | {"mcp_server_name": "jira"})
    assert (through["kind"], through["integration"]) == ("integration", "jira")
    assert (through["status"], through["tool_type"]) == ("error", None)
    failed = codex(told | {"event.name": "gemini_cli.api_error", "status_code": 429})
    assert (failed["status"], failed["error_class"]) == ("error", "429")
    session = codex(told | {"event.name": "gemini_cli.config"})
    assert (session["event_id"], session["kind"]) == ("gemini_cli:session:g1", "session")
    assert SECRET not in repr((tool, through, failed, session))
    assert read(log(told | {"event.name": "gemini_cli.api_request"})) == []


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"event.name": "gemini_cli.config"}, "session.id is missing"),
        ({"event.name": "codex.conversation_starts"}, "conversation.id is missing"),
        ({"event.name": "codex.tool_result", "success": "maybe"}, "success is 'maybe'"),
    ],
)
def test_a_wrong_log_event_is_rejected(attributes: dict[str, Any], sentence: str) -> None:
    assert sentence in codex(attributes)


def test_a_time_that_only_the_collector_saw_is_better_than_none() -> None:
    event = log(COMPLETED, timeUnixNano="0", observedTimeUnixNano=str(AT + 5_000))
    assert read(event)[0]["ts"] == AT // 1_000 + 5
    assert read(log(COMPLETED, timeUnixNano="0")) == ["ts is missing"]


def test_events_of_instrumentations_repeat_their_spans() -> None:
    content = {"gen_ai.system": "openai", "gen_ai.usage.input_tokens": 5}
    details = log(content, eventName="gen_ai.client.inference.operation.details")
    assert read(details, log(content, eventName="gen_ai.choice")) == [
        REPEATS_SPAN, REPEATS_MESSAGE,
    ]  # fmt: skip


# Metrics


def point(**attributes: Any) -> dict[str, Any]:
    named = {name.replace("_", "."): told for name, told in attributes.items()}
    return {"startTimeUnixNano": str(AT), "timeUnixNano": str(AT), "attributes": pairs(named)}


@pytest.mark.parametrize(
    ("temporality", "word"),
    [(1, "delta"), (2, "cumulative"), ("AGGREGATION_TEMPORALITY_DELTA", "delta")],
)
def test_sums_are_said_and_not_counted(temporality: Any, word: str) -> None:
    for name in ("claude_code.cost.usage", "claude_code.token.usage", "gen_ai.client.token.usage"):
        (note,) = measured(name, point(), aggregationTemporality=temporality)
        assert note == Note(f"{name} ({word}) is not counted: {METRICS_ONLY}")
    assert measured("http.server.duration", point()) == []


def test_a_session_that_is_counted_again_and_again_is_one_event() -> None:
    found = measured("claude_code.session.count", point(session_id="s1"), point(session_id="s1"))
    assert [event["event_id"] for event in found] == ["claude_code:session:s1"] * 2
    assert (found[0]["kind"], found[0]["lines_added"]) == ("session", None)
    assert measured("claude_code.session.count", point()) == ["session.id is missing"]


def test_portions_of_lines_are_left_to_the_session_files() -> None:
    (note,) = measured("claude_code.lines_of_code.count", point(type="added"))
    assert "not counted" in note.text
