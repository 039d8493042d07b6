"""Settings → Prices: models without a price, the organisation's own prices, re-pricings."""

from __future__ import annotations

from typing import Final

from components.settings.price_form import FORM
from components.settings.resource import Button, Card, Column

UNPRICED: Final = Card(
    "unpriced", "model", "Without a price",
    "Models whose calls cost an unknown amount. Choose one to set its price.",
    columns=(
        Column("model", "Model", 150, 2), Column("provider", "Provider", 100),
        Column("requests", "Calls", 100, number=True), Column("tokens", "Tokens", 100, number=True),
        Column("first", "First", 112), Column("last", "Last", 112),
    ),
    empty="Every call that used tokens has a price.",
    buttons=(Button("price-set", "Set a price…", needs=bool),),
)  # fmt: skip
PRICES: Final = Card(
    "prices", "price", "Own prices",
    "On top of the public price book. The closest name wins, of equals the latest begun.",
    columns=(
        Column("model", "Model", 150, 2), Column("provider", "Provider", 100),
        Column("from", "From", 112), Column("price", "Price", 220, 3),
        Column("note", "Note", 120, 2), Column("by", "Set by", 100),
    ),
    empty="There are none: the public prices hold for every model.",
    buttons=(
        Button("price-new", "New price"), Button("price-edit", "Edit", needs=bool),
        Button("price-delete", "Delete", needs=bool,
               confirm=lambda row: f"Delete the price of “{row['model']}” from {row['from']}?"
                                   " Stored calls keep their cost."),
    ),
    form=FORM,
)  # fmt: skip
REPRICINGS: Final = Card(
    "repricings", "re-pricing", "Re-pricings",
    "What was changed in stored calls. Reported costs are never among it.",
    columns=(
        Column("at", "When", 180, 2), Column("by", "Who", 100), Column("what", "What", 220, 3),
        Column("events", "Calls", 100, number=True), Column("before", "Before", 100, number=True),
        Column("after", "After", 100, number=True), Column("state", "State", 170),
    ),
    empty="Nothing was re-priced yet.",
    buttons=(
        Button("price-history", "Re-price history…"),
        Button("price-undo", "Undo", needs=lambda row: not row["undone"],
               confirm=lambda row: f"Undo “{row['what']}”? {row['events_text']} calls get back what"
                                   " they cost before."),
    ),
)  # fmt: skip
