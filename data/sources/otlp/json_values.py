"""The values inside OTLP's JSON: fields by either name, attributes, ids, times, enums."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import DELTA, FAILED, SERVER

ENUMS: Final = {
    "STATUS_CODE_ERROR": FAILED,
    "SPAN_KIND_SERVER": SERVER,
    "AGGREGATION_TEMPORALITY_DELTA": DELTA,
}
INTEGERS: Final = ("intValue", "int_value")
HUMP: Final = re.compile(r"(?<!^)(?=[A-Z])")
HEX: Final = re.compile(r"(?:[0-9a-fA-F]{16}){1,2}")
Node = Mapping[str, Any]


def field(node: Node, name: str) -> Any:
    """A field by its camelCase name, else by the same in snake_case."""
    value = node.get(name)
    return node.get(snake(name)) if value is None else value


@cache
def snake(name: str) -> str:
    """`traceId` as `trace_id`."""
    return HUMP.sub("_", name).lower()


def listed(node: Node, name: str) -> list[Any]:
    """A repeated field; `TypeError` if it is no list."""
    value = field(node, name)
    if value is not None and not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value or []


def attributes_of(node: Node) -> Attributes:
    """The attributes of a node by name."""
    pairs = listed(node, "attributes")
    return Attributes({pair["key"]: value_of(pair.get("value")) for pair in pairs})


def value_of(value: Node | None) -> Any:
    """The plain value of an AnyValue, which is an object with one field."""
    for kind, content in (value or {}).items():
        if kind in INTEGERS:
            return int(content)
        if kind in ("arrayValue", "array_value"):
            return [value_of(each) for each in listed(content, "values")]
        if kind in ("kvlistValue", "kvlist_value"):
            return {pair["key"]: value_of(pair.get("value")) for pair in listed(content, "values")}
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
