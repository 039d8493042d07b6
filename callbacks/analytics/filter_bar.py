"""The reader's choice: from controls, chips and URL into the one store, and back to all of them.

One callback owns both directions. What triggered it decides which side speaks; the other follows.
A choice that cannot be meant is answered beside the controls, and the page keeps its last picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks.access.session import current_person, current_scope
from callbacks.analytics import choices, conditions
from callbacks.analytics.filter_state import (
    FilterState,
    choice_of,
    filters_of,
    new_state,
    notice,
    read,
    texts,
)
from callbacks.stores import Stores
from components import ids
from components.page import filter_bar, pickers, time_menu
from components.page.views import kept
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import ME
from data.local_time import instant
from data.people import preferences
from data.people.preferences import Preferences
from data.query.earlier import CUSTOM, PREVIOUS
from data.query.filters import (
    CONTAINS,
    LISTS,
    MORE_FIELDS,
    MOST_VALUES,
    NOT,
    PICKER_FIELDS,
    Choice,
    Filters,
)
from data.query.options import (
    data_since,
    inactive_values,
    label_values,
    merge_aliases,
    options,
    value_names,
)
from data.query.windows import DEFAULT_N, LARGEST_N, Window

CONTROLS: Final = (
    ids.PRESET, ids.N, ids.FROM, ids.TO, ids.TZ, ids.COMPARE, ids.COMPARE_FROM, ids.COMPARE_TO,
)  # fmt: skip
# What a choice writes: `(id, property)`.
WRITTEN: Final[tuple[tuple[Any, str], ...]] = (
    (ids.FILTER_STATE, "data"), (ids.URL, "search"), (ids.PROBLEM, "children"),
    (ids.N_BOX, "hidden"), (ids.RANGE_BOX, "hidden"), (ids.COMPARE_BOX, "hidden"),
    (ids.WINDOW, "children"), (ids.COMPARED, "children"), (ids.TIME, "choice"),
    (ids.TIME_BEFORE, "children"), (ids.TIME_AFTER, "children"), (ids.CLEAR, "disabled"),
    (ids.FILTER_COUNT, "children"), (ids.MORE_COUNT, "children"), (ids.ME, "aria-pressed"),
    *((name, "value") for name in CONTROLS),
    (ids.TZ, "options"), (ids.TZ, "placeholder"),
    *((ids.pick(field), "value") for field in PICKER_FIELDS),
    *((ids.pick(field), "options") for field in PICKER_FIELDS),
    *((ids.operator(field), "value") for field in PICKER_FIELDS),
    *((ids.contained(field), "value") for field in MORE_FIELDS),
)  # fmt: skip
# What the store of filters means, and nobody else says otherwise.
DERIVED: Final = frozenset({
    ids.WINDOW, ids.COMPARED, ids.TIME, ids.TIME_BEFORE, ids.TIME_AFTER, ids.CLEAR,
    ids.FILTER_COUNT, ids.MORE_COUNT, ids.ME, ids.TZ,
})  # fmt: skip
# What changes a choice, and what it is read from.
READ: Final = (
    Input(ids.URL, "search"),
    *(Input(name, "n_clicks") for name in (ids.ME, ids.CLEAR, ids.RESET, ids.REFRESH)),
    *(Input(name, "data") for name in (ids.DRILL, ids.TIME_CHOSEN, ids.REMOVED_CHIPS)),
    *(Input(name, "value") for name in CONTROLS),
    *(Input(ids.pick(field), "value") for field in PICKER_FIELDS),
    *(Input(ids.operator(field), "value") for field in PICKER_FIELDS),
    *(Input(ids.contained(field), "value") for field in MORE_FIELDS),
    State(ids.ZONE, "data"),
    State(ids.FILTER_STATE, "data"),
)
MOST_OPTIONS: Final = 50
MOST_FOUND: Final = MOST_VALUES  # so that all of them can be selected


class BarState(NamedTuple):
    """What the browser says: its address, what was clicked, and what the controls hold."""

    search: str
    drill: Any
    time: Any
    chips: Any
    controls: tuple[Any, ...]
    held: tuple[conditions.Held, ...]


def register(app: Dash, stores: Stores) -> None:
    """The controls with their store, the chips, the pickers, and clicks on charts and tables."""
    _register_filters(app, stores)
    _register_chips(app, stores.store)
    _register_pickers(app, stores.store)
    _in_browser(app)


def _register_filters(app: Dash, stores: Stores) -> None:
    @app.callback(
        *(Output(*one, allow_duplicate=one[1] == "options") for one in WRITTEN),
        *READ,
        prevent_initial_call=True,
    )
    def update_filters(
        search: str, _me: Any, _clear: Any, _reset: Any, _refresh: Any, *rest: Any
    ) -> tuple[Any, ...]:
        drill, time, chips, *controls, zone, current = rest
        held = _held(controls[len(CONTROLS) :])
        bar = BarState(search, drill, time, chips, tuple(controls[: len(CONTROLS)]), held)
        preferred = preferences.read(stores.state, *current_person().ids)
        zone = preferred.zone_in(zone)
        try:
            before = choice_of(current) if current else _on_arrival(search, preferred)
            choice = _next_choice(ctx.triggered_id, before, bar, current, preferred, stores)
            made, filters = _resolve(choice, zone, stores)
        except Refused as problem:
            return _show_problem(problem, controls[0], controls[CONTROLS.index(ids.COMPARE)])
        choice = made["choice"]
        if current and choice == before and ctx.triggered_id == ids.URL:
            return (no_update,) * len(WRITTEN)
        undo = (current or {}).get("undo")
        made["undo"] = choices.update_undo(undo, before, choice, ctx.triggered_id == ids.DRILL)
        shown = _show_filters(made, filters, preferred, search)
        anew = ctx.triggered_id in (ids.CLEAR, ids.RESET, ids.URL)
        written = (*shown, *_show_pickers(choice, held, anew))
        return _only_changed(written, bar, current, preferred) if current else written


def _only_changed(
    written: Sequence[Any], bar: BarState, current: FilterState, preferred: Preferences
) -> tuple[Any, ...]:
    """Without what the browser has: it takes every property that is written for a change."""
    shown = _show_filters(current, filters_of(current), preferred, bar.search)
    present: dict[Any, Any] = {
        one: value for one, value in zip(WRITTEN, shown, strict=False) if one[0] in DERIVED
    }
    present |= {(name, "value"): value for name, value in zip(CONTROLS, bar.controls, strict=True)}
    present |= {
        (ids.dom(ids.operator(one.field)), "value"): one.operator or pickers.IS for one in bar.held
    }
    present[ids.URL, "search"] = bar.search
    names = ((key if isinstance(key, str) else ids.dom(key), prop) for key, prop in WRITTEN)
    return tuple(
        no_update if name in present and present[name] == value else value
        for name, value in zip(names, written, strict=True)
    )


def _held(values: Sequence[Any]) -> tuple[conditions.Held, ...]:
    """What the controls of fields hold: values, operators, texts."""
    fields = len(PICKER_FIELDS)
    parts = values[:fields], values[fields : 2 * fields], values[2 * fields :]
    return tuple(conditions.held(parts[1], parts[0], parts[2]))


def arrive(search: str, zone: str, stores: Stores) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of what an address writes into the empty page."""
    preferred = preferences.read(stores.state, *current_person().ids)
    zone = preferred.zone_in(zone)
    made, filters, problem = _resolve_meant(_on_arrival(search, preferred), zone, stores)
    values = (
        *_show_filters(made, filters, preferred, search, problem),
        *_show_pickers(made["choice"], ()),
    )
    chips, sentence, inactive = _show_chips(made, list(PICKER_FIELDS), stores.store)
    yield from ((ids.CHIPS, "children", chips), (ids.NOTICE, "children", sentence))
    yield from ((key, prop, v) for (key, prop), v in zip(WRITTEN, values, strict=True))
    picked = conditions.picked(made["choice"], conditions.operators(made["choice"]))
    for field, chosen, found in zip(PICKER_FIELDS, picked, inactive, strict=True):
        yield ids.inactive(field), "data", found
        yield ids.pick(field), "options", _chosen_options(field, chosen, found, stores.store)


