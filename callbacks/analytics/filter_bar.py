"""The reader's choice: from controls, chips and URL into the one store, and back to all of them.

One callback owns both directions. What triggered it decides which side speaks; the other follows.
A choice that cannot be meant is answered beside the controls, and the page keeps its last picture.
"""

from __future__ import annotations

from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.access.session import current_person, current_scope
from callbacks.analytics import choices
from callbacks.analytics.filter_state import FilterState, filters_of, new_state, notice
from components import ids
from components.page import filter_bar, pickers
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import ME
from data.people import preferences
from data.people.preferences import Preferences
from data.query.filters import MORE_FIELDS, PICKER_FIELDS, Choice, Filters, parse
from data.query.options import (
    inactive_values,
    label_values,
    merge_aliases,
    options,
    value_names,
)
from data.query.windows import DEFAULT_N
from data.settings import Settings
from data.state.store import State as Kept

SHOWN: Final = (ids.PRESET, ids.N, ids.FROM, ids.TO, ids.TZ)
OUTPUTS: Final = 8 + len(SHOWN) + 2 * len(PICKER_FIELDS)
MOST_OPTIONS: Final = 50


def register(app: Dash, settings: Settings, state: Kept, store: EventStore) -> None:
    """The controls with their store, the chips, the pickers, and clicks on charts and tables."""
    _register_filters(app, settings, state, store)
    _register_chips(app, store)
    _register_pickers(app, store)
    _in_browser(app)


