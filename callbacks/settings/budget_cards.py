"""What the cards of the Budgets tab have in common: a state, and a sentence where nothing is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from components import ids
from data.errors import SpendscopeError

log = logging.getLogger("spendscope")


def register(app: Dash) -> None:
    """Chart or table, by what serves every section (assets/page.js); the wires are their own, as
    those of the sections take a card with all that a section has."""
    app.clientside_callback(
        ClientsideFunction("page", "choose"),
        Output(ids.MODES, "data", allow_duplicate=True),
        Input(ids.budgets_part("mode-chart", ALL), "n_clicks"),
        Input(ids.budgets_part("mode-table", ALL), "n_clicks"),
        State(ids.ALL_MODES, "n_clicks"),
        State(ids.MODES, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("page", "show"),
        Output(ids.budgets_part("card"), "data-mode"),
        Output(ids.budgets_part("mode-chart"), "aria-pressed"),
        Output(ids.budgets_part("mode-table"), "aria-pressed"),
        Input(ids.MODES, "data"),
        Input(ids.budgets_part("mode-chart"), "id"),
    )


def outputs(card: str) -> list[Output]:
    """Chart, sentence and state of a card, in this order."""
    return [
        Output(ids.budgets_part("chart", card), "figure"),
        # Of what is around the chart: a chart that is drawn anew itself forgets that it was drawn.
        Output(ids.budgets_part("frame", card), "style"),
        Output(ids.budgets_part("said", card), "children"),
        Output(ids.budgets_part("card", card), "data-state"),
    ]


def inputs(card: str) -> list[Input]:
    """When a card is drawn: after a change, and when it is to be tried again."""
    return [
        Input(ids.BUDGETS_CHANGED, "data"),
        Input(ids.budgets_part("retry", card), "n_clicks"),
    ]


def asked(rows: Callable[[], list[Any]], empty: str) -> tuple[list[Any], str, str]:
    """`(rows, sentence, state)` of a card; one that fails leaves its neighbour alone."""
    try:
        found = rows()
    except SpendscopeError as error:
        return [], str(error), "failed"
    except Exception:
        number = uuid4().hex[:8]
        log.exception("request %s failed", number)
        return [], f"Something broke here (request {number}).", "failed"
    return (found, "", "ready") if found else ([], empty, "empty")
