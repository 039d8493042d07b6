"""What Settings → Data and Settings → Ingest share: a card with a table that a callback fills."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
from dash import html

from components import ids
from components.page.cards import GRID

Row = dict[str, Any]
Columns = tuple[tuple[str, str], ...]
SELECTED: Final[Row] = {
    "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
    "domLayout": "autoHeight",
}
NUMBERS: Final = frozenset(
    {
        "events",
        "read",
        "accepted",
        "duplicates",
        "rejected",
        "unpriced",
        "tokens",
        "input",
        "cached_input",
        "cache_write",
        "output",
        "dearer",
        "models",
        "added",
        "changed",
    }
)
WIDTHS: Final = {"last": 170, "what": 180, "name": 150, "who": 130, "way": 130, "used": 170,
                 "created": 170, "last_event": 170, "last_import": 170, "model": 180,
          "from": 124}  # fmt: skip


def card(
    key: str, title: str, help_: str, tools: list[Any], body: list[Any], state: str = "loading"
) -> html.Section:
    """A card; `body` stands under its head. One that waits for no table is `ready`."""
    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    return html.Section(
        [html.Header([head, html.Div(tools, className="tools")], className="card-head"), *body],
        id=ids.house(f"{key}-card"), className="card-section",
        **ids.testid(f"section-{key}"), **{"aria-label": title, "data-state": state},
    )  # fmt: skip


def table(key: str, columns: Columns) -> list[Any]:
    """What a table says beside its rows, and the table, empty."""
    said = html.P(id=ids.house(f"{key}-said"), className="budgets-said", role="status",
                  **ids.testid("state"))  # fmt: skip
    grid = dag.AgGrid(
        id=ids.house(f"{key}-table"), columnDefs=[_column(*one) for one in columns], rowData=[],
        columnSize=None, dashGridOptions=GRID | SELECTED, className="grid",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip
    return [said, html.Div(grid, className="budgets-grid", **ids.testid("table"))]


def _column(field: str, label: str) -> Row:
    column: Row = {
        "field": field, "headerName": label, "minWidth": WIDTHS.get(field, 104), "flex": 1,
        "wrapHeaderText": True, "headerTooltip": label, "tooltipField": f"{field}_text",
        "valueFormatter": {"function": "shown(params)"},
    }  # fmt: skip
    return column | ({"type": "rightAligned"} if field in NUMBERS else {})


def button(key: str, label: str, **more: Any) -> html.Button:
    """A quiet button of a card."""
    return html.Button(label, id=ids.house(key), className="quiet", **more, **ids.testid(key))


def pair(field: str, value: Any, text: str) -> Row:
    """A value to sort by and how it reads."""
    return {field: value, f"{field}_text": text}
