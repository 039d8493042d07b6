"""The budget form: opened, shaped by what is chosen, saved. A refusal changes no field."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from callbacks.access.session import current_actor, current_scope
from components import ids
from components.settings import budget_form as form
from components.settings.budgets import BUDGETS
from data.access.scope import Scope
from data.budgets.book import budget, change, create
from data.budgets.budget import KINDS
from data.engines.protocol import EventStore
from data.errors import Forbidden, Refused, SpendscopeError, Unknown
from data.query.options import options as offered
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State as Store

MOST_OFFERED = 20


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """The form's three callbacks."""
    _opening(app, state)
    _saving(app, settings, state, store)

    @app.callback(
        Output(ids.budget_box("subject"), "hidden"),
        Output(ids.budget_label("subject"), "children"),
        Output(ids.BUDGET_OFFERED, "children"),
        Output(ids.budget_box("days"), "hidden"),
        Input(ids.budget_field("kind"), "value"),
        Input(ids.budget_field("period"), "value"),
    )
    def shape(kind: Any, period: Any) -> Any:
        values = _offered(kind, current_scope(), store)
        label = form.SUBJECTS.get(kind, "") if isinstance(kind, str) else ""
        return not label, label, [html.Option(value=one) for one in values], period != "days"


def _offered(kind: Any, scope: Scope, store: EventStore) -> list[str]:
    if kind == "project" and scope.projects:
        return sorted(scope.projects)[:MOST_OFFERED]
    if kind not in ("project", "user", "model"):
        return []
    return [one["value"] for one in offered(kind, "", MOST_OFFERED, scope, store)]


def _opening(app: Dash, state: Store) -> None:
    @app.callback(
        Output(ids.BUDGET_FORM, "is_open"),
        Output(ids.BUDGET_TITLE, "children"),
        Output(ids.BUDGET_EDITED, "data"),
        Output(ids.budget_field("kind"), "options"),
        *(Output(ids.budget_field(name), "value") for name in form.LABELS),
        *(Output(ids.budget_problem(name), "children") for name in form.PROBLEMS),
        Input(ids.BUDGET_NEW, "n_clicks"),
        Input(ids.BUDGET_EDIT, "n_clicks"),
        State(ids.budgets_part("table", BUDGETS), "selectedRows"),
        State(ids.ZONE, "data"),
        prevent_initial_call=True,
    )
    def begin(_new: Any, _edit: Any, selected: Any, zone: Any) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return no_update
        scope = current_scope()
        kinds = {key: label for key, label in KINDS.items() if scope.sets_budgets_of_kind(key)}
        clean = [""] * len(form.PROBLEMS)
        if ctx.triggered_id == ids.BUDGET_NEW:
            blank = form.BLANK | {"kind": next(iter(kinds), ""), "zone": zone or "UTC"}
            return True, "New budget", None, form.options(kinds), *form.values(blank), *clean
        old = budget(state, scope, number(selected[0].get("id") if selected else None))
        values = form.values(old.as_dict())
        return True, "Edit budget", old.id, form.options(kinds), *values, *clean


def _saving(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.BUDGET_FORM, "is_open", allow_duplicate=True),
        Output(ids.BUDGETS_CHANGED, "data", allow_duplicate=True),
        *(
            Output(ids.budget_problem(name), "children", allow_duplicate=True)
            for name in form.PROBLEMS
        ),
        Input(ids.BUDGET_SAVE, "n_clicks"),
        *(Input(ids.budget_field(name), "n_submit") for name in form.TYPED),
        State(ids.BUDGET_EDITED, "data"),
        *(State(ids.budget_field(name), "value") for name in form.LABELS),
        prevent_initial_call=True,
    )
    def save(clicks: Any, *said: Any) -> Any:
        submits, (edited, *values) = said[: len(form.TYPED)], said[len(form.TYPED) :]
        if not clicks and not any(submits):
            return no_update
        raw = dict(zip(form.LABELS, values, strict=True))
        try:
            kept = _kept(state, current_actor(settings), edited, raw, store)
        except SpendscopeError as error:
            return True, no_update, *_problems(error)
        told = f"{kept} {clicks} {submits}"
        return False, told, *([""] * len(form.PROBLEMS))


def _kept(state: Store, hand: Actor, edited: Any, raw: dict[str, Any], store: EventStore) -> int:
    if edited is None:
        return create(state, hand, raw, store).id
    return change(state, hand, number(edited), raw, store).id


def _problems(error: SpendscopeError) -> list[str]:
    """The sentence beside the field it is about, or below the form."""
    field = "subject" if isinstance(error, Forbidden) else ""
    if isinstance(error, Refused) and error.parameter in form.LABELS:
        field = error.parameter
    return [str(error) if name == field else "" for name in form.PROBLEMS]


def number(value: Any) -> int:
    """The number of a budget that came back from a browser, and so may be anything."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unknown("budget", "that is no budget of this page")
    return value
