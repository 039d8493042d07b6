"""Log events of command-line assistants as events: Claude Code, Codex, Gemini CLI (by its docs)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from data.errors import EventError
from data.sources.codex.calls import Counts, call_id
from data.sources.fields import count, digest, mcp_tool, nano, parsed, program
from data.sources.format import Raw
from data.sources.otlp import names
from data.sources.otlp.attributes import Attributes, first, first_text
from data.sources.otlp.items import Log, Point
from data.sources.otlp.names import Names
from data.sources.otlp.usage import tokens_of
from data.sources.unread import is_something, matters

PERSON: Final = Names("enduser.id", "user.email", "user.account_uuid", "user.account_id", "user.id")
CLIENTS: Final = {  # as in their own logs
    "claude_code": "claude-code",
    "codex": "codex-cli",
    "gemini_cli": "gemini-cli",
}
TAGS: Final = ("auth_type", "query_source", "speed", "terminal.type", "cost_center")
TRUTHS: Final = {"true": "ok", "false": "error"}
MCP: Final = {"kind": "integration", "integration_type": "mcp"}
STREAMED: Final = ("input_token_count", "output_token_count")
CODEX_COUNTS: Final = (*STREAMED, "cached_token_count", "reasoning_token_count")
GEMINI_COUNTS: Final = (
    *("input_token_count", "tool_token_count", "cached_content_token_count"),
    *("output_token_count", "thoughts_token_count"),
)


# Attributes with tokens or money that the makers below ask for.
COUNTED: Final = frozenset({
    *("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens", "cost_usd"),
    *CODEX_COUNTS, "cache_write_token_count", *GEMINI_COUNTS,
})  # fmt: skip
# The same in another unit, and how much a conversation, a tool or a cache held.
LEFT: Final = frozenset({
    *("cost_usd_micros", "tokens_before", "tokens_after", "tool_result_tokens", "cost_center"),
})  # fmt: skip


def unread(log: Log) -> list[str]:
    """Attributes of an event that may hold tokens, money or counts and that nobody reads."""
    found = _unread(tuple(log.attributes))
    return [name for name in found if is_something(log.attributes[name])] if found else []


@lru_cache(1_024)
def _unread(names_told: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(n for n in names_told if n not in COUNTED and n not in LEFT and matters(n))


def common(log: Log | Point, emitter: str) -> Raw:
    """What every event of a command-line assistant says, from a log record or a metric."""
    own = log.attributes
    return {
        "ts": log.time // 1_000 or None,
        "channel": "cli",
        "source": emitter,
        "status": "ok",
        "user": first_text(own, PERSON) or first_text(log.resource, PERSON),
        "project": first_text(own, names.PROJECT) or first_text(log.resource, names.PROJECT),
        "project_name": first_text(own, names.PROJECT_NAME)
        or first_text(log.resource, names.PROJECT_NAME),
        "conversation_id": first(own, "session.id", "conversation.id"),
        "client": program(CLIENTS[emitter], first(log.resource, "service.version")),
        "assistant": first(own, "originator"),
        "tags": agent_tags(log),
    }


def tool_fields(tool: str | None, server: str | None, integrated: bool) -> Raw:
    """A tool call, as an integration where it went through MCP."""
    return {"tool": tool, **(MCP | {"integration": server} if integrated else {"kind": "tool"})}


def outcome_fields(own: Attributes) -> Raw:
    """How a tool call ended, by its `success`."""
    success = str(own.get("success", "true")).lower()
    if success not in TRUTHS:
        raise EventError(f"success is {success[:40]!r}, not true or false")
    return {"status": TRUTHS[success], "error_class": first(own, "error_type", "error.type")}


def agent_tags(log: Log | Point) -> dict[str, str] | None:
    tags = {name: first(log.attributes, name) or first(log.resource, name) for name in TAGS}
    tags["version"] = first(log.resource, "service.version")
    return {name: value for name, value in tags.items() if value} or None


def claude_call(log: Log) -> Raw:
    """An answered call; its input EXCLUDES cache reads and writes."""
    own = log.attributes
    return {
        "event_id": _claude_id(log, "", own.get("request_id")),
        "kind": "llm",
        "provider": "anthropic",
        "model": first(own, "model"),
        "operation": "chat",
        "input_tokens": count("input_tokens", own.get("input_tokens")),
        "cached_input_tokens": count("cache_read_tokens", own.get("cache_read_tokens")),
        "cache_write_tokens": count("cache_creation_tokens", own.get("cache_creation_tokens")),
        "output_tokens": count("output_tokens", own.get("output_tokens")),
        "cost_nano": nano("cost_usd", own.get("cost_usd")),
        "duration_ms": count("duration_ms", own.get("duration_ms")),
        "ttft_ms": count("ttft_ms", own.get("ttft_ms")),
    }


def claude_error(log: Log) -> Raw:
    """A call that failed for good; the text of the error is not kept."""
    own = log.attributes
    return {
        "event_id": _claude_id(log, "error:", own.get("request_id")),
        "kind": "llm",
        "provider": "anthropic",
        "model": first(own, "model"),
        "operation": "chat",
        "status": "error",
        "error_class": first(own, "error_type", "status_code"),
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }


def claude_tool(log: Log) -> Raw:
    """A tool call; `mcp__server__tool` and its newer spellings went through MCP."""
    own = log.attributes
    tool = first(own, "tool_name") or ""
    details = parsed("tool_parameters", own.get("tool_parameters"))
    fields = own | (details if isinstance(details, dict) else {})
    server, name = first(fields, "mcp_server_name"), first(fields, "mcp_tool_name") or tool
    if through := mcp_tool(tool):
        server, name = through
    return {
        "event_id": _claude_id(log, "tool:", own.get("tool_use_id")),
        **tool_fields(name, server, tool == "mcp_tool" or bool(server)),
        **outcome_fields(own),
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }


def _claude_id(log: Log, what: str, own: Any) -> str:
    """`claude_code:` + the id of the request; of older versions session and sequence."""
    if isinstance(own, str) and own.strip():
        return f"claude_code:{what}{own.strip()}"
    place = [log.attributes.get(name) for name in ("session.id", "event.sequence")]
    if None in place:
        place = [log.time, *(str(log.attributes.get(n)) for n in ("session.id", "event.name"))]
    return f"claude_code:{what}{digest(*place)}"


def codex_stream(log: Log) -> Raw | None:
    """A call that is completed, or failed, by the one event of its stream that says so."""
    own = log.attributes
    failed = own.get("event.kind") == "response.failed"
    if not failed and all(own.get(name) is None for name in STREAMED):
        return None
    counts = {
        name: count(name, own.get(name)) for name in (*CODEX_COUNTS, "cache_write_token_count")
    }
    written = counts["cache_write_token_count"]
    thread = first(own, "conversation.id")
    call = {} if failed or not thread else {"event_id": call_id(thread, _codex_call_counts(counts))}
    return {
        **_codex_call(log),
        **call,
        "status": "error" if failed else "ok",
        "ttft_ms": count("ttft_ms", own.get("ttft_ms")),
        **tokens_of(
            counts["input_token_count"],
            counts["cached_token_count"],
            written,
            counts["output_token_count"],
            counts["reasoning_token_count"],
        ),
    }


def _codex_call_counts(counts: dict[str, int | None]) -> Counts:
    fresh, output, cached, reasoning = (counts[name] for name in CODEX_COUNTS)
    return fresh, cached, output, reasoning


def codex_request(log: Log) -> Raw | None:
    """An attempt that was refused; one that was answered is told by its stream."""
    status = first(log.attributes, "http.response.status_code")
    if status is None and "error.message" not in log.attributes:
        return None
    if status is not None and status.startswith(("2", "1")):
        return None
    return {
        **_codex_call(log),
        "status": "error",
        "error_class": status,
        "duration_ms": count("duration_ms", log.attributes.get("duration_ms")),
    }


def _codex_call(log: Log) -> Raw:
    return {
        "event_id": _codex_id(log, "event.kind", "attempt", *CODEX_COUNTS),
        "kind": "llm",
        "model": first(log.attributes, "model"),
        "operation": "chat",
    }


def codex_tool(log: Log) -> Raw:
    """A tool call; one of an MCP server names it."""
    own = log.attributes
    server, call = first(own, "mcp_server"), first(own, "call_id")
    thread = first(own, "conversation.id")
    return {
        "event_id": f"codex:tool:{thread}:{call}" if call else _codex_id(log, "tool_name"),
        **tool_fields(first(own, "tool_name"), server, server is not None),
        **outcome_fields(own),
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }


def codex_session(log: Log) -> Raw:
    """The session of a conversation, the same one each time it is resumed."""
    thread = first(log.attributes, "conversation.id")
    if thread is None:
        raise EventError("conversation.id is missing")
    return {"event_id": f"codex:session:{thread}", "kind": "session"}


def _codex_id(log: Log, *more: str) -> str:
    """No id of the call is told: a digest of what makes the record this one."""
    names_of_id = ("conversation.id", "event.timestamp", "event.name", *more)
    place = [str(log.attributes.get(name)) for name in names_of_id]
    if "event.timestamp" not in log.attributes:
        place.append(str(log.time))
    return f"codex:otel:{digest(*place)}"


def gemini_call(log: Log) -> Raw:
    """An answered call: input INCLUDES cached, but not what tools fed in; output no thoughts."""
    own = log.attributes
    fresh, fed, cached, answer, thoughts = (count(name, own.get(name)) for name in GEMINI_COUNTS)
    fresh = fresh if fed is None else (fresh or 0) + fed
    output = answer if thoughts is None else (answer or 0) + thoughts
    return {**_gemini_call(log), **tokens_of(fresh, cached, None, output, thoughts)}


def gemini_error(log: Log) -> Raw:
    """A call that failed; the text of the error is not kept."""
    why = first(log.attributes, "error_type", "status_code")
    return {**_gemini_call(log), "status": "error", "error_class": why}


def gemini_tool(log: Log) -> Raw:
    """A tool call; `tool_type` mcp went through a server."""
    own = log.attributes
    kind, server = first(own, "tool_type"), first(own, "mcp_server_name")
    event = tool_fields(first(own, "function_name"), server, kind == "mcp")
    typed = {"tool_type": kind} if event["kind"] == "tool" else {}
    return {
        **_gemini_call_fields(log, "tool:", "function_name"),
        **event,
        **typed,
        **outcome_fields(own),
    }


def gemini_session(log: Log) -> Raw:
    """The session that a program's start begins."""
    session = first(log.attributes, "session.id")
    if session is None:
        raise EventError("session.id is missing")
    return {"event_id": f"gemini_cli:session:{session}", "kind": "session"}


def _gemini_call(log: Log) -> Raw:
    own = log.attributes
    vertex = (first(own, "auth_type") or "").startswith("vertex")
    return {
        **_gemini_call_fields(log, "", "model", *GEMINI_COUNTS),
        "kind": "llm",
        "provider": "gcp.vertex_ai" if vertex else "gcp.gemini",
        "model": first(own, "model"),
        "operation": "generate_content",
    }


def _gemini_call_fields(log: Log, what: str, *more: str) -> Raw:
    """The id, a digest as no id is told, and the duration."""
    own = log.attributes
    names_of_id = ("session.id", "event.timestamp", "event.name", "prompt_id", "duration_ms", *more)
    place = [own.get(name) for name in names_of_id]
    if "event.timestamp" not in own:
        place.append(log.time)
    return {
        "event_id": f"gemini_cli:{what}{digest(*place)}",
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }
