"""The form of a price: for which models, how much, and what it changes before it does."""

from __future__ import annotations

from typing import Any, Final

import dash_ag_grid as dag
from dash import html

from components import ids
from components.page.cards import GRID
from components.settings.resource import Field, Form
from data.prices.entries import RATES

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
RATE_HINTS: Final = {"cached_input": "as input", "cache_write": "as input"}
OF_KIND: Final = {"rates": tuple(RATES), "alias": ("alias", "discount"), "public": ("discount",)}
OF_PRICE: Final = ("model", "provider", "from", "kind", *RATES, "alias", "discount", "note")
CHANGES: Final = (
    ("project", "Project"), ("events", "Calls"), ("before", "Before"), ("after", "After"),
)  # fmt: skip


def _preview_button() -> list[Any]:
    return [html.Button("Preview", id=ids.PRICE_PREVIEW, className="toggle",
                        **ids.testid(ids.PRICE_PREVIEW), **{"aria-pressed": "false"})]  # fmt: skip


def _preview() -> list[Any]:
    """What a preview says: of all projects together, and one by one."""
    whole = html.P(id=ids.PRICE_CHANGES, className="price-seen", role="status",
                   **ids.testid("price-seen"))  # fmt: skip
    return [whole, html.Div(_projects(), id=ids.PRICE_PROJECTS_BOX, hidden=True)]


def _projects() -> dag.AgGrid:
    columns = [
        {"field": field, "headerName": label, "flex": 2 if field == "project" else 1,
         "minWidth": 70, "valueFormatter": {"function": "shown(params)"},
         "tooltipField": f"{field}_text"}
        | ({} if field == "project" else {"type": "rightAligned"})
        for field, label in CHANGES
    ]  # fmt: skip
    return dag.AgGrid(
        id=ids.PRICE_PROJECTS, columnDefs=columns, rowData=[], columnSize=None, className="grid",
        dashGridOptions=GRID | {"pagination": False, "domLayout": "autoHeight"},
        defaultColDef={"sortable": True, "suppressHeaderMenuButton": True},
        style={"width": "100%"},
    )  # fmt: skip


def _rate(name: str, label: str) -> Field:
    unit = "($)" if name == "request" else "($ per million)"
    return Field(name, f"{label} {unit}", "decimal", RATE_HINTS.get(name, ""), class_name="rate")


FORM: Final = Form(
    fields=(
        Field("model", "Model, or a pattern like our-*"),
        Field("provider", "Provider (empty: any)", hint="any"),
        Field("from", "Holds from (UTC)", "date"),
        Field("kind", "The price", "choice", options=KINDS, initial="rates"),
        *(_rate(name, label) for name, label in RATES.items()),
        Field("alias", "As the public price of", hint="openai/gpt-4o"),
        Field("discount", "Discount off the public price (%)", "decimal"),
        Field("note", "Note (optional)"),
        Field("what", "Calls that are stored already", "choice", options=WHATS, initial="unpriced"),
        Field("since", "Re-price from (UTC)", "date"),
        Field("until", "Up to and with (optional)", "date"),
    ),
    save="Apply", save_key="price-apply", drawer="New price", class_name="price-form",
    previewed=True, buttons=_preview_button, more=_preview,
)  # fmt: skip


def hidden(kind: Any, what: Any, entry: bool) -> set[str]:
    """The fields that are not asked for; without an entry it is a re-pricing of everything by the
    present book."""
    priced = {*OF_KIND["rates"], "alias", "discount"}
    gone = priced - set(OF_KIND.get(str(kind), ())) if entry else set(OF_PRICE)
    return gone if what == "history" else gone | {"since", "until"}
