"""A conversation or a run: all of its events that the reader sees, whatever the filters are."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from dash import html

from callbacks.access.session import current_scope
from callbacks.analytics.filter_state import pin_window
from callbacks.stores import Stores
from components import records
from components.page import timeline
from components.page.timeline import MS, Timeline
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Unknown
from data.local_time import WIDTHS
from data.query.filters import Filters, spell_about
from data.query.listing import TOTALS, Listing, rows
from data.query.query import Query
from data.query.run import run, totals
from data.query.windows import ALL_TIME

MOST: Final = 500
ENDS: Final = ("first_event", "last_event")
IN_ORDER: Final = (("ts", False),)


def page(field: str, value: str, zone: str, stores: Stores) -> html.Div:
    """Its timeline; raises `Unknown` where this reader sees nothing of it, be it there or not."""
    filters = Filters(replace(ALL_TIME, zone=zone), about=((field, value),))
    scope, store = current_scope(), stores.store
    query = Query((*TOTALS, *ENDS), (), filters)
    sums = records.rows(run(query, scope, store), (), TOTALS, zone)[0]
    if not sums["events"]:
        raise Unknown("page", "there is no such page")
    found = list(rows(Listing(query, IN_ORDER, MOST), scope, store))
    end = max(row["ts"] + MS * (row["duration_ms"] or 0) for row in found)
    return timeline.page(
        Timeline(
            field, value, found, sums, _failed(filters, scope, store), found[0]["ts"], end, zone,
            _file(query, scope, store),
        )
    )  # fmt: skip


def _failed(filters: Filters, scope: Scope, store: EventStore) -> int:
    query = Query(("events",), (), filters, where=(("status", ("error",)),))
    return int(totals(query, scope, store)["events"])


def _file(query: Query, scope: Scope, store: EventStore) -> str:
    """All of its events, from the first to the last."""
    first, last = (int(totals(query, scope, store)[name]) for name in ENDS)
    window = replace(query.filters.window, start=first, end=last + WIDTHS["minute"])
    chosen = pin_window(spell_about(query.filters.about), window) | {"order": "ts"}
    return f"/api/v1/events.csv?{urlencode(chosen)}"
