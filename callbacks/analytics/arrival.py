"""The first layout: the page of an address, with what callbacks would only write afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from dash import no_update
from dash.development.base_component import Component
from flask import has_request_context, request
from flask_login import current_user

from callbacks.analytics import filter_bar, first_visit, navigation
from callbacks.analytics.filter_state import PageState
from callbacks.settings import preferences, tables, viewings
from callbacks.settings.resource import Page
from callbacks.stores import Stores
from components import ids
from components.page import layout, markup

log = logging.getLogger("spendscope")
Written = Iterable[tuple[Any, str, Any]]  # id, property, value


def page(pages: tuple[Page, ...], stores: Stores) -> Component:
    """The page as the one who asks arrives at it; the empty one where nobody does, as Dash asks
    for that too."""
    tree = layout.build({one.key: one.label for one in pages})
    if has_request_context() and current_user.is_authenticated:
        _write(tree, _on_arrival(pages, stores))
    return markup.joined(tree)


def _on_arrival(pages: tuple[Page, ...], stores: Stores) -> Iterator[tuple[Any, str, Any]]:
    """What the address says, which the browser tells in a header (assets/page.js)."""
    address = urlsplit(request.headers.get("X-Page-Address", ""))
    path, search = address.path or f"{navigation.PREFIX}analytics", f"?{address.query}".rstrip("?")
    zone = request.headers.get("X-Time-Zone", "")
    yield ids.ZONE, "data", zone
    yield from preferences.arrive(stores.state)
    yield from tables.arrive(pages)
    yield from viewings.arrive()
    yield from first_visit.arrive(stores)
    written = list(_filters(search, zone, stores))
    made = {key: value for key, _, value in written if key in (ids.URL, ids.FILTER_STATE)}
    chosen = made.get(ids.URL)
    arrived = PageState(chosen if isinstance(chosen, str) else search, made.get(ids.FILTER_STATE))
    yield from written
    yield from navigation.arrive(path, arrived, stores, pages)


def _filters(search: str, zone: str, stores: Stores) -> Written:
    """What the filter bar shows; a store that does not answer takes no more than it along."""
    try:
        return list(filter_bar.arrive(search, zone, stores))
    except Exception:
        log.exception("the filter bar of the first layout failed")
        return [(ids.PROBLEM, "children", "The filters could not be read: load the page again.")]


def _write(tree: Component, written: Written) -> None:
    found = {_name(key): one for one in tree._traverse() if (key := getattr(one, "id", None))}
    for key, prop, value in written:
        if value is not no_update:
            setattr(found[_name(key)], prop, value)


def _name(key: Any) -> str:
    return key if isinstance(key, str) else ids.dom(key)
