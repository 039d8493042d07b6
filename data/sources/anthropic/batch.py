"""Anthropic's batch results (`results_url` of a message batch): JSON lines, a request each.

event_id      `anthropic_batch:` + the message's id; of a failure request_id, else a fingerprint of
              --start, custom_id and how it ended
ts            --start: a result tells no time, and without it the file is not read
tokens        of message.usage, which EXCLUDES cache reads and writes from input_tokens
cost          our list price of batches
status        errored is an error of the API's type, expired an error, canceled aborted. None of
              them is billed
stays null    user and project (--user, --project), duration, conversation
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import values
from data.sources.fields import batch_start, count, fingerprint, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records

STATUS: Final = {
    "succeeded": "ok", "errored": "error", "expired": "error", "canceled": "aborted",
}  # fmt: skip
TOKENS: Final = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "output_tokens": "output_tokens",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return "custom_id" in head.first and part(head.first, "result").get("type") in STATUS


def read(file: File, options: Options) -> Iterator[Record]:
    def convert(_: str, row: Row) -> Iterator[Raw]:
        yield _call(row, batch_start(options.start))

    return records(values(file), convert, options)


def _call(row: Row, start: datetime) -> Raw:
    result = part(row, "result")
    ended = str(result.get("type"))
    if ended not in STATUS:
        raise EventError(f"a result is one of {', '.join(STATUS)}, not {ended[:40]!r}")
    message = part(result, "message")
    return {
        "event_id": f"anthropic_batch:{_id(row, result, start)}",
        "ts": start,
        "kind": "llm",
        "channel": "api",
        "source": "anthropic_batch",
        "status": STATUS[ended],
        "error_class": None if ended == "succeeded" else _error(result) or ended,
        "provider": "anthropic",
        "model": text(message.get("model")),
        "operation": "chat",
        **answer_tokens(part(message, "usage")),
        "service_tier": "batch",
        "tags": tags_json(custom_id=text(row.get("custom_id"))),
    }


def answer_tokens(usage: Row) -> Raw:
    """The counts of a message's `usage`, which do not overlap."""
    hour = part(usage, "cache_creation").get("ephemeral_1h_input_tokens")
    searches = part(usage, "server_tool_use").get("web_search_requests")
    return {
        **{ours: count(theirs, usage.get(theirs)) for ours, theirs in TOKENS.items()},
        "cache_write_1h_tokens": count("ephemeral_1h_input_tokens", hour),
        "web_searches": count("web_search_requests", searches) or None,
    }


def _id(row: Row, result: Row, start: datetime) -> str:
    own = text(part(result, "message").get("id")) or text(part(result, "error").get("request_id"))
    if own:
        return own
    if result.get("type") == "succeeded":
        raise EventError("the message has no id")
    return fingerprint("ended", start.isoformat(), row.get("custom_id"), result.get("type"))


def _error(result: Row) -> str | None:
    """The API's name of an error; the results wrap it in an object of type `error`."""
    error = part(result, "error")
    return text((part(error, "error") or error).get("type"))


FORMAT = Format("anthropic_batch", "Anthropic's batch results", recognises, read, needs_start=True)
