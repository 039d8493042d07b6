"""Spans as trees: what each is, what stands above it, which are doubles.

`role` names what a span is an account of: a kind of event, or nothing of ours. By the current
conventions `gen_ai.operation.name` says it; OpenLLMetry, OpenInference and the Vercel AI SDK
have words of their own. What came in other requests is known as long as `recent.py` has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Final

from data.sources.litellm.no_calls import CREATION
from data.sources.otlp import names, unfolding
from data.sources.otlp.attributes import Attributes, first_known, first_text
from data.sources.otlp.items import SERVER, Span
from data.sources.otlp.names import Names

DEPTH: Final = 64
NOTHING: Final = Attributes({})
Key = tuple[str, str]
OPERATIONS: Final = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "llm",
    "execute_tool": "tool",
    "invoke_agent": "message",
    "create_agent": "creation",
    "invoke_workflow": "workflow",
    "retrieval": "integration",
    "framework": "",  # Spring AI's advisors and clients, around their calls
}
# Polling or listing what was asked before is no call.
LATER_REQUEST: Final = re.compile(r"a?(?:get|list|retrieve|cancel|delete)_")
TRACED: Final = {
    "llm": "llm", "chat_model": "llm", "embedding": "llm", "tool": "tool", "agent": "message",
    "retriever": "integration", "chain": "", "parser": "", "reranker": "", "guardrail": "",
    "evaluator": "", "prompt": "",
}  # fmt: skip
# LangSmith calls its templates and retrievers operations of a model, too: its own word goes first.
CERTAIN: Final = {
    "langsmith.span.kind": TRACED | {"agent": ""},
    "langfuse.observation.type": TRACED | {"generation": "llm", "event": ""},
}
CERTAIN_NAMES: Final = Names(*CERTAIN)
KINDS: Final = {
    "traceloop.span.kind": {"workflow": "workflow", "agent": "message", "tool": "tool"},
    "openinference.span.kind": TRACED,
    "llm.request.type": {"chat": "llm", "completion": "llm", "embedding": "llm"},
    "mlflow.spanType": TRACED,
    "lmnr.span.type": {"llm": "llm", "tool": "tool"},
    unfolding.KIND: {
        "llm": "llm",
        "tool": "tool",
        **dict.fromkeys(("task", "function", "eval", "score"), ""),
    },
    "spring.ai.kind": {"vector_store": "integration", "tool_call": "tool"},
}
# What tells a role beside the names of `names.py`.
TELLING: Final = frozenset((
    *CERTAIN, *KINDS, names.MCP, "ai.operationId", "litellm.call_id", "gen_ai.tool.call.id",
))  # fmt: skip
CALLS: Final = ("tools/call", "resources/read", "prompts/get")  # of MCP; the rest is protocol
NAMED: Final = re.compile(r"(?:invoke_)?workflow (\S.*)")
VERBS: Final = re.compile(r"(?:invoke_agent|execute_tool|invoke_workflow|workflow) (?=\S)")


def role(span: Span) -> str:
    """A kind of event, `creation` (of an agent), or "" for what is none of ours."""
    attributes = span.attributes
    if names.MCP in attributes:
        counted = attributes[names.MCP] in CALLS and not (span.kind == SERVER and span.parent)
        return "integration" if counted else ""
    found = _kind(attributes, CERTAIN) if attributes.spelled & CERTAIN_NAMES.bit else None
    if found is None:
        found = OPERATIONS.get(attributes.get("gen_ai.operation.name", ""))
    if found is None:
        found = _of_others(attributes)
    return "integration" if found == "tool" and _through_mcp(attributes) else found


def _kind(attributes: Attributes, words: dict[str, dict[str, str]]) -> str | None:
    """What one of these attributes says; MLflow's have quotes around them."""
    for name, kinds in words.items():
        if name in attributes:
            found = kinds.get(str(attributes[name]).strip('"').lower())
            if found is not None:
                return found
    return None


def _of_others(attributes: Attributes) -> str:
    operation = str(attributes.get("gen_ai.operation.name"))
    if LATER_REQUEST.match(operation) or (
        CREATION.search(operation) and not _has_tokens(attributes)
    ):
        return ""
    if (found := _kind(attributes, KINDS)) is not None:
        return found
    if "ai.operationId" in attributes:
        return _of_ai_sdk(str(attributes["ai.operationId"]))
    model = first_text(attributes, names.REQUESTED) or first_text(attributes, names.ANSWERED)
    if model and attributes.spelled & (names.OPERATION.bit | names.USAGE.bit):
        return "" if "openinference.span.kind" in attributes else "llm"
    return "tool" if "gen_ai.tool.call.id" in attributes else ""


def _has_tokens(attributes: Attributes) -> bool:
    return any(first_known(attributes, each)[1] for each in (names.INPUT, names.OUTPUT))


def _of_ai_sdk(operation: str) -> str:
    """`ai.generateText` sums up its calls, which are `ai.generateText.doGenerate`."""
    return "tool" if operation == "ai.toolCall" else "llm" if ".do" in operation else ""


