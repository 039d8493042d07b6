"""The doors for OpenTelemetry: OTLP/HTTP traces, logs and metrics, as Protobuf and as JSON.

An export is answered in its own content type: 200 with the standard response once what it brought
is durable, with `partial_success` where some of it was rejected; else a `google.rpc.Status` with
the id of the request, as `google.rpc.RequestInfo`, under 400 (no such request), 401 (key), 413
(limits), 415 (content type), or 503 with `Retry-After` (not taken: to be sent again, and ids keep
that harmless). What is no use of a model is accepted and not stored; metrics from whom nothing else
has come are answered with a warning: 0 rejected, and a sentence on what to send; so are spans about
models that became nothing. A value longer than the table takes rejects its event and says so, as at
every other door: cut short, it could name somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from flask import Flask, Response, request
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc.code_pb2 import (
    INTERNAL,
    INVALID_ARGUMENT,
    PERMISSION_DENIED,
    UNAUTHENTICATED,
    UNAVAILABLE,
)
from google.rpc.error_details_pb2 import RequestInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from callbacks.access.ingest_key import require_ingest_key
from callbacks.access.request_log import request_id
from callbacks.receive.request_body import MOST_ITEMS, refuse_too_many_objects, request_body
from callbacks.stores import Stores
from data.engines.protocol import EventStore
from data.errors import SpendscopeError, Unsupported
from data.ingest.import_log import LiveImports
from data.ingest.importing import store_request
from data.ingest.keys import Key
from data.ingest.requests import RequestParser
from data.sources.otlp.logs import LOST as LOST_EVENTS
from data.sources.otlp.logs import UNCOUNTED_EVENTS
from data.sources.otlp.requests import EARLIER
from data.sources.otlp.spans import LOST, NOTHING_BUT, UNCOUNTED, WITHOUT_CALLS
from data.sources.report import Report

REASONS: Final = 3
METRICS_ONLY: Final = (
    "accepted but not counted: metrics sum up what spans and log events tell one by one, and none"
    " with tokens have come under this key; export traces or logs too, or their use is missing"
)
PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
TYPES: Final = {PROTOBUF: PROTOBUF, "application/protobuf": PROTOBUF, JSON: JSON}
RESPONSES: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}
# The google.rpc.Code of an HTTP status; INVALID_ARGUMENT where nothing fits better.
CODES: Final = {401: UNAUTHENTICATED, 403: PERMISSION_DENIED, 500: INTERNAL, 503: UNAVAILABLE}


def attach(server: Flask, stores: Stores, reader: RequestParser) -> None:
    """Route the three doors on a server."""

    @server.post("/v1/<any(traces, logs, metrics):signal>")
    def export(signal: str) -> Response:
        try:
            key = require_ingest_key(stores.settings, stores.state)
            items, report = _receive(signal, key, stores.store, reader)
            report.attribute_rejections(key.source or "otlp", {})
            stores.tally.add(stores.settings.now(), key.name, "otlp", report)
            return _success(signal, items, report, _warning(signal, key, report, stores.tally))
        except SpendscopeError as error:
            return _failure(error)


def _receive(signal: str, key: Key, store: EventStore, reader: RequestParser) -> tuple[int, Report]:
    """How many items a request held, and what became of the events among them."""
    json = _content_type() == JSON
    with request_body() as content:
        if json:
            refuse_too_many_objects(content)
        read = reader.otlp(signal, content, json, MOST_ITEMS, key)
        return read.items, store_request(read, store, key.bound)


def _content_type() -> str:
    known = TYPES.get(request.mimetype)
    if known is None:
        raise Unsupported("Content-Type", f"OTLP comes as {PROTOBUF} or {JSON}")
    return known


def _warning(signal: str, key: Key, report: Report, tally: LiveImports) -> str:
    """What the sender should know of what was accepted and not counted."""
    if signal == "metrics" and report.notes and not tally.has_sent_usage(key.name):
        return METRICS_ONLY
    return _lost(report)


def _lost(report: Report) -> str:
    """What of a request about models was not counted; templates, retrievers and the like, which
    are no calls, only where nothing else came."""
    unknown = (f"{UNCOUNTED}: {NOTHING_BUT}", UNCOUNTED_EVENTS)
    kinds = (LOST, LOST_EVENTS, *WITHOUT_CALLS.values(), *unknown)
    kinds = kinds if report.read else (*kinds, UNCOUNTED)
    found = [f"{note} ({times:,} ×)" for note, times in report.notes.items()
             if note.startswith(kinds)]  # fmt: skip
    return "; ".join(found[:REASONS])


def _success(signal: str, items: int, report: Report, warning: str) -> Response:
    response, rejected = RESPONSES[signal]
    message = response()
    if warning:
        message.partial_success.error_message = warning
    # What was rejected of an earlier request, its own sender was told.
    earlier = sum(where == EARLIER for where, _ in report.rejections)
    if new := report.rejected - earlier:
        reasons = dict.fromkeys(why for where, why in report.rejections if where != EARLIER)
        setattr(message.partial_success, rejected, min(new, items))
        sentences = [*[*reasons][:REASONS], *filter(None, [warning])]
        message.partial_success.error_message = "; ".join(sentences)
    return _answer(message, _content_type())


def _failure(error: SpendscopeError) -> Response:
    """A `google.rpc.Status` in the type of the request; JSON where that is none of ours."""
    status = Status(code=CODES.get(error.status, INVALID_ARGUMENT), message=str(error))
    status.details.add().Pack(RequestInfo(request_id=request_id()))
    answer = _answer(status, TYPES.get(request.mimetype, JSON))
    answer.status_code = error.status
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _answer(message: Message, content_type: str) -> Response:
    if content_type == PROTOBUF:
        return Response(message.SerializeToString(), mimetype=PROTOBUF)
    return Response(orjson.dumps(MessageToDict(message)), mimetype=JSON)
