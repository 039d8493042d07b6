"""Spans of the last requests: a run whose spans come in parts is understood as a whole.

Exporters send spans as they end, so a parent, which knows the user and the conversation, comes
after its children and often in a later request. What came before is remembered without content,
for each sender apart: at most `MOST` spans and `DEEPEST` of one trace, the latest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from data.errors import EventError
from data.sources.format import Note, Raw
from data.sources.otlp_attributes import MASKS, Attributes
from data.sources.otlp_items import Span
from data.sources.otlp_spans import span_events
from data.sources.otlp_tree import TELLING, Key, Tree, key

MOST: Final = 50_000
DEEPEST: Final = 2_000
LONGEST: Final = 1_000  # a longer value tells nothing that an event could hold
Trace = dict[str, Span]


class Recent:
    """What came last, by sender and trace; safe to share between threads."""

    def __init__(self, most: int | None = None) -> None:
        self._most = MOST if most is None else most
        self._traces: OrderedDict[tuple[Hashable, str], Trace] = OrderedDict()  # the oldest first
        self._held = 0
        self._lock = threading.Lock()

    def join(self, sender: Hashable, spans: Sequence[Span]) -> list[Span]:
        """Remember these spans; returns those of the same traces that came in other requests."""
        _lighten_resources(spans)
        with self._lock:
            ids = {(span.trace, span.id) for span in spans}
            touched = {span.trace: self._touch((sender, span.trace)) for span in spans}
            for span in spans:
                self._add(touched[span.trace], span)
            self._forget()
            return [
                span
                for trace in touched.values()
                for span in trace.values()
                if (span.trace, span.id) not in ids
            ]

    def _touch(self, key: tuple[Hashable, str]) -> Trace:
        trace = self._traces.setdefault(key, {})
        self._traces.move_to_end(key)
        return trace

    def _add(self, trace: Trace, span: Span) -> None:
        before = len(trace)
        if same := trace.pop(span.id, None):
            span.told = same.told
        trace[span.id] = span
        if len(trace) > DEEPEST:
            for early in [*islice(trace, DEEPEST // 10)]:
                del trace[early]
        self._held += len(trace) - before

    def _forget(self) -> None:
        while self._held > self._most:
            _, oldest = self._traces.popitem(last=False)
            self._held -= len(oldest)


def completed(
    earlier: Sequence[Span], spans: Sequence[Span], tree: Tree, doubles: set[Key]
) -> Iterator[Raw]:
    """The events of earlier spans that these tell more of: standing above them, or making them a
    workflow by standing below."""
    above = {(span.trace, span.parent) for span in earlier} & {key(span) for span in spans}
    for span in earlier if above else (one for one in earlier if one.told is None):
        if "litellm.call_id" not in span.attributes:  # the call itself knows all of it
            before = span.told
            with suppress(EventError):  # as when it came
                for raw in span_events(span, tree, doubles):
                    if not isinstance(raw, Note) and span.told != before:
                        yield raw


def lighten(spans: Iterable[Span]) -> None:
    """Let go of what is not needed to understand other spans by these."""
    for span in spans:
        span.attributes = _telling(span.attributes)


def _lighten_resources(spans: Iterable[Span]) -> None:
    """The same of resources, at once: they are compared between requests."""
    light: dict[int, tuple[Attributes, Attributes]] = {}
    for span in spans:
        # The heavy one is kept as long: another could come to have its id.
        if (whole := id(span.resource)) not in light:
            light[whole] = span.resource, _telling(span.resource)
        span.resource = light[whole][1]


def _telling(attributes: Attributes) -> Attributes:
    return Attributes({
        name: value
        for name, value in attributes.items()
        if (name in MASKS or name in TELLING)
        and not (isinstance(value, str) and len(value) > LONGEST)
    })  # fmt: skip
