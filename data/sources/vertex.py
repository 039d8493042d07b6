"""Vertex AI's request-response logs: rows of the BigQuery table as JSON lines (or a JSON list).

event_id      `vertex:` + request_id
ts            logging_time, the end of the call
model         the last part of `model` (`publishers/google/models/gemini-2.5-pro`), else
              modelVersion; provider gcp.vertex_ai; operation generate_content
tokens        usageMetadata of full_response (an object, or the same as text; of a stream the last
              that has one), in camel or snake case: promptTokenCount INCLUDES cached ones,
              candidatesTokenCount EXCLUDES thoughts, unless the total says otherwise; audio and
              answered images of …TokensDetails are parts of them. Claude's `usage` on Vertex:
              disjoint already
cost          by our book; traffic by provisioned throughput is paid otherwise: unpriced
assistant     the label adk_agent_name of the request; other labels are left out
duration_ms   metadata.request_latency
stays null    user and project (--user, --project). A sampling rate below 1 logs only a part
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED
from data.sources.anthropic.answers import answer_tokens
from data.sources.entries import documents
from data.sources.fields import folder_name, parsed, part, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.gemini_cli import USAGE_METADATA, used_tokens
from data.sources.times import instant

NEEDED: Final = {"logging_time", "full_response"}
PROVISIONED: Final = "PROVISIONED_THROUGHPUT"
WORD: Final = re.compile(r"_([a-z])")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.keys() >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    return records(documents(file), _call, options)


def _call(_: str, row: Row) -> Iterator[Raw]:
    own = row.get("request_id")
    if own in (None, ""):
        raise EventError("request_id is missing")
    answer = _answer(row.get("full_response"))
    decoded = parsed("full_request", row.get("full_request"))
    request = decoded if isinstance(decoded, Mapping) else {}
    usage = _camel(part(answer, "usageMetadata"))
    yield {
        "event_id": f"vertex:{own}",
        "ts": instant("logging_time", row.get("logging_time")),
        "kind": "llm",
        "channel": "api",
        "source": "vertex",
        **_outcome(answer),
        "assistant": text(part(request, "labels").get("adk_agent_name")),
        "provider": "gcp.vertex_ai",
        "model": folder_name(row.get("model")) or text(answer.get("modelVersion")),
        "operation": "generate_content",
        **(used_tokens(usage, USAGE_METADATA) if usage else answer_tokens(part(answer, "usage"))),
        **_billing(text(usage.get("trafficType"))),
        "duration_ms": _latency(row),
        "tags": tags_json(method=text(row.get("api_method")), traffic=usage.get("trafficType")),
    }


def _answer(value: Any) -> Row:
    """The answer; of a stream the last part that tells what was used."""
    decoded = parsed("full_response", value)
    parts = [_camel(each) for each in (decoded if isinstance(decoded, list) else [decoded])
             if isinstance(each, Mapping)]  # fmt: skip
    telling = [each for each in parts if "usageMetadata" in each or "usage" in each]
    return (telling or parts or [{}])[-1]


def _camel(row: Row) -> Row:
    """Names in camel case, however they were written."""
    return {WORD.sub(lambda found: found[1].upper(), name): value for name, value in row.items()}


def _outcome(answer: Row) -> Raw:
    error = part(answer, "error")
    if not error:
        return {"status": "ok"}
    return {"status": "error", "error_class": text(error.get("status")) or str(error.get("code"))}


def _billing(traffic: str | None) -> Raw:
    if traffic != PROVISIONED:
        return {}
    return UNPRICED | {"unpriced_reason": "no rate for provisioned throughput"}


def _latency(row: Row) -> int | None:
    metadata = parsed("metadata", row.get("metadata"))
    latency = metadata.get("request_latency") if isinstance(metadata, Mapping) else None
    return whole("request_latency", latency)


FORMAT = Format("vertex", "Vertex AI's request logs", recognises, read)
