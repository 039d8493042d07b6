"""Coding CLIs' own logs, line by line: what each kind of line becomes, and what it does not."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.engines.protocol import EventStore
from data.ingest.importing import ingest_paths
from data.sources import Options, find
from data.sources.claude_code.calls import repository
from data.sources.codex.calls import call_id
from tests.cli_logs import (
    SESSION,
    TOKENS,
    Clock,
    answer,
    body,
    line,
    of,
    result,
    stored,
    sums,
    use,
)


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """Long after everything, unless a test says otherwise."""


# Claude Code, line by line


def test_a_call_is_its_last_line_and_what_it_repeats_is_one() -> None:
    events, bad, _ = body(
        "claude_code", answer(0, "a", 1), answer(1, "b", 2), answer(2, "a", 40), answer(3, "a", 7)
    )
    assert bad == []
    found = {e["event_id"]: (e["output_tokens"], e["ts"] // 10**6 % 60) for e in of(events, "llm")}
    assert found == {"claude_code:req_a": (40, 2), "claude_code:req_b": (2, 1)}


def test_calls_without_a_request_id_have_the_message_s() -> None:
    bare = answer(0, "a", 1)
    del bare["requestId"]
    assert of(body("claude_code", bare)[0], "llm")[0]["event_id"] == (
        f"claude_code:msg_a:{int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())}000000"
    )


def test_errors_are_calls_without_tokens_and_other_synthetic_lines_are_none() -> None:
    def made(**more: Any) -> Any:
        found = answer(0, str(more), 0, **more)
        found["message"]["model"] = "<synthetic>"
        return found

    events, _, notes = body(
        "claude_code",
        made(isApiErrorMessage=True, error="rate_limit"),
        made(isApiErrorMessage=True, error="unknown", apiErrorStatus=529),
        made(),
        made(isApiErrorMessage=False),
    )
    calls = of(events, "llm")
    assert [call["error_class"] for call in calls] == ["rate_limit", "529", None]
    assert {call["status"] for call in calls} == {"error"}
    assert {call[name] for call in calls for name in (*TOKENS, "model", "cost_nano")} == {None}
    assert len(notes) == 1


def test_old_versions_tell_cost_and_duration_themselves() -> None:
    old = answer(0, "a", 1, costUSD=0.0123, durationMs=4_200)
    (call, *_) = of(body("claude_code", old, answer(1, "b", 1))[0], "llm")
    assert (call["cost_nano"], call["cost_origin"]) == (12_300_000, "reported")
    assert call["duration_ms"] == 4_200


@pytest.mark.parametrize("name", [f"{SESSION}.jsonl", "agent-a1.jsonl.gz", "rollout-1-th.jsonl"])
def test_a_log_whose_first_line_is_endless_is_known_by_its_name(tmp_path: Path, name: str) -> None:
    long = "x" * 300_000
    first = line("user", 0, message={"role": "user", "content": long})
    if name.startswith("rollout"):
        told = {"id": "th", "instructions": long}
        first = {"timestamp": "2026-11-20T12:00:00Z", "type": "session_meta", "payload": told}
    content = json.dumps(first).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    (found,) = find([path])
    assert found.format is not None
    assert found.format.name == ("codex" if name.startswith("rollout") else "claude_code")


def test_tools_and_integrations_have_the_outcome_of_their_result() -> None:
    events, _, _ = body(
        "claude_code",
        answer(0, "a", 1, use("Bash", "t1"), use("mcp__jira__get__issue", "t2"), use("Read", "t3")),
        answer(0, "a", 9, use("Bash", "t1"), use("Task", "t4", subagent_type="Explore")),
        result(1, "t1", {"durationMs": 70, "stdout": "secret"}),
        result(2, "t2", error=True),
        result(3, "t4", {"totalDurationMs": 900}),
    )
    names = ("event_id", "kind", "tool", "integration", "status", "duration_ms")
    found = [tuple(e[n] for n in names) for e in events if e["kind"] in ("tool", "integration")]
    assert found == [
        ("claude_code:tool:t1", "tool", "Bash", None, "ok", 70),
        ("claude_code:tool:t2", "integration", "get__issue", "jira", "error", None),
        ("claude_code:tool:t4", "tool", "Task", None, "ok", 900),
        ("claude_code:tool:t3", "tool", "Read", None, "aborted", None),
    ]
    assert "secret" not in json.dumps(events)


def test_lines_and_files_are_those_that_edits_tell() -> None:
    hunks = [{"lines": [" a", "-b", "+c", "+d"]}, {"lines": ["+++", "---"]}]
    edit = {"filePath": "/a.py", "structuredPatch": hunks}
    created = {"type": "create", "filePath": "/b.py", "structuredPatch": [], "content": "x\ny\nz"}
    uses = [use("Edit", f"t{n}") for n in range(5)]
    events, _, _ = body(
        "claude_code",
        answer(0, "a", 1, *uses),
        result(1, "t0", edit),
        result(2, "t1", edit),
        result(3, "t2", created),
        result(4, "t3", edit, error=True),
        result(5, "t4", {"filePath": "/c.py"}),
        result(6, "t0", edit),  # told again
    )
    (session,) = of(events, "session")
    assert (session["lines_added"], session["lines_removed"]) == (3 + 3 + 3, 4)
    assert (session["files_changed"], session["duration_ms"]) == (2, 6_000)


def test_a_session_taken_up_after_five_hours_is_another_sitting(clock: Clock) -> None:
    edit = {"filePath": "/a.py", "structuredPatch": [{"lines": ["+a"]}]}
    early = [answer(0, "a", 1, use("Edit", "t")), result(60, "t", edit)]
    late = [answer(5 * 3600 + 60, "b", 1, use("Edit", "u")), result(5 * 3600 + 90, "u", edit)]
    events, _, _ = body("claude_code", *early, *late)
    first, second = of(events, "session")
    assert first["event_id"] == f"claude_code:session:{SESSION}"
    assert second["event_id"] == f"claude_code:session:{SESSION}:2"
    assert (first["duration_ms"], second["duration_ms"]) == (60_000, 30_000)
    assert first["lines_added"] == second["lines_added"] == 1
    clock(datetime(2026, 11, 20, 16, 30, tzinfo=UTC))
    assert of(body("claude_code", *early)[0], "session") == []
    clock(datetime(2026, 11, 20, 17, 1, tzinfo=UTC))
    assert of(body("claude_code", *early)[0], "session") == [first]


def test_what_is_still_written_is_left_and_a_note_says_so(clock: Clock) -> None:
    lines = [answer(0, "a", 1), answer(9, "b", 1, use("Bash", "t"))]
    clock(datetime(2026, 11, 20, 12, 59, tzinfo=UTC))
    events, bad, notes = body("claude_code", *lines)
    assert [event["event_id"] for event in events] == ["claude_code:req_a"]
    assert len(notes) == 3
    assert all("left for" in note for note in notes)
    assert bad == []
    clock(datetime(2026, 11, 20, 13, 1, tzinfo=UTC))
    assert [e["status"] for e in body("claude_code", *lines)[0]] == ["ok", "ok", "aborted"]


def test_a_fork_repeats_nothing() -> None:
    origin = {"sessionId": "1", "messageUuid": "2"}
    copied = answer(0, "a", 5, use("Edit", "t"), forkedFrom=origin)
    edit = result(1, "t", {"filePath": "/a", "structuredPatch": [{"lines": ["+a"]}]})
    own = (answer(9_000, "b", 5), line("system", 9_060))
    events, _, _ = body("claude_code", copied, edit | {"forkedFrom": origin}, *own)
    assert [(e["kind"], e["conversation_id"]) for e in events] == [
        ("tool", "1"), ("llm", "1"), ("llm", SESSION), ("session", SESSION),
    ]  # fmt: skip
    assert (events[-1]["duration_ms"], events[-1]["lines_added"]) == (60_000, None)


def test_a_folder_of_projects_is_read_with_everything_beside_the_logs(
    tmp_path: Path, store: EventStore
) -> None:
    a_project_with_an_agent(tmp_path / "projects" / "-home-ana-src-shop-2-0")
    report = ingest_paths([tmp_path / "projects"], store, Options(user="ana", project="web"))
    assert (report.accepted, report.duplicates, report.rejected) == (3, 0, 0)
    assert list(report.notes.values()) == [3]
    named = ingest_paths([tmp_path / "projects"], store, name="claude_code")
    assert (named.accepted, named.duplicates, named.rejected) == (0, 3, 0)
    names = ("kind", "assistant", "repository", "user", "project", "conversation_id")
    assert stored(store, *names) == [
        ("llm", "Explore", "shop_2.0", "ana", "web", SESSION),
        ("llm", None, "shop_2.0", "ana", "web", SESSION),
        ("session", None, "shop_2.0", "ana", "web", SESSION),
    ]


def a_project_with_an_agent(project: Path) -> None:
    """A packed log, that of an agent beside it, and files that are none."""
    agents = project / SESSION / "subagents"
    results = project / SESSION / "tool-results"
    for folder in (agents, results):
        folder.mkdir(parents=True)
    inner = answer(2, "b", 1, isSidechain=True, agentId="x1", cwd="/home/ana/src/shop_2.0/api")
    main = [
        {"type": "file-history-snapshot", "messageId": "m", "snapshot": {}},
        answer(0, "a", 1, cwd="/home/ana/src/shop_2.0/api/v1"),
        line("progress", 2, data={"type": "agent_progress", "message": inner}),
        line("summary", 3, summary="?"),
    ]
    packed = gzip.compress("\n".join(map(json.dumps, main)).encode())
    (project / f"{SESSION}.jsonl.gz").write_bytes(packed)
    (agents / "agent-x1.jsonl").write_text(json.dumps(inner))
    (agents / "agent-x1.meta.json").write_text('{"agentType": "Explore"}')
    (project / "sessions-index.json").write_text('{"version": 1, "entries": []}')
    (results / "toolu_1.txt").write_text("a,b\n1,2")


@pytest.mark.parametrize(
    ("more", "tier"),
    [({"speed": "fast", "service_tier": "standard"}, "fast"), ({"service_tier": "batch"}, "batch"),
     ({"service_tier": None}, None)],
)  # fmt: skip
def test_what_is_billed_beside_the_tokens_is_read(more: Any, tier: str | None) -> None:
    written = {"cache_creation_input_tokens": 12,
               "cache_creation": {"ephemeral_1h_input_tokens": 9}}  # fmt: skip
    served = {"server_tool_use": {"web_search_requests": 2}}
    events, _, _ = body("claude_code", answer(0, "a", 1, usage={**written, **served, **more}))
    (call,) = of(events, "llm")
    assert (call["cache_write_1h_tokens"], call["web_searches"], call["service_tier"]) == (
        9, 2, tier,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cwd", "folders", "want"),
    [
        ("/home/ana/src/shop", set(), "shop"),
        ("/home/ana/src/shop/api", {"-home-ana-src-shop"}, "shop"),
        ("C:\\Users\\ana\\my.shop\\api\\", {"C--Users-ana-my-shop"}, "my.shop"),
        ("/", set(), None),
        ("", set(), None),
    ],
)
def test_a_repository_is_the_folder_a_session_began_in(
    cwd: str, folders: set[str], want: str | None
) -> None:
    assert repository(cwd, folders) == want


# Codex and aider, line by line


def rollout(*lines: tuple[str, dict[str, Any]], **meta: Any) -> Any:
    first = {
        "id": "th",
        "cwd": "/src/shop",
        "originator": "codex_cli_rs",
        "model_provider": "openai",
    }
    told = [("session_meta", first | meta), ("turn_context", {"model": "gpt-5-codex"}), *lines]
    return body("codex", *(
        {"timestamp": f"2026-11-20T12:00:{n:02}Z", "type": kind, "payload": payload}
        for n, (kind, payload) in enumerate(told)
    ))  # fmt: skip


def spent(fresh: int, cached: int, output: int, reasoning: int = 0) -> dict[str, int]:
    return {
        "input_tokens": fresh + cached, "cached_input_tokens": cached, "output_tokens": output,
        "reasoning_output_tokens": reasoning, "total_tokens": fresh + cached + output,
    }  # fmt: skip


def count(last: Any, total: Any) -> tuple[str, dict[str, Any]]:
    info = {"last_token_usage": last, "total_token_usage": total}
    return "event_msg", {"type": "token_count", "info": info}


def record(own: str, usage: Any, total: Any) -> tuple[str, dict[str, Any]]:
    told = {"response_id": own, "usage": usage, "thread_token_usage": total}
    return "token_usage_record", told


def test_codex_counts_a_call_once_whichever_way_it_is_told() -> None:
    one, both = spent(10, 5, 3, 1), spent(20, 10, 6, 2)
    records = [record("r1", one, one), count(one, one), record("r2", one, both), count(one, both)]
    own = call_id("th", (15, 5, 3, 1))
    for told in (
        records,
        [records[1], records[0], records[3], records[2]],
        [records[1], records[1], records[3]],
        [records[1], records[2]],  # a newer version went on
    ):
        events, bad, notes = rollout(*told)
        calls = of(events, "llm")
        assert sorted(call["event_id"] for call in calls) == [own, f"{own}:2"]
        assert sums(calls, "input_tokens", "cached_input_tokens", "output_tokens") == [20, 10, 6]
        assert (bad, notes) == ([], [])
        assert {call["cost_origin"] for call in calls} == {"list"}


def test_codex_counts_what_a_fork_repeats_as_its_origins() -> None:
    kind, told = record("r1", spent(7, 0, 1), spent(7, 0, 1))
    events, _, _ = rollout((kind, told | {"thread_id": "origin"}), (kind, told))
    ids = {call["event_id"] for call in of(events, "llm")}
    assert ids == {call_id(thread, (7, 0, 1, 0)) for thread in ("origin", "th")}


def test_codex_says_where_calls_and_totals_differ() -> None:
    _, _, notes = rollout(record("r1", spent(1, 0, 1), spent(5, 0, 5)))
    assert notes == ["the calls of a session differ from its running total: a part is missing"]


def test_codex_models_follow_the_turn() -> None:
    first, both = spent(1, 0, 1), spent(2, 0, 2)
    turn = ("turn_context", {"model": "gpt-5-mini"})
    events, _, _ = rollout(record("r1", first, first), turn, record("r2", first, both))
    assert [call["model"] for call in of(events, "llm")] == ["gpt-5-codex", "gpt-5-mini"]


def test_codex_tools_have_the_outcome_that_is_told() -> None:
    def call(own: str, name: str, kind: str = "function_call", **more: Any) -> Any:
        return "response_item", {"type": kind, "call_id": own, "name": name, **more}

    def output(own: str, told: Any = None) -> Any:
        return "response_item", {"type": "function_call_output", "call_id": own, "output": told}

    ended = {"type": "exec_command_end", "call_id": "a", "exit_code": 2}
    events, _, _ = rollout(
        call("a", "shell"),
        ("event_msg", ended | {"duration": {"secs": 1, "nanos": 5_000_000}}),
        output("a", '{"metadata": {"exit_code": 0}}'),
        call("b", "shell"), output("b", '{"metadata": {"exit_code": 1}}'),
        call("c", "get", namespace="mcp__jira"), output("c", "secret"),
        call("d", "apply_patch", "custom_tool_call"), output("d"),
        ("response_item", {"type": "web_search_call", "id": "w", "status": "completed"}),
        call("e", "shell"),
    )  # fmt: skip
    names = ("tool", "tool_type", "integration", "status", "error_class", "duration_ms")
    assert [tuple(e[n] for n in names) for e in events if e["kind"] in ("tool", "integration")] == [
        ("shell", "function", None, "error", "exit code 2", 1_005),
        ("shell", "function", None, "error", "exit code 1", None),
        ("get", None, "jira", "ok", None, None),
        ("apply_patch", "custom", None, "ok", None, None),
        ("web_search", "web_search", None, "ok", None, None),
        ("shell", "function", None, "aborted", None, None),
    ]
    assert "secret" not in json.dumps(events)


def test_codex_sessions_tell_their_patches_and_repository() -> None:
    patch = {
        "/a": {"update": {"unified_diff": "--- a\n+++ b\n@@\n-x\n+y\n+z"}},
        "/b": {"type": "add", "content": "1\n2\n3\n"},
        "/c": {"delete": {"content": "1\n2"}},
    }
    done = {"type": "patch_apply_end", "call_id": "p", "success": True, "changes": patch}
    git = {"repository_url": "git@example.com:shop/web.git"}
    events, _, _ = rollout(
        ("event_msg", done), ("event_msg", done), ("event_msg", done | {"success": False}), git=git
    )
    (session,) = events
    assert (session["lines_added"], session["lines_removed"], session["files_changed"]) == (5, 3, 3)
    assert (session["repository"], session["assistant"]) == ("web", "codex_cli_rs")
    assert (session["event_id"], session["duration_ms"]) == ("codex:session:th", 4_000)
    assert rollout(session_id="root")[0] == []  # an agent's thread is no session


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (record("r", None, {}), "token usage is missing"),
    ],
)
def test_codex_bad_lines_are_rejected_with_a_sentence(told: Any, sentence: str) -> None:
    one = spent(1, 0, 1)
    events, bad, _ = rollout(told, record("ok", one, one))
    assert [call["event_id"] for call in of(events, "llm")] == [call_id("th", (1, 0, 1, 0))]
    assert sentence in bad[0]


def sent(event: str, user: str | None = None, **properties: Any) -> dict[str, Any]:
    return {"event": event, "properties": properties, "user_id": user, "time": 1_732_990_534}


def call(cost: Any, model: Any = "gpt-4o", **more: Any) -> dict[str, Any]:
    told = {"prompt_tokens": 5, "completion_tokens": 1, "total_cost": 99, **more}
    return sent("message_send", main_model=model, cost=cost, **told)


def test_aider_ids_count_identical_lines_and_depend_on_nothing_else() -> None:
    lines = [call(1), call(1), call(2), call(1, edit_format="diff")]
    events, _, _ = body("aider", *lines)
    ids = {event["event_id"] for event in events}
    assert len(ids) == 4
    shuffled = body("aider", *reversed(lines), sent("launched"))[0]
    assert {event["event_id"] for event in shuffled} == ids
    assert {event["event_id"] for event in body("aider", call(1))[0]} < ids


def test_aider_cost_is_of_the_call_and_nothing_is_free_for_want_of_a_price() -> None:
    unused = call(0, prompt_tokens=0, completion_tokens=0)
    events, _, _ = body("aider", call(0.1), call(0), call(0, "a/b:free"), unused, call(None))
    assert [event["cost_nano"] for event in events] == [10**8, None, 0, 0, None]
    assert {event["cost_origin"] for event in events} == {"reported", "unpriced"}


def test_aider_errors_keep_no_conversation() -> None:
    texts = [
        "litellm.RateLimitError: SYSTEM secret",
        "Messages don't alternate: SYSTEM secret",
        None,
    ]
    events, _, _ = body("aider", *(sent("message_send_exception", exception=t) for t in texts))
    assert [event["error_class"] for event in events] == ["RateLimitError", None, None]
    assert {event["status"] for event in events} == {"error"}


def test_given_owners_fill_what_the_logs_do_not_say() -> None:
    options = Options(user="bo", project="web")
    events, _, _ = body("aider", call(1), sent("command_add", "ana"), options=options)
    assert [(e["user"], e["project"]) for e in events] == [("bo", "web"), ("ana", "web")]
    events, _, _ = body("claude_code", answer(0, "a", 1), options=options)
    assert {(e["user"], e["project"]) for e in events} == {("bo", "web")}
