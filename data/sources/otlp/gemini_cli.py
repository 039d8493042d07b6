"""Gemini CLI's log events as events, by its documentation: calls, failed calls, tools, sessions."""

from __future__ import annotations

from typing import Final

from data.errors import EventError
from data.sources.fields import count
from data.sources.format import Raw
from data.sources.otlp.attributes import first
from data.sources.otlp.events import digest, ended, used
from data.sources.otlp.items import Log
from data.sources.otlp.names import tokens_of

COUNTED: Final = (
    *("input_token_count", "tool_token_count", "cached_content_token_count"),
    *("output_token_count", "thoughts_token_count"),
)


def gemini_call(log: Log) -> Raw:
    """An answered call: input INCLUDES cached, but not what tools fed in; output no thoughts."""
    own = log.attributes
    fresh, fed, cached, answer, thoughts = (count(name, own.get(name)) for name in COUNTED)
    fresh = fresh if fed is None else (fresh or 0) + fed
    output = answer if thoughts is None else (answer or 0) + thoughts
    return {**_call(log), **tokens_of(fresh, cached, None, output, thoughts)}


def gemini_error(log: Log) -> Raw:
    """A call that failed; the text of the error is not kept."""
    why = first(log.attributes, "error_type", "status_code")
    return {**_call(log), "status": "error", "error_class": why}


def gemini_tool(log: Log) -> Raw:
    """A tool call; `tool_type` mcp went through a server."""
    own = log.attributes
    kind, server = first(own, "tool_type"), first(own, "mcp_server_name")
    event = used(first(own, "function_name"), server, kind == "mcp")
    typed = {"tool_type": kind} if event["kind"] == "tool" else {}
    return {**_own(log, "tool:", "function_name"), **event, **typed, **ended(own)}


def gemini_session(log: Log) -> Raw:
    """The session that a program's start begins."""
    session = first(log.attributes, "session.id")
    if session is None:
        raise EventError("session.id is missing")
    return {"event_id": f"gemini_cli:session:{session}", "kind": "session"}


def _call(log: Log) -> Raw:
    own = log.attributes
    vertex = (first(own, "auth_type") or "").startswith("vertex")
    return {
        **_own(log, "", "model", *COUNTED),
        "kind": "llm",
        "provider": "gcp.vertex_ai" if vertex else "gcp.gemini",
        "model": first(own, "model"),
        "operation": "generate_content",
    }


def _own(log: Log, what: str, *more: str) -> Raw:
    """The id, a digest as no id is told, and the duration."""
    own = log.attributes
    asked = ("session.id", "event.timestamp", "event.name", "prompt_id", "duration_ms", *more)
    place = [own.get(name) for name in asked]
    if "event.timestamp" not in own:
        place.append(log.time)
    return {
        "event_id": f"gemini_cli:{what}{digest(*place)}",
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }
