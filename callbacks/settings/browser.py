"""What a browser sends about the card of a settings resource, and how it is answered.

Which resource is meant is the `resource` of the id that matched. What a browser says of a
selection, a record or a button may be anything: it is answered with a sentence, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dash import ALL, MATCH, State, ctx, no_update
from dash.exceptions import PreventUpdate

from callbacks.settings.resource import Page, Resource, by_key
from components import ids
from components.settings.resource import Form, Row
from data.errors import SpendscopeError, Unknown

# What a function of a row raises for a row that its table never had.
FORGED: Final = (KeyError, TypeError, ValueError, AttributeError, IndexError)
Find = Callable[[Any], Resource[Any]]


def finder(pages: tuple[Page, ...]) -> Find:
    """How a resource is found by an id of its card."""
    resources = by_key(pages)

    def find(key: Any) -> Resource[Any]:
        found = resources.get(str(key.get("resource"))) if isinstance(key, dict) else None
        if found is None:
            raise Unknown("resource", "there is no such table")
        return found

    return find


def clicked() -> dict[str, Any]:
    """What was clicked. A button that has just been drawn triggers too, without a click."""
    if not isinstance(ctx.triggered_id, dict) or not any(one["value"] for one in ctx.triggered):
        raise PreventUpdate
    return dict(ctx.triggered_id)


def selected_row(selected: Any) -> Row:
    """The row that is chosen, if one is."""
    row = selected[0] if isinstance(selected, list) and selected else None
    return row if isinstance(row, dict) else {}


def states(*names: str, key: Any = MATCH) -> dict[str, Any]:
    """What a callback reads of a card beside what it is called for, by its parameters: the `key`
    of the table and the rows `selected` in it, the `zone` of the browser, what is typed and chosen
    in the form (`fields`, for `form_values`), else what the store of that name keeps."""
    table, kinds = ids.resource("table", key), ("field", "choice")
    fields = [ids.resource_field(kind, ALL, key) for kind in kinds]
    special = {
        "key": State(table, "id"),
        "selected": State(table, "selectedRows"),
        "zone": State(ids.ZONE, "data"),
        "fields": tuple(State(kind, prop) for kind in fields for prop in ("id", "value")),
    }
    return {name: special.get(name) or State(ids.resource(name, key), "data") for name in names}


def form_values(states: tuple[Any, ...]) -> dict[str, Any]:
    """The same, by the names of the fields."""
    return values_by_name(*states[:2]) | values_by_name(*states[2:])


def values_by_name(keys: Any, values: Any) -> dict[str, Any]:
    """What several components hold, by the name in their ids."""
    pairs = zip(keys or (), values or (), strict=False)
    return {str(_name(key)): value for key, value in pairs if isinstance(key, dict)}


def answer(key: str = "", **values: Any) -> dict[str, Any]:
    """What the outputs of a callback become, by their keywords; where nothing is said of one, it
    stays as it is. Fields and buttons get what is said of their name. With a `key`, only the parts
    of that resource are meant."""
    return {
        name: _become(wired, values.get(name, no_update), key)
        for name, wired in ctx.outputs_grouping.items()
    }


def _become(wired: Any, value: Any, key: str) -> Any:
    if isinstance(wired, list):
        return [_become(one, value, key) for one in wired]
    if key and wired["id"].get("resource") != key:
        return no_update
    name = _name(wired["id"])
    return value if name is None or value is no_update else value.get(name, no_update)


def _name(key: dict[str, Any] | str) -> str | None:
    """The name in the id of a field or button; None for a part of a card, or beside it."""
    if isinstance(key, str) or "part" in key:
        return None
    return next(str(key[name]) for name in key if name != "resource")


def problems(form: Form | None, error: SpendscopeError | None = None) -> dict[str, str]:
    """The sentence beside the field that it is about, or below the form; of no error, none."""
    names = ["", *(one.name for one in form.fields)] if form else [""]
    none = dict.fromkeys(names, "")
    if error is None:
        return none
    return none | {error.parameter if error.parameter in names else "": str(error)}
