"""Claude Code's session logs: `~/.claude/projects/<project>/<session>.jsonl` and its subagents'.

event_id      a call: `claude_code:` + requestId, else message.id and the time of its first line
              (a relay may give every answer one id: `claude_code/turns.py`), else the line's uuid;
              a failed one: `claude_code:error:` + requestId, message.id or uuid; a tool:
              `claude_code:tool:` + its tool_use id; a session: `claude_code:session:` + sessionId.
              Claude Code's telemetry carries the same ids
shared_id     what a copy keeps under other ids, so that it counts once: a side question repeats
              answers under request ids of its own (the message and its prompt's counts), a
              session that was resumed or went to the background its lines under its own session
              (a sitting: its first call; copies merge, the longest time and the most lines hold)
call          the `assistant` lines of one id together: the last tells the tokens and the time.
              input_tokens EXCLUDE cache reads and writes; provider anthropic. Cost by our book,
              and duration null, but for old versions, whose lines tell costUSD and durationMs.
              Compactions (agent-acompact-*) are calls too. An iteration whose tokens the sums
              leave out (an advisor's, of another model; a compaction) is a call of its own,
              `…:1`, `…:2`
error         isApiErrorMessage, or a `<synthetic>` model that does not deny it: a failed call,
              no tokens, no model
tool          each tool_use block, its outcome from the tool_result (none: aborted);
              `mcp__server__tool` is an integration `server` of type mcp with that tool
session       one for each sitting (data/sources/sessions.py) of the main log, from its first
              line to its last; a subagent's log stands for a session whose own log is missing.
              Lines and files as the results of editing tools tell them (structuredPatch);
              subagents' edits are in their own files and not among them
context       conversation sessionId (a forked line: the one it was forked from), client
              `claude-code 2.1.38`, repository the folder the session began in, by its name;
              assistant a subagent's type (agent-*.meta.json). Version and agent are in tags
billed too    one-hour cache writes, web searches; the tier: speed `fast`, else service_tier;
              inference in the US alone (inference_geo), which has no price
stays null    user and project (--user, --project), a tool's duration unless told
not counted   `progress` lines (they repeat subagents' messages), synthetic lines that are no
              errors; tool results, indexes and metadata beside the logs
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from data.errors import EventError
from data.sources.claude_code.calls import (
    Call,
    Context,
    Line,
    ended,
    failed,
    failure,
    synthetic,
)
from data.sources.claude_code.tools import Change, Tool, changed, results, used
from data.sources.claude_code.turns import Turns
from data.sources.entries import values
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Record
from data.sources.iflow import is_line
from data.sources.packing import MAYBE_PACKED
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

MOST_PENDING: Final = 64  # calls; lines of one call are never further apart
TOOLS: Final = 1_000
ENDING: Final = {"system", "last-prompt", "summary"}  # lines that follow a finished turn
LINE: Final = {"type", "sessionId"}
PLACES: Final = (
    "~/.claude/projects", "~/.config/claude/projects", "$CLAUDE_CONFIG_DIR/projects",
)  # fmt: skip
NAMED: Final = re.compile(r"(?:agent-|[0-9a-f]{8}-[0-9a-f-]{27})[^/\\]*\.jsonl" + MAYBE_PACKED)
BESIDE: Final = re.compile(
    r"(^|/)(tool-results/[^/]+\.(txt|json)|agent-[^/]+\.meta\.json|sessions-index\.json)"
    + MAYBE_PACKED
)


class Log:
    """The state of reading one file; `take` is given each line, then `END`."""

    def __init__(self, file: File) -> None:
        self.file, self.context = file, Context(file)
        self.calls: dict[str, Call] = {}
        self.tools: dict[str, Tool] = {}
        self.seen_tools: dict[str, None] = {}  # lest a replayed one waits forever
        self.sessions = SessionSplitter()
        self.turns = Turns()
        self.last: datetime | None = None
        self.main = False
        self.answering = False  # the latest call has not said that it ended

    def read_line(self, where: str, line: Line) -> Iterator[Record]:
        """The events that are whole now; `EventError` where a line is none."""
        if line is END:
            yield from self._end()
            return
        self.context.learn(line)
        moment = instant_or_none(line.get("timestamp"))
        yield from self._advance(where, line, moment)
        kind = str(line.get("type"))
        if kind == "assistant":
            yield from self._answer(where, line, moment)
        elif kind == "user":
            yield from self._user_line(line)
        elif kind in ENDING:
            self._close()

    def _advance(self, where: str, line: Line, moment: datetime | None) -> Iterator[Record]:
        if moment is None:
            return
        self.last = moment if self.last is None else max(self.last, moment)
        self.main = self.main or not line.get("isSidechain")
        if self.context.own(line) and (over := self.sessions.reach(where, moment)):
            yield from self._session(over.event("claude_code", self.context.session()))

    def _answer(self, where: str, line: Line, moment: datetime | None) -> Iterator[Record]:
        message = line.get("message")
        if moment is None or not isinstance(message, dict):
            raise EventError("an assistant line needs a timestamp and a message")
        if failed(line, message):
            yield where, failure(self.context, line, message, moment)
        elif synthetic(message):
            yield where, Note("lines that Claude Code wrote itself, without a call, do not count")
        else:
            yield from self._call(where, line, message, moment)

    def _call(self, where: str, line: Line, message: Line, moment: datetime) -> Iterator[Record]:
        key = self.turns.key(line, message, moment)
        self._name_session(line, key)
        call = Call.of(where, self.context, line, message, moment)
        self.calls[key] = call.after(self.calls.get(key))
        self.answering = not ended(message)
        for name, tool in used(where, self.context, line, message, moment):
            if name not in self.seen_tools:
                self.seen_tools[name] = None
                self.tools[name] = tool
        while len(self.calls) > MOST_PENDING:
            yield from self._let_go(next(iter(self.calls)))
        while len(self.tools) > TOOLS:
            yield self.tools.pop(next(iter(self.tools))).event(None, None)
        while len(self.seen_tools) > 10 * TOOLS:
            del self.seen_tools[next(iter(self.seen_tools))]

    def _name_session(self, line: Line, key: str) -> None:
        """A copy of this sitting, under another session, begins with the same call."""
        now = self.sessions.now
        if now and now.shared is None and self.context.own(line) and not line.get("isSidechain"):
            now.shared = f"claude_code:sitting:{key}"

    def _let_go(self, key: str) -> Iterator[Record]:
        yield from self.calls.pop(key).records(key)

    def _user_line(self, line: Line) -> Iterator[Record]:
        """Results of tools; a line without any is somebody's next prompt."""
        found = list(results(line))
        result = line.get("toolUseResult") if len(found) == 1 else None
        result = result if isinstance(result, dict) else {}
        for name, error in found:
            if name in self.tools:
                yield self.tools.pop(name).event(error, result)
                self._change(line, None if error else changed(result))
        if found or line.get("isMeta"):
            return
        self.turns.prompted(line)
        if not line.get("isSidechain"):
            self._close()

    def _change(self, line: Line, change: Change | None) -> None:
        if change and self.context.own(line) and self.sessions.now:
            self.sessions.now.change(*change)

    def _close(self) -> None:
        """The turn is over: the calls of the main chain are whole."""
        self.answering = False
        for call in self.calls.values():
            call.whole = call.whole or call.chain[0] is False

    def _end(self) -> Iterator[Record]:
        live = self._live()
        latest = {call.chain: key for key, call in self.calls.items()}
        for key, call in list(self.calls.items()):
            if live and latest[call.chain] == key and not call.whole:
                yield call.where, Note("a call was still being written: left for the next import")
            else:
                yield from self._let_go(key)
        for tool in self.tools.values():
            note = Note("a tool was still at work: left for the next import")
            yield (tool.where, note) if live else tool.event(None, None)
        yield from self._close_session(live)

    def _live(self) -> bool:
        """Whether the log may still be written to, or breaks off in a file that is new."""
        broken = bool(self.tools) or (self.answering and self.main)
        return may_grow(self.last, CALL_SILENCE) or (broken and recently_written(self.file))

    def _close_session(self, live: bool) -> Iterator[Record]:
        last = self.sessions.now
        if last is None:
            return
        if live or may_grow(self.last, SESSION_SILENCE):
            yield last.where, STILL_OPEN
        else:
            yield from self._session(last.event("claude_code", self.context.session()))

    def _session(self, record: Record) -> Iterator[Record]:
        """Of the main log; of a subagent's where the main one is missing, and then only that."""
        if self.main:
            yield record
        elif self.context.orphan() and isinstance(record[1], dict):
            yield (
                record[0],
                {
                    name: value
                    for name, value in record[1].items()
                    if name not in ("duration_ms", "lines_added", "lines_removed", "files_changed")
                },
            )


