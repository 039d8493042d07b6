"""When limits were crossed: a chart of every crossing that is remembered, and pages of a table.

To know that and in which hour a limit was crossed costs a question a budget; to know the call
costs a few dozen a crossing, so only those of the page that is shown are looked for.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, ctx

from callbacks.access.session import current_scope
from callbacks.analytics.spending import history, resolved, subject_names
from callbacks.settings import budget_cards
from callbacks.settings.preferences import zone_of
from components import ids
from components.settings import budget_charts, budgets
from components.settings.budget_rows import Row, crossing_row, point
from components.settings.budgets import CROSSINGS
from data.access.scope import Scope
from data.budgets.crossings import Crossed
from data.engines.protocol import EventStore
from data.errors import Unknown
from data.settings import Settings
from data.state.store import State as Store

PAGE: Final = 20


def register(app: Dash, settings: Settings, state: Store, store: EventStore) -> None:
    """The card of crossings."""

    def part(what: str) -> ids.Id:
        return ids.budgets_part(what, CROSSINGS)

    @app.callback(
        *budget_cards.outputs(CROSSINGS),
        Output(part("table"), "rowData"),
        Output(part("place"), "children"),
        Output(part("offset"), "data"),
        Output(part("newer"), "disabled"),
        Output(part("older"), "disabled"),
        Output(part("csv"), "href"),
        Input(part("of"), "value"),
        Input(part("newer"), "n_clicks"),
        Input(part("older"), "n_clicks"),
        *budget_cards.inputs(CROSSINGS),
        State(part("offset"), "data"),
        State(ids.ZONE, "data"),
    )
    def cross(of: Any, *said: Any) -> tuple[Any, ...]:
        scope, now, (offset, zone) = current_scope(), settings.now(), said[-2:]
        found, *told = budget_cards.asked(
            lambda: history(state, scope, now, store, chosen(of)), budgets.NEVER
        )
        start = _start(offset, ctx.triggered_id, len(found))
        shown = found[start : start + PAGE]
        rows, *failed = budget_cards.asked(lambda: _rows(shown, scope, store), budgets.NEVER)
        told = failed if told[-1] == "ready" else told
        chart = _chart(found, now, zone_of(state, zone), scope, store)
        end = start + len(shown)
        place = f"{start + 1}–{end} of {len(found):,}" if shown else ""
        return *chart, *told, rows, place, start, start == 0, end >= len(found), _file(of)


def chosen(of: Any) -> int | None:
    """The number of the budget that was chosen, None for all of them."""
    if of in (None, budgets.EVERY):
        return None
    if not isinstance(of, str) or not of.isdecimal():
        raise Unknown("budget", "that is no budget of this page")
    return int(of)


def _chart(
    found: list[Crossed], now: int, zone: str, scope: Scope, store: EventStore
) -> tuple[Row, Row]:
    said = subject_names([one.budget for one in found], [], scope, store)
    points = [point(one, said) for one in found]
    style = budget_charts.height(len({one["id"] for one in points}))
    return budget_charts.crossings(points, now, zone), style


def _rows(shown: list[Crossed], scope: Scope, store: EventStore) -> list[Row]:
    exact = resolved(shown, scope, store)
    users = [one.user for one in exact if one.user]
    said = subject_names([one.crossed.budget for one in exact], users, scope, store)
    return [crossing_row(one, said) for one in exact]


def _start(offset: Any, turned: Any, most: int) -> int:
    """Where the page begins; whatever else happened, the newest are shown first."""
    turns = {"newer": -PAGE, "older": PAGE}
    known = (step for word, step in turns.items() if turned == ids.budgets_part(word, CROSSINGS))
    step = next(known, None)
    if step is None or not isinstance(offset, int) or not 0 <= offset <= most:
        return 0
    last = max(0, (most - 1) // PAGE * PAGE)
    return min(max(0, offset + step), last)


def _file(of: Any) -> str:
    href = budgets.FILES[CROSSINGS]
    return href if of in (None, budgets.EVERY) else f"{href}?{urlencode({'budget': of})}"
