"""When: the choice of a window in the header, as one pill with a menu (`assets/time-menu.js`)."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from dash import dcc, html
from dash.development.base_component import Component

from components import ids
from components.controls import SMALL, SMALL_LIST, Input, Select
from components.own import OwnComponent
from components.wiring import Store
from data.local_time import instant, zones
from data.query.filters import Choice
from data.query.windows import DEFAULT_N, DEFAULT_PRESET, PRESETS, Window

# The ranges that are one click away: `(label, what they mean)`, a preset with its N.
QUICK: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("Today", {"preset": "last_n_days", "n": 1}),
    ("Yesterday", {"preset": "yesterday"}),
    ("This week", {"preset": "this_week"}),
    ("This month", {"preset": "this_month"}),
    ("Last 7 days", {"preset": "last_n_days", "n": 7}),
    ("Last 30 days", {"preset": "last_n_days", "n": 30}),
    ("Last 90 days", {"preset": "last_n_days", "n": 90}),
    ("This year", {"preset": "this_year"}),
    ("Everything", {"everything": True}),
)


class TimeMenu(OwnComponent):
    """`children` are the controls of the pill and the zone's, `quick` the ranges to click, `choice`
    what is chosen: `preset`, `n`, `from`, `to`, `label`."""

    _type: ClassVar[str] = "TimeMenu"
    _prop_names: ClassVar[list[str]] = ["id", "children", "quick", "choice"]
    available_properties: ClassVar[list[str]] = _prop_names

    def __init__(self, *children: Component) -> None:
        self.id, self.children = ids.TIME, list(children)
        self.quick = [{"label": label, "means": means} for label, means in QUICK]
        self.choice: dict[str, Any] = {}


def build() -> TimeMenu:
    """The pill and its menu."""
    return TimeMenu(_pill(), _zone())


def _pill() -> html.Div:
    preset = Select(
        id=ids.PRESET, value=DEFAULT_PRESET, className=SMALL_LIST,
        options=[{"value": key, "label": label} for key, label in PRESETS.items()],
    )  # fmt: skip
    number = Input(
        id=ids.N, inputMode="numeric", debounce=400,
        value=str(DEFAULT_N[DEFAULT_PRESET]), maxLength=8, autoComplete="off", className=SMALL,
    )  # fmt: skip
    return html.Div(
        [
            labelled("filter-preset", "Time", preset),
            html.Span(id=ids.TIME_BEFORE, className="time-word"),
            html.Div(labelled("filter-n", "How many", number), id=ids.N_BOX, className="n-box"),
            html.Span(id=ids.TIME_AFTER, className="time-word"),
            html.Div([moment_field("from", "From", ids.FROM), html.Span("→"),
                      moment_field("to", "To", ids.TO)],
                     id=ids.RANGE_BOX, className="range-box", hidden=True),
        ],
        className="time-pill",
    )  # fmt: skip


def labelled(name: str, label: str, control: Any) -> html.Label:
    """A control under its label, found by a test id."""
    return html.Label([html.Span(label), control], className=f"control {name}", **ids.testid(name))


def moment_field(name: str, label: str, key: str) -> html.Label:
    """A native date-and-time field: no weight, keyboard and touch for free."""
    field = Input(id=key, type="datetime-local", step=60, debounce=400, className=SMALL)
    return labelled(f"filter-{name}", label, field)


def _zone() -> html.Div:
    """The list of zones, and what it offers once it is opened (assets/filter-bar.js)."""
    picker = dcc.Dropdown(
        id=ids.TZ, options=[], placeholder="Time zone", className="picker",
        clearable=True, maxHeight=280, optionHeight=30,
    )  # fmt: skip
    return html.Div(
        [html.Span("Time zone"), html.Div(picker, className="picker-place"),
         Store(id=ids.ZONES, data=sorted(zones()))],
        className="zone", **ids.testid("filter-zone"),
    )  # fmt: skip


def zone_label(window: Window) -> str:
    """`Europe/Berlin · UTC+1`, as at the end of the window."""
    east = instant(window.end, window.zone).strftime("%z")
    hours, minutes = int(east[:3]), east[3:5]
    offset = f"UTC{hours:+d}" if hours or minutes != "00" else "UTC"
    return f"{window.zone} · {offset}" + (f":{minutes}" if minutes != "00" else "")


def words(window: Window) -> tuple[str, str]:
    """What stands before and after N: `Last`, `days`; a range has its fields below."""
    before, _, after = PRESETS[window.preset].partition(" N ")
    return before, after


def label(window: Window) -> str:
    """`Last 7 days`, `Today`, `Custom range`."""
    if (window.preset, window.n) == ("last_n_days", 1):
        return "Today"
    return PRESETS[window.preset].replace(" N ", f" {window.n} ")


def shown(window: Window, choice: Choice, local: tuple[str, str]) -> dict[str, Any]:
    """What the menu is told: the choice, and the window as date-and-time fields have it."""
    start, end = local
    return {
        "preset": window.preset, "n": window.n, "from": start, "to": end,
        "label": label(window), "zone": window.zone, "ownZone": "tz" in choice,
    }  # fmt: skip