def recognises(head: Head) -> bool:
    """A line of a session, or one of those without a session that a log may begin with."""
    first = head.first
    if not first:  # a first line longer than the head: a prompt with a picture in it
        return NAMED.search(head.name) is not None and '"sessionId":' in head.text
    if first.get("type") in ("file-history-snapshot", "summary"):
        return first["type"] != "summary" or "leafUuid" in first
    message = first.get("message")  # one of parts is Qwen Code's, which has other counts
    other = is_line(first) or (isinstance(message, dict) and "parts" in message)
    return first.keys() >= LINE and not other


def read(file: File, options: Options) -> Iterator[Record]:
    if _is_beside(file.name):  # a whole folder under --format
        return _read_beside(file, options)
    return log_records(values(file), Log(file).read_line, options)


def _is_metadata(head: Head) -> bool:
    return _is_beside(head.name)


def _is_beside(name: str) -> bool:
    return BESIDE.search(name.replace("\\", "/")) is not None


def _read_beside(file: File, _: Options) -> Iterator[Record]:
    yield file.name, Note("Claude Code keeps this beside its logs: nothing in it is counted")


IGNORED: Final = {
    "message.usage.cache_creation.ephemeral_5m_input_tokens": "writes beside the hour-long ones",
    "message.usage.server_tool_use.web_fetch_requests": "fetches, which cost their tokens alone",
    "data.message.*": "progress lines repeat a subagent's messages, which have their own file",
    "compactMetadata.*": "how long a conversation was when it was shortened",
    "toolUseResult.*": "what a tool answered",
}
FORMATS = (
    Format(
        "claude_code", "Claude Code session logs", recognises, read, places=PLACES, ignored=IGNORED
    ),
    Format("claude_code_beside", "Files beside Claude Code's logs", _is_metadata, _read_beside),
)
