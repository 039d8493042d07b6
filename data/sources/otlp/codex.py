"""Codex's log events as events: calls, refused calls, tools, sessions."""

from __future__ import annotations

from typing import Final

from data.errors import EventError
from data.sources.codex.ids import Counts, call_id
from data.sources.fields import count
from data.sources.format import Raw
from data.sources.otlp.attributes import first
from data.sources.otlp.events import digest, ended, used
from data.sources.otlp.items import Log
from data.sources.otlp.names import tokens_of

STREAMED: Final = ("input_token_count", "output_token_count")
COUNTED: Final = (*STREAMED, "cached_token_count", "reasoning_token_count")


def codex_stream(log: Log) -> Raw | None:
    """A call that is completed, or failed, by the one event of its stream that says so."""
    own = log.attributes
    failed = own.get("event.kind") == "response.failed"
    if not failed and all(own.get(name) is None for name in STREAMED):
        return None
    told = {name: count(name, own.get(name)) for name in (*COUNTED, "cache_write_token_count")}
    written = told["cache_write_token_count"]
    thread = first(own, "conversation.id")
    known = {} if failed or not thread else {"event_id": call_id(thread, _counts(told))}
    return {
        **_call(log),
        **known,
        "status": "error" if failed else "ok",
        "ttft_ms": count("ttft_ms", own.get("ttft_ms")),
        **tokens_of(
            told["input_token_count"],
            told["cached_token_count"],
            written,
            told["output_token_count"],
            told["reasoning_token_count"],
        ),
    }


def _counts(told: dict[str, int | None]) -> Counts:
    fresh, output, cached, reasoning = (told[name] for name in COUNTED)
    return fresh, cached, output, reasoning


def codex_request(log: Log) -> Raw | None:
    """An attempt that was refused; one that was answered is told by its stream."""
    status = first(log.attributes, "http.response.status_code")
    if status is None and "error.message" not in log.attributes:
        return None
    if status is not None and status.startswith(("2", "1")):
        return None
    return {
        **_call(log),
        "status": "error",
        "error_class": status,
        "duration_ms": count("duration_ms", log.attributes.get("duration_ms")),
    }


def _call(log: Log) -> Raw:
    return {
        "event_id": _id(log, "event.kind", "attempt", *COUNTED),
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
        "event_id": f"codex:tool:{thread}:{call}" if call else _id(log, "tool_name"),
        **used(first(own, "tool_name"), server, server is not None),
        **ended(own),
        "duration_ms": count("duration_ms", own.get("duration_ms")),
    }


def codex_session(log: Log) -> Raw:
    """The session of a conversation, the same one each time it is resumed."""
    thread = first(log.attributes, "conversation.id")
    if thread is None:
        raise EventError("conversation.id is missing")
    return {"event_id": f"codex:session:{thread}", "kind": "session"}


def _id(log: Log, *more: str) -> str:
    """No id of the call is told: a digest of what makes the record this one."""
    asked = ("conversation.id", "event.timestamp", "event.name", *more)
    place = [str(log.attributes.get(name)) for name in asked]
    if "event.timestamp" not in log.attributes:
        place.append(str(log.time))
    return f"codex:otel:{digest(*place)}"
