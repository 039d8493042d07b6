"""Settings → Prices: models without a price, the organisation's own prices, re-pricings."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
from dash import dcc, html

from components import ids
from components.page.cards import GRID
from components.settings import public_prices, public_releases
from components.settings.price_form import form

Row = dict[str, Any]
Columns = tuple[tuple[str, str], ...]
UNPRICED: Final[Columns] = (
    ("model", "Model"), ("provider", "Provider"), ("requests", "Calls"), ("tokens", "Tokens"),
    ("first", "First"), ("last", "Last"),
)  # fmt: skip
OWN: Final[Columns] = (
    ("model", "Model"), ("provider", "Provider"), ("from", "From"), ("price", "Price"),
    ("note", "Note"), ("by", "Set by"),
)  # fmt: skip
DONE: Final[Columns] = (
    ("at", "When"), ("by", "Who"), ("what", "What"), ("events", "Calls"), ("before", "Before"),
    ("after", "After"), ("state", "State"),
)  # fmt: skip
CARDS: Final = (
    ("unpriced", "Without a price",
     "Models whose calls cost an unknown amount. Choose one to set its price.",
     {ids.PRICE_SET: "Set a price…"}, UNPRICED),
    ("prices", "Own prices",
     "On top of the public price book. The closest name wins, of equals the latest begun.",
     {ids.PRICE_NEW: "New price", ids.PRICE_EDIT: "Edit", ids.PRICE_DELETE: "Delete"}, OWN),
    ("repricings", "Re-pricings",
     "What was changed in stored calls. Reported costs are never among it.",
     {ids.PRICE_HISTORY: "Re-price history…", ids.PRICE_UNDO: "Undo"}, DONE),
)  # fmt: skip
EMPTY: Final = {
    "unpriced": "Every call that used tokens has a price.",
    "prices": "There are none: the public prices hold for every model.",
    "repricings": "Nothing was re-priced yet.",
}
ALWAYS_THERE: Final = (ids.PRICE_NEW, ids.PRICE_HISTORY)
WIDE: Final = {"model": 2, "price": 3, "note": 2, "what": 3, "at": 2, "by": 1}
WIDTHS: Final = {"model": 150, "price": 220, "what": 220, "at": 180, "note": 120, "state": 170,
                 "from": 112, "first": 112, "last": 112}  # fmt: skip
NUMBERS: Final = ("requests", "tokens", "events", "before", "after")


def page() -> html.Div:
    """The page, empty: callbacks fill the tables."""
    return html.Div(
        [
            dcc.Store(id=ids.PRICES_CHANGED), dcc.Store(id=ids.PRICE_EDITED),
            dcc.Store(id=ids.PRICE_PREVIEWED),
            dcc.ConfirmDialog(id=ids.PRICE_CONFIRM), dcc.ConfirmDialog(id=ids.PRICE_UNDO_CONFIRM),
            *(_card(*one) for one in CARDS),
            public_prices.section(), public_releases.section(),
            form(),
        ],
        className="sections budgets-page settings-page prices-page",
    )  # fmt: skip


def _card(
    key: str, title: str, help_: str, buttons: dict[str, str], columns: Columns
) -> html.Section:
    head = html.Div([html.H2(title), html.Span(help_, className="help")])
    tools = [
        html.Button(label, id=one, className="quiet", disabled=one not in ALWAYS_THERE,
                    **ids.testid(one))
        for one, label in buttons.items()
    ]  # fmt: skip
    return html.Section(
        [
            html.Header([head, html.Div(tools, className="tools")], className="card-head"),
            html.P(id=ids.price_part("said", key), className="budgets-said", role="status",
                   **ids.testid("state")),
            html.Div(_grid(key, columns), className="budgets-grid", **ids.testid("table")),
        ],
        id=ids.price_part("card", key), className="card-section",
        **ids.testid(f"section-{key}"), **{"aria-label": title, "data-state": "loading"},
    )  # fmt: skip


def _grid(key: str, columns: Columns) -> dag.AgGrid:
    options = {
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
        "domLayout": "autoHeight",
    }
    return dag.AgGrid(
        id=ids.price_part("table", key), columnDefs=[_column(*one) for one in columns],
        rowData=[], columnSize=None, dashGridOptions=GRID | options, className="grid",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip


def _column(field: str, label: str) -> Row:
    column: Row = {
        "field": field, "headerName": label, "minWidth": WIDTHS.get(field, 100),
        "flex": WIDE.get(field, 1), "wrapHeaderText": True,
        "valueFormatter": {"function": "shown(params)"}, "tooltipField": f"{field}_text",
    }  # fmt: skip
    return column | ({"type": "rightAligned"} if field in NUMBERS else {})
