"""The Budgets tab and `Your spending`: budgets and the crossings of their limits as resources.

To know that and in which hour a limit was crossed costs a question a budget; to know the call
costs a few dozen a crossing, so only those of the page that is shown are looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dash import Dash, Input, Output, State, no_update

from callbacks.access.session import current_scope
from callbacks.analytics.spending import (
    history,
    link,
    mine,
    resolved,
    standing_as_dict,
    standings,
    subject_names,
    this_month,
)
from callbacks.settings.preferences import zone_of
from callbacks.settings.resource import (
    Context,
    Found,
    Opening,
    Page,
    Resource,
    Route,
    Shape,
    Stores,
    Values,
)
from components import ids
from components.page import spending
from components.settings import budgets as cards
from components.settings.budget_charts import crossings, height, shares
from components.settings.budget_rows import crossing_row, point, row
from components.settings.resource import Row, options
from data.access.scope import Scope
from data.budgets.book import budget, change, create, remove
from data.budgets.budget import KINDS, Budget
from data.budgets.crossings import Crossed
from data.budgets.spending import Standing, standing
from data.errors import Unknown
from data.query.options import options as offered

PATH: Final = "/api/v1/budgets"
LARGEST_BODY: Final = 64 * 1024
MOST_OFFERED: Final = 20


def _everybody(_: Scope) -> None:
    """Whoever asks sees what concerns them; who may set what, `data/` says."""


# --- budgets


def _read(asking: Context) -> Found[Standing]:
    held = standings(asking.state, asking.scope, asking.actor.now, asking.store)
    return Found(held, draw=lambda rows: (shares(rows), height(len(rows))))


def _rows(asking: Context, held: Sequence[Standing]) -> list[Row]:
    scope, store = asking.scope, asking.store
    names = subject_names([one.budget for one in held], [], scope, store)
    return [
        row(one, names, scope.sets_budgets_of(one.budget.kind, one.budget.subject),
            link(one, scope, store))
        for one in held
    ]  # fmt: skip


def _standing(asking: Context, one: Budget) -> Standing:
    return standing(one, asking.actor.now, asking.scope, asking.store)


def _one(asking: Context, number: int) -> Standing:
    return _standing(asking, budget(asking.state, asking.scope, number))


def _create(asking: Context, values: Values) -> Standing:
    return _standing(asking, create(asking.state, asking.actor, values, asking.store))


def _change(asking: Context, number: int, values: Values) -> Standing:
    return _standing(asking, change(asking.state, asking.actor, number, values, asking.store))


def _opening(asking: Context, button: str, row: Row) -> Opening:
    """A new budget is of a kind that one may set, in the zone in which one reads times."""
    kinds = {key: label for key, label in KINDS.items() if asking.scope.sets_budgets_of_kind(key)}
    blank, title = cards.FORM.blank, BUDGETS.title(button)
    if BUDGETS.opens[button] == "new":
        values = blank | {"kind": next(iter(kinds), ""), "zone": asking.zone}
        return Opening(title, None, values, {"kind": kinds})
    old = budget(asking.state, asking.scope, BUDGETS.record(row.get("id")))
    values = {name: _typed(old.as_dict()[name]) for name in blank}
    return Opening(title, old.id, values, {"kind": kinds})


def _typed(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def _shape(asking: Context, values: Values, _button: str) -> dict[str, Shape]:
    """Which one is limited where it is not everything, and of how many days a period is."""
    kind = str(values.get("kind"))
    label = cards.SUBJECTS.get(kind, "")
    names = [(one, "") for one in _offered(asking, kind)]
    return {
        "subject": Shape(not label, label, names),
        "days": Shape(values.get("period") != "days"),
    }


def _offered(asking: Context, kind: str) -> list[str]:
    if kind == "project" and asking.scope.projects:
        return sorted(asking.scope.projects)[:MOST_OFFERED]
    if kind not in ("project", "user", "model"):
        return []
    found = offered(kind, "", MOST_OFFERED, asking.scope, asking.store)
    return [one["value"] for one in found]


BUDGETS: Final[Resource[Standing]] = Resource(
    cards.BUDGETS,
    allow=_everybody,
    read=_read,
    rows=_rows,
    one=_one,
    create=_create,
    change=_change,
    remove=lambda asking, number: remove(asking.state, asking.actor, number),
    removes="budget-delete",
    opens={"budget-new": "new", "budget-edit": "edit"},
    rights={"budget-new": lambda scope: scope.sets_some_budgets},
    opening=_opening,
    shape=_shape,
    blames="subject",
    route=Route(
        PATH,
        "budgets",
        standing_as_dict,
        change="PATCH",
        largest=LARGEST_BODY,
        too_large="a budget takes at most 64 KB",
        body="the body must be an object with the fields of a budget",
        broken="the body is no JSON",
    ),
)


# --- crossings


def _crossed(asking: Context) -> Found[Crossed]:
    scope, now, store = asking.scope, asking.actor.now, asking.store
    number = chosen(asking.search.get("budget", cards.EVERY))
    found = history(asking.state, scope, now, store, number)

    def draw(_: list[Row]) -> tuple[Row, Row]:
        """Of all of them, whichever page is shown."""
        names = subject_names([one.budget for one in found], [], scope, store)
        points = [point(one, names) for one in found]
        lines = len({one["id"] for one in points})
        return crossings(points, now, asking.zone), height(lines)

    end = asking.offset + (asking.limit or len(found))
    return Found(found[asking.offset : end], len(found), draw=draw)


def chosen(value: str) -> int | None:
    """The number of the budget that was chosen, None for all of them."""
    if value == cards.EVERY:
        return None
    if not value.isdecimal():
        raise Unknown("budget", "that is no budget of this page")
    return int(value)


def _crossing_rows(asking: Context, shown: Sequence[Crossed]) -> list[Row]:
    exact = resolved(shown, asking.scope, asking.store)
    users = [one.user for one in exact if one.user]
    budgets = [one.crossed.budget for one in exact]
    names = subject_names(budgets, users, asking.scope, asking.store)
    return [crossing_row(one, names) for one in exact]


CROSSINGS: Final[Resource[Crossed]] = Resource(
    cards.CROSSINGS, allow=_everybody, read=_crossed, rows=_crossing_rows
)
TAB: Final = Page("budgets", "Budgets", (BUDGETS, CROSSINGS))


# --- what is special about them


def register(app: Dash, stores: Stores) -> None:
    """The selected budget in the head and in the history, a bar that selects, `Your spending`."""
    _selecting(app)
    settings, state, store = stores.settings, stores.state, stores.store

    @app.callback(
        Output(ids.SPENDING, "children"), Input(ids.SPENDING, "id"), Input(ids.ZONE, "data")
    )  # fmt: skip
    def spend(_: Any, zone: Any) -> Any:
        scope, now = current_scope(), settings.now()
        if held := mine(state, scope, now, store):
            return spending.cards(held)
        return spending.none(*this_month(scope, now, zone_of(state, zone), store))


def _selecting(app: Dash) -> None:
    table, of = ids.resource("table", BUDGETS.key), ids.resource_find("budget", CROSSINGS.key)

    @app.callback(
        Output(ids.BUDGET_CHOSEN, "children"),
        Output(ids.BUDGET_SHOW, "hidden"),
        Output(ids.BUDGET_LINK, "href"),
        Output(of, "options"),
        Output(of, "value"),
        Input(table, "selectedRows"),
        Input(table, "rowData"),
    )
    def choose(selected: Any, rows: Any) -> tuple[Any, ...]:
        known = options(cards.choices(rows or []))
        if not selected:
            return "", True, "", known, cards.EVERY
        one = selected[0]
        return cards.called(one), not one.get("link"), one.get("link", ""), known, str(one["id"])

    @app.callback(
        Output(table, "selectedRows", allow_duplicate=True),
        Input(ids.resource_extra("chart", BUDGETS.key, "chart"), "clickData"),
        State(table, "rowData"),
        prevent_initial_call=True,
    )
    def point_at(click: Any, rows: Any) -> Any:
        """A bar that is clicked selects its budget, as its row does."""
        if not click or not rows:
            return no_update
        number = click["points"][0]["customdata"][0]
        return [one for one in rows if one["id"] == number]
