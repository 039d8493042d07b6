"""A reader's own preferences: on the profile, over HTTP, and what the browser applies of them.

They are no settings resource: there is one record a reader and no table of them, and each field is
saved by itself as soon as it is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask import Flask, Response, jsonify, request

from callbacks.access.session import current_person
from callbacks.api.parameters import json_body
from components import ids
from components.settings import preferences
from data.errors import Refused
from data.people.preferences import NAMES, NO_OBJECT, change, parse, read, write
from data.state.store import State as StateStore

LARGEST: Final = 4_096
TOO_LARGE: Final = f"preferences have at most {LARGEST} bytes"
STATE: Final = "said"
RANGE: Final = ("preset", "n")  # they mean something only together


def attach(server: Flask, state: StateStore) -> None:
    """Route the preferences of whoever asks on a server; nobody else's have an address."""

    @server.get("/api/v1/preferences")
    def preferred() -> Response:
        return jsonify(read(state, *current_person().ids).as_dict())

    @server.put("/api/v1/preferences")
    def prefer() -> Response:
        if request.args:
            raise Refused("preferences", "preferences are your own and take no parameters")
        chosen = parse(json_body("preferences", LARGEST, TOO_LARGE, NO_OBJECT))
        write(state, chosen, *current_person().ids)
        return jsonify(chosen.as_dict())


def zone_of(state: StateStore, browser: Any) -> str:
    """The zone in which the one who asks reads times: preferred, else the browser's."""
    return read(state, *current_person().ids).zone_in(browser)


def _changed(values: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """What was changed of what the controls hold: two quick changes may arrive in any order."""
    names = {key["preference"] for key in changed.values()}
    if names & set(RANGE):
        names |= set(RANGE)
    return {n: None if values[n] == preferences.NONE else values[n] for n in names}


def arrive(state: StateStore) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of what the reader prefers, for this browser."""
    yield ids.PREFERRED, "data", read(state, *current_person().ids).as_dict()


def register(app: Dash, state: StateStore) -> None:
    """The card of the profile, saved at once, and their effect in this browser."""
    _saving(app, state)
    app.clientside_callback(
        ClientsideFunction("preferences", "apply"),
        Output(ids.THEME, "data", allow_duplicate=True),
        Output(ids.THEME_BUTTON, "children", allow_duplicate=True),
        Output(ids.MODES, "data", allow_duplicate=True),
        Input(ids.PREFERRED, "data"),
        State(ids.MODES, "data"),
        prevent_initial_call="initial_duplicate",
    )


def _saving(app: Dash, state: StateStore) -> None:
    @app.callback(
        Output(ids.PREFERENCES_STATE, "children"),
        Output(ids.PREFERENCES_STATE, "className"),
        Output(ids.PREFERRED, "data"),
        *(Input(ids.preference(name), "value") for name in NAMES),
        prevent_initial_call=True,
    )
    def save(*values: Any) -> tuple[Any, ...]:
        chosen = _changed(dict(zip(NAMES, values, strict=True)), ctx.triggered_prop_ids)
        try:
            old, new = change(state, chosen, *current_person().ids)
        except Refused as problem:
            return str(problem), f"{STATE} wrong", no_update
        changed = [name for name in NAMES if getattr(old, name) != getattr(new, name)]
        if not changed:
            return no_update, no_update, no_update
        return "Saved", STATE, new.as_dict() | {"changed": changed}
