"""Anthropic's batch results (`results_url` of a message batch): JSON lines, a request each.

event_id      `anthropic_batch:` + the message's id; of a failure request_id, else a fingerprint of
              --start, custom_id and how it ended
ts            --start: a result tells no time, and without it the file is not read
tokens        of message.usage, which EXCLUDES cache reads and writes from input_tokens
cost          our list price of batches; of inference in the US alone (inference_geo) none
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
from data.sources.anthropic.answers import answer_tokens, in_us_alone, processed_as
from data.sources.entries import values
from data.sources.fields import fingerprint, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import batch_start

STATUS: Final = {
    "succeeded": "ok", "errored": "error", "expired": "error", "canceled": "aborted",
}  # fmt: skip
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
        **_processed_as(part(message, "usage")),
        "tags": tags_json(custom_id=text(row.get("custom_id"))),
    }


def _processed_as(usage: Row) -> Raw:
    """As a batch, whatever else the answer says but where it was made."""
    return processed_as(usage) if in_us_alone(usage) else {"service_tier": "batch"}


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
