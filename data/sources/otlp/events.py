"""What the log events of command-line assistants have in common, whoever tells them."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.fields import program
from data.sources.format import Raw
from data.sources.otlp import names
from data.sources.otlp.attributes import Attributes, Names, first, first_text
from data.sources.otlp.items import Log, Point

PERSON: Final = Names("enduser.id", "user.email", "user.account_uuid", "user.account_id", "user.id")
CLIENTS: Final = {  # as in their own logs
    "claude_code": "claude-code",
    "codex": "codex-cli",
    "gemini_cli": "gemini-cli",
}
KEPT: Final = ("auth_type", "query_source", "speed", "terminal.type", "cost_center")
TRUTHS: Final = {"true": "ok", "false": "error"}
MCP: Final = {"kind": "integration", "integration_type": "mcp"}


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
        "tags": _tags(log),
    }


def used(tool: str | None, server: str | None, integrated: bool) -> Raw:
    """A tool call, as an integration where it went through MCP."""
    return {"tool": tool, **(MCP | {"integration": server} if integrated else {"kind": "tool"})}


def ended(own: Attributes) -> Raw:
    """How a tool call ended, by its `success`."""
    success = str(own.get("success", "true")).lower()
    if success not in TRUTHS:
        raise EventError(f"success is {success[:40]!r}, not true or false")
    return {"status": TRUTHS[success], "error_class": first(own, "error_type", "error.type")}


def digest(*place: Any) -> str:
    """A stable id of what has none: of the values that make it this one."""
    parts = orjson.dumps([str(part) for part in place])
    return hashlib.blake2b(parts, digest_size=12).hexdigest()


def _tags(log: Log | Point) -> dict[str, str] | None:
    kept = {name: first(log.attributes, name) or first(log.resource, name) for name in KEPT}
    kept["version"] = first(log.resource, "service.version")
    return {name: value for name, value in kept.items() if value} or None
