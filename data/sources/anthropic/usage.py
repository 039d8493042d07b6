"""Anthropic's organisation usage and costs: usage_report/messages, cost_report, the console's CSVs.

Sums over a bucket (data/sources/aggregates.py): one event a row; Anthropic does not say of
how many requests.
ts            the bucket's start; a bucket still open when the file was written is not stored
event_id      `anthropic:<report>:` + a fingerprint of bucket and grouping, never of amounts
user, project account_id, workspace_id; null where not grouped by them, and for the default
              workspace. The CSV knows workspaces and keys by their names alone
model         as it is; provider anthropic; channel api. Failures are not reported: status is ok
tokens        disjoint already; writes for 5 minutes and for an hour together, those for an hour
              as their part
cost          usage: our list price of the tokens and web searches, prompts over 200k at theirs, in
              the tier of the row (service_tier; speed fast); unpriced for US inference
costs         what Anthropic billed (in CENTS by the API, in dollars by the console). Each dollar
              has one source: tokens and searches bring their money as usage, so a row for them
              (or one that does not say what for) is only summed up in the report, to compare; rows
              of cost_type code_execution and session_usage have no usage and are stored as reported
not counted   the same days grouped in two ways, and the CSV beside the API, are other rows with
              other ids: import one view of a period
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import Bucket, Tally, begins, key, result, rows_of, written
from data.sources.anthropic.answers import processed_as
from data.sources.delimited import rows
from data.sources.entries import documents
from data.sources.fields import count, decimal, paid, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

IN_USAGE: Final = (None, "tokens", "token", "web_search")
Row = Mapping[str, Any]
CSV: Final = {"usage_date_utc", "model_version", "usage_input_tokens_no_cache"}
COSTS_CSV: Final = {"usage_date_utc", "token_type", "cost_usd"}
LONG: Final = "200k-1M"
TAGS: Final = (
    "api_key_id", "service_account_id", "context_window", "service_tier", "speed", "inference_geo",
)  # fmt: skip
WRITE: Final = "usage_input_tokens_cache_write"
WRITES: Final = ((("5m", "_5m"), ("1h", "_1h")), (("5m", ""),))  # older exports have one column
RENAMED: Final = {
    "uncached_input_tokens": "usage_input_tokens_no_cache",
    "cache_read_input_tokens": "usage_input_tokens_cache_read",
    "output_tokens": "usage_output_tokens",
    "model": "model_version",
    "service_tier": "usage_type",
}


def billed_cents(row_fields: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """A row of cost_report."""
    cents = decimal("amount", row.get("amount"))
    if cents is None:
        raise EventError("amount is missing")
    yield from _billed(row_fields, bucket, row, cents / 100, tally)


def billed_dollars(row_fields: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """A row of the console's CSV."""
    dollars = decimal("cost_usd", row.get("cost_usd"))
    if dollars is None:
        raise EventError("cost_usd is missing")
    workspace = {"project": text(row.get("workspace"))}
    yield from _billed(row_fields | workspace, bucket, row, dollars, tally)


def _billed(
    row_fields: Raw, bucket: Bucket, row: Row, amount: Decimal, tally: Tally
) -> Iterator[Raw]:
    """The event of what no usage row tells; a row for tokens or searches is compared alone."""
    kind, currency = text(row.get("cost_type")), text(row.get("currency")) or "USD"
    if kind in IN_USAGE:
        if currency.upper() != "USD":
            return tally.other("for tokens in another currency: not compared with the usage")
        return tally.bill.add(row_fields, amount)
    tally.count(None)
    yield {
        **row_fields,
        "kind": "adjustment" if amount < 0 else "llm",
        "operation": kind,
        "model": text(row.get("model")),
        **paid("amount", amount, currency),
        "tags": tags_json(bucket=bucket.width, description=row.get("description")),
    }


def _pages(head: Head) -> bool:
    return any(begins(head, end, "results") for end in ("starting_at", "ending_at"))


def _csv(head: Head) -> bool:
    return any(set(head.columns) >= sign for sign in (CSV, COSTS_CSV))


