"""The Budgets tab and `Your spending`: filled when they appear, and after every change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks import budget_form
from callbacks.budget_form import number
from callbacks.preferences import zone_of
from callbacks.session import current_person, current_scope
from callbacks.spending import mine, names, newest, standings, this_month
from components import budgets, ids, spending
from data.audit import Hand
from data.budget_book import remove
from data.engines import EventStore
from data.errors import SpendscopeError
from data.scope import Scope
from data.settings import Settings
from data.state import State as Store


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """Everything about budgets on the page."""
    _tables(app, settings, state, store)
    _deleting(app, settings, state)
    budget_form.register(app, settings, state, store)

    @app.callback(
        Output(ids.SPENDING, "children"), Input(ids.SPENDING, "id"), Input(ids.ZONE, "data")
    )  # fmt: skip
    def spend(_: Any, zone: Any) -> Any:
        scope, now = current_scope(), settings.now()
        if held := mine(state, scope, now, store):
            return spending.cards(held)
        return spending.none(*this_month(scope, now, zone_of(state, zone), store))


def _tables(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.BUDGETS, "rowData"),
        Output(ids.BUDGETS_SAID, "children"),
        Output(ids.BUDGETS_CARD, "data-state"),
        Output(ids.BUDGETS, "selectedRows"),
        Output(ids.BUDGET_NEW, "hidden"),
        Input(ids.BUDGETS, "id"),
        Input(ids.BUDGETS_CHANGED, "data"),
    )
    def stand(_: Any, _changed: Any) -> Any:
        scope = current_scope()
        drawn = _drawn(lambda: _rows(scope, settings.now(), state, store), budgets.NOTHING)
        return *drawn, [], not scope.sets_some_budgets

    @app.callback(
        Output(ids.CROSSINGS, "rowData"),
        Output(ids.CROSSINGS_SAID, "children"),
        Output(ids.CROSSINGS_CARD, "data-state"),
        Input(ids.CROSSINGS, "id"),
        Input(ids.BUDGETS_CHANGED, "data"),
    )
    def cross(_: Any, _changed: Any) -> Any:
        scope = current_scope()
        return _drawn(lambda: _crossings(scope, settings.now(), state, store), budgets.NEVER)

    @app.callback(
        Output(ids.BUDGET_EDIT, "hidden"),
        Output(ids.BUDGET_DELETE, "hidden"),
        Input(ids.BUDGETS, "selectedRows"),
    )
    def choose(selected: Any) -> tuple[bool, bool]:
        hidden = not (selected and selected[0].get("changes"))
        return hidden, hidden


def _drawn(rows: Callable[[], list[budgets.Row]], empty: str) -> tuple[Any, str, str]:
    """`(rows, sentence, state)` of a table; one that fails leaves its neighbour alone."""
    try:
        found = rows()
    except SpendscopeError as error:
        return [], str(error), "failed"
    return (found, "", "ready") if found else ([], empty, "empty")


def _crossings(scope: Scope, now: int, state: Store, store: EventStore) -> list[budgets.Row]:
    found = newest(state, scope, now, store)
    users = [one.user for one in found if one.user]
    said = names([one.crossed.budget for one in found], users, scope, store)
    return [budgets.crossing_row(one, said) for one in found]


def _rows(scope: Scope, now: int, state: Store, store: EventStore) -> list[budgets.Row]:
    held = standings(state, scope, now, store)
    said = names([one.budget for one in held], [], scope, store)
    return [
        budgets.row(one, said, scope.sets_budgets_of(one.budget.kind, one.budget.subject))
        for one in held
    ]


def _deleting(app: Dash, settings: Settings, state: Store) -> None:
    @app.callback(
        Output(ids.BUDGET_CONFIRM, "displayed"),
        Output(ids.BUDGET_CONFIRM, "message"),
        Input(ids.BUDGET_DELETE, "n_clicks"),
        State(ids.BUDGETS, "selectedRows"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        one = selected[0]
        return True, f"Delete the budget “{one['subject']}” ({one['period']})?"

    @app.callback(
        Output(ids.BUDGETS_CHANGED, "data"),
        Output(ids.BUDGETS_SAID, "children", allow_duplicate=True),
        Input(ids.BUDGET_CONFIRM, "submit_n_clicks"),
        State(ids.BUDGETS, "selectedRows"),
        prevent_initial_call=True,
    )
    def delete(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        person, now = current_person(), settings.now()
        try:
            remove(state, Hand(person.scope, person.name, now), number(selected[0].get("id")))
        except SpendscopeError as error:
            return no_update, str(error)
        return f"deleted {clicks}", no_update
