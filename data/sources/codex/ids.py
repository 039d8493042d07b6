"""The ids of Codex's calls, which its session files and its telemetry must find alike.

Telemetry names no response and has a clock of its own, so a call is known by what both tell of it:
its thread and its four counts (input as told, cached, output, reasoning; the model is told in
different words). Calls that agree in all of them are numbered, `…:2`, in the order they are told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from data.sources.format import Raw
from data.sources.otlp.events import digest

CALL: Final = "codex:call:"
Counts = tuple[int | None, int | None, int | None, int | None]


def call_id(thread: str, counts: Counts) -> str:
    """The id of the first call of a thread with these counts; what is not told is 0."""
    return CALL + digest(thread, *(count or 0 for count in counts))


@dataclass(slots=True)
class Numbers:
    """Numbers calls of one id: by their times where one record may be told twice."""

    met: Counter[str] = field(default_factory=Counter)
    moments: dict[tuple[str, Any], str] = field(default_factory=dict)

    def next(self, raw: Raw) -> Raw:
        """The call as one more of its id."""
        key = raw["event_id"]
        self.met[key] += 1
        return raw | {"event_id": key if self.met[key] == 1 else f"{key}:{self.met[key]}"}

    def at(self, raw: Raw) -> Raw:
        """A call as the one of its time; anything else as it is."""
        key = raw["event_id"]
        if not key.startswith(CALL):
            return raw
        moment = (key, raw["ts"])
        if moment not in self.moments:
            self.moments[moment] = self.next(raw)["event_id"]
        return raw | {"event_id": self.moments[moment]}
