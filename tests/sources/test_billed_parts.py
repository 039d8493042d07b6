"""What is billed beside plain tokens in LiteLLM's usage and Bedrock's bodies, and what it costs.

Costs are worked out by hand, in nano-dollars, from the vendors' public prices of the day. LiteLLM's
own count where they are told; `listed` is what re-pricing a call that it could not price gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from data.events.reasons import LEFT_OPEN
from data.events.table import Event
from data.prices.book import PUBLIC
from data.sources import File, Options, formats
from data.sources.events import event_of

Row = dict[str, Any]


def one(name: str, row: Row) -> Event:
    found = formats()[name].read(File("f", body=json.dumps(row).encode() + b"\n"), Options())
    (event,) = (event_of(raw) for _, raw in found if isinstance(raw, Mapping))
    return event


def differing(event: Event, want: Mapping[str, Any]) -> Row:
    return {name: event[name] for name in want if event[name] != want[name]}


# LiteLLM


def litellm(provider: str, model: str, prompt: int, completion: int, **usage: Any) -> Event:
    """A call that LiteLLM knows no price of."""
    return one("litellm", {
        "request_id": "r", "litellm_call_id": "c", "call_type": "acompletion", "spend": 0,
        "startTime": "2026-05-01T10:00:00Z", "custom_llm_provider": provider, "model": model,
        "prompt_tokens": prompt, "completion_tokens": completion,
        "metadata": {"usage_object": usage},
    })  # fmt: skip


def listed(event: Event) -> int | None:
    """The list price of a call that its source left open."""
    assert (event["cost_nano"], event["unpriced_reason"]) == (None, LEFT_OPEN)
    return PUBLIC.price_of(event)[0]


def test_litellm_tells_hour_long_cache_writes_and_searches() -> None:
    event = litellm(
        "anthropic", "claude-opus-4-8", 10_000, 200,
        cache_read_input_tokens=4_000, cache_creation_input_tokens=5_000,
        prompt_tokens_details={
            "cached_tokens": 4_000, "cache_creation_tokens": 5_000,
            "cache_creation_token_details": {
                "ephemeral_5m_input_tokens": 2_000, "ephemeral_1h_input_tokens": 3_000,
            },
        },
        server_tool_use={"web_search_requests": 2},
    )  # fmt: skip
    tokens = 1_000 * 5_000 + 4_000 * 500 + 2_000 * 6_250 + 3_000 * 10_000 + 200 * 25_000
    assert not differing(event, {
        "input_tokens": 1_000, "cached_input_tokens": 4_000, "cache_write_tokens": 5_000,
        "cache_write_1h_tokens": 3_000, "output_tokens": 200, "web_searches": 2,
    })  # fmt: skip
    assert listed(event) == tokens + 2 * 10_000_000


def test_litellm_tells_searches_among_the_prompts_details_too() -> None:
    event = litellm("anthropic", "claude-opus-4-8", 100, 0,
                    prompt_tokens_details={"web_search_requests": 3})  # fmt: skip
    assert (event["web_searches"], listed(event)) == (3, 100 * 5_000 + 3 * 10_000_000)


def test_litellm_tells_sound() -> None:
    event = litellm(
        "openai", "gpt-realtime", 1_000, 500,
        prompt_tokens_details={"audio_tokens": 900, "text_tokens": 100, "cached_tokens": 0},
        completion_tokens_details={"audio_tokens": 400, "text_tokens": 100},
    )  # fmt: skip
    assert not differing(event, {
        "input_tokens": 1_000, "input_audio_tokens": 900, "output_tokens": 500,
        "output_audio_tokens": 400,
    })  # fmt: skip
    assert listed(event) == 100 * 4_000 + 900 * 32_000 + 100 * 16_000 + 400 * 64_000


def test_litellm_tells_images() -> None:
    event = litellm(
        "vertex_ai", "gemini-2.5-flash-image", 100, 1_300,
        completion_tokens_details={"image_tokens": 1_290, "text_tokens": 10},
    )  # fmt: skip
    assert (event["output_image_tokens"], listed(event)) == (
        1_290, 100 * 300 + 10 * 2_500 + 1_290 * 30_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "tier", "cost"),
    [
        ({}, None, 1_000 * 1_250 + 100 * 10_000),
        ({"service_tier": "default"}, "standard", 1_000 * 1_250 + 100 * 10_000),
        ({"service_tier": "flex"}, "flex", 1_000 * 625 + 100 * 5_000),
        ({"service_tier": "priority"}, "priority", 1_000 * 2_500 + 100 * 20_000),
    ],
)
def test_litellm_tells_the_service_tier(told: Row, tier: str | None, cost: int) -> None:
    event = litellm("openai", "gpt-5", 1_000, 100, **told)
    assert (event["service_tier"], listed(event)) == (tier, cost)


def test_litellm_tells_a_tier_that_nobody_quotes() -> None:
    event = litellm("openai", "gpt-5", 1_000, 100, service_tier="scale")
    assert (event["cost_nano"], event["unpriced_reason"]) == (None, "no rate for scale")


def test_litellm_tells_anthropics_fast_mode() -> None:
    event = litellm("anthropic", "claude-opus-4-8", 1_000, 100, speed="fast", service_tier="batch")
    assert (event["service_tier"], listed(event)) == ("fast", 1_000 * 10_000 + 100 * 50_000)


# Bedrock

SONNET: Final = "anthropic.claude-sonnet-4-5-20250929-v1:0"
COUNTS: Final = {
    "inputTokenCount": 100, "cacheReadInputTokenCount": 1_000, "cacheWriteInputTokenCount": 3_000,
}  # fmt: skip
HOUR: Final = 100 * 3_300 + 1_000 * 330 + 1_000 * 4_125 + 2_000 * 6_600 + 50 * 16_500
WRITTEN: Final = {"ephemeral_5m_input_tokens": 1_000, "ephemeral_1h_input_tokens": 2_000}
ANTHROPIC: Final = {"usage": {"input_tokens": 100, "cache_creation": WRITTEN}}


def bedrock(model: str, counts: Mapping[str, int], body: Any) -> Event:
    return one("bedrock", {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "requestId": "r",
        "timestamp": "2026-05-01T10:00:00Z", "operation": "Converse", "modelId": model,
        "input": counts, "output": {"outputTokenCount": 50, "outputBodyJson": body},
    })  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"usage": {"inputTokens": 100, "cacheWriteInputTokens": 3_000, "cacheDetails": [
            {"ttl": "1h", "inputTokens": 2_000}, {"ttl": "5m", "inputTokens": 1_000}]}},
        ANTHROPIC,
        [{"type": "message_start", "message": ANTHROPIC},
         {"type": "message_delta", "usage": {"output_tokens": 50}}, "no chunk"],
    ],
    ids=["Converse", "InvokeModel", "InvokeModelWithResponseStream"],
)  # fmt: skip
def test_bedrock_tells_hour_long_cache_writes(body: Any) -> None:
    event = bedrock(SONNET, COUNTS, body)
    assert not differing(event, {
        "input_tokens": 100, "cached_input_tokens": 1_000, "cache_write_tokens": 3_000,
        "cache_write_1h_tokens": 2_000, "output_tokens": 50, "cost_nano": HOUR,
    })  # fmt: skip


@pytest.mark.parametrize("body", [None, {}, [], "cut off", {"usage": {"cacheDetails": "x"}}])
def test_bedrock_without_a_body_tells_none(body: Any) -> None:
    event = bedrock(SONNET, COUNTS, body)
    assert event["cache_write_1h_tokens"] is None
    assert event["cost_nano"] == HOUR - 2_000 * (6_600 - 4_125)


@pytest.mark.parametrize(
    ("told", "tier", "reason"),
    [("default", "standard", None), ("flex", "flex", "no rate for flex"),
     ("priority", "priority", "no rate for priority"), ("reserved", None, "no rate for reserved")],
)  # fmt: skip
def test_bedrock_tells_the_service_tier(told: str, tier: str | None, reason: str | None) -> None:
    body = {"serviceTier": {"type": told}}
    event = bedrock("amazon.nova-pro-v1:0", {"inputTokenCount": 100}, body)
    cost = None if reason else 100 * 800 + 50 * 3_200
    assert not differing(event, {
        "service_tier": tier, "cost_nano": cost, "unpriced_reason": reason,
    })  # fmt: skip
