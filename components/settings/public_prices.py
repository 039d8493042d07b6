"""Settings → Prices: the public price book, to look into, and its releases, each from a day on."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from components.settings.prices import SHORT, price, rate
from components.settings.resource import Button, Card, Column, Field, Form
from data.prices.releases import StoredRelease
from data.prices.search import MOST, Quote, dollars
from data.query.units import COUNT, INSTANT, Unit

RATES: Final = ("input", "cached_input", "cache_write", "output")
RATE: Final = Unit("rate", lambda value: rate(Decimal(str(value))))
LENGTH: Final = Unit("tokens", lambda count: f"{count:,}")
FIRST: Final = "the beginning"
FIRST_DETAIL: Final = "The first release holds for all time before the next one."
LISTED: Final = 8


# --- the book


def _rate(name: str) -> Callable[[Quote], float | None]:
    return lambda one: float(text) if one.rates and (text := dollars(one.rates).get(name)) else None


def sentence(one: Quote, day: str) -> str:
    """Which price a model has, and who says so."""
    named = f"{one.provider} / {one.model}" if one.provider else one.model
    if one.entry:
        whose = f"own price of “{one.entry.model}” from {one.entry.start} ({price(one.entry)})"
    else:
        whose = f"public price, {one.release}"
    if one.rates is None:
        return f"{named} has no price on {day}: its calls are unpriced."
    rates = dollars(one.rates)
    shown = (
        " · ".join(
            f"{rate(Decimal(value))} {SHORT[name]}" for name, value in rates.items() if value != "0"
        )
        or "free"
    )
    more = f", dearer for prompts above {one.dearer:,} tokens" if one.dearer is not None else ""
    more += f"; other prices for {', '.join(one.tiers)}" if one.tiers else ""
    return f"{named} on {day}: {shown}{more}; {whose}."


def counted(shown: int, count: int) -> str:
    """What stands above the table."""
    if not count:
        return "No model of the public book is called so."
    more = f"; the first {MOST} are listed, more words narrow it" if count > shown else ""
    return f"{count:,} model{'' if count == 1 else 's'} of the public book{more}."


PUBLIC: Final = Card(
    "public", "public price", "Public prices",
    "List prices of the release that holds on a day, in US dollars per million tokens.",
    columns=(
        Column("provider", "Provider"), Column("model", "Model", 200, 2),
        Column("input", "Input", unit=RATE, of=_rate("input")),
        Column("cached_input", "Cached input", unit=RATE, of=_rate("cached_input")),
        Column("cache_write", "Cache writes", unit=RATE, of=_rate("cache_write")),
        Column("cache_write_1h", "For an hour", unit=RATE, of=_rate("cache_write_1h")),
        Column("output", "Output", unit=RATE, of=_rate("output")),
        Column("web_searches", "1,000 searches", unit=RATE, of=_rate("web_searches")),
        Column("tiers", "Also priced", of=lambda one: ", ".join(one.tiers)),
        Column("dearer", "Higher above (tokens)", unit=LENGTH),
    ),
    empty="",
    search=(
        Field("model", "Model", hint="gpt-4o, or words of its name"),
        Field("provider", "Provider", hint="any"), Field("at", "On (UTC)", "date"),
    ),
)  # fmt: skip


# --- its releases


def _count(name: str) -> Callable[[StoredRelease], int | None]:
    """How many models; of the first release, which has nothing before it, it is not known."""
    return lambda one: None if one.first else len(getattr(one, name))


def release_detail(one: StoredRelease) -> str:
    """What a release changed, in a sentence."""
    if one.first:
        return FIRST_DETAIL
    parts = [_listed("changed", one.changed), _listed("new", one.added)]
    parts.append(_listed("no longer listed", one.dropped))
    differences = "; ".join(part for part in parts if part)
    return f"{one.name}: {differences}." if differences else f"{one.name} changed no price."


def _listed(what: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return f"{len(names):,} {what}: {', '.join(names[:LISTED])}{more}"


RELEASES: Final = Card(
    "releases", "release", "Releases of the public book",
    "A new release comes with an upgrade and holds from the next day on. Choose one to see what it"
    " changed, or to have it hold from another day; stored calls keep their cost until they are"
    " re-priced.",
    columns=(
        Column("name", "Release", 150),
        Column("from", "Effective from", 124, of=lambda one: one.start, blank=FIRST),
        Column("models", "Models", unit=COUNT),
        Column("added", "New", unit=COUNT, of=_count("added")),
        Column("changed", "Changed", unit=COUNT, of=_count("changed")),
        Column("at", "Imported", 150, unit=INSTANT),
    ),
    empty="The installed release holds; it is listed here after the next start.",
    buttons=(Button("release-edit", "Set the day…", "edit", needs=lambda row: not row["first"]),),
    form=Form(
        (Field("from", "Effective from (UTC)", "date"),),
        save="Set the day", save_key="release-move", drawer=True,
    ),
)  # fmt: skip
