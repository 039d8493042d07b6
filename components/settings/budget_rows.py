"""Budgets and crossings as rows: each number raw for sorting, and as text for reading."""

from __future__ import annotations

from typing import Any, Final

from data.budgets.budget import KINDS, LIMITS, Budget
from data.budgets.crossings import Crossed, Crossing
from data.budgets.spending import Standing
from data.events.money import in_dollars
from data.local_time import instant
from data.query.units import DASH, SHARE, USD, moment

Row = dict[str, Any]
Names = dict[tuple[str, str], str]
STEPS: Final = 20
EVERYTHING: Final = "Everything"


def label(budget: Budget, names: Names) -> str:
    """What a budget is for, in the words people use."""
    if budget.kind == "everything":
        return EVERYTHING
    name = names.get((budget.kind, budget.subject), budget.subject)
    return f"{KINDS[budget.kind]}: {name}"


def row(one: Standing, names: Names, changes: bool, link: str) -> Row:
    """A budget's row; `changes` says whether the reader may edit it, `link` leads to its events."""
    budget, zone = one.budget, one.budget.zone
    reset = f"{day(one.period.end, zone)}, in {remaining(one.left)}"
    return {
        "id": budget.id, "key": str(budget.id), "changes": changes, "link": link,
        "level": one.level, "fill": min(STEPS, int(one.share * STEPS)),
        **_pair("subject", label(budget, names)), **_pair("period", budget.every.capitalize()),
        **_money("spent", one.spent), **_money("hard", budget.hard),
        **_money("soft", budget.soft), **_money("projected", one.projected),
        "share": one.share, "share_text": SHARE.text(one.share),
        "reset": one.period.end, "reset_text": reset, "reset_zoned": f"{reset} ({zone})",
    }  # fmt: skip


def crossing_row(one: Crossing, names: Names) -> Row:
    """A crossing's row."""
    found, zone = one.crossed, one.crossed.budget.zone
    who = names.get(("user", one.user), one.user) if one.user else DASH
    return {
        "at": one.at, "at_text": moment(one.at, zone), "at_zoned": f"{moment(one.at, zone)} {zone}",
        **_pair("subject", label(found.budget, names)), **_pair("limit", LIMITS[found.limit]),
        **_money("most", getattr(found.budget, found.limit)), **_pair("user", who),
        **_money("over", found.over), "period": found.period.start,
        "period_text": day(found.period.start, zone),
    }  # fmt: skip


def point(found: Crossed, names: Names) -> Row:
    """A crossing as a chart draws it: to the hour, so that no call needs to be looked for."""
    budget = found.budget
    return {
        "id": budget.id, "subject": label(budget, names), "period": budget.every.capitalize(),
        "limit": found.limit, "hour": found.hour, "at_text": moment(found.hour, budget.zone),
        **_money("over", found.over),
    }  # fmt: skip


def day(us: int, zone: str) -> str:
    """`1 Dec 2026`: the local day of an instant."""
    at = instant(us, zone)
    return f"{at.day} {at:%b %Y}"


def remaining(us: int) -> str:
    """`7 days 22 h`, `3 h 20 min`, `12 min`: how long until an instant."""
    minutes = max(0, us) // 60_000_000
    days, hours, minutes = minutes // 1_440, minutes % 1_440 // 60, minutes % 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _pair(field: str, value: str) -> Row:
    return {field: value, f"{field}_text": value}


def _money(field: str, nano: int | None) -> Row:
    dollars = in_dollars(nano)
    return {field: dollars, f"{field}_text": USD.text(dollars)}
