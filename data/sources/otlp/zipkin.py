"""Spans as Zipkin keeps them (JSON of its second version): a list of spans, or of traces.

`tags` are the attributes, all of them text; `localEndpoint.serviceName` is the resource's
service.name. `error` or an `otel.status_code` of ERROR is a failure. Times are microseconds.
Everything else is as for OTLP (`requests.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.entries import documents
from data.sources.fields import part, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Record
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.span_files import ids, kind_of, read_spans

MARKS: Final = ('"traceId"', '"localEndpoint"', '"timestamp"', '"tags"')
Node = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.text.lstrip()[:1] in ("{", "[") and all(mark in head.text for mark in MARKS)


def read(file: File, options: Options) -> Iterator[Record]:
    return read_spans(documents(file), _spans, options)


def _spans(node: Node) -> Iterator[Span]:
    tags, start = part(node, "tags"), int(node["timestamp"])
    service = part(node, "localEndpoint").get("serviceName")
    yield Span(
        *ids(node["traceId"], node["id"], node.get("parentId")),
        str(node.get("name") or ""),
        kind_of(node.get("kind")),
        start * 1_000,
        (start + (whole("duration", node.get("duration")) or 0)) * 1_000,
        "error" in tags or tags.get("otel.status_code") == "ERROR",
        Attributes(tags),
        Attributes({"service.name": service} if service else {}),
        str(tags.get("otel.scope.name") or ""),
    )


FORMAT: Final = Format("zipkin", "Zipkin's spans", recognises, read)
