"""Tools in a Codex rollout: the call, the event of the program that ran, the output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from data.sources.codex.calls import Context
from data.sources.fields import called_tool, text
from data.sources.format import Raw, Record

CALLS: Final = {
    "function_call": "function",
    "custom_tool_call": "custom",
    "local_shell_call": "local_shell",
    "web_search_call": "web_search",
}
BAD: Final = {"failed", "declined"}
Line = Mapping[str, Any]
Change = tuple[str, int, int]  # the file, lines added, lines removed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tool's program ended; what is not told is None."""

    id: str
    error: bool | None
    error_class: str | None
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class Patch:
    """The files that one tool changed."""

    id: str
    changes: list[Change]


@dataclass(slots=True)
class Tool:
    """A tool that was called and has not answered yet."""

    where: str
    raw: Raw
    outcome: Outcome | None = None

    @classmethod
    def of(cls, where: str, context: Context, payload: Line, moment: datetime) -> Tool:
        kind = CALLS[payload["type"]]
        own = text(payload.get("call_id")) or text(payload.get("id"))
        spelled = f"{context.named()}:{own or moment.isoformat()}"
        raw = {
            **context.of(),
            "event_id": f"codex:tool:{spelled}",
            "ts": moment,
            **_named(text(payload.get("name")) or kind, text(payload.get("namespace")), kind),
        }
        return cls(where, raw)

    def learn(self, found: Outcome) -> None:
        """Take in what is told; an earlier word about failure stands."""
        if self.outcome is None or self.outcome.error is None:
            self.outcome = found

    def event(self, *, ended: bool) -> Record:
        outcome = self.outcome
        failed = outcome is not None and outcome.error
        return self.where, self.raw | {
            "status": "error" if failed else "ok" if ended else "aborted",
            "error_class": outcome.error_class if outcome and failed else None,
            "duration_ms": outcome.milliseconds if outcome else None,
        }


def _named(name: str, space: str | None, kind: str) -> Raw:
    called = called_tool(f"{space}__{name}" if space and space.startswith("mcp__") else name)
    through_mcp = called["kind"] == "integration"
    return called if through_mcp else {"kind": "tool", "tool": name, "tool_type": kind}


def outcome(payload: Line) -> Outcome | None:
    """How a tool ended, from the event of its end, a completed item, or its output."""
    item = payload.get("item")
    fields = item if isinstance(item, dict) else payload
    own = text(fields.get("call_id")) or text(fields.get("id"))
    if own is None:
        return None
    code, success = _code(fields), fields.get("success")
    failed = (
        str(fields.get("status")) in BAD or (code is not None and code != 0) or success is False
    )
    error = True if failed else None if code is None and success is None else False
    return Outcome(own, error, f"exit code {code}" if code else None, _span(fields.get("duration")))


def _code(fields: Line) -> int | None:
    code = fields.get("exit_code")
    output = fields.get("output")
    if code is None and isinstance(output, str) and output.startswith("{"):
        try:
            metadata = orjson.loads(output).get("metadata")
        except ValueError:
            return None
        code = metadata.get("exit_code") if isinstance(metadata, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _span(duration: Any) -> int | None:
    if not isinstance(duration, dict):
        return None
    seconds, nanos = duration.get("secs"), duration.get("nanos")
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    return seconds * 1_000 + nanos // 1_000_000


def change_of(payload: Line) -> Patch | None:
    """The files that an applied patch changed, where the log tells them."""
    item = payload.get("item")
    fields = item if isinstance(item, dict) else payload
    own = text(fields.get("call_id")) or text(fields.get("id"))
    if own is None or fields.get("success") is False or str(fields.get("status")) in BAD:
        return None
    changes = list(_changes(fields.get("changes")))
    return Patch(own, changes) if changes else None


def _changes(changes: Any) -> Iterator[Change]:
    named: list[tuple[Any, Any]] = list(changes.items()) if isinstance(changes, dict) else []
    if isinstance(changes, list):
        named = [(one.get("path"), one) for one in changes if isinstance(one, dict)]
    for path, change in named:
        if isinstance(path, str) and isinstance(change, dict):
            yield path, *_lines(change)


def _lines(change: Line) -> tuple[int, int]:
    """Lines added and removed by a unified diff, or by writing or deleting a whole file."""
    for name in ("add", "update", "delete"):
        if isinstance(inner := change.get(name), Mapping):
            change = {"type": name, **inner}
    diff = change.get("unified_diff") or change.get("diff")
    kind, content = change.get("type"), change.get("content")
    if isinstance(kind, dict):
        kind = kind.get("type")
    if isinstance(content, str) or (isinstance(diff, str) and kind in ("add", "delete")):
        size = len(str(content if isinstance(content, str) else diff).splitlines())
        return (0, size) if kind == "delete" else (size, 0)
    lines = diff.splitlines() if isinstance(diff, str) else []
    added = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("--- ") for line in lines)
    return added, removed
