"""Where the reader is: pages, tabs, links that carry the filters along, and what runs in the
browser alone (chart or table, theme, zone)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from dash import ALL, ClientsideFunction, Dash, Input, Output, State

from callbacks.access.session import current_person, current_scope
from callbacks.analytics import about, timeline
from callbacks.analytics.filter_state import PageState
from callbacks.settings.resource import Page, current_context
from callbacks.stores import Stores
from components import ids
from components.page import layout, markup, welcome
from components.page.headline import Reader
from components.page.views import views
from components.sections.declared import TABS, TIMELINES, tab
from components.settings import budgets
from data.errors import Unknown
from data.query.options import data_as_of
from data.state.accounts import administrators

PREFIX: Final = "/settings/"
WRITTEN: Final = (
    (ids.BODY, "children"), (ids.TITLE, "children"),
    (ids.FILTER_BAR, "hidden"), (ids.TAB, "hidden"),
)  # fmt: skip


def register(app: Dash, stores: Stores, pages: tuple[Page, ...]) -> None:
    """Navigation, and the clientside functions of assets/page.js."""

    @app.callback(
        *(Output(*one) for one in WRITTEN), Input(ids.URL, "pathname"), State(ids.URL, "search"),
        State(ids.FILTER_STATE, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def go(path: str, search: str, state: Any) -> tuple[Any, ...]:
        body, *around = _page(path, PageState(search, state), stores, pages)
        return (markup.joined(body), *around)

    _in_browser(app)


def arrive(
    path: str, arrived: PageState, stores: Stores, pages: tuple[Page, ...]
) -> Iterator[tuple[Any, str, Any]]:
    """`(id, property, value)` of what a path writes into the empty page; the links carry the
    filters along."""
    person, own = current_person(), _own(pages)
    initials = "".join(word[0] for word in person.name.split()[:2]).upper()
    yield from ((ids.INITIALS, "children", initials or "?"), (ids.NAME, "children", person.name))
    yield ids.URL, "pathname", path
    page = _page(path, arrived, stores, pages)
    yield from ((key, prop, v) for (key, prop), v in zip(WRITTEN, page, strict=True))
    for place in (*own, "settings", *(one.key for one in TABS)):
        yield ids.link(place), "href", _href(place, own) + arrived.search
        yield ids.link(place), "className", _class(place, path, own)


def _own(pages: tuple[Page, ...]) -> set[str]:
    return {*layout.PAGES, *(page.key for page in pages)}


def _in_browser(app: Dash) -> None:
    def run(name: str, *wires: Any, **more: Any) -> None:
        app.clientside_callback(ClientsideFunction("page", name), *wires, **more)

    run(
        "toggle", Output(ids.MODES, "data"), Input(ids.ALL_MODES, "n_clicks"),
        State(ids.MODES, "data"), prevent_initial_call=True,
    )  # fmt: skip
    # The ids are an Input: with all of them elsewhere, Dash leaves out what is mounted later.
    run("show", Output(ids.card(ALL), "mode"), Input(ids.MODES, "data"), Input(ids.card(ALL), "id"))
    run("switched", Output(ids.ALL_MODES, "aria-checked"), Input(ids.MODES, "data"))
    run(
        "carry", Output(ids.link(ALL), "href"), Output(ids.link(ALL), "className"),
        Input(ids.URL, "search"), Input(ids.URL, "pathname"),
        State(ids.link(ALL), "href"), State(ids.link(ALL), "className"), prevent_initial_call=True,
    )  # fmt: skip
    run("theme", Output(ids.THEME, "data"), Output(ids.THEME_BUTTON, "children"),
        Input(ids.THEME_BUTTON, "n_clicks"), State(ids.THEME, "data"))  # fmt: skip


def _page(
    path: str | None, arrived: PageState, stores: Stores, pages: tuple[Page, ...]
) -> tuple[Any, str, bool, bool]:
    """`(body, title, filters hidden, tabs hidden)` of a path."""
    page, _, rest = (path or "").removeprefix(PREFIX).strip("/").partition("/")
    found = next((one for one in pages if one.key == page and not rest), None)
    if found and found.is_for(current_scope()):
        return found.draw(current_context(stores)), found.label, True, True
    if (page, rest) == ("analytics", "budgets"):
        return budgets.page(), "Analytics", True, False
    try:
        if page == "analytics":
            return _analytics(rest or TABS[0].key, arrived, stores, pages)
    except Unknown:
        pass
    return layout.nowhere(path or ""), "Not found", True, True


def _reader(pages: tuple[Page, ...]) -> Reader:
    """Whom the page is for."""
    scope = current_scope()
    return Reader(scope.reach == "own", frozenset(p.key for p in pages if p.is_for(scope)))


def _analytics(
    place: str, arrived: PageState, stores: Stores, pages: tuple[Page, ...]
) -> tuple[Any, str, bool, bool]:
    """A tab, or the page about one value; who has nothing to see yet is told how that changes."""
    key, _, value = place.partition("/")
    if value and key in TIMELINES:
        made = timeline.page(TIMELINES[key], unquote(value), about.zone_of(arrived.state), stores)
        return made, "Analytics", True, False
    one, scope, reader = tab(key), current_scope(), _reader(pages)
    if value:
        return about.page(one, unquote(value), arrived, reader, stores), "Analytics", False, False
    if data_as_of(scope, stores.store) is not None:
        return layout.analytics(one, reader, views(arrived.search)), "Analytics", False, False
    if scope.manages_platform:
        return welcome.to_connect(), "Analytics", True, False
    return welcome.to_ask(administrators(stores.state)), "Analytics", True, False


def _href(place: str, pages: set[str]) -> str:
    if place == "settings":
        return f"{PREFIX}profile"
    return f"{PREFIX}{place}" if place in pages else f"{PREFIX}analytics/{place}"


def _class(place: str, path: str, pages: set[str]) -> str:
    """The look of a link, and whether it is where the reader is."""
    if place in pages:
        return "rail-link" + (" active" if path.startswith(f"{PREFIX}{place}") else "")
    if place == "settings":
        return "menu-item"
    here = path.removeprefix(f"{PREFIX}analytics").strip("/").partition("/")[0] or TABS[0].key
    return "tab-link" + (" active" if place == here else "")
