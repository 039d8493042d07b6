"""Multi-selects of what there is: people and projects in the bar, the rest in a drawer."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from data.query.catalog import DIMENSIONS
from data.query.filters import MORE_FIELDS, PICKER_FIELDS

INACTIVE: Final = "no activity under the present filters"


def plural(field: str) -> str:
    """`Projects`, `Statuses`: what a picker offers."""
    label = DIMENSIONS[field].label
    return f"{label}es" if label.endswith("s") else f"{label}s"


def picker(field: str, name: str) -> html.Div:
    """The multi-select of a field, found by a test id."""
    several = plural(field)
    chosen = dcc.Dropdown(
        id=ids.pick(field), multi=True, options=[], placeholder=f"All {several.lower()}",
        className="picker", closeOnSelect=False, maxHeight=320, optionHeight=34,
        labels={"select_all": "Select all shown", "deselect_all": "Deselect all"},
    )  # fmt: skip
    # The list's own code comes later than the page: its place is kept.
    place = html.Div(chosen, className="picker-place")
    return html.Div([html.Span(several), place], className="control people", **ids.testid(name))


def more() -> list[Any]:
    """The button with the number of other filters at work, their drawer, and what is inactive."""
    button = html.Button(
        ["More filters", html.Span(id=ids.MORE_COUNT, className="count")], id=ids.MORE_BUTTON,
        className="toggle more", **ids.testid("filter-more"),
        **{"aria-haspopup": "dialog", "aria-label": "More filters"},
    )  # fmt: skip
    drawer = dbc.Offcanvas(
        [picker(field, f"filter-{field}") for field in MORE_FIELDS], id=ids.MORE,
        title="More filters", placement="end", backdrop=False, scrollable=True, is_open=False,
        class_name="more-drawer",
    )  # fmt: skip
    inactive = [dcc.Store(id=ids.inactive(field), data=[]) for field in PICKER_FIELDS]
    return [button, drawer, *inactive]


def muted(option: dict[str, str]) -> dict[str, str]:
    """An option that stays chosen though the other filters leave nothing of it."""
    return option | {"label": f"{option['label']} · {INACTIVE}", "title": INACTIVE.capitalize()}
