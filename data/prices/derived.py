"""What is worked out of an event when it is stored, so that asking stays a plain sum."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from data.events.table import LARGEST_COUNT, Event, id_hash
from data.prices.book import PriceBook
from data.prices.rates import Rates, Usage

DERIVED: Final = ("id_hash", "cache_saved_nano", "cache_write_nano", "list_cost_nano")
Values = tuple[int, int | None, int | None, int | None]


def derived(event: Event, book: PriceBook) -> Values:
    """The values of `DERIVED`, money in nano-dollars at the book's prices: null where nothing was
    cached, and a list cost only beside a reported one, to compare the two."""
    return id_hash(event["event_id"]), *_cache(event, book), _list_cost(event, book)


def _cache(event: Event, book: PriceBook) -> tuple[int | None, int | None]:
    read, written = event["cached_input_tokens"], event["cache_write_tokens"]
    if not read and not written:
        return None, None
    named = (event["provider"], event["model"] or "", event["ts"], event["service_tier"])
    if (steps := book.steps(*named)) is None:
        return None, None
    _, listed = steps[0]
    return _within_range((listed.input - listed.cached_input) * (read or 0)), _writing(
        event, listed
    )


def _writing(event: Event, listed: Rates) -> int | None:
    usage = Usage.of(event)
    hour = usage.cache_write_1h
    if hour and listed.cache_write_1h is None:
        return None
    return _within_range(
        listed.cache_write * usage.cache_write + (listed.cache_write_1h or 0) * hour
    )


def _within_range(nano: Decimal) -> int | None:
    return round(nano) if abs(nano) <= LARGEST_COUNT else None


def _list_cost(event: Event, book: PriceBook) -> int | None:
    if event["cost_origin"] != "reported" or event["kind"] != "llm":
        return None
    return book.price_of(event)[0]
