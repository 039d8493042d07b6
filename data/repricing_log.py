"""What was re-priced: by whom, when, from how much to how much, and whether it was undone.

A record is written before the events change and completed after: should the process end between
the two, it stands there without figures and can still be undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import sqlalchemy as sa

from data.accounts import META
from data.budgets import in_dollars
from data.local_time import instant

REPRICINGS: Final = sa.Table(
    "repricings",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("price", sa.Integer),
    sa.Column("entry", sa.JSON(none_as_null=True)),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("models", sa.JSON(none_as_null=True)),
    sa.Column("events", sa.BigInteger),
    sa.Column("compared", sa.BigInteger),
    sa.Column("before", sa.BigInteger),
    sa.Column("after", sa.BigInteger),
    sa.Column("projects", sa.JSON(none_as_null=True)),
    sa.Column("reverted_at", sa.BigInteger),
    sa.Column("reverted_by", sa.Text),
)
Said = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shift:
    """What changes for one project: how many costs, how many list costs beside reported ones,
    and the cost of the former before and after, nano-dollars; null is unknown."""

    project: str | None
    name: str | None
    events: int
    compared: int
    before: int | None
    after: int | None

    def said(self) -> Said:
        """The same as JSON says it; money in US dollars."""
        told = {"project": self.project, "project_name": self.name}
        money = {"before": in_dollars(self.before), "after": in_dollars(self.after)}
        return told | {"events": self.events, "list_costs": self.compared} | money


@dataclass(frozen=True, slots=True)
class Repricing:
    """One re-pricing; figures are null where it did not finish. `projects` are `Shift.said`."""

    id: int
    at: int
    who: str
    name: str
    what: str
    price: int | None
    entry: Said | None
    start: int
    end: int
    models: list[list[str | None]] | None
    events: int | None
    compared: int | None
    before: int | None
    after: int | None
    projects: list[Said] | None
    reverted_at: int | None
    reverted_by: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The re-pricing of a stored row."""
        return cls(*row)

    def said(self) -> Said:
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


def totals(shifts: list[Shift]) -> dict[str, Any]:
    """`events`, `compared`, `before` and `after` of all projects together."""
    counts = {name: sum(getattr(one, name) for one in shifts) for name in ("events", "compared")}
    return counts | {name: _sum(shifts, name) for name in ("before", "after")}


def _sum(shifts: list[Shift], name: str) -> int | None:
    known = [value for one in shifts if (value := getattr(one, name)) is not None]
    return sum(known) if known else None


def said_all(shifts: list[Shift]) -> Said:
    """All projects together and one by one, as JSON says it."""
    whole = Shift(None, None, **totals(shifts)).said()
    kept = {name: value for name, value in whole.items() if not name.startswith("project")}
    return kept | {"projects": [one.said() for one in shifts]}
