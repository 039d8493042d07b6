"""Cloud bills in FOCUS 1.0 (CSV): the rows for language models, and only those.

A row is one charge over a period: one event, so the number of requests counts rows.
taken         rows whose ServiceName names a service that sells language models (Bedrock, Azure
              OpenAI, Vertex AI, Claude …), or whose description does, where ServiceCategory is
              "AI and Machine Learning", and those of FOCUS 1.1's ServiceSubcategory "Generative
              AI". The category alone is not enough: most of it is training, vision, notebooks
event_id      `focus:` + a fingerprint of everything but amounts (times in UTC), plus the ordinal
              among rows that are alike: FOCUS has no id, and a bill exported again may have other
              amounts
ts            ChargePeriodStart (UTC where it has no zone)
project       SubAccountId, project_name SubAccountName; user null; provider by the service
cost          BilledCost, reported: what the invoice says. EffectiveCost spreads prepayments over
              their use, but real exports round it (16.00 against 20.62 USD in the public sample);
              it is kept in tags, and a note says when the two sums differ
tokens        null: quantities are told in units of the seller (kept in tags), not in our four
              counts. model null: FOCUS has no such column, the description is in tags
not counted   other services (a note says how many), and negative rows (credits, corrections):
              rejected, an event cannot take money back. A bill is a second view of what a gateway
              or a vendor's usage report tells: import one of them for an account
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.fields import decimal, fingerprint, instant, nano, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records

NEEDED: Final = {"BilledCost", "BillingCurrency", "ChargePeriodStart", "ServiceName"}
SELLERS: Final = {
    who: re.compile(words, re.IGNORECASE)
    for who, words in {
        "aws.bedrock": r"bedrock",
        "azure.ai.openai": r"azure.*(openai|\bgpt-\d)|openai.*azure",
        "openai": r"openai|chatgpt",
        "gcp.vertex_ai": r"vertex ai|gemini",
        "azure.ai.inference": r"azure ai (foundry|model)|foundry models",
        "anthropic": r"anthropic|claude",
        "mistral_ai": r"mistral",
        "cohere": r"cohere",
        "ibm.watsonx.ai": r"watsonx",
        "oci": r"generative ai",
    }.items()
}
AI: Final = "AI and Machine Learning"
GENERATIVE: Final = "Generative AI"  # FOCUS 1.1 on
AMOUNTS: Final = re.compile(r"(Cost|Quantity|UnitPrice)$|^Id$")
TIMES: Final = {
    f"{period}Period{end}" for period in ("Charge", "Billing") for end in ("Start", "End")
}
KEPT: Final = {
    "service": "ServiceName",
    "description": "ChargeDescription",
    "charge": "ChargeCategory",
    "effective_cost": "EffectiveCost",
    "quantity": "ConsumedQuantity",
    "unit": "ConsumedUnit",
    "sku": "SkuId",
    "region": "RegionId",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    duplicates: Counter[str] = Counter()
    others: Counter[str] = Counter()
    sums = {"BilledCost": Decimal(0), "EffectiveCost": Decimal(0)}

    def convert(_: str, cells: Row) -> Iterator[Raw]:
        row = {name: None if value == "NULL" else value for name, value in cells.items()}
        seller = _seller(row)
        if seller is None:
            others[_kind(row)] += 1
            return
        event = _event(seller, row)
        duplicates[event["event_id"]] += 1
        for name in sums:
            sums[name] += decimal(name, row.get(name)) or 0
        yield event | {"event_id": f"{event['event_id']}:{duplicates[event['event_id']]}"}

    yield from records(rows(file), convert, options)
    for note in _notes(duplicates.total(), others, sums["BilledCost"], sums["EffectiveCost"]):
        yield file.name, Note(note)


def _notes(
    counted: int, others: Counter[str], billed: Decimal, effective: Decimal
) -> Iterator[str]:
    if counted:
        yield f"{counted:,} rows are charges over a time: the number of requests counts rows"
    for kind, times in others.items():
        yield f"{times:,} rows are {kind}: not stored"
    if billed != effective:
        yield (
            f"{billed:,.4f} USD billed, {effective:,.4f} USD effective (prepayments spread"
            " over their use): cost is what is billed"
        )


def _seller(row: Row) -> str | None:
    """Who sells the model, as the provider is called in OpenTelemetry; None if it is none."""
    other = "other" if text(row.get("ServiceSubcategory")) == GENERATIVE else None
    service = text(row.get("ServiceName")) or ""
    if text(row.get("ServiceCategory")) == AI:
        service = f"{service} {text(row.get('ChargeDescription')) or ''}"
    return next((who for who, words in SELLERS.items() if words.search(service)), other)


def _kind(row: Row) -> str:
    if text(row.get("ServiceCategory")) == AI:
        return f"{AI} whose service sells no language models"
    return "no use of language models"


def _spelled(name: str, cell: Any) -> str:
    """A cell as every export has it: times in UTC, whatever their zone."""
    if name in TIMES:
        with suppress(EventError):
            return instant(name, cell).isoformat()
    return str(cell)


def _event(seller: str, row: Row) -> Raw:
    currency = text(row["BillingCurrency"]) or ""
    if currency != "USD":
        raise EventError(f"BillingCurrency is {currency[:10]!r}, not USD")
    billed = decimal("BilledCost", row["BilledCost"])
    if billed is not None and billed < 0:
        charge = text(row.get("ChargeCategory")) or "charge"
        raise EventError(f"BilledCost is negative (a {charge[:20]}): no event takes money back")
    cost = nano("BilledCost", row["BilledCost"])
    named = {name: each for name, each in row.items() if not AMOUNTS.search(name)}
    duplicates = sorted((name, _spelled(name, each)) for name, each in named.items())
    return {
        "event_id": fingerprint("focus", duplicates),
        "ts": instant("ChargePeriodStart", row["ChargePeriodStart"]),
        "kind": "llm",
        "channel": "api",
        "source": "focus",
        "status": "ok",
        "provider": None if seller == "other" else seller,
        "project": text(row.get("SubAccountId")),
        "project_name": text(row.get("SubAccountName")),
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
        "tags": tags_json(**{name: row.get(column) for name, column in KEPT.items()}),
    }


FORMAT = Format("focus", "A cloud bill in FOCUS 1.0", recognises, read)
