"""The public price book, looked into: what it says of models at a moment, and whose price holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

from data.access.scope import Scope
from data.errors import Refused
from data.events.table import EARLIEST, LATEST, TIERS, micros
from data.prices.book import PriceBook
from data.prices.entries import RATES, UNITS, Entry
from data.prices.own import require_platform_reader
from data.prices.rates import NANO_PER_MTOK, STANDARD, Rates, Steps

MOST: Final = 200
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model costs at a moment: `steps` by length of prompt, None where it has no price;
    `entry` is the own price that holds instead of the public one, of the release of that name;
    `tiers` are the same for the service tiers that have a price of their own."""

    provider: str | None
    model: str
    steps: Steps | None
    release: str
    entry: Entry | None = None
    tiers: Mapping[str, Steps] = field(default_factory=dict)

    @property
    def rates(self) -> Rates | None:
        return self.steps[0][1] if self.steps else None

    @property
    def dearer(self) -> int | None:
        """The length of prompt above which it costs more."""
        return self.steps[1][0] if self.steps and len(self.steps) > 1 else None

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it: US dollars per million tokens, exact, as text."""
        rates = self.rates
        named = {"provider": self.provider, "model": self.model, "dearer_above": self.dearer}
        source = f"own price {self.entry.id}" if self.entry else self.release
        tiers = {tier: dollars(steps[0][1]) for tier, steps in self.tiers.items()}
        return named | {"source": source, "rates": rates and dollars(rates), "tiers": tiers}


def dollars(rates: Rates) -> dict[str, str]:
    """US dollars per million tokens, per thousand searches, and per request; what has no rate of
    its own is left out."""
    own = {name: getattr(rates, name) for name in RATES}
    return {
        name: f"{(rate / UNITS.get(name, NANO_PER_MTOK)).normalize():f}"
        for name, rate in own.items()
        if rate is not None
    }


def search(scope: Scope, book: PriceBook, text: str, at: datetime) -> tuple[list[Quote], int]:
    """Models of the public book whose provider or name has every word, and how many there are."""
    require_platform_reader(scope)
    words, ts, public = text[:LONGEST].casefold().split(), micros(at), PriceBook((), book.public)
    named = book.public.at(ts).models()
    found = [pair for pair in named if all(word in "/".join(pair).casefold() for word in words)]
    return [_quoted(public, one, model, ts) for one, model in found[:MOST]], len(found)


def quote(scope: Scope, book: PriceBook, provider: str, model: str, at: datetime) -> Quote:
    """The price that a call of a model has at a moment, whoever says so."""
    require_platform_reader(scope)
    return _quoted(book, provider.strip()[:LONGEST] or None, model.strip()[:LONGEST], micros(at))


def _quoted(book: PriceBook, provider: str | None, model: str, ts: int) -> Quote:
    stretch = book.public.stretch(provider, model, ts)
    release = stretch.release if stretch else book.public.at(ts)
    entry = book.holding(provider, model, ts)
    by_tier = {tier: book.steps(provider, model, ts, tier) for tier in TIERS if tier != STANDARD}
    tiers = {tier: steps for tier, steps in by_tier.items() if steps}
    return Quote(provider, model, book.steps(provider, model, ts), release.name, entry, tiers)


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
