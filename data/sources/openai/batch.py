"""OpenAI's batch results (output and error files of /v1/batches): JSON lines, a request each.

Azure, Mistral, Groq and others write the same lines.
event_id      `openai_batch:` + the line's id, else response.request_id, else the answer's id
ts            the answer's `created` (`created_at`), when its batch made it; embeddings, moderations
              and failures tell no time: theirs is --start, without it they are rejected
model         body.model as it is; provider openai or azure where the line shows which, else open
tokens        of body.usage: prompt_tokens (input_tokens) INCLUDE cached ones, which are taken off;
              completion_tokens (output_tokens) include reasoning
cost          our list price of batches
status        `error`, or an HTTP status from 400 on, is a failed call of that code
context       user where the answer repeats one; custom_id, which only its batch knows, in tags
stays null    project (--project), duration, conversation
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import values
from data.sources.fields import count, part, prompt_counts, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import batch_start, unix_instant

LINE: Final = {"custom_id", "response"}
LONG: Final = re.compile(r'\s*\{\s*"id"\s*:\s*"batch_req_')  # a first line longer than the head
OPENAI: Final = re.compile(
    r"(ft:)?(gpt-\d|chatgpt|o\d|text-embedding-(3|ada)|(text|omni)-moderation|davinci|babbage)"
)
OPERATIONS: Final = {
    "list": "embeddings", "text_completion": "text_completion", "chat.completion": "chat",
    "response": "chat",
}  # fmt: skip
FAILED: Final = 400
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    if not first:
        return LONG.match(head.text) is not None
    answered = part(first, "response")
    return first.keys() >= LINE and ("error" in first or "status_code" in answered)


def read(file: File, options: Options) -> Iterator[Record]:
    def convert(_: str, row: Row) -> Iterator[Raw]:
        yield _call(row, options.start)

    return records(values(file), convert, options)


def _call(row: Row, start: datetime | None) -> Raw:
    response = part(row, "response")
    body = part(response, "body")
    model = text(body.get("model"))
    failed = _failure(row, response, body)
    return {
        "event_id": f"openai_batch:{_id(row, response, body)}",
        "ts": _moment(body, start),
        "kind": "llm",
        "channel": "api",
        "source": "openai_batch",
        "status": "error" if failed else "ok",
        "error_class": failed,
        "user": text(body.get("user")) or text(body.get("safety_identifier")),
        "provider": _provider(body, model),
        "model": model,
        "operation": OPERATIONS.get(str(body.get("object"))),
        **answer_tokens(part(body, "usage")),
        "service_tier": "batch",
        "tags": tags_json(custom_id=text(row.get("custom_id"))),
    }


def _id(row: Row, response: Row, body: Row) -> str:
    ids = (row.get("id"), response.get("request_id"), body.get("id"))
    found = next(filter(None, map(text, ids)), None)
    if found is None:
        raise EventError("the result has no id")
    return found


def _moment(body: Row, start: datetime | None) -> datetime:
    created = body.get("created") or body.get("created_at")
    if created is not None:
        return unix_instant("created", created)
    return batch_start(start)


def _failure(row: Row, response: Row, body: Row) -> str | None:
    """The class of an error, none where the request was answered."""
    status = count("status_code", response.get("status_code")) or 0
    for error in (part(row, "error"), part(body, "error")):
        if named := text(error.get("code")) or text(error.get("type")):
            return named
    return str(status or "error") if status >= FAILED or row.get("error") else None


def _provider(body: Row, model: str | None) -> str | None:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if "prompt_filter_results" in body or (
        isinstance(first, Mapping) and "content_filter_results" in first
    ):
        return "azure"
    return "openai" if model and OPENAI.match(model) else None


def answer_tokens(usage: Row) -> Raw:
    """The disjoint counts of an answer's `usage`, of chat completions, responses, embeddings."""
    prompt = count("prompt_tokens", usage.get("prompt_tokens", usage.get("input_tokens")))
    output = usage.get("completion_tokens", usage.get("output_tokens"))
    inside = part(usage, "prompt_tokens_details") or part(usage, "input_tokens_details")
    details = part(usage, "completion_tokens_details") or part(usage, "output_tokens_details")
    cached = count("cached_tokens", inside.get("cached_tokens"))
    return {
        **prompt_counts("prompt_tokens", prompt, cached),
        "output_tokens": count("completion_tokens", output),
        "reasoning_tokens": count("reasoning_tokens", details.get("reasoning_tokens")),
        "input_audio_tokens": count("audio_tokens", inside.get("audio_tokens")) or None,
        "output_audio_tokens": count("audio_tokens", details.get("audio_tokens")) or None,
    }


FORMAT = Format("openai_batch", "OpenAI's batch results", recognises, read)
