"""Settings → Prices: the public price book, to look into, and which price a model has."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from components.settings.cards import Columns, Row, card, pair, table
from components.settings.price_rows import SHORT, in_price, priced
from data.prices.search import MOST, Quote, dollars
from data.query.units import DASH

KEY: Final = "public"
COLUMNS: Final[Columns] = (
    ("provider", "Provider"), ("model", "Model"), ("input", "Input"),
    ("cached_input", "Cached input"), ("cache_write", "Cache writes"), ("output", "Output"),
    ("dearer", "Dearer above"),
)  # fmt: skip
RATED: Final = ("input", "cached_input", "cache_write", "output")
FIELDS: Final = {
    "model": ("Model", "text", "gpt-4o, or words of its name"),
    "provider": ("Provider", "text", "any"),
    "at": ("On (UTC)", "date", ""),
}
HELP: Final = "List prices of the release that holds on a day, in US dollars per million tokens."


def section() -> html.Section:
    """The card, empty: a callback fills it."""
    fields = [
        html.Div([
            html.Label(label, htmlFor=ids.house(f"public-{name}")),
            dbc.Input(id=ids.house(f"public-{name}"), type=kind, value="", placeholder=hint,
                      debounce=0.4, autocomplete="off"),
        ])
        for name, (label, kind, hint) in FIELDS.items()
    ]  # fmt: skip
    found = html.P(id=ids.house("public-found"), className="price-seen", role="status",
                   **ids.testid("public-found"))  # fmt: skip
    return card(KEY, "Public prices", HELP, [],
                [html.Div(fields, className="key-form"), found, *table(KEY, COLUMNS)])  # fmt: skip


def row(one: Quote) -> Row:
    """A model of the public book."""
    told = dollars(one.rates) if one.rates else {}
    above = f"{one.dearer:,} tokens" if one.dearer is not None else DASH
    words = {"provider": one.provider or DASH, "model": one.model, "dearer": above}
    return {
        **{k: v for name, word in words.items() for k, v in pair(name, word, word).items()},
        **{k: v for name in RATED for k, v in _rate(name, told.get(name)).items()},
    }


def _rate(name: str, value: str | None) -> Row:
    return pair(name, value and float(value), DASH if value is None else in_price(Decimal(value)))


def sentence(one: Quote, day: str) -> str:
    """Which price a model has, and who says so."""
    named = f"{one.provider} / {one.model}" if one.provider else one.model
    if one.entry:
        whose = f"own price of “{one.entry.model}” from {one.entry.start} ({priced(one.entry)})"
    else:
        whose = f"public price, {one.release}"
    if one.rates is None:
        return f"{named} has no price on {day}: its calls are unpriced."
    rates = dollars(one.rates)
    shown = [f"{in_price(Decimal(rates[name]))} {SHORT[name]}" for name in RATED]
    shown += [f"{in_price(Decimal(rates['request']))} a request"] if rates["request"] != "0" else []
    more = f", dearer for prompts above {one.dearer:,} tokens" if one.dearer is not None else ""
    return f"{named} on {day}: {' · '.join(shown)}{more}; {whose}."


def told(shown: int, count: int) -> str:
    """What stands above the table."""
    if not count:
        return "No model of the public book is called so."
    more = f"; the first {MOST} are listed, more words narrow it" if count > shown else ""
    return f"{count:,} model{'' if count == 1 else 's'} of the public book{more}."
