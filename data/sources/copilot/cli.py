"""GitHub Copilot CLI's session logs: `~/.copilot/session-state/<session>/events.jsonl`.

event_id      a session's calls of a model up to a shutdown: `copilot_cli:` + session + model + the
              shutdown's ordinal; a session: `copilot_cli:session:` + session + the same
call          modelMetrics of session.shutdown, one event a model that stands for as many requests
              as it says. The counters run on when a session is taken up again: each event holds
              what came since the shutdown before; counters that fell have begun anew.
              inputTokens INCLUDE cacheReadTokens and cacheWriteTokens. Where the session store
              lies beside (`~/.copilot/session-store.db`, store.py), its single calls count, and
              of these sums only what it does not know. Where it is imported apart, the sums give
              way to as many calls of their time (`SUM_OF_SESSION`)
session       from session.start or session.resume to the shutdown; lines of codeChanges
cost          unpriced: Copilot is paid by seats and credits; premium requests stand in tags
context       conversation the session, client copilot-cli with its version, repository the folder
stays null    user and project (--user, --project)
not counted   a session that has not shut down: its use is not told before; what was said in it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED
from data.sources.copilot.store import FIELDS, Stored, calls_beside
from data.sources.entries import line_values
from data.sources.fields import count, folder_name, part, program, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record
from data.sources.sessions import END, log_records
from data.sources.times import EPOCH, instant

SHUTDOWN: Final = "session.shutdown"
BEGINS: Final = ("session.start", "session.resume")
USED: Final = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens",
               "reasoningTokens")  # fmt: skip
STILL_OPEN: Final = Note("a session has not shut down: its use is told when it does")
NO_COST: Final[Raw] = {}
Row = Mapping[str, Any]
Counters = dict[str, int]


def recognises(head: Head) -> bool:
    first = head.first
    data = part(first, "data")
    return first.get("type") in BEGINS and "sessionId" in data and "timestamp" in first


def read(file: File, options: Options) -> Iterator[Record]:
    return log_records(line_values(file), Session(file).take, options)


@dataclass(slots=True)
class Session:
    """The state of reading one log; `take` is given each line, then `END`."""

    file: File
    own: str | None = None
    version: Any = None
    folder: str | None = None
    begun: datetime | None = None
    ended: int = 0
    shut: datetime = EPOCH
    before: dict[str, Counters] = field(default_factory=dict)
    stored: dict[str, tuple[Stored, ...]] = field(default_factory=dict)  # by session

    def take(self, where: str, line: Row) -> Iterator[Record]:
        if line is END:
            if self.begun is not None:
                yield where, STILL_OPEN
            return
        data, kind = part(line, "data"), line.get("type")
        if kind in BEGINS:
            self._begin(data, instant("timestamp", line.get("timestamp")))
        elif kind == SHUTDOWN:
            yield from self._shut(where, data, instant("timestamp", line.get("timestamp")))

    def _begin(self, data: Row, moment: datetime) -> None:
        self.own = text(data.get("sessionId")) or self.own
        self.version = data.get("copilotVersion") or self.version
        self.folder = folder_name(part(data, "context").get("cwd")) or self.folder
        self.begun = moment

    def _shut(self, where: str, data: Row, moment: datetime) -> Iterator[Record]:
        if self.own is None:
            raise EventError("the log shuts a session down that it did not name")
        self.ended += 1
        known = [one for one in self._stored(self.own) if self.shut < one.ended]
        for model, metrics in part(data, "modelMetrics").items():
            if isinstance(metrics, Mapping):
                stored = [one for one in known if one.ended <= moment and one.model == model]
                yield from self._calls(where, model, metrics, moment, stored)
        self.shut = moment
        yield where, self._session_event(data, moment)

    def _stored(self, session: str) -> tuple[Stored, ...]:
        if session not in self.stored:
            self.stored[session] = calls_beside(self.file, session)
        return self.stored[session]

    def _session_event(self, data: Row, moment: datetime) -> Raw:
        changed = part(data, "codeChanges")
        begun, self.begun = self.begun or moment, None
        return self._event(
            begun,
            event_id=f"copilot_cli:session:{self.own}:{self.ended}",
            kind="session",
            duration_ms=max(0, (moment - begun) // timedelta(milliseconds=1)),
            lines_added=count("linesAdded", changed.get("linesAdded")),
            lines_removed=count("linesRemoved", changed.get("linesRemoved")),
            tags=tags_json(premium_requests=data.get("totalPremiumRequests")),
        )

    def _calls(
        self, where: str, model: str, metrics: Row, moment: datetime, stored: Sequence[Stored]
    ) -> Iterator[Record]:
        now = _counters(metrics)
        used = _without(_since(self.before.get(model, {}), now), stored)
        self.before[model] = now
        if not used["requests"]:
            return
        cached, written = used["cacheReadTokens"], used["cacheWriteTokens"]
        prompt = used["inputTokens"]
        yield (
            where,
            self._event(
                moment,
                UNPRICED,
                event_id=f"copilot_cli:{self.own}:{model}:{self.ended}",
                kind="llm",
                model=model,
                operation="chat",
                request_count=used["requests"],
                input_tokens=prompt - cached - written if prompt >= cached + written else prompt,
                cached_input_tokens=cached,
                cache_write_tokens=written,
                output_tokens=used["outputTokens"],
                reasoning_tokens=used["reasoningTokens"] or None,
                tags=None if stored else tags_json(sum_of_session=self._span(moment)),
            ),
        )

    def _span(self, moment: datetime) -> dict[str, str]:
        """When the calls were that end at a shutdown."""
        return {"after": self.shut.isoformat(), "until": moment.isoformat()}

    def _event(self, moment: datetime, cost: Raw = NO_COST, **fields: Any) -> Raw:
        return {
            "ts": moment,
            "channel": "cli",
            "source": "copilot_cli",
            "status": "ok",
            "conversation_id": self.own,
            "client": program("copilot-cli", self.version),
            "repository": self.folder,
            **cost,
            **fields,
        }


def _counters(metrics: Row) -> Counters:
    usage = part(metrics, "usage")
    found = {name: count(name, usage.get(name)) or 0 for name in USED}
    found["requests"] = count("requests", part(metrics, "requests").get("count")) or 0
    return found


def _since(before: Counters, now: Counters) -> Counters:
    """What came since the shutdown before; all of it where the counters began anew."""
    if not before or any(now[name] < before[name] for name in now):
        return now
    return {name: value - before[name] for name, value in now.items()}


def _without(used: Counters, stored: Sequence[Stored]) -> Counters:
    """What the store does not know of it."""
    if not stored:
        return used
    known = {
        name: sum(one.counts[field] for one in stored)
        for name, field in zip(USED, FIELDS, strict=True)
    }
    known["requests"] = len(stored)
    return {name: max(0, value - known[name]) for name, value in used.items()}


PLACES: Final = ("~/.copilot/session-state", "$COPILOT_HOME/session-state")
IGNORED: Final = {
    "*.requests.cost": "premium requests, which are no money",
    "data.outputTokens": "a part of an answer's use, which the shutdown tells by model",
}
FORMAT = Format(
    "copilot_cli", "Copilot CLI's session logs", recognises, read, places=PLACES, ignored=IGNORED
)
