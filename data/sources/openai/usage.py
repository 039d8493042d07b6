"""OpenAI's organisation usage and costs: pages of the admin API, and the dashboard's CSV exports.

Sums over a bucket (data/sources/aggregates.py): one event a row, not one a request.
ts            the bucket's start; a bucket still open when the file was written is not stored
event_id      `openai:<endpoint>:` + a fingerprint of bucket and grouping, never of amounts
user, project user_id, project_id (their e-mail and name where the CSV has them); null where the
              usage was not grouped by them. api_key_id goes to tags
model         as it is; provider openai; channel api. Failures are not reported: status is ok
tokens        input_tokens INCLUDE cache reads and writes, which are taken off; audio and image
              tokens are among them, as their parts
requests      num_model_requests is request_count; a row of none that used nothing is not stored
cost          usage: our list price of the tokens, in the tier of the row (batch, else service_tier)
costs         what OpenAI billed. Each dollar has one source: tokens bring their money as usage,
              so a line for tokens (or one that does not say what for) is only summed up in the
              report, to compare; lines for tools (web and file search, code interpreter,
              storage) have no tokens anywhere and are stored as reported, without tokens
not counted   usage of tools: searches, containers, storage (no model calls; their money is in
              the costs). The same days grouped in two ways, or by the hour and by the day, are
              other rows with other ids: import one grouping of a period
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import (
    BEGINNING,
    Bucket,
    Tally,
    begins,
    key,
    result,
    rows_of,
    written,
)
from data.sources.delimited import rows
from data.sources.entries import documents
from data.sources.fields import count, decimal, paid, prompt_counts, service_tier, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.times import unix_instant

TOOLS: Final = re.compile(r"web search|file search|code interpreter|vector store|storage", re.I)
Row = Mapping[str, Any]
OPERATIONS: Final = {
    "completions": "chat",
    "embeddings": "embeddings",
    "moderations": "moderation",
    "images": "image_generation",
    "audio_speeches": "speech",
    "audio_transcriptions": "transcription",
}
COSTS: Final = "costs"
OBJECT: Final = re.compile(r"organization\.(?:usage\.)?(\w+)\.result")
PAGE: Final = re.compile(r'"object"\s*:\s*"(?:page|bucket)"')
BUCKET: Final = {"start_time", "end_time"}
CSV: Final = {*BUCKET, "start_time_iso", "end_time_iso"}
SIGNS: Final = {"start_time_iso", "num_model_requests", "amount_value"}  # one of them is enough
OTHERS: Final = (
    "input_audio_tokens", "output_audio_tokens", "input_image_tokens", "output_image_tokens",
)  # fmt: skip
TAGS: Final = ("api_key_id", "batch", "service_tier", "images", "characters", "seconds")
TOKENS: Final = ("input_tokens", "input_cached_tokens", "input_cache_write_tokens", "output_tokens")
USED: Final = (*TOKENS, *OTHERS, "images", "characters", "seconds")
Convert = Callable[[str, Row], Iterator[Raw | Note]]


def billed(row_fields: Raw, bucket: Bucket, row: Row, tally: Tally) -> Iterator[Raw]:
    """The event of a line for tools; a line for tokens is compared alone."""
    amount = row.get("amount")
    money = amount if isinstance(amount, Mapping) else {}
    currency = text(money.get("currency") or row.get("amount_currency")) or "usd"
    amount_paid = decimal(
        "amount", money.get("value") if money else row.get("amount_value") or amount
    )
    if amount_paid is None:
        raise EventError("amount is missing")
    line = text(row.get("line_item"))
    if not (line and TOOLS.search(line)):
        if currency.lower() != "usd":
            return tally.other("for tokens in another currency: not compared with the usage")
        return tally.bill.add(row_fields, amount_paid)
    tally.count(None)
    yield {
        **row_fields,
        "kind": "adjustment" if amount_paid < 0 else "llm",
        "operation": "tool",
        **paid("amount", amount_paid, currency),
        "tags": tags_json(bucket=bucket.width, line_item=line, quantity=row.get("quantity")),
    }


def _pages(head: Head) -> bool:
    return begins(head, "object") and PAGE.search(head.text[:BEGINNING]) is not None


def _csv(head: Head) -> bool:
    columns = set(head.columns)
    return columns >= BUCKET and not columns.isdisjoint(SIGNS)


def _read_pages(file: File, options: Options) -> Iterator[Record]:
    return _read(file, rows_of(documents(file)), options, result)


def _read_csv(file: File, options: Options) -> Iterator[Record]:
    return _read(file, rows(file), options, lambda row: row)


def _read(
    file: File, entries: Iterable[Entry], options: Options, unwrap: Callable[[Row], Row]
) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, entry: Row) -> Iterator[Raw]:
        bucket = Bucket(
            unix_instant("start_time", entry.get("start_time")),
            unix_instant("end_time", entry.get("end_time")),
        )
        row = unwrap(entry)
        endpoint = _endpoint(row)
        if not endpoint or _idle(row):
            tally.other("buckets in which nothing was used")
        elif endpoint != COSTS and endpoint not in OPERATIONS:
            tally.other(f"{endpoint.replace('_', ' ')}, which are no model calls: not stored")
        elif bucket.partial(moment):
            tally.open += 1
        elif endpoint == COSTS:
            yield from billed(_row_fields(COSTS, bucket, row), bucket, row, tally)
        else:
            yield _used(endpoint, bucket, row, tally)

    yield from records(entries, convert, options)
    yield from tally.notes(file.name)


def _endpoint(row: Row) -> str:
    """Which endpoint's row this is; "" for the row of an empty bucket in a CSV."""
    named = OBJECT.fullmatch(text(row.get("object")) or "")
    if named:
        return named[1]
    has = {name for name, value in row.items() if value not in (None, "")}
    model = text(row.get("model")) or ""
    signs = {
        COSTS: "amount_value" in has or "amount" in has,
        "completions": "output_tokens" in has,
        "images": "images" in has,
        "audio_speeches": "characters" in has,
        "audio_transcriptions": "seconds" in has,
        "moderations": "moderation" in model,
        "embeddings": "input_tokens" in has,
        "tools": bool(has - CSV),
    }
    return next((name for name, present in signs.items() if present), "")


