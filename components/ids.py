"""Every id of the page, so that none is a bare string twice."""

from __future__ import annotations

import json
from typing import Any, Final

from dash import ALL, MATCH

URL: Final = "url"
APP: Final = "app"
ZONE: Final = "browser-zone"
FILTER_STATE: Final = "question"
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
COMPARE: Final = "filter-compare"
COMPARE_FROM: Final = "filter-compare-from"
COMPARE_TO: Final = "filter-compare-to"
COMPARE_BOX: Final = "filter-compare-box"
COMPARED: Final = "filter-compared"
TIME: Final = "time-menu"
TIME_CHOSEN: Final = "time-chosen"
TIME_BEFORE: Final = "time-before"
TIME_AFTER: Final = "time-after"
TZ: Final = "filter-tz"
ZONES: Final = "zones"
ME: Final = "filter-me"
CLEAR: Final = "filter-clear"
RESET: Final = "filter-reset"
SHEET: Final = "filter-sheet"
COPY: Final = "copy-view"
FILTER_COUNT: Final = "filter-count"
AUTO_REFRESH: Final = "auto-refresh"
REFRESH: Final = "refresh"
LAST_EVENTS: Final = "last-events"
PROBLEM: Final = "filter-problem"
WINDOW: Final = "filter-window"
CHIPS: Final = "filter-chips"
NOTICE: Final = "filter-notice"
MORE: Final = "filter-more-drawer"
MORE_BUTTON: Final = "filter-more-button"
EVENTS: Final = "events-drawer"
EVENTS_BODY: Final = "events-body"
EVENTS_TITLE: Final = "events-title"
EVENTS_GRID: Final = "events-grid"
EVENTS_REQUEST: Final = "events-asked"
RECENT: Final = "recent"
SETTINGS_CHANGED: Final = "settings-changed"
BUDGETS_AT_RISK: Final = "budgets-at-risk"
MORE_COUNT: Final = "filter-more-count"
DRILL: Final = "drill"
EVENTS_OF: Final = "events-of"
EVENTS_FILE: Final = "events-file"
REMOVED_CHIPS: Final = "taken-back"
ALL_MODES: Final = "view-mode"
INITIALS: Final = "profile-initials"
VIEWING: Final = "viewing"
VIEWING_TEXT: Final = "viewing-text"
VIEWING_STOP: Final = "viewing-stop"
VIEWING_BEGUN: Final = "viewing-begun"
NAME: Final = "profile-name"
TAB: Final = "tab"

FIRST_VISIT: Final = "first-visit"
FIRST_VISIT_ENDED: Final = "first-visit-ended"
SPENDING: Final = "your-spending"
BUDGET_CHOSEN: Final = "budget-chosen"
BUDGET_SHOW: Final = "budget-show"
BUDGET_LINK: Final = "budget-link"
PRICE_PREVIEW: Final = "price-preview"
PRICE_PROJECTS: Final = "price-projects"
PRICE_PROJECTS_BOX: Final = "price-projects-box"
PRICE_CHANGES: Final = "price-changes"

Id = dict[str, Any]


def card(section: Any = MATCH) -> Id:
    """The card of a section, or its band of numbers."""
    return {"card": section}


def pick(field: Any = MATCH) -> Id:
    """The multi-select of a field."""
    return {"pick": field}


def inactive(field: Any = MATCH) -> Id:
    """What is chosen of a field and has no activity under the present filters."""
    return {"pick": field, "of": "quiet"}


def operator(field: Any) -> Id:
    """Whether what is chosen of a field is kept, left out, or a text within it."""
    return {"pick": field, "of": "operator"}


def contained(field: Any) -> Id:
    """The text that values of a field are to contain."""
    return {"pick": field, "of": "text"}


def link(place: Any) -> Id:
    """A link that carries the filters along: a tab or a page of the settings."""
    return {"link": place}


def testid(name: str) -> dict[str, str]:
    """The attribute by which scripts and tests find an element."""
    return {"data-testid": name}


def dom(key: Id) -> str:
    """An id of several names as the browser's document has it."""
    return json.dumps(key, sort_keys=True, separators=(",", ":"))


def nav(page: Any) -> Id:
    """The place of a link to a settings page, which is hidden from whom the page is not for."""
    return {"nav": page}


def resource(name: str, key: Any = MATCH) -> Id:
    """A part that the card of every settings resource has: `card`, `table`, `state`, `confirm`…"""
    return {"part": name, "resource": key}


def resource_extra(name: str, key: Any = MATCH, of: Any = "form") -> Id:
    """A part that only some of them have, as `drawer`; it is found with `of=ALL`, where there is
    none, too."""
    return {"of": of, "part": name, "resource": key}


def resource_button(name: Any = ALL, key: Any = MATCH) -> Id:
    """A button of the card."""
    return {"button": name, "resource": key}


def resource_find(name: Any = ALL, key: Any = MATCH) -> Id:
    """A field that narrows the table."""
    return {"find": name, "resource": key}


def resource_field(what: str, name: Any = ALL, key: Any = MATCH) -> Id:
    """A part of a field of the form: its `field` or `choice` (the control), `box`, `label`,
    `problem`, `offered`; of a card that is one record its `entry` or `live` control, and `wrong`.
    The empty name is the whole form's."""
    return {what: name, "resource": key}


# Where the browser has what the reader prefers, whichever page is shown.
PREFERRED: Final = resource_extra("record", "preferences")
