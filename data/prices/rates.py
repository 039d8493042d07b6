"""What a model costs by genai-prices, as a schedule of rates.

Our counts are disjoint; the book's input includes cache reads and writes and takes them off
again, so each of our four counts has one rate, and a count without its own rate pays the input
rate. A longer prompt can have a dearer step; which one is decided by the whole prompt. The book
takes 0.1 ms a call, hence the rates of a model are read once and multiplied by us
(`data/prices/book.py`; `tests/prices/test_prices.py` compares both on random calls of every model).

Steps of None mean unpriced: a model that is not sold by the token (the book's own sum for those
is 0, as it is, rightly, for `:free` models).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

Constraint = StartDateConstraint | TimeOfDateConstraint | None
Quoted = Decimal | TieredPrices | None

NANO_PER_MTOK: Final = 1_000  # USD per million tokens, as nano-dollars per token
NANO_PER_KCOUNT: Final = 1_000_000
ONE: Final = Decimal(1)
FINEST: Final = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class Rates:
    """Nano-dollars per token of each disjoint count, and per call."""

    input: Decimal
    cached_input: Decimal
    cache_write: Decimal
    output: Decimal
    request: Decimal = Decimal(0)

    def cost(self, fresh: int, cached: int, written: int, output: int) -> int:
        """Nano-dollars of one call, half-even from the exact sum."""
        exact = (
            self.input * fresh
            + self.cached_input * cached
            + self.cache_write * written
            + self.output * output
            + self.request
        )
        return int(exact.quantize(ONE, ROUND_HALF_EVEN))

    def less(self, percent: Decimal) -> Rates:
        """These rates with a discount, to a billionth of a nano-dollar."""
        factor = (100 - percent) / 100
        rates = (self.input, self.cached_input, self.cache_write, self.output, self.request)
        return Rates(*((rate * factor).quantize(FINEST, ROUND_HALF_EVEN) for rate in rates))


# The rates from a prompt length on: (prompt tokens that must be exceeded, rates), ascending.
Steps = tuple[tuple[int, Rates], ...]
# What applies when: the first whose constraint holds; the last is the fallback.
Schedule = tuple[tuple[Constraint, Steps | None], ...]


def quoted(model: ModelInfo) -> Schedule:
    """Everything the library says of a model, latest rule first."""
    if isinstance(model.prices, ModelPrice):
        return ((None, _steps_of(model, model.prices)),)
    rules = [(rule.constraint, _steps_of(model, rule.prices)) for rule in model.prices]
    return (*reversed(rules), rules[0]) if rules else ((None, None),)


def _steps_of(entry: ModelInfo, quoted: ModelPrice) -> Steps | None:
    unquoted = quoted.input_mtok is None and quoted.output_mtok is None
    if unquoted and not entry.id.endswith(":free"):
        return None
    prices = [value for value in vars(quoted).values() if isinstance(value, TieredPrices)]
    starts = sorted({tier.start for value in prices for tier in value.tiers})
    return tuple((start, _rates_from(quoted, start)) for start in (-1, *starts))


def _rates_from(quoted: ModelPrice, start: int) -> Rates:
    """The rates of prompts longer than `start`, up to the next step."""
    fresh = _at(quoted.input_mtok, start) or Decimal(0)
    cached, written, output = (
        _at(value, start)
        for value in (quoted.cache_read_mtok, quoted.cache_write_mtok, quoted.output_mtok)
    )
    per_call = _at(quoted.requests_kcount, start) or Decimal(0)
    return Rates(
        input=fresh * NANO_PER_MTOK,
        cached_input=(fresh if cached is None else cached) * NANO_PER_MTOK,
        cache_write=(fresh if written is None else written) * NANO_PER_MTOK,
        output=(output or Decimal(0)) * NANO_PER_MTOK,
        request=per_call * NANO_PER_KCOUNT,
    )


def _at(quoted: Quoted, start: int) -> Decimal | None:
    """The price of a unit in prompts longer than `start`."""
    if not isinstance(quoted, TieredPrices):
        return quoted
    reached = [tier.price for tier in quoted.tiers if tier.start <= start]
    return reached[-1] if reached else quoted.base
