"""Logs that a program still writes while we read them: what is settled, what is left for later.

An event's id is known once it is stored, so nothing may be stored before it is whole. In a log
that grows at its end, everything that later lines cannot change is settled. The rest is settled
when the log falls silent: a call or a tool after an hour, a session after five. What is not
settled is left for the next import, and a note says so.

A session that is taken up again after five silent hours is another *sitting*, an event of its
own (`…:2`, `…:3`): so a stored event never has to grow, and the sittings' sums are the session's.
Silence is measured with the machine's clock, for it is the machine that writes the file;
SPENDSCOPE_NOW does not stop it. A log that breaks off in the middle of a call or of a tool is
also left as long as the file itself is younger than an hour. Any other copy that was made while
its session ran, and that is imported only hours later, cannot be told from one that ended there:
its calls and tools are right, the length of its session stays the copy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import text
from data.sources.files import File
from data.sources.format import (
    Entry,
    Note,
    Options,
    Raw,
    Record,
    describe_error,
    require_mapping,
    with_owner,
)
from data.sources.times import in_utc, instant

END: Final[Mapping[str, Any]] = {}  # the entry after the last one, known by its identity
CALL_SILENCE: Final = timedelta(hours=1)
SESSION_SILENCE: Final = timedelta(hours=5)
STILL_OPEN: Final = Note(
    "a session may still go on: left for an import five hours after its last line"
)
ReadLine = Callable[[str, Any], Iterable[Record]]


def session_call(source: str, row: Mapping[str, Any], own: str | None, model: Any) -> Raw:
    """What every log of a program says of an answered call: a row's `sessionId` and `timestamp`,
    and the call's `own` id in its session."""
    session = text(row.get("sessionId"))
    if own is None or session is None:
        raise EventError("the message has no id, or its session none")
    return {
        "event_id": f"{source}:{session}:{own}",
        "ts": instant("timestamp", row.get("timestamp")),
        "kind": "llm",
        "channel": "cli",
        "source": source,
        "status": "ok",
        "conversation_id": session,
        "model": text(model),
        "operation": "chat",
    }


def log_records(entries: Iterable[Entry], take: ReadLine, options: Options) -> Iterator[Record]:
    """The records of a log whose events are spread over lines; `take` may raise anything.

    Besides every entry, `take` gets `END` after the last.
    """
    watch = options.watch
    for where, entry in chain(entries, [("", END)]):
        try:
            line = require_mapping(entry)
            if watch and entry is not END:
                line = watch.over(line)
            for place, raw in take(where, line):
                yield place, with_owner(raw, options) if isinstance(raw, dict) else raw
            if watch and entry is not END:
                watch.settle(entry)
        except EventError as error:
            yield where, error
        except Exception as error:
            yield where, EventError(f"this is no line of the log ({describe_error(error)})")


def clock() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)


def may_grow(last: datetime | None, silence: timedelta) -> bool:
    """Whether a log whose last line is of this instant may still be written to."""
    return last is not None and abs(clock() - last) < silence


def recently_written(file: File) -> bool:
    """Whether a file was written within the last hour, and may be written to again."""
    if file.path is None or file.complete:
        return False
    try:
        written = file.path.stat().st_mtime
    except OSError:
        return False
    return may_grow(datetime.fromtimestamp(written, UTC), CALL_SILENCE)


def instant_or_none(value: Any) -> datetime | None:
    """The aware time of an ISO 8601 text, UTC where it has no zone; None where it is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found if found.tzinfo is UTC else in_utc(found)
    except (ValueError, OverflowError):
        return None


@dataclass(slots=True)
class Session:
    """Work without five silent hours in it, and the lines it changed (None: not told)."""

    where: str
    number: int
    first: datetime
    last: datetime
    added: int | None = None
    removed: int | None = None
    files: set[str] = field(default_factory=set)
    shared: str | None = None  # what a copy of it under another session has, too

    def change(self, path: str | None, added: int, removed: int) -> None:
        self.added = (self.added or 0) + added
        self.removed = (self.removed or 0) + removed
        self.files.update([path] if path else [])

    def event(self, prefix: str, context: Raw) -> Record:
        """The session event of this sitting; the first has the session's own id."""
        number = f":{self.number}" if self.number > 1 else ""
        return self.where, {
            **context,
            "event_id": f"{prefix}:session:{context['conversation_id']}{number}",
            "ts": self.first,
            "kind": "session",
            "status": "ok",
            "duration_ms": (self.last - self.first) // timedelta(milliseconds=1),
            "lines_added": self.added,
            "lines_removed": self.removed,
            "files_changed": None if self.added is None else len(self.files),
            "shared_id": self.shared,
        }


@dataclass(slots=True)
class SessionSplitter:
    """The sittings of one session, met line by line."""

    now: Session | None = None

    def reach(self, where: str, moment: datetime) -> Session | None:
        """Go on to a line of this instant; returns the sitting that was over before it."""
        if self.now is None:
            self.now = Session(where, 1, moment, moment)
        elif moment - self.now.last >= SESSION_SILENCE:
            over = self.now
            self.now = Session(where, over.number + 1, moment, moment)
            return over
        self.now.last = max(self.now.last, moment)
        return None
