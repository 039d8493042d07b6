"""The price book: the organisation's own entries on top of the public prices, at one moment.

`price` turns the token counts of one call into nano-dollars, `rates` tells what a token costs.
None means unpriced: no token count known, or neither an entry nor the public book prices the
model at that time. An entry that names a model more closely goes before a looser one, and of
equals the latest that has begun; before the first of them the public price holds.

A book never changes: `data/prices/own.py` makes another one when an entry does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from data.events.table import MANY_PROMPTS, TOKENS, micros
from data.prices.entries import Entry
from data.prices.exchange import NO_RATES, Exchange
from data.prices.public_book import ALWAYS, PublicBook, installed
from data.prices.rates import Rates, Schedule, Steps

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MODELS: Final = 8_192
# What applies from when on (µs UTC), latest first; the last is from the beginning of time.
Plan = tuple[tuple[int, Schedule], ...]


class PriceBook:
    """Own `entries` before the `public` prices (None: the installed release's), and what other
    currencies are worth; safe to share between threads."""

    def __init__(
        self,
        entries: Iterable[Entry] = (),
        public: PublicBook | None = None,
        exchange: Exchange = NO_RATES,
    ) -> None:
        self.entries = tuple(entries)
        self.public = public or installed()
        self.exchange = exchange
        self.plan = lru_cache(MODELS)(self._plan)

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
        """Nano-dollars of a call at `ts` (µs UTC) by its disjoint counts; None is unpriced."""
        counts = (input_tokens, cached_input_tokens, cache_write_tokens, output_tokens)
        if model is None or all(count is None for count in counts):
            return None
        steps = self.steps(provider, model, ts)
        if steps is None:
            return None
        fresh, cached, written, output = (count or 0 for count in counts)
        return _step(steps, fresh + cached + written).cost(fresh, cached, written, output)

    def cost(self, call: Mapping[str, Any]) -> int | None:
        """Nano-dollars of a clean event; the sum of many calls (so its `request_count` says, or
        `MANY_PROMPTS` in its tags where nobody knows of how many) is no prompt of that length: it
        pays the rates of short ones. None is unpriced."""
        asked = call["provider"], call["model"], call["ts"], *(call[name] for name in TOKENS)
        if (call["request_count"] or 1) == 1 and MANY_PROMPTS not in (call["tags"] or ""):
            return self.price(*asked)
        steps = None if call["model"] is None else self.steps(*asked[:3])
        counts = asked[3:]
        if steps is None or all(count is None for count in counts):
            return None
        return steps[0][1].cost(*(count or 0 for count in counts))

    def rates(self, provider: str | None, model: str, when: datetime) -> Rates | None:
        """A model's rates at an instant, for prompts below any dearer step; None is unpriced."""
        steps = self.steps(provider, model, micros(when))
        return None if steps is None else steps[0][1]

    def steps(self, provider: str | None, model: str, ts: int) -> Steps | None:
        """What a model costs at `ts` (µs UTC), by length of prompt; None is unpriced."""
        for start, schedule in self.plan(provider, model):
            if ts >= start:
                return _active(schedule, ts)
        return None

    def holding(self, provider: str | None, model: str, ts: int) -> Entry | None:
        """The own entry that holds for a model at `ts` (µs UTC); None: the public price does."""
        mine = [one for one in self.entries if one.since <= ts and one.covers(provider, model)]
        return max(mine, key=_closeness, default=None)

    def _plan(self, provider: str | None, model: str) -> Plan:
        """Everything that holds of a model, from when on, latest first."""
        mine = [entry for entry in self.entries if entry.covers(provider, model)]
        names = {(provider, model)} | {(None, entry.alias) for entry in mine if entry.alias}
        public = {one.start for name in names for one in self.public.plan(*name)}
        starts = {ALWAYS, *public, *(entry.since for entry in mine)}
        plan = []
        for start in sorted(starts):
            begun = [entry for entry in mine if entry.since <= start]
            closest = max(begun, key=_closeness, default=None)
            plan.append((start, self._said(closest, provider, model, start)))
        return tuple(reversed(plan))

    def _said(self, entry: Entry | None, provider: str | None, model: str, ts: int) -> Schedule:
        """The schedule of a model from `ts` (µs UTC) on, by the entry that holds, if one does."""
        if entry is None:
            return self._public(provider, model, ts)
        if (own := entry.rates) is not None:
            return ((None, ((-1, own),)),)
        said = self._public(*((None, entry.alias) if entry.alias else (provider, model)), ts)
        percent = entry.discount
        if not percent:
            return said
        return tuple(
            (when, steps and tuple((start, rates.less(percent)) for start, rates in steps))
            for when, steps in said
        )

    def _public(self, provider: str | None, model: str, ts: int) -> Schedule:
        held = self.public.stretch(provider, model, ts)
        return held.schedule if held else ()


def _closeness(entry: Entry) -> tuple[Any, ...]:
    return entry.weight, entry.since, entry.id


def _active(schedule: Schedule, ts: int) -> Steps | None:
    for constraint, steps in schedule:
        if constraint is None or constraint.active(EPOCH + timedelta(microseconds=ts)):
            return steps
    return schedule[-1][1] if schedule else None


def _step(steps: Steps, prompt: int) -> Rates:
    for start, found in reversed(steps):
        if prompt > start:
            return found
    return steps[0][1]


PUBLIC: Final = PriceBook()


def public() -> PriceBook:
    """The book of those who have no prices of their own."""
    return PUBLIC
