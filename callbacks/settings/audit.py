"""The audit page: its link, for whom it is there, and its pages of entries."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, ctx

from callbacks.access.session import current_scope
from callbacks.settings.preferences import zone_of
from components import ids
from components.settings import audit
from data.state.audit import count, entries
from data.state.store import State as Store

PAGE: Final = 25
FURTHEST: Final = 10**9


def register(app: Dash, state: Store) -> None:
    """The link and the table."""

    @app.callback(Output(ids.AUDIT_LINK, "hidden"), Input(ids.URL, "pathname"))
    def link(_: Any) -> bool:
        return not current_scope().reads_audit

    @app.callback(
        Output(ids.AUDIT, "rowData"),
        Output(ids.AUDIT_PLACE, "children"),
        Output(ids.AUDIT_OFFSET, "data"),
        Output(ids.AUDIT_NEWER, "disabled"),
        Output(ids.AUDIT_OLDER, "disabled"),
        Input(ids.AUDIT, "id"),
        Input(ids.AUDIT_NEWER, "n_clicks"),
        Input(ids.AUDIT_OLDER, "n_clicks"),
        State(ids.AUDIT_OFFSET, "data"),
        State(ids.ZONE, "data"),
    )
    def turn(_: Any, _newer: Any, _older: Any, offset: Any, zone: Any) -> Any:
        scope = current_scope()
        most = count(state, scope)
        start = _start(offset, ctx.triggered_id, most)
        tz = zone_of(state, zone)
        rows = [audit.row(one, tz) for one in entries(state, scope, PAGE, start)]
        end = start + len(rows)
        place = f"{start + 1}–{end} of {most:,}" if rows else "Nothing has been changed yet."
        return rows, place, start, start == 0, end >= most


def _start(offset: Any, turned: Any, most: int) -> int:
    here = offset if isinstance(offset, int) and 0 <= offset <= FURTHEST else 0
    step = {ids.AUDIT_NEWER: -PAGE, ids.AUDIT_OLDER: PAGE}.get(turned, 0)
    last = max(0, (most - 1) // PAGE * PAGE)
    return min(max(0, here + step), last)
