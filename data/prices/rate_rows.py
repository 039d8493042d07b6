"""The book as rows that a database can join: what a model costs in a stretch of time, at a time of
day, for a length of prompt. No two rows of one model meet, so every call finds at most one; a call
without a row is unpriced.

Rates are whole numbers over one denominator a row, so that SQL counts exactly and rounds half to
even as `Rates.cost` does (`tests/prices/test_repricing.py` compares the two).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Final, Literal

from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

from data.events.table import EARLIEST, LARGEST_COUNT, LATEST, micros
from data.prices.book import PriceBook
from data.prices.rates import Constraint, Rates, Steps

Model = tuple[str | None, str]
WholeRates = tuple[int, int, int, int, int, int, int, int]
DAY: Final = 86_400_000_000
ENDLESS: Final = 4 * LARGEST_COUNT


@dataclass(frozen=True, slots=True)
class RateRow:
    """One row: half-open in time (µs UTC, and of the day), `over` < prompt tokens ≤ `most`.

    The four rates, the one per request, and the two of short prompts that caching is valued by
    (saved by a read, paid for a write) are nano-dollars times `parts`.
    """

    provider: str
    model: str
    start: int
    end: int
    day_start: int
    day_end: int
    over: int
    most: int
    fresh: int
    cached: int
    written: int
    output: int
    request: int
    saving: int
    writing: int
    parts: int


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
    return tuple(row for model in dict.fromkeys(models) for row in _model_rows(book, *model))


def _model_rows(book: PriceBook, provider: str | None, model: str) -> Iterator[RateRow]:
    days, times = _cuts(book, provider, model)
    for start, end in pairwise(days):
        for day_start, day_end in pairwise(times):
            # Every cut in time is a midnight UTC, so this instant speaks for the whole of both.
            steps = book.steps(provider, model, start + day_start)
            if steps:
                place = (provider or "", model, start, end, day_start, day_end)
                yield from _steps(place, steps)


def _cuts(book: PriceBook, provider: str | None, model: str) -> tuple[list[int], list[int]]:
    """The instants, and the times of day, at which a model's price may change."""
    plan = book.plan(provider, model)
    constraints = [constraint for _, schedule in plan for constraint, _ in schedule]
    days, times = {micros(EARLIEST), micros(LATEST)}, {0, DAY}
    days.update(start for start, _ in plan)
    for constraint in constraints:
        days.update(_midnights(constraint))
        times.update(_times(constraint))
    return sorted(day for day in days if micros(EARLIEST) <= day <= micros(LATEST)), sorted(times)


def _midnights(constraint: Constraint) -> list[int]:
    if not isinstance(constraint, StartDateConstraint):
        return []
    return [micros(datetime.combine(constraint.start_date, time(), UTC))]


def _times(constraint: Constraint) -> list[int]:
    if not isinstance(constraint, TimeOfDateConstraint):
        return []
    epoch = date(1970, 1, 1)
    clocks = (constraint.start_time, constraint.end_time)
    aware = [one if one.tzinfo else one.replace(tzinfo=UTC) for one in clocks]
    return [micros(datetime.combine(epoch, one)) % DAY for one in aware]


def _steps(place: tuple[str, str, int, int, int, int], steps: Steps) -> Iterator[RateRow]:
    (_, short), ends = steps[0], [start for start, _ in steps[1:]]
    for (over, rates), most in zip(steps, (*ends, ENDLESS), strict=True):
        yield RateRow(*place, over, most, *_whole_rates(rates, short))


def _whole_rates(rates: Rates, short: Rates) -> WholeRates:
    """The rates as whole numbers, and at the end what they are to be divided by."""
    exact = (
        *(rates.input, rates.cached_input, rates.cache_write, rates.output, rates.request),
        *(short.input - short.cached_input, short.cache_write),
    )
    decimals = (-int(rate.normalize().as_tuple().exponent) for rate in exact)
    parts = 10 ** max(0, *decimals)
    fresh, cached, written, output, request, saving, writing = (int(r * parts) for r in exact)
    return fresh, cached, written, output, request, saving, writing, parts
