"""Where the reader is: pages, tabs, links that carry the filters along, and what runs in the
browser alone (chart or table, theme, zone)."""

from __future__ import annotations

from typing import Any, Final

from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, ctx

from callbacks.access.session import current_person, current_scope
from callbacks.settings.resource import Page
from components import ids
from components.page import layout
from components.sections.declared import TABS, tab
from components.settings import budgets
from components.values import hover_text
from data.access.scope import Reach, names
from data.errors import Unknown

PREFIX: Final = "/settings/"
REACH: Final[dict[Reach, str]] = {
    "all": "Everything: all users and all projects.",
    "projects": "Everyone's activity in the projects you administer, and your own everywhere.",
    "own": "Your own activity, wherever it happened.",
}


def register(app: Dash, pages: tuple[Page, ...]) -> None:
    """Navigation, and the clientside functions of assets/page.js."""

    @app.callback(
        Output(ids.BODY, "children"),
        Output(ids.TITLE, "children"),
        Output(ids.FILTER_BAR, "hidden"),
        Output(ids.TAB, "hidden"),
        Output(ids.INITIALS, "children"),
        Output(ids.NAME, "children"),
        Input(ids.URL, "pathname"),
    )
    def go(path: str) -> tuple[Any, ...]:
        person = current_person()
        initials = "".join(word[0] for word in person.name.split()[:2]).upper()
        return (*_page(path, pages), initials or "?", person.name)

    @app.callback(
        Output(ids.link(ALL), "href"),
        Output(ids.link(ALL), "className"),
        Input(ids.URL, "search"),
        Input(ids.URL, "pathname"),
    )
    def carry(search: str, path: str) -> tuple[list[str], list[str]]:
        places = [output["id"]["link"] for output in ctx.outputs_list[0]]
        own = {*layout.PAGES, *(page.key for page in pages)}
        return (
            [_href(place, own) + (search or "") for place in places],
            [_class(place, path or "", own) for place in places],
        )

    _in_browser(app)


def _in_browser(app: Dash) -> None:
    def run(name: str, *wires: Any, **more: Any) -> None:
        app.clientside_callback(ClientsideFunction("page", name), *wires, **more)

    run("zone", Output(ids.ZONE, "data"), Input(ids.APP, "id"))
    run(
        "choose", Output(ids.MODES, "data"),
        Input(ids.part("mode-chart", ALL), "n_clicks"),
        Input(ids.part("mode-table", ALL), "n_clicks"),
        Input(ids.ALL_MODES, "n_clicks"), State(ids.MODES, "data"), prevent_initial_call=True,
    )  # fmt: skip
    # The id is an Input: with all of them elsewhere, Dash leaves out what is mounted later.
    run(
        "show", Output(ids.part("card"), "data-mode"),
        Output(ids.part("mode-chart"), "aria-pressed"),
        Output(ids.part("mode-table"), "aria-pressed"),
        Input(ids.MODES, "data"), Input(ids.part("mode-chart", MATCH), "id"),
    )  # fmt: skip
    run(
        "arrange", Output(ids.part("table-tools"), "data-arranged"),
        Input(ids.part("search"), "value"), Input(ids.part("columns"), "value"),
        State(ids.part("columns"), "options"), State(ids.part("table"), "id"),
    )  # fmt: skip
    run("switched", Output(ids.ALL_MODES, "aria-checked"), Input(ids.MODES, "data"))
    run("theme", Output(ids.THEME, "data"), Output(ids.THEME_BUTTON, "children"),
        Input(ids.THEME_BUTTON, "n_clicks"), State(ids.THEME, "data"))  # fmt: skip


def _page(path: str | None, pages: tuple[Page, ...]) -> tuple[Any, str, bool, bool]:
    """`(body, title, filters hidden, tabs hidden)` of a path."""
    page, _, rest = (path or "").removeprefix(PREFIX).strip("/").partition("/")
    if page == "profile" and not rest:
        return layout.profile(current_person().name, _facts()), "Profile", True, True
    found = next((one for one in pages if one.key == page and not rest), None)
    if found and found.is_for(current_scope()):
        return found.draw(), found.label, True, True
    if (page, rest) == ("analytics", "budgets"):
        return budgets.page(), "Analytics", True, False
    try:
        if page == "analytics":
            return layout.analytics(tab(rest or TABS[0].key)), "Analytics", False, False
    except Unknown:
        pass
    return layout.nowhere(path or ""), "Not found", True, True


def _facts() -> list[tuple[str, str]]:
    person = current_person()
    return [
        ("Id", hover_text(person.id, person.scope.ids_by_person) or person.id),
        ("E-mail", person.email or "–"),
        ("You see", REACH[person.scope.reach]),
        ("Projects you administer", ", ".join(sorted(person.scope.projects)) or "–"),
        ("Projects you use", ", ".join(names(person.claims.get("applications"))) or "–"),
    ]


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
    here = path.removeprefix(f"{PREFIX}analytics").strip("/") or TABS[0].key
    return "tab-link" + (" active" if place == here else "")
