"""Spans: every spelling of the conventions, what stands above a span, and what is a double."""

from __future__ import annotations

import itertools
import json
from typing import Any, Final

import pytest

from data.errors import EventError
from data.sources import Options
from data.sources.events import event_of
from data.sources.format import Note
from data.sources.otlp import requests
from data.sources.otlp.litellm import CACHE_HIT
from data.sources.otlp.spans import (
    AROUND,
    BY_EVENTS,
    CREATED,
    DOUBLE,
    LOST,
    RAW,
    SURPLUS,
    UNCOUNTED,
    WITHOUT_CALLS,
)

START: Final = 1_795_350_580_000_000_000
NUMBERS: Final = itertools.count(1)
SECRET: Final = "what nobody may keep"
CHAT: Final = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
USED: Final = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2}


def value(content: Any) -> Any:
    if isinstance(content, list):
        return {"arrayValue": {"values": [value(each) for each in content]}}
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    return {kinds[type(content)]: content}


def pairs(attributes: dict[str, Any]) -> list[Any]:
    return [{"key": key, "value": value(content)} for key, content in attributes.items()]


def span(attributes: dict[str, Any], parent: Any = None, **more: Any) -> dict[str, Any]:
    """A span of 1.5 s below `parent`, in the one trace of these tests."""
    return {
        "traceId": "ab" * 16,
        "spanId": f"{next(NUMBERS):016x}",
        "parentSpanId": parent["spanId"] if parent else "",
        "name": "a span",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1_500_000_000),
        "attributes": pairs(attributes),
        **more,
    }


def request(*spans: Any, resource: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "resource": {"attributes": pairs(resource or {})},
        "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}],
    }


def read(*groups: Any, options: Options | None = None) -> list[Any]:
    """Clean events, sentences of what is none, and notes, in order."""
    body = json.dumps({"resourceSpans": list(groups)}).encode()
    records = requests.request_records("traces", body, json=True, options=options or Options())
    return [said(raw) for _, raw in records]


def said(raw: Any) -> Any:
    try:
        return raw if isinstance(raw, Note) else event_of(raw)
    except EventError as error:
        return str(error)


def one(attributes: dict[str, Any], resource: dict[str, Any] | None = None, **more: Any) -> Any:
    (event,) = read(request(span(attributes, **more), resource=resource))
    return event


def known(event: Any) -> dict[str, Any]:
    return {name: content for name, content in event.items() if content is not None}


# Spellings

SPELLINGS: Final = {
    "current conventions": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_write.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
    },
    "cache creation": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.reasoning.output_tokens": 5,
    },
    "first conventions": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.prompt_tokens": 100,
        "gen_ai.usage.completion_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 60,
        "gen_ai.usage.cache_creation_input_tokens": 10,
        "gen_ai.usage.reasoning_tokens": 5,
    },
    "OpenLLMetry": {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "llm.usage.prompt_tokens": 100,
        "llm.usage.completion_tokens": 20,
        "llm.usage.total_tokens": 120,
        "llm.usage.cache_read_input_tokens": 60,
        "llm.usage.cache_creation_input_tokens": 10,
        "llm.usage.reasoning_tokens": 5,
    },
    "before the conventions": {
        "llm.vendor": "OpenAI",
        "llm.request.model": "gpt-4o",
        "llm.response.model": "gpt-4o-2024-11-20",
        "llm.usage.prompt_tokens": 100,
        "llm.usage.completion_tokens": 20,
        "gen_ai.usage.details.cache_read_tokens": 60,
        "gen_ai.usage.details.cache_write_tokens": 10,
        "gen_ai.usage.details.reasoning_tokens": 5,
    },
    "OpenInference": {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.model_name": "gpt-4o-2024-11-20",
        "llm.token_count.prompt": 100,
        "llm.token_count.completion": 20,
        "llm.token_count.prompt_details.cache_read": 60,
        "llm.token_count.prompt_details.cache_write": 10,
        "llm.token_count.completion_details.reasoning": 5,
    },
    "Sentry": {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.input_tokens.cached": 60,
        "gen_ai.usage.input_tokens.cache_write": 10,
        "gen_ai.usage.output_tokens.reasoning": 5,
    },
    "AI SDK": {
        "ai.operationId": "ai.generateText.doGenerate",
        "gen_ai.system": "openai.chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 100,
        "ai.usage.outputTokens": 20,
        "ai.usage.cachedInputTokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": "10",
        "ai.usage.reasoningTokens": 5,
    },
    "AI SDK 6": {
        "ai.operationId": "ai.streamText.doStream",
        "ai.model.provider": "openai.responses",
        "ai.model.id": "gpt-4o",
        "ai.response.model": "gpt-4o-2024-11-20",
        "ai.usage.inputTokens": 100,
        "ai.usage.inputTokenDetails.noCacheTokens": 30,
        "ai.usage.inputTokenDetails.cacheReadTokens": 60,
        "ai.usage.inputTokenDetails.cacheWriteTokens": 10,
        "ai.usage.outputTokens": 20,
        "ai.usage.outputTokenDetails.reasoningTokens": 5,
        "ai.usage.totalTokens": 120,
    },
    "Langfuse": {
        "langfuse.observation.type": "generation",
        "gen_ai.system": "openai",
        "langfuse.observation.model.name": "gpt-4o-2024-11-20",
        "langfuse.observation.usage_details": json.dumps({
            "input": 30, "cache_read_input_tokens": 60, "input_cache_creation": 10, "output": 15,
            "output_reasoning_tokens": 5, "total": 120,
        }),
    },
    "LangSmith": {
        "langsmith.span.kind": "llm",
        "langsmith.metadata.ls_provider": "openai",
        "langsmith.metadata.ls_model_name": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.input_token_details": json.dumps({"cache_read": 60, "cache_creation": 10}),
        "gen_ai.usage.output_token_details": json.dumps({"reasoning": 5, "audio": 0}),
    },
    "Strands": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-2024-11-20",
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.cache_read_input_tokens": 60,
        "gen_ai.usage.cache_write_input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.reasoning_tokens": 5,
        "gen_ai.usage.total_tokens": 120,
    },
    "MLflow": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "gen_ai.system": "openai",
        "mlflow.llm.model": "gpt-4o-2024-11-20",
        "mlflow.chat.tokenUsage": json.dumps({
            "input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
            "cache_read_input_tokens": 60, "cache_creation_input_tokens": 10,
        }),
        "gen_ai.usage.reasoning_tokens": "5",
    },
    "Braintrust": {
        "braintrust.span_attributes": json.dumps({"type": "llm", "name": "Chat"}),
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-2024-11-20",
        "braintrust.metrics": json.dumps({
            "prompt_tokens": 100, "prompt_cached_tokens": 60, "prompt_cache_creation_tokens": 10,
            "completion_tokens": 20, "completion_reasoning_tokens": 5, "tokens": 120,
        }),
    },
}  # fmt: skip


