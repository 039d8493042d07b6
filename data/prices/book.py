"""The price book: the organisation's own entries on top of the public prices, at one moment.

`price_of` turns a call into nano-dollars or says why it cannot, `rates` tells what a token costs.
An entry that names a model more closely goes before a looser one, then one that names the service
tier, and of equals the latest that has begun; before the first of them the public price holds.

A book never changes: `data/prices/own.py` makes another one when an entry does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from data.events.reasons import (
    NO_MODEL,
    NO_PROVIDER,
    NO_TOKENS,
    NOT_BY_TOKEN,
    TOO_LARGE,
    UNKNOWN_MODEL,
    no_rate,
)
from data.events.table import LARGEST_COUNT, MANY_PROMPTS, TOKENS, micros
from data.prices.entries import Entry
from data.prices.exchange import NO_RATES, Exchange
from data.prices.public_book import BEGINNING, FAST, FAST_NAME, PublicBook, installed
from data.prices.rates import FOUR, RARE, STANDARD, Prices, Rates, Schedule, Steps, Usage

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MODELS: Final = 8_192
# What applies from when on (µs UTC), latest first; the last is from the beginning of time.
Plan = tuple[tuple[int, Schedule], ...]
UNKNOWN: Final = Prices({STANDARD: ()})
UNTOLD: Final = (None,) * len(TOKENS)
ASKED: Final = itemgetter("provider", "model", "ts", "service_tier")


class PriceBook:
    """Own `entries` before the `public` prices (None: the installed release's), and what other
    currencies are worth; safe to share between threads. `demo` is the book with what visitors of
    the demo made, where they made something."""

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        public: PublicBook | None = None,
        exchange: Exchange = NO_RATES,
        demo: PriceBook | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self._releases = public
        self.exchange = exchange
        self._demo = demo
        self.plan = lru_cache(MODELS)(self._plan)
        self.why = lru_cache(MODELS)(self._why)

    @property
    def public(self) -> PublicBook:
        """The public prices; those of the installed release are read when first asked for."""
        return self._releases or installed()

    @property
    def shown(self) -> PriceBook:
        """What a reader is told and re-prices by; what arrives is never priced by the demo's."""
        return self._demo or self

    def price(
        self,
        provider: str | None,
        model: str | None,
        ts: int,
        input_tokens: int | None,
        cached_input_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> int | None:
        """Nano-dollars of a plain call at `ts` (µs UTC) by its four counts; None is unpriced."""
        counts = (input_tokens, cached_input_tokens, cache_write_tokens, output_tokens)
        if model is None or all(count is None for count in counts):
            return None
        usage = Usage(*(count or 0 for count in counts))
        steps = self.steps(provider, model, ts)
        return None if steps is None else _step(steps, usage.prompt).cost(usage)

    def price_of(self, call: Mapping[str, Any]) -> tuple[int | None, str | None]:
        """Nano-dollars of a clean event, or why it has no price.

        The sum of many calls (so its `request_count` says, or `MANY_PROMPTS` in its tags where
        nobody knows of how many) is no prompt of that length: it pays the rates of short ones.
        """
        provider, model, ts, tier = ASKED(call)
        if model is None:
            return None, NO_MODEL
        four, rare = FOUR(call), RARE(call)
        if four == UNTOLD and not call["web_searches"]:
            return None, NO_TOKENS
        if (steps := self.steps(provider, model, ts, tier)) is None:
            return None, self.reason(provider, model, ts, tier)
        if not any(rare):  # as mostly
            one = len(steps) == 1 or _is_sum(call)
            rates = steps[0][1] if one else _step(steps, sum(filter(None, four[:3])))
            cost = rates.plain_cost(*four)
        else:
            usage = Usage.of(call)
            rates = steps[0][1] if _is_sum(call) else _step(steps, usage.prompt)
            if lacking := rates.lacking(usage):
                return None, no_rate(lacking)
            cost = rates.cost(usage)
        return (cost, None) if cost <= LARGEST_COUNT else (None, TOO_LARGE)

    def reason(self, provider: str | None, model: str, ts: int, tier: str | None) -> str:
        """Why a model has no price at an instant, in a tier."""
        if tier not in (None, STANDARD) and self.steps(provider, model, ts):
            return no_rate(str(tier))
        return self.why(provider, model)

    def _why(self, provider: str | None, model: str) -> str:
        if self.public.plan(provider, model):
            return no_rate(FAST) if model.endswith(FAST_NAME) else NOT_BY_TOKEN
        return NO_PROVIDER if provider is None and self.public.sold(model) else UNKNOWN_MODEL

    def rates(self, provider: str | None, model: str, when: datetime) -> Rates | None:
        """A model's rates at an instant, for prompts below any dearer step; None is unpriced."""
        steps = self.steps(provider, model, micros(when))
        return None if steps is None else steps[0][1]

    def steps(
        self, provider: str | None, model: str, ts: int, tier: str | None = None
    ) -> Steps | None:
        """What a model costs at `ts` (µs UTC) in a service tier (None: the standard one), by
        length of prompt; None is unpriced."""
        for start, schedule in self.plan(provider, model, tier or STANDARD):
            if ts >= start:
                return _active(schedule, ts)
        return None

    def holding(self, provider: str | None, model: str, ts: int) -> Entry | None:
        """The own entry that holds for a model at `ts` (µs UTC); None: the public price does."""
        mine = [one for one in self.entries
                if one.since <= ts and one.covers(provider, model, STANDARD)]  # fmt: skip
        return max(mine, key=_closeness, default=None)

    def _plan(self, provider: str | None, model: str, tier: str) -> Plan:
        """Everything that holds of a model in a tier, from when on, latest first."""
        mine = [entry for entry in self.entries if entry.covers(provider, model, tier)]
        names = {(provider, model)} | {(None, entry.alias) for entry in mine if entry.alias}
        public = {one.start for name in names for one in self.public.plan(*name)}
        starts = {BEGINNING, *public, *(entry.since for entry in mine)}
        plan = []
        for start in sorted(starts):
            begun = [entry for entry in mine if entry.since <= start]
            closest = max(begun, key=_closeness, default=None)
            prices = self._prices_from(closest, provider, model, start)
            plan.append((start, prices.by_tier.get(tier, ())))
        return tuple(reversed(plan))

    def _prices_from(
        self, entry: Entry | None, provider: str | None, model: str, ts: int
    ) -> Prices:
        """The prices of a model from `ts` (µs UTC) on, by the entry that holds, if one does."""
        if entry is None:
            return self._public(provider, model, ts)
        if (own := entry.rates) is not None:
            return Prices({entry.service_tier or STANDARD: ((None, ((-1, own),)),)})
        price = self._public(*((None, entry.alias) if entry.alias else (provider, model)), ts)
        percent = entry.discount
        return price.less(percent) if percent else price

    def _public(self, provider: str | None, model: str, ts: int) -> Prices:
        held = self.public.stretch(provider, model, ts)
        return held.prices if held else UNKNOWN


def _is_sum(call: Mapping[str, Any]) -> bool:
    """Whether an event stands for several prompts."""
    return MANY_PROMPTS in (call["tags"] or "") or (call["request_count"] or 1) > 1


def _closeness(entry: Entry) -> tuple[Any, ...]:
    return entry.weight, bool(entry.service_tier), entry.since, entry.id


def _active(schedule: Schedule, ts: int) -> Steps | None:
    for constraint, steps in schedule:
        if constraint is None or constraint.active(EPOCH + timedelta(microseconds=ts)):
            return steps
    return schedule[-1][1] if schedule else None


def _step(steps: Steps, prompt: int) -> Rates:
    return next(rates for start, rates in reversed(steps) if prompt > start)


PUBLIC: Final = PriceBook()


def public() -> PriceBook:
    """The book of those who have no prices of their own."""
    return PUBLIC
