"""JSON inside attributes, or a dictionary of Python's: its numbers and words as attributes of their
own.

A part is spelled with a dot, as `names.py` declares it: what `ai.response.providerMetadata` holds
under `anthropic` and `usage`, or ADK's `llm_response` under `usage_metadata`. Nothing else of such
a text is looked at or kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.names import FOLDED, LITELLM_USED, MASKS, QUOTED

LONGEST: Final = 4_000_000  # characters; ADK puts whole answers there
LONGEST_LITERAL: Final = 2_000
KIND: Final = "braintrust.span_attributes.type"
READ_NAMES: Final = frozenset(
    name for name in (*MASKS, KIND) if name.startswith(tuple(f"{one}." for one in FOLDED))
)
ABOVE: Final = frozenset(
    name[:at] for name in READ_NAMES for at, letter in enumerate(name) if letter == "."
)


WHOLE: Final = (*QUOTED, LITELLM_USED[:-1])  # that are read as they are, too


def unfold(spans: Iterable[Span]) -> None:
    """Give spans whose attributes hold JSON what it says."""
    for span in spans:
        if span.attributes.spelled & FOLDED.bit:
            span.attributes = _unfolded(span.attributes)


def _unfolded(attributes: Attributes) -> Attributes:
    objects = {name: _object(attributes[name]) for name in FOLDED if name in attributes}
    plain = {name: value for name, value in attributes.items() if name not in objects}
    parts = {path: value for name, held in objects.items() for path, value in _parts(name, held)}
    whole = {name: objects[name] or attributes[name] for name in WHOLE if name in objects}
    return Attributes(parts | plain | whole)


def _object(text: Any) -> Any:
    if not isinstance(text, str) or len(text) > LONGEST:
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _literal(text)


def _literal(text: str) -> Any:
    """An object as Python prints it, which is what LangSmith's exporter makes of counts."""
    if not text.startswith("{'") or len(text) > LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if path in ABOVE and isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _parts(f"{path}.{name}", inner)
    elif path in READ_NAMES:
        yield path, value
