"""Who is whom, as a page: the aliases there are, and ids that look like the same person's."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.page.cards import GRID
from components.page.tables import SHOWN
from components.page.values import tip
from data.people.table import Kept
from data.query.units import COUNT, moment

Row = dict[str, Any]
NOBODY: Final = "Everybody has one id: nothing is merged."
NO_HINTS: Final = "No other ids look like the same person's."
PEOPLE_COLUMNS: Final = (
    ("name", "Person"), ("person", "Id"), ("alias", "Also known as"), ("events", "Events"),
    ("who", "Said by"), ("when", "When"),
)  # fmt: skip
HINT_COLUMNS: Final = (
    ("alias", "This id"), ("events", "Events"), ("person", "May be"),
    ("theirs", "Events of theirs"), ("why", "Why"),
)  # fmt: skip
NUMBERS: Final = ("events", "theirs")
NUMBER_COLUMN: Final = {"type": "rightAligned", "valueFormatter": {"function": "shown(params)"}}
LABELS: Final = {"alias": "Id to merge", "person": "Person it belongs to"}
PARTS: Final = {
    "people": (ids.PEOPLE, ids.PEOPLE_SAID), "hints": (ids.HINTS, ids.HINTS_SAID),
}  # fmt: skip
ROWS: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    "domLayout": "autoHeight",
}


def page() -> html.Div:
    """The page, empty: a callback fills both tables."""
    return html.Div(
        [
            dcc.Store(id=ids.PEOPLE_CHANGED),
            html.Datalist(id=ids.PEOPLE_OFFERED),
            _card(
                "people", "One person, several ids",
                "Events of an id below read as the person's, everywhere, until it is removed.",
                [_button(ids.PEOPLE_REMOVE, "Remove")], PEOPLE_COLUMNS, _form(),
            ),
            _card(
                "hints", "Suggestions",
                "Ids that look alike. Names and addresses prove nothing: you decide.",
                [_button(ids.HINT_ACCEPT, "Accept"), _button(ids.HINT_DISMISS, "Dismiss")],
                HINT_COLUMNS,
            ),
        ],
        className="budgets-page people-page", **ids.testid("people"),
    )  # fmt: skip


def _card(
    key: str, title: str, help_: str, tools: list[Any], columns: Any, *more: Any
) -> html.Section:
    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    table, said = PARTS[key]
    return html.Section(
        [
            html.Header([head, html.Div(tools, className="tools")], className="card-head"),
            *more,
            html.P(id=said, className="budgets-said", role="status", **ids.testid("state")),
            html.Div(_grid(table, columns), className="budgets-grid", **ids.testid("table")),
        ],
        className="card-section", **ids.testid(f"section-{key}"), **{"aria-label": title},
    )  # fmt: skip


def _button(key: str, label: str) -> html.Button:
    return html.Button(label, id=key, className="quiet", disabled=True, **ids.testid(key))


def _form() -> html.Div:
    """Two ids and a button; Enter in either field is the button too."""
    fields = [
        html.Label([html.Span(label), _field(name)], className="control",
                   **ids.testid(f"people-{name}"))
        for name, label in LABELS.items()
    ]  # fmt: skip
    add = html.Button("Merge", id=ids.PEOPLE_ADD, className="toggle", type="button",
                      **ids.testid(ids.PEOPLE_ADD), **{"aria-pressed": "true"})  # fmt: skip
    problem = html.Div(id=ids.PEOPLE_PROBLEM, className="problem", role="alert",
                       **ids.testid(ids.PEOPLE_PROBLEM))  # fmt: skip
    return html.Div([html.Div([*fields, add], className="controls"), problem])


def _field(name: str) -> dbc.Input:
    return dbc.Input(
        id=ids.people_field(name), type="text", value="", size="sm", autocomplete="off",
        list=ids.PEOPLE_OFFERED,
    )  # fmt: skip


def _grid(key: str, columns: tuple[tuple[str, str], ...]) -> dag.AgGrid:
    return dag.AgGrid(
        id=key, columnDefs=[_column(*one) for one in columns], rowData=[], columnSize=None,
        dashGridOptions=GRID | ROWS, className="grid",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip


def _column(field: str, label: str) -> Row:
    return {
        "field": field, "headerName": label, "minWidth": 210 if field == "when" else 110,
        "wrapHeaderText": True,
        "flex": 1 if field in (*NUMBERS, "who") else 2, "tooltipField": f"{field}_tip",
        **(NUMBER_COLUMN if field in NUMBERS else {}),
    }  # fmt: skip


def row(one: Kept, everybody: tuple[str, ...], events: int, zone: str) -> Row:
    """An alias's row; `everybody` are all the ids of its person."""
    told = {
        "name": one.name or one.person, "person": one.person, "alias": one.id, "who": one.who,
        "when": f"{moment(one.at, zone)} {zone}",
    }  # fmt: skip
    tips = {f"{name}_tip": value for name, value in told.items()}
    tips["name_tip"] = str(tip(one.person, {one.person: everybody}))
    return told | tips | _count("events", events)


def hint_row(alias: str, person: str, why: str, events: int, theirs: int) -> Row:
    """A suggestion's row."""
    told = {"alias": alias, "person": person, "why": why}
    tips = {f"{name}_tip": value for name, value in told.items()}
    return told | tips | _count("events", events) | _count("theirs", theirs)


def _count(name: str, value: int) -> Row:
    return {name: value, f"{name}{SHOWN}": COUNT.text(value)}
