"""The price form: opened, shaped by what is chosen, previewed, applied. Nothing is applied that
was not looked at just so; a refusal changes no field."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.access.session import current_scope
from callbacks.settings.price_wish import Told, follow, keep, looked, number, parse_form
from components import ids
from components.settings import price_form as form
from components.settings.price_rows import seen, seen_rows
from data.engines.protocol import EventStore
from data.errors import Refused, SpendscopeError
from data.prices.own import entry
from data.settings import Settings
from data.state.store import State as Store

AGAIN: Final = "something was changed since the preview: preview it again"


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """The form's callbacks."""
    _opening(app, state)
    _previewing(app, state, store)
    _applying(app, settings, state, store)

    @app.callback(
        *(Output(ids.price_box(name), "hidden") for name in form.LABELS),
        Input(ids.price_field("kind"), "value"),
        Input(ids.price_field("what"), "value"),
        Input(ids.PRICE_EDITED, "data"),
    )
    def shape(kind: Any, what: Any, edited: Any) -> list[bool]:
        return form.shown(kind, what, not isinstance(edited, dict) or bool(edited.get("entry")))

    @app.callback(
        Output(ids.PRICE_APPLY, "disabled", allow_duplicate=True),
        *(Input(ids.price_field(name), "value") for name in form.LABELS),
        prevent_initial_call=True,
    )
    def stale(*_: Any) -> bool:
        return True


def _problems() -> list[Output]:
    return [
        Output(ids.price_problem(name), "children", allow_duplicate=True) for name in form.PROBLEMS
    ]


def _opening(app: Dash, state: Store) -> None:
    @app.callback(
        Output(ids.PRICE_FORM, "is_open"),
        Output(ids.PRICE_TITLE, "children"),
        Output(ids.PRICE_EDITED, "data"),
        Output(ids.PRICE_SEEN, "children"),
        Output(ids.PRICE_SEEN_BOX, "hidden"),
        *(Output(ids.price_field(name), "value") for name in form.LABELS),
        *_problems(),
        Input(ids.PRICE_SET, "n_clicks"),
        Input(ids.PRICE_NEW, "n_clicks"),
        Input(ids.PRICE_EDIT, "n_clicks"),
        Input(ids.PRICE_HISTORY, "n_clicks"),
        State(ids.price_part("table", "unpriced"), "selectedRows"),
        State(ids.price_part("table", "prices"), "selectedRows"),
        prevent_initial_call=True,
    )
    def begin(_set: Any, _new: Any, _edit: Any, _history: Any, bare: Any, held: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return no_update
        chosen = {ids.PRICE_SET: bare, ids.PRICE_EDIT: held}.get(str(ctx.triggered_id))
        title, edited, values = _begun(state, str(ctx.triggered_id), chosen)
        return True, title, edited, "", True, *form.values(values), *[""] * len(form.PROBLEMS)


def _begun(state: Store, pressed: str, chosen: Any) -> tuple[str, Told, Told]:
    """`(title, what is edited, what the controls hold)`."""
    scope = current_scope()
    if pressed == ids.PRICE_HISTORY:
        return "Re-price history", {"entry": False}, form.BLANK | {"what": "history"}
    if pressed == ids.PRICE_EDIT:
        old = entry(state, scope, number(chosen[0].get("id") if chosen else None))
        kind = "rates" if old.rates else "alias" if old.alias else "public"
        return (
            "Edit price",
            {"entry": True, "id": old.id},
            form.BLANK | old.as_dict() | {"kind": kind},
        )
    named = chosen[0].get("named") if chosen and isinstance(chosen[0], dict) else None
    title = "Set a price" if pressed == ids.PRICE_SET else "New price"
    return title, {"entry": True}, form.BLANK | (named if isinstance(named, dict) else {})


def _previewing(app: Dash, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.PRICE_SEEN, "children", allow_duplicate=True),
        Output(ids.PRICE_SEEN_BOX, "hidden", allow_duplicate=True),
        Output(ids.PRICE_PROJECTS, "rowData"),
        Output(ids.PRICE_PREVIEWED, "data"),
        Output(ids.PRICE_APPLY, "disabled"),
        *_problems(),
        Input(ids.PRICE_PREVIEW, "n_clicks"),
        State(ids.PRICE_EDITED, "data"),
        *(State(ids.price_field(name), "value") for name in form.LABELS),
        prevent_initial_call=True,
    )
    def look(clicks: Any, edited: Any, *values: Any) -> Any:
        if not clicks:
            return no_update
        told = parse_form(edited, values)
        try:
            shifts = looked(state, current_scope(), told, store)
        except SpendscopeError as error:
            return "", True, [], None, True, *_said(error)
        rows = seen_rows(shifts)
        clean = [""] * len(form.PROBLEMS)
        return seen(shifts, told["what"]), not rows, rows, told, False, *clean


def _applying(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.PRICE_FORM, "is_open", allow_duplicate=True),
        Output(ids.PRICES_CHANGED, "data"),
        Output(ids.PRICE_EDITED, "data", allow_duplicate=True),
        Output(ids.PRICE_PREVIEWED, "data", allow_duplicate=True),
        *_problems(),
        Input(ids.PRICE_APPLY, "n_clicks"),
        State(ids.PRICE_PREVIEWED, "data"),
        State(ids.PRICE_EDITED, "data"),
        *(State(ids.price_field(name), "value") for name in form.LABELS),
        prevent_initial_call=True,
    )
    def press(clicks: Any, previewed: Any, edited: Any, *values: Any) -> Any:
        if not clicks:
            return no_update
        told = parse_form(edited, values)
        same, kept = (no_update, no_update), None
        try:
            if told != previewed:
                raise Refused("", AGAIN)
            kept = keep(settings, state, told)
            follow(settings, state, told, kept, store)
        except SpendscopeError as error:
            if kept is None:
                return True, no_update, *same, *_said(error)
            # The price is kept and no call followed: to apply again is to edit that one.
            now = {"entry": True, "id": kept}
            return True, f"kept {clicks}", now, parse_form(now, values), *_said(error)
        return False, f"applied {clicks}", *same, *([""] * len(form.PROBLEMS))


def _said(error: SpendscopeError) -> list[str]:
    """The sentence beside the field it is about, or below the form."""
    field = error.parameter if isinstance(error, Refused) else ""
    field = field if field in form.LABELS else ""
    return [str(error) if name == field else "" for name in form.PROBLEMS]
