"""The public price book, to look into: what it says of models at a moment, and which price holds.

It is the installed release of genai-prices, and changes when that is upgraded: for calls that
arrive from then on. What is stored keeps its cost until somebody re-prices it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any, Final

from genai_prices.data_snapshot import get_snapshot

from data.errors import Refused
from data.events import EARLIEST, LATEST, micros
from data.price_book import PUBLIC, PriceBook
from data.price_entries import Entry
from data.price_list import refuse
from data.prices import Rates, Steps
from data.scope import Scope

RELEASE: Final = f"genai-prices {version('genai-prices')}"
MOST: Final = 200
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model costs at a moment: `steps` by length of prompt, None where it has no price;
    `entry` is the own price that holds instead of the public one."""

    provider: str | None
    model: str
    steps: Steps | None
    entry: Entry | None = None

    @property
    def rates(self) -> Rates | None:
        return self.steps[0][1] if self.steps else None

    @property
    def dearer(self) -> int | None:
        """The length of prompt above which it costs more."""
        return self.steps[1][0] if self.steps and len(self.steps) > 1 else None

    def said(self) -> dict[str, Any]:
        """As JSON says it: US dollars per million tokens, exact, as text."""
        rates = self.rates
        told = {"provider": self.provider, "model": self.model, "dearer_above": self.dearer}
        source = f"own price {self.entry.id}" if self.entry else RELEASE
        return told | {"source": source, "rates": rates and dollars(rates)}


def dollars(rates: Rates) -> dict[str, str]:
    """US dollars per million tokens, and per request."""
    names = ("input", "cached_input", "cache_write", "output")
    told = {name: f"{(getattr(rates, name) / 1_000).normalize():f}" for name in names}
    return told | {"request": f"{(rates.request / 1_000_000_000).normalize():f}"}


def search(scope: Scope, text: str, at: datetime) -> tuple[list[Quote], int]:
    """Models of the public book whose provider or name has every word, and how many there are."""
    refuse(scope)
    words = text[:LONGEST].casefold().split()
    named = [(one.id, model.id) for one in get_snapshot().providers for model in one.models]
    found = [pair for pair in named if all(word in "/".join(pair).casefold() for word in words)]
    ts = micros(at)
    quotes = [Quote(one, model, PUBLIC.steps(one, model, ts)) for one, model in found[:MOST]]
    return quotes, len(found)


def quote(scope: Scope, book: PriceBook, provider: str, model: str, at: datetime) -> Quote:
    """The price that a call of a model has at a moment, whoever says so."""
    refuse(scope)
    who, name, ts = provider.strip()[:LONGEST] or None, model.strip()[:LONGEST], micros(at)
    return Quote(who, name, book.steps(who, name, ts), book.holding(who, name, ts))


def noon(text: str, now: datetime) -> datetime:
    """The noon (UTC) of a day, `now` where none is named; raises `Refused`."""
    if not text.strip():
        return now
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise Refused("at", f"{text[:40]!r} is no date like 2026-11-01") from None
    if not EARLIEST.year <= day.year < LATEST.year:
        raise Refused("at", "the day lies outside the years 2000 to 2099")
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
