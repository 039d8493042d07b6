"""What a Codex rollout says of its session and its calls.

The ids of calls are found alike by session files and telemetry. Telemetry names no response and
has a clock of its own, so a call is known by what both tell of it: its thread and its four counts
(input as told, cached, output, reasoning; the model is told in different words). Calls that agree
in all of them are numbered, `…:2`, in the order they are told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.fields import are_counts, count, digest, program, prompt_counts, text
from data.sources.format import Raw

CALL: Final = "codex:call:"
Counts = tuple[int | None, int | None, int | None, int | None]
Line = Mapping[str, Any]
Usage = tuple[int | None, int | None, int | None, int | None, int | None]
NAMES: Final = (
    *("input_tokens", "cached_input_tokens", "output_tokens"),
    *("reasoning_output_tokens", "cache_write_input_tokens"),
)
TOGETHER: Final = timedelta(milliseconds=500)  # a record and its count are written at once
SEPARATOR: Final = re.compile(r"[/\\]")


def call_id(thread: str, counts: Counts) -> str:
    """The id of the first call of a thread with these counts; what is not told is 0."""
    return CALL + digest(thread, *(count or 0 for count in counts))


@dataclass(slots=True)
class Numbers:
    """Numbers calls of one id: by their times where one record may be told twice."""

    counts: Counter[str] = field(default_factory=Counter)
    moments: dict[tuple[str, Any], str] = field(default_factory=dict)

    def next(self, raw: Raw) -> Raw:
        """The call as one more of its id."""
        key = raw["event_id"]
        self.counts[key] += 1
        return raw | {"event_id": key if self.counts[key] == 1 else f"{key}:{self.counts[key]}"}

    def at(self, raw: Raw) -> Raw:
        """A call as the one of its time; anything else as it is."""
        key = raw["event_id"]
        if not key.startswith(CALL):
            return raw
        moment = (key, raw["ts"])
        if moment not in self.moments:
            self.moments[moment] = self.next(raw)["event_id"]
        return raw | {"event_id": self.moments[moment]}


@dataclass(frozen=True, slots=True)
class CallUsage:
    """What a record or a count says of a call: what it took, and the running total after it."""

    usage: Usage
    total: Usage
    moment: datetime

    def is_same_call(self, other: CallUsage | None, forked: bool) -> bool:
        """Whether both tell one call: a child's records and counts start at other totals."""
        if other is None or not alike(self.usage, other.usage):
            return False
        return (
            forked or alike(self.total, other.total) or abs(self.moment - other.moment) < TOGETHER
        )


def alike(one: Usage, other: Usage) -> bool:
    """Whether two usages agree, where what one of them does not tell is none."""
    return one == other or all((a or 0) == (b or 0) for a, b in zip(one, other, strict=True))


class Context:
    """Session and turn: whose calls these are, and of which model."""

    def __init__(self) -> None:
        self.meta: Line = {}
        self.turn: Line = {}
        self._fields: Raw = {}  # until a line says more

    def learn(self, kind: str, payload: Line) -> None:
        """Learn from a line; a fork repeats its origin's session after its own."""
        if kind == "turn_context":
            self.turn, self._fields = payload, {}
        elif kind == "session_meta" and not self.meta:
            self.meta, self._fields = payload, {}

    @property
    def thread(self) -> str | None:
        return text(self.meta.get("id"))

    def named(self) -> str:
        """The thread, where an id cannot do without it."""
        if self.thread is None:
            raise EventError("the session's id is missing: its first line tells it")
        return self.thread

    @property
    def root(self) -> bool:
        """Whether this is the session's own thread, not one that an agent started."""
        return (text(self.meta.get("session_id")) or self.thread) == self.thread is not None

    def of(self) -> Raw:
        """The fields that every event of a session has; not to be changed."""
        if not self._fields:
            self._fields = self._found()
        return self._fields

    def _found(self) -> Raw:
        version = text(self.meta.get("cli_version"))
        return {
            "channel": "cli",
            "source": "codex",
            "client": program("codex-cli", version),
            "assistant": text(self.meta.get("originator")),
            "conversation_id": text(self.meta.get("session_id")) or self.thread,
            "repository": self._repository(),
            "tags": orjson.dumps({"version": version}).decode() if version else None,
        }

    def session(self) -> Raw:
        return self.of() | {"conversation_id": self.thread}

    def request_fields(self) -> Raw:
        return {
            "provider": text(self.meta.get("model_provider")),
            "model": text(self.turn.get("model")),
            "operation": "chat",
        }

    def _repository(self) -> str | None:
        git = self.meta.get("git")
        address = text(git.get("repository_url")) if isinstance(git, dict) else None
        place = address or text(self.meta.get("cwd")) or text(self.turn.get("cwd")) or ""
        return SEPARATOR.split(place.rstrip("/\\").removesuffix(".git"))[-1] or None


@dataclass(slots=True)
class Totalled:
    """All tokens of a log: of its calls, and as the running totals of counts and of records have
    them, which begin at the parent's (`base`). Counts leave out the calls that shorten a
    conversation, which records alone tell (`uncounted`)."""

    summed: int = 0
    base: int = 0
    counted: int = 0
    recorded: int = 0
    uncounted: int = 0

    def agree(self) -> bool:
        """Whether the calls are all that one of the totals speaks of."""
        by_counts = self.counted - self.base
        totals = (
            [by_counts, by_counts + self.uncounted] if self.counted or not self.recorded else []
        )
        if self.recorded:
            totals += [self.recorded, self.recorded - self.base]
        return self.summed in totals


def usage_of(usage: Any) -> Usage:
    """Input, cached, output, reasoning and written tokens as they are told."""
    if not isinstance(usage, dict):
        raise EventError("token usage is missing")
    first, second, third, fourth, fifth = values = [usage.get(name) for name in NAMES]
    if not are_counts(values):
        first, second, third, fourth, fifth = map(count, NAMES, values)
    return first, second, third, fourth, fifth


def size(usage: Usage) -> int:
    """All tokens: the cached stand in the input, the reasoning in the output."""
    return (usage[0] or 0) + (usage[2] or 0)


def difference(total: Usage, before: Usage | None) -> Usage:
    """What a running total grew by; one that fell began anew."""
    if before is None or any(
        (new or 0) < (old or 0) for new, old in zip(total, before, strict=True)
    ):
        return total
    grown = [None if n is None else n - (o or 0) for n, o in zip(total, before, strict=True)]
    return grown[0], grown[1], grown[2], grown[3], grown[4]


def tokens(usage: Usage) -> Raw:
    """The disjoint counts of a call."""
    given, cached, output, reasoning, written = usage
    return {
        **prompt_counts("input_tokens", given, cached, written),
        "output_tokens": output,
        "reasoning_tokens": reasoning,
    }


def failure(context: Context, payload: Line, moment: datetime) -> Raw:
    """The failed call that ended a turn."""
    error = payload.get("error")
    found = error if isinstance(error, dict) else payload
    kind = found.get("codex_error_info")
    if isinstance(kind, dict):
        kind = next(iter(kind), None)
    turn = text(payload.get("turn_id")) or text(context.turn.get("turn_id"))
    return {
        **context.of(),
        **context.request_fields(),
        "event_id": f"codex:error:{turn or f'{context.named()}:{moment.isoformat()}'}",
        "ts": moment,
        "kind": "llm",
        "status": "error",
        "error_class": kind if isinstance(kind, str) else None,
    }
