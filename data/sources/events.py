"""A raw record as the clean event that is stored, priced where its source left the price open."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import orjson

from data.errors import EventError
from data.events.cleaning import CLEANING, Note, clean
from data.events.money import NANO
from data.events.reasons import LEFT_OPEN
from data.events.table import LARGEST_COUNT, Event
from data.prices.book import PUBLIC, PriceBook
from data.prices.provider_names import provider_of
from data.sources.format import FOREIGN, NOTES, Raw, describe_error

NO_RATE: Final = "amounts in {} have no rate to US dollars: stored as they are, their cost unknown"
BY_RATE: Final = "amounts in {} count in US dollars by the exchange rate that was stated"
UNKNOWN_COST: Final = {
    "cost_nano": None, "cost_origin": "unpriced", "unpriced_reason": "impossible cost",
}  # fmt: skip
OTHER_CURRENCY: Final = "in another currency"
COST_UNKNOWN: Final = (
    "a cost is negative, absurd or no number: the call and its tokens count, its cost is unknown"
)


def event_of(raw: Raw | EventError, book: PriceBook = PUBLIC, note: Note = lambda _: None) -> Event:
    """The clean, priced event of a record, or `EventError` with the reason why it is none; `note`
    hears what was put right in it."""
    if isinstance(raw, EventError):
        raise raw
    try:
        if NOTES in raw or FOREIGN in raw:
            raw = _in_our_terms(raw, book, note)
        if raw.get("cost_nano") is not None and _impossible(raw):
            raw = raw | UNKNOWN_COST
            note(COST_UNKNOWN)
        event = clean(raw, note)
        if event["kind"] == "llm":
            event["provider"] = provider_of(event["provider"], event["model"])
        return _priced(raw, event, book)
    except EventError:
        raise
    except Exception as error:
        raise EventError(f"this is no event ({describe_error(error)})") from error


def _in_our_terms(raw: Raw, book: PriceBook, note: Note) -> Raw:
    """The fields of a record alone, its cost in dollars and its notes told."""
    for sentence in raw.get(NOTES, ()):
        note(sentence)
    return {name: value for name, value in in_dollars(raw, book, note).items() if name != NOTES}


def in_dollars(raw: Raw, book: PriceBook, note: Note) -> Raw:
    """A record whose cost is in another currency by the rate of its day; without one, unpriced."""
    if FOREIGN not in raw:
        return raw
    found = {name: value for name, value in raw.items() if name != FOREIGN}
    currency, amount = raw[FOREIGN]
    tags = orjson.loads(found.get("tags") or "{}") | {"currency": currency, "amount": str(amount)}
    found["tags"] = orjson.dumps(tags).decode()
    dollars = book.exchange.dollars(currency, amount, CLEANING["ts"]("ts", raw.get("ts")))
    if dollars is None:
        note(NO_RATE.format(currency))
        return found | {"cost_origin": "unpriced", "unpriced_reason": OTHER_CURRENCY}
    note(BY_RATE.format(currency))
    return found | {"cost_nano": round(dollars * NANO), "cost_origin": "reported"}


def _impossible(raw: Raw) -> bool:
    """Whether a call is said to have cost less than nothing, or more than can be."""
    cost = raw["cost_nano"]
    if raw.get("kind") != "llm" or isinstance(cost, bool):
        return False
    if isinstance(cost, str | Decimal):
        try:
            cost = float(cost)
        except ValueError:
            return False
    return isinstance(cost, int | float) and not 0 <= cost <= LARGEST_COUNT


def _priced(raw: Raw, event: Event, book: PriceBook) -> Event:
    left_open = event["cost_nano"] is None and event["unpriced_reason"] is None
    if event["kind"] == "llm" and left_open:
        cost, reason = book.price_of(event)
        if cost is None or raw.get("cost_origin"):
            event["unpriced_reason"] = reason or LEFT_OPEN
        else:
            event |= {"cost_nano": cost, "cost_origin": "list"}
    return event
