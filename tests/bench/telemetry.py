"""How fast OTLP requests become clean events: an agent, a call and a tool a trace, priced."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from data.sources import Options
from data.sources.events import event_of
from data.sources.otlp import requests
from tests.bench.report import QUICK, Row, medians, progress

TRACES: Final = 300 if QUICK else 3_000
START: Final = 1_795_350_580_000_000_000
CALL: Final[dict[str, Any]] = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-11-20",
    "gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.input_tokens": 1_800,
    "gen_ai.usage.output_tokens": 140, "gen_ai.usage.cache_read.input_tokens": 1_024,
    "server.address": "api.openai.com", "server.port": 443,
}  # fmt: skip
AGENT: Final = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "triage"}
TOOL: Final = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}


def measure() -> list[Row]:
    """A row a wire form."""
    spans = [span for trace in range(TRACES) for span in _trace(trace)]
    resource = {"service.name": "desk", "team.id": "support", "enduser.id": "ana"}
    scoped = [{"scope": {"name": "bench"}, "spans": spans}]
    group = {"resource": {"attributes": _pairs(resource)}, "scopeSpans": scoped}
    plain = orjson.dumps({"resourceSpans": [group]})
    packed = _packed(plain)
    progress(f"reading {len(spans):,} spans of OTLP")
    works = [partial(_read, plain, True), partial(_read, packed, False)]
    return [
        Row(f"read {len(spans):,} spans, {form}", taken, None, f"{len(spans) / taken:,.0f} spans/s")
        for form, taken in zip(("JSON", "Protobuf"), medians(works), strict=True)
    ]


def _read(body: bytes, in_json: bool) -> int:
    found = requests.request_records("traces", body, json=in_json, options=Options())
    return sum(bool(event_of(raw)) for _, raw in found)  # type: ignore[arg-type]  # no notes here


def _trace(number: int) -> Iterator[dict[str, Any]]:
    for place, attributes in enumerate((AGENT, CALL, TOOL), start=1):
        yield {
            "traceId": f"{number:032x}",
            "spanId": f"{number:012x}{place:04x}",
            "parentSpanId": "" if place == 1 else f"{number:012x}{1:04x}",
            "name": "a span",
            "startTimeUnixNano": str(START + number),
            "endTimeUnixNano": str(START + number + 10**9),
            "attributes": _pairs(attributes),
        }


def _pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue"}
    return [{"key": k, "value": {kinds[type(v)]: v}} for k, v in attributes.items()]


def _packed(plain: bytes) -> bytes:
    """The same request as Protobuf."""
    request, found = orjson.loads(plain)["resourceSpans"][0], ExportTraceServiceRequest()
    group = found.resource_spans.add()
    _fill(group.resource.attributes, request["resource"]["attributes"])
    scoped = group.scope_spans.add()
    for told in request["scopeSpans"][0]["spans"]:
        span = scoped.spans.add(
            trace_id=bytes.fromhex(told["traceId"]),
            span_id=bytes.fromhex(told["spanId"]),
            parent_span_id=bytes.fromhex(told["parentSpanId"]),
            name=told["name"],
            start_time_unix_nano=int(told["startTimeUnixNano"]),
            end_time_unix_nano=int(told["endTimeUnixNano"]),
        )
        _fill(span.attributes, told["attributes"])
    packed: bytes = found.SerializeToString()
    return packed


def _fill(into: Any, pairs: list[dict[str, Any]]) -> None:
    for pair in pairs:
        value = into.add(key=pair["key"]).value
        for kind, content in pair["value"].items():
            setattr(value, {"stringValue": "string_value", "intValue": "int_value"}[kind], content)
