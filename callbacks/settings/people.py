"""The people page: its link, for whom it is there, its tables, and what is said of an id."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, html, no_update

from callbacks.access.session import current_actor, current_scope
from components import ids
from components.settings import people
from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.local_time import zones
from data.people.aliases import add, dismiss, listed, remove
from data.people.hints import seen, suggestions
from data.settings import Settings
from data.state.audit import Actor
from data.state.store import State as Store

MOST_OFFERED: Final = 2_000
CHOSEN: Final = {
    ids.PEOPLE_REMOVE: ids.PEOPLE, ids.HINT_ACCEPT: ids.HINTS, ids.HINT_DISMISS: ids.HINTS,
}  # fmt: skip


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """The link, the tables and the changes."""
    _reading(app, state, store)
    _changing(app, settings, state, store)

    @app.callback(Output(ids.PEOPLE_REMOVE, "disabled"), Input(ids.PEOPLE, "selectedRows"))
    def choose(selected: Any) -> bool:
        return not selected

    @app.callback(
        Output(ids.HINT_ACCEPT, "disabled"),
        Output(ids.HINT_DISMISS, "disabled"),
        Input(ids.HINTS, "selectedRows"),
    )
    def decide(selected: Any) -> tuple[bool, bool]:
        return not selected, not selected


def _reading(app: Dash, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.PEOPLE, "rowData"),
        Output(ids.PEOPLE_SAID, "children"),
        Output(ids.PEOPLE, "selectedRows"),
        Output(ids.HINTS, "rowData"),
        Output(ids.HINTS_SAID, "children"),
        Output(ids.HINTS, "selectedRows"),
        Output(ids.PEOPLE_OFFERED, "children"),
        Input(ids.PEOPLE, "id"),
        Input(ids.PEOPLE_CHANGED, "data"),
        State(ids.ZONE, "data"),
    )
    def fill(_: Any, _changed: Any, zone: Any) -> Any:
        scope = current_scope()
        tz = zone if isinstance(zone, str) and zone in zones() else "UTC"
        held, hints, offered = _rows(state, scope, store, tz)
        said = "" if held else people.NOBODY, "" if hints else people.NO_HINTS
        return held, said[0], [], hints, said[1], [], offered


def _rows(state: Store, scope: Scope, store: EventStore, zone: str) -> tuple[Any, Any, Any]:
    """Both tables, and the ids to choose among."""
    kept, found = listed(state, scope), seen(scope, store)
    events = {one.id: one.events for one in found.values()}
    everybody = People(Alias(one.id, one.person) for one in kept).ids_by_person
    held = [
        people.row(one, everybody[one.person], events.get(one.id, 0), zone) for one in kept
    ]  # fmt: skip
    hints = [
        people.hint_row(*one, events.get(one.alias, 0), events.get(one.person, 0))
        for one in suggestions(state, scope, store)
    ]
    most = sorted(found.values(), key=lambda one: (-one.events, one.id))[:MOST_OFFERED]
    return held, hints, [html.Option(one.name or one.id, value=one.id) for one in most]


def _changing(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    @app.callback(
        Output(ids.PEOPLE_CHANGED, "data"),
        Output(ids.PEOPLE_PROBLEM, "children"),
        *(Output(ids.people_field(name), "value") for name in people.LABELS),
        *(Input(key, "n_clicks") for key in (ids.PEOPLE_ADD, *CHOSEN)),
        *(Input(ids.people_field(name), "n_submit") for name in people.LABELS),
        *(State(ids.people_field(name), "value") for name in people.LABELS),
        State(ids.PEOPLE, "selectedRows"),
        State(ids.HINTS, "selectedRows"),
        prevent_initial_call=True,
    )
    def say(*told: Any) -> Any:
        *_, alias, person, held, hints = told
        if not any(one["value"] for one in ctx.triggered):
            return no_update
        chosen = {ids.PEOPLE: held, ids.HINTS: hints}.get(CHOSEN.get(str(ctx.triggered_id), ""))
        raw = _raw(chosen) if ctx.triggered_id in CHOSEN else {"alias": alias, "person": person}
        try:
            _change(str(ctx.triggered_id), raw, current_actor(settings), state, store)
        except SpendscopeError as error:
            return no_update, str(error), no_update, no_update
        typed = (no_update, no_update) if ctx.triggered_id in CHOSEN else ("", "")
        return f"{ctx.triggered_id} {list(told[:6])}", "", *typed


def _raw(chosen: Any) -> dict[str, Any]:
    """The pair of a row that came back from a browser, and so may be anything."""
    one = chosen[0] if isinstance(chosen, list) and chosen else None
    return {k: one.get(k) for k in people.LABELS} if isinstance(one, dict) else {}


def _change(
    trigger: str, raw: dict[str, Any], actor: Actor, state: Store, store: EventStore
) -> None:
    if trigger == ids.PEOPLE_REMOVE:
        remove(state, actor, str(raw.get("alias")))
    elif trigger == ids.HINT_DISMISS:
        dismiss(state, actor, raw)
    else:
        add(state, actor, raw, store)
