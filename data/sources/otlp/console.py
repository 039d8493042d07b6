"""Spans as OpenTelemetry's console exporters print them: JSON of the Python and of the Go SDK.

Python  objects one after the other, pretty-printed or one a line: `context`, `parent_id`,
        `start_time`, `attributes`, `resource`. The scope's name is not printed
Go      (`stdouttrace`) the same with capitals; attributes and resource are lists of Key and Value
The exporters of JavaScript and .NET print no JSON: export OTLP there. Everything else is as for
OTLP (`requests.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.entries import documents
from data.sources.fields import part
from data.sources.files import File
from data.sources.format import Format, Head, Options, Record
from data.sources.otlp.items import Span
from data.sources.otlp.names import Attributes
from data.sources.otlp.span_files import ids, kind_of, nanos, read_spans

PYTHON: Final = {"name", "context", "start_time", "attributes", "resource"}
GO: Final = {"Name", "SpanContext", "StartTime", "Attributes"}
Node = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.keys() >= PYTHON or head.first.keys() >= GO


def read(file: File, options: Options) -> Iterator[Record]:
    return read_spans(documents(file), _spans, options)


def _spans(node: Node) -> Iterator[Span]:
    yield _go(node) if "SpanContext" in node else _python(node)


def _python(node: Node) -> Span:
    context = part(node, "context")
    return Span(
        *ids(context["trace_id"], context["span_id"], node.get("parent_id")),
        str(node.get("name") or ""),
        kind_of(node.get("kind")),
        nanos("start_time", node["start_time"]),
        nanos("end_time", node.get("end_time")),
        part(node, "status").get("status_code") == "ERROR",
        Attributes(part(node, "attributes")),
        Attributes(part(part(node, "resource"), "attributes")),
        "",
    )


def _go(node: Node) -> Span:
    context, parent = part(node, "SpanContext"), part(node, "Parent")
    return Span(
        *ids(context["TraceID"], context["SpanID"], parent.get("SpanID")),
        str(node.get("Name") or ""),
        kind_of("server") if node.get("SpanKind") == GO_SERVER else 0,
        nanos("StartTime", node["StartTime"]),
        nanos("EndTime", node.get("EndTime")),
        part(node, "Status").get("Code") == "Error",
        _pairs(node.get("Attributes")),
        _pairs(node.get("Resource")),
        str(part(node, "InstrumentationScope").get("Name") or ""),
    )


GO_SERVER: Final = 2


def _pairs(listed: Any) -> Attributes:
    return Attributes({pair["Key"]: pair["Value"]["Value"] for pair in listed or ()})


FORMAT: Final = Format("otel_console", "OpenTelemetry's console output", recognises, read)
