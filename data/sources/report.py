"""What became of the records of an import: the report every way in answers with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from data.errors import EventError
from data.events.money import NANO
from data.events.table import EPOCH, TOKENS, Event

FOUR: Final = itemgetter(*TOKENS)
MOST_REASONS: Final = 20
LONGEST_REASON: Final = 300
MOST_SOURCES: Final = 200  # told apart: a file may name another with every record
OTHERS: Final = "(other sources)"
Rejections = list[tuple[str, str]]


@dataclass(slots=True)
class Report:
    """What became of the records (docs/data.md); times, money and tokens are the accepted ones'."""

    files: int = 0
    format: str = ""
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    unpriced: int = 0
    rejections: Rejections = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)  # what a source said beside records
    # Of each source: events that were new or known, and how many of what came were neither.
    sources: dict[str, list[int]] = field(default_factory=dict)
    reasons: dict[str, Rejections] = field(default_factory=dict)  # of each, the first rejections
    first: int | None = None  # µs UTC
    last: int | None = None
    cost_nano: int = 0
    tokens: int = 0

    @property
    def read(self) -> int:
        return self.accepted + self.duplicates + self.rejected

    def accept(self, events: Iterable[Event]) -> None:
        accepted = list(events)
        if not accepted:
            return
        self.accepted += len(accepted)
        for event in accepted:
            if (cost := event["cost_nano"]) is not None:
                self.cost_nano += cost
            elif event["kind"] == "llm":
                self.unpriced += 1
            self.tokens += sum(filter(None, FOUR(event)))
        instants = [event["ts"] for event in accepted]
        self._span(min(instants), max(instants))

    def add_source(
        self, source: str, events: int = 0, duplicates: int = 0, rejected: int = 0
    ) -> None:
        """Count what a source brought; "" is whoever a record that is no event is of."""
        source = self._source_key(source)
        counts = self.sources.get(source, [0, 0, 0])
        more = (events, duplicates, rejected)
        self.sources[source] = [old + new for old, new in zip(counts, more, strict=True)]

    def explain(self, source: str, reasons: Iterable[Sequence[str]]) -> None:
        """Keep why something of a source was rejected, as long as there is room."""
        listed = self.reasons.setdefault(self._source_key(source), [])
        listed += islice(
            ((where, why) for where, why in reasons), max(MOST_REASONS - len(listed), 0)
        )

    def _source_key(self, source: str) -> str:
        separate = not source or source in self.sources or len(self.sources) < MOST_SOURCES
        return source if separate else OTHERS

    def attribute_rejections(self, name: str, before: Mapping[str, list[int]]) -> None:
        """What has been rejected since `before` is of the one source that came, else of `name`."""
        came = [source for source in self.sources if source and
                self.sources[source] != before.get(source)]  # fmt: skip
        if nameless := self.sources.pop("", None):
            whose = came[0] if len(came) == 1 else name
            self.add_source(whose, *nameless)
            self.explain(whose, self.reasons.pop("", ()))

    def reject(self, where: str, error: EventError) -> None:
        self.rejected += 1
        self.add_source("", rejected=1)
        rejection = _shortened(where), _shortened(str(error))
        self.explain("", [rejection])
        if len(self.rejections) < MOST_REASONS:
            self.rejections.append(rejection)

    def note(self, text: str, times: int = 1) -> None:
        if text in self.notes or len(self.notes) < MOST_REASONS:
            self.notes[text] = self.notes.get(text, 0) + times

    def add(self, other: Report) -> None:
        """Take in what another file's report says."""
        for name in ("files", "accepted", "duplicates", "rejected", "unpriced"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        names = {*self.format.split(", "), *other.format.split(", ")}
        self.format = ", ".join(sorted(names - {""}))
        self.rejections = (self.rejections + other.rejections)[:MOST_REASONS]
        for text, times in other.notes.items():
            self.note(text, times)
        for source, counts in other.sources.items():
            self.add_source(source, *counts)
        for source, reasons in other.reasons.items():
            self.explain(source, reasons)
        self.cost_nano += other.cost_nano
        self.tokens += other.tokens
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Report:
        """A report again of its `dataclasses.asdict`, through JSON or not."""
        return cls(**{**fields, "rejections": [(w, r) for w, r in fields["rejections"]]})

    def _span(self, first: int, last: int) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def as_dict(self) -> dict[str, Any]:
        """The import report of docs/data.md as JSON: instants ISO 8601 UTC, cost in US dollars."""
        return {
            "files": self.files,
            "format": self.format,
            "read": self.read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "unpriced": self.unpriced,
            "rejections": [{"where": w, "reason": r} for w, r in self.rejections],
            "notes": [{"what": _shortened(text), "times": n} for text, n in self.notes.items()],
            "from": _iso(self.first),
            "to": _iso(self.last),
            "cost": float(Decimal(self.cost_nano) / NANO),
            "tokens": self.tokens,
        }


def _shortened(text: str) -> str:
    """Short, and of characters every output can encode."""
    return text[:LONGEST_REASON].encode(errors="replace").decode()


def _iso(ts: int | None) -> str | None:
    return None if ts is None else (EPOCH + timedelta(microseconds=ts)).astimezone(UTC).isoformat()
