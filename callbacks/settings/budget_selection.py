"""`Your spending`, and the budget that is selected by its row or its bar: in the head of the tab
and in the history.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.settings.browser import FORGED
from callbacks.settings.budgets import BUDGETS, CROSSINGS, status
from callbacks.settings.resource import Context, current_context
from callbacks.stores import Stores
from components import ids
from components.page import spending
from components.settings import budgets as cards
from components.settings.draw import options
from data.budgets.book import own
from data.budgets.spending import COST
from data.errors import Refused
from data.local_time import instant, midnight, month_after, zone
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import totals
from data.query.series import or_none
from data.query.units import moment
from data.query.windows import Window


def register(app: Dash, stores: Stores) -> None:
    """`Your spending`, the selected budget in the head and in the history, a bar that selects."""
    _selecting(app)
    _pointing(app)

    @app.callback(
        Output(ids.SPENDING, "children"), Input(ids.SPENDING, "id"), Input(ids.ZONE, "data")
    )  # fmt: skip
    def spend(_: Any, browser_zone: Any) -> Any:
        context = current_context(stores, browser_zone)
        if mine := own(context.state, context.scope):
            return spending.cards([status(context, one) for one in mine])
        return spending.none(*_this_month(context))


def _this_month(context: Context) -> tuple[float, str]:
    """What the reader has spent since the month began, and when that was."""
    tz = context.zone
    first = instant(context.actor.now, zone(tz).key).date().replace(day=1)
    month = Window(midnight(first, tz), month_after(first, tz), tz)
    query = Query(COST, (), Filters(month, (("user", (context.scope.user,)),)))
    spent = or_none(totals(query, context.scope, context.store)["cost"])
    return float(spent or 0), f"{moment(month.start, tz)} {tz}"


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
        try:
            return _selection(selected, rows)
        except FORGED:
            raise Refused("selected", "the table has no such row: load the page again") from None


def _selection(selected: Any, rows: Any) -> tuple[Any, ...]:
    """What is said of the selected budget, with the budgets whose history there is to see."""
    known = options(cards.choices(rows or []))
    if not selected:
        return "", True, "", known, cards.EVERY
    one = selected[0]
    return cards.called(one), not one.get("link"), one.get("link", ""), known, str(one["id"])


def _pointing(app: Dash) -> None:
    table = ids.resource("table", BUDGETS.key)

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
        try:
            number = click["points"][0]["customdata"][0]
            return [one for one in rows if one["id"] == number]
        except FORGED:
            raise Refused("click", "the chart has no such bar: load the page again") from None
