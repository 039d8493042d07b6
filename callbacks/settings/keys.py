"""Settings → Ingest: its link, the keys, making and revoking one."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update
from flask import request

from callbacks.access.session import current_person, current_scope
from callbacks.settings.imports import filled
from components import ids
from components.settings import keys
from data.errors import SpendscopeError
from data.ingest.keys import add, listed, revoke
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State as Store


def register(app: Dash, settings: Settings, state: Store) -> None:
    """Everything of the page."""
    changed = Input(ids.house("keys-changed"), "data")
    filled(
        app, "keys", changed,
        lambda zone: [keys.row(one, zone) for one in listed(state, current_scope())],
        keys.NO_KEYS,
    )  # fmt: skip
    _making(app, settings, state)
    _revoking(app, settings, state)

    @app.callback(Output(ids.house("ingest-link"), "hidden"), Input(ids.URL, "pathname"))
    def link(_: Any) -> bool:
        return not current_scope().manages_platform

    @app.callback(Output(ids.house("otel-lines"), "children"), Input(ids.house("otel-lines"), "id"))
    def lines(_: Any) -> str:
        return keys.otel(request.host_url.rstrip("/"))


def _hand(settings: Settings) -> Actor:
    person = current_person()
    return Actor(person.scope, person.name, settings.now())


def _making(app: Dash, settings: Settings, state: Store) -> None:
    @app.callback(
        Output(ids.house("key-secret"), "children"),
        Output(ids.house("key-shown"), "hidden"),
        Output(ids.house("key-problem"), "children"),
        Output(ids.house("keys-changed"), "data"),
        *(Output(ids.house(f"key-{name}"), "value") for name in keys.FIELDS),
        Input(ids.house("key-make"), "n_clicks"),
        *(State(ids.house(f"key-{name}"), "value") for name in keys.FIELDS),
        prevent_initial_call=True,
    )
    def make(clicks: int | None, *values: Any) -> Any:
        same = [no_update] * len(keys.FIELDS)
        if not clicks:
            return no_update, no_update, no_update, no_update, *same
        raw = {name: value or None for name, value in zip(keys.FIELDS, values, strict=True)}
        try:
            made, secret = add(state, _hand(settings), raw)
        except SpendscopeError as error:
            return no_update, True, str(error), no_update, *same
        return secret, False, "", f"made {made.id}", *("" for _ in keys.FIELDS)


def _revoking(app: Dash, settings: Settings, state: Store) -> None:
    @app.callback(
        Output(ids.house("key-revoke"), "disabled"),
        Input(ids.house("keys-table"), "selectedRows"),
    )
    def choose(selected: Any) -> bool:
        return not (selected and selected[0].get("good"))

    @app.callback(
        Output(ids.house("revoke-confirm"), "displayed"),
        Output(ids.house("revoke-confirm"), "message"),
        Input(ids.house("key-revoke"), "n_clicks"),
        State(ids.house("keys-table"), "selectedRows"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        return (
            True,
            f"Revoke the key “{selected[0]['name']}”? Whoever sends with it is turned away.",
        )

    @app.callback(
        Output(ids.house("keys-changed"), "data", allow_duplicate=True),
        Output(ids.house("key-problem"), "children", allow_duplicate=True),
        Input(ids.house("revoke-confirm"), "submit_n_clicks"),
        State(ids.house("keys-table"), "selectedRows"),
        prevent_initial_call=True,
    )
    def done(clicks: int | None, selected: Any) -> Any:
        if not clicks or not selected:
            return no_update, no_update
        number = selected[0].get("id")
        try:
            revoke(state, _hand(settings), number if isinstance(number, int) else 0)
        except SpendscopeError as error:
            return no_update, str(error)
        return f"revoked {clicks}", ""
