"""The releases of the public price book on the prices page and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, no_update
from flask import Flask, Response, jsonify

from callbacks.access.session import current_scope
from callbacks.api.parameters import only
from components import ids
from components.settings import public_releases as shown
from data.errors import SpendscopeError
from data.local_time import zones
from data.prices.releases import move, releases
from data.state.audit import Actor
from data.state.store import State as Store

PATH = "/api/v1/prices/releases"
Signed = Callable[[], Actor]


def attach(server: Flask, state: Store, hand: Signed, body: Callable[[], dict[str, Any]]) -> None:
    """What was taken in, newest first; `PUT {"from": day}` has one hold from another day."""

    @server.get(PATH)
    def taken() -> Response:
        only(())
        return jsonify(releases=[one.as_dict() for one in releases(state, current_scope())])

    @server.put(f"{PATH}/<int:number>")
    def put_day(number: int) -> Response:
        return jsonify(move(state, hand(), number, body()).as_dict())


def register(app: Dash, state: Store, hand: Signed) -> None:
    """The card."""
    _listing(app, state)
    _choosing(app)

    @app.callback(
        Output(ids.PRICES_CHANGED, "data", allow_duplicate=True),
        Output(ids.house("release-told"), "children", allow_duplicate=True),
        Input(ids.house("release-move"), "n_clicks"),
        State(ids.house("releases-table"), "selectedRows"),
        State(ids.house("release-from"), "value"),
        prevent_initial_call=True,
    )
    def hold(clicks: int | None, selected: Any, day: Any) -> Any:
        if not clicks or not (row := _row(selected)):
            return no_update, no_update
        number = row.get("id")
        try:
            kept = move(state, hand(), number if isinstance(number, int) else 0, {"from": day})
        except SpendscopeError as error:
            return no_update, str(error)
        return f"release {clicks}", shown.moved(kept)


def _listing(app: Dash, state: Store) -> None:
    @app.callback(
        Output(ids.house("releases-table"), "rowData"),
        Output(ids.house("releases-said"), "children"),
        Output(ids.house("releases-card"), "data-state"),
        Output(ids.house("release-form"), "hidden"),
        Input(ids.house("releases-table"), "id"),
        Input(ids.PRICES_CHANGED, "data"),
        State(ids.ZONE, "data"),
    )
    def fill(_: Any, _changed: Any, zone: Any) -> Any:
        tz = zone if isinstance(zone, str) and zone in zones() else "UTC"
        try:
            found = [shown.row(one, tz) for one in releases(state, current_scope())]
        except SpendscopeError as error:
            return [], str(error), "failed", True
        said, shape = ("", "ready") if found else (shown.EMPTY, "empty")
        return found, said, shape, len(found) < 2


def _choosing(app: Dash) -> None:
    @app.callback(
        Output(ids.house("release-told"), "children"),
        Output(ids.house("release-from"), "value"),
        Output(ids.house("release-from"), "disabled"),
        Output(ids.house("release-move"), "disabled"),
        Input(ids.house("releases-table"), "selectedRows"),
        prevent_initial_call=True,
    )
    def choose(selected: Any) -> Any:
        if not (one := _row(selected)):
            return no_update, "", True, True
        fixed = one.get("first") is not False
        return one.get("told") or shown.FIRST_TOLD, one.get("from"), fixed, fixed


def _row(selected: Any) -> dict[str, Any]:
    """The row that is chosen, if one is."""
    row = selected[0] if isinstance(selected, list) and selected else None
    return row if isinstance(row, dict) else {}
