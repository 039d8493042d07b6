"""The drawer of events: opened from any number, filled page by page as it is scrolled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, no_update

from callbacks.access.session import current_scope
from callbacks.analytics.choices import drill_down
from callbacks.analytics.filter_state import about, choice_of, filters_of, pin_window
from callbacks.api.listing import behind, breakdown
from components import ids, records
from components.page import events_drawer
from components.page.filter_bar import chosen, window_text
from components.sections.declared import SECTIONS
from data.engines.protocol import EventStore
from data.errors import Refused
from data.local_time import instant
from data.query.catalog import METRICS
from data.query.filters import Choice
from data.query.leading import columns, leading, ordered
from data.query.listing import Listing, column_label, empty_columns, rows
from data.query.options import label_values, value_names
from data.query.query import Query
from data.query.run import run, totals

MOST: Final = 1_000
MOST_READ: Final = 100_000  # events whose columns are all looked at before a list is shown


def register(app: Dash, store: EventStore) -> None:
    """Opening, and the pages of the grid."""
    _opening(app, store)
    _paging(app, store)


def _opening(app: Dash, store: EventStore) -> None:
    @app.callback(
        Output(ids.EVENTS, "is_open"),
        Output(ids.EVENTS_TITLE, "children"),
        Output(ids.EVENTS_BODY, "children"),
        Input(ids.EVENTS_OF, "data"),
        State(ids.FILTER_STATE, "data"),
        prevent_initial_call=True,
    )
    def show(clicked: Any, state: Any) -> Any:
        if not state:
            return no_update, no_update, no_update
        return _open(_number_clicked(state, clicked), store)


def _paging(app: Dash, store: EventStore) -> None:
    @app.callback(
        Output(ids.EVENTS_GRID, "getRowsResponse"),
        Output(ids.EVENTS_FILE, "href"),
        Input(ids.EVENTS_GRID, "getRowsRequest"),
        State(ids.EVENTS_REQUEST, "data"),
        prevent_initial_call=True,
    )
    def page(request: Any, state: Any) -> Any:
        if not isinstance(request, dict):
            return no_update, no_update
        query, scope = _behind(state), current_scope()
        start, end = (_place(request, name) for name in ("startRow", "endRow"))
        listing = Listing(query, _order(request, query), min(max(end - start, 1), MOST), start)
        found, zone = list(rows(listing, scope, store)), query.filters.window.zone
        count = int(totals(query, scope, store)["events"])
        made = events_drawer.rows(found, zone, _stamp, scope.ids_by_person)
        return {"rowData": made, "rowCount": count}, _href(state, listing)


def _number_clicked(state: Any, clicked: Any) -> Any:
    """The question of one number of a card, as the browser tells it."""
    if not isinstance(clicked, dict):
        raise Refused("question", "the page names no number whose events to show")
    choice = choice_of(about(state, clicked.get("of")))
    named = {name: clicked.get(name) for name in ("section", "metric", "by")}
    return state | named | {"choice": drill_down(choice, clicked)}


def _open(state: Any, store: EventStore) -> tuple[bool, str, Any]:
    query, scope = _behind(state), current_scope()
    window = query.filters.window
    sums = records.rows(run(query, scope, store), (), query.metrics, window.zone)[0]
    metric = METRICS[query.of_metric]
    title = f"Events behind {metric.label.lower()}" if state["section"] else metric.label
    if (one := SECTIONS.get(state["section"])) and one.shape.has_chart:
        title = f"{title} · {one.title}"
    under = " · ".join((window_text(window), *_chosen(state["choice"], query, store)))
    by, order = breakdown(state["section"], state.get("by")), ordered(metric)
    href, first = _href(state, Listing(query, order)), _columns(query, by, sums["events"], store)
    return True, title, events_drawer.body(state, sums, under, href, first, order)


def _columns(query: Query, by: Sequence[str], events: int, store: EventStore) -> list[str]:
    """The columns of the list: of few enough events only those that say something of any of them,
    and what was asked."""
    metric = METRICS[query.of_metric]
    empty = empty_columns(query, current_scope(), store) if events <= MOST_READ else frozenset()
    asked = ("ts", *leading(metric, by))
    return [name for name in columns(metric, by) if name in asked or name not in empty]


def _chosen(choice: Choice, query: Query, store: EventStore) -> Iterator[str]:
    """What the events are of, in words."""
    scope = current_scope()
    for field, value in query.filters.about:
        (named,) = label_values(field, (value,), scope, store) or ({"label": value},)
        yield f"{column_label(field).lower()}: {named['label']}"
    yield from (text for _, _, text in chosen(choice, value_names(choice, scope, store)))


def _behind(state: Any) -> Query:
    """The question of a store that came back from a browser, and so may be anything."""
    filters = filters_of(state)
    key, metric = state.get("section"), state.get("metric")
    if not isinstance(key, str) or not isinstance(metric, str):
        raise Refused("section", "the store asks for no events of this page")
    return behind(key, metric, filters)


def _href(state: Any, listing: Listing) -> str:
    order = ",".join(f"-{name}" if down else name for name, down in listing.order)
    chosen = pin_window(state["choice"], listing.query.filters.window) | {
        "section": state["section"], "metric": state["metric"], "order": order,
    }  # fmt: skip
    return f"/api/v1/events.csv?{urlencode(chosen, doseq=True)}"


def _place(request: Any, name: str) -> int:
    value = request.get(name)
    if not isinstance(value, int) or not 0 <= value <= 10**9:
        raise Refused(name, f"{name} must be a whole number from 0 on")
    return value


def _order(request: Any, query: Query) -> tuple[tuple[str, bool], ...]:
    model = request.get("sortModel") or []
    if not isinstance(model, list) or not all(isinstance(one, dict) for one in model):
        raise Refused("order", "the grid's order is not readable")
    order = tuple((str(one.get("colId")), one.get("sort") == "desc") for one in model)
    return order or ordered(METRICS[query.of_metric])


def _stamp(us: int, zone: str) -> str:
    at = instant(us, zone)
    return f"{at.day} {at:%b %Y %H:%M:%S}"
