"""Settings → Prices: the public price book, to look into, and which price a model has."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from components.settings.price_rows import SHORT, in_price, priced
from components.settings.resource import Card, Column, Field, Row, pair, pairs
from data.prices.search import MOST, Quote, dollars
from data.query.units import DASH

RATED: Final = ("input", "cached_input", "cache_write", "output")
CARD: Final = Card(
    "public", "public price", "Public prices",
    "List prices of the release that holds on a day, in US dollars per million tokens.",
    columns=(
        Column("provider", "Provider"), Column("model", "Model", 180),
        Column("input", "Input", number=True), Column("cached_input", "Cached input", number=True),
        Column("cache_write", "Cache writes", number=True),
        Column("output", "Output", number=True), Column("dearer", "Dearer above", number=True),
    ),
    empty="",
    search=(
        Field("model", "Model", hint="gpt-4o, or words of its name"),
        Field("provider", "Provider", hint="any"), Field("at", "On (UTC)", "date"),
    ),
)  # fmt: skip


def row(one: Quote) -> Row:
    """A model of the public book."""
    rates = dollars(one.rates) if one.rates else {}
    above = f"{one.dearer:,} tokens" if one.dearer is not None else DASH
    return pairs(provider=one.provider or DASH, model=one.model, dearer=above) | {
        k: v for name in RATED for k, v in _rate(name, rates.get(name)).items()
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


def counted(shown: int, count: int) -> str:
    """What stands above the table."""
    if not count:
        return "No model of the public book is called so."
    more = f"; the first {MOST} are listed, more words narrow it" if count > shown else ""
    return f"{count:,} model{'' if count == 1 else 's'} of the public book{more}."
