"""Which lines of a rollout were copied from the one it was forked from, and which are its own.

A fork or a subagent may begin with lines of its parent: with their first times, or written anew in
one burst when it was made, with or without records. None of them is a use. A line is a copy

- where its time, or the start of its turn (`started_at`, or the time in a UUIDv7), is before the
  fork's own beginning;
- else as long as no pause of a second came before it: the burst is written in milliseconds, and no
  model answers as soon.

All of that stands in the file itself, so a child counts the same with its parent, before, after
and without it. A child that copies nothing has its own turn first, and a pause before an answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from data.sources.fields import part, text
from data.sources.sessions import instant_or_none

PAUSE: Final = timedelta(seconds=1)
SECOND: Final = timedelta(seconds=1)
TURN_STARTS: Final = ("task_started", "turn_started")
UUID7: Final = 7
Line = Mapping[str, Any]


@dataclass(slots=True)
class Replay:
    """What is known of the copied lines at the beginning of one file."""

    forked: bool = False
    born: datetime | None = None
    until: datetime | None = None  # the burst goes on before this
    over: bool = False
    old_turn: bool = False

    def copied(self, kind: str, payload: Line, moment: datetime) -> bool:
        """Whether this line, the next of the file, is its parent's."""
        if self.born is None:
            self._begin(payload, moment)
            return False
        if kind == "session_meta" and not self.over:
            self.forked = True  # its parent's session, told after its own
        if self.over or not self.forked:
            return False
        self._learn_turn(kind, payload)
        if found := self._is_copy(moment):
            self.until = max(self.until or moment, moment + PAUSE)
        self.over = not found
        return found

    def _begin(self, meta: Line, moment: datetime) -> None:
        begun = instant_or_none(meta.get("timestamp"))
        self.born = min(moment, begun) if begun else moment
        self.until = moment + PAUSE
        self.forked = parent_of(meta) is not None

    def _learn_turn(self, kind: str, payload: Line) -> None:
        if kind != "turn_context" and payload.get("type") not in TURN_STARTS:
            return
        began = turn_start(payload)
        self.old_turn = began is not None and self.born is not None and began < self.born

    def _is_copy(self, moment: datetime) -> bool:
        early = self.born is not None and moment < self.born
        return early or self.old_turn or (self.until is not None and moment < self.until)


def parent_of(meta: Line) -> str | None:
    """The thread that a session was forked or started from, as its first line says."""
    spawned = part(part(part(meta, "source"), "subagent"), "thread_spawn")
    for found in (meta.get("forked_from_id"), meta.get("parent_thread_id"),
                  spawned.get("parent_thread_id")):  # fmt: skip
        if isinstance(found, str) and found.strip():
            return found.strip()
    return None


def turn_start(payload: Line) -> datetime | None:
    """The latest instant at which a turn can have begun, where it says so."""
    seconds = payload.get("started_at")
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return _uuid_time(text(payload.get("turn_id")))
    try:
        return datetime.fromtimestamp(seconds, UTC) + SECOND
    except (ValueError, OverflowError, OSError):
        return None


def _uuid_time(own: str | None) -> datetime | None:
    try:
        found = uuid.UUID(own or "")
    except ValueError:
        return None
    if found.version != UUID7:
        return None
    return datetime.fromtimestamp((found.int >> 80) / 1000, UTC)
