"""Spans of the last requests: a run whose spans come in parts is understood as a whole.

Exporters send spans as they end, so a parent, which knows the user and the conversation, comes
after its children and often in a later request. What came before is remembered without content,
for each sender apart: at most `MOST` spans and `DEEPEST` of one trace, the latest.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

from data.events.cleaning import clean
from data.sources.format import Note, Raw
from data.sources.otlp import names
from data.sources.otlp.attributes import Attributes
from data.sources.otlp.items import Span
from data.sources.otlp.names import MASKS, Names
from data.sources.otlp.spans import span_events
from data.sources.otlp.tree import DEPTH, TELLING, Key, Tree, key

MOST: Final = 50_000
DEEPEST: Final = 2_000
LONGEST: Final = 1_000  # no event holds a longer value, but is refused for it
UNDERSTOOD: Final = TELLING.union(MASKS)
LONGEST_ID: Final = 64  # of hex digits; a trace has 32


ABOVE: Final = Names(
    *names.USER, *names.USER_NAME, *names.CONVERSATION, *names.AGENT, *names.WORKFLOW,
)  # fmt: skip


class Trace:
    """The spans of a trace that came last, by id, and which stand below one."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.below: dict[str, list[str]] = defaultdict(list)

    def add(self, span: Span) -> None:
        """A span in the place of the one of the same id, if there was one."""
        if same := self.spans.pop(span.id, None):
            span.converted, span.duplicate = same.converted, same.duplicate
        else:
            self.below[span.parent].append(span.id)
        self.spans[span.id] = span
        if len(self.spans) > DEEPEST:
            self._evict()

    def _evict(self) -> None:
        for early in [*islice(self.spans, DEEPEST // 10)]:
            del self.spans[early]
        self.below.clear()
        for span in self.spans.values():
            self.below[span.parent].append(span.id)

    def related(self, span: Span) -> Iterator[Span]:
        """What is known to stand above a span or below it."""
        above = span
        for _ in range(DEPTH):
            if not above.parent or (found := self.spans.get(above.parent)) is None:
                break
            yield (above := found)
        visited, queue = {span.id}, [span.id]
        while queue:
            for one in self.below.get(queue.pop(), ()):
                if one not in visited and one in self.spans:
                    visited.add(one)
                    queue.append(one)
                    yield self.spans[one]


class Recent:
    """What came last, by sender and trace; safe to share between threads."""

    def __init__(self, most: int | None = None) -> None:
        self._most = MOST if most is None else most
        self._traces: OrderedDict[tuple[Hashable, str], Trace] = OrderedDict()  # the oldest first
        self._count = 0
        self._lock = threading.Lock()

    def join(self, sender: Hashable, spans: Sequence[Span]) -> list[Span]:
        """Remember these spans; returns those of other requests that stand above or below."""
        _lighten_resources(spans)
        identified = [span for span in spans if _named(span)]
        ours = {key(span) for span in identified}
        with self._lock:
            traces = {one: self._latest(sender, one) for one in {span.trace for span in identified}}
            for span in identified:
                self._add(traces[span.trace], span)
            found = {one for span in identified for one in traces[span.trace].related(span)}
            self._evict()
        earlier = [span for span in found if key(span) not in ours]
        for span in earlier:
            span.earlier = True
        return earlier

    def _latest(self, sender: Hashable, name: str) -> Trace:
        trace = self._traces.setdefault((sender, name), Trace())
        self._traces.move_to_end((sender, name))
        return trace

    def _add(self, trace: Trace, span: Span) -> None:
        before = len(trace.spans)
        trace.add(span)
        self._count += len(trace.spans) - before

    def _evict(self) -> None:
        while self._count > self._most and self._traces:
            _, oldest = self._traces.popitem(last=False)
            self._count -= len(oldest.spans)


def completed(
    earlier: Sequence[Span], spans: Sequence[Span], tree: Tree, doubles: set[Key]
) -> Iterator[Raw]:
    """The events of earlier spans that these tell more of: standing above them, or making them a
    workflow by standing below."""
    new = {key(span) for span in spans}
    for span in earlier:
        # The call of a gateway knows all of itself.
        if "litellm.call_id" in span.attributes or span.duplicate or key(span) in doubles:
            continue
        found = tree.roles[span] == "workflow" and not span.converted
        above = list(tree.above(span))
        joined = any(key(one) in new for one in above)
        if found or (joined and any(_tells(one, tree) for one in above)):
            with suppress(Exception):  # what was refused at first is so again
                for raw in span_events(span, tree, doubles):
                    if not isinstance(raw, Note):
                        clean(raw)
                        yield raw


def _tells(span: Span, tree: Tree) -> bool:
    """Whether there is anything in a span that those below it can lack."""
    return bool(span.attributes.spelled & ABOVE.bit) or tree.roles[span] in ("message", "workflow")


def _named(span: Span) -> bool:
    """Whether its ids are such that it can be found again."""
    longest = max(len(span.trace), len(span.id), len(span.parent))
    return bool(span.id) and longest <= LONGEST_ID


def lighten(spans: Iterable[Span]) -> None:
    """Let go of what is not needed to understand other spans by these."""
    for span in spans:
        span.name = span.name[:LONGEST]
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
    if UNDERSTOOD.issuperset(attributes) and all(map(_is_light, attributes.values())):
        return attributes  # as often
    return Attributes({
        name: value[: LONGEST + 1] if isinstance(value, str) else value
        for name, value in attributes.items()
        if name in UNDERSTOOD and isinstance(value, str | int | float)
    })  # fmt: skip


def _is_light(value: Any) -> bool:
    return len(value) <= LONGEST if isinstance(value, str) else isinstance(value, int | float)
