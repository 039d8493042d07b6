"""The plain shape of OTLP's three signals, whichever way they travelled.

`Span`, `Log` and `Point` are what the rest reads: attributes are a mapping of names to plain
values, ids lower-case hex, times nanoseconds since 1970 (0: not said).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from data.errors import EventError
from data.sources.otlp.attributes import Attributes

SIGNALS: Final = ("traces", "logs", "metrics")
FAILED: Final = 2  # STATUS_CODE_ERROR
SERVER: Final = 2  # SPAN_KIND_SERVER
DELTA: Final = 1  # AGGREGATION_TEMPORALITY_DELTA
SINCE_2000: Final = range(946_684_800 * 10**9, 2**63)
NOUNS: Final = {"traces": "span", "logs": "log record", "metrics": "data point"}


@dataclass(slots=True, eq=False)
class Span:
    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start: int
    end: int
    failed: bool
    attributes: Attributes
    resource: Attributes
    scope: str
    earlier: bool = False  # it came in another request
    duplicate: bool = False  # it was found to be one, and not told
    converted: bool = False  # an event was made of it

    @property
    def plausible(self) -> bool:
        """Whether this can have been a span before it was read as one."""
        return len(self.trace) == 32 and len(self.id) == 16


@dataclass(slots=True, eq=False)
class Log:
    name: str  # the event's name, from wherever it is told
    time: int
    trace: str
    span: str
    attributes: Attributes
    resource: Attributes
    scope: str

    @property
    def plausible(self) -> bool:
        return self.time in SINCE_2000


@dataclass(slots=True, eq=False)
class Point:
    name: str
    temporality: int
    start: int
    time: int
    attributes: Attributes
    resource: Attributes
    scope: str

    @property
    def plausible(self) -> bool:
        return bool(self.name) and self.time in SINCE_2000


Item = Span | Log | Point
Found = tuple[str, Item | EventError]  # ("span 3", …)


def event_name(attributes: Attributes, body: Any, own: str) -> str:
    """Claude Code tells it in the body, Codex in an attribute, newer exporters in its field."""
    for name in (body, attributes.get("event.name"), own):
        if isinstance(name, str) and "." in name and " " not in name:
            return name
    return own
