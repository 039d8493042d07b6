"""How the reader's budgets stand, as JSON, too, and the names people use for what they limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from callbacks.analytics.filter_state import pin_window
from data.access.scope import Scope
from data.budgets.book import budget, listed, own
from data.budgets.budget import Budget
from data.budgets.crossings import Crossed, Crossing, crossed, exactly
from data.budgets.spending import COST, Standing, standing
from data.budgets.subjects import counted
from data.engines.protocol import EventStore
from data.events.money import in_dollars
from data.local_time import instant, midnight, month_after, zone
from data.query.filters import MOST_VALUES, PEOPLE, Filters
from data.query.options import label_values
from data.query.query import Query
from data.query.run import totals
from data.query.series import or_none
from data.query.units import moment
from data.query.windows import Window
from data.state.store import State

ANALYTICS: Final = "/settings/analytics/spending"
Names = dict[tuple[str, str], str]


def standings(state: State, scope: Scope, now: int, store: EventStore) -> list[Standing]:
    """Every budget that concerns this reader, as it stands."""
    return [standing(one, now, scope, store) for one in listed(state, scope)]


def mine(state: State, scope: Scope, now: int, store: EventStore) -> list[Standing]:
    """The budgets set for the reader personally, as they stand."""
    return [standing(one, now, scope, store) for one in own(state, scope)]


def this_month(scope: Scope, now: int, tz: str, store: EventStore) -> tuple[float, str]:
    """What the reader has spent since the month began, and when that was."""
    first = instant(now, zone(tz).key).date().replace(day=1)
    month = Window(midnight(first, tz), month_after(first, tz), tz)
    query = Query(COST, (), Filters(month, (("user", (scope.user,)),)))
    spent = or_none(totals(query, scope, store)["cost"])
    return float(spent or 0), f"{moment(month.start, tz)} {tz}"


def history(
    state: State, scope: Scope, now: int, store: EventStore, number: int | None = None
) -> list[Crossed]:
    """Every crossing that is remembered of all the budgets this reader sees, or of one of them;
    the newest first, to the hour."""
    held = listed(state, scope) if number is None else [budget(state, scope, number)]
    found = [each for one in held for each in crossed(one, now, scope, store)]
    return sorted(found, key=lambda one: -one.hour)


def link(one: Standing, scope: Scope, store: EventStore) -> str:
    """Where Analytics shows what a budget counts in its current period; empty where an address
    cannot hold it."""
    fields = dict(counted(one.budget, one.period, scope, store).fields)
    if any(len(values) > MOST_VALUES for values in fields.values()):
        return ""
    # A family that nothing belongs to yet is shown as a model that nobody has: as nothing.
    choice = {name: list(values) or [one.budget.subject] for name, values in fields.items()}
    return f"{ANALYTICS}?{urlencode(pin_window(choice, one.period), doseq=True)}"


def resolved(found: Sequence[Crossed], scope: Scope, store: EventStore) -> list[Crossing]:
    """The calls that did it, the newest first."""
    exact = [exactly(one, scope, store) for one in found]
    return sorted(exact, key=lambda one: -one.at)


def subject_names(
    budgets: list[Budget], users: list[str], scope: Scope, store: EventStore
) -> Names:
    """What people call the users and projects of some budgets, and other users."""
    names: Names = {}
    for field in PEOPLE:
        wanted = {one.subject for one in budgets if one.kind == field}
        wanted |= set(users) if field == "user" else set()
        if wanted:
            offered = label_values(field, tuple(sorted(wanted)), scope, store)
            names |= {(field, one["value"]): one["label"] for one in offered}
    return names


def standing_as_dict(one: Standing) -> dict[str, Any]:
    """A budget as it stands, as JSON and CSV carry it: raw numbers, instants with their offset."""
    budget, period = one.budget, one.period
    return {
        "id": budget.id, **budget.as_dict(), "spent": in_dollars(one.spent), "share": one.share,
        "level": one.level, "projected": in_dollars(one.projected),
        "from": iso(period.start, budget.zone), "to": iso(period.end, budget.zone),
        "seconds_to_reset": max(0, one.left) // 1_000_000,
    }  # fmt: skip


def crossing_as_dict(one: Crossing) -> dict[str, Any]:
    """A crossing of a limit, the same way."""
    found, zone = one.crossed, one.crossed.budget.zone
    return {
        "limit": found.limit, "at": iso(one.at, zone), "user": one.user,
        "over": in_dollars(found.over), "from": iso(found.period.start, zone),
        "to": iso(found.period.end, zone),
    }  # fmt: skip


def iso(us: int, zone: str) -> str:
    """An instant as text with the offset of a zone."""
    return instant(us, zone).isoformat()
