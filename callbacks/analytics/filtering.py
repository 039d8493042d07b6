"""The reader's choice: from controls, chips and URL into the one store, and back to all of them.

One callback owns both directions. What triggered it decides which side speaks; the other follows.
A choice that cannot be meant is answered beside the controls, and the page keeps its last picture.
"""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.access.session import current_person
from callbacks.analytics import choosing
from callbacks.analytics.asking import Question, ask, filters_of
from components import ids
from components.page import filter_bar
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import ME
from data.people import preferences
from data.people.preferences import Preferences
from data.query.filters import DRAWER, PICKED, Choice, Filters, parse
from data.query.options import merge_aliases
from data.query.windows import DEFAULT_N
from data.settings import Settings
from data.state.store import State as Kept

SHOWN: Final = (ids.PRESET, ids.N, ids.FROM, ids.TO, ids.TZ)
OUTPUTS: Final = 8 + len(SHOWN) + 2 * len(PICKED)


def register(app: Dash, settings: Settings, state: Kept, store: EventStore) -> None:
    """Filtering."""

    @app.callback(
        Output(ids.QUESTION, "data"),
        Output(ids.URL, "search"),
        Output(ids.PROBLEM, "children"),
        Output(ids.N_BOX, "hidden"),
        Output(ids.RANGE_BOX, "hidden"),
        Output(ids.WINDOW, "children"),
        Output(ids.MORE_COUNT, "children"),
        Output(ids.ME, "aria-pressed"),
        *(Output(name, "value") for name in SHOWN),
        *(Output(ids.pick(field), "value") for field in PICKED),
        *(Output(ids.pick(field), "options", allow_duplicate=True) for field in PICKED),
        Input(ids.URL, "search"),
        Input(ids.ZONE, "data"),
        Input(ids.ME, "n_clicks"),
        Input(ids.CLEAR, "n_clicks"),
        Input(ids.REFRESH, "n_clicks"),
        Input(ids.DRILL, "data"),
        Input(ids.TAKEN_BACK, "data"),
        *(Input(name, "value") for name in SHOWN),
        *(Input(ids.pick(field), "value") for field in PICKED),
        State(ids.QUESTION, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def filter_everything(
        search: str, zone: str, _me: Any, _clear: Any, _refresh: Any, drill: Any, chips: Any,
        *rest: Any,
    ) -> tuple[Any, ...]:  # fmt: skip
        controls, question = rest[:-1], rest[-1]
        person = current_person()
        preferred = preferences.read(state, *person.ids)
        before = question["choice"] if question else _first(search, preferred)
        try:
            choice = _chosen(
                ctx.triggered_id, before, search, drill, chips, controls, question, preferred
            )
            zone = preferred.zone or zone or "UTC"
            filters = parse(choice, settings.now(), zone)
            choice = merge_aliases(choice, person.scope, store)
        except Refused as problem:
            return _refused(problem, rest[0])
        if question and choice == before and ctx.triggered_id == ids.URL:
            return (no_update,) * OUTPUTS
        asked = ask(choice, zone, settings.now())
        undo = (question or {}).get("undo")
        asked["undo"] = choosing.remembered(undo, before, choice, ctx.triggered_id == ids.DRILL)
        return (*_told(asked, filters), *_picked(choice, controls[len(SHOWN) :]))


def _first(search: str, preferred: Preferences) -> Choice:
    """The choice on arriving: the address's, or without one the reader's preference."""
    start = preferred.choice()
    if not (search or "").strip("?"):
        return start
    return choosing.spelled(choosing.from_address(search), start)


def _chosen(
    trigger: Any,
    before: Choice,
    search: str,
    drill: Any,
    chips: Any,
    controls: tuple[Any, ...],
    question: Any,
    preferred: Preferences,
) -> Choice:
    """The choice that what just happened leads to."""
    start = preferred.choice()
    if trigger == ids.CLEAR:
        return choosing.spelled({}, start)
    if trigger == ids.ME:
        return choosing.toggled(before)
    if trigger == ids.DRILL:
        return choosing.drilled(before, drill)
    if trigger == ids.TAKEN_BACK:
        return choosing.taken_back(before, chips, (question or {}).get("undo"), start)
    if question and (trigger in SHOWN or isinstance(trigger, dict)):
        last = filters_of(question).window
        return choosing.spelled(choosing.controlled(before, trigger, controls, last), start)
    return _first(search, preferred) if question and trigger == ids.URL else before


def _refused(problem: Refused, preset: Any) -> tuple[Any, ...]:
    """The sentence, and the controls that the preset needs; nothing else moves."""
    said = (no_update, no_update, str(problem), preset not in DEFAULT_N, preset != "custom")
    return (*said, *(no_update,) * (OUTPUTS - len(said)))


def _told(question: Question, filters: Filters) -> tuple[Any, ...]:
    choice, window = question["choice"], filters.window
    preset = window.preset
    return (
        question,
        choosing.to_address(choice),
        "",
        preset not in DEFAULT_N,
        preset != "custom",
        filter_bar.window_text(window),
        _count(choice),
        "true" if filters.me else "false",
        preset,
        str(window.n) if window.n else no_update,
        *((choosing.local(us, window.zone) if preset == "custom" else no_update)
          for us in (window.start, window.end)),
        choice.get("tz"),
    )  # fmt: skip


def _picked(choice: Choice, held: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values and options of the pickers, of those that hold others.

    A picker deletes what is not among its options: new values bring theirs, names follow.
    """
    picked = [[v for v in choice.get(field, []) if v != ME] for field in PICKED]
    pairs = [(new, old or []) for new, old in zip(picked, held, strict=True)]
    values = (no_update if new == old else new for new, old in pairs)
    options = (
        no_update if set(new) <= set(old) else [{"value": v, "label": v} for v in new]
        for new, old in pairs
    )  # fmt: skip
    return (*values, *options)


def _count(choice: Choice) -> str:
    """How many of the drawer's filters are at work; nothing for none."""
    return str(sum(field in choice for field in DRAWER) or "")