def _idle(row: Row) -> bool:
    """Whether a row says that there was no request, and nothing used."""
    requests = count("num_model_requests", row.get("num_model_requests"))
    return requests == 0 and not any(count(name, row.get(name)) for name in USED)


def _used(endpoint: str, bucket: Bucket, row: Row, tally: Tally) -> Raw:
    tokens, model = _tokens(row), text(row.get("model"))
    requests = count("num_model_requests", row.get("num_model_requests")) or None
    batch = str(row.get("batch")).strip().lower() == "true"
    tier = service_tier("batch" if batch else row.get("service_tier"))
    tally.count(requests)
    tally.special += "unpriced_reason" in tier
    tally.nameless += model is None
    return {
        **_row_fields(endpoint, bucket, row),
        "operation": OPERATIONS[endpoint],
        "model": model,
        **tokens,
        **{name: count(name, row.get(name)) or None for name in OTHERS},
        **tier,
        "request_count": requests,
        "tags": tags_json(
            bucket=bucket.width,
            many_prompts=True if requests is None else None,
            **{name: row.get(name) for name in TAGS},
        ),
    }


def _row_fields(endpoint: str, bucket: Bucket, row: Row) -> Raw:
    email = text(row.get("user_email"))
    return {
        "event_id": key(f"openai:{endpoint}", bucket, row),
        "ts": bucket.start,
        "kind": "llm",
        "channel": "api",
        "source": "openai",
        "status": "ok",
        "provider": "openai",
        "user": text(row.get("user_id")) or email,
        "user_name": email,
        "project": text(row.get("project_id")),
        "project_name": text(row.get("project_name")),
    }


def _tokens(row: Row) -> Raw:
    given, cached, stored, output = (count(name, row.get(name)) for name in TOKENS)
    return {
        **prompt_counts("input_tokens", given, cached, stored),
        "output_tokens": output,
    }


IGNORED: Final = {
    "*num_requests": "searches, which the costs report bills",
    "*usage_bytes": "storage, which the costs report bills",
    "*text_tokens": "the rest beside sound and images",
    "*input_uncached_tokens": "input without input_cached_tokens",
    "*input_cached_*_tokens": "what the cached input was of",
    "*input_image_tokens": "costs as text",
}
FORMATS = (
    Format(
        "openai_usage",
        "OpenAI's usage and costs",
        _pages,
        _read_pages,
        billed_source="openai",
        ignored=IGNORED,
    ),
    Format(
        "openai_csv",
        "OpenAI's usage or costs as CSV",
        _csv,
        _read_csv,
        billed_source="openai",
        ignored=IGNORED,
    ),
)
