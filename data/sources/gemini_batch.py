"""Results of Gemini's batches: Vertex AI's predictions and the Gemini API's, JSON lines, a request
each.

event_id      `gemini_batch:` + responseId, else a fingerprint of the line
ts            processed_time (Vertex), else the answer's createTime, else --start: a line of the
              Gemini API often tells none, and without --start it is rejected
model         modelVersion without `@default`; provider gcp.vertex_ai where processed_time tells
              that it is Vertex's, else google; operation generate_content
tokens        usageMetadata, as in vertex.py
cost          our list price of batches
status        `status` (Vertex) or `error` that says something: a failed call
stays null    user and project (--user, --project), duration
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from data.sources.entries import values
from data.sources.fields import digest, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.gemini_cli import USAGE_METADATA, used_tokens
from data.sources.times import batch_start, instant

VERTEX: Final = {"processed_time", "request", "status"}
ANSWERED: Final = ("usageMetadata", "candidates")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    answer = part(first, "response")
    return first.keys() >= VERTEX or ("key" in first and any(name in answer for name in ANSWERED))


def read(file: File, options: Options) -> Iterator[Record]:
    def convert(_: str, row: Row) -> Iterator[Raw]:
        yield _call(row, options.start)

    return records(values(file), convert, options)


def _call(row: Row, start: datetime | None) -> Raw:
    answer, failed = part(row, "response"), _failure(row)
    own = text(answer.get("responseId")) or digest(*sorted(row.items()))
    model = text(answer.get("modelVersion"))
    return {
        "event_id": f"gemini_batch:{own}",
        "ts": _moment(row, answer, start),
        "kind": "llm",
        "channel": "api",
        "source": "gemini_batch",
        "status": "error" if failed else "ok",
        "error_class": failed,
        "provider": "gcp.vertex_ai" if "processed_time" in row else "google",
        "model": model and model.partition("@")[0],
        "operation": "generate_content",
        **used_tokens(part(answer, "usageMetadata"), USAGE_METADATA),
        "service_tier": "batch",
        "tags": tags_json(key=text(row.get("key"))),
    }


def _moment(row: Row, answer: Row, start: datetime | None) -> datetime:
    stamp = row.get("processed_time") or answer.get("createTime")
    if stamp is not None:
        return instant("processed_time", stamp)
    return batch_start(start)


def _failure(row: Row) -> str | None:
    error = part(row, "error")
    if error:
        return text(error.get("status")) or str(error.get("code"))
    status = text(row.get("status"))
    return status and status.partition(":")[0][:60]


FORMAT = Format("gemini_batch", "Gemini's batch results", recognises, read)
