"""The Budgets tab and `Your spending`: filled when they appear, and after every change."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.access.session import current_actor, current_scope
from callbacks.analytics.spending import link, mine, standings, subject_names, this_month
from callbacks.settings import budget_cards, budget_form, budget_history
from callbacks.settings.budget_form import number
from callbacks.settings.preferences import zone_of
from components import ids
from components.page import spending
from components.settings import budget_charts, budgets
from components.settings.budget_rows import Row, row
from components.settings.budgets import BUDGETS, CROSSINGS, EVERY
from data.access.scope import Scope
from data.budgets.book import remove
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.settings import Settings
from data.state.store import State as Store

TABLE = ids.budgets_part("table", BUDGETS)
OF = ids.budgets_part("of", CROSSINGS)


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """Everything about budgets on the page."""
    budget_cards.register(app)
    _standing(app, settings, state, store)
    _choosing(app)
    _deleting(app, settings, state)
    budget_history.register(app, settings, state, store)
    budget_form.register(app, settings, state, store)

    @app.callback(
        Output(ids.SPENDING, "children"), Input(ids.SPENDING, "id"), Input(ids.ZONE, "data")
    )  # fmt: skip
    def spend(_: Any, zone: Any) -> Any:
        scope, now = current_scope(), settings.now()
        if held := mine(state, scope, now, store):
            return spending.cards(held)
        return spending.none(*this_month(scope, now, zone_of(state, zone), store))


def _standing(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    @app.callback(
        *budget_cards.outputs(BUDGETS),
        Output(TABLE, "rowData"),
        Output(TABLE, "selectedRows"),
        Output(ids.BUDGET_NEW, "hidden"),
        Output(OF, "options"),
        Input(TABLE, "id"),
        *budget_cards.inputs(BUDGETS),
    )
    def stand(*_: Any) -> tuple[Any, ...]:
        scope = current_scope()
        rows, *said = budget_cards.asked(
            lambda: _rows(scope, settings.now(), state, store), budgets.NOTHING
        )
        chart = budget_charts.shares(rows), budget_charts.height(len(rows))
        return *chart, *said, rows, [], not scope.sets_some_budgets, budgets.choices(rows)


def _rows(scope: Scope, now: int, state: Store, store: EventStore) -> list[Row]:
    held = standings(state, scope, now, store)
    said = subject_names([one.budget for one in held], [], scope, store)
    return [
        row(
            one,
            said,
            scope.sets_budgets_of(one.budget.kind, one.budget.subject),
            link(one, scope, store),
        )
        for one in held
    ]


def _choosing(app: Dash) -> None:
    @app.callback(
        Output(ids.budgets_part("chosen", BUDGETS), "children"),
        Output(ids.budgets_part("show", BUDGETS), "hidden"),
        Output(ids.budgets_part("link", BUDGETS), "href"),
        Output(ids.BUDGET_EDIT, "hidden"),
        Output(ids.BUDGET_DELETE, "hidden"),
        Output(OF, "value"),
        Input(TABLE, "selectedRows"),
    )
    def choose(selected: Any) -> tuple[Any, ...]:
        if not selected:
            return "", True, "", True, True, EVERY
        one = selected[0]
        fixed = not one.get("changes")
        said = f"{one['subject']}, {one['period'].lower()}"
        return said, not one.get("link"), one.get("link", ""), fixed, fixed, str(one["id"])

    @app.callback(
        Output(TABLE, "selectedRows", allow_duplicate=True),
        Input(ids.budgets_part("chart", BUDGETS), "clickData"),
        State(TABLE, "rowData"),
        prevent_initial_call=True,
    )
    def point(click: Any, rows: Any) -> Any:
        """A bar that is clicked selects its budget, as its row does."""
        if not click or not rows:
            return no_update
        chosen = click["points"][0]["customdata"][0]
        return [one for one in rows if one["id"] == chosen]


def _deleting(app: Dash, settings: Settings, state: Store) -> None:
    @app.callback(
        Output(ids.BUDGET_CONFIRM, "displayed"),
        Output(ids.BUDGET_CONFIRM, "message"),
        Input(ids.BUDGET_DELETE, "n_clicks"),
        State(TABLE, "selectedRows"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        one = selected[0]
        return True, f"Delete the budget “{one['subject']}” ({one['period']})?"

    @app.callback(
        Output(ids.BUDGETS_CHANGED, "data"),
        Output(ids.budgets_part("problem", BUDGETS), "children"),
        Input(ids.BUDGET_CONFIRM, "submit_n_clicks"),
        State(TABLE, "selectedRows"),
        prevent_initial_call=True,
    )
    def delete(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        try:
            remove(state, current_actor(settings), number(selected[0].get("id")))
        except SpendscopeError as error:
            return no_update, str(error)
        return f"deleted {clicks}", ""
