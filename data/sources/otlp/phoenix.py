"""Spans as Arize Phoenix exports them: JSON lines, answers of `/v1/projects/…/spans`, or the CSV of
its table of spans.

JSON   `context`, `span_kind`, `attributes`, nested or with dotted names
CSV    a column an attribute (`attributes.llm.token_count.prompt`), `context.trace_id` and so on
`span_kind` is OpenInference's kind. There is no resource: the project is not in the file.
Everything else is as for OTLP (`requests.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.entries import begins_json, by_head, documents
from data.sources.fields import part
from data.sources.files import File
from data.sources.format import Format, Head, Options, Record, require_mapping
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.span_files import attempt, flat, ids, nanos, read_spans

JSON: Final = {"name", "span_kind", "context", "start_time", "attributes"}
CSV: Final = {"context.trace_id", "context.span_id", "span_kind", "start_time"}
ATTRIBUTES: Final = "attributes."
KIND: Final = "openinference.span.kind"
Node = Mapping[str, Any]


def recognises(head: Head) -> bool:
    listed = head.first.get("data")
    first = listed[0] if isinstance(listed, list) and listed else head.first
    found = set(first) if isinstance(first, Mapping) else set()
    return found >= JSON or set(head.columns) >= CSV


def read(file: File, options: Options) -> Iterator[Record]:
    return read_spans(by_head(file, begins_json, documents, rows), _spans, options)


def _spans(node: Node) -> Iterator[Span | EventError]:
    listed = node.get("data")
    for one in listed if isinstance(listed, list) else [node]:
        yield attempt(_span, one)


def _of_row(row: Node) -> Node:
    """A row of the table as the JSON would have it; an empty cell says nothing."""
    cells = {name: cell for name, cell in row.items() if cell != ""}
    own = {
        name.removeprefix(ATTRIBUTES): cells[name] for name in cells if name.startswith(ATTRIBUTES)
    }
    context = {name: row[f"context.{name}"] for name in ("trace_id", "span_id")}
    return cells | {"context": context, "attributes": own}


def _span(value: Any) -> Span:
    node = require_mapping(value)
    node = _of_row(node) if "context.span_id" in node else node
    context, kind = part(node, "context"), node.get("span_kind")
    own = flat(part(node, "attributes"))
    return Span(
        *ids(context["trace_id"], context["span_id"], node.get("parent_id")),
        str(node.get("name") or ""),
        0,
        nanos("start_time", node["start_time"]),
        nanos("end_time", node.get("end_time")),
        node.get("status_code") == "ERROR",
        Attributes({KIND: kind, **own} if kind else own),
        Attributes({}),
        "",
    )


FORMAT: Final = Format("phoenix", "Arize Phoenix's spans", recognises, read)
