"""What a model costs, unit by unit as it is billed.

Our four counts are disjoint, and their parts (`PARTS` of `data/events/table.py`) are taken off
them, so that every token has one rate. Images in a prompt and reasoning pay as the text they stand
among, where they have no rate of their own. Nothing stands for what is missing of `LACKING`: who
used that is unpriced. A longer prompt can have a dearer step; the whole prompt decides which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal
from operator import itemgetter
from typing import Any, Final, NamedTuple

from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

from data.events.reasons import LACKING
from data.events.table import PARTS, TOKENS

NANO_PER_MTOK: Final = 1_000  # USD per million tokens, as nano-dollars per token
NANO_PER_KCOUNT: Final = 1_000_000
FINEST: Final = Decimal("1e-9")
# The fields of an event that are billed, as `Usage` has them.
BILLED: Final = (
    *TOKENS, "cache_write_1h_tokens", "input_audio_tokens", "input_image_tokens",
    "output_audio_tokens", "output_image_tokens", "reasoning_tokens", "web_searches",
)  # fmt: skip
FOUR: Final = itemgetter(*TOKENS)
RARE: Final = itemgetter(*BILLED[len(TOKENS) :])
STANDARD: Final = "standard"


class Usage(NamedTuple):
    """What a call is billed for: no token in two of these."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    cache_write_1h: int = 0
    input_audio: int = 0
    input_image: int = 0
    output_audio: int = 0
    output_image: int = 0
    reasoning: int = 0
    web_searches: int = 0

    @classmethod
    def of(cls, call: Mapping[str, Any]) -> Usage:
        """The usage of a clean event; a part of an unknown whole is none."""
        four, rare = FOUR(call), RARE(call)
        if not any(rare):  # as mostly
            return cls(*[count or 0 for count in four])
        counts = dict(zip(BILLED, [count or 0 for count in (*four, *rare)], strict=True))
        for whole, parts in PARTS.items():
            if counts[whole]:
                counts[whole] -= sum(counts[part] for part in parts)
            else:
                counts |= dict.fromkeys(parts, 0)
        return cls(*counts.values())

    @property
    def prompt(self) -> int:
        """The length of the prompt."""
        cached = self.cached_input + self.cache_write + self.cache_write_1h
        return self.input + self.input_audio + self.input_image + cached


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per token of each kind, per call and per search; None is not quoted."""

    input: Decimal
    cached_input: Decimal
    cache_write: Decimal
    output: Decimal
    request: Decimal = Decimal(0)
    cache_write_1h: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    reasoning: Decimal | None = None
    web_searches: Decimal | None = None

    def of_parts(self) -> tuple[Decimal | None, ...]:
        """The rate of each field of `Usage` after the four; None where nothing stands for it."""
        fresh, output = self.input, self.output
        return (
            self.cache_write_1h,
            self.input_audio,
            fresh if self.input_image is None else self.input_image,
            self.output_audio,
            self.output_image,
            output if self.reasoning is None else self.reasoning,
            self.web_searches,
        )

    def lacking(self, usage: Usage) -> str | None:
        """What was used and has no rate."""
        for name, words in LACKING.items():
            if getattr(usage, name) and getattr(self, name) is None:
                return words
        return None

    def cost(self, usage: Usage) -> int:
        """Nano-dollars of one call that lacks no rate, half-even from the exact sum."""
        exact = self._plain(*usage[:4])
        if any(parts := usage[4:]):
            for rate, count in zip(self.of_parts(), parts, strict=True):
                if rate is not None:
                    exact += rate * count
        return int(exact.to_integral_value(ROUND_HALF_EVEN))

    def plain_cost(
        self, fresh: int | None, cached: int | None, written: int | None, output: int | None
    ) -> int:
        """Nano-dollars of one call with nothing but the four counts."""
        return int(self._plain(fresh, cached, written, output).to_integral_value(ROUND_HALF_EVEN))

    def _plain(
        self, fresh: int | None, cached: int | None, written: int | None, output: int | None
    ) -> Decimal:
        exact = self.request
        if fresh:
            exact += self.input * fresh
        if cached:
            exact += self.cached_input * cached
        if written:
            exact += self.cache_write * written
        if output:
            exact += self.output * output
        return exact

    def less(self, percent: Decimal) -> Rates:
        """These rates with a discount, to a billionth of a nano-dollar."""
        factor = (100 - percent) / 100
        known = {name: rate for name in BILLED_BY if (rate := getattr(self, name)) is not None}
        less = {name: (rate * factor).quantize(FINEST, ROUND_HALF_EVEN)
                for name, rate in known.items()}  # fmt: skip
        return replace(self, **less)


BILLED_BY: Final = tuple(field.name for field in fields(Rates))
PLAIN: Final = ("input", "cached_input", "cache_write", "output", "request")


@dataclass(frozen=True, slots=True)
class When:
    """From which day (UTC) on something holds, and between which times of the day."""

    since: date | None = None
    between: tuple[time, time] | None = None

    def active(self, moment: datetime) -> bool:
        """Whether it holds at an instant."""
        if self.since and not StartDateConstraint(self.since).active(moment):
            return False
        return self.between is None or TimeOfDateConstraint(*self.between).active(moment)


Constraint = When | None
# The rates from a prompt length on: (prompt tokens that must be exceeded, rates), ascending.
Steps = tuple[tuple[int, Rates], ...]
# What applies when: the first whose constraint holds; the last is the fallback. Steps of None mean
# unpriced: not sold by the token, or no rate for the tier.
Schedule = tuple[tuple[Constraint, Steps | None], ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """What is said of a model: its schedule by service tier; of other tiers it has no rates."""

    by_tier: Mapping[str, Schedule]

    @property
    def standard(self) -> Schedule:
        return self.by_tier[STANDARD]

    def less(self, percent: Decimal) -> Prices:
        """The same with a discount."""
        return Prices({tier: _less(schedule, percent) for tier, schedule in self.by_tier.items()})


def _less(schedule: Schedule, percent: Decimal) -> Schedule:
    return tuple(
        (when, steps and tuple((start, rates.less(percent)) for start, rates in steps))
        for when, steps in schedule
    )
