"""What a model costs by genai-prices, as schedules of rates: one for each service tier.

The book's input includes cache reads and writes and takes them off again; it takes 0.1 ms a call,
hence the rates of a model are read once and multiplied by us (`tests/prices/test_prices.py`
compares both on random calls of every model and tier).

A tier's prices replace the standard ones unit by unit; what they leave out stays. Most have a day
from which they were quoted. They hold before it too, as long as the standard price was the same:
nobody halved the price of batches on the day that the list took them up.

Steps of None mean unpriced: a model that is not sold by the token (the book's own sum for those
is 0, as it is, rightly, for `:free` models).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Final

from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from data.prices.rates import (
    NANO_PER_KCOUNT,
    NANO_PER_MTOK,
    STANDARD,
    Constraint,
    Prices,
    Rates,
    Schedule,
    Steps,
    When,
)

Quoted = Decimal | TieredPrices | None
Rule = tuple[Constraint, ModelPrice]
# How the library names the tiers of `data.events.table.TIERS`.
CONDITIONS: Final = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"speed": "fast"}, {"service_tier": "fast"}),
}
ONE_INPUT: Final = ("google",)  # they name a price of audio only where it differs
PLAIN_UNITS: Final = (
    "input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok", "requests_kcount",
    "web_searches_kcount",
)  # fmt: skip
PER_TOKEN: Final = {
    "cache_write_1h": "cache_write_1h_mtok",
    "input_audio": "input_audio_mtok",
    "input_image": "input_image_mtok",
    "output_audio": "output_audio_mtok",
    "output_image": "output_image_mtok",
    "reasoning": "output_reasoning_mtok",
}


def quoted(model: ModelInfo, provider: str = "") -> Prices:
    """Everything the library says of a provider's model."""
    rules = _rules(model)
    standard = tuple((when, _steps_of(model, prices)) for when, prices in rules)
    found = {STANDARD: standard or ((None, None),)}
    for tier, conditions in CONDITIONS.items():
        variants = [one for one in model.price_variants or () if one.when in conditions]
        if variants:
            found[tier] = (*_tier(model, rules, variants), (None, None))
    if provider in ONE_INPUT:
        found = {tier: _one_input(schedule) for tier, schedule in found.items()}
    return Prices(found)


def _one_input(schedule: Schedule) -> Schedule:
    """With audio at the price of all input, where it has no other."""
    return tuple(
        (when, steps and tuple((start, _audio_as_input(rates)) for start, rates in steps))
        for when, steps in schedule
    )


def _audio_as_input(rates: Rates) -> Rates:
    return rates if rates.input_audio is not None else replace(rates, input_audio=rates.input)


def _rules(model: ModelInfo) -> list[Rule]:
    """Its standard prices: the first that holds applies; the last always holds."""
    if isinstance(model.prices, ModelPrice):
        return [(None, model.prices)]
    rules = [(_when(rule.constraint), rule.prices) for rule in reversed(model.prices)]
    return [*rules, (None, model.prices[0].prices)] if rules else []


def _tier(model: ModelInfo, rules: list[Rule], variants: Sequence[PriceVariant]) -> Schedule:
    """The schedule of a tier: within each standard price the first of its variants that holds."""
    found: list[tuple[Constraint, Steps | None]] = []
    for rule in rules:
        when, standard = rule
        for one in variants:
            both = _together(when, _when(one.constraint))
            found.append((both, _steps_of(model, _replaced(standard, one.prices))))
        earliest = _earliest(rules, rule, variants)
        steps = _steps_of(model, _replaced(standard, earliest.prices)) if earliest else None
        found.append((when, steps))
    return tuple(found)


def _earliest(
    rules: list[Rule], rule: Rule, variants: Sequence[PriceVariant]
) -> PriceVariant | None:
    """The variant whose first day is the earliest, if this standard price held on that day."""
    dated = [(one.constraint.start_date, n, one) for n, one in enumerate(variants)
             if isinstance(one.constraint, StartDateConstraint)]  # fmt: skip
    if not dated:
        return None
    day, _, earliest = min(dated)
    noon = datetime.combine(day, time(12), UTC)
    rule_then = next(one for one in rules if one[0] is None or one[0].active(noon))
    return earliest if rule_then is rule else None


def _replaced(standard: ModelPrice, other: ModelPrice) -> ModelPrice:
    named = {name: value for name, value in vars(other).items() if value is not None}
    return ModelPrice(**vars(standard) | named)


def _when(constraint: StartDateConstraint | TimeOfDateConstraint | None) -> Constraint:
    if constraint is None:
        return None
    if isinstance(constraint, StartDateConstraint):
        return When(since=constraint.start_date)
    return When(between=(constraint.start_time, constraint.end_time))


def _together(one: Constraint, other: Constraint) -> Constraint:
    if one is None or other is None:
        return one or other
    days = [when.since for when in (one, other) if when.since]
    times = {when.between for when in (one, other) if when.between}
    if len(times) > 1:
        raise TypeError("a price may hold in two times of the day at once, which is not kept yet")
    return When(max(days, default=None), next(iter(times), None))


def _steps_of(entry: ModelInfo, prices: ModelPrice) -> Steps | None:
    unquoted = not any(vars(prices).get(key) is not None for key in ("input_mtok", "output_mtok"))
    if unquoted and not entry.id.endswith(":free"):
        return None
    tiered = [value for value in vars(prices).values() if isinstance(value, TieredPrices)]
    starts = sorted({tier.start for value in tiered for tier in value.tiers})
    return tuple((start, _rates_from(prices, start)) for start in (-1, *starts))


def _rates_from(prices: ModelPrice, start: int) -> Rates:
    """The rates of prompts longer than `start`, up to the next step."""
    found = vars(prices)  # by attribute what is not quoted would be looked for in all units
    fresh, cached, written, output, request, searches = (
        _at(found.get(key), start) for key in PLAIN_UNITS
    )
    fresh = fresh or Decimal(0)
    more = {name: _nano(_at(found.get(key), start)) for name, key in PER_TOKEN.items()}
    if written is None and more["cache_write_1h"] is None:
        more["cache_write_1h"] = fresh * NANO_PER_MTOK  # writes are not billed apart
    return Rates(
        input=fresh * NANO_PER_MTOK,
        cached_input=(fresh if cached is None else cached) * NANO_PER_MTOK,
        cache_write=(fresh if written is None else written) * NANO_PER_MTOK,
        output=(output or Decimal(0)) * NANO_PER_MTOK,
        request=(request or Decimal(0)) * NANO_PER_KCOUNT,
        web_searches=None if searches is None else searches * NANO_PER_KCOUNT,
        **more,
    )


def _nano(rate: Decimal | None) -> Decimal | None:
    return None if rate is None else rate * NANO_PER_MTOK


def _at(quoted: Quoted, start: int) -> Decimal | None:
    """The price of a unit in prompts longer than `start`."""
    if not isinstance(quoted, TieredPrices):
        return quoted
    reached = [tier.price for tier in quoted.tiers if tier.start <= start]
    return reached[-1] if reached else quoted.base
