"""The door of an own price: what leaves `draft` fits the table; what does not is named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from data.errors import Refused
from data.events.table import EARLIEST, LATEST, LONGEST_TEXT, TIERS
from data.prices.entries import FIELDS, RATES, Entry
from data.prices.public_book import PublicBook, installed

MOST_DOLLARS: Final = 1_000_000
FINEST: Final = -9
LONGEST_NUMBER: Final = 40
LONGEST_NOTE: Final = 500


def draft(raw: Mapping[str, Any], number: int = 0, public: PublicBook | None = None) -> Entry:
    """The entry that was described; raises `Refused` naming the field that is wrong. An alias must
    have a price in the `public` book (None: the installed one)."""
    for name in raw:
        if name not in FIELDS:
            raise Refused(name[:40], f"a price has no {name[:40]!r}; it has {', '.join(FIELDS)}")
    rates = {name: _amount(name, raw.get(name)) for name in RATES}
    alias = _alias(raw.get("alias"), public or installed())
    discount = _discount(raw.get("discount"))
    own = any(rate is not None for rate in rates.values())
    if own and (alias or discount is not None):
        raise Refused("alias", "give rates or the public price of a model, not both")
    if not own and not alias and discount is None:
        raise Refused("input", "name a price: rates, the model whose price it has, or a discount")
    provider = _text("provider", "the provider", raw.get("provider"), LONGEST_TEXT)
    model = _text("model", "the model", raw.get("model"), LONGEST_TEXT)
    if not model:
        raise Refused("model", "name a model, or a pattern like gpt-5*")
    note = _text("note", "the note", raw.get("note"), LONGEST_NOTE)
    start = day(raw.get("from"), "the price")
    tier = _tier(raw.get("service_tier"))
    more: dict[str, Any] = {"alias": alias, "discount": discount, "note": note}
    return Entry(number, provider, model, start, service_tier=tier, **more, **rates)  # type: ignore[arg-type]


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(field: str, what: str, value: Any, most: int) -> str:
    if _blank(value):
        return ""
    if not isinstance(value, str) or not value.strip().isprintable():
        raise Refused(field, f"{what} must be plain text")
    if len(value.strip()) > most:
        raise Refused(field, f"{what} has at most {most:,} characters")
    return value.strip()


def _tier(value: Any) -> str:
    tier = _text("service_tier", "the service tier", value, LONGEST_TEXT)
    if tier and tier not in TIERS:
        raise Refused("service_tier", f"the service tier is one of {', '.join(TIERS)}, or empty")
    return tier


def _amount(field: str, value: Any) -> Decimal | None:
    name = f"the price {RATES[field].lower()}" if field == "request" else f"the {field} price"
    number = _number(field, name.replace("_", " "), value)
    if number is not None and number > MOST_DOLLARS:
        raise Refused(field, f"{name.replace('_', ' ')} is at most ${MOST_DOLLARS:,}")
    return number


def _discount(value: Any) -> Decimal | None:
    number = _number("discount", "the discount", value)
    if number is not None and number > 100:
        raise Refused("discount", "the discount is a percentage from 0 to 100")
    return number


def _number(field: str, name: str, value: Any) -> Decimal | None:
    if _blank(value):
        return None
    text = str(value).strip().removeprefix("$").removesuffix("%").strip()
    try:
        number = Decimal(text) if len(text) <= LONGEST_NUMBER else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise Refused(field, f"{name} is no number: {str(value)[:40]!r}")
    if number < 0:
        raise Refused(field, f"{name} is negative")
    if number and int(number.normalize().as_tuple().exponent) < FINEST:
        raise Refused(field, f"{name} has more than {-FINEST} decimals")
    return number


def _alias(value: Any, public: PublicBook) -> str | None:
    name = _text("alias", "the alias", value, LONGEST_TEXT)
    plan = public.plan(None, name) if name else ()
    if name and not any(steps for one in plan for _, steps in one.prices.standard):
        advice = "write it as provider/model, like openai/gpt-4o"
        raise Refused("alias", f"{name[:60]!r} is not in the public price book; {advice}")
    return name or None


def day(value: Any, what: str) -> str:
    """The day from which something holds, as ISO 8601; raises `Refused`."""
    try:
        found = date.fromisoformat(str(value).strip())
    except ValueError:
        problem = "missing" if _blank(value) else f"no date like 2026-11-01: {str(value)[:40]!r}"
        raise Refused("from", f"the day from which {what} holds is {problem}") from None
    if not EARLIEST.year <= found.year < LATEST.year:
        raise Refused("from", "the day lies outside the years 2000 to 2099")
    return found.isoformat()
