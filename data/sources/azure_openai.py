"""Azure OpenAI's diagnostic logs of the category RequestResponse: JSON lines (`PT1H.json` in the
container `insights-logs-requestresponse`), or `records` of an event hub.

event_id      `azure_openai:` + a fingerprint of correlationId, time, resource and operation
call          each line whose properties (an object, or the same as text) name a model or its
              deployment: other operations call none
tokens, cost  null: Azure tells only how many bytes were sent; unpriced for that reason
model         modelName, else null; the deployment and the model's version stand in tags;
              provider azure
project       the account: the last part of resourceId; user objectId where Azure knows one
status        resultSignature from 400 on is an error of that class
duration_ms   durationMs, where it is none below 0
not counted   lines of other categories, and operations without a model
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.aggregates import UNPRICED
from data.sources.entries import documents
from data.sources.fields import fingerprint, folder_name, instant, parsed, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records

CATEGORY: Final = "RequestResponse"
OPERATIONS: Final = {"chatcompletions": "chat", "embeddings": "embeddings",
                     "completions": "text_completion"}  # fmt: skip
OTHER: Final = Note("lines of other categories, or of operations that call no model: not stored")
SILENT: Final = Note("Azure's request logs tell no tokens: calls without tokens and cost")
FAILED: Final = 400
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    several = first.get("records")
    line = several[0] if isinstance(several, list) and several else first
    return isinstance(line, Mapping) and line.get("category") == CATEGORY and "properties" in line


def read(file: File, options: Options) -> Iterator[Record]:
    return records(_lines(file), _call, options)


def _lines(file: File) -> Iterator[Entry]:
    """Lines, and those that an event hub's message holds."""
    for where, value in documents(file):
        several = value.get("records") if isinstance(value, Mapping) else None
        if isinstance(several, list):
            yield from ((f"{where}#{number}", each) for number, each in enumerate(several, start=1))
        else:
            yield where, value


def _call(_: str, line: Row) -> Iterator[Raw | Note]:
    told = parsed("properties", line.get("properties"))
    properties = told if isinstance(told, Mapping) else {}
    model, deployment = (text(properties.get(name)) for name in
                         ("modelName", "modelDeploymentName"))  # fmt: skip
    if line.get("category") != CATEGORY or not (model or deployment):
        yield OTHER
        return
    moment, resource = instant("time", line.get("time")), text(line.get("resourceId"))
    operation = text(line.get("operationName")) or ""
    parts = line.get("correlationId"), moment.isoformat(), (resource or "").lower(), operation
    duration = whole("durationMs", line.get("durationMs"))
    yield {
        "event_id": fingerprint("azure_openai", *parts, properties.get("requestTime")),
        "ts": moment,
        "kind": "llm",
        "channel": "api",
        "source": "azure_openai",
        **_outcome(whole("resultSignature", line.get("resultSignature"))),
        "user": text(properties.get("objectId")),
        "project": folder_name(resource),
        "provider": "azure",
        "model": model,
        "operation": OPERATIONS.get(operation.partition("_")[0].lower()),
        **UNPRICED,
        "unpriced_reason": "no token counts",
        "duration_ms": duration if (duration or 0) >= 0 else None,
        "tags": tags_json(deployment=deployment, version=text(properties.get("modelVersion"))),
    }
    yield SILENT


def _outcome(status: int | None) -> Raw:
    failed = status is not None and status >= FAILED
    return {"status": "error", "error_class": str(status)} if failed else {"status": "ok"}


FORMAT = Format("azure_openai", "Azure OpenAI's request logs", recognises, read)
