"""A row of what OpenAI billed; conventions: data/sources/openai/usage.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.events.money import NANO
from data.sources.aggregates.buckets import Bucket, kept
from data.sources.aggregates.tally import Tally
from data.sources.fields import decimal, text
from data.sources.format import Raw

TOOLS: Final = re.compile(r"web search|file search|code interpreter|vector store|storage", re.I)
Row = Mapping[str, Any]


def billed(owned: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """The event of a line for tools; a line for tokens is compared alone."""
    amount = row.get("amount")
    told = amount if isinstance(amount, Mapping) else {}
    currency = text(told.get("currency") or row.get("amount_currency")) or "usd"
    if currency.lower() != "usd":
        raise EventError(f"currency is {currency[:10]!r}, not usd")
    paid = decimal("amount", told.get("value") if told else row.get("amount_value") or amount)
    if paid is None:
        raise EventError("amount is missing")
    line = text(row.get("line_item"))
    if not (line and TOOLS.search(line)):
        return tally.bill.add(owned, paid)
    tally.count(None)
    yield {
        **owned,
        "operation": "tool",
        "cost_nano": round(paid * NANO),
        "cost_origin": "reported",
        "tags": kept(bucket=bucket.width, line_item=line, quantity=row.get("quantity")),
    }