@pytest.mark.parametrize("attributes", SPELLINGS.values(), ids=SPELLINGS)
def test_a_call_in_every_spelling(attributes: dict[str, Any]) -> None:
    event = one(attributes)
    want = {
        "kind": "llm",
        "status": "ok",
        "provider": "openai",
        "model": "gpt-4o-2024-11-20",
        "input_tokens": 30,
        "cached_input_tokens": 60,
        "cache_write_tokens": 10,
        "output_tokens": 20,
        "reasoning_tokens": 5,
        "duration_ms": 1_500,
        "ts": START // 1_000,
        "source": "otlp",
        "channel": "platform",
    }
    assert {name: event[name] for name in want} == want
    assert event["event_id"] == f"otel:{'ab' * 16}:{next(NUMBERS) - 1:016x}"
    assert event["cost_origin"] == "list"


@pytest.mark.parametrize(
    ("attributes", "kind", "operation"),
    [
        ({"gen_ai.operation.name": "chat"}, "llm", "chat"),
        ({"gen_ai.operation.name": "text_completion"}, "llm", "text_completion"),
        ({"gen_ai.operation.name": "generate_content"}, "llm", "generate_content"),
        ({"gen_ai.operation.name": "embeddings"}, "llm", "embeddings"),
        ({"gen_ai.operation.name": "responses", "gen_ai.request.model": "m"}, "llm", "responses"),
        ({"llm.request.type": "embedding", "gen_ai.request.model": "m"}, "llm", "embeddings"),
        ({"openinference.span.kind": "EMBEDDING"}, "llm", "embeddings"),
        ({"openinference.span.kind": "LLM"}, "llm", None),
        ({"gen_ai.operation.name": "execute_tool"}, "tool", None),
        ({"traceloop.span.kind": "tool"}, "tool", None),
        ({"openinference.span.kind": "TOOL"}, "tool", None),
        ({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "t"}, "tool", None),
        ({"ai.operationId": "ai.streamText.doStream"}, "llm", None),
        ({"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 5}, "llm", "embeddings"),
        ({"gen_ai.operation.name": "invoke_agent"}, "message", None),
        ({"traceloop.span.kind": "agent"}, "message", None),
        ({"openinference.span.kind": "AGENT"}, "message", None),
        ({"gen_ai.operation.name": "invoke_workflow"}, "workflow", None),
        ({"traceloop.span.kind": "workflow"}, "workflow", None),
        ({"gen_ai.operation.name": "retrieval"}, "integration", None),
        ({"openinference.span.kind": "RETRIEVER"}, "integration", None),
        ({"mcp.method.name": "tools/call"}, "integration", None),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.type": "mcp"}, "integration", None),
        (
            {"gen_ai.operation.name": "execute_tool", "mcp.method.name": "tools/call"},
            "integration",
            None,
        ),
    ],
)  # fmt: skip
def test_operations_are_kinds(attributes: dict[str, Any], kind: str, operation: str | None) -> None:
    event = one(attributes)
    assert (event["kind"], event["operation"]) == (kind, operation)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "POST"},
        {"openinference.span.kind": "GUARDRAIL"},
        {"traceloop.span.kind": "task"},
        {"llm.request.type": "rerank"},
        {"mcp.method.name": "tools/list"},
        {"ai.operationId": "ai.generateText", "ai.model.id": "m", "ai.usage.promptTokens": 5},
        {"mcp.method.name": "initialize", "gen_ai.operation.name": "chat"},
    ],
)
def test_what_is_no_use_of_a_model_yields_nothing(attributes: dict[str, Any]) -> None:
    assert read(request(span(attributes))) == []


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"gen_ai.operation.name": "create_memory"},
         f"{UNCOUNTED}: gen_ai.operation.name is create_memory"),
        ({"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 5, "llm.model_name": "m"},
         f"{LOST}: openinference.span.kind is CHAIN"),
        (CHAT | {"langsmith.span.kind": "prompt"}, f"{UNCOUNTED}: langsmith.span.kind is prompt"),
        (CHAT | {"langsmith.span.kind": "parser"}, f"{UNCOUNTED}: langsmith.span.kind is parser"),
        ({"langfuse.observation.type": "chain", "langfuse.observation.model.name": "m"},
         f"{UNCOUNTED}: langfuse.observation.type is chain"),
        ({"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai"},
         f"{UNCOUNTED}: gen_ai.operation.name is framework"),
        ({"gen_ai.operation.name": "retrieve_batch", "gen_ai.request.model": "m"},
         f"{UNCOUNTED}: gen_ai.operation.name is retrieve_batch"),
        (USED, f"{LOST}: nothing says which model was called"),
        ({"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.5},
         f"{UNCOUNTED}: nothing but gen_ai.evaluation.name, gen_ai.evaluation.score.value"),
        ({"gen_ai.conversation.id": "c1"}, f"{UNCOUNTED}: nothing but gen_ai.conversation.id"),
    ],
)  # fmt: skip
def test_a_span_about_a_model_that_becomes_nothing_is_named(
    attributes: dict[str, Any], sentence: str
) -> None:
    assert read(request(span(attributes))) == [Note(sentence)]


