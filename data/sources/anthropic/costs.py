"""A row of what Anthropic billed; conventions: data/sources/anthropic/usage.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.events.money import NANO
from data.sources.aggregates.buckets import Bucket, kept
from data.sources.aggregates.tally import Tally
from data.sources.fields import decimal, text
from data.sources.format import Raw

TOKENS: Final = (None, "tokens", "token")
Row = Mapping[str, Any]


def billed_cents(owned: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """A row of cost_report."""
    currency = text(row.get("currency")) or "USD"
    if currency != "USD":
        raise EventError(f"currency is {currency[:10]!r}, not USD")
    cents = decimal("amount", row.get("amount"))
    if cents is None:
        raise EventError("amount is missing")
    yield from _billed(owned, bucket, row, cents / 100, tally)


def billed_dollars(owned: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """A row of the console's CSV."""
    dollars = decimal("cost_usd", row.get("cost_usd"))
    if dollars is None:
        raise EventError("cost_usd is missing")
    workspace = {"project": text(row.get("workspace"))}
    yield from _billed(owned | workspace, bucket, row, dollars, tally)


def _billed(owned: Raw, bucket: Bucket, row: Row, dollars: Decimal, tally: Tally) -> Iterator[Raw]:
    """The event of what has no tokens; a row for tokens is compared alone."""
    kind = text(row.get("cost_type"))
    if kind in TOKENS:
        return tally.bill.add(owned, dollars)
    tally.count(None)
    yield {
        **owned,
        "operation": kind,
        "model": text(row.get("model")),
        "cost_nano": round(dollars * NANO),
        "cost_origin": "reported",
        "tags": kept(bucket=bucket.width, description=row.get("description")),
    }
