"""OTLP's JSON form as the plain shape of `items.py`.

By the specification names are camelCase, ids hex, 64-bit integers text and enums numbers. What
exporters write differs: snake_case names, ids in base64 (Protobuf's own JSON), integers as
numbers, enums by name. All are read; unknown fields are ignored.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.format import describe_error
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import (
    DELTA,
    FAILED,
    NOUNS,
    SERVER,
    Found,
    Item,
    Log,
    Point,
    Span,
    event_name,
)

ENUMS: Final = {
    "STATUS_CODE_ERROR": FAILED,
    "SPAN_KIND_SERVER": SERVER,
    "AGGREGATION_TEMPORALITY_DELTA": DELTA,
}
INTEGERS: Final = ("intValue", "int_value")
HUMP: Final = re.compile(r"(?<!^)(?=[A-Z])")
HEX: Final = re.compile(r"(?:[0-9a-fA-F]{16}){1,2}")
Node = Mapping[str, Any]
KEYS: Final = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}
SHAPES: Final = ("sum", "gauge", "histogram", "exponentialHistogram", "summary")
MARK: Final = b"\xef\xbb\xbf"  # of byte order


def field(node: Node, name: str) -> Any:
    """A field by its camelCase name, else by the same in snake_case."""
    value = node.get(name)
    return node.get(snake(name)) if value is None else value


@cache
def snake(name: str) -> str:
    """`traceId` as `trace_id`."""
    return HUMP.sub("_", name).lower()


def repeated(node: Node, name: str) -> list[Any]:
    """A repeated field; `TypeError` if it is no list."""
    value = field(node, name)
    if value is not None and not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value or []


def attributes_of(node: Node) -> Attributes:
    """The attributes of a node by name."""
    pairs = repeated(node, "attributes")
    return Attributes({pair["key"]: value_of(pair.get("value")) for pair in pairs})


def value_of(value: Node | None) -> Any:
    """The plain value of an AnyValue, which is an object with one field."""
    for kind, content in (value or {}).items():
        if kind in INTEGERS:
            return int(content)
        if kind in ("arrayValue", "array_value"):
            return [value_of(each) for each in repeated(content, "values")]
        if kind in ("kvlistValue", "kvlist_value"):
            return {
                pair["key"]: value_of(pair.get("value")) for pair in repeated(content, "values")
            }
        return content
    return None


def id_of(value: Any) -> str:
    """Lower-case hex of an id in hex or base64; "" where there is none."""
    if not value:
        return ""
    if HEX.fullmatch(value):
        return str(value).lower()
    return base64.b64decode(value, validate=True).hex()


def time_of(node: Node, name: str) -> int:
    """Nanoseconds since 1970; 0 where the field is not there."""
    return int(field(node, name) or 0)


def enum_of(value: Any) -> int:
    """The number of an enum told by number or by name."""
    return (
        ENUMS.get(value, 0) if isinstance(value, str) and not value.isdigit() else int(value or 0)
    )


def loaded(body: bytes) -> Any:
    """The JSON value of a body, or `EventError`."""
    try:
        return orjson.loads(body.removeprefix(MARK))
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise EventError(f"this is no JSON ({str(error)[:80]})") from None


def signals_of(value: Any) -> tuple[str, ...]:
    """Which signals an object is a request of."""
    if not isinstance(value, Mapping):
        return ()
    return tuple(
        signal for signal, (key, _, _) in KEYS.items() if key in value or snake(key) in value
    )


def found(signal: str, request: Any) -> Iterator[Found]:
    """The items of a request, in order; `EventError` if it is none."""
    _check(signal, request)
    for number, (resource, scope, node) in enumerate(_nodes(signal, request), start=1):
        where = f"{NOUNS[signal]} {number}"
        try:
            for item in MAKERS[signal](node, resource, scope):
                yield where, item
        except Exception as error:
            yield where, EventError(f"this is no {NOUNS[signal]} of OTLP ({describe_error(error)})")


def _check(signal: str, request: Any) -> None:
    if not isinstance(request, Mapping):
        raise EventError(f"an OTLP request is an object, not {type(request).__name__}")
    others = signals_of(request)
    if others and signal not in others:
        raise EventError(f"this is an OTLP request of {others[0]}, not of {signal}")


def _nodes(signal: str, request: Node) -> Iterator[tuple[Attributes, str, Any]]:
    groups, scopes, nodes = KEYS[signal]
    try:
        for group in repeated(request, groups):
            resource = attributes_of(field(group, "resource") or {})
            for scoped in repeated(group, scopes):
                scope = str((field(scoped, "scope") or {}).get("name") or "")
                for node in repeated(scoped, nodes):
                    yield resource, scope, node
    except Exception as error:
        raise EventError(f"this is no OTLP request of {signal} ({describe_error(error)})") from None


def _spans(node: Node, resource: Attributes, scope: str) -> Iterator[Span]:
    yield Span(
        id_of(field(node, "traceId")),
        id_of(field(node, "spanId")),
        id_of(field(node, "parentSpanId")),
        str(field(node, "name") or ""),
        enum_of(field(node, "kind")),
        time_of(node, "startTimeUnixNano"),
        time_of(node, "endTimeUnixNano"),
        enum_of((field(node, "status") or {}).get("code")) == FAILED,
        attributes_of(node),
        resource,
        scope,
    )


def _logs(node: Node, resource: Attributes, scope: str) -> Iterator[Log]:
    attributes, body = attributes_of(node), field(node, "body")
    text = value_of(body) if isinstance(body, Mapping) else None
    yield Log(
        event_name(attributes, text, str(field(node, "eventName") or "")),
        time_of(node, "timeUnixNano") or time_of(node, "observedTimeUnixNano"),
        id_of(field(node, "traceId")),
        id_of(field(node, "spanId")),
        attributes,
        resource,
        scope,
    )


def _points(node: Node, resource: Attributes, scope: str) -> Iterator[Point]:
    name = str(field(node, "name") or "")
    data = _data(node)
    temporality = enum_of(field(data, "aggregationTemporality"))
    for point in repeated(data, "dataPoints"):
        start, time = time_of(point, "startTimeUnixNano"), time_of(point, "timeUnixNano")
        yield Point(name, temporality, start, time, attributes_of(point), resource, scope)


def _data(metric: Node) -> Node:
    return next((one for shape in SHAPES if (one := field(metric, shape)) is not None), {})


MAKERS: Final[dict[str, Callable[[Node, Attributes, str], Iterator[Item]]]] = {
    "traces": _spans,
    "logs": _logs,
    "metrics": _points,
}
