"""What Claude Code prints: `claude -p --output-format stream-json` or `json`, its SDK's messages.

event_id      a run's calls of a model: `claude_code:result:` + the result's uuid + model, without a
              uuid a fingerprint of the result; the session: `claude_code:session:` + session_id,
              as in the session logs
ts            the first `timestamp` of a run's lines, where its writer added one, else --start
call          modelUsage of the `result`, one event a model (subagents and titles are in it). It
              stands for as many requests as the run's messages of that model have ids, for one
              where none were printed. Results of one process run on: of each, what came since the
              one before. inputTokens EXCLUDE cache reads and writes. Older results: usage alone
cost          costUSD of the model, of a single model total_cost_usd: reported, Claude Code's own
              estimate at API prices
session       duration of the run; a result that is an error is a failed one
context       client and repository from the `system` line
stays null    user and project (--user, --project)
not counted   usage of the single messages, which were printed before they were whole; a run
              without a result; runs whose session log lies in the same folder: it tells their
              calls one by one. Logs and output that are imported apart count twice
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import documents
from data.sources.fields import (
    count,
    decimal,
    digest,
    folder_name,
    nano,
    part,
    program,
    tags_json,
    text,
    whole,
)
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record
from data.sources.sessions import END, instant, log_records

TYPES: Final = ("system", "result", "assistant", "user", "stream_event", "rate_limit_event")
# As modelUsage and as usage call them.
COUNTS: Final = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheCreationInputTokens": "cache_creation_input_tokens",
    "webSearchRequests": "web_search_requests",
}
SESSION: Final = re.compile(r"[0-9A-Za-z_-]+")
TOKENS: Final = tuple(COUNTS)[:4]
UNFINISHED: Final = Note("a run has no result: it was cut off, and its use is not told")
LOGGED: Final = Note("runs whose session log lies beside: its calls count, not the run's sums")
APART: Final = Note("runs told by their output: import it or the session logs of them, not both")
Line = Mapping[str, Any]
Counters = dict[str, Decimal]


def recognises(head: Head) -> bool:
    first = head.first
    return first.get("type") in TYPES and "session_id" in first and "qwen_code_version" not in first


def read(file: File, options: Options) -> Iterator[Record]:
    return log_records(documents(file), Output(file, options.start).take, options)


@dataclass(slots=True)
class Output:
    """The state of reading one file; `take` is given each message, then `END`."""

    file: File
    start: datetime | None
    moment: datetime | None = None
    version: Any = None
    folder: str | None = None
    model: str | None = None
    running: bool = False
    messages: dict[str, str] = field(default_factory=dict)  # models of a run's message ids
    before: dict[str, dict[str, Counters]] = field(default_factory=dict)  # by session

    def take(self, where: str, line: Line) -> Iterator[Record]:
        if line is END:
            if self.running:
                yield where, UNFINISHED
            return
        self.running = True
        self.moment = self.moment or instant(line.get("timestamp"))
        kind, message = line.get("type"), part(line, "message")
        if kind == "system":
            self._learn(line)
        elif kind == "assistant" and isinstance(message.get("id"), str):
            self.messages[message["id"]] = _named(str(message.get("model")))
        elif kind == "result":
            yield from self._result(where, line)

    def _learn(self, line: Line) -> None:
        self.version = line.get("claude_code_version") or self.version
        self.folder = folder_name(line.get("cwd")) or self.folder
        self.model = text(line.get("model")) or self.model

    def _result(self, where: str, line: Line) -> Iterator[Record]:
        moment, messages = self.moment or self.start, list(self.messages.values())
        self.running, self.moment, self.messages = False, None, {}
        session = text(line.get("session_id"))
        if session is None or "total_cost_usd" not in line:
            raise EventError("the result has no session_id or total_cost_usd: not Claude Code's")
        if _has_log(self.file, session):
            yield where, LOGGED
            return
        if moment is None:
            raise EventError("the output tells no time: give when it ran with --start")
        yield where, APART
        for model, used in self._told(session, line).items():
            if any(used[name] for name in COUNTS):
                requests = messages.count(_named(model)) or None
                yield where, self._calls(line, moment, model, used) | {"request_count": requests}
        yield where, self._session(line, moment)

    def _told(self, session: str, line: Line) -> dict[str, Counters]:
        """The counters of each model that this result adds to the ones before."""
        total = decimal("total_cost_usd", line.get("total_cost_usd"))
        usage = _counters(part(line, "usage"), tuple(COUNTS.values()))
        models = {
            model: _counters(used, tuple(COUNTS)) | _cost(used.get("costUSD"))
            for model, used in part(line, "modelUsage").items()
            if isinstance(used, Mapping)
        }
        now = models or {self.model or "unknown": usage}
        if len(now) == 1:
            now = {model: used | _cost(total) for model, used in now.items()}
        before, self.before[session] = self.before.get(session, {}), now
        return _since(before, now, usage) if models else now

    def _calls(self, line: Line, moment: datetime, model: str, used: Counters) -> Raw:
        named = _named(model)
        tokens = [int(used[name]) for name in TOKENS]
        return self._context(line, moment) | {
            "event_id": f"claude_code:result:{_id(line)}:{model}",
            "kind": "llm",
            "status": "ok",
            "provider": "anthropic" if named.startswith("claude") else None,
            "model": None if named == "unknown" else named,
            "operation": "chat",
            "input_tokens": tokens[0],
            "output_tokens": tokens[1],
            "cached_input_tokens": tokens[2],
            "cache_write_tokens": tokens[3],
            "cost_nano": nano("costUSD", used["cost"]) if "cost" in used else None,
            "web_searches": int(used["webSearchRequests"]) or None,
        }

    def _session(self, line: Line, moment: datetime) -> Raw:
        failed = bool(line.get("is_error"))
        return self._context(line, moment) | {
            "event_id": f"claude_code:session:{text(line.get('session_id'))}",
            "kind": "session",
            "status": "error" if failed else "ok",
            "error_class": text(line.get("subtype")) if failed else None,
            "duration_ms": whole("duration_ms", line.get("duration_ms")),
            "tags": tags_json(turns=count("num_turns", line.get("num_turns"))),
        }

    def _context(self, line: Line, moment: datetime) -> Raw:
        return {
            "ts": moment,
            "channel": "cli",
            "source": "claude_code",
            "conversation_id": text(line.get("session_id")),
            "client": program("claude-code", self.version),
            "repository": self.folder,
        }


def _named(model: str) -> str:
    """A model's name without the width of its context, `[1m]`."""
    return model.partition("[")[0]


