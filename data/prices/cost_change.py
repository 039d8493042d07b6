"""What a re-pricing changes of one project's stored costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data.events.money import in_dollars


@dataclass(frozen=True, slots=True)
class CostChange:
    """What changes for one project: how many costs, how many list costs beside reported ones,
    and the cost of the former before and after, nano-dollars; null is unknown."""

    project: str | None
    name: str | None
    events: int
    compared: int
    before: int | None
    after: int | None

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON says it; money in US dollars."""
        project = {"project": self.project, "project_name": self.name}
        money = {"before": in_dollars(self.before), "after": in_dollars(self.after)}
        return project | {"events": self.events, "list_costs": self.compared} | money
