"""Settings → Profile: a reader's own preferences; over HTTP, too, and what a browser does by them.
Nobody else's have an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, State
from flask import request

from callbacks.access.session import current_person
from callbacks.api.parameters import json_body
from callbacks.settings.resource import Context, Opening, Resource, Route, Values, everybody
from components import ids
from components.settings.preferences import CARD, NONE
from data.errors import Refused
from data.people.preferences import NAMES, NO_OBJECT, Preferences, change, parse, read, write
from data.state.store import State as StateStore

LARGEST: Final = 4_096
TOO_LARGE: Final = f"preferences have at most {LARGEST} bytes"


def _read(context: Context, *_: Any) -> Preferences:
    return read(context.state, *current_person().ids)


def _body() -> Any:
    if request.args:
        raise Refused("preferences", "preferences are your own and take no parameters")
    return json_body("preferences", LARGEST, TOO_LARGE, NO_OBJECT)


def _write(context: Context, _: Any, values: Values) -> Preferences:
    """These instead of all that were preferred before."""
    chosen = parse(values)
    write(context.state, chosen, *current_person().ids)
    return chosen


def _save(context: Context, _: Any, values: Values) -> dict[str, Any] | None:
    """Those that were changed: two quick changes may arrive in any order."""
    chosen = {name: None if value == NONE else value for name, value in values.items()}
    old, new = change(context.state, chosen, *current_person().ids)
    changed = [name for name in NAMES if getattr(old, name) != getattr(new, name)]
    return new.as_dict() | {"changed": changed} if changed else None


def _opening(context: Context, *_: Any) -> Opening:
    preferred = _read(context).as_dict()
    return Opening(values={name: one for name, one in preferred.items() if one is not None})


PREFERENCES: Final[Resource[Preferences]] = Resource(
    CARD,
    allow=everybody,
    own=True,
    one=_read,
    change=_write,
    save=_save,
    opening=_opening,
    route=Route("/api/v1/preferences", "preferences", Preferences.as_dict, body=_body),
)


def arrive(state: StateStore) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of what the reader prefers, for this browser."""
    yield ids.PREFERRED, "data", read(state, *current_person().ids).as_dict()


def register(app: Dash) -> None:
    """Their effect in this browser."""
    app.clientside_callback(
        ClientsideFunction("preferences", "apply"),
        Output(ids.THEME, "data", allow_duplicate=True),
        Output(ids.THEME_BUTTON, "children", allow_duplicate=True),
        Output(ids.MODES, "data", allow_duplicate=True),
        Input(ids.PREFERRED, "data"),
        State(ids.MODES, "data"),
        prevent_initial_call="initial_duplicate",
    )