def _read_pages(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, entry: Row) -> Iterator[Raw]:
        bucket = Bucket(
            *(instant(name, entry.get(name)) for name in ("starting_at", "ending_at")),
        )
        row = result(entry)
        if bucket.partial(moment):
            tally.open += 1
        elif "amount" in row:
            yield from billed_cents(_row_fields("costs", bucket, row), bucket, row, tally)
        else:
            yield _used("messages", bucket, row, tally)

    yield from records(rows_of(documents(file)), convert, options)
    yield from tally.notes(file.name)


def _read_csv(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, cells: Row) -> Iterator[Raw]:
        day = instant("usage_date_utc", cells.get("usage_date_utc"))
        bucket = Bucket(day, day + timedelta(days=1))
        if bucket.partial(moment):
            tally.open += 1
        elif "cost_usd" in cells:
            yield from billed_dollars(_row_fields("csv_costs", bucket, cells), bucket, cells, tally)
        else:
            yield _used("csv", bucket, _as_answered(cells), tally)

    yield from records(rows(file), convert, options)
    yield from tally.notes(file.name)


def _as_answered(cells: Row) -> Row:
    """A row of the CSV under the API's names; '≤ 200k' and '> 200k' are the context windows."""
    window = text(cells.get("context_window"))
    return dict(cells) | {
        **{name: cells.get(column) for name, column in RENAMED.items()},
        "cache_creation": {
            f"ephemeral_{age}_input_tokens": cells.get(f"{WRITE}{suffix}")
            for age, suffix in WRITES[WRITE in cells]
        },
        "server_tool_use": {"web_search_requests": cells.get("web_search_count")},
        "context_window": LONG if window and window.startswith(">") else window,
        "api_key_id": cells.get("api_key"),
        "workspace_id": cells.get("workspace"),
    }


def _used(report: str, bucket: Bucket, row: Row, tally: Tally) -> Raw:
    hour = count("ephemeral_1h_input_tokens", _cache_creation(row, "ephemeral_1h_input_tokens"))
    tokens, model = _tokens(row, hour), text(row.get("model"))
    tier = processed_as(row)
    searches = (row.get("server_tool_use") or {}).get("web_search_requests")
    long = text(row.get("context_window")) == LONG
    requests = count("requests", row.get("requests")) or None  # Claude Enterprise tells them
    tally.count(requests)
    tally.special += "unpriced_reason" in tier
    tally.nameless += model is None
    return {
        **_row_fields(report, bucket, row),
        "operation": "chat",
        "model": model,
        **tokens,
        "web_searches": count("web_search_requests", searches) or None,
        **tier,
        "request_count": requests,
        "tags": tags_json(
            bucket=bucket.width,
            many_prompts=None if long else True,
            **{name: row.get(name) for name in TAGS},
        ),
    }


def _row_fields(report: str, bucket: Bucket, row: Row) -> Raw:
    return {
        "event_id": key(f"anthropic:{report}", bucket, row),
        "ts": bucket.start,
        "kind": "llm",
        "channel": "api",
        "source": "anthropic",
        "status": "ok",
        "provider": "anthropic",
        "user": text(row.get("account_id")),
        "project": text(row.get("workspace_id")),
    }


def _cache_creation(row: Row, name: str) -> Any:
    return (row.get("cache_creation") or {}).get(name)


def _tokens(row: Row, hour: int | None) -> Raw:
    short = count("ephemeral_5m_input_tokens", _cache_creation(row, "ephemeral_5m_input_tokens"))
    stored = None if hour is None and short is None else (hour or 0) + (short or 0)
    return {
        "input_tokens": count("uncached_input_tokens", row.get("uncached_input_tokens")),
        "cached_input_tokens": count("cache_read_input_tokens", row.get("cache_read_input_tokens")),
        "cache_write_tokens": stored,
        "cache_write_1h_tokens": hour or None,
        "output_tokens": count("output_tokens", row.get("output_tokens")),
    }


FORMATS = (
    Format(
        "anthropic_usage",
        "Anthropic's usage and cost reports",
        _pages,
        _read_pages,
        billed_source="anthropic",
    ),
    Format("anthropic_csv", "Anthropic's usage as CSV", _csv, _read_csv, billed_source="anthropic"),
)
