"""Spans as events: calls of models, tools and integrations, replies, runs of workflows.

The convention stands at the top of `requests.py`; spellings in `names.py`, roles in `tree.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from data.errors import EventError
from data.events.doubts import DOUBTS
from data.events.table import micros
from data.sources.format import MOST_NAMED, UNREAD, Note, Raw
from data.sources.otlp import names
from data.sources.otlp.attributes import (
    Attributes,
    first_known,
    first_text,
    genai_names,
    milliseconds,
    provider_of,
)
from data.sources.otlp.items import Span
from data.sources.otlp.litellm import litellm_call
from data.sources.otlp.names import MASKS, Names
from data.sources.otlp.tree import CERTAIN, KINDS, Key, Tree, embeds, key, title
from data.sources.otlp.usage import cost, counts, leftover, tier, unexplained
from data.sources.times import instant

NANOS: Final = 1_000_000  # in a millisecond
RAW: Final = Note("raw_gen_ai_request is the double of litellm_request and not counted")
DOUBLE: Final = Note("of two spans of one model call inside each other one is counted")
CREATED: Final = Note("the creation of an agent is no reply and not counted")
AROUND: Final = Note("spans around calls repeat what these tell and are not counted")
BY_EVENTS: Final = Note("spans of coding assistants are not counted: their log events are")
SCOPES: Final = ("com.anthropic.claude_code", "codex_")
ASSISTANTS: Final = re.compile(
    r"claude-code|gemini-cli"
    r"|codex(?:[-_](?:cli|cli_rs|exec|tui|app[-_]server|mcp[-_]server|vscode|sdk_ts))?"
)
SURPLUS: Final = Note(
    "totals of tokens are more than their parts (of what kind the rest is, nothing says: likely"
    " cached): it is not counted"
)
UNCOUNTED: Final = "spans with GenAI attributes became nothing"
NOTHING_BUT: Final = "nothing but"  # attributes of which no kind of span is known
MOST_LISTED: Final = 3
LOST: Final = "spans with tokens or money became nothing"
# Calls may come yet, of another service.
WITHOUT_CALLS: Final = {
    kind: f"tokens of {spans} without calls below them so far are not counted"
    for kind, spans in {"message": "agent spans", "workflow": "workflow spans",
                        "tool": "tool spans", "integration": "integration spans"}.items()
}  # fmt: skip
TAGGED: Final = names.FINISHED.bit | names.RESPONSE.bit | names.ANSWERED.bit
TIMED: Final = names.FIRST_MOMENT.bit | names.FIRST_SECONDS.bit | names.FIRST_MILLIS.bit
CANCELLED: Final = ("cancelled", "canceled", "aborted")


def span_events(span: Span, tree: Tree, doubles: set[Key]) -> Iterator[Raw | Note]:
    """The event of a span, a note on why there is none, or nothing."""
    kind = tree.roles[span]
    if span.name == "raw_gen_ai_request":
        yield RAW
    elif not kind:
        yield from _uncounted(span, tree)
    elif span.scope.startswith(SCOPES) or tree.of_resource(span, _of_resource)["assistant"]:
        yield BY_EVENTS
    elif kind == "creation":
        yield CREATED
    elif key(span) in doubles:
        span.duplicate = True
        yield DOUBLE
    elif kind == "llm" and "litellm.call_id" in span.attributes:
        yield from litellm_call(span)
    else:
        span.converted = True
        raw = {**_common(span, kind, tree), **PARTS[kind](span)}
        yield raw
        yield from _unread(span, raw) if kind == "llm" else _without_calls(span, tree)


def _unread(span: Span, raw: Raw) -> Iterator[Note]:
    if left := leftover(span.attributes):
        yield Note(UNREAD.format("otlp", ", ".join(left[:MOST_NAMED])))
    if unexplained(span.attributes, raw):
        yield SURPLUS


def _without_calls(span: Span, tree: Tree) -> Iterator[Note]:
    """A note where a span has tokens or money, which only calls carry, and no call below it."""
    attributes = span.attributes
    if not attributes.spelled & names.USAGE.bit or span in tree.around_calls:
        return
    if any(MASKS.get(name, 0) & names.USAGE.bit and attributes[name] for name in attributes):
        yield Note(WITHOUT_CALLS[tree.roles[span]])


def _uncounted(span: Span, tree: Tree) -> Iterator[Note]:
    """Why a span about a model became nothing, unless spans below it or beside it say the same, as
    of the Vercel AI SDK and of MCP, or it only has the names of what it is part of or around."""
    attributes = span.attributes
    repeats = "ai.operationId" in attributes or names.MCP in attributes
    others = [] if attributes.spelled & names.GENAI.bit else genai_names(attributes)
    if repeats or not (attributes.spelled & names.GENAI.bit or others):
        return
    around = span in tree.around_calls
    part_of = around or any(map(tree.roles.get, tree.above(span)))
    if others and names.CONTEXT.issuperset(others) and part_of:
        return
    if around:
        yield AROUND
        return
    words = ((name, attributes.get(name)) for name in (*CERTAIN, *KINDS, *names.OPERATION))
    reason = next((f"{name} is {str(word)[:40]}" for name, word in words if word is not None), "")
    what = LOST if attributes.spelled & names.USAGE.bit else UNCOUNTED
    if others:
        reason = f"{NOTHING_BUT} {', '.join(others[:MOST_LISTED])}"
    yield Note(f"{what}: {reason or 'nothing says which model was called'}")


def _of_resource(resource: Attributes) -> dict[str, Any]:
    """What all spans of a resource have of it; `assistant`: they are a coding assistant's."""
    return {
        "assistant": ASSISTANTS.fullmatch(str(resource.get("service.name"))) is not None,
        "project": first_text(resource, names.PROJECT),
        "project_name": first_text(resource, names.PROJECT_NAME),
        "client": first_text(resource, SERVICE),
        "environment": first_text(resource, names.ENVIRONMENT),
    }


