"""Spans as OpenTelemetry's console exporters print them: JSON of the Python and of the Go SDK, or
objects of Node.js, among whatever else their program prints.

Python  objects one after the other, pretty-printed or one a line: `context`, `parent_id`,
        `start_time`, `attributes`, `resource`. The scope's name is not printed
Go      (`stdouttrace`) the same with capitals; attributes and resource are lists of Key and Value
Node.js `traceId`, `id`, `parentSpanContext` (before 2.0 `parentId`); timestamp and duration in
        microseconds
The exporter of .NET prints no objects: export OTLP there. Everything else is as for OTLP
(`requests.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.entries import by_head, documents
from data.sources.fields import part
from data.sources.files import File
from data.sources.format import Format, Head, Options, Record
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.printed import objects
from data.sources.otlp.span_files import ids, kind_of, nanos, read_spans

PYTHON: Final = {"name", "context", "start_time", "attributes", "resource"}
GO: Final = {"Name", "SpanContext", "StartTime", "Attributes"}
NODE: Final = {"traceId", "id", "timestamp", "duration", "attributes"}
PRINTED: Final = re.compile(r"""^\{ *\r?$""", re.MULTILINE)
AMONG: Final = re.compile(
    r"""^ +"trace_id": "0x[0-9a-f]{32}",?\r?$|^ +traceId: '[0-9a-f]{32}',?\r?$""", re.MULTILINE
)
Node = Mapping[str, Any]


def recognises(head: Head) -> bool:
    plain = head.first.keys() >= PYTHON or head.first.keys() >= GO
    return plain or (PRINTED.search(head.text) and AMONG.search(head.text)) is not None


def read(file: File, options: Options) -> Iterator[Record]:
    return read_spans(by_head(file, _in_lines, objects, documents), _spans, options)


def _in_lines(head: str) -> bool:
    """Whether objects begin and end with lines of their own, as nearly every exporter prints."""
    return PRINTED.search(head) is not None


def _spans(node: Node) -> Iterator[Span]:
    if "SpanContext" in node:
        yield _go(node)
    elif "context" in node:
        yield _python(node)
    elif node.keys() >= NODE:
        yield _node(node)


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


def _node(node: Node) -> Span:
    start, took = round(node["timestamp"] * 1_000), round(node["duration"] * 1_000)
    parent = part(node, "parentSpanContext").get("spanId") or node.get("parentId")
    scope = part(node, "instrumentationScope") or part(node, "instrumentationLibrary")
    return Span(
        *ids(node["traceId"], node["id"], parent),
        str(node.get("name") or ""),
        kind_of("server") if node.get("kind") == NODE_SERVER else 0,
        start,
        start + took,
        part(node, "status").get("code") == NODE_ERROR,
        Attributes(part(node, "attributes")),
        Attributes(part(part(node, "resource"), "attributes")),
        str(scope.get("name") or ""),
    )


NODE_SERVER: Final = 1
NODE_ERROR: Final = 2
GO_SERVER: Final = 2


def _pairs(listed: Any) -> Attributes:
    return Attributes({pair["Key"]: pair["Value"]["Value"] for pair in listed or ()})


FORMAT: Final = Format("otel_console", "OpenTelemetry's console output", recognises, read)
