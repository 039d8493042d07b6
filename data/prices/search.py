"""The public price book, looked into: what it says of models at a moment, and whose price holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from data.access.scope import Scope
from data.errors import Refused
from data.events.table import EARLIEST, LATEST, micros
from data.prices.book import PriceBook
from data.prices.entries import Entry
from data.prices.own import require_platform_admin
from data.prices.rates import Rates, Steps

MOST: Final = 200
LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Quote:
    """What a model costs at a moment: `steps` by length of prompt, None where it has no price;
    `entry` is the own price that holds instead of the public one, of the release of that name."""

    provider: str | None
    model: str
    steps: Steps | None
    release: str
    entry: Entry | None = None

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
        told = {"provider": self.provider, "model": self.model, "dearer_above": self.dearer}
        source = f"own price {self.entry.id}" if self.entry else self.release
        return told | {"source": source, "rates": rates and dollars(rates)}


def dollars(rates: Rates) -> dict[str, str]:
    """US dollars per million tokens, and per request."""
    names = ("input", "cached_input", "cache_write", "output")
    told = {name: f"{(getattr(rates, name) / 1_000).normalize():f}" for name in names}
    return told | {"request": f"{(rates.request / 1_000_000_000).normalize():f}"}


def search(scope: Scope, book: PriceBook, text: str, at: datetime) -> tuple[list[Quote], int]:
    """Models of the public book whose provider or name has every word, and how many there are."""
    require_platform_admin(scope)
    words, ts, public = text[:LONGEST].casefold().split(), micros(at), PriceBook((), book.public)
    named = book.public.at(ts).models()
    found = [pair for pair in named if all(word in "/".join(pair).casefold() for word in words)]
    return [_quoted(public, one, model, ts) for one, model in found[:MOST]], len(found)


def quote(scope: Scope, book: PriceBook, provider: str, model: str, at: datetime) -> Quote:
    """The price that a call of a model has at a moment, whoever says so."""
    require_platform_admin(scope)
    return _quoted(book, provider.strip()[:LONGEST] or None, model.strip()[:LONGEST], micros(at))


def _quoted(book: PriceBook, provider: str | None, model: str, ts: int) -> Quote:
    held = book.public.stretch(provider, model, ts)
    release = held.release if held else book.public.at(ts)
    entry = book.holding(provider, model, ts)
    return Quote(provider, model, book.steps(provider, model, ts), release.name, entry)


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
