"""Every id of the page, so that none is a bare string twice."""

from __future__ import annotations

from typing import Any, Final

from dash import MATCH

URL: Final = "url"
APP: Final = "app"
ZONE: Final = "browser-zone"
QUESTION: Final = "question"
MODES: Final = "modes"
THEME: Final = "theme-choice"
THEME_BUTTON: Final = "theme-button"
BODY: Final = "page-body"
FILTER_BAR: Final = "filter-bar"
TITLE: Final = "page-title"

PRESET: Final = "filter-preset"
N: Final = "filter-n"
N_BOX: Final = "filter-n-box"
FROM: Final = "filter-from"
TO: Final = "filter-to"
RANGE_BOX: Final = "filter-range-box"
TZ: Final = "filter-tz"
ME: Final = "filter-me"
CLEAR: Final = "filter-clear"
REFRESH: Final = "refresh"
PROBLEM: Final = "filter-problem"
WINDOW: Final = "filter-window"
CHIPS: Final = "filter-chips"
NOTICE: Final = "filter-notice"
ALL_MODES: Final = "view-mode"
INITIALS: Final = "profile-initials"
NAME: Final = "profile-name"
TAB: Final = "tab"

Id = dict[str, Any]


def part(name: str, section: Any = MATCH) -> Id:
    """A part of a section: `chart`, `table`, `by`, `measure`, `state`, `export`…"""
    return {"part": name, "section": section}


def pick(field: Any = MATCH) -> Id:
    """The multi-select of a field."""
    return {"pick": field}


def chip(field: Any, value: Any) -> Id:
    """The button that removes one value (or the window) from the filters."""
    return {"chip": field, "value": value}


def link(place: Any) -> Id:
    """A link that carries the filters along: a tab or a page of the settings."""
    return {"link": place}


def band(name: str, section: Any = MATCH) -> Id:
    """A part of a band of headline numbers: its `card` or `state`."""
    return {"band": name, "section": section}


def headline(what: str, metric: Any, section: Any = MATCH) -> Id:
    """A piece of a headline number: its `value` or `change`."""
    return {"headline": what, "metric": metric, "section": section}


def testid(name: str) -> dict[str, str]:
    """The attribute by which scripts and tests find an element."""
    return {"data-testid": name}
