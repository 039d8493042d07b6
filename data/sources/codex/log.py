"""Codex's session logs: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`.

event_id      a call: `codex:call:` + digest of thread and counts, and which of those that agree
              in them it is (`codex/calls.py`): what telemetry tells, too. A failed turn:
              `codex:error:` + turn_id; a tool: `codex:tool:` + thread + call_id; a session:
              `codex:session:` + thread
call          a `token_usage_record` (its `usage`), or the `token_count` event of a version without
              them (its last_token_usage; a log with totals alone: what its total grew by). Both
              tell the same call; a count whose running total is that of the one before (or of
              the last beside its limit: each news of a limit tells the total again) is only
              repeated. Never the totals themselves, which run on when a session is
              resumed, and in a fork begin with its parent's.
              input_tokens INCLUDE cached and cache-write tokens, which are taken off;
              output_tokens INCLUDE reasoning. Cost by our book
error         a turn that ends with an error, or an `error` event: one failed call, no tokens
tool          function, custom, shell and search calls by name, their kind as tool_type; outcome
              and duration from the events of the program that ran (no outcome: aborted).
              `mcp__server__tool` is an integration
session       one for each sitting (data/sources/sessions.py) of a thread that no other started
context       conversation the session, client `codex-cli 0.169.0`, assistant the originator,
              provider model_provider, model of the turn; repository by git's address, else the
              folder's name
stays null    user and project (--user, --project), duration of a call
not counted   twice: what telemetry told, whichever came first (it alone knows user and project).
              What a fork or a subagent copies from its parent (`codex/replay.py`): calls, tools,
              errors, lines and time; a note says how many calls. Its records alone name their
              thread, and are that thread's calls. Refused attempts are told by telemetry alone,
              the turn that fails by the file alone
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from data.errors import EventError
from data.events.table import TOKENS
from data.sources.codex.calls import (
    CallUsage,
    Context,
    Numbers,
    Totalled,
    Usage,
    call_id,
    difference,
    failure,
    size,
    tokens,
    usage_of,
)
from data.sources.codex.replay import Replay
from data.sources.codex.tools import CALLS, Tool, change_of, outcome
from data.sources.entries import values
from data.sources.fields import part, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record
from data.sources.sessions import (
    CALL_SILENCE,
    END,
    SESSION_SILENCE,
    STILL_OPEN,
    SessionSplitter,
    instant_or_none,
    log_records,
    may_grow,
    recently_written,
)

TOOLS: Final = 1_000
COPIED: Final = Note("token counts that repeat another session's calls are not counted again")
DIFFERS: Final = Note("the calls of a session differ from its running total: a part is missing")
Line = Mapping[str, Any]
OLD: Final = {"id", "timestamp", "instructions"}
PLACES: Final = (
    "~/.codex/sessions", "~/.codex/archived_sessions",
    "$CODEX_HOME/sessions", "$CODEX_HOME/archived_sessions",
)  # fmt: skip


@dataclass(slots=True)
class PendingCall:
    """A call as a `token_count` told it, held until a record of the same call could follow."""

    where: str
    raw: Raw
    usage: CallUsage


class Rollout:
    """The state of reading one file; `take` is given each line, then `END`."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.context = Context()
        self.sessions = SessionSplitter()
        self.tools: dict[str, Tool] = {}
        self.patched: set[str] = set()
        self.pending: PendingCall | None = None
        self.replay = Replay()
        self.totals: dict[str, Usage] = {}  # the running total that was told last, by its limit
        self.total: Usage | None = None  # the same, whichever limit it stood beside
        self.recorded: CallUsage | None = None  # what a record told and no count repeated yet
        self.totalled = Totalled()
        self.numbers = Numbers()
        self.readers: dict[str, Callable[[str, Line, datetime], Iterator[Record]]] = {
            "token_usage_record": self._record,
            "event_msg": self._event,
            "response_item": self._item,
        }

    def read_line(self, where: str, line: Line) -> Iterator[Record]:
        """The events that are whole now; `EventError` where a line is none."""
        if line is END:
            yield from self._end()
            return
        payload, moment = line.get("payload"), instant_or_none(line.get("timestamp"))
        if moment is None or not isinstance(payload, dict):
            raise EventError("a line of a rollout has a timestamp and a payload")
        kind = str(line.get("type"))
        self.context.learn(kind, payload)
        if self.replay.copied(kind, payload, moment):
            yield from self._copy(where, kind, payload, moment)
            return
        if over := self.sessions.reach(where, moment):
            yield from self._session(over.event("codex", self.context.session()))
        if read := self.readers.get(kind):
            yield from read(where, payload, moment)

    def _copy(self, where: str, kind: str, payload: Line, moment: datetime) -> Iterator[Record]:
        """A line of its parent: a record names its thread, a count only says what went before."""
        if kind == "token_usage_record":
            yield from self._record(where, payload, moment)
        elif payload.get("type") == "token_count" and (call := self._token_count(payload, moment)):
            if not call.is_same_call(self.recorded, forked=True):
                yield where, COPIED
            self.recorded = None
            self.totalled.base = self.totalled.counted

    def _record(self, where: str, payload: Line, moment: datetime) -> Iterator[Record]:
        total = usage_of(payload.get("thread_token_usage"))
        call = CallUsage(usage_of(payload.get("usage")), total, moment)
        pending = self.pending.usage if self.pending else None
        if repeated := call.is_same_call(pending, self.replay.forked):
            self.pending = None
        yield from self._release()
        self._forget_record()
        self.recorded = None if repeated else call
        # A fork repeats the records of its origin, with its origin's thread.
        thread = text(payload.get("thread_id")) or self.context.named()
        if thread != self.context.thread:
            yield where, self.numbers.next(self._call(call, thread))
            return
        self.totalled.recorded = max(self.totalled.recorded, size(total))
        yield where, self._summed(self._call(call, thread))

    def _forget_record(self) -> None:
        """No count repeats the record any more: as where a conversation was shortened."""
        if self.recorded is not None:
            self.totalled.uncounted += size(self.recorded.usage)

    def _event(self, where: str, payload: Line, moment: datetime) -> Iterator[Record]:
        kind = payload.get("type")
        if kind == "token_count":
            yield from self._count(where, payload, moment)
        elif kind == "error" or (kind == "task_complete" and payload.get("error")):
            yield where, failure(self.context, payload, moment)
        elif found := outcome(payload):
            if found.id in self.tools:
                self.tools[found.id].learn(found)
            self._patch(payload)

    def _patch(self, payload: Line) -> None:
        found = change_of(payload)
        if found and self.sessions.now and found.id not in self.patched:
            self.patched.add(found.id)
            for path, added, removed in found.changes:
                self.sessions.now.change(path, added, removed)

    def _count(self, where: str, payload: Line, moment: datetime) -> Iterator[Record]:
        call = self._token_count(payload, moment)
        if call is None:
            return
        yield from self._release()
        if not call.is_same_call(self.recorded, self.replay.forked):
            raw = self._call(call, self.context.named())
            self.pending = PendingCall(where, raw, call)
        self.recorded = None

    def _token_count(self, payload: Line, moment: datetime) -> CallUsage | None:
        """What a count says was spent since the one before; None where that is nothing."""
        info, limit = payload.get("info"), str(part(payload, "rate_limits").get("limit_id"))
        if not isinstance(info, dict) or not info.get("total_token_usage"):
            return None
        total, last = usage_of(info["total_token_usage"]), info.get("last_token_usage")
        known = total in (self.total, self.totals.get(limit))
        before, self.total, self.totals[limit] = self.total, total, total
        if known:
            return None
        usage = usage_of(last) if last else difference(total, before)
        if not size(usage):  # a fork that begins with its parent's total
            self.totalled.base = size(total)
            return None
        self.totalled.counted = size(total)
        return CallUsage(usage, total, moment)

    def _call(self, call: CallUsage, thread: str) -> Raw:
        return {
            **self.context.of(),
            **self.context.request_fields(),
            "event_id": call_id(thread, call.usage[:4]),
            "ts": call.moment,
            "kind": "llm",
            "status": "ok",
            **tokens(call.usage),
        }

    def _summed(self, raw: Raw) -> Raw:
        self.totalled.summed += sum(raw[name] or 0 for name in TOKENS)
        return self.numbers.next(raw)

    def _release(self) -> Iterator[Record]:
        if self.pending:
            yield self.pending.where, self._summed(self.pending.raw)
            self.pending = None

    def _item(self, where: str, payload: Line, moment: datetime) -> Iterator[Record]:
        kind, own = str(payload.get("type")), text(payload.get("call_id"))
        if kind in CALLS:
            tool = Tool.of(where, self.context, payload, moment)
            if own is None:  # run by the provider: nothing follows
                yield tool.event(ended=payload.get("status") == "completed")
            else:
                self.tools[own] = tool
        elif kind.endswith("_output") and own in self.tools:
            if found := outcome(payload):
                self.tools[own].learn(found)
            yield self.tools.pop(own).event(ended=True)
        while len(self.tools) > TOOLS:
            yield self.tools.pop(next(iter(self.tools))).event(ended=False)

    def _end(self) -> Iterator[Record]:
        now = self.sessions.now
        if now is None:
            return
        live = may_grow(now.last, CALL_SILENCE) or (
            bool(self.tools) and recently_written(self.file)
        )
        if live and self.pending:
            note = Note("a call was still being written: left for the next import")
            yield self.pending.where, note
            self.pending = None
        yield from self._release()
        for tool in self.tools.values():
            note = Note("a tool was still at work: left for the next import")
            yield (tool.where, note) if live else tool.event(ended=False)
        self._forget_record()
        if not live and len(self.totals) < 2 and not self.totalled.agree():
            yield now.where, DIFFERS
        if live or may_grow(now.last, SESSION_SILENCE):
            yield now.where, STILL_OPEN
        else:
            yield from self._session(now.event("codex", self.context.session()))

    def _session(self, record: Record) -> Iterator[Record]:
        if self.context.root:
            yield record


def recognises(head: Head) -> bool:
    first = head.first
    if not first:  # a first line longer than the head: instructions are part of it
        return "rollout-" in head.name and '"session_meta"' in head.text
    return "payload" in first and first.get("type") == "session_meta"


def read(file: File, options: Options) -> Iterator[Record]:
    return log_records(values(file), Rollout(file).read_line, options)


def _old(head: Head) -> bool:
    return "rollout-" in head.name and head.first.keys() >= OLD


def _read_old(file: File, _: Options) -> Iterator[Record]:
    yield file.name, Note("logs of Codex from before it counted tokens: nothing to count")


FORMATS = (
    Format(
        "codex",
        "Codex session logs",
        recognises,
        read,
        places=PLACES,
        ignored={"payload.turn_token_usage.*": "the sum of a turn's calls, told one by one"},
    ),
    Format("codex_old", "Codex session logs without token counts", _old, _read_old),
)
