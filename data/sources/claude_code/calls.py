"""What a Claude Code log says of its session and its calls: several lines a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events.table import micros
from data.sources.anthropic.answers import TOKENS, answer_tokens, processed_as
from data.sources.fields import count, digest, nano, program, text, whole
from data.sources.files import File
from data.sources.format import Raw, Record
from data.sources.packing import ENDINGS

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEPARATOR: Final = re.compile(r"[/\\]")
Line = Mapping[str, Any]
SYNTHETIC: Final = "<synthetic>"
PROMPT: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens")
OUTSIDE_SUMS: Final = ("advisor_message", "compaction")  # iterations that the sums leave out
Chain = tuple[bool, str | None]


class Context:
    """Where the lines of a file belong: its session, repository, program."""

    def __init__(self, file: File) -> None:
        self.path = file.path or Path(file.name)
        self.folders = {folder.name for folder in self.path.parents}
        named = UUID.fullmatch(self.path.name.split(".")[0])
        self.id: str | None = named[0] if named else None
        self.repository: str | None = None
        self.version: str | None = None
        self.type = _agent_type(file)

    def learn(self, line: Line) -> None:
        """Learn from a line what earlier ones have not told."""
        for name, attribute in (("sessionId", "id"), ("version", "version")):
            found = line.get(name)
            if getattr(self, attribute) is None and isinstance(found, str):
                setattr(self, attribute, found)
        cwd = line.get("cwd")
        if self.repository is None and isinstance(cwd, str):
            self.repository = repository(cwd, self.folders)

    def own(self, line: Line) -> bool:
        """Whether a line is this session's: not copied from the one it was forked from."""
        return line.get("sessionId") == self.id and not line.get("forkedFrom")

    def of(self, line: Line) -> Raw:
        fork = line.get("forkedFrom")
        origin = fork.get("sessionId") if isinstance(fork, dict) else None
        return {
            "channel": "cli",
            "source": "claude_code",
            "client": program("claude-code", line.get("version") or self.version),
            "conversation_id": text(origin or line.get("sessionId")),
            "repository": self.repository,
            "assistant": self.type if line.get("isSidechain") else None,
        }

    def session(self) -> Raw:
        return self.of({"sessionId": self.id}) | {"tags": compact_tags(version=self.version)}

    def orphan(self) -> bool:
        """Whether this is a subagent's file whose session's own log is not beside it."""
        folders = [self.path.parent, *self.path.parents[2:3]]
        names = [f"{self.id}.jsonl{end}" for end in ("", *ENDINGS)]
        return self.path.is_file() and not any(
            (folder / name).exists() for folder in folders for name in names
        )


def repository(cwd: str, folders: set[str]) -> str | None:
    """The folder a session began in, by its name: the log's folder spells its whole path."""
    path = cwd.rstrip("/\\")
    while path:
        if re.sub(r"[^A-Za-z0-9]", "-", path) in folders:
            return SEPARATOR.split(path)[-1] or None
        path = path[: max(path.rfind("/"), path.rfind("\\"), 0)]
    return SEPARATOR.split(cwd.rstrip("/\\"))[-1] or None


def _agent_type(file: File) -> str | None:
    """What kind of subagent wrote this file, where Claude Code says so beside it."""
    if file.path is None or not file.path.name.startswith("agent-"):
        return None
    metadata_path = file.path.with_name(file.path.name.split(".")[0] + ".meta.json")
    try:
        metadata = orjson.loads(metadata_path.read_bytes())
    except (OSError, ValueError):
        return None
    kind = metadata.get("agentType") if isinstance(metadata, dict) else None
    return kind if isinstance(kind, str) else None


def tags(line: Line, **more: Any) -> str | None:
    return compact_tags(version=text(line.get("version")), agent=text(line.get("agentId")), **more)


def compact_tags(**named: Any) -> str | None:
    """Tags as JSON, what is unknown left out."""
    found = {name: value for name, value in named.items() if value is not None}
    return orjson.dumps(found).decode() if found else None


