"""The head of a page about one user, project, model or assistant: what it is, and since when."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from components import ids
from components.sections.declared import PAGES, page_path
from components.sections.section import Tab
from data.query.catalog import DIMENSIONS
from data.query.facts import Facts
from data.query.units import moment


def head(tab: Tab, facts: Facts, zone: str, more: Sequence[tuple[str, str]] = ()) -> html.Div:
    """`more` is what else is known of it, by label."""
    several = [("Other ids", ", ".join(facts.ids[1:]))] if facts.ids[1:] else []
    known = [("Id", facts.value)] if facts.value != facts.name else []
    dates = [("First activity", moment(facts.first, zone)), ("Latest", moment(facts.last, zone))]
    rows = [
        html.Div([html.Dt(label), html.Dd(text)])
        for label, text in (*known, *several, *dates, *more)
    ]
    return html.Div(
        [way_back(tab.title, f"/settings/analytics/{tab.key}"), html.H2(facts.name), html.Dl(rows)],
        className="about-head", **ids.testid("about"),
        **{"data-name": facts.name, "data-kind": DIMENSIONS[facts.field].label},
    )  # fmt: skip


def way_back(title: str, path: str) -> html.A:
    """To what a page belongs to; the filters go along (assets/pages.js)."""
    return html.A(title, href=path, className="way-back", **{"data-turn": ""})


def name_link(field: str, value: str, name: str) -> html.A | str:
    """A name, as the way to its page where it has one."""
    if field not in PAGES:
        return name
    return html.A(name, href=page_path(field, value), **{"data-turn": field})
