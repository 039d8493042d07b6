"""Azure OpenAI's diagnostic logs: JSON lines (`PT1H.json` in the containers `insights-logs-…`),
`records` of an event hub, or rows of AzureDiagnostics (CSV or JSON of Log Analytics). Categories
RequestResponse, of the account itself, and GatewayLogs, of an API Management before it that logs
bodies.

event_id      `azure_openai:` + the answer's id where a gateway logged it, else a fingerprint of
              correlationId, time, resource and operation
call          each line whose properties (an object, or the same as text) name a model or its
              deployment; of a gateway, whose operation answers as a model or, as operations may
              be named anyhow, whose POST went to a path of one: others call none
tokens        RequestResponse: null, Azure tells only how many bytes were sent; unpriced for that
              reason. GatewayLogs: usage of the backend's answer, null for a stream; list price
model         modelName, or the answer's; the deployment and the model's version stand in tags;
              provider azure
project       the account or gateway: the last part of resourceId; user objectId where it is known
status        resultSignature (a gateway's responseCode) from 400 on is an error of that class
duration_ms   durationMs, where it is none below 0
not counted   lines of other categories, and operations without a model. A gateway's lines and its
              account's are the same calls under other ids: import one of the two
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED
from data.sources.delimited import rows
from data.sources.entries import begins_json, by_head, documents
from data.sources.fields import fingerprint, folder_name, parsed, part, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.openai.batch import answer_tokens
from data.sources.times import instant

ACCOUNT: Final = "RequestResponse"
GATEWAY: Final = "GatewayLogs"
OPERATIONS: Final = {"chatcompletions": "chat", "embeddings": "embeddings",
                     "completions": "text_completion"}  # fmt: skip
PATH: Final = re.compile(r"/(chat/completions|responses|embeddings|completions)/?(?:\?|$)")
PATHS: Final = {"chat/completions": "chat", "responses": "chat", "embeddings": "embeddings",
                "completions": "text_completion"}  # fmt: skip
OTHER: Final = Note("lines of other categories, or of operations that call no model: not stored")
UNTOLD: Final = UNPRICED | {"unpriced_reason": "no token counts"}
SILENT: Final = Note("Azure's request logs tell no tokens: calls without tokens and cost")
FAILED: Final = 400
ROW: Final = frozenset({"Category", "OperationName", "properties_s"})  # of AzureDiagnostics
COLUMNS: Final = {  # as the logs themselves spell them
    "category": ("Category",), "operationName": ("OperationName",),
    "properties": ("properties_s",), "correlationId": ("CorrelationId",),
    "durationMs": ("DurationMs",), "resourceId": ("ResourceId", "_ResourceId"),
    "resultSignature": ("ResultSignature", "resultSignature_d"),
    "time": ("TimeGenerated", "TimeGenerated [UTC]"),
}  # fmt: skip
SHOWN: Final = "%m/%d/%Y, %I:%M:%S.%f %p"  # as the portal writes times
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    first = head.first
    if first.keys() | set(head.columns) >= ROW:
        return ACCOUNT in head.text or GATEWAY in head.text
    several = first.get("records")
    line = several[0] if isinstance(several, list) and several else first
    return (
        isinstance(line, Mapping)
        and "properties" in line
        and line.get("category") in (ACCOUNT, GATEWAY)
    )


def read(file: File, options: Options) -> Iterator[Record]:
    return records(_lines(file), _call, options)


def _lines(file: File) -> Iterator[Entry]:
    """Lines, and those that an event hub's message holds."""
    for where, value in by_head(file, begins_json, documents, rows):
        several = value.get("records") if isinstance(value, Mapping) else None
        if isinstance(several, list):
            yield from ((f"{where}#{number}", each) for number, each in enumerate(several, start=1))
        else:
            yield where, _as_logged(value)


def _as_logged(value: Any) -> Any:
    """A row of AzureDiagnostics under the names of the log that it was made of."""
    if not isinstance(value, Mapping) or "properties_s" not in value:
        return value
    row = {name: next((value[each] for each in spelled if value.get(each)), None)
           for name, spelled in COLUMNS.items()}  # fmt: skip
    with suppress(ValueError, TypeError):
        row["time"] = datetime.strptime(str(row["time"]), SHOWN).replace(tzinfo=UTC).isoformat()
    return row


def _call(_: str, line: Row) -> Iterator[Raw | Note]:
    properties, category = _object(line.get("properties")), line.get("category")
    answer = _object(properties.get("backendResponseBody") or properties.get("responseBody"))
    operation = text(properties.get("operationId")) or text(line.get("operationName")) or ""
    called = OPERATIONS.get(operation.partition("_")[0].lower()) or _by_path(properties)
    named = properties.get("modelName") or properties.get("modelDeploymentName")
    if category == ACCOUNT and named:
        yield _event(line, properties, answer) | UNTOLD | {"operation": called}
        yield SILENT
    elif category == GATEWAY and called:
        yield _event(line, properties, answer) | {"operation": called}
    else:
        yield OTHER


def _by_path(properties: Row) -> str | None:
    """What a gateway's POST asks of a model, by where it went."""
    found = PATH.search(text(properties.get("url")) or "")
    return PATHS[found[1]] if found and text(properties.get("method")) == "POST" else None


def _event(line: Row, properties: Row, answer: Row) -> Raw:
    duration = whole("durationMs", line.get("durationMs"))
    status = properties.get("responseCode", line.get("resultSignature"))
    return {
        "event_id": _id(line, properties, answer),
        "ts": instant("time", line.get("time")),
        "kind": "llm",
        "channel": "api",
        "source": "azure_openai",
        **_outcome(whole("responseCode", status)),
        "user": text(properties.get("objectId")),
        "project": folder_name(line.get("resourceId")),
        "provider": "azure",
        "model": text(properties.get("modelName")) or text(answer.get("model")),
        **answer_tokens(part(answer, "usage")),
        "duration_ms": duration if (duration or 0) >= 0 else None,
        "tags": tags_json(
            deployment=text(properties.get("modelDeploymentName")),
            version=text(properties.get("modelVersion")),
        ),
    }


def _object(value: Any) -> Row:
    """An object, or the same as text; empty where it is neither, as the text of a stream is."""
    try:
        decoded = parsed("properties", value)
    except EventError:
        return {}
    return decoded if isinstance(decoded, Mapping) else {}


def _id(line: Row, properties: Row, answer: Row) -> str:
    if own := text(answer.get("id")):
        return f"azure_openai:{own}"
    resource = (text(line.get("resourceId")) or "").lower()
    moment = instant("time", line.get("time")).isoformat()
    named = line.get("correlationId"), line.get("operationName"), properties.get("requestTime")
    return fingerprint("azure_openai", resource, moment, *named)


def _outcome(status: int | None) -> Raw:
    failed = status is not None and status >= FAILED
    return {"status": "error", "error_class": str(status)} if failed else {"status": "ok"}


FORMAT = Format("azure_openai", "Azure OpenAI's request logs", recognises, read)
