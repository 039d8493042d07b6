"""Metrics: sums of what spans and log events tell one by one, so a report says they are there, and
that their use is missing where those are not sent (`callbacks/receive/otlp.py` answers so, too).

Whether they come as portions (delta) or running totals (cumulative) makes no difference: none is
counted but `claude_code.session.count`, whose session becomes one event under its own id,
however often it is told. Lines of code come in portions, and a session is one event that never
changes: they are taken from the session's files, not from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from data.errors import EventError
from data.sources.format import Note, Raw
from data.sources.otlp.attributes import first
from data.sources.otlp.events import common
from data.sources.otlp.items import DELTA, Point

SESSIONS: Final = "claude_code.session.count"
LINES: Final = "claude_code.lines_of_code.count"
AGAIN_WHY: Final = (
    "log events and spans tell the same use one by one; where those are not sent, it is missing"
)
AGAIN: Final = (
    "claude_code.cost.usage",
    "claude_code.token.usage",
    "gen_ai.client.token.usage",
    "gen_ai.client.operation.duration",
    "gen_ai.client.inference.",
    "codex.",
    "gemini_cli.",
)


def point_events(point: Point) -> Iterator[Raw | Note]:
    """The session of a data point, or a note on why it is not counted, or nothing."""
    if point.name == SESSIONS:
        yield _session(point)
    elif point.name == LINES:
        yield Note(f"{LINES}: lines come in portions, a session is one event; not counted")
    elif point.name.startswith(AGAIN):
        kind = "delta" if point.temporality == DELTA else "cumulative"
        yield Note(f"{point.name} ({kind}) is not counted: {AGAIN_WHY}")


def _session(point: Point) -> Raw:
    session = first(point.attributes, "session.id")
    if session is None:
        raise EventError("session.id is missing")
    return {
        **common(point, "claude_code"),
        "event_id": f"claude_code:session:{session}",
        "kind": "session",
        "ts": (point.start or point.time) // 1_000 or None,
    }
