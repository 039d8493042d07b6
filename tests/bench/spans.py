"""Exports as an OpenTelemetry SDK would send them: model calls as spans, in Protobuf."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from data.events.table import Event

BATCH: Final = 512  # what the SDKs send at once
TEXTS: Final = {
    "gen_ai.provider.name": "provider", "gen_ai.request.model": "model",
    "enduser.id": "user", "gen_ai.conversation.id": "conversation_id",
    "gen_ai.agent.name": "assistant",
}  # fmt: skip
COUNTS: Final = {
    "gen_ai.usage.input_tokens": "input_tokens", "gen_ai.usage.output_tokens": "output_tokens",
}  # fmt: skip


def export(calls: list[Event], first: int) -> bytes:
    """The request body of these calls; `first` makes their span ids new."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    _set(group.resource, "service.name", "bench")
    _set(group.resource, "service.namespace", "web")
    spans = group.scope_spans.add().spans
    for number, call in enumerate(calls, start=first):
        start = call["ts"] * 1_000
        span = spans.add(
            name=f"chat {call['model']}", kind=3, trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"), start_time_unix_nano=start,
            end_time_unix_nano=start + (call["duration_ms"] or 0) * 1_000_000,
        )  # fmt: skip
        _set(span, "gen_ai.operation.name", "chat")
        for key, name in TEXTS.items():
            if call[name] is not None:
                _set(span, key, call[name])
        for key, name in COUNTS.items():
            span.attributes.add(key=key).value.int_value = call[name] or 0
    body: bytes = request.SerializeToString()
    return body


def _set(holder: Any, key: str, text: str) -> None:
    holder.attributes.add(key=key).value.string_value = text
