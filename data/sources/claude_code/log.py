"""One Claude Code log, read line by line: what is open is held, what is whole is let go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from data.errors import EventError
from data.sources.claude_code.calls import Call, call_id, ended, failed, failure, synthetic
from data.sources.claude_code.context import Context, Line
from data.sources.claude_code.tools import Change, Tool, changed, results, used
from data.sources.files import File
from data.sources.format import Note, Record
from data.sources.sessions import END, SETTLED, SITTING, Sittings, fresh, growing, instant

HELD: Final = 64  # calls; lines of one call are never further apart
TOOLS: Final = 1_000
ENDING: Final = {"system", "last-prompt", "summary"}  # lines that follow a finished turn


class Log:
    """The state of reading one file; `take` is given each line, then `END`."""

    def __init__(self, file: File) -> None:
        self.file, self.context = file, Context(file)
        self.calls: dict[str, Call] = {}
        self.tools: dict[str, Tool] = {}
        self.known: dict[str, None] = {}  # tools that were met, lest a replayed one waits forever
        self.sittings = Sittings()
        self.last: datetime | None = None
        self.main = False
        self.answering = False  # the latest call has not said that it ended

    def take(self, where: str, line: Line) -> Iterator[Record]:
        """The events that are whole now; `EventError` where a line is none."""
        if line is END:
            yield from self._end()
            return
        self.context.meet(line)
        moment = instant(line.get("timestamp"))
        yield from self._move(where, line, moment)
        kind = str(line.get("type"))
        if kind == "assistant":
            yield from self._answer(where, line, moment)
        elif kind == "user":
            yield from self._asked(line)
        elif kind in ENDING:
            self._close()

    def _move(self, where: str, line: Line, moment: datetime | None) -> Iterator[Record]:
        if moment is None:
            return
        self.last = moment if self.last is None else max(self.last, moment)
        self.main = self.main or not line.get("isSidechain")
        if self.context.own(line) and (over := self.sittings.reach(where, moment)):
            yield from self._session(over.event("claude_code", self.context.session()))

    def _answer(self, where: str, line: Line, moment: datetime | None) -> Iterator[Record]:
        message = line.get("message")
        if moment is None or not isinstance(message, Mapping):
            raise EventError("an assistant line needs a timestamp and a message")
        if failed(line, message):
            yield where, failure(self.context, line, message, moment)
        elif synthetic(message):
            yield where, Note("lines that Claude Code wrote itself, without a call, do not count")
        else:
            yield from self._call(where, line, message, moment)

    def _call(self, where: str, line: Line, message: Line, moment: datetime) -> Iterator[Record]:
        key = call_id(line, message)
        seen = Call.of(where, self.context, line, message, moment)
        self.calls[key] = seen.after(self.calls.get(key))
        self.answering = not ended(message)
        for name, tool in used(where, self.context, line, message, moment):
            if name not in self.known:
                self.known[name] = None
                self.tools[name] = tool
        while len(self.calls) > HELD:
            yield from self._let_go(next(iter(self.calls)))
        while len(self.tools) > TOOLS:
            yield self.tools.pop(next(iter(self.tools))).event(None, None)
        while len(self.known) > 10 * TOOLS:
            del self.known[next(iter(self.known))]

    def _let_go(self, key: str) -> Iterator[Record]:
        yield from self.calls.pop(key).records(key)

    def _asked(self, line: Line) -> Iterator[Record]:
        """Results of tools; a line without any is somebody's next prompt."""
        found = list(results(line))
        told = line.get("toolUseResult") if len(found) == 1 else None
        told = told if isinstance(told, Mapping) else {}
        for name, error in found:
            if name in self.tools:
                yield self.tools.pop(name).event(error, told)
                self._change(line, None if error else changed(told))
        if not found and not line.get("isSidechain") and not line.get("isMeta"):
            self._close()

    def _change(self, line: Line, change: Change | None) -> None:
        if change and self.context.own(line) and self.sittings.now:
            self.sittings.now.change(*change)

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
        yield from self._last_sitting(live)

    def _live(self) -> bool:
        """Whether the log may still be written to, or breaks off in a file that is new."""
        broken = bool(self.tools) or (self.answering and self.main)
        return growing(self.last, SETTLED) or (broken and fresh(self.file))

    def _last_sitting(self, live: bool) -> Iterator[Record]:
        sitting = self.sittings.now
        if sitting is None:
            return
        if live or growing(self.last, SITTING):
            yield (
                sitting.where,
                Note(
                    "a session may still go on: left for an import five hours after its last line"
                ),
            )
        else:
            yield from self._session(sitting.event("claude_code", self.context.session()))

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
