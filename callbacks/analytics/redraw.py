"""Any section, redrawn when the filters, its breakdown or its measure changes.

Two callbacks serve all sections there will ever be: one for a card, one for a strip of headline
numbers. A section that fails says so in its own place and leaves its neighbours alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from dash import ALL, Dash, Input, Output, State

from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import FilterState, empty_reason, filters_of, pin_window
from components import ids
from components.page import cards, tables
from components.sections.declared import Section, section
from components.shapes.marks import marked_rows
from components.values import change, change_text
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.query.answers import Answer, answer
from data.query.catalog import METRICS
from data.query.filters import Choice, Filters
from data.query.query import Query
from data.query.run import totals

log = logging.getLogger("spendscope")
MOST_ROWS = 10_000


def register(app: Dash, store: EventStore) -> None:
    """Cards and headline numbers."""

    @app.callback(
        Output(ids.part("chart"), "figure"),
        Output(ids.part("table"), "columnDefs"),
        Output(ids.part("table"), "rowData"),
        Output(ids.part("table"), "dashGridOptions"),
        Output(ids.part("summary"), "children"),
        Output(ids.part("state"), "children"),
        Output(ids.part("card"), "data-state"),
        Output(ids.part("export"), "href"),
        Input(ids.FILTER_STATE, "data"),
        Input(ids.part("measure"), "value"),
        Input(ids.part("by"), "value"),
        Input(ids.part("retry"), "n_clicks"),
        State(ids.part("card"), "id"),
    )
    def redraw(state: Any, measure: str, by: str, _retry: Any, key: dict[str, str]) -> Any:
        if not state:
            return _waiting()
        return _guarded(lambda: _card(key["section"], state, measure, by, store))

    @app.callback(
        Output(ids.headline("value", ALL), "children"),
        Output(ids.headline("value", ALL), "data-value"),
        Output(ids.headline("change", ALL), "children"),
        Output(ids.headline("change", ALL), "className"),
        Output(ids.band("card"), "data-state"),
        Output(ids.band("state"), "children"),
        Input(ids.FILTER_STATE, "data"),
        State(ids.band("card"), "id"),
    )
    def headline(state: Any, key: dict[str, str]) -> Any:
        return _headline(state, section(key["section"]), store)


def _card(key: str, state: FilterState, measure: str, by: str, store: EventStore) -> Any:
    filters, scope = filters_of(state), current_scope()
    one = section(key)
    answered = answer(one, filters, scope, store, by, measure)
    empty = answered.empty
    rows = marked_rows(tables.rows(answered, MOST_ROWS), answered)
    grid = cards.paged(len(rows)) | {"pinnedBottomRowData": [tables.total(answered)]}
    return (
        one.shape.draw(answered), tables.columns(one, answered.by), rows, grid,
        _summary(answered), empty_reason(filters, scope, store) if empty else "",
        "empty" if empty else "ready", _export(key, state["choice"], filters, by, measure),
    )  # fmt: skip


def _summary(answered: Answer) -> str:
    """The chart in a sentence, for those who hear the page."""
    metric = METRICS[answered.measure]
    return f"{metric.label}: {metric.unit.text(answered.total)} in total"


def _export(key: str, choice: Choice, filters: Filters, by: str, measure: str) -> str:
    chosen = pin_window(choice, filters.window) | {"by": by, "measure": measure}
    return f"/api/v1/sections/{key}.csv?{urlencode(chosen, doseq=True)}"


def _waiting() -> Any:
    return {}, [], [], cards.GRID, "", "", "loading", ""


def _guarded(draw: Callable[[], Any]) -> Any:
    """The card, or in its place the sentence of what went wrong."""
    try:
        return draw()
    except SpendscopeError as error:
        sentence = str(error)
    except Exception:
        number = uuid4().hex[:8]
        log.exception("request %s failed", number)
        sentence = f"Something broke here (request {number}). The rest of the page is not affected."
    return {}, [], [], cards.GRID, "", sentence, "failed", ""


def _headline(state: Any, one: Section, store: EventStore) -> Any:
    names = one.metrics
    if not state:
        return _strip(names, "loading", "")
    try:
        return _numbers(state, one, store)
    except SpendscopeError as error:
        return _strip(names, "failed", str(error))
    except Exception:
        number = uuid4().hex[:8]
        log.exception("request %s failed", number)
        return _strip(names, "failed", f"Something broke here (request {number}).")


def _strip(names: tuple[str, ...], state: str, sentence: str) -> Any:
    return (
        ["–"] * len(names),
        [""] * len(names),
        [""] * len(names),
        [""] * len(names),
        state,
        sentence,
    )


def _numbers(state: FilterState, one: Section, store: EventStore) -> Any:
    filters, scope, names = filters_of(state), current_scope(), one.metrics
    query = Query(names, (), filters, where=one.where)
    now, before = (totals(one, scope, store) for one in (query, query.before()))
    changes = {name: change(now[name], before[name]) for name in names}
    return (
        [METRICS[name].unit.brief(now[name]) for name in names],
        [_exact(now[name]) for name in names],
        [change_text(changes[name]) for name in names],
        [f"kpi-change {_mood(name, changes[name])}" for name in names],
        "ready", "",
    )  # fmt: skip


def _exact(value: Any) -> str:
    return "" if (known := tables.raw(value)) is None else repr(known)


def _mood(name: str, difference: float | None) -> str:
    better = METRICS[name].better
    if not difference or better == "neither":
        return "even"
    return "good" if (difference > 0) == (better == "more") else "bad"
