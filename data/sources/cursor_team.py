"""Cursor's team API: answers of POST /teams/filtered-usage-events, a request to a model an event.

event_id      `cursor_team:` + a fingerprint of time, person, kind, model and tokens, and the
              ordinal among events that are alike: Cursor gives no id
ts            timestamp, milliseconds; user userEmail; client cursor
model         as it is; provider null
tokens        tokenUsage: four disjoint counts; null where the request is not counted by tokens
cost          of requests that are charged by use, reported: chargedCents where they are told (the
              model's totalCents and Cursor's own fee for tokens), else totalCents and
              cursorTokenFee. Of totalCents the discount that discountPercentOff says is already
              taken off. What a plan includes costs 0, what it is worth stands in tags. A request
              without any of these: 0 where included, else unknown
status        kind `Errored, …` is error, `Aborted, …` aborted; else ok. kind and maxMode in tags
not counted   usage of a CSV export of the same days is the same use again
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from data.sources.cursor import UNCHARGED, request
from data.sources.entries import documents
from data.sources.fields import CENTS, amount, count, nano, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import milliseconds

LISTED: Final = "usageEvents"
COUNTS: Final = {
    "input_tokens": "inputTokens",
    "cached_input_tokens": "cacheReadTokens",
    "cache_write_tokens": "cacheWriteTokens",
    "output_tokens": "outputTokens",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return LISTED in head.first or ('"usageEvents"' in head.text and '"tokenUsage"' in head.text)


def read(file: File, options: Options) -> Iterator[Record]:
    alike: Counter[str] = Counter()

    def convert(_: str, page: Row) -> Iterator[Raw]:
        for event in page.get(LISTED) or ():
            made = _request(event)
            alike[made["event_id"]] += 1
            yield made | {"event_id": f"{made['event_id']}:{alike[made['event_id']]}"}

    return records(documents(file), convert, options)


def _request(event: Row) -> Raw:
    usage, kind = part(event, "tokenUsage"), text(event.get("kind")) or ""
    moment = milliseconds("timestamp", event.get("timestamp"))
    user, model = text(event.get("userEmail")), text(event.get("model"))
    tokens = {ours: count(theirs, usage.get(theirs)) for ours, theirs in COUNTS.items()}
    worth = amount("totalCents", usage.get("totalCents"), CENTS)
    return {
        **request("cursor_team", moment, user, kind, model, tokens),
        **_cost(kind, _charged(event, worth)),
        "tags": tags_json(
            kind=kind, max_mode=event.get("maxMode") or None, worth=worth,
            request_cost=event.get("requestsCosts"),
        ),
    }  # fmt: skip


def _charged(event: Row, worth: Decimal | None) -> Decimal | None:
    """What a request costs if it is charged: the model's price, and Cursor's fee for tokens."""
    charged = amount("chargedCents", event.get("chargedCents"), CENTS)
    fee = amount("cursorTokenFee", event.get("cursorTokenFee"), CENTS)
    if charged:
        return charged
    return worth if worth is None or fee is None else worth + fee


def _cost(kind: str, dollars: Any) -> Raw:
    if UNCHARGED.search(kind):
        return {"cost_nano": 0, "cost_origin": "reported"}
    if dollars is None:
        return {}
    return {"cost_nano": nano("totalCents", dollars), "cost_origin": "reported"}


IGNORED: Final = {
    "totalUsageEventsCount": "how many events there are on all pages",
    "*.requestsCosts": "requests of the plan, which are no money",
}
FORMAT = Format("cursor_team", "Cursor's team usage", recognises, read, ignored=IGNORED)
