"""Settings → Prices: models without a price, the organisation's own prices, re-pricings."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from components.settings.price_form import FORM
from components.settings.resource import Button, Card, Column
from data.local_time import instant
from data.prices.entries import RATES, Entry
from data.query.units import COUNT, DAY, INSTANT, TOKENS, USD
from data.repricing.log import Repricing

SHORT: Final = {
    "input": "in", "cached_input": "cached", "cache_write": "cache write",
    "cache_write_1h": "cache write 1 h", "output": "out", "input_audio": "audio in",
    "output_audio": "audio out", "input_image": "image in", "output_image": "image out",
    "web_searches": "per 1,000 searches", "request": "a request",
}  # fmt: skip
NOBODY: Final = "(none)"


def price(one: Entry) -> str:
    """`$2 in · $4 out`, `as openai/gpt-4o, −12.5 %`, `public price −10 %`."""
    rates = {name: getattr(one, name) for name in RATES}
    if texts := [f"{rate(r)} {SHORT[name]}" for name, r in rates.items() if r is not None]:
        return " · ".join(texts)
    base = f"as {one.alias}" if one.alias else "public price"
    return f"{base} −{one.discount.normalize():f} %" if one.discount else base


def rate(value: Decimal) -> str:
    """Every digit of a rate, two at least."""
    exact = f"{value.normalize():f}"
    return f"${value:.2f}" if len(exact.partition(".")[2]) < 2 else f"${exact}"


def _what(one: Repricing) -> str:
    whose = f" of {one.entry['model']}" if one.entry else ""
    if one.what == "unpriced":
        return f"Calls without a price{whose}"
    return f"History{whose} from {instant(one.start).date().isoformat()}"


def _state(one: Repricing) -> str:
    if one.reverted_at is not None:
        return f"undone by {one.reverted_by}"
    return "in force" if one.events is not None else "did not finish"


UNPRICED: Final = Card(
    "unpriced", "model", "Without a price",
    "Models whose calls cost an unknown amount. Choose one to set its price.",
    columns=(
        Column("model", "Model", 150, 2, blank=NOBODY),
        Column("provider", "Provider", 100, blank=NOBODY),
        Column("reason", "Why", 150, blank="not known"),
        Column("requests", "Calls", 100, unit=COUNT), Column("tokens", "Tokens", 100, unit=TOKENS),
        Column("first", "First", 112, unit=DAY), Column("last", "Last", 112, unit=DAY),
    ),
    empty="Every call that used tokens has a price.",
    buttons=(Button("price-set", "Set a price…", "new", needs=bool, form="prices"),),
)  # fmt: skip
PRICES: Final = Card(
    "prices", "price", "Own prices",
    "On top of the public price book. The closest name wins, of equals the latest begun.",
    columns=(
        Column("model", "Model", 150, 2), Column("provider", "Provider", 100, blank="any"),
        Column("service_tier", "Tier", 90, blank="any"),
        Column("from", "From", 112, of=lambda one: one.start),
        Column("price", "Price", 220, 3, of=price), Column("note", "Note", 120, 2),
        Column("name", "Set by", 100),
    ),
    empty="There are none: the public prices hold for every model.",
    buttons=(
        Button("price-new", "New price", "new"),
        Button("price-edit", "Edit", "edit", needs=bool, title="Edit price"),
        Button("price-delete", "Delete", "remove", needs=bool,
               confirm=lambda row: f"Delete the price of “{row['model']}” from {row['from']}?"
                                   " Stored calls keep their cost."),
    ),
    form=FORM,
)  # fmt: skip
REPRICINGS: Final = Card(
    "repricings", "re-pricing", "Re-pricings",
    "What was changed in stored calls. Reported costs are never among it.",
    columns=(
        Column("at", "When", 180, 2, INSTANT), Column("name", "Who", 100),
        Column("what", "What", 220, 3, of=_what), Column("events", "Calls", 100, unit=COUNT),
        Column("before", "Before", 100, unit=USD), Column("after", "After", 100, unit=USD),
        Column("state", "State", 170, of=_state),
    ),
    empty="Nothing was re-priced yet.",
    buttons=(
        Button("price-history", "Re-price history…", "new", form="prices"),
        Button("price-undo", "Undo", "remove", needs=lambda row: not row["undone"],
               confirm=lambda row: f"Undo “{row['what']}”? {row['events_text']} calls get back what"
                                   " they cost before."),
    ),
)  # fmt: skip
