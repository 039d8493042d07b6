"""How a budget stands: spent in its current period, and at which pace.

Every number is a `Query` under the reader's scope; `data/budgets/book.py` hands out only budgets
of which that scope sees every event, so the number is the same for all who get it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from data.access.scope import Scope
from data.budgets.budget import Budget
from data.budgets.periods import current
from data.budgets.subjects import counted
from data.engines.protocol import EventStore
from data.events.money import NANO, in_dollars
from data.local_time import iso
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none
from data.query.windows import Window

Level = Literal["good", "amber", "red"]
AMBER: Final = 0.75
RED: Final = 0.9
COST: Final = ("cost",)


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget at an instant; money in nano-dollars."""

    budget: Budget
    period: Window
    spent: int
    now: int

    @property
    def share(self) -> float:
        """What is spent of the hard limit; more than 1 when it is exceeded."""
        return self.spent / self.budget.hard

    @property
    def level(self) -> Level:
        """How near the hard limit is: more of it spent than `AMBER`, than `RED`, or less."""
        if self.share > RED:
            return "red"
        return "amber" if self.share > AMBER else "good"

    @property
    def projected(self) -> int | None:
        """What will have been spent at the reset if it goes on like this; None before the start."""
        gone = self.now - self.period.start
        if gone <= 0:
            return None
        return self.spent * (self.period.end - self.period.start) // gone

    @property
    def left(self) -> int:
        """Until the reset, in µs."""
        return self.period.end - self.now

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON says it: money in US dollars, instants with their offset."""
        start, end = self.period.start, self.period.end
        return {
            "id": self.budget.id, **self.budget.as_dict(), "spent": in_dollars(self.spent),
            "share": self.share, "level": self.level, "projected": in_dollars(self.projected),
            "from": iso(start, self.budget.zone), "to": iso(end, self.budget.zone),
            "seconds_to_reset": max(0, self.left) // 1_000_000,
        }  # fmt: skip


def budget_status(budget: Budget, now: int, scope: Scope, store: EventStore) -> BudgetStatus:
    """How a budget stands now, for a reader who sees all that it counts."""
    period = current(budget, now)
    query = Query(COST, (), counted(budget, period, scope, store))
    return BudgetStatus(budget, period, nano(run(query, scope, store)["cost"].iloc[0]), now)


def nano(dollars: Any) -> int:
    """Money of a frame in nano-dollars again; unknown is nothing spent."""
    return 0 if or_none(dollars) is None else round(float(dollars) * NANO)
