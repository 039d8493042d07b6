"""Claude Code's log events as events: calls, failed calls, tools."""

from __future__ import annotations

from typing import Any

from data.sources.fields import count, nano, parsed
from data.sources.format import Raw
from data.sources.otlp.attributes import first
from data.sources.otlp.events import digest, ended, used
from data.sources.otlp.items import Log


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
    known = own | (details if isinstance(details, dict) else {})
    server, name = first(known, "mcp_server_name"), first(known, "mcp_tool_name") or tool
    if tool.startswith("mcp__"):
        _, server, name = (*tool.split("__", 2), "")[:3]
    return {
        "event_id": _claude_id(log, "tool:", own.get("tool_use_id")),
        **used(name, server, tool == "mcp_tool" or bool(server)),
        **ended(own),
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
