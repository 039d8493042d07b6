"""The reader's choice: from controls, chips and URL into the one store, and back to all of them.

One callback owns both directions. What triggered it decides which side speaks; the other follows.
A choice that cannot be meant is answered beside the controls, and the page keeps its last picture.
"""

from __future__ import annotations

from typing import Any, Final

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks import choosing
from callbacks.answers import named, options
from callbacks.asking import Question, ask, filters_of, notice
from callbacks.session import current_scope
from components import filter_bar, ids
from data.engines import EventStore
from data.errors import Refused
from data.filters import ME, PEOPLE, Choice, Filters, parse
from data.scope import Scope
from data.settings import Settings
from data.windows import DEFAULT_N

LISTED: Final = 50
SHOWN: Final = (ids.PRESET, ids.N, ids.FROM, ids.TO, ids.TZ)


def register(app: Dash, settings: Settings, store: EventStore) -> None:
    """Filtering and the options of the pickers."""

    @app.callback(
        Output(ids.QUESTION, "data"),
        Output(ids.URL, "search"),
        Output(ids.PROBLEM, "children"),
        Output(ids.WINDOW, "children"),
        Output(ids.CHIPS, "children"),
        Output(ids.NOTICE, "children"),
        Output(ids.ME, "aria-pressed"),
        Output(ids.N_BOX, "hidden"),
        Output(ids.RANGE_BOX, "hidden"),
        *(Output(name, "value") for name in SHOWN),
        *(Output(ids.pick(field), "value") for field in PEOPLE),
        # A picker forgets a value that is not among its options, so they arrive together.
        *(Output(ids.pick(field), "options", allow_duplicate=True) for field in PEOPLE),
        Input(ids.URL, "search"),
        Input(ids.ZONE, "data"),
        Input(ids.ME, "n_clicks"),
        Input(ids.CLEAR, "n_clicks"),
        Input(ids.REFRESH, "n_clicks"),
        Input(ids.chip(ALL, ALL), "n_clicks"),
        *(Input(name, "value") for name in SHOWN),
        *(Input(ids.pick(field), "value") for field in PEOPLE),
        State(ids.QUESTION, "data"),
        prevent_initial_call="initial_duplicate",
    )
    def filter_everything(
        search: str, zone: str, _me: Any, _clear: Any, _refresh: Any, _chips: Any, *rest: Any
    ) -> tuple[Any, ...]:
        controls, question = rest[:-1], rest[-1]
        zone = zone or "UTC"
        try:
            choice = _chosen(ctx.triggered_id, ctx.triggered, search, controls, question)
            filters = parse(choice, settings.now(), zone)
        except Refused as problem:
            return _refused(problem, rest[0])
        if question and choice == question["choice"] and ctx.triggered_id == ids.URL:
            return (no_update,) * (9 + len(controls) + len(PEOPLE))
        asked = ask(choice, zone, settings.now())
        return _told(asked, filters, current_scope(), store)

    @app.callback(
        Output(ids.pick(), "options"),
        Input(ids.pick(), "search_value"),
        Input(ids.pick(), "value"),
        State(ids.pick(), "id"),
    )
    def offer(text: str | None, value: list[str] | None, key: dict[str, str]) -> list[Any]:
        field, scope = key["pick"], current_scope()
        if field not in PEOPLE:
            return []
        chosen = named(field, tuple(value or ()), scope, store)
        found = options(field, (text or "")[:200], LISTED, scope, store)
        taken = {option["value"] for option in chosen}
        return chosen + [option for option in found if option["value"] not in taken]


def _chosen(
    trigger: Any, triggered: Any, search: str, controls: tuple[Any, ...], question: Any
) -> Choice:
    """The choice that what just happened leads to."""
    before: Choice = dict(question["choice"]) if question else choosing.from_address(search)
    if trigger == ids.CLEAR:
        return {}
    if trigger == ids.ME:
        return choosing.toggled(before)
    if isinstance(trigger, dict) and "chip" in trigger:
        # A chip that has just been drawn triggers too, without a click.
        clicked = any(one["value"] for one in triggered)
        return choosing.without(before, trigger) if clicked else before
    if question and (trigger in SHOWN or isinstance(trigger, dict)):
        return choosing.controlled(before, trigger, controls, filters_of(question).window)
    return choosing.from_address(search) if trigger == ids.URL else before


def _refused(problem: Refused, preset: Any) -> tuple[Any, ...]:
    """The sentence, and the controls that the preset needs; nothing else moves."""
    boxes = (preset not in DEFAULT_N, preset != "custom")
    return (no_update, no_update, str(problem), *(no_update,) * 4, *boxes, *(no_update,) * 9)


def _told(question: Question, filters: Filters, scope: Scope, store: EventStore) -> tuple[Any, ...]:
    choice, window = question["choice"], filters.window
    preset = window.preset
    picked = {field: [v for v in choice.get(field, []) if v != ME] for field in PEOPLE}
    chosen = {field: named(field, tuple(picked[field]), scope, store) for field in PEOPLE}
    return (
        question,
        choosing.to_address(choice),
        "",
        filter_bar.window_text(window),
        filter_bar.chips(choice, _names(chosen)),
        notice(filters, scope, store),
        "true" if filters.me else "false",
        preset not in DEFAULT_N,
        preset != "custom",
        preset,
        str(window.n) if window.n else no_update,
        *((choosing.local(us, window.zone) if preset == "custom" else no_update)
          for us in (window.start, window.end)),
        choice.get("tz"),
        *(picked[field] for field in PEOPLE),
        *(no_update if ctx.triggered_id == ids.pick(field) else chosen[field] for field in PEOPLE),
    )  # fmt: skip


def _names(chosen: dict[str, list[dict[str, str]]]) -> dict[tuple[str, str], str]:
    return {
        (field, option["value"]): option["label"]
        for field, listed in chosen.items()
        for option in listed
    }
