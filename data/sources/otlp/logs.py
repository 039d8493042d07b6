"""Log events and metrics as events: what coding assistants tell of calls, tools, sessions.

The convention stands at the top of `requests.py`. Everything else is nobody's use: prompts,
decisions, phases, the pieces of a stream, and the events of GenAI instrumentations, which repeat
a span, which is noted. An event of another name with counts like theirs or about a model is named,
and so are counts of a known event that nobody reads.

Metrics are sums of what spans and log events tell one by one, so a report says they are there, and
that their use is missing where those are not sent (`callbacks/receive/otlp.py` answers so, too).
Whether they come as portions (delta) or running totals (cumulative) makes no difference: none is
counted but `claude_code.session.count`, whose session becomes one event under its own id,
however often it is told. Lines of code come in portions, and a session is one event that never
changes: they are taken from the session's files, not from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from data.errors import EventError
from data.sources.format import MOST_NAMED, UNREAD, Note, Raw
from data.sources.otlp.agents import (
    COUNTED,
    claude_call,
    claude_error,
    claude_tool,
    codex_request,
    codex_session,
    codex_stream,
    codex_tool,
    common,
    gemini_call,
    gemini_error,
    gemini_session,
    gemini_tool,
    unread,
)
from data.sources.otlp.attributes import first, genai_names
from data.sources.otlp.items import DELTA, Log, Point
from data.sources.unread import is_something

CLAUDE_SCOPE: Final = "com.anthropic.claude_code"
SPAN_EVENT: Final = "gen_ai.client.inference.operation.details"
NO_USE: Final = frozenset({  # of events with counts of their own
    f"claude_code.{name}" for name in
    ("user_prompt", "tool_decision", "assistant_response", "hook_execution_start")
})  # fmt: skip
LOST: Final = "log events with tokens or money became nothing"
UNCOUNTED_EVENTS: Final = "log events with GenAI attributes became nothing"
MESSAGE: Final = re.compile(r"gen_ai\.(?:(?:system|user|assistant|tool)\.message|choice)")
REPEATS_MESSAGE: Final = Note("gen_ai.*.message and gen_ai.choice repeat a span: not counted")
REPEATS_SPAN: Final = Note(f"{SPAN_EVENT} repeats a span: not counted")
MAKERS: Final[dict[str, Callable[[Log], Raw | None]]] = {
    "claude_code.api_request": claude_call,
    "claude_code.api_error": claude_error,
    "claude_code.tool_result": claude_tool,
    "codex.sse_event": codex_stream,
    "codex.api_request": codex_request,
    "codex.tool_result": codex_tool,
    "codex.conversation_starts": codex_session,
    "gemini_cli.api_response": gemini_call,
    "gemini_cli.api_error": gemini_error,
    "gemini_cli.tool_call": gemini_tool,
    "gemini_cli.config": gemini_session,
}
SESSIONS: Final = "claude_code.session.count"
LINES: Final = "claude_code.lines_of_code.count"
METRICS_ONLY: Final = (
    "log events and spans tell the same use one by one; where those are not sent, it is missing"
)
SUMMED_METRICS: Final = (
    "claude_code.cost.usage",
    "claude_code.token.usage",
    "gen_ai.client.token.usage",
    "gen_ai.client.operation.duration",
    "gen_ai.client.inference.",
    "codex.",
    "gemini_cli.",
)


def log_events(log: Log) -> Iterator[Raw | Note]:
    """The event of a log record, a note on why there is none, or nothing."""
    name = log.name
    if log.scope.startswith(CLAUDE_SCOPE) and not name.startswith("claude_code."):
        name = f"claude_code.{log.attributes.get('event.name')}"
    if name == SPAN_EVENT:
        yield REPEATS_SPAN
    elif name in MAKERS:
        if (made := MAKERS[name](log)) is not None:
            yield {**common(log, name.partition(".")[0]), **made}
            yield from _left(unread(log))
    elif name not in NO_USE:
        yield from _uncounted(log)


def _uncounted(log: Log) -> Iterator[Note]:
    """Why an event with counts or about a model became nothing."""
    name = log.name or str(log.attributes.get("event.name", "no name"))
    if _has_counts(log):
        yield Note(f"{LOST}: {name[:80]}")
    elif MESSAGE.fullmatch(name):
        yield REPEATS_MESSAGE
    elif name.startswith("gen_ai.") or genai_names(log.attributes):
        yield Note(f"{UNCOUNTED_EVENTS}: {name[:80]}")


def _has_counts(log: Log) -> bool:
    return any(is_something(log.attributes[name]) for name in COUNTED & log.attributes.keys())


def _left(names: list[str]) -> Iterator[Note]:
    if names:
        yield Note(UNREAD.format("otlp", ", ".join(names[:MOST_NAMED])))


def point_events(point: Point) -> Iterator[Raw | Note]:
    """The session of a data point, or a note on why it is not counted, or nothing."""
    if point.name == SESSIONS:
        yield _claude_session(point)
    elif point.name == LINES:
        yield Note(f"{LINES}: lines come in portions, a session is one event; not counted")
    elif point.name.startswith(SUMMED_METRICS):
        kind = "delta" if point.temporality == DELTA else "cumulative"
        yield Note(f"{point.name} ({kind}) is not counted: {METRICS_ONLY}")


def _claude_session(point: Point) -> Raw:
    session = first(point.attributes, "session.id")
    if session is None:
        raise EventError("session.id is missing")
    return {
        **common(point, "claude_code"),
        "event_id": f"claude_code:session:{session}",
        "kind": "session",
        "ts": (point.start or point.time) // 1_000 or None,
    }
