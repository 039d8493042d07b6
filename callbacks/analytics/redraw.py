"""Any section, redrawn when the filters, its breakdown or its measure changes.

One callback serves all sections there will ever be. A section that fails says so in its own place
and leaves its neighbours alone.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State

from callbacks.access.request_log import request_id
from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import (
    FilterState,
    about,
    empty_reason,
    filters_of,
    pin_comparison,
    pin_window,
)
from callbacks.analytics.passes import courses, passes_of_page
from components import ids
from components.page import cards
from components.page.headline import band_answer
from components.sections.declared import Section, section
from data.engines.protocol import EventStore
from data.errors import SpendscopeError
from data.query.answers import answer
from data.query.comparison import totals_compared, trends
from data.query.filters import Choice, Filters
from data.query.query import Query

log = logging.getLogger("spendscope")


def register(app: Dash, store: EventStore) -> None:
    """Cards and bands of numbers."""

    @app.callback(
        Output(ids.card(), "answer"),
        Input(ids.FILTER_STATE, "data"),
        Input(ids.card(), "measure"),
        Input(ids.card(), "by"),
        Input(ids.card(), "retries"),
        State(ids.card(), "id"),
        State(ids.card(), "of"),
    )
    def redraw(
        state: Any, measure: str, by: str, _retries: Any, key: dict[str, str], of: Any
    ) -> Any:
        if not state:
            return cards.LOADING
        return _guarded(key["card"], state, of, (measure, by), store)


def _guarded(
    key: str, state: Any, of: Any, chosen: tuple[str, str], store: EventStore
) -> cards.Props:
    """The section's answer, or the sentence of what went wrong."""
    try:
        one, state, (measure, by) = section(key), about(state, of), chosen
        if current_scope().reach == "own":
            one, measure, by = _for_one(one, measure, by)
        if one.shape.has_chart:
            return _card(one, state, measure, by, store)
        return _numbers(one, state, store)
    except SpendscopeError as error:
        return cards.failed(str(error))
    except Exception:
        log.exception("a card failed")
        return cards.failed(
            f"Something broke here (request {request_id()}). The rest of the page is not affected."
        )


def _for_one(one: Section, measure: str, by: str) -> tuple[Section, str, str]:
    """The section, measure and breakdown for who sees nobody else: a link of somebody who does may
    name some that say nothing about one person."""
    own = one.for_one()
    if measure in one.measures and measure not in own.measures:
        measure = own.measures[0]
    if by in one.by and by not in own.by:
        by = own.by[0]
    return own, measure, by


def _card(
    one: Section, state: FilterState, measure: str, by: str, store: EventStore
) -> cards.Props:
    filters, scope = filters_of(state), current_scope()
    passes = passes_of_page(one.key, filters, scope.reach == "own")
    answered = answer(one, filters, scope, store, by, measure, only_drawn=True, passes=passes)
    reason = empty_reason(filters, scope, store) if answered.empty else ""
    file = _file(one.key, state["choice"], filters, by, measure)
    return cards.chart_answer(one, answered, reason, file)


def _file(key: str, choice: Choice, filters: Filters, by: str, measure: str) -> str:
    chosen = pin_window(choice, filters.window) | {"by": by, "measure": measure}
    if filters.compared:
        chosen |= pin_comparison(filters.compared)
    return f"/api/v1/sections/{key}.csv?{urlencode(chosen, doseq=True)}"


def _numbers(one: Section, state: FilterState, store: EventStore) -> cards.Props:
    filters, scope = filters_of(state), current_scope()
    passes = passes_of_page(one.key, filters, scope.reach == "own")
    query = Query(one.metrics, (), filters, where=one.where, passes=passes)
    now, drawn = totals_compared(query, scope, store), courses(one)
    courses_drawn = trends(query, drawn, scope, store) if drawn else None
    return band_answer(one.metrics, now, filters, courses_drawn)
