"""What is narrowed to: chips, options of the pickers, and which choices have no activity now."""

from __future__ import annotations

from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks.access.session import current_scope
from callbacks.analytics.asking import filters_of, notice
from components import ids
from components.page import filter_bar, pickers
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import ME, NONE
from data.query.filters import EXCLUDING, NOT, PEOPLE, PICKED, Choice, Filters
from data.query.options import label_values, options, resolve_alias
from data.query.query import Query
from data.query.run import run
from data.query.series import or_none

LISTED: Final = 50


def register(app: Dash, store: EventStore) -> None:
    """Chips, pickers, the drawer, and clicks on charts and tables."""

    @app.callback(
        Output(ids.CHIPS, "children"),
        Output(ids.NOTICE, "children"),
        Output(ids.quiet(ALL), "data"),
        Input(ids.QUESTION, "data"),
        State(ids.quiet(ALL), "data"),
        State(ids.quiet(ALL), "id"),
        prevent_initial_call=True,
    )
    def tell(question: Any, told: list[Any], keys: list[Any]) -> tuple[Any, ...]:
        filters, scope, choice = filters_of(question), current_scope(), question["choice"]
        still = quiet(filters, scope, store)
        now = [[v for f, v in sorted(still) if f == key["pick"]] for key in keys]
        chips = filter_bar.chips(choice, names(choice, scope, store), still)
        changed = [no_update if a == b else a for a, b in zip(now, told, strict=True)]
        return chips, notice(filters, scope, store), changed

    @app.callback(
        Output(ids.pick(), "options"),
        Input(ids.pick(), "search_value"),
        Input(ids.pick(), "value"),
        Input(ids.quiet(), "data"),
        State(ids.pick(), "id"),
    )
    def offer(
        text: str | None, value: list[str] | None, still: list[str] | None, key: dict[str, str]
    ) -> list[Any]:
        field, scope = key["pick"], current_scope()
        if field not in PICKED:
            return []
        chosen = label_values(field, tuple(value or ()), scope, store)
        found = options(field, (text or "")[:200], LISTED, scope, store)
        taken = {option["value"] for option in chosen}
        said = [pickers.muted(one) if one["value"] in (still or ()) else one for one in chosen]
        return said + [option for option in found if option["value"] not in taken]

    _in_browser(app)


def _in_browser(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("drill", "narrow"),
        Output(ids.DRILL, "data"),
        Input(ids.part("chart", ALL), "clickData"),
        Input(ids.part("table", ALL), "cellClicked"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("drill", "open"),
        Output(ids.MORE, "is_open"),
        Input(ids.MORE_BUTTON, "n_clicks"),
        State(ids.MORE, "is_open"),
        prevent_initial_call=True,
    )
    app.clientside_callback(ClientsideFunction("drill", "settled"), Input(ids.QUESTION, "data"))


def quiet(filters: Filters, scope: Scope, store: EventStore) -> set[tuple[str, str]]:
    """`(field, value)` of every choice of which these filters leave nothing."""
    chosen = [(field, values) for field, values in filters.fields if field not in EXCLUDING]
    active = {field: _active(field, filters, scope, store) for field, _ in chosen}
    return {
        (field, value)
        for field, values in chosen
        for value in values
        if resolve_alias(field, value, scope) not in active[field]
    }


def _active(field: str, filters: Filters, scope: Scope, store: EventStore) -> set[str]:
    frame = run(Query(("events",), (field,), filters), scope, store)
    return {or_none(value) or NONE for value in frame[field]}


def names(choice: Choice, scope: Scope, store: EventStore) -> dict[tuple[str, str], str]:
    """What people call the people and projects of a choice."""
    return {
        (field, option["value"]): option["label"]
        for field in PEOPLE
        for option in label_values(field, tuple(_others(choice, field)), scope, store)
    }


def _others(choice: Choice, field: str) -> list[str]:
    values = (*choice.get(field, ()), *choice.get(f"{NOT}{field}", ()))
    return [value for value in dict.fromkeys(values) if value != ME]
