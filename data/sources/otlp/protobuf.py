"""OTLP's Protobuf form as the plain shape of `items.py`, item by item.

Parsed, an empty span of two bytes takes a hundred times its size. So before that `scan` walks the
lengths on the way to the items, which makes nothing, and gives up at the first item too many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from data.errors import EventError, TooLarge
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import FAILED, NOUNS, Item, Log, Point, Span, event_name
from data.sources.otlp.names import own

LENGTH: Final = 2  # the wire type of what says its length
SKIPPED: Final = {1: 8, 5: 4}  # wire types of fixed size
Way = tuple[tuple[int, ...], ...]
GROUPED: Final = ((1,), (2,), (2,))
# Numbers of the fields on the way down to spans, log records, data points.
WAYS: Final[dict[str, Way]] = {
    "traces": GROUPED,
    "logs": GROUPED,
    "metrics": (*GROUPED, (5, 7, 9, 10, 11), (1,)),
}
BROKEN: Final = "this is no OTLP request of {} (it breaks off or has groups)"
REQUESTS: Final[dict[str, Any]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}


def too_many(signal: str, most: int) -> TooLarge:
    """The refusal of a request with more than this."""
    return TooLarge("body", f"a request has at most {most:,} {NOUNS[signal]}s")


def scan(signal: str, body: bytes, most: int) -> None:
    """Raises `TooLarge` for more items, or more of what they are grouped in, than `most`, and
    `EventError` where this is no request."""
    way = WAYS[signal]
    left = [most] * len(way)
    try:
        whole = _walk(body, 0, len(body), way, left)
    except (IndexError, KeyError):
        raise EventError(BROKEN.format(signal)) from None
    if not whole:
        raise too_many(signal, most)


def _walk(body: bytes, at: int, end: int, way: Way, left: list[int]) -> bool:
    """Whether all of it was walked without one too many; `left` may still come on each level."""
    wanted, below, place = way[0], way[1:], -len(way)
    for number, start, stop in _fields(body, at, end):
        if number in wanted:
            left[place] -= 1
            if left[place] < 0 or (below and not _walk(body, start, stop, below, left)):
                return False
    return True


def _fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each field that says its length: its number, where it begins and ends."""
    while at < end:
        tag, at = _varint(body, at)
        kind = tag & 7
        if kind == LENGTH:
            length, at = _varint(body, at)
            yield tag >> 3, at, at + length
            at += length
        elif kind:
            at += SKIPPED[kind]
        else:
            _, at = _varint(body, at)
        if at > end:
            raise IndexError


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = body[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for shift in range(7, 70, 7):
        at += 1
        byte = body[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
    raise IndexError


def parsed(signal: str, body: bytes) -> Any:
    """The Protobuf request, or `EventError` if the body is none."""
    request = REQUESTS[signal]()
    try:
        request.ParseFromString(body)
    except (DecodeError, RecursionError) as error:
        raise EventError(f"this is no OTLP request of {signal} ({str(error)[:80]})") from None
    return request


def numbered(signal: str, request: Any) -> Iterator[tuple[str, Item]]:
    """The items of a Protobuf request, each with its number."""
    noun = NOUNS[signal]
    return ((f"{noun} {n}", item) for n, item in enumerate(unpacked(signal, request), start=1))


def unpacked(signal: str, request: Any) -> Iterator[Item]:
    """The items of a Protobuf request, in order."""
    return READERS[signal](request)


def _spans(request: Any) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_spans:
            scope = scoped.scope.name
            for span in scoped.spans:
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    span.kind,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == FAILED,
                    _attributes(span.attributes),
                    resource,
                    scope,
                )


def _logs(request: Any) -> Iterator[Log]:
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_logs:
            for log in scoped.log_records:
                attributes = _attributes(log.attributes)
                yield Log(
                    event_name(attributes, log.body.string_value, log.event_name),
                    log.time_unix_nano or log.observed_time_unix_nano,
                    log.trace_id.hex(),
                    log.span_id.hex(),
                    attributes,
                    resource,
                    scoped.scope.name,
                )


def _points(request: Any) -> Iterator[Point]:
    for group in request.resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scoped in group.scope_metrics:
            for metric in scoped.metrics:
                data = getattr(metric, metric.WhichOneof("data") or "gauge")
                for point in data.data_points:
                    yield Point(
                        metric.name,
                        getattr(data, "aggregation_temporality", 0),
                        point.start_time_unix_nano,
                        point.time_unix_nano,
                        _attributes(point.attributes),
                        resource,
                        scoped.scope.name,
                    )


def _attributes(pairs: Iterable[Any]) -> Attributes:
    # Most are texts, and asking for that costs a third of asking what they are.
    return Attributes(
        {own(pair.key): (value := pair.value).string_value or _value(value) for pair in pairs}
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None


READERS: Final[dict[str, Callable[[Any], Iterator[Item]]]] = {
    "traces": _spans,
    "logs": _logs,
    "metrics": _points,
}
