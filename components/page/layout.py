"""The page around the sections: rail, settings navigation, profile menu, tabs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dash import html

from components import ids
from components.page import budgets_at_risk, cards, events_drawer, filter_bar, headline
from components.page.headline import EVERYBODY, Reader
from components.page.views import AS_DECLARED, View
from components.sections.declared import PAGES as PAGES_OF
from components.sections.declared import TABS, TIMELINES, Section, Tab
from components.shapes.headline import Headline
from components.wiring import Link, Location, Store

PAGES: Final = {"analytics": "Analytics"}
# Where what a field names has a page of its own (assets/pages.js).
PLACES: Final = PAGES_OF | {field: place for place, field in TIMELINES.items()}
NOTHING_CHOSEN: Final[Mapping[str, View]] = {}


def build(pages: Mapping[str, str]) -> html.Div:
    """The whole page, knowing nobody: who reads it arrives by callback. `pages` are the labels of
    the settings pages that not everybody has."""
    main = html.Main(
        [
            _viewing(),
            _head(),
            filter_bar.build(),
            html.Div(id=ids.BODY, className="page-body"),
        ],
        id="main",
    )
    return html.Div(
        [*_stores(), _rail(pages), main, events_drawer.build()], id=ids.APP, className="app"
    )


def _head() -> html.Header:
    parts = [html.H1(id=ids.TITLE), _tabs(), budgets_at_risk.place()]
    return html.Header(parts, className="page-head")


def _stores() -> list[Any]:
    return [
        Location(id=ids.URL),
        Store(id=ids.ZONE),
        Store(id=ids.FILTER_STATE),
        Store(id=ids.DRILL),
        Store(id=ids.TIME_CHOSEN),
        Store(id=ids.EVENTS_OF),
        Store(id=ids.REMOVED_CHIPS),
        Store(id=ids.PREFERRED),
        Store(id=ids.SETTINGS_CHANGED),
        Store(id=ids.VIEWING_BEGUN),
        Store(id=ids.FIRST_VISIT),
        Store(id=ids.FIRST_VISIT_ENDED),
        Store(id=ids.MODES, storage_type="local"),
        Store(id=ids.THEME, storage_type="local"),
    ]


def _viewing() -> html.Div:
    """The banner of who sees what somebody else does, empty."""
    stop = html.Button(
        "Stop", id=ids.VIEWING_STOP, className="toggle", **ids.testid("view-as-stop")
    )
    return html.Div(
        [html.Span(id=ids.VIEWING_TEXT), stop], id=ids.VIEWING, className="viewing", role="status",
        hidden=True, **ids.testid("view-as-banner"),
    )  # fmt: skip


def _rail(pages: Mapping[str, str]) -> html.Nav:
    named = [
        html.Span(
            Link(label, id=ids.link(page), href=f"/settings/{page}", className="rail-link"),
            id=ids.nav(page), hidden=page in pages, **ids.testid(f"nav-{page}"),
        )
        for page, label in (PAGES | dict(pages)).items()
    ]  # fmt: skip
    return html.Nav(
        [
            html.A([html.Span(className="mark"), "Spendscope"], href="/", className="brand"),
            html.Div([*named[:1], html.Div("Settings", className="rail-title"), *named[1:]],
                     className="links"),
            html.Div(className="spring"),
            _profile(),
        ],
        className="rail", **{"aria-label": "Settings"},
    )  # fmt: skip


def _profile() -> html.Details:
    icon = html.Summary(
        [html.Span(id=ids.INITIALS, className="avatar"), html.Span(id=ids.NAME)],
        className="profile", title="Your profile", **ids.testid("profile-menu"),
    )  # fmt: skip
    menu = [
        html.Span(Link("Settings", id=ids.link("settings"), href="/settings/profile"),
                  **ids.testid("menu-settings")),
        html.Button("Dark theme", id=ids.THEME_BUTTON, className="menu-item"),
        html.A("Sign out", href="/sign-out", className="menu-item"),
    ]  # fmt: skip
    return html.Details([icon, html.Div(menu, className="menu")], className="profile-box")


def _tabs() -> html.Nav:
    # The test id sits on a span around the link: a link takes no data attributes.
    links = [
        html.Span(
            Link(tab.title, id=ids.link(tab.key), href=f"/settings/analytics/{tab.key}"),
            **ids.testid(f"tab-{tab.key}"),
        )
        for tab in TABS
    ]
    return html.Nav(
        links, id=ids.TAB, className="tabs", hidden=True,
        **{"aria-label": "Sections", "data-pages": json.dumps(PLACES)},
    )  # fmt: skip


def analytics(
    tab: Tab, reader: Reader = EVERYBODY, views: Mapping[str, View] = NOTHING_CHOSEN, of: str = ""
) -> html.Div:
    """The sections of a tab as a reader needs them, and chose to see them; only one tab is mounted
    at a time. `of` is the one thing that they are asked about, as `user:ana`."""
    tab = tab.for_one() if reader.alone else tab
    return html.Div(
        [_card(one, reader, views, of) for one in tab.sections], className=f"sections tab-{tab.key}"
    )


def _card(one: Section, reader: Reader, views: Mapping[str, View], of: str) -> cards.Card:
    if isinstance(one.shape, Headline):
        return headline.band(one, one.shape, reader, of)
    return cards.chart(one, views.get(one.key, AS_DECLARED), of)


def person(name: str, facts: list[tuple[str, str]]) -> html.Div:
    """Who the reader is, and what they may see."""
    rows: list[Any] = []
    for label, value in facts:
        rows += [html.Dt(label), html.Dd(value)]
    return html.Div([html.H2(name), html.Dl(rows)], className="person card-section")


def nowhere(path: str) -> html.Div:
    """A page that does not exist."""
    return html.Div(
        [html.H2("There is no such page"), html.P(path[:120]),
         Link("Go to Analytics", href="/settings/analytics")],
        className="card-section lost",
    )  # fmt: skip
