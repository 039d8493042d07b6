"""A raw record as the clean event that is stored, priced where its source left the price open."""

from __future__ import annotations

from data.errors import EventError
from data.events.cleaning import Note, clean
from data.events.table import LARGEST_COUNT, Event
from data.prices.book import PUBLIC, PriceBook
from data.prices.provider_names import provider_of
from data.sources.format import Raw, describe_error


def event_of(raw: Raw | EventError, book: PriceBook = PUBLIC, note: Note = lambda _: None) -> Event:
    """The clean, priced event of a record, or `EventError` with the reason why it is none; `note`
    hears what was put right in it."""
    if isinstance(raw, EventError):
        raise raw
    try:
        event = clean(raw, note)
        if event["kind"] == "llm":
            event["provider"] = provider_of(event["provider"], event["model"])
        return _priced(raw, event, book)
    except EventError:
        raise
    except Exception as error:
        raise EventError(f"this is no event ({describe_error(error)})") from error


def _priced(raw: Raw, event: Event, book: PriceBook) -> Event:
    left_open = event["cost_nano"] is None and event["unpriced_reason"] is None
    if event["kind"] == "llm" and left_open and not raw.get("cost_origin"):
        cost = book.cost(event)
        if cost is not None and cost <= LARGEST_COUNT:
            event |= {"cost_nano": cost, "cost_origin": "list"}
    return event