def _register_filters(app: Dash, settings: Settings, state: Kept, store: EventStore) -> None:
    @app.callback(
        Output(ids.FILTER_STATE, "data"),
        Output(ids.URL, "search"),
        Output(ids.PROBLEM, "children"),
        Output(ids.N_BOX, "hidden"),
        Output(ids.RANGE_BOX, "hidden"),
        Output(ids.WINDOW, "children"),
        Output(ids.MORE_COUNT, "children"),
        Output(ids.ME, "aria-pressed"),
        *(Output(name, "value") for name in SHOWN),
        *(Output(ids.pick(field), "value") for field in PICKER_FIELDS),
        *(Output(ids.pick(field), "options", allow_duplicate=True) for field in PICKER_FIELDS),
        Input(ids.URL, "search"),
        Input(ids.ZONE, "data"),
        Input(ids.ME, "n_clicks"),
        Input(ids.CLEAR, "n_clicks"),
        Input(ids.REFRESH, "n_clicks"),
        Input(ids.DRILL, "data"),
        Input(ids.REMOVED_CHIPS, "data"),
        *(Input(name, "value") for name in SHOWN),
        *(Input(ids.pick(field), "value") for field in PICKER_FIELDS),
        State(ids.FILTER_STATE, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def update_filters(
        search: str, zone: str, _me: Any, _clear: Any, _refresh: Any, drill: Any, chips: Any,
        *rest: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        controls, held = rest[:-1], rest[-1]
        person = current_person()
        preferred = preferences.read(state, *person.ids)
        before = held["choice"] if held else _on_arrival(search, preferred)
        try:
            choice = _next_choice(
                ctx.triggered_id, before, search, drill, chips, controls, held, preferred
            )
            zone = preferred.zone_in(zone)
            filters = parse(choice, settings.now(), zone)
            choice = merge_aliases(choice, person.scope, store)
        except Refused as problem:
            return _show_problem(problem, rest[0])
        if held and choice == before and ctx.triggered_id == ids.URL:
            return (no_update,) * OUTPUTS
        made = new_state(choice, zone, settings.now())
        undo = (held or {}).get("undo")
        made["undo"] = choices.update_undo(undo, before, choice, ctx.triggered_id == ids.DRILL)
        return (*_show_filters(made, filters), *_show_pickers(choice, controls[len(SHOWN) :]))


def _on_arrival(search: str, preferred: Preferences) -> Choice:
    """The choice on arriving: the address's, or without one the reader's preference."""
    start = preferred.choice()
    if not (search or "").strip("?"):
        return start
    return choices.spell_default(choices.from_address(search), start)


def _next_choice(
    trigger: Any,
    before: Choice,
    search: str,
    drill: Any,
    chips: Any,
    controls: tuple[Any, ...],
    held: Any,
    preferred: Preferences,
) -> Choice:
    """The choice that what just happened leads to."""
    start = preferred.choice()
    if trigger == ids.CLEAR:
        return choices.spell_default({}, start)
    if trigger == ids.ME:
        return choices.toggle_me(before)
    if trigger == ids.DRILL:
        return choices.drill_down(before, drill)
    if trigger == ids.REMOVED_CHIPS:
        return choices.clear_chips(before, chips, (held or {}).get("undo"), start)
    if held and (trigger in SHOWN or isinstance(trigger, dict)):
        last = filters_of(held).window
        return choices.spell_default(choices.from_controls(before, trigger, controls, last), start)
    return _on_arrival(search, preferred) if held and trigger == ids.URL else before


def _show_problem(problem: Refused, preset: Any) -> tuple[Any, ...]:
    """The sentence, and the controls that the preset needs; nothing else moves."""
    shown = (no_update, no_update, str(problem), preset not in DEFAULT_N, preset != "custom")
    return (*shown, *(no_update,) * (OUTPUTS - len(shown)))


def _show_filters(state: FilterState, filters: Filters) -> tuple[Any, ...]:
    choice, window = state["choice"], filters.window
    preset = window.preset
    return (
        state,
        choices.to_address(choice),
        "",
        preset not in DEFAULT_N,
        preset != "custom",
        filter_bar.window_text(window),
        _count_more(choice),
        "true" if filters.me else "false",
        preset,
        str(window.n) if window.n else no_update,
        *((choices.datetime_local(us, window.zone) if preset == "custom" else no_update)
          for us in (window.start, window.end)),
        choice.get("tz"),
    )  # fmt: skip


def _show_pickers(choice: Choice, held: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values and options of the pickers, of those that hold others.

    A picker deletes what is not among its options: new values bring theirs, names follow.
    """
    picked = [[v for v in choice.get(field, []) if v != ME] for field in PICKER_FIELDS]
    pairs = [(new, old or []) for new, old in zip(picked, held, strict=True)]
    values = (no_update if new == old else new for new, old in pairs)
    options = (
        no_update if set(new) <= set(old) else [{"value": v, "label": v} for v in new]
        for new, old in pairs
    )  # fmt: skip
    return (*values, *options)


def _count_more(choice: Choice) -> str:
    """How many of the drawer's filters are at work; nothing for none."""
    return str(sum(field in choice for field in MORE_FIELDS) or "")


def _register_chips(app: Dash, store: EventStore) -> None:
    @app.callback(
        Output(ids.CHIPS, "children"),
        Output(ids.NOTICE, "children"),
        Output(ids.inactive(ALL), "data"),
        Input(ids.FILTER_STATE, "data"),
        State(ids.inactive(ALL), "data"),
        State(ids.inactive(ALL), "id"),
        prevent_initial_call=True,
    )
    def show_chips(state: Any, held: list[Any], keys: list[Any]) -> tuple[Any, ...]:
        filters, scope, choice = filters_of(state), current_scope(), state["choice"]
        inactive = inactive_values(filters, scope, store)
        values = [[v for f, v in sorted(inactive) if f == key["pick"]] for key in keys]
        chips = filter_bar.chips(choice, value_names(choice, scope, store), inactive)
        changed = [no_update if new == old else new for new, old in zip(values, held, strict=True)]
        return chips, notice(filters, scope, store), changed


def _register_pickers(app: Dash, store: EventStore) -> None:
    @app.callback(
        Output(ids.pick(), "options"),
        Input(ids.pick(), "search_value"),
        Input(ids.pick(), "value"),
        Input(ids.inactive(), "data"),
        State(ids.pick(), "id"),
    )
    def offer_options(
        text: str | None, value: list[str] | None, inactive: list[str] | None, key: dict[str, str]
    ) -> list[Any]:
        field, scope = key["pick"], current_scope()
        if field not in PICKER_FIELDS:
            return []
        chosen = label_values(field, tuple(value or ()), scope, store)
        found = options(field, (text or "")[:200], MOST_OPTIONS, scope, store)
        values = {option["value"] for option in chosen}
        first = [pickers.muted(o) if o["value"] in (inactive or ()) else o for o in chosen]
        return first + [option for option in found if option["value"] not in values]


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
    app.clientside_callback(ClientsideFunction("drill", "settled"), Input(ids.FILTER_STATE, "data"))
