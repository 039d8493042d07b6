"""The Budgets tab and `Your spending`: budgets and the crossings of their limits as resources.

To know that and in which hour a limit was crossed costs a question a budget; to know the call
costs a few dozen a crossing, so only those of the page that is shown are looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, Response, jsonify

from callbacks.analytics.filter_state import pin_window
from callbacks.api.parameters import only, whole
from callbacks.settings.resource import (
    Context,
    FieldState,
    File,
    Found,
    Opening,
    Page,
    Resource,
    Route,
    Values,
    current_context,
    everybody,
)
from callbacks.stores import Stores
from components.settings import budgets as cards
from components.settings.budget_charts import (
    crossings,
    crossings_summary,
    drawn,
    shares,
    shares_summary,
)
from components.settings.budgets import Names, crossing_row, point, row
from components.settings.resource import Row
from data.budgets.book import budget, change, create, remove, visible_budgets
from data.budgets.budget import KINDS, Budget
from data.budgets.crossings import Crossed, Crossing, crossed, exactly
from data.budgets.spending import BudgetStatus, budget_status
from data.budgets.subjects import counted
from data.errors import Refused
from data.query.filters import MOST_VALUES, PEOPLE
from data.query.options import label_values
from data.query.options import options as offered

PATH: Final = "/api/v1/budgets"
ANALYTICS: Final = "/settings/analytics/spending"
MOST_OFFERED: Final = 20
LARGEST: Final = 2**63 - 1
TOGETHER: Final = 20
STATUS_COLUMNS: Final = (
    "id", "kind", "subject", "name", "period", "days", "zone", "start", "soft", "hard", "spent",
    "share", "level", "projected", "from", "to", "seconds_to_reset",
)  # fmt: skip
CROSSING_COLUMNS: Final = (
    "budget", "kind", "subject", "name", "period", "days", "limit", "amount", "at", "user",
    "user_name", "over", "from", "to",
)  # fmt: skip


def subject_names(
    context: Context, budgets: Sequence[Budget], users: Sequence[str | None] = ()
) -> Names:
    """What people call the users and projects of some budgets, and other users."""
    names: Names = {}
    for field in PEOPLE:
        subjects = {one.subject for one in budgets if one.kind == field}
        subjects |= {user for user in users if user} if field == "user" else set()
        if subjects:
            found = label_values(field, tuple(sorted(subjects)), context.scope, context.store)
            names |= {(field, one["value"]): one["label"] for one in found}
    return names


def _name(one: Budget, names: Names) -> str:
    return names.get((one.kind, one.subject), one.subject)


# --- budgets


def status(context: Context, one: Budget) -> BudgetStatus:
    """What has been spent of a budget by now."""
    return budget_status(one, context.actor.now, context.scope, context.store)


def _read(context: Context) -> Found[BudgetStatus]:
    """Every budget that concerns this reader, as it stands."""
    found = [status(context, one) for one in visible_budgets(context.state, context.scope)]
    return Found(found, draw=lambda rows: drawn(shares(rows), len(rows), shares_summary(rows)))


def _rows(context: Context, found: Sequence[BudgetStatus]) -> list[Row]:
    names, may = (
        subject_names(context, [one.budget for one in found]),
        context.scope.sets_budgets_of,
    )
    return [
        row(one, names, may(one.budget.kind, one.budget.subject), _link(context, one))
        for one in found
    ]


def _link(context: Context, one: BudgetStatus) -> str:
    """Where Analytics shows what a budget counts in its current period; empty where an address
    cannot hold it."""
    fields = dict(counted(one.budget, one.period, context.scope, context.store).fields)
    if any(len(values) > MOST_VALUES for values in fields.values()):
        return ""
    # A family that nothing belongs to yet is shown as a model that nobody has: as nothing.
    choice = {name: list(values) or [one.budget.subject] for name, values in fields.items()}
    return f"{ANALYTICS}?{urlencode(pin_window(choice, one.period), doseq=True)}"


def _lines(context: Context, found: Sequence[BudgetStatus]) -> list[dict[str, Any]]:
    names = subject_names(context, [one.budget for one in found])
    return [one.as_dict() | {"name": _name(one.budget, names)} for one in found]


def _one(context: Context, number: int) -> BudgetStatus:
    return status(context, budget(context.state, context.scope, number))


def _create(context: Context, values: Values) -> BudgetStatus:
    return status(context, create(context.state, context.actor, values, context.store))


def _change(context: Context, number: int, values: Values) -> BudgetStatus:
    return status(context, change(context.state, context.actor, number, values, context.store))


def _opening(context: Context, button: str, row: Row) -> Opening:
    """A new budget is of a kind that one may set, in the zone in which one reads times."""
    kinds = {key: label for key, label in KINDS.items() if context.scope.sets_budgets_of_kind(key)}
    if button == "budget-new":
        first = {"kind": next(iter(kinds), ""), "zone": context.zone}
        return Opening(values=first, options={"kind": kinds})
    old = budget(context.state, context.scope, cards.BUDGETS.number_of(row))
    return Opening(old.id, old.as_dict(), {"kind": kinds})


def _fields(context: Context, values: Values) -> dict[str, FieldState]:
    """What is limited, where it is not everything."""
    kind = str(values.get("kind"))
    names = [(one, "") for one in _offered(context, kind)]
    return {"subject": FieldState(cards.SUBJECTS.get(kind), names)}


def _offered(context: Context, kind: str) -> list[str]:
    if kind == "project" and context.scope.projects:
        return sorted(context.scope.projects)[:MOST_OFFERED]
    if kind not in ("project", "user", "model"):
        return []
    found = offered(kind, "", MOST_OFFERED, context.scope, context.store)
    return [one["value"] for one in found]


BUDGETS: Final[Resource[BudgetStatus]] = Resource(
    cards.BUDGETS,
    allow=everybody,
    read=_read,
    rows=_rows,
    one=_one,
    create=_create,
    change=_change,
    remove=lambda context, number: remove(context.state, context.actor, number),
    rights={"budget-new": lambda scope: scope.sets_some_budgets},
    opening=_opening,
    fields=_fields,
    route=Route(PATH, "budgets", BudgetStatus.as_dict, change="PATCH"),
    file=File(f"{PATH}.csv", STATUS_COLUMNS, _lines),
)


# --- crossings


def _crossed(context: Context) -> Found[Crossed]:
    """Every crossing that is remembered of all the budgets this reader sees, or of one of them;
    the newest first, to the hour."""
    number, now = _chosen(context.search.get("budget", cards.EVERY)), context.actor.now
    state, scope = context.state, context.scope
    budgets = visible_budgets(state, scope) if number is None else [budget(state, scope, number)]
    every = [each for one in budgets for each in crossed(one, now, scope, context.store)]
    found = sorted(every, key=lambda one: -one.hour)

    def draw(_: list[Row]) -> Row:
        """Of all of them, whichever page is shown."""
        names = subject_names(context, [one.budget for one in found])
        points = [point(one, names) for one in found]
        figure = crossings(points, now, context.zone)
        return drawn(figure, len({one["id"] for one in points}), crossings_summary(points))

    end = context.offset + (context.limit or len(found))
    return Found(found[context.offset : end], len(found), draw=draw)


def _chosen(value: str) -> int | None:
    """The number of the budget that was chosen, None for all of them."""
    if value == cards.EVERY:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= LARGEST:
        raise Refused("budget", "budget must be the number of one")
    return int(value)


def _exact(context: Context, found: Sequence[Crossed]) -> tuple[list[Crossing], Names]:
    """The calls that did it, the newest first, and what people call what they are about."""
    exact = sorted((exactly(one, context.scope, context.store) for one in found),
                   key=lambda one: -one.at)  # fmt: skip
    budgets, users = [one.budget for one in found], [one.user for one in exact]
    return exact, subject_names(context, budgets, users)


def _crossing_rows(context: Context, found: Sequence[Crossed]) -> list[Row]:
    exact, names = _exact(context, found)
    return [crossing_row(one, names) for one in exact]


def _crossing_lines(context: Context, found: Sequence[Crossed]) -> Iterator[dict[str, Any]]:
    """Some at a time: the call behind each has to be looked for."""
    for place in range(0, len(found), TOGETHER):
        exact, names = _exact(context, found[place : place + TOGETHER])
        for one in exact:
            budget = one.crossed.budget
            yield budget.as_dict() | one.as_dict() | {
                "budget": budget.id, "name": _name(budget, names),
                "amount": budget.as_dict()[one.crossed.limit],
                "user_name": names.get(("user", one.user or ""), one.user),
            }  # fmt: skip


CROSSINGS: Final[Resource[Crossed]] = Resource(
    cards.CROSSINGS,
    allow=everybody,
    read=_crossed,
    rows=_crossing_rows,
    file=File(f"{PATH}/crossings.csv", CROSSING_COLUMNS, _crossing_lines),
)
TAB: Final = Page("budgets", "Budgets", (BUDGETS, CROSSINGS))


# --- the history of one


def attach(server: Flask, stores: Stores) -> None:
    """Route the history of one budget on a server."""

    @server.get(f"{PATH}/<int:number>/crossings")
    def history(number: int) -> Response:
        only(("limit", "offset"))
        limit, offset = whole("limit", 20, 1, 100), whole("offset", 0, 0, 10**6)
        context = current_context(stores)
        one = budget(context.state, context.scope, number)
        found = crossed(one, context.actor.now, context.scope, context.store)
        exact, _ = _exact(context, found[offset : offset + limit])
        return jsonify(crossings=[one.as_dict() for one in exact], row_count=len(found))