def _common(span: Span, kind: str, tree: Tree) -> Raw:
    if not span.trace or not span.id:
        raise EventError("the span has no trace id or no span id")
    flow, agent = tree.nearest_of_role(span, "workflow"), tree.nearest_of_role(span, "message")
    workflow = first_text(span.attributes, names.WORKFLOW) or (flow and title(flow, FLOWS))
    assistant = first_text(span.attributes, names.AGENT) or (agent and title(agent, AGENTS))
    person, common = tree.nearest(span, names.USER), tree.of_resource(span, _of_resource)
    failed = span.failed or _is_wrong(span.attributes)
    return {
        "event_id": f"otel:{span.trace}:{tree.instead.get(span, span).id}",
        "ts": span.start // 1_000 or None,
        "kind": kind,
        "channel": "platform",
        "source": "otlp",
        "user": first_text(person, names.USER),
        "user_name": first_text(person, names.USER_NAME),
        "project": first_text(span.attributes, names.PROJECT) or common["project"],
        "project_name": common["project_name"],
        "assistant": None if kind == "workflow" else assistant,
        "workflow": workflow,
        "run_id": f"{flow.trace}:{flow.id}" if flow else None,
        "conversation_id": first_text(tree.nearest(span, names.CONVERSATION), names.CONVERSATION),
        "client": common["client"],
        "duration_ms": (span.end - span.start) // NANOS if span.end >= span.start > 0 else None,
        **(_failure(span) if failed else {"status": "ok"}),
        "tags": _tags(span.attributes, common["environment"]),
    }


def _is_wrong(attributes: Attributes) -> bool:
    present = attributes.spelled & (names.ERROR.bit | names.LEVEL.bit)
    return bool(present) and ("error.type" in attributes or attributes[names.LEVEL[0]] == "ERROR")


FLOWS: Final = Names(*names.WORKFLOW, *names.ENTITY, *names.AGENT)
AGENTS: Final = Names(*names.AGENT, *names.ENTITY)
TOOLS: Final = Names(*names.TOOL, *names.ENTITY)
SERVICE: Final = Names("service.name")
UNNAMED: Final = Names()


def _failure(span: Span) -> Raw:
    why = first_text(span.attributes, names.ERROR)
    stopped = why is not None and why.lower().removesuffix("error").endswith(CANCELLED)
    return {"status": "aborted" if stopped else "error", "error_class": why}


def _call(span: Span) -> Raw:
    attributes = span.attributes
    requested, answered = (
        first_text(attributes, names.REQUESTED),
        first_text(attributes, names.ANSWERED),
    )
    provider = provider_of(attributes)
    model = answered or requested
    return {
        "provider": provider,
        "model": model.removeprefix(f"{provider}/") if model else None,
        "operation": first_text(attributes, names.OPERATION)
        or ("embeddings" if embeds(span) else None),
        "ttft_ms": _first(span),
        **tier(attributes),
        **counts(attributes),
        **cost(attributes),
    }


def _first(span: Span) -> int | None:
    attributes = span.attributes
    if not attributes.spelled & TIMED:  # as mostly
        return None
    if (moment := first_text(attributes, names.FIRST_MOMENT)) is not None:
        return _until(moment.strip('"'), span)
    found = milliseconds(*first_known(attributes, names.FIRST_SECONDS), 1_000)
    return milliseconds(*first_known(attributes, names.FIRST_MILLIS)) if found is None else found


def _until(moment: str, span: Span) -> int | None:
    """Milliseconds from the span's start to a moment that it tells."""
    try:
        took = micros(instant("completion_start_time", moment)) - span.start // 1_000
    except EventError:
        DOUBTS.no_time("completion_start_time")
        return None
    return took // 1_000 if took >= 0 else None


def _tool(span: Span) -> Raw:
    return {
        "tool": title(span, TOOLS),
        "tool_type": first_text(span.attributes, names.TOOL_TYPE),
    }


def _integration(span: Span) -> Raw:
    attributes = span.attributes
    if names.MCP in attributes or "gen_ai.tool.name" in attributes:
        return {
            "integration": first_text(attributes, names.MCP_SERVER),
            "integration_type": "mcp",
            "tool": first_text(attributes, names.TOOL),
        }
    source = first_text(attributes, names.DATA_SOURCE) or title(span, UNNAMED)
    return {"integration": source, "integration_type": "data_source"}


def _nothing(_: Span) -> Raw:
    return {}


PARTS: Final[dict[str, Callable[[Span], Raw]]] = {
    "llm": _call,
    "tool": _tool,
    "integration": _integration,
    "message": _nothing,
    "workflow": _nothing,
}


def _tags(attributes: Attributes, environment: str | None) -> Any:
    """What has no column of its own and is worth keeping; never content."""
    requested = first_text(attributes, names.REQUESTED)
    if not (attributes.spelled & TAGGED or environment):  # as often
        return {"requested_model": requested} if requested else None
    finished = first_known(attributes, names.FINISHED)[1]
    listed = isinstance(finished, list)
    tags = {
        "environment": environment,
        "response_id": first_text(attributes, names.RESPONSE),
        "requested_model": requested,
        "finish_reasons": [str(each)[:100] for each in finished[:9]] if listed else finished,
    }
    found = {name: value for name, value in tags.items() if value}
    if requested == first_text(attributes, names.ANSWERED):
        found.pop("requested_model", None)
    return found or None