def test_a_span_below_an_agent_that_carries_on_its_name_is_no_loss() -> None:
    agent = span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "kb"})
    inner = {"gen_ai.agent.name": "kb", "http.route": "/"}
    assert [type(one) for one in read(request(agent, span(inner, parent=agent)))] == [dict]
    scored = span(inner | {"gen_ai.evaluation.name": "relevance"}, parent=agent)
    assert [type(one) for one in read(request(agent, scored))] == [dict, Note]


@pytest.mark.parametrize(
    ("attributes", "resource", "want"),
    [
        ({"enduser.id": "ana", "user.id": "u1"}, {}, {"user": "ana"}),
        ({"user.id": "u1"}, {"enduser.id": "team bot"}, {"user": "u1"}),
        ({}, {"user.id": "u1"}, {"user": "u1"}),
        ({"user.id": 42}, {}, {"user": "42"}),
        ({"langfuse.user.id": "u1"}, {}, {"user": "u1"}),
        ({"traceloop.association.properties.user_id": "u1"}, {}, {"user": "u1"}),
        ({}, {"team.id": "team-web", "service.namespace": "web"}, {"project": "team-web"}),
        ({}, {"service.namespace": "web"}, {"project": "web"}),
        ({"team.id": "own"}, {"team.id": "team-web"}, {"project": "own"}),
        ({}, {"openinference.project.name": "p"}, {"project": "p"}),
        ({}, {"service.name": "shop"}, {"client": "shop"}),
        ({"gen_ai.conversation.id": "c", "session.id": "s"}, {}, {"conversation_id": "c"}),
        ({"session.id": "s"}, {}, {"conversation_id": "s"}),
        ({"gen_ai.agent.name": "triage"}, {}, {"assistant": "triage"}),
        ({"traceloop.workflow.name": "digest"}, {}, {"workflow": "digest"}),
        (
            {"error.type": "RateLimitError"},
            {},
            {"status": "error", "error_class": "RateLimitError"},
        ),
        ({"error.type": "CancelledError"}, {}, {"status": "aborted"}),
        ({"gen_ai.response.time_to_first_chunk": 0.25}, {}, {"ttft_ms": 250}),
        ({"ai.response.msToFirstChunk": 31.9}, {}, {"ttft_ms": 31}),
        ({"gen_ai.system": "Langchain"}, {}, {"provider": None}),
        ({"gen_ai.system": "anthropic.messages"}, {}, {"provider": "anthropic"}),
        ({"gen_ai.provider.name": "aws.bedrock"}, {}, {"provider": "aws.bedrock"}),
    ],
)
def test_context_of_a_call(
    attributes: dict[str, Any], resource: dict[str, Any], want: dict[str, Any]
) -> None:
    event = one(CHAT | attributes, resource)
    assert {name: event[name] for name in want} == want


def test_a_silent_span_invents_nothing() -> None:
    event = known(one({"gen_ai.operation.name": "chat"}, endTimeUnixNano="0"))
    assert set(event) == {
        *("event_id", "ts", "kind", "channel", "source", "status", "cost_origin", "operation"),
        "unpriced_reason",
    }


def test_options_say_whose_silent_spans_are() -> None:
    mine = Options(user="me", project="p")
    (event,) = read(request(span(CHAT)), options=mine)
    assert (event["user"], event["project"]) == ("me", "p")


# Tokens and cost


@pytest.mark.parametrize(
    ("told", "cached", "written", "want"),
    [
        (100, 60, 10, (30, 60, 10)),
        (70, 60, 10, (0, 60, 10)),
        (50, 60, 10, (50, 60, 10)),  # Anthropic's own way: cached beside the input
        (65, 60, 10, (65, 60, 10)),
        (100, None, None, (100, None, None)),
        (None, 60, None, (None, 60, None)),
        (0, 0, 0, (0, 0, 0)),
    ],
)
def test_input_includes_what_is_cached_unless_it_cannot(
    told: int | None, cached: int | None, written: int | None, want: tuple[int | None, ...]
) -> None:
    given = {
        "gen_ai.usage.input_tokens": told,
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.usage.cache_creation.input_tokens": written,
    }
    event = one(CHAT | {name: count for name, count in given.items() if count is not None})
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens")
    assert tuple(event[name] for name in names) == want


