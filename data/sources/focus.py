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
project       SubAccountId, project_name SubAccountName; user and model by the row's Tags, the
              model else by a ResourceName that is the description, too; provider by the service
cost          BilledCost, reported: what the invoice says. EffectiveCost spreads prepayments over
              their use, but real exports round it (16.00 against 20.62 USD in the public sample);
              it is kept in tags, and a note says when the two sums differ
tokens        ConsumedQuantity where its unit is tokens (`Tokens`, `1K tokens`, …), of the kind that
              SkuMeter, else the description names: input, output, cache read or write; other
              quantities are kept in tags; where the unit is requests, so many calls
adjustment    a credit, a correction or a row below zero: money with its sign, no call
currency      another than USD: by x_BilledCostInUsd, else by the exchange rate that was stated for
              the day, else stored as it is, its cost unknown; currency and amount stand in tags
not counted   other services (a note says how many). A bill is a second view of what a gateway
              or a vendor's usage report tells: import one of them for an account
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.fields import (
    below_zero,
    decimal,
    fingerprint,
    nano,
    parsed,
    quantity,
    tags_json,
    text,
)
from data.sources.files import File
from data.sources.format import (
    FOREIGN,
    Entry,
    Format,
    Head,
    Note,
    Options,
    Raw,
    Record,
    records,
)
from data.sources.times import instant
from data.sources.watched import unwatched

NEEDED: Final = {"BilledCost", "BillingCurrency", "ChargePeriodStart", "ServiceName"}
# How Azure spells its meters of models, below services that sell much else.
METERS: Final = (
    r"^(azure ai services|cognitive services)\b.*\b"
    r"(gpt[ -]?\d|o\d( |-|$)|text[ -]embedding|dall-?e|whisper|codex)"
)
SELLERS: Final = {
    who: re.compile(words, re.IGNORECASE)
    for who, words in {
        "aws.bedrock": r"bedrock",
        "azure.ai.openai": r"azure.*(openai|\bgpt-\d)|openai.*azure|" + METERS,
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
TAGS: Final = {
    "service": "ServiceName",
    "description": "ChargeDescription",
    "charge": "ChargeCategory",
    "effective_cost": "EffectiveCost",
    "quantity": "ConsumedQuantity",
    "unit": "ConsumedUnit",
    "sku": "SkuId",
    "region": "RegionId",
}
USERS: Final = ("user_id", "user", "user_email")
REQUESTS: Final = ("request", "requests", "api requests", "calls")
# 1K tokens, 1000000 Tokens, Million tokens
TOKENS: Final = re.compile(r"(?:1 ?)?(?:([\d,]+)|(k|thousand)|(m|million))?\s*tokens?")
MODELS: Final = ("x_Model", "x_ModelName", "Model", "ModelName")  # of SkuPriceDetails
METER: Final = ("SkuMeter", "x_SkuMeterName", "ChargeDescription", "SkuId")
KINDS: Final = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "cache_write_tokens": r"cache.?(write|creation)|(write|creation).?cache",
        "cached_input_tokens": r"^(?!.*(output|outp\b)).*cach(e|ed)",
        "output_tokens": r"outp|output|completion|response",
        "input_tokens": r"inp|input|prompt",
    }.items()
}
GIVEN: Final = ("Credit", "Adjustment", "Refund")
CURRENCY: Final = re.compile("[A-Z]{3}")
DOLLARS: Final = "x_BilledCostInUsd"
Row = Mapping[str, Any]
Sums = defaultdict[str, Decimal]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    duplicates: Counter[str] = Counter()
    others: Counter[str] = Counter()
    billed, effective = Sums(Decimal), Sums(Decimal)  # by currency
    counts_rows = 0

    def convert(_: str, row: Row) -> Iterator[Raw]:
        nonlocal counts_rows
        seller = _seller(row)
        if seller is None:
            others[_kind(row)] += 1
            return
        event = _event(seller, row)
        duplicates[event["event_id"]] += 1
        for name, sums in (("BilledCost", billed), ("EffectiveCost", effective)):
            with suppress(EventError):  # money of the bill was read before
                sums[_currency(row)] += decimal(name, row.get(name)) or 0
        counts_rows += event["kind"] == "llm" and event["request_count"] is None
        yield event | {"event_id": f"{event['event_id']}:{duplicates[event['event_id']]}"}

    yield from records(_without_nulls(rows(file)), convert, options)
    for note in _notes(counts_rows, others, billed, effective):
        yield file.name, Note(note)


def _without_nulls(entries: Iterable[Entry]) -> Iterator[Entry]:
    for where, row in entries:
        cells = row.items() if isinstance(row, dict) else None
        yield where, {n: None if v == "NULL" else v for n, v in cells} if cells else row


