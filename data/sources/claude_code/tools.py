"""Tools in a Claude Code log: called on one line, answered on a later one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from data.sources.claude_code.calls import Context, Line, tags
from data.sources.fields import called_tool, text, whole
from data.sources.format import Raw, Record

Change = tuple[str | None, int, int]  # the file, lines added, lines removed


@dataclass(slots=True)
class Tool:
    """A tool that was called and has not answered yet."""

    where: str
    raw: Raw

    def event(self, error: bool | None, result: Line | None) -> Record:
        """The event with its outcome; None: the log ends without one."""
        status = "aborted" if error is None else "error" if error else "ok"
        spent = [(result or {}).get(name) for name in ("durationMs", "totalDurationMs")]
        duration = next((value for value in spent if isinstance(value, int | float)), None)
        return self.where, self.raw | {"status": status, "duration_ms": whole("duration", duration)}


def used(
    where: str, context: Context, line: Line, message: Line, moment: datetime
) -> Iterator[tuple[str, Tool]]:
    """The tools a line of an answer calls, each with its id."""
    for block in _blocks(message):
        name, own = text(block.get("name")), text(block.get("id"))
        if block.get("type") != "tool_use" or name is None or own is None:
            continue
        given = block.get("input")
        agent = given.get("subagent_type") if isinstance(given, dict) else None
        yield own, Tool(where, {
            **context.of(line),
            "event_id": f"claude_code:tool:{own}",
            "ts": moment,
            **called_tool(name),
            "tags": tags(line, subagent=agent if isinstance(agent, str) else None),
        })  # fmt: skip


def results(line: Line) -> Iterator[tuple[str, bool]]:
    """The tools a line brings results of, and whether each failed."""
    message = line.get("message")
    for block in _blocks(message) if isinstance(message, dict) else ():
        own = block.get("tool_use_id")
        if block.get("type") == "tool_result" and isinstance(own, str):
            yield own.strip(), bool(block.get("is_error"))


def _blocks(message: Line) -> Iterator[Line]:
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict):
            yield block


def changed(result: Line) -> Change | None:
    """The file an edit changed, lines added, lines removed; None where the result tells none."""
    path, hunks = result.get("filePath"), result.get("structuredPatch")
    if not isinstance(hunks, list):
        return None
    content = result.get("content")
    if result.get("type") == "create" and isinstance(content, str):
        return path if isinstance(path, str) else None, len(content.splitlines()), 0
    lines = [
        line
        for hunk in hunks
        if isinstance(hunk, dict)
        for line in hunk.get("lines") or ()
        if isinstance(line, str)
    ]
    signs = [sum(line.startswith(sign) for line in lines) for sign in "+-"]
    return path if isinstance(path, str) else None, signs[0], signs[1]