@pytest.mark.parametrize(("total", "fresh"), [(120, 30), (190, 100), (0, 30), ("odd", 30)])
def test_a_total_tells_whether_the_input_includes_what_is_cached(total: Any, fresh: int) -> None:
    counts = {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 10,
        "gen_ai.usage.output_tokens": 20,
    }
    assert one(CHAT | counts | {"gen_ai.usage.total_tokens": total})["input_tokens"] == fresh


def test_reasoning_is_part_of_the_output_unless_it_is_more() -> None:
    told = {"gen_ai.usage.output_tokens": 10, "gen_ai.usage.reasoning_tokens": 4}
    assert one(CHAT | told)["output_tokens"] == 10
    event = one(CHAT | told | {"gen_ai.usage.reasoning_tokens": 40})
    assert (event["output_tokens"], event["reasoning_tokens"]) == (50, 40)


ADK: Final = {"gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash"}
SDK: Final = {
    "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "claude-haiku-4-5",
    "ai.model.provider": "anthropic.messages", "ai.usage.inputTokens": 900,
    "ai.usage.outputTokens": 88, "ai.usage.cachedInputTokens": 700, "ai.usage.totalTokens": 988,
}  # fmt: skip


def test_a_total_that_no_part_explains_is_named() -> None:
    event, note = read(request(span(CHAT | USED | {"gen_ai.usage.total_tokens": 20})))
    assert (event["input_tokens"], event["output_tokens"], note) == (10, 2, SURPLUS)


@pytest.mark.parametrize(
    ("spelling", "want"),
    [
        ("gen_ai.usage.input_cache_creation", (40, None, 60, None)),
        ("gen_ai.usage.input_cache_read_tokens", (40, 60, None, None)),
        ("llm.anthropic.usage.cache_creation_input_tokens", (40, None, 60, None)),
        ("llm.usage.cachedPromptTokens", (40, 60, None, None)),
        ("gen_ai.usage.completion_thinking_tokens", (100, None, None, 60)),
        ("gen_ai.usage.cached_audio_tokens", (100, None, None, None)),
        ("gen_ai.usage.cache_read_cost", (100, None, None, None)),
    ],
)
def test_a_count_is_known_by_what_its_name_says(
    spelling: str, want: tuple[int | None, ...]
) -> None:
    told = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 70, spelling: 60}
    event, *_ = read(request(span(CHAT | told)))
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens")
    assert tuple(event[name] for name in names) == want


def test_a_count_that_is_known_goes_before_one_whose_name_says_the_same() -> None:
    told = {"gen_ai.usage.cached_tokens": 60, "gen_ai.usage.prefix_cache_read_tokens": 10}
    assert one(CHAT | USED | {"gen_ai.usage.input_tokens": 100} | told)["cached_input_tokens"] == 60


