"""Budgets and crossings as JSON and CSV carry them: raw numbers, instants with their offset."""

from __future__ import annotations

from typing import Any

from callbacks.analytics.spending import dollars
from data.budgets.crossings import Crossing
from data.budgets.spending import Standing
from data.local_time import instant

Said = dict[str, Any]


def standing_as_dict(one: Standing) -> Said:
    """A budget as it stands."""
    budget, period = one.budget, one.period
    return {
        "id": budget.id, **budget.as_dict(), "spent": dollars(one.spent), "share": one.share,
        "level": one.level, "projected": dollars(one.projected),
        "from": iso(period.start, budget.zone), "to": iso(period.end, budget.zone),
        "seconds_to_reset": max(0, one.left) // 1_000_000,
    }  # fmt: skip


def crossing(one: Crossing) -> Said:
    """A crossing of a limit."""
    found, zone = one.crossed, one.crossed.budget.zone
    return {
        "limit": found.limit, "at": iso(one.at, zone), "user": one.user,
        "over": dollars(found.over), "from": iso(found.period.start, zone),
        "to": iso(found.period.end, zone),
    }  # fmt: skip


def iso(us: int, zone: str) -> str:
    """An instant as text with the offset of a zone."""
    return instant(us, zone).isoformat()