def _counters(told: Line, names: tuple[str, ...]) -> Counters:
    searches = part(told, "server_tool_use")
    return {
        ours: Decimal(count(name, told.get(name, searches.get(name))) or 0)
        for ours, name in zip(COUNTS, names, strict=True)
    }


def _cost(dollars: Any) -> Counters:
    told = decimal("costUSD", dollars)
    return {} if told is None else {"cost": told}


def _since(
    before: Mapping[str, Counters], now: dict[str, Counters], usage: Counters
) -> dict[str, Counters]:
    """What came since the result before, where these run on; all of it where they began anew.

    `usage` is the turn's own: counters that run on hold it beside all there was before."""
    grown = sum(_tokens(used) for used in now.values()) - sum(map(_tokens, before.values()))
    runs_on = grown >= _tokens(usage) and all(
        now.get(model, {}).get(name, Decimal(-1)) >= value
        for model, used in before.items()
        for name, value in used.items()
    )
    if not runs_on:
        return now
    return {
        model: {name: value - before.get(model, {}).get(name, 0) for name, value in used.items()}
        for model, used in now.items()
    }


def _tokens(used: Counters) -> Decimal:
    return sum((used[name] for name in TOKENS), Decimal(0))


def _id(line: Line) -> str:
    own = text(line.get("uuid"))
    return own or digest(*(line.get(name) for name in (
        "session_id", "duration_ms", "num_turns", "total_cost_usd", "usage", "modelUsage",
    )))  # fmt: skip


def _has_log(file: File, session: str) -> bool:
    """Whether the log of a session lies in the folder that is being read."""
    inside = len(PurePath(file.name).parts)
    if file.path is None or inside < 2 or not SESSION.fullmatch(session):
        return False
    root = file.path.parents[inside - 2]
    return any(path != file.path for path in root.rglob(f"{session}.jsonl*"))


FORMAT = Format("claude_code_output", "Claude Code's printed output", recognises, read)
