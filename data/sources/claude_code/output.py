"""What Claude Code prints: `claude -p --output-format stream-json` or `json`, its SDK's messages.

event_id      where the printed messages are all of what the result says that a model used: a
              message's id, and the `shared_id` of the session logs, so that logs and output count
              once. Else the model's sum: `claude_code:result:` + the result's uuid + model, without
              a uuid a fingerprint of the result. The session: `claude_code:session:` + session_id
ts            the first `timestamp` of a run's lines, where its writer added one, else --start
call          modelUsage of the `result` (subagents and titles are in it) decides. Messages are
              mostly printed before their output is counted: then one event a model stands for as
              many requests as messages of it were printed, for one where none were. Results of one
              process run on: of each, what came since the one before. inputTokens EXCLUDE cache
              reads and writes; where a single model leaves those out, they are usage's, then at
              list prices. Older results: usage alone
cost          costUSD of the model, of a single model total_cost_usd: reported, Claude Code's own
              estimate at API prices; of messages their part of it, as their tokens are priced
session       duration of the run; a result that is an error is a failed one
context       client and repository from the `system` line
stays null    user and project (--user, --project)
not counted   a run without a result; what a session log in the same folder tells call by call. The
              sums give way to the calls of a log that is imported apart (`SUM_OF_SESSION`)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final

from data.errors import EventError
from data.sources.claude_code.calls import shared_by_prompt
from data.sources.claude_code.totals import (
    COUNTS,
    PROMPT,
    Counters,
    Message,
    add_up,
    cost,
    named,
    of_models,
    of_usage,
    shares,
    since,
    with_cached,
)
from data.sources.entries import documents
from data.sources.fields import (
    count,
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
from data.sources.sessions import END, instant_or_none, log_records

TYPES: Final = ("system", "result", "assistant", "user", "stream_event", "rate_limit_event")
SESSION: Final = re.compile(r"[0-9A-Za-z_-]+")
UNFINISHED: Final = Note("a run has no result: it was cut off, and its use is not told")
LOGGED: Final = Note("runs whose session log lies beside: its calls count, not what was printed")
SEPARATE: Final = Note("runs told by sums: these give way to the calls of the runs' session logs")
Line = Mapping[str, Any]


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
    messages: dict[str, Message] = field(default_factory=dict)  # of a run, by their ids
    before: dict[str, dict[str, Counters]] = field(default_factory=dict)  # by session

    def take(self, where: str, line: Line) -> Iterator[Record]:
        if line is END:
            if self.running:
                yield where, UNFINISHED
            return
        self.running = True
        self.moment = self.moment or instant_or_none(line.get("timestamp"))
        kind, message = line.get("type"), part(line, "message")
        if kind == "system":
            self._learn(line)
        elif kind == "assistant" and isinstance(message.get("id"), str):
            model, used = named(str(message.get("model"))), of_usage(part(message, "usage"))
            self.messages[message["id"]] = Message(model, used)
        elif kind == "result":
            yield from self._result(where, line)

    def _learn(self, line: Line) -> None:
        self.version = line.get("claude_code_version") or self.version
        self.folder = folder_name(line.get("cwd")) or self.folder
        self.model = text(line.get("model")) or self.model

    def _result(self, where: str, line: Line) -> Iterator[Record]:
        moment, messages = self.moment or self.start, self.messages
        self.running, self.moment, self.messages = False, None, {}
        session = text(line.get("session_id"))
        if session is None or "total_cost_usd" not in line:
            raise EventError("the result has no session_id or total_cost_usd: not Claude Code's")
        logged = _has_log(self.file, session)
        if moment is None and not logged:
            raise EventError("the output tells no time: give when it ran with --start")
        context = self._context(line, moment)
        for model, used in self._added_counters(session, line).items():
            mine = {own: one for own, one in messages.items() if one.model == named(model)}
            if logged and (mine or not messages or moment is None):
                yield where, LOGGED
            elif add_up(mine.values(), used):
                yield from ((where, context | raw) for raw in _calls(mine, used))
            elif any(used[name] for name in COUNTS):
                yield where, SEPARATE
                yield where, context | _sum(line, model, used, len(mine))
        if not logged:
            yield where, context | _run(line)

    def _added_counters(self, session: str, line: Line) -> dict[str, Counters]:
        """The counters of each model that this result adds to the ones before."""
        usage, models = of_usage(part(line, "usage")), of_models(part(line, "modelUsage"))
        now = models or {self.model or "unknown": usage}
        if len(now) == 1:
            now = {model: used | cost(line["total_cost_usd"]) for model, used in now.items()}
        now = with_cached(now, usage)
        before, self.before[session] = self.before.get(session, {}), now
        return since(before, now, usage) if models else now

    def _context(self, line: Line, moment: datetime | None) -> Raw:
        return {
            "ts": moment,
            "channel": "cli",
            "source": "claude_code",
            "conversation_id": text(line.get("session_id")),
            "client": program("claude-code", self.version),
            "repository": self.folder,
        }


def _calls(messages: Mapping[str, Message], used: Counters) -> Iterator[Raw]:
    """The messages that are all of what a model used."""
    costs = shares(messages.values(), used)
    for (own, message), nanos in zip(messages.items(), costs, strict=True):
        prompt = [int(message.used[name]) for name in PROMPT]
        yield _call(message.model, message.used) | {
            "event_id": f"claude_code:{own}",
            "shared_id": shared_by_prompt(own, prompt),
            "cost_nano": nanos,
        }


def _sum(line: Line, model: str, used: Counters, requests: int) -> Raw:
    return _call(named(model), used) | {
        "event_id": f"claude_code:result:{_id(line)}:{model}",
        "request_count": requests or None,
        "tags": tags_json(sum_of_session=True),
        "cost_nano": nano("costUSD", used["cost"]) if "cost" in used else None,
    }


def _call(model: str, used: Counters) -> Raw:
    return {
        "kind": "llm",
        "status": "ok",
        "provider": "anthropic" if model.startswith("claude") else None,
        "model": None if model == "unknown" else model,
        "operation": "chat",
        "input_tokens": int(used["inputTokens"]),
        "cached_input_tokens": int(used["cacheReadInputTokens"]),
        "cache_write_tokens": int(used["cacheCreationInputTokens"]),
        "output_tokens": int(used["outputTokens"]),
        "web_searches": int(used["webSearchRequests"]) or None,
    }


def _run(line: Line) -> Raw:
    failed = bool(line.get("is_error"))
    return {
        "event_id": f"claude_code:session:{text(line.get('session_id'))}",
        "kind": "session",
        "status": "error" if failed else "ok",
        "error_class": text(line.get("subtype")) if failed else None,
        "duration_ms": whole("duration_ms", line.get("duration_ms")),
        "tags": tags_json(turns=count("num_turns", line.get("num_turns"))),
    }


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


IGNORED: Final = {
    "message.usage.*": "the result line tells the sums by model",
    "total_cost_usd": "the sum of what each model cost",
}
FORMAT = Format(
    "claude_code_output", "Claude Code's printed output", recognises, read, ignored=IGNORED
)
