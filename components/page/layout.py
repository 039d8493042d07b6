"""The page around the sections: rail, settings navigation, profile menu, tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash import dcc, html

from components import ids
from components.page import cards, events_drawer, filter_bar, headline
from components.page.headline import EVERYBODY, Reader
from components.page.views import AS_DECLARED, View
from components.sections.declared import TABS, Section, Tab
from components.shapes.headline import Headline

PAGES: Final = {"analytics": "Analytics"}
NOTHING_CHOSEN: Final[Mapping[str, View]] = {}


def build(pages: Mapping[str, str]) -> html.Div:
    """The whole page, knowing nobody: who reads it arrives by callback. `pages` are the labels of
    the settings pages that not everybody has."""
    stores = [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.ZONE),
        dcc.Store(id=ids.FILTER_STATE),
        dcc.Store(id=ids.DRILL),
        dcc.Store(id=ids.TIME_CHOSEN),
        dcc.Store(id=ids.EVENTS_OF),
        dcc.Store(id=ids.REMOVED_CHIPS),
        dcc.Store(id=ids.PREFERRED),
        dcc.Store(id=ids.SETTINGS_CHANGED),
        dcc.Store(id=ids.VIEWING_BEGUN),
        dcc.Store(id=ids.MODES, storage_type="local"),
        dcc.Store(id=ids.THEME, storage_type="local"),
    ]
    main = html.Main(
        [
            _viewing(),
            html.Header([html.H1(id=ids.TITLE), _tabs()], className="page-head"),
            filter_bar.build(),
            html.Div(id=ids.BODY, className="page-body"),
        ],
        id="main",
    )
    return html.Div(
        [*stores, _rail(pages), main, events_drawer.build()], id=ids.APP, className="app"
    )


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
            dcc.Link(label, id=ids.link(page), href=f"/settings/{page}", className="rail-link"),
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
        html.Span(dcc.Link("Settings", id=ids.link("settings"), href="/settings/profile"),
                  **ids.testid("menu-settings")),
        html.Button("Dark theme", id=ids.THEME_BUTTON, className="menu-item"),
        html.A("Sign out", href="/sign-out", className="menu-item"),
    ]  # fmt: skip
    return html.Details([icon, html.Div(menu, className="menu")], className="profile-box")


def _tabs() -> html.Nav:
    # The test id sits on a span around the link: dcc.Link takes no data attributes.
    links = [
        html.Span(
            dcc.Link(tab.title, id=ids.link(tab.key), href=f"/settings/analytics/{tab.key}"),
            **ids.testid(f"tab-{tab.key}"),
        )
        for tab in TABS
    ]
    return html.Nav(links, id=ids.TAB, className="tabs", hidden=True, **{"aria-label": "Sections"})


def analytics(
    tab: Tab, reader: Reader = EVERYBODY, views: Mapping[str, View] = NOTHING_CHOSEN
) -> html.Div:
    """The sections of a tab as a reader needs them, and chose to see them; only one tab is mounted
    at a time."""
    tab = tab.for_one() if reader.alone else tab
    return html.Div(
        [_card(one, reader, views) for one in tab.sections], className=f"sections tab-{tab.key}"
    )


def _card(one: Section, reader: Reader, views: Mapping[str, View]) -> cards.Card:
    if isinstance(one.shape, Headline):
        return headline.band(one, one.shape, reader)
    return cards.chart(one, views.get(one.key, AS_DECLARED))


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
         dcc.Link("Go to Analytics", href="/settings/analytics")],
        className="card-section lost",
    )  # fmt: skip
