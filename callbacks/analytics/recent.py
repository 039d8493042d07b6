"""The latest activity of what a page is about, under the filters that are chosen."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State

from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import about, filters_of
from components import ids
from components.page.recent import items, things
from data.engines.protocol import EventStore
from data.query.listing import Listing, events_query, rows

LOOKED_THROUGH: Final = 400  # events; a conversation has many


def register(app: Dash, store: EventStore) -> None:
    """The card of `components/page/recent.py`."""

    @app.callback(
        Output(ids.RECENT, "children"),
        Input(ids.FILTER_STATE, "data"),
        State(ids.RECENT, "data-of"),
    )
    def show(state: Any, of: Any) -> list[Any]:
        if not state:
            return []
        filters = filters_of(about(state, of))
        listing = Listing(events_query("events", filters), limit=LOOKED_THROUGH)
        found = things(list(rows(listing, current_scope(), store)))
        return items(found, str(of), filters.window.zone)
