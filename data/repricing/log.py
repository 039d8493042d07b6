"""What was re-priced: by whom, when, from how much to how much, and whether it was undone.

A record is written before the events change and completed after: should the process end between
the two, it stands there without figures and can still be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from data.events.money import in_dollars
from data.local_time import instant
from data.prices.cost_change import CostChange

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Repricing:
    """One re-pricing; figures are null where it did not finish. `projects` are JSON."""

    id: int
    at: int
    who: str
    name: str
    what: str
    price: int | None
    entry: Json | None
    start: int
    end: int
    models: list[list[str | None]] | None
    events: int | None
    compared: int | None
    before: int | None
    after: int | None
    projects: list[Json] | None
    reverted_at: int | None
    reverted_by: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The re-pricing of a stored row."""
        return cls(*row)

    def as_dict(self) -> Json:
        """The same as JSON says it: instants ISO 8601, money in US dollars."""
        undone = None if self.reverted_at is None else instant(self.reverted_at).isoformat()
        return {
            "id": self.id, "at": instant(self.at).isoformat(), "who": self.who, "name": self.name,
            "what": self.what, "price": self.price, "entry": self.entry,
            "from": instant(self.start).isoformat(), "to": instant(self.end).isoformat(),
            "models": self.models, "events": self.events, "list_costs": self.compared,
            "before": in_dollars(self.before), "after": in_dollars(self.after),
            "projects": self.projects, "reverted_at": undone, "reverted_by": self.reverted_by,
        }  # fmt: skip


def totals(changes: list[CostChange]) -> dict[str, Any]:
    """`events`, `compared`, `before` and `after` of all projects together."""
    counts = {name: sum(getattr(one, name) for one in changes) for name in ("events", "compared")}
    return counts | {name: _sum(changes, name) for name in ("before", "after")}


def _sum(changes: list[CostChange], name: str) -> int | None:
    known = [value for one in changes if (value := getattr(one, name)) is not None]
    return sum(known) if known else None


def changes_as_dict(changes: list[CostChange]) -> Json:
    """All projects together and one by one, as JSON says it."""
    whole = CostChange(None, None, **totals(changes)).as_dict()
    sums = {name: value for name, value in whole.items() if not name.startswith("project")}
    return sums | {"projects": [one.as_dict() for one in changes]}