def call_id(line: Line, message: Line, what: str = "") -> str:
    """The id of a call, the same on all its lines and in telemetry."""
    own = text(line.get("requestId")) or text(message.get("id")) or text(line.get("uuid"))
    if own is None:
        raise EventError("requestId, message.id and uuid are all missing")
    return f"claude_code:{what}{own}"


def chain_of(line: Line) -> Chain:
    """Main or side, and which agent's: the lines of one chain follow one another."""
    return bool(line.get("isSidechain")), text(line.get("agentId"))


def prompt_size(usage: Line) -> int:
    """All tokens of a prompt, cached or not."""
    return sum(count(name, usage.get(name)) or 0 for name in tuple(TOKENS.values())[:3])


def synthetic(message: Line) -> bool:
    return message.get("model") == SYNTHETIC


def failed(line: Line, message: Line) -> bool:
    flag = line.get("isApiErrorMessage")
    return bool(flag) or (synthetic(message) and flag is None)


def ended(message: Line) -> bool:
    """Whether a line says itself that it is the last of its call (many last ones do not)."""
    usage, reason = message.get("usage"), message.get("stop_reason")
    complete = isinstance(usage, dict) and "iterations" in usage
    return complete if reason is None else reason != "tool_use"


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
    message: str | None
    requested: bool
    further: tuple[Raw, ...] = ()
    whole: bool = False

    @classmethod
    def of(cls, where: str, context: Context, line: Line, message: Line, moment: datetime) -> Call:
        usage = message.get("usage") or {}
        raw = {
            **context.of(line),
            "ts": moment,
            "kind": "llm",
            "provider": "anthropic",
            "model": text(message.get("model")),
            "operation": "chat",
            "status": "ok",
            **answer_tokens(usage),
            "cost_nano": nano("costUSD", line.get("costUSD")),
            "duration_ms": whole("durationMs", line.get("durationMs")),
            **processed_as(usage),
            "tags": tags(line),
        }  # fmt: skip
        requested = text(line.get("requestId")) is not None
        own = text(message.get("id"))
        further = tuple(_further(usage, raw))
        return cls(where, chain_of(line), raw, own, requested, further)

    def after(self, earlier: Call | None) -> Call:
        """The fuller of two lines of a call: the later, but for one that tells less output."""
        if earlier is None:
            return self
        less = (self.raw["output_tokens"] or 0) < (earlier.raw["output_tokens"] or 0)
        return earlier if less else self

    def records(self, key: str) -> Iterator[Record]:
        shared = self._shared_id()
        yield self.where, self.raw | {"event_id": key, "shared_id": shared}
        for number, raw in enumerate(self.further, start=1):
            ids = {"event_id": f"{key}:{number}", "shared_id": shared and f"{shared}:{number}"}
            yield self.where, raw | ids

    def _shared_id(self) -> str | None:
        """What a copy has in common with its original: the message, its prompt, or its time."""
        if self.message is None:
            return None
        if not self.requested:
            return f"claude_code:{self.message}@{micros(self.raw['ts'])}"
        return shared_by_prompt(self.message, [self.raw[name] for name in PROMPT])


def shared_by_prompt(message: str, prompt: Sequence[int | None]) -> str | None:
    """What copies of a message have in common: its id, and the counts of its prompt."""
    counts = [number or 0 for number in prompt]
    return f"claude_code:{message}:{digest(*counts)}" if any(counts) else None


def _further(usage: Line, raw: Raw) -> Iterator[Raw]:
    """The calls within a call whose tokens are not among its own: another model's advice, the
    summary of a long prompt."""
    iterations = usage.get("iterations")
    for one in iterations if isinstance(iterations, list) else ():
        if not isinstance(one, dict):
            continue
        model = text(one.get("model")) or raw["model"]
        if one.get("type") in OUTSIDE_SUMS or model != raw["model"]:
            blank = {"cost_nano": None, "duration_ms": None, "tags": None}
            yield raw | blank | {"model": model, **answer_tokens(one)}
