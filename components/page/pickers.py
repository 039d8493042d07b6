"""Multi-selects of what there is: people and projects in the bar, the rest in a drawer, each with
its operator."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.controls import SMALL, SMALL_LIST, Input, Select
from components.wiring import Store
from data.events.table import ME
from data.query.catalog import DIMENSIONS
from data.query.filters import MORE_FIELDS, NOT, OPERATORS, PICKER_FIELDS

MYSELF: Final = {"value": ME, "label": "Me"}
IS: Final = OPERATORS[""]  # as a select has it, to which nothing is no choice
INACTIVE: Final = "no activity under the present filters"


def plural(field: str) -> str:
    """`Projects`, `Statuses`: what a picker offers."""
    label = DIMENSIONS[field].label
    return f"{label}es" if label.endswith("s") else f"{label}s"


def picker(field: str, name: str) -> html.Div:
    """The multi-select of users or projects, found by a test id; its list has the operator, too
    (assets/picker.js)."""
    several, box = plural(field), {"data-field": field} | ids.testid(name)
    unseen = html.Div(_operator(field, ("", NOT)), className="operator", hidden=True)
    return html.Div([html.Span(several), unseen, _list(field)], className="control people", **box)


def condition(field: str) -> html.Div:
    """A field, its operator, and what it is to be or contain."""
    label = DIMENSIONS[field].label
    text = Input(
        id=ids.contained(field), debounce=500, maxLength=200, autoComplete="off",
        placeholder="Text, or texts, with commas", className=SMALL,
    )  # fmt: skip
    return html.Div(
        [
            html.Span(label),
            html.Label([html.Span(f"{label}: operator"), _operator(field, tuple(OPERATORS))],
                       className="operator"),
            _list(field),
            html.Label([html.Span(f"{label} contains"), text], className="contained"),
        ],
        className="control people condition",
        **{"data-field": field} | ids.testid(f"filter-{field}"),
    )  # fmt: skip


def _operator(field: str, offered: tuple[str, ...]) -> Select:
    options = [{"value": one or IS, "label": OPERATORS[one]} for one in offered]
    return Select(id=ids.operator(field), value=IS, options=options, className=SMALL_LIST)


def _list(field: str) -> html.Div:
    several = plural(field)
    chosen = dcc.Dropdown(
        id=ids.pick(field), multi=True, options=[], placeholder=f"All {several.lower()}",
        className="picker", closeOnSelect=False, maxHeight=320, optionHeight=34,
        labels={"select_all": "Select all found", "deselect_all": "Deselect all",
                "selected_count": "{num_selected}"},
    )  # fmt: skip
    # The list's own code comes later than the page: its place is kept.
    return html.Div(chosen, className="picker-place")


def more() -> list[Any]:
    """The button with the number of other filters at work, their drawer, and what is inactive."""
    button = html.Button(
        ["More filters", html.Span(id=ids.MORE_COUNT, className="count")], id=ids.MORE_BUTTON,
        className="toggle more", title="More filters", **ids.testid("filter-more"),
        **{"aria-haspopup": "dialog", "aria-label": "More filters"},
    )  # fmt: skip
    drawer = dbc.Offcanvas(
        [condition(field) for field in MORE_FIELDS], id=ids.MORE,
        title="More filters", placement="end", backdrop=False, scrollable=True, is_open=False,
        class_name="more-drawer", labelledby=ids.MORE_BUTTON,
    )  # fmt: skip
    inactive = [Store(id=ids.inactive(field), data=[]) for field in PICKER_FIELDS]
    return [button, drawer, *inactive]


def muted(option: dict[str, str]) -> dict[str, str]:
    """An option that stays chosen though the other filters leave nothing of it."""
    return option | {"label": f"{option['label']} · {INACTIVE}", "title": INACTIVE.capitalize()}