@pytest.mark.parametrize(
    ("attributes", "want"),
    [
        # ADK's candidates exclude thoughts, under its old name and in its JSON; newer ones do not
        (ADK | USED | {"gen_ai.usage.experimental.reasoning_tokens": 1}, (10, None, None, 3, 1)),
        (ADK | USED | {"gen_ai.usage.reasoning.output_tokens": 1}, (10, None, None, 2, 1)),
        (ADK | {"gcp.vertex.agent.llm_response": json.dumps({
            "content": {"parts": [{"text": SECRET}]},
            "usage_metadata": {"prompt_token_count": 100, "cached_content_token_count": 40,
                               "candidates_token_count": 30, "thoughts_token_count": 20,
                               "total_token_count": 150}})},
         (60, 40, None, 50, 20)),
        (ADK | {"gcp.vertex.agent.llm_response": json.dumps(
            {"usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3}})},
         (7, None, None, 3, None)),
        # Gemini's thoughts in the total alone; of another model nobody knows what the rest is
        (ADK | USED | {"gen_ai.usage.total_tokens": 20}, (10, None, None, 10, 8)),
        (CHAT | USED | {"gen_ai.usage.total_tokens": 20}, (10, None, None, 2, None)),
        # The AI SDK's fifth version passes Anthropic's and Bedrock's numbers on, but not its total
        (SDK | {"ai.response.providerMetadata": json.dumps(
            {"anthropic": {"cacheCreationInputTokens": 310}})}, (900, 700, 310, 88, None)),
        (SDK | {"ai.response.providerMetadata": json.dumps(
            {"bedrock": {"usage": {"cacheWriteInputTokens": 310}}})}, (900, 700, 310, 88, None)),
        (SDK | {"ai.response.providerMetadata": json.dumps(
            {"openai": {"cachedPromptTokens": 700}})}, (200, 700, None, 88, None)),
        # What OpenAI says, passed to Langfuse
        ({"langfuse.observation.type": "generation", "langfuse.observation.usage_details":
            json.dumps({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 9},
                        "completion_tokens_details": {"reasoning_tokens": 5}})},
         (40, 60, None, 20, 5)),
        # A total decides both questions
        (CHAT | {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read_tokens": 60,
                 "gen_ai.usage.output_tokens": 20, "gen_ai.usage.reasoning_tokens": 5,
                 "gen_ai.usage.total_tokens": 185}, (100, 60, None, 25, 5)),
        (CHAT | {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read_tokens": 60,
                 "gen_ai.usage.output_tokens": 20, "gen_ai.usage.reasoning_tokens": 5,
                 "gen_ai.usage.total_tokens": 125}, (40, 60, None, 25, 5)),
        # LangSmith's exporter prints Python, and has the same as metadata
        (CHAT | {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
                 "gen_ai.usage.input_token_details": "{'cache_read': 60, 'cache_creation': 10}"},
         (30, 60, 10, 20, None)),
        (CHAT | {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
                 "langsmith.metadata.usage_metadata": json.dumps({
                     "input_tokens": 100, "input_token_details": {"cache_read": 60},
                     "output_token_details": {"reasoning": 5}})}, (40, 60, None, 20, 5)),
        # OpenInference's converter of Strands has no names for what is cached
        ({"openinference.span.kind": "LLM", "llm.model_name": "gpt-4o",
          "llm.token_count.prompt": 100, "llm.token_count.completion": 20,
          "llm.token_count.total": 190, "metadata": json.dumps(
              {"gen_ai.usage.cache_read_input_tokens": 60,
               "gen_ai.usage.cache_write_input_tokens": 10})}, (100, 60, 10, 20, None)),
        # Words for nothing
        (CHAT | {"gen_ai.usage.input_tokens": "none", "gen_ai.usage.prompt_tokens": 10,
                 "gen_ai.usage.output_tokens": "unknown"}, (10, None, None, None, None)),
        ({"gen_ai.response.model": "gpt-4o", "gen_ai.response.prompt_tokens": 5,
          "gen_ai.response.completion_tokens": 6}, (5, None, None, 6, None)),
    ],
)  # fmt: skip
def test_each_program_counts_in_its_own_way(
    attributes: dict[str, Any], want: tuple[int | None, ...]
) -> None:
    event, *_ = read(request(span(attributes)))
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    assert tuple(event[name] for name in (*names, "reasoning_tokens")) == want
    assert SECRET not in str(event)


@pytest.mark.parametrize(
    ("attributes", "want"),
    [
        (SDK | {"ai.response.providerMetadata": json.dumps({"anthropic": {"usage": {
            "input_tokens": 4, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
            "server_tool_use": {"web_search_requests": 2}, "service_tier": "batch"}}})},
         {"input_tokens": 4, "cache_write_tokens": 30, "cache_write_1h_tokens": 20,
          "web_searches": 2, "service_tier": "batch"}),
        (CHAT | {"gen_ai.openai.request.service_tier": "flex",
                 "gen_ai.openai.response.service_tier": "default"}, {"service_tier": "standard"}),
        (CHAT | {"gen_ai.openai.request.service_tier": "auto"}, {"service_tier": None}),
        (CHAT | {"gen_ai.request.service_tier": "standard_only"}, {"service_tier": "standard"}),
        *((SDK | {"ai.response.providerMetadata": json.dumps({"anthropic": {"usage": {
            "input_tokens": 4, "speed": speed, "service_tier": "batch"}}})}, {"service_tier": tier})
          for speed, tier in (("fast", "fast"), ("standard", "batch"))),
        (CHAT | {"llm.token_count.prompt": 100, "llm.token_count.completion": 20,
                 "llm.token_count.prompt_details.audio": 90,
                 "llm.token_count.completion_details.audio": 15},
         {"input_audio_tokens": 90, "output_audio_tokens": 15}),
        (CHAT | USED | {"gen_ai.usage.input_token_details": '{"audio": 4}'},
         {"input_audio_tokens": 4, "output_audio_tokens": None}),
        ({"langfuse.observation.type": "generation", "langfuse.observation.usage_details":
            '{"input": 5, "input_audio_tokens": 7, "input_cache_creation_1h": 9, "output": 1}'},
         {"input_tokens": 12, "input_audio_tokens": 7, "cache_write_tokens": 9,
          "cache_write_1h_tokens": 9}),
    ],
)  # fmt: skip
def test_what_has_a_price_of_its_own_is_told_apart(
    attributes: dict[str, Any], want: dict[str, Any]
) -> None:
    event, *_ = read(request(span(attributes)))
    assert {name: event[name] for name in want} == want


SCALE: Final = CHAT | USED | {"gen_ai.openai.request.service_tier": "flex",
                              "gen_ai.openai.response.service_tier": "scale"}  # fmt: skip


def test_a_tier_that_nobody_quotes_has_no_list_price() -> None:
    """Neither the standard price, nor that of the tier which was asked for."""
    event = one(SCALE)
    assert (event["cost_nano"], event["service_tier"]) == (None, None)
    assert event["unpriced_reason"] == "no rate for scale"
    reported = one(SCALE | {"gen_ai.usage.cost": 0.5})
    assert (reported["cost_nano"], reported["unpriced_reason"]) == (500_000_000, None)


def test_a_span_around_calls_repeats_them() -> None:
    """As Pydantic AI's agents do; alone, its tokens are those of a call that nobody else tells."""
    agent = span(USED | {"agent_name": "helper"}, name="agent run")
    call = span(CHAT | USED, agent)
    event, note = read(request(call, agent))
    assert (event["input_tokens"], note) == (10, AROUND)
    assert read(request(agent)) == [Note(f"{LOST}: nothing says which model was called")]


WORDS: Final = {"invoke_agent": "agent", "invoke_workflow": "workflow", "execute_tool": "tool",
                "retrieval": "integration"}  # fmt: skip


@pytest.mark.parametrize("operation", WORDS)
def test_tokens_without_calls_below_them_are_named(operation: str) -> None:
    outer = span(USED | {"gen_ai.operation.name": operation})
    between = span({"gen_ai.operation.name": "invoke_agent"}, outer)
    event, note, _ = read(request(outer, between))
    assert (event["input_tokens"], note) == (None, Note(
        f"tokens of {WORDS[operation]} spans without calls below them so far are not counted"
    ))  # fmt: skip
    found = read(request(outer, between, span(CHAT | USED, between)))
    assert [each["input_tokens"] for each in found] == [None, None, 10]


@pytest.mark.parametrize("tokens", [{}, {"gen_ai.usage.input_tokens": 0}])
def test_an_agent_without_tokens_needs_no_calls(tokens: dict[str, Any]) -> None:
    assert one({"gen_ai.operation.name": "invoke_agent"} | tokens)["kind"] == "message"


def test_json_that_is_cut_off_costs_what_it_held_alone() -> None:
    event = one(SDK | {"ai.response.providerMetadata": '{"anthropic": {"usage": {"input_tok'})
    assert (event["kind"], event["output_tokens"]) == ("llm", 88)


def test_langfuse_tells_what_it_cost_and_when_it_began() -> None:
    event = one({
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o",
        "langfuse.observation.usage_details": '{"input": 10, "output": 2}',
        "langfuse.observation.cost_details": '{"input": 0.25, "output": 0.5}',
        "langfuse.observation.completion_start_time": '"2026-11-22T12:29:40.250000Z"',
        "langfuse.observation.level": "ERROR", "langfuse.trace.name": "digest",
    })  # fmt: skip
    want = {"cost_nano": 750_000_000, "cost_origin": "reported", "status": "error",
            "workflow": "digest", "ttft_ms": 250}  # fmt: skip
    assert {name: event[name] for name in want} == want


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        (CHAT | {"langsmith.span.kind": "retriever"}, "integration"),
        (CHAT | {"langsmith.span.kind": "tool"}, "tool"),
        ({"langfuse.observation.type": "retriever"}, "integration"),
        ({"langfuse.observation.type": "embedding"}, "llm"),
        ({"langfuse.observation.type": "agent"}, "message"),
        (USED | {"langfuse.observation.type": "span", "langfuse.observation.model.name": "m"},
         "llm"),
        ({"spring.ai.kind": "vector_store"}, "integration"),
        ({"lmnr.span.type": "LLM"}, "llm"),
        ({"gen_ai.tool.call.id": "c", "gen_ai.tool.name": "search"}, "tool"),
    ],
)  # fmt: skip
def test_each_vocabulary_has_its_kinds(attributes: dict[str, Any], kind: str) -> None:
    assert one(attributes)["kind"] == kind


