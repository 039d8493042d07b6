"""A raw record as the clean event that is stored, priced where its source left the price open."""

from __future__ import annotations

from data.errors import EventError
from data.events.cleaning import clean
from data.events.table import LARGEST_COUNT, Event
from data.prices.book import PUBLIC, PriceBook
from data.prices.provider_names import provider_of
from data.sources.format import Raw, describe_error


def event_of(raw: Raw | EventError, book: PriceBook = PUBLIC) -> Event:
    """The clean, priced event of a record, or `EventError` with the reason why it is none."""
    if isinstance(raw, EventError):
        raise raw
    try:
        event = clean(raw)
        if event["kind"] == "llm":
            event["provider"] = provider_of(event["provider"], event["model"])
        return _priced(raw, event, book)
    except EventError:
        raise
    except Exception as error:
        raise EventError(f"this is no event ({describe_error(error)})") from error


def _priced(raw: Raw, event: Event, book: PriceBook) -> Event:
    if event["kind"] == "llm" and event["cost_nano"] is None and not raw.get("cost_origin"):
        cost = book.cost(event)
        if cost is not None and cost <= LARGEST_COUNT:
            event |= {"cost_nano": cost, "cost_origin": "list"}
    return event