def _notes(counted: int, others: Counter[str], billed: Sums, effective: Sums) -> Iterator[str]:
    if counted:
        yield f"{counted:,} rows are charges over a time: the number of requests counts rows"
    for kind, times in others.items():
        yield f"{times:,} rows are {kind}: not stored"
    for currency, amount in billed.items():
        if amount != effective[currency]:
            yield (
                f"{amount:,.4f} {currency} billed, {effective[currency]:,.4f} {currency} effective"
                " (prepayments spread over their use): cost is what is billed"
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
    adjusts, tags = _adjusts(row), _texts("Tags", row)
    model = tags.get("model") or _model(row)
    named = {name: each for name, each in unwatched(row) if not AMOUNTS.search(name)}
    duplicates = sorted((name, _spelled(name, each)) for name, each in named.items())
    return {
        "event_id": fingerprint("focus", duplicates),
        "ts": instant("ChargePeriodStart", row["ChargePeriodStart"]),
        "kind": "adjustment" if adjusts else "llm",
        "channel": "api",
        "source": "focus",
        "status": "ok",
        "provider": _maker(row, model) if seller == "other" else seller,
        "user": next((tags[name] for name in USERS if tags.get(name)), None),
        "model": model,
        **({} if adjusts else {"request_count": _requests(row), **_tokens(row)}),
        "project": text(row.get("SubAccountId")),
        "project_name": text(row.get("SubAccountName")),
        **_money(row),
    }


def _money(row: Row) -> Raw:
    """The cost in US dollars; one in another currency by the row's own column, else as it is."""
    currency = _currency(row)
    tags = {name: row.get(column) for name, column in TAGS.items()}
    if currency == "USD":
        cost = nano("BilledCost", row["BilledCost"])
    elif not CURRENCY.fullmatch(currency):
        raise EventError(f"BillingCurrency is {currency[:10]!r}, no currency")
    else:
        cost = nano(DOLLARS, row.get(DOLLARS))
        if cost is None and (amount := decimal("BilledCost", row["BilledCost"])) is not None:
            return {FOREIGN: (currency, amount), "tags": tags_json(**tags)}
        tags |= {"currency": currency, "amount": row["BilledCost"]}
    origin = "unpriced" if cost is None else "reported"
    return {"cost_nano": cost, "cost_origin": origin, "tags": tags_json(**tags)}


def _currency(row: Row) -> str:
    return (text(row["BillingCurrency"]) or "").upper()


def _adjusts(row: Row) -> bool:
    """Whether a row takes back or corrects what another charged."""
    corrects = text(row.get("ChargeClass")) == "Correction"
    given = text(row.get("ChargeCategory")) in GIVEN
    return corrects or given or below_zero("BilledCost", row["BilledCost"])


def _requests(row: Row) -> int | None:
    """How many calls a row sums up, where its quantity is told in them."""
    if (text(row.get("ConsumedUnit")) or "").lower() not in REQUESTS:
        return None
    used = quantity("ConsumedQuantity", row.get("ConsumedQuantity")) or Decimal(0)
    return int(used) if used >= 1 and used == used.to_integral_value() else None


def _tokens(row: Row) -> Raw:
    """The tokens of a row, where its quantity is told in them and what kind they are."""
    found = TOKENS.fullmatch((text(row.get("ConsumedUnit")) or "").lower())
    if found is None or (kind := _kind_of_tokens(row)) is None:
        return {}
    used = quantity("ConsumedQuantity", row.get("ConsumedQuantity"))
    if used is None:
        return {}
    number, thousand, million = found.groups()
    times = int(number.replace(",", "")) if number else 1
    return {kind: round(used * times * (1_000 if thousand else 10**6 if million else 1))}


def _kind_of_tokens(row: Row) -> str | None:
    texts = (text(row.get(name)) or "" for name in METER)
    return next((kind for one in texts for kind, words in KINDS.items() if words.search(one)), None)


def _model(row: Row) -> str | None:
    """What the details of the price call it; else the resource, where it is what the charge is
    called by: a gateway's rows."""
    details = _texts("SkuPriceDetails", row)
    if named := next((details[name] for name in MODELS if details.get(name)), None):
        return named
    resource = text(row.get("ResourceName"))
    return resource if resource == text(row.get("ChargeDescription")) else None


def _maker(row: Row, model: str | None) -> str | None:
    """Who made the model of a gateway's row; of another row the name is a cloud's."""
    return (text(row.get("ProviderName")) or "").lower() or None if model else None


def _texts(name: str, row: Row) -> dict[str, str]:
    """What a cell holds as text, by name, such as the row's tags; none where it cannot be read."""
    with suppress(EventError):
        found = parsed(name, row.get(name))
        if isinstance(found, Mapping):
            return {name: one for name, one in found.items() if isinstance(one, str)}
    return {}


IGNORED: Final = {
    "ListCost": "the price before discounts",
    "ContractedCost": "the price of the contract; what is billed counts",
    "*UnitPrice": "a rate",
    "PricingQuantity": "ConsumedQuantity in the unit of the price",
    "x_BilledCostInUsd": "BilledCost, where that is in dollars",
}
FORMAT = Format("focus", "A cloud bill in FOCUS 1.0", recognises, read, ignored=IGNORED)