def _through_mcp(attributes: Attributes) -> bool:
    return attributes.get("gen_ai.tool.type") == "mcp" or "mcp.server.name" in attributes


def key(span: Span) -> Key:
    """What a span is known by; a request may hold it twice."""
    return span.trace, span.id


class Tree:
    """Spans by id, with their roles."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.spans: Final = list(spans)
        self.by_id: Final = {key(span): span for span in self.spans}
        self.roles: Final = {span: role(span) for span in self.spans}
        # Of an outer span of a call, the inner one as which it is told.
        self.instead: Final[dict[Span, Span]] = {}
        self._of_resources: Final[dict[int, dict[str, Any]]] = {}
        self._name_workflows()

    def above(self, span: Span) -> Iterator[Span]:
        """The ancestors that are here, the nearest first."""
        for _ in range(DEPTH):
            parent = self.by_id.get((span.trace, span.parent)) if span.parent else None
            if parent is None:
                return
            yield parent
            span = parent

    @cached_property
    def around_calls(self) -> set[Span]:
        """What stands above a call of a model."""
        calls = (span for span, kind in self.roles.items() if kind == "llm")
        return {outer for span in calls for outer in self.above(span)}

    def of_resource(
        self, span: Span, read: Callable[[Attributes], dict[str, Any]]
    ) -> dict[str, Any]:
        """What is read of the span's resource, once for all spans that share it."""
        resource = span.resource
        if (found := self._of_resources.get(id(resource))) is None:
            found = self._of_resources[id(resource)] = read(resource)
        return found

    def _name_workflows(self) -> None:
        """A span called `workflow …` is one if something of GenAI happened below it."""
        others = (span for span, kind in self.roles.items() if not kind)
        if not any(NAMED.fullmatch(span.name) for span in others):
            return
        ours = [span for span, kind in self.roles.items() if kind]
        for span in ours:
            for parent in self.above(span):
                if not self.roles[parent] and NAMED.fullmatch(parent.name):
                    self.roles[parent] = "workflow"

    def doubles(self) -> set[Key]:
        """Of spans of one call inside each other, all but the inner one that has counts. One that
        came in an earlier request stays the one that is told: an inner one without counts is
        completed by the outer one, as `instead` says."""
        inner: dict[Span, list[Span]] = {}
        for span, kind in self.roles.items():
            if kind == "llm" and span.parent:
                outer = next((one for one in self.above(span) if self.roles[one]), None)
                if outer is not None and self._twice(span, outer):
                    inner.setdefault(outer, []).append(span)
        found: set[Key] = set()
        for outer, spans in inner.items():
            stays = [span for span in spans if _before(span)]
            if any(_counted(span) for span in spans) or not _counted(outer):
                first = _before(outer) and not stays
                found.update(key(span) for span in (spans if first else (outer,)))
            elif stays:
                self.instead[outer] = stays[0]
            else:
                found.update(key(span) for span in spans)
        return found

    def _twice(self, span: Span, outer: Span) -> bool:
        """Whether a call and the nearest GenAI span above it can be one call (and no loop)."""
        same = self.roles[outer] == "llm" and embeds(span) == embeds(outer)
        return same and span not in self.above(outer)

    def nearest(self, span: Span, spellings: Names) -> Attributes:
        """The attributes that say one of these: the span's own, else its resource's, else the
        nearest's above it that has the same resource. What stands above may come later, so it
        goes before nothing that is known at once.
        """
        for own in (span.attributes, span.resource):
            if own.spelled & spellings.bit and first_text(own, spellings):
                return own
        if not span.parent:
            return NOTHING
        above = (one.attributes for one in self.above(span) if _together(one, span))
        return next((one for one in above if first_text(one, spellings)), NOTHING)

    def nearest_of_role(self, span: Span, kind: str) -> Span | None:
        """The nearest of this role: the span itself or one above it."""
        if self.roles[span] == kind:
            return span
        if not span.parent:
            return None
        return next((one for one in self.above(span) if self.roles[one] == kind), None)


def _before(span: Span) -> bool:
    """Whether an earlier request told this span, or one beside this does."""
    return (span.earlier or span.converted) and not span.duplicate


def _together(one: Span, other: Span) -> bool:
    return one.resource is other.resource or one.resource == other.resource


def title(span: Span, spellings: Names) -> str:
    """What the span is an account of by name: an attribute, else its own name without the verb."""
    return first_text(span.attributes, spellings) or VERBS.sub("", span.name, count=1)


def embeds(span: Span) -> bool:
    """Whether a call of a model is for embeddings."""
    words: tuple[Any, ...] = (
        span.attributes.get("gen_ai.operation.name"),
        *(span.attributes.get(name) for name in (*CERTAIN, *KINDS)),
        span.attributes.get("ai.operationId"),
    )
    return any("embed" in str(word).lower() for word in words if word)


def _counted(span: Span) -> bool:
    counted = (names.INPUT, names.OUTPUT, names.LANGFUSE_USAGE)
    return any(first_known(span.attributes, each)[0] for each in counted)
