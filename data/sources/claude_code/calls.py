"""Model calls in a Claude Code log: several lines each, of which the last is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from data.errors import EventError
from data.sources.claude_code.context import Context, Line, tags
from data.sources.fields import count, nano, text, whole
from data.sources.format import Note, Raw, Record

SYNTHETIC: Final = "<synthetic>"
HOUR: Final = Note(
    "cache writes kept for an hour cost more than the price book's one rate: listed too low"
)
FAST: Final = Note("calls in fast mode cost more than the price book says: listed too low")
TOKENS: Final = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "output_tokens": "output_tokens",
}
Chain = tuple[bool, str | None]


def call_id(line: Line, message: Line, what: str = "") -> str:
    """The id of a call, the same on all its lines and in telemetry."""
    own = text(line.get("requestId")) or text(message.get("id")) or text(line.get("uuid"))
    if own is None:
        raise EventError("requestId, message.id and uuid are all missing")
    return f"claude_code:{what}{own}"


def synthetic(message: Line) -> bool:
    return message.get("model") == SYNTHETIC


def failed(line: Line, message: Line) -> bool:
    said = line.get("isApiErrorMessage")
    return bool(said) or (synthetic(message) and said is None)


def ended(message: Line) -> bool:
    """Whether a line says itself that it is the last of its call (many last ones do not)."""
    usage, reason = message.get("usage"), message.get("stop_reason")
    told = isinstance(usage, Mapping) and "iterations" in usage
    return told if reason is None else reason != "tool_use"


def failure(context: Context, line: Line, message: Line, moment: datetime) -> Raw:
    error, status = text(line.get("error")), line.get("apiErrorStatus")
    unnamed = error in (None, "unknown")
    return {
        **context.of(line),
        "event_id": call_id(line, message, "error:"),
        "ts": moment,
        "kind": "llm",
        "provider": "anthropic",
        "operation": "chat",
        "status": "error",
        "error_class": str(status) if unnamed and isinstance(status, int) else error,
        "tags": tags(line),
    }


@dataclass(slots=True)
class Call:
    """A call as one of its lines tells it; `whole` once nothing more can be told."""

    where: str
    chain: Chain
    raw: Raw
    notes: tuple[Note, ...]
    whole: bool = False

    @classmethod
    def of(cls, where: str, context: Context, line: Line, message: Line, moment: datetime) -> Call:
        usage = message.get("usage") or {}
        hour = count("one-hour cache writes", _hour(usage)) or None
        fast = "fast" if usage.get("speed") == "fast" else None
        raw = {
            **context.of(line),
            "ts": moment,
            "kind": "llm",
            "provider": "anthropic",
            "model": text(message.get("model")),
            "operation": "chat",
            "status": "ok",
            **_tokens(usage),
            "cost_nano": nano("costUSD", line.get("costUSD")),
            "duration_ms": whole("durationMs", line.get("durationMs")),
            "tags": tags(line, cache_write_1h=hour, speed=fast, searches=_searches(usage)),
        }
        notes = [note for note, said in ((HOUR, hour), (FAST, fast)) if said]
        chain = (bool(line.get("isSidechain")), text(line.get("agentId")))
        return cls(where, chain, raw, tuple(notes))

    def after(self, earlier: Call | None) -> Call:
        """The fuller of two lines of a call: the later, but for one that tells less output."""
        if earlier is None:
            return self
        less = (self.raw["output_tokens"] or 0) < (earlier.raw["output_tokens"] or 0)
        return earlier if less else self

    def records(self, key: str) -> Iterator[Record]:
        yield self.where, self.raw | {"event_id": key}
        for note in self.notes:
            yield self.where, note


def _tokens(usage: Line) -> Raw:
    return {ours: count(theirs, usage.get(theirs)) for ours, theirs in TOKENS.items()}


def _hour(usage: Line) -> Any:
    split = usage.get("cache_creation")
    return split.get("ephemeral_1h_input_tokens") if isinstance(split, Mapping) else None


def _searches(usage: Line) -> int | None:
    served = usage.get("server_tool_use")
    told = served.get("web_search_requests") if isinstance(served, Mapping) else None
    return count("web_search_requests", told) or None
