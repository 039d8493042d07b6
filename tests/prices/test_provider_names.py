"""Who sells a model: frameworks are nobody, and some names are one provider's alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data.prices.book import PUBLIC
from data.prices.provider_names import provider_of
from data.sources.events import event_of

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CALL = {
    "event_id": "c1", "ts": NOON, "kind": "llm", "channel": "api", "source": "test",
    "status": "ok", "input_tokens": 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize(
    "told",
    [
        *("strands-agents", "microsoft.agent_framework", "spring_ai", "semantic_kernel", "autogen"),
        *("agno", "pydantic-ai", "pydantic_ai", "vercel", "gateway", "az.ai.inference"),
        *("litellm_proxy", "LangChain", "openai_agents", "_OTHER", "unknown", "none", None),
    ],
)
def test_a_framework_sells_nothing(told: str | None) -> None:
    event = event_of(CALL | {"provider": told, "model": "gpt-4o"})
    assert (event["provider"], event["cost_nano"]) == (None, 2_500_000_000)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock"),
        ("amazon.nova-lite-v1:0", "aws.bedrock"),
        ("eu.meta.llama3-2-1b-instruct-v1:0", "aws.bedrock"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
         "aws.bedrock"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc123", "openai"),
        ("text-embedding-3-small", "openai"),
        ("models/gemini-2.5-pro", "gcp.gemini"),
        ("publishers/google/models/gemini-2.5-pro", "gcp.vertex_ai"),
        ("claude-sonnet-4-5@20250929", "gcp.vertex_ai"),
        ("litellm_proxy/models/gemini-2.5-pro", "gcp.gemini"),
        ("gpt-4o", None),
        ("cohere.command-r-plus", None),  # Oracle spells it so, too
        ("claude-sonnet-4-5", None),
    ],
)  # fmt: skip
def test_some_names_are_one_providers(model: str, provider: str | None) -> None:
    assert provider_of(None, model) == provider == provider_of("strands", model)
    assert PUBLIC.rates(None, model, NOON) or provider is None


@pytest.mark.parametrize("told", ["anthropic", "openai"])
@pytest.mark.parametrize(
    ("model", "provider"),
    [("glm-4.6", "zai"), ("kimi-k2-0905-preview", "moonshotai"), ("deepseek-chat", "deepseek")],
)
def test_anothers_model_behind_the_same_interface(told: str, model: str, provider: str) -> None:
    event = event_of(CALL | {"provider": told, "model": model})
    assert event["provider"] == provider
    assert event["cost_origin"] == "list"


@pytest.mark.parametrize(
    ("told", "model"),
    [("anthropic", "claude-sonnet-4-5"), ("groq", "qwen/qwen3-32b"), ("aws.bedrock", "gpt-4o"),
     ("hosted_vllm", "gpt-4o"), ("together_ai", "deepseek-ai/DeepSeek-V3")],
)  # fmt: skip
def test_who_is_named_and_sells_stays(told: str, model: str) -> None:
    assert provider_of(told, model) == told


@pytest.mark.parametrize(
    "model", ["vercel/openai/gpt-4o", "litellm_proxy/gpt-4o", "GPT 4o", "ai-gateway/openai/gpt-4o"]
)
def test_a_name_is_read_as_it_is_meant(model: str) -> None:
    rates = PUBLIC.rates(None, model, NOON)
    assert rates is not None
    assert rates.input == 2_500
