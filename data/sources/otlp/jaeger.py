"""Spans as Jaeger exports them: a trace's JSON from its page, or answers of `/api/traces`.

`data` is a list of traces with `spans` and, by `processID`, `processes`. Tags are the attributes:
those of a process are its resource's, and `span.kind`, `error`, `otel.status_code`,
`otel.scope.name` are what OTLP has fields for. Times are microseconds, ids may lack zeros at their
beginning. Everything else is as for OTLP (`requests.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import by_head, documents, is_list, values
from data.sources.fields import part, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Record, require_mapping
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.span_files import attempt, ids, kind_of, read_spans

MARKS: Final = ('"traceID"', '"spanID"', '"operationName"', '"startTime"')
SCOPES: Final = ("otel.scope.name", "otel.library.name")
Node = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.text.lstrip()[:1] in ("{", "[") and all(mark in head.text for mark in MARKS)


def read(file: File, options: Options) -> Iterator[Record]:
    return read_spans(by_head(file, is_list, values, documents), _spans, options)


def _spans(node: Node) -> Iterator[Span | EventError]:
    traces = node["data"] if isinstance(node.get("data"), list) else [node]
    for trace in map(require_mapping, traces):
        resources = {key: _resource(one) for key, one in part(trace, "processes").items()}
        for span in trace.get("spans") or ():
            yield attempt(_span, span, resources)


def _resource(process: Node) -> Attributes:
    return Attributes({"service.name": process.get("serviceName"), **_tags(process)})


def _span(node: Node, resources: Mapping[str, Attributes]) -> Span:
    tags, start = _tags(node), int(node["startTime"])
    wrong = tags.get("otel.status_code") == "ERROR" or str(tags.get("error")).lower() == "true"
    return Span(
        *ids(node["traceID"], node["spanID"], _parent(node)),
        str(node.get("operationName") or ""),
        kind_of(tags.get("span.kind")),
        start * 1_000,
        (start + (whole("duration", node.get("duration")) or 0)) * 1_000,
        wrong,
        Attributes(tags),
        resources.get(str(node.get("processID"))) or Attributes({}),
        next((str(tags[name]) for name in SCOPES if name in tags), ""),
    )


def _parent(node: Node) -> Any:
    above = (one for one in node.get("references") or () if one.get("refType") == "CHILD_OF")
    return next((one.get("spanID") for one in above), node.get("parentSpanID"))


def _tags(node: Node) -> dict[str, Any]:
    return {tag["key"]: tag.get("value") for tag in node.get("tags") or ()}


FORMAT: Final = Format("jaeger", "Jaeger's traces", recognises, read)