@pytest.mark.parametrize(
    ("cost", "nano", "origin"),
    [
        ({"gen_ai.usage.cost": 0.000001}, 1_000, "reported"),
        ({"gen_ai.usage.total_cost": "0.5"}, 500_000_000, "reported"),
        ({"llm.cost.total": 2}, 2_000_000_000, "reported"),
        ({"operation.cost": 1e-9}, 1, "reported"),
        (
            {"ai.response.providerMetadata": '{"gateway": {"cost": "0.25"}}'},
            250_000_000,
            "reported",
        ),
        ({"gen_ai.usage.cost": 0.0}, 45_000, "list"),  # who knows no price says 0
        ({}, 45_000, "list"),
    ],
)
def test_cost_is_what_the_emitter_says(cost: Any, nano: int, origin: str) -> None:
    event = one(CHAT | {"gen_ai.system": "openai"} | USED | cost)
    assert (event["cost_nano"], event["cost_origin"]) == (nano, origin)


# What stands above


def agent_of(name: str = "triage", /, **more: Any) -> dict[str, Any]:
    return span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name} | more)


def test_a_call_belongs_to_whom_the_spans_above_it_name() -> None:
    flow = span(
        {"gen_ai.operation.name": "invoke_workflow", "enduser.id": "ana", "session.id": "s1"},
        name="invoke_workflow digest",
    )
    agent = span({"gen_ai.operation.name": "invoke_agent"}, flow, name="invoke_agent triage")
    between = span({"http.request.method": "POST"}, agent)
    call = span(CHAT | USED, between)
    tool = span({"gen_ai.operation.name": "execute_tool"}, agent, name="execute_tool search")
    found = read(request(call, tool, between, agent, flow))
    events = {event["kind"]: event for event in found}
    for event in events.values():
        assert (event["user"], event["conversation_id"]) == ("ana", "s1")
        assert event["workflow"] == "digest"
        assert event["run_id"] == f"{'ab' * 16}:{flow['spanId']}"
    assistants = {kind: event["assistant"] for kind, event in events.items()}
    assert assistants == {"llm": "triage", "tool": "triage", "message": "triage", "workflow": None}
    assert events["tool"]["tool"] == "search"


def test_a_workflow_may_tell_its_name_as_an_agent_s() -> None:
    event = one({"gen_ai.operation.name": "invoke_workflow", "gen_ai.agent.name": "digest"})
    assert (event["workflow"], event["assistant"]) == ("digest", None)
    assert one({"traceloop.span.kind": "workflow", "traceloop.entity.name": "d"})["workflow"] == "d"


def test_an_agent_carries_no_tokens() -> None:
    more: dict[str, Any] = {"gen_ai.usage.cost": 5.0, "gen_ai.request.model": "gpt-4o"}
    agent = agent_of("triage", **USED, **more)
    event, note = read(request(agent))
    assert event["kind"] == "message"
    assert event["input_tokens"] is event["cost_nano"] is None
    assert note == Note(WITHOUT_CALLS["message"])


