"""Prices and re-pricings as the rows and sentences that people read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from components.settings.price_form import WHATS
from data.events.money import in_dollars
from data.local_time import instant
from data.prices.cost_change import CostChange
from data.prices.entries import RATES, Entry
from data.query.units import COUNT, DASH, TOKENS, USD, moment
from data.repricing.log import Repricing, totals
from data.repricing.unpriced import Unpriced

Row = dict[str, Any]
SHORT: Final = {
    "input": "in", "cached_input": "cached", "cache_write": "cache write", "output": "out",
    "request": "a request",
}  # fmt: skip
ANY: Final = "any"
UNTOUCHED: Final = (
    " Calls with a reported cost stay as they are, without a list cost beside it where they have"
    " none: re-pricing history gives them one."
)
NOBODY: Final = "(none)"


def unpriced_row(one: Unpriced, zone: str) -> Row:
    """A model without a price."""
    return {
        **_pair("model", one.model or NOBODY), **_pair("provider", one.provider or NOBODY),
        "requests": one.requests, "requests_text": COUNT.text(one.requests),
        "tokens": one.tokens, "tokens_text": TOKENS.text(one.tokens),
        "first": one.first, "first_text": _day(one.first, zone),
        "last": one.last, "last_text": _day(one.last, zone),
        "named": {"model": one.model, "provider": one.provider,
                  "from": instant(one.first).date().isoformat()},
    }  # fmt: skip


def entry_row(one: Entry) -> Row:
    """An own price."""
    return {
        "id": one.id, **_pair("model", one.model), **_pair("provider", one.provider or ANY),
        **_pair("from", one.start), **_pair("price", priced(one)), **_pair("note", one.note),
        **_pair("by", one.name),
    }  # fmt: skip


def priced(one: Entry) -> str:
    """`$2 in · $4 out`, `as openai/gpt-4o, −12.5 %`, `public price −10 %`."""
    told = [(name, getattr(one, name)) for name in RATES]
    if rates := [f"{in_price(rate)} {SHORT[name]}" for name, rate in told if rate is not None]:
        return " · ".join(rates)
    base = f"as {one.alias}" if one.alias else "public price"
    return f"{base} −{one.discount.normalize():f} %" if one.discount else base


def repricing_row(one: Repricing, zone: str) -> Row:
    """A re-pricing that was done, and whether it still stands."""
    return {
        "id": one.id, "undone": one.reverted_at is not None, "at": one.at,
        "at_text": moment(one.at, zone), **_pair("by", one.name),
        **_pair("what", _what(one)), "events": one.events, "events_text": COUNT.text(one.events),
        **_money("before", one.before), **_money("after", one.after), **_pair("state", _state(one)),
    }  # fmt: skip


def _what(one: Repricing) -> str:
    whose = f" of {one.entry['model']}" if one.entry else ""
    if one.what == "unpriced":
        return f"Calls without a price{whose}"
    return f"History{whose} from {instant(one.start).date().isoformat()}"


def _state(one: Repricing) -> str:
    if one.reverted_at is not None:
        return f"undone by {one.reverted_by}"
    return "in force" if one.events is not None else "did not finish"


def preview_sentence(shifts: list[CostChange], what: str) -> str:
    """What a preview says of all projects together."""
    if what not in ("unpriced", "history"):
        return "No stored call changes; the price holds for what arrives from now on."
    whole = totals(shifts)
    if not whole["events"] and not whole["compared"]:
        return "No stored call changes: 0 events."
    before, after = (USD.text(in_dollars(whole[name])) for name in ("before", "after"))
    calls = COUNT.text(whole["events"])
    told = f"{calls} call{'' if whole['events'] == 1 else 's'}: {before} → {after}."
    if whole["compared"]:
        told += f" The list cost beside {COUNT.text(whole['compared'])} reported ones follows."
    elif what == "unpriced":
        told += UNTOUCHED
    return f"{WHATS[what]}. {told}"


def preview_rows(shifts: list[CostChange]) -> list[Row]:
    """The same, project by project."""
    return [
        {**_pair("project", one.name or one.project or NOBODY), "events": one.events,
         "events_text": COUNT.text(one.events), **_money("before", one.before),
         **_money("after", one.after)}
        for one in shifts
    ]  # fmt: skip


def _day(us: int, zone: str) -> str:
    return moment(us, zone).rsplit(" ", 1)[0]


def in_price(rate: Decimal) -> str:
    """Every digit of a price, two at least."""
    exact = f"{rate.normalize():f}"
    return f"${rate:.2f}" if len(exact.partition(".")[2]) < 2 else f"${exact}"


def _pair(field: str, value: str) -> Row:
    return {field: value, f"{field}_text": value or DASH}


def _money(field: str, nano: int | None) -> Row:
    dollars = in_dollars(nano)
    return {field: dollars, f"{field}_text": USD.text(dollars)}
