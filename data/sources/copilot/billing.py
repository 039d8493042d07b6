"""GitHub Copilot's billing usage report (CSV): a day, a person, a product and a model a row.

Sums over a UTC day: one event a row, ts its midnight. GitHub names no time of day.
event_id      `copilot:` + a fingerprint of day, person, product, sku, model, unit, organisation,
              repository and cost centre, never of amounts; a day still open when the file was
              written is not stored (data/sources/aggregates.py)
user          username; project cost_center_name, else organization; repository as it is
assistant     the product of the sku: `copilot`, `coding_agent` …; client copilot; model as it is
              ('Auto: …' is what GitHub says); provider null
tokens        `input` EXCLUDES `cache_read` and `cache_write`; null in reports without these
              columns. GitHub counts requests (times a factor) or AI credits: `quantity`, its unit,
              gross and discount stand in tags, every digit
refund        a row with an amount below zero: an adjustment with its sign
cost          net_amount, reported: what is billed. 0 is what the quota covers: free to the payer
status        GitHub tells no failures: `status` must be something, so it is ok
not counted   rows of other GitHub products (a note says how many)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import Bucket, Tally, written
from data.sources.delimited import rows
from data.sources.fields import below_zero, count, decimal, fingerprint, nano, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.times import instant

NEEDED: Final = {"date", "sku", "quantity", "unit_type"}
NAMED: Final = {"username": "user", "cost_center_name": "cost_center"}  # as GitHub renamed them
KEY: Final = (
    *("date", "username", "product", "sku", "model", "unit_type"),
    *("organization", "repository", "cost_center_name"),
)
AMOUNTS: Final = (
    *("quantity", "gross_amount", "discount_amount", "net_amount"),
    *("aic_quantity", "aic_gross_amount", "applied_cost_per_quantity", "total_monthly_quota"),
)
COUNTS: Final = {
    "input_tokens": "input",
    "cached_input_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "output_tokens": "output",
}
REFUND: Final[tuple[tuple[str, ...], ...]] = ((), ("refund",))  # of the same day and person
UNITS: Final = ("_premium_request", "_ai_credit", "_ai_unit", "_request")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)
    sums = {"gross_amount": Decimal(0), "net_amount": Decimal(0)}

    def convert(_: str, row: Row) -> Iterator[Raw]:
        sku, product = (text(row.get(name)) or "" for name in ("sku", "product"))
        day = instant("date", row["date"])
        bucket = Bucket(day, day + timedelta(days=1))
        if "copilot" not in (product.lower(), sku.lower().partition("_")[0]):
            tally.other("of other products than Copilot: not stored")
        elif bucket.partial(moment):
            tally.open += 1
        else:
            event = _event(bucket, sku, row)
            tally.count(None)
            for name in sums:
                with suppress(EventError):  # what is billed was read before
                    sums[name] += decimal(name, row.get(name)) or 0
            yield event

    yield from records(_renamed(rows(file)), convert, options)
    yield from tally.notes(file.name)
    if sums["gross_amount"] != sums["net_amount"]:
        yield file.name, Note(_differ(**sums))


def _renamed(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The rows under today's names of columns."""
    for where, row in entries:
        if isinstance(row, dict):
            row |= {name: row.get(name, row.get(old)) for name, old in NAMED.items()}
        yield where, row


def _differ(gross_amount: Decimal, net_amount: Decimal) -> str:
    return (
        f"{gross_amount:,.4f} USD gross, {net_amount:,.4f} USD billed: cost is what is billed,"
        " the rest is covered by quota or discount"
    )


def _event(bucket: Bucket, sku: str, row: Row) -> Raw:
    amounts = {name: row.get(name) for name in AMOUNTS}
    cost = nano("net_amount", row.get("net_amount"))
    refund = any(below_zero(name, value) for name, value in amounts.items())
    product = next((sku.removesuffix(unit) for unit in UNITS if sku.endswith(unit)), sku)
    return {
        "event_id": fingerprint("copilot", *(text(row.get(name)) for name in KEY), *REFUND[refund]),
        "ts": bucket.start,
        "kind": "adjustment" if refund else "llm",
        "channel": "other",
        "source": "copilot",
        "status": "ok",
        "user": text(row.get("username")),
        "project": text(row.get("cost_center_name")) or text(row.get("organization")),
        "assistant": product,
        "client": "copilot",
        "repository": text(row.get("repository")),
        "model": text(row.get("model")),
        **({} if refund else _tokens(row)),
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
        "tags": tags_json(bucket=bucket.width, sku=sku, unit=text(row.get("unit_type")), **amounts),
    }


def _tokens(row: Row) -> Raw:
    """The counts of reports since 2026: they stand beside each other."""
    return {ours: count(theirs, row.get(theirs)) for ours, theirs in COUNTS.items()}


IGNORED: Final = {
    "applied_cost_per_quantity": "a rate",
    "discount_amount": "gross_amount without net_amount",
    "total_monthly_quota": "what the plan includes",
    "aic_*": "the same in AI credits",
}
FORMAT = Format("copilot_billing", "GitHub Copilot's billing", recognises, read, ignored=IGNORED)