def test_only_the_same_resource_says_whose_a_span_is() -> None:
    gateway = span({"http.request.method": "POST", "enduser.id": "gateway bot"})
    call = span(CHAT, gateway)
    apart = read(
        request(gateway, resource={"service.name": "gw"}),
        request(call, resource={"service.name": "app"}),
    )
    together = read(
        request(gateway, resource={"service.name": "app"}),
        request(call, resource={"service.name": "app"}),
    )
    assert [event["user"] for event in apart] == [None]
    assert [event["user"] for event in together] == ["gateway bot"]


def test_a_name_belongs_to_the_user_it_stands_beside() -> None:
    above = span({"enduser.id": "ana", "user.name": "Ana Ito"})
    events = read(request(above, span(CHAT, above), span(CHAT | {"user.id": "bo"}, above)))
    assert [(e["user"], e["user_name"]) for e in events] == [("ana", "Ana Ito"), ("bo", None)]


def test_spans_that_claim_to_be_above_each_other_do_not_loop() -> None:
    first, second = span(CHAT), span(CHAT)
    first["parentSpanId"], second["parentSpanId"] = second["spanId"], first["spanId"]
    own = span(CHAT)
    own["parentSpanId"] = own["spanId"]
    found = read(request(first, second, own))
    assert [event["kind"] for event in found] == ["llm", "llm", "llm"]


def test_a_span_called_workflow_is_one_with_genai_below_it() -> None:
    flow = span({"enduser.id": "ana"}, name="workflow ticket-digest")
    event = next(e for e in read(request(flow, span(CHAT, flow))) if e["kind"] == "workflow")
    assert (event["workflow"], event["user"]) == ("ticket-digest", "ana")
    assert read(request(span({}, name="workflow build-and-test"))) == []


# Doubles


def test_of_two_spans_of_one_call_the_inner_one_counts() -> None:
    outer = span(CHAT | USED, name="ChatOpenAI.chat")
    inner = span(CHAT | USED, outer)
    for spans in ((inner, outer), (inner, outer, inner, outer)):
        second, first, *again = read(request(*spans))
        assert first is DOUBLE
        assert again in ([], [second, first])
    assert second["event_id"].endswith(inner["spanId"])


def test_the_inner_one_is_found_through_spans_that_are_none_of_ours() -> None:
    outer = span(CHAT | USED)
    http = span({"http.request.method": "POST"}, outer)
    inner = span(CHAT | USED, http)
    first, second = read(request(outer, http, inner))
    assert first is DOUBLE
    assert second["event_id"].endswith(inner["spanId"])


def test_the_outer_one_counts_where_the_inner_one_has_no_counts() -> None:
    outer = span(CHAT | USED)
    inner = span(CHAT, outer)
    first, second = read(request(outer, inner))
    assert first["input_tokens"] == 10
    assert second is DOUBLE


def test_calls_below_a_tool_or_of_another_kind_are_calls_of_their_own() -> None:
    outer = span(CHAT | USED)
    tool = span({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "ask"}, outer)
    nested = span(CHAT | USED, tool)
    embedding = span(USED | {"gen_ai.operation.name": "embeddings"}, outer)
    kinds = [event["kind"] for event in read(request(outer, tool, nested, embedding))]
    assert kinds == ["llm", "tool", "llm", "llm"]


def test_notes_say_what_is_not_counted() -> None:
    raw = span({"llm.openai.messages": SECRET}, name="raw_gen_ai_request")
    created = span({"gen_ai.operation.name": "create_agent", "gen_ai.agent.name": "a"})
    assert read(request(raw, created)) == [RAW, CREATED]
    for service in ("claude-code", "codex_cli_rs", "codex_exec", "codex-app-server"):
        telling = request(span(CHAT | USED), resource={"service.name": service})
        assert read(telling) == [BY_EVENTS]
    renamed = request(span(CHAT | USED), resource={"service.name": "ana's laptop"})
    renamed["scopeSpans"][0]["scope"]["name"] = "com.anthropic.claude_code.tracing"
    assert read(renamed) == [BY_EVENTS]
    (own,) = read(request(span(CHAT | USED), resource={"service.name": "codex-review"}))
    assert own["input_tokens"] == 10


# LiteLLM

LITELLM: Final = {
    "gen_ai.operation.name": "acompletion", "gen_ai.request.model": "gpt-4o",
    "gen_ai.system": "openai", "litellm.call_id": "c1", "gen_ai.cost.total_cost": 0.5,
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
    "metadata.usage_object": "{'prompt_tokens_details': {'cached_tokens': 60, 'x': None}}",
    "metadata.requester_metadata": "{'tags': ['assistant:kb'], 'session_id': 's1'}",
    "metadata.user_api_key_user_id": "ana", "metadata.user_api_key_team_id": "web",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["aget_responses", "acreate_batch", "avector_store_search"])