def _resolve_meant(choice: Choice, zone: str, stores: Stores) -> tuple[FilterState, Filters, str]:
    """The same of an address, which may be anything: less the parts that mean nothing, and the
    first sentence about them."""
    problem = ""
    while True:
        try:
            return *_resolve(choice, zone, stores), problem
        except Refused as refused:
            problem, choice = problem or str(refused), choices.without(choice, refused.parameter)


def _resolve(choice: Choice, zone: str, stores: Stores) -> tuple[FilterState, Filters]:
    """What the store holds of a choice, and the filters it means."""
    now = stores.settings.now()
    filters = read(choice, now, zone)
    return new_state(merge_aliases(choice, current_scope(), stores.store), zone, now), filters


def _on_arrival(search: str, preferred: Preferences) -> Choice:
    """The choice on arriving: the address's, or without one the reader's preference."""
    start = preferred.choice()
    if not (search or "").strip("?"):
        return start
    return choices.spell_default(choices.from_address(search), start)


def _next_choice(
    trigger: Any, before: Choice, bar: BarState, state: Any, preferred: Preferences, stores: Stores
) -> Choice:
    """The choice that what just happened leads to."""
    start = preferred.choice()
    if trigger in (ids.CLEAR, ids.RESET):
        return choices.spell_default({}, start)
    if trigger == ids.ME:
        return choices.toggle_me(before)
    if trigger == ids.DRILL:
        return choices.drill_down(before, bar.drill)
    if trigger == ids.REMOVED_CHIPS:
        return choices.clear_chips(before, bar.chips, (state or {}).get("undo"), start)
    if state and trigger == ids.TIME_CHOSEN:
        zone, now = filters_of(state).window.zone, stores.settings.now()
        days = partial(_days_of_all, zone, now, stores.store)
        return choices.spell_default(choices.choose_time(before, bar.time, days), start)
    if state and (trigger in CONTROLS or isinstance(trigger, dict)):
        last = filters_of(state)
        made = choices.from_controls(before, trigger, bar.controls, bar.held, last)
        return choices.spell_default(made, start)
    return _on_arrival(bar.search, preferred) if state and trigger == ids.URL else before


