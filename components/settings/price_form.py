"""The form of a price: for which models, how much, and what it changes before it does."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.page.cards import GRID
from data.prices.entries import RATES

DOLLARS: Final = {name: f"{label} ($ per million)" for name, label in RATES.items()}
LABELS: Final = {
    "model": "Model, or a pattern like our-*",
    "provider": "Provider (empty: any)",
    "from": "Holds from (UTC)",
    "kind": "The price",
    **DOLLARS,
    "request": "Per request ($)",
    "alias": "As the public price of",
    "discount": "Discount off the public price (%)",
    "note": "Note (optional)",
    "what": "Calls that are stored already",
    "since": "Re-price from (UTC)",
    "until": "Up to and with (optional)",
}
KINDS: Final = {
    "rates": "Rates of our own",
    "alias": "The public price of another model",
    "public": "Its public price, with a discount",
}
WHATS: Final = {
    "unpriced": "Price those without a price",
    "history": "Re-price history from a day on",
    "nothing": "Leave them as they are",
}
CHOICES: Final = {"kind": KINDS, "what": WHATS}
DATES: Final = ("from", "since", "until")
NUMERIC: Final = (*RATES, "discount")
ENTRY: Final = ("model", "provider", "from", "kind", *RATES, "alias", "discount", "note")
OF_KIND: Final = {"rates": tuple(RATES), "alias": ("alias", "discount"), "public": ("discount",)}
PROBLEMS: Final = (*LABELS, "")
BLANK: Final = dict.fromkeys(LABELS, "") | {"kind": "rates", "what": "unpriced"}
HINTS: Final = {
    "alias": "openai/gpt-4o", "cached_input": "as input", "cache_write": "as input",
    "provider": "any",
}  # fmt: skip
SEEN: Final = (
    ("project", "Project"), ("events", "Calls"), ("before", "Before"), ("after", "After"),
)  # fmt: skip


def form() -> dbc.Offcanvas:
    """The form, closed."""
    return dbc.Offcanvas(
        [
            *(_field(name) for name in LABELS),
            _problem(""),
            html.Div(
                [_button(ids.PRICE_PREVIEW, "Preview"), _button(ids.PRICE_APPLY, "Apply")],
                className="price-buttons",
            ),
            html.P(id=ids.PRICE_SEEN, className="price-seen", role="status",
                   **ids.testid("price-seen")),
            html.Div(_projects(), id=ids.PRICE_SEEN_BOX, hidden=True),
        ],
        id=ids.PRICE_FORM, labelledby=ids.PRICE_TITLE,
        title=html.Span("New price", id=ids.PRICE_TITLE), placement="end", is_open=False,
        class_name="budget-form price-form", scrollable=True,
    )  # fmt: skip


def _button(key: str, label: str) -> html.Button:
    return html.Button(
        label, id=key, className="toggle", disabled=key == ids.PRICE_APPLY, **ids.testid(key),
        **{"aria-pressed": "true" if key == ids.PRICE_APPLY else "false"},
    )  # fmt: skip


def _projects() -> dag.AgGrid:
    columns = [
        {"field": field, "headerName": label, "flex": 2 if field == "project" else 1,
         "minWidth": 70, "valueFormatter": {"function": "shown(params)"},
         "tooltipField": f"{field}_text"}
        | ({} if field == "project" else {"type": "rightAligned"})
        for field, label in SEEN
    ]  # fmt: skip
    return dag.AgGrid(
        id=ids.PRICE_PROJECTS, columnDefs=columns, rowData=[], columnSize=None, className="grid",
        dashGridOptions=GRID | {"pagination": False, "domLayout": "autoHeight"},
        defaultColDef={"sortable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip


def _field(name: str) -> html.Div:
    label = html.Label(LABELS[name], htmlFor=ids.price_field(name))
    rate = " rate" if name in RATES else ""
    return html.Div(
        [label, _control(name), _problem(name)], id=ids.price_box(name), className=f"field{rate}",
        hidden=name in ("alias", "discount", "since", "until"),
    )  # fmt: skip


def _control(name: str) -> Any:
    key = ids.price_field(name)
    if name in CHOICES:
        options = [{"value": value, "label": label} for value, label in CHOICES[name].items()]
        return dbc.Select(id=key, value=BLANK[name], options=options)
    return dbc.Input(
        id=key, type="date" if name in DATES else "text", value="", autocomplete="off",
        inputmode="decimal" if name in NUMERIC else "text", placeholder=HINTS.get(name, ""),
    )  # fmt: skip


def _problem(name: str) -> html.Div:
    return html.Div(
        id=ids.price_problem(name), className="problem", role="alert",
        **ids.testid(f"price-problem-{name}"),
    )  # fmt: skip


def shown(kind: Any, what: Any, entry: bool) -> list[bool]:
    """Which boxes are hidden, in the order of `LABELS`; without an entry it is a re-pricing of
    everything by the present book."""
    priced = (*OF_KIND["rates"], "alias", "discount")
    wanted = {"model", "provider", "from", "kind", "note", *OF_KIND.get(str(kind), ())}
    gone = (set(ENTRY) if not entry else set(priced) - wanted) | (
        set() if what == "history" else {"since", "until"}
    )
    return [name in gone for name in LABELS]


def values(said: dict[str, Any]) -> list[str]:
    """What the controls hold, in the order of `LABELS`."""
    return [str(said[name]) if said.get(name) is not None else "" for name in LABELS]
