"""The periods of a budget: half-open windows between local midnights of its zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from data.budgets.budget import Budget
from data.local_time import instant, midnight, next_month
from data.query.windows import Window

# How far back a history goes, in periods, and in days where a period is of N days.
REMEMBERED: Final = {"daily": 62, "weekly": 27, "monthly": 25}
REMEMBERED_DAYS: Final = 732


def current(budget: Budget, now: int) -> Window:
    """The period that holds `now`; before the budget's start, the first one."""
    first = _window(budget, _first(budget, budget.since))
    if now < first.start:
        return first
    found = _window(budget, _first(budget, instant(now, budget.zone).date()))
    # Where a clock goes back over midnight, an instant's date is not its day.
    while now < found.start:
        found = before(budget, found)
    while now >= found.end:
        found = _window(budget, instant(found.end, budget.zone).date())
    return found


def before(budget: Budget, period: Window) -> Window:
    """The period that ends where this one starts."""
    day = instant(period.start - 1, budget.zone).date()
    return _window(budget, _first(budget, day))


def past(budget: Budget, now: int) -> Iterator[Window]:
    """The current period and those before it, back to the one that holds the start."""
    period = current(budget, now)
    first = midnight(_first(budget, budget.since), budget.zone)
    most = REMEMBERED.get(budget.period) or REMEMBERED_DAYS // (budget.days or 1)
    for _ in range(min(most, REMEMBERED["daily"])):
        yield period
        if period.start <= first:
            return
        period = before(budget, period)


def _first(budget: Budget, day: date) -> date:
    """The first day of the period that holds a day."""
    if budget.period == "weekly":
        return day - timedelta(days=day.weekday())
    if budget.period == "monthly":
        return day.replace(day=1)
    return day - timedelta(days=(day - budget.since).days % (budget.days or 1))


def _window(budget: Budget, first: date) -> Window:
    if budget.period == "monthly":
        after = next_month(first)
    else:
        after = first + timedelta(days=7 if budget.period == "weekly" else budget.days or 1)
    return Window(midnight(first, budget.zone), midnight(after, budget.zone), budget.zone)