def _days_of_all(zone: str, now: int, store: EventStore) -> int:
    """How many days there are from the first event that this reader sees to today."""
    since = data_since(current_scope(), store)
    first, today = (instant(us, zone).date() for us in (since or now, now))
    return min((today - first).days + 1, LARGEST_N["last_n_days"])


def _show_problem(problem: Refused, preset: Any, compare: Any) -> tuple[Any, ...]:
    """The sentence, and the controls that preset and comparison need; nothing else moves."""
    hidden = (str(preset) not in DEFAULT_N, preset != "custom", compare != CUSTOM)
    values = (no_update, no_update, str(problem), *hidden)
    return (*values, *(no_update,) * (len(WRITTEN) - len(values)))


def _show_filters(
    state: FilterState, filters: Filters, preferred: Preferences, search: str, problem: str = ""
) -> tuple[Any, ...]:
    choice, window, compared = state["choice"], filters.window, filters.compared
    preset, compare = window.preset, choice.get("compare", PREVIOUS)
    return (
        state,
        choices.to_address(choice, kept(search)),
        problem,
        preset not in DEFAULT_N,
        preset != "custom",
        compare != CUSTOM,
        filter_bar.window_line(window),
        filter_bar.compared_text(compared, window),
        time_menu.shown(window, choice, choices.local_ends(window)),
        *time_menu.words(window),
        choice == choices.spell_default({}, preferred.choice()),
        _count(choice, LISTS),
        _count(choice, [f"{one}{field}" for field in MORE_FIELDS for one in ("", NOT, CONTAINS)]),
        "true" if filters.me else "false",
        preset,
        str(window.n) if window.n else no_update,
        *_ends(window if preset == "custom" else None),
        zone := choice.get("tz"),
        compare,
        *_ends(compared if compare == CUSTOM else None),
        [{"value": zone, "label": time_menu.zone_label(window)}] if zone else [],
        time_menu.zone_label(window),
    )  # fmt: skip


