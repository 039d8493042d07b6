"""Four example budgets for the sample organisation, so that the tab has something to tell.

Their limits follow from what the sample spends, whatever its size.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from math import floor, log10
from statistics import median
from typing import Any, Final

from data.access.scope import SYSTEM
from data.budgets.book import create, visible_budgets
from data.budgets.budget import Budget, draft
from data.budgets.periods import past
from data.budgets.spending import budget_status
from data.engines.protocol import EventStore
from data.events.money import NANO
from data.local_time import instant
from data.sample.cast import NEWCOMER
from data.sample.people import PERSONAS
from data.state.audit import SAMPLE_NAME, Actor, count
from data.state.store import State

DAYS: Final = 75
PERIODS: Final = 5
LEAST: Final = 0.02


def examples(state: State, store: EventStore, now: int) -> list[Budget]:
    """The example budgets, made once: not where anybody ever made or deleted one."""
    if visible_budgets(state, SYSTEM) or count(state, SYSTEM):
        return []
    actor = Actor(SYSTEM, SAMPLE_NAME, now)
    return [create(state, actor, raw, store) for raw in _raws(store, now)]


def _raws(store: EventStore, now: int) -> list[dict[str, Any]]:
    start = (instant(now) - timedelta(days=DAYS)).date().isoformat()
    user = next(one.claims["sub"] for one in PERSONAS if one.key == "user")
    berlin = {"zone": "Europe/Berlin", "start": start}
    rows: list[tuple[dict[str, Any], float]] = [
        ({"kind": "everything", "period": "monthly"} | berlin, 1.1),
        ({"kind": "project", "subject": NEWCOMER, "period": "monthly"} | berlin, 0),
        ({"kind": "user", "subject": user, "period": "weekly"} | berlin, 1.1),
        ({"kind": "model", "subject": "claude-*", "period": "days", "days": 14} | berlin, 1.15),
    ]
    return [raw | _limits(raw, factor, store, now) for raw, factor in rows]


def _limits(raw: dict[str, Any], factor: float, store: EventStore, now: int) -> dict[str, Any]:
    """So much above what is usual; or, at a factor of zero, only just above what is spent."""
    budget = draft(raw | {"hard": 1}, now)
    spent = [
        budget_status(budget, period.end - 1, SYSTEM, store).spent / NANO
        for period in islice(past(budget, now), PERIODS)
    ]
    usual = median(spent[1:] or spent) * factor or spent[0] * 1.06
    hard = _round(usual)
    return {"hard": hard, "soft": round(hard * 0.8, 2)}


def _round(dollars: float) -> float:
    """Three digits, as people set limits."""
    dollars = max(dollars, LEAST)
    return round(dollars, 2 - floor(log10(dollars)))
