"""What a reader chose on cards, as an address says it: chart or table, measure and breakdown, and
whether a table over time is in its long form.

`mode=table` is of all cards, `view=cost-over-time.tokens.model.table.long` of one; what is blank
is as declared. `assets/view.js` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

from components.page.pivot import pivots
from components.sections.declared import SECTIONS
from components.sections.section import Section

MODES: Final = ("chart", "table")
LONG: Final = "long"
VIEW: Final = "view"
MODE: Final = "mode"


class View(NamedTuple):
    """What is chosen on one card; empty is as declared."""

    measure: str = ""
    by: str = ""
    mode: str = ""
    form: str = ""


AS_DECLARED: Final = View()


def views(search: str | None) -> Mapping[str, View]:
    """What an address says of each section; what a section does not offer is not chosen."""
    views = _parameters(search).get(VIEW, [])
    parts = (one.split(".") for one in views)
    return {key: _offered(SECTIONS[key], *chosen[:4]) for key, *chosen in parts if key in SECTIONS}


def kept(search: str | None) -> list[tuple[str, str]]:
    """The part of an address that says so, cleaned and in one order: names and values."""
    mode = _parameters(search).get(MODE, [""])[-1]
    of_all = [(MODE, mode)] if mode in MODES else []
    spelled = {key: ".".join((key, *one)).rstrip(".") for key, one in views(search).items()}
    return of_all + [(VIEW, text) for key, text in sorted(spelled.items()) if text != key]


def _parameters(search: Any) -> dict[str, list[str]]:
    """The names and values of a query string that a browser sent."""
    return parse_qs(search.lstrip("?")) if isinstance(search, str) else {}


def _offered(one: Section, measure: str = "", by: str = "", mode: str = "", form: str = "") -> View:
    return View(
        measure if measure in one.shape.choices(one.measures) else "",
        by if by in one.by else "",
        mode if mode in MODES else "",
        form if form == LONG and pivots(one.shape.dimensions((*one.by, "")[0])) else "",
    )
