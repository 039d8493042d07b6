"""The prices page: its link, its three tables, deleting and undoing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.access.session import current_actor, current_scope
from callbacks.settings import price_form, public_prices, public_releases
from callbacks.settings.price_wish import number
from components import ids
from components.settings import price_rows
from components.settings.prices import EMPTY
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.local_time import zones
from data.prices.own import listed, remove
from data.repricing.apply import done, undo
from data.repricing.unpriced import unpriced
from data.settings import Settings
from data.state.store import State as Store


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """Everything about prices on the page."""
    _tables(app, state, store)
    _buttons(app)
    _asking(app, ids.PRICE_DELETE, ids.PRICE_CONFIRM, "prices", _delete_question)
    _asking(app, ids.PRICE_UNDO, ids.PRICE_UNDO_CONFIRM, "repricings", _undo_question)
    _acting(app, ids.PRICE_CONFIRM, "prices", lambda n: remove(state, current_actor(settings), n))
    _acting(
        app,
        ids.PRICE_UNDO_CONFIRM,
        "repricings",
        lambda n: undo(state, current_actor(settings), n, store),
    )
    price_form.register(app, settings, state, store)
    public_prices.register(app, settings, store)
    public_releases.register(app, state, lambda: current_actor(settings))


def _tables(app: Dash, state: Store, store: EventStore) -> None:
    rows: dict[str, Callable[[str], list[price_rows.Row]]] = {
        "unpriced": lambda zone: [
            price_rows.unpriced_row(one, zone) for one in unpriced(current_scope(), store)
        ],
        "prices": lambda _: [price_rows.entry_row(one) for one in listed(state, current_scope())],
        "repricings": lambda zone: [
            price_rows.repricing_row(one, zone) for one in done(state, current_scope())
        ],
    }
    for key, read in rows.items():
        _table(app, key, read)


def _table(app: Dash, key: str, read: Callable[[str], list[price_rows.Row]]) -> None:
    @app.callback(
        Output(ids.price_part("table", key), "rowData"),
        Output(ids.price_part("said", key), "children"),
        Output(ids.price_part("card", key), "data-state"),
        Output(ids.price_part("table", key), "selectedRows"),
        Input(ids.price_part("table", key), "id"),
        Input(ids.PRICES_CHANGED, "data"),
        State(ids.ZONE, "data"),
    )
    def fill(_: Any, _changed: Any, zone: Any) -> Any:
        tz = zone if isinstance(zone, str) and zone in zones() else "UTC"
        try:
            found = read(tz)
        except SpendscopeError as error:
            return [], str(error), "failed", []
        return (found, "", "ready", []) if found else ([], EMPTY[key], "empty", [])


def _buttons(app: Dash) -> None:
    @app.callback(
        Output(ids.PRICE_SET, "disabled"),
        Output(ids.PRICE_EDIT, "disabled"),
        Output(ids.PRICE_DELETE, "disabled"),
        Output(ids.PRICE_UNDO, "disabled"),
        *(
            Input(ids.price_part("table", key), "selectedRows")
            for key in ("unpriced", "prices", "repricings")
        ),
    )
    def choose(bare: Any, held: Any, made: Any) -> tuple[bool, ...]:
        return not bare, not held, not held, not made or bool(made[0].get("undone"))


def _asking(app: Dash, button: str, dialog: str, key: str, question: Callable[[Any], str]) -> None:
    @app.callback(
        Output(dialog, "displayed"),
        Output(dialog, "message"),
        Input(button, "n_clicks"),
        State(ids.price_part("table", key), "selectedRows"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        return True, question(selected[0])


def _delete_question(row: Any) -> str:
    return f"Delete the price of “{row['model']}” from {row['from']}? Stored calls keep their cost."


def _undo_question(row: Any) -> str:
    return f"Undo “{row['what']}”? {row['events_text']} calls get back what they cost before."


def _acting(app: Dash, dialog: str, key: str, act: Callable[[int], Any]) -> None:
    @app.callback(
        Output(ids.PRICES_CHANGED, "data", allow_duplicate=True),
        Output(ids.price_part("said", key), "children", allow_duplicate=True),
        Input(dialog, "submit_n_clicks"),
        State(ids.price_part("table", key), "selectedRows"),
        prevent_initial_call=True,
    )
    def do(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        try:
            act(number(selected[0].get("id")))
        except SpendscopeError as error:
            return no_update, str(error)
        return f"{key} {clicks}", no_update