def test_what_litellm_only_retrieves_or_creates_is_no_call(kind: str) -> None:
    tokens = dict.fromkeys(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"), 0)
    row = LITELLM | tokens | {"gen_ai.operation.name": kind}
    (note,) = read(request(span(row)))
    assert kind in note.text


def test_a_call_of_litellm_is_read_as_its_row() -> None:
    event = one(LITELLM)
    want = {
        "event_id": "litellm:c1:chatcmpl-1",
        "source": "litellm",
        "channel": "api",
        "operation": "chat",
        "user": "ana",
        "project": "web",
        "assistant": "kb",
        "conversation_id": "s1",
        "input_tokens": 40,
        "cached_input_tokens": 60,
        "cost_nano": 500_000_000,
        "duration_ms": 1_500,
    }
    assert {name: event[name] for name in want} == want


@pytest.mark.parametrize(
    "hit",
    [
        {"hidden_params": '{"cache_key": "abc"}'},
        {"hidden_params": '{"a": 1, "cache_key": "abc", "cut o'},
        {"hidden_params": "{'cache_key': 'abc'}"},
        {"metadata.cache_hit": "True"},
        {"litellm.cache_hit": True},
    ],
)
def test_a_hit_in_its_cache_is_free(hit: dict[str, Any]) -> None:
    note, event = read(request(span(LITELLM | hit)))
    assert note is CACHE_HIT
    assert (event["cost_nano"], event["cost_origin"]) == (0, "reported")
    assert event["tags"] == '{"cache_hit":true}'
    missed = {"hidden_params": '{"cache_key": null}', "metadata.cache_hit": "False"}
    assert one(LITELLM | missed)["cost_nano"] == 500_000_000


@pytest.mark.parametrize("text", ["{'cut o", '{"cut', "{" + "[" * 999, "no object", "{1, 2}", "9"])
def test_what_is_cut_off_loses_itself_alone(text: str) -> None:
    event = one(LITELLM | {"metadata.usage_object": text, "metadata.requester_metadata": text})
    assert (event["input_tokens"], event["cached_input_tokens"]) == (100, None)
    assert (event["assistant"], event["user"]) == (None, "ana")


def test_older_versions_without_ids_are_calls_like_any_other() -> None:
    old = {name: told for name, told in LITELLM.items() if name != "litellm.call_id"}
    event = one(old)
    assert event["event_id"].startswith("otel:")
    assert (event["user"], event["project"]) == ("ana", "web")


# Tools and integrations


def test_an_integration_names_its_server_and_tool() -> None:
    called = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "search"}
    event = one(called | {"mcp.server.name": "jira", "server.address": "jira.example.com"})
    assert (event["integration"], event["integration_type"]) == ("jira", "mcp")
    assert event["tool"] == "search"
    assert one(called | {"server.address": "jira.example.com"})["integration"] == "jira.example.com"
    source = {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "wiki"}
    event = one(source)
    assert (event["integration"], event["integration_type"]) == ("wiki", "data_source")


def test_the_other_side_of_an_mcp_call_is_the_same_call() -> None:
    called = {"mcp.method.name": "tools/call"}
    client = span(called, kind=3)
    server = span(called, client, kind="SPAN_KIND_SERVER")
    alone = span(called, kind=2)
    assert len(read(request(client, server))) == 1
    assert len(read(request(alone))) == 1


def test_a_tool_keeps_its_name_and_type() -> None:
    attributes = {"gen_ai.tool.name": "search", "gen_ai.tool.type": "function"}
    event = one({"gen_ai.operation.name": "execute_tool"} | attributes)
    assert (event["tool"], event["tool_type"]) == ("search", "function")
    assert one({"traceloop.span.kind": "tool", "traceloop.entity.name": "t"})["tool"] == "t"


# Content, and what is wrong


def test_content_is_never_kept() -> None:
    names = (
        *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
        *("gen_ai.prompt", "gen_ai.prompt.0.content", "gen_ai.completion.0.content"),
        *("input.value", "output.value", "llm.input_messages.0.message.content"),
        *("traceloop.entity.input", "traceloop.entity.output", "llm.prompts"),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "ai.prompt"),
        *("error.message", "exception.message", "gen_ai.agent.description"),
    )
    content = dict.fromkeys(names, SECRET)
    calls = [
        span(CHAT | content, status={"code": 2, "message": SECRET}),
        span({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"} | content),
        agent_of(**content),
        span(CHAT | content, events=[{"name": "e", "attributes": pairs(content)}]),
    ]
    found = read(request(*calls))
    assert len(found) == 4
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("attributes", "more", "sentence"),
    [
        ({"gen_ai.usage.cost": "free"}, {}, "is not a number"),
        ({"gen_ai.request.model": "m" * 1_001}, {}, "model is longer than 1,000 characters"),
        ({}, {"startTimeUnixNano": "0"}, "ts is missing"),
        ({}, {"startTimeUnixNano": "1"}, "ts is missing"),
        ({}, {"startTimeUnixNano": str(2**64 - 1)}, "outside the years 2000 to 2100"),
        ({}, {"startTimeUnixNano": "soon"}, "this is no span of OTLP"),
        ({}, {"traceId": ""}, "the span has no trace id or no span id"),
        ({}, {"spanId": None}, "the span has no trace id or no span id"),
        ({}, {"traceId": "no id"}, "this is no span of OTLP"),
        ({}, {"attributes": {"a": 1}}, "attributes is no list"),
        ({}, {"attributes": [{"value": {}}]}, "'key' is missing"),
        ({}, {"attributes": [7]}, "this is no span of OTLP"),
        ({}, {"status": 2}, "this is no span of OTLP"),
    ],
)
def test_a_wrong_span_is_rejected_alone(attributes: Any, more: Any, sentence: str) -> None:
    good = span(CHAT | USED)
    wrong = span(CHAT | attributes) | more
    found = read(request(wrong, good))
    assert sentence in found[0]
    assert found[1]["input_tokens"] == 10