def _ends(window: Window | None) -> list[Any]:
    """What the fields of a range hold; of none they stay as they are."""
    return [no_update, no_update] if window is None else list(choices.local_ends(window))


def _show_pickers(
    choice: Choice, held: Sequence[conditions.Held], anew: bool = False
) -> tuple[Any, ...]:
    """Values, options, operators and texts of the pickers, of those that hold others; `anew` an
    operator does not stand by itself.

    A picker deletes what is not among its options: new values bring theirs, names follow.
    """
    operators = conditions.operators(choice, () if anew else held)
    present = [one.values for one in held] or [[] for _ in PICKER_FIELDS]
    pairs = list(zip(conditions.picked(choice, operators), present, strict=True))
    values = (no_update if new == old else new for new, old in pairs)
    options = (
        no_update if set(new) <= set(old) else [{"value": v, "label": v} for v in new]
        for new, old in pairs
    )  # fmt: skip
    shown = (one or pickers.IS for one in operators.values())
    typed = (no_update if one is None else one for one in conditions.typed(choice, held))
    return (*values, *options, *shown, *typed)


def _count(choice: Choice, fields: Sequence[str]) -> str:
    """How many of these filters are at work; nothing for none."""
    return str(sum(field in choice for field in fields) or "")


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
    def show_chips(state: Any, present: list[Any], keys: list[Any]) -> tuple[Any, ...]:
        chips, sentence, values = _show_chips(state, [key["pick"] for key in keys], store)
        changed = [
            no_update if new == old else new for new, old in zip(values, present, strict=True)
        ]
        return chips, sentence, changed


def _show_chips(
    state: Any, fields: list[str], store: EventStore
) -> tuple[list[Any], str, list[list[str]]]:
    """The chips, the notice, and of each field what is chosen and inactive."""
    filters, scope, choice = filters_of(state), current_scope(), state["choice"]
    inactive = inactive_values(filters, scope, store)
    values = [[v for f, v in sorted(inactive) if f == field] for field in fields]
    chips = filter_bar.chips(choice, value_names(choice, scope, store), inactive)
    return chips, notice(filters, scope, store), values


def _register_pickers(app: Dash, store: EventStore) -> None:
    @app.callback(
        Output(ids.pick(), "options"),
        # The browser sets it, to nothing, as the list is opened (assets/filter-bar.js).
        Input(ids.pick(), "search_value"),
        Input(ids.pick(), "value"),
        Input(ids.inactive(), "data"),
        State(ids.pick(), "id"),
        prevent_initial_call=True,
    )
    def offer_options(
        text: str | None, value: list[str] | None, inactive: list[str] | None, key: dict[str, str]
    ) -> list[Any]:
        field, scope = key["pick"], current_scope()
        if field not in PICKER_FIELDS:
            return []
        first = _chosen_options(field, texts(value), texts(inactive), store)
        most = MOST_FOUND if text else MOST_OPTIONS
        found = options(field, (text or "")[:200], most, scope, store)
        if field == "user" and pickers.MYSELF not in first:
            found = [pickers.MYSELF, *found]
        values = {option["value"] for option in first}
        return first + [option for option in found if option["value"] not in values]


def _chosen_options(
    field: str, chosen: list[str], inactive: list[str], store: EventStore
) -> list[dict[str, str]]:
    """What is chosen of a field, by its names; what is inactive says so."""
    named = label_values(field, tuple(chosen), current_scope(), store)
    first = [pickers.MYSELF] if field == "user" and ME in chosen else []
    return first + [pickers.muted(one) if one["value"] in inactive else one for one in named]


def _in_browser(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("filters", "open"),
        Output(ids.MORE, "is_open"),
        Input(ids.MORE_BUTTON, "n_clicks"),
        State(ids.MORE, "is_open"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("filters", "settled"), Input(ids.FILTER_STATE, "data")
    )
    app.clientside_callback(ClientsideFunction("filters", "address"), Input(ids.URL, "search"))
    app.clientside_callback(
        ClientsideFunction("filters", "place"),
        Input(ids.link(ALL), "className"),
        Input(ids.TIME, "choice"),
        Input(ids.TITLE, "children"),
    )
