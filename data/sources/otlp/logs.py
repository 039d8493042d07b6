"""Log events as events: what coding assistants tell of calls, tools, sessions.

The convention stands at the top of `requests.py`. Everything else is nobody's use: prompts,
decisions, phases, the pieces of a stream, and the events of GenAI instrumentations, which repeat a
span.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from data.sources.format import Note, Raw
from data.sources.otlp.claude_code import claude_call, claude_error, claude_tool
from data.sources.otlp.codex import codex_request, codex_session, codex_stream, codex_tool
from data.sources.otlp.events import common
from data.sources.otlp.gemini_cli import gemini_call, gemini_error, gemini_session, gemini_tool
from data.sources.otlp.items import Log

CLAUDE_SCOPE: Final = "com.anthropic.claude_code"
SPAN_EVENT: Final = "gen_ai.client.inference.operation.details"
SPAN_AGAIN: Final = Note(f"{SPAN_EVENT} repeats a span: not counted")
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


def log_events(log: Log) -> Iterator[Raw | Note]:
    """The event of a log record, a note on why there is none, or nothing."""
    name = log.name
    if log.scope.startswith(CLAUDE_SCOPE) and not name.startswith("claude_code."):
        name = f"claude_code.{log.attributes.get('event.name')}"
    if name == SPAN_EVENT:
        yield SPAN_AGAIN
    elif name in MAKERS and (made := MAKERS[name](log)) is not None:
        yield {**common(log, name.partition(".")[0]), **made}
