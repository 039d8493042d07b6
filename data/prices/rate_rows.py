"""The book as rows that a database can join: what a model costs in a service tier, in a stretch of
time, at a time of day, for a length of prompt. Every call finds exactly one row of its model: with
rates, or with the reason why there are none.

Rates are whole numbers over one denominator a row, so that SQL counts exactly and rounds half to
even as `Rates.cost` does (`tests/prices/test_repricing.py` compares the two).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Any, Final, Literal

from data.events.table import EARLIEST, LARGEST_COUNT, LATEST, TIERS, micros
from data.prices.book import PriceBook
from data.prices.rates import STANDARD, Constraint, Rates, Steps, Usage

Model = tuple[str | None, str]
Place = tuple[str, str, str, int, int, int, int]
DAY: Final = 86_400_000_000
ENDLESS: Final = 4 * LARGEST_COUNT


@dataclass(frozen=True, slots=True)
class RateRow:
    """One row: half-open in time (µs UTC, and of the day), `over` < prompt tokens ≤ `most`.

    A rate for each field of `Usage`, the one per request, and those of short prompts that caching
    is valued by (saved by a read, paid for a write) are nano-dollars times `parts`; None is no
    rate. A row with a `reason` has none at all.
    """

    provider: str
    model: str
    tier: str
    start: int
    end: int
    day_start: int
    day_end: int
    over: int
    most: int
    reason: str | None = None
    input: int | None = None
    cached_input: int | None = None
    cache_write: int | None = None
    output: int | None = None
    cache_write_1h: int | None = None
    input_audio: int | None = None
    input_image: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    reasoning: int | None = None
    web_searches: int | None = None
    request: int | None = None
    saving: int | None = None
    writing: int | None = None
    writing_1h: int | None = None
    parts: int | None = None


Affected = Literal["unpriced", "history"]


@dataclass(frozen=True, slots=True)
class RateChange:
    """Which events take their price from `rates`: those without one, or (`history`) those that
    have a list price, and the list cost beside reported ones; from `start` until `end`, µs UTC."""

    what: Affected
    rates: tuple[RateRow, ...]
    start: int = micros(EARLIEST)
    end: int = micros(LATEST)


def rate_rows(book: PriceBook, models: Iterable[Model]) -> tuple[RateRow, ...]:
    """The rows of these models, in no order that matters."""
    return tuple(
        row for model in dict.fromkeys(models) for tier in TIERS
        for row in _model_rows(book, *model, tier)
    )  # fmt: skip


def _model_rows(book: PriceBook, provider: str | None, model: str, tier: str) -> Iterator[RateRow]:
    days, times = _cuts(book, provider, model, tier)
    for start, end in pairwise(days):
        for day_start, day_end in pairwise(times):
            # Every cut in time is a midnight UTC, so this instant speaks for the whole of both.
            call = (provider, model, start + day_start, tier)
            place = (provider or "", model, tier, start, end, day_start, day_end)
            if steps := book.steps(*call):
                yield from _steps(place, steps)
            else:
                yield RateRow(*place, -1, ENDLESS, book.reason(*call))


def _cuts(
    book: PriceBook, provider: str | None, model: str, tier: str
) -> tuple[list[int], list[int]]:
    """The instants, and the times of day, at which a model's price in a tier, or the reason why it
    has none, may change."""
    plan = (*book.plan(provider, model, tier), *book.plan(provider, model, STANDARD))
    constraints = [constraint for _, schedule in plan for constraint, _ in schedule]
    days, times = {micros(EARLIEST), micros(LATEST)}, {0, DAY}
    days.update(start for start, _ in plan)
    for constraint in constraints:
        days.update(_midnights(constraint))
        times.update(_times(constraint))
    return sorted(day for day in days if micros(EARLIEST) <= day <= micros(LATEST)), sorted(times)


def _midnights(constraint: Constraint) -> list[int]:
    if constraint is None or constraint.since is None:
        return []
    return [micros(datetime.combine(constraint.since, time(), UTC))]


def _times(constraint: Constraint) -> list[int]:
    if constraint is None or constraint.between is None:
        return []
    epoch = date(1970, 1, 1)
    aware = [one if one.tzinfo else one.replace(tzinfo=UTC) for one in constraint.between]
    return [micros(datetime.combine(epoch, one)) % DAY for one in aware]


def _steps(place: Place, steps: Steps) -> Iterator[RateRow]:
    (_, short), ends = steps[0], [start for start, _ in steps[1:]]
    for (over, rates), most in zip(steps, (*ends, ENDLESS), strict=True):
        yield RateRow(*place, over, most, **_whole_rates(rates, short))


def _whole_rates(rates: Rates, short: Rates) -> dict[str, Any]:
    """The rates as whole numbers, and what they are to be divided by."""
    each = (rates.input, rates.cached_input, rates.cache_write, rates.output, *rates.of_parts())
    exact = dict(zip(Usage._fields, each, strict=True)) | {
        "request": rates.request, "saving": short.input - short.cached_input,
        "writing": short.cache_write, "writing_1h": short.cache_write_1h,
    }  # fmt: skip
    known = [rate for rate in exact.values() if rate is not None]
    parts = 10 ** max(0, *(-int(rate.normalize().as_tuple().exponent) for rate in known))
    whole: dict[str, Any] = {
        name: None if rate is None else int(rate * parts) for name, rate in exact.items()
    }
    return whole | {"parts": parts}
