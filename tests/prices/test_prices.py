"""The price book: equal to genai-prices on every model, and silent where it knows nothing."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers

from data.events.table import FIELDS, PARTS, TOKENS, micros
from data.prices.book import EPOCH, PUBLIC, PriceBook
from data.prices.public_book import installed
from data.prices.rates import Rates
from data.prices.rates import Usage as Billed

price, rates = PUBLIC.price, PUBLIC.rates
NOON = 1_763_640_000_000_000  # 2025-11-20T12:00:00Z
QUOTED = micros(datetime(2026, 10, 16, tzinfo=UTC))  # all tiers of 2026 were, by then
WHEN = datetime(2025, 11, 20, 12, tzinfo=UTC)
MODELS = [(provider.id, model.id) for provider in providers for model in provider.models]
Counts = tuple[int, int, int, int]


def book(provider: str, model: str, ts: int, counts: Counts) -> int | None:
    """The same question asked to genai-prices itself."""
    fresh, cached, written, output = counts
    usage = Usage(
        input_tokens=fresh + cached + written,
        cache_read_tokens=cached,
        cache_write_tokens=written,
        output_tokens=output,
    )
    when = EPOCH + timedelta(microseconds=ts)
    try:
        found = calc_price(usage, model, provider_id=provider, genai_request_timestamp=when)
    except LookupError:  # some names in the book do not match themselves
        return None
    return int((found.total_price * 10**9).quantize(Decimal(1), ROUND_HALF_EVEN))


# How genai-prices names our tiers.
CONTEXTS = {
    "batch": ({"processing": "batch"},), "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"speed": "fast"}, {"service_tier": "fast"}),
}  # fmt: skip


def theirs(call: dict[str, Any], context: dict[str, str] | None) -> int:
    """A call of ours with all that is billed, asked to genai-prices itself."""
    fresh, cached, written, output = (call[name] or 0 for name in TOKENS)
    usage = Usage(
        input_tokens=fresh + cached + written, cache_read_tokens=cached, output_tokens=output,
        cache_write_tokens=written, cache_write_1h_tokens=call["cache_write_1h_tokens"],
        input_audio_tokens=call["input_audio_tokens"], web_searches=call["web_searches"],
        input_image_tokens=call["input_image_tokens"],
        output_audio_tokens=call["output_audio_tokens"],
        output_image_tokens=call["output_image_tokens"],
        output_reasoning_tokens=call["reasoning_tokens"],
        cache_audio_read_tokens=0, cache_image_read_tokens=0,
    )  # fmt: skip
    when = EPOCH + timedelta(microseconds=call["ts"])
    found = calc_price(usage, call["model"], provider_id=call["provider"],
                       genai_request_timestamp=when, price_context=context)  # fmt: skip
    return int((found.total_price * 10**9).quantize(Decimal(1), ROUND_HALF_EVEN))


def billed(draw: random.Random, ts: int) -> dict[str, Any]:
    """A call with parts of its counts, and searches."""
    _, counts = drawn(draw)
    call: dict[str, Any] = dict.fromkeys(FIELDS) | dict(zip(TOKENS, counts, strict=True))
    for whole, parts in PARTS.items():
        call |= {part: draw.choice((0, 0, 0, call[whole] // 4)) for part in parts}
    return call | {"ts": ts, "kind": "llm", "web_searches": draw.choice((0, 0, 3))}


def test_equals_the_book_on_every_unit_of_every_model() -> None:
    draw, unpriced = random.Random(11), Counter[str | None]()
    for provider, model in MODELS:
        call = billed(draw, drawn(draw)[0]) | {"provider": provider, "model": model}
        mine, reason = PUBLIC.price_of(call)
        unpriced[reason] += 1
        if mine is not None:
            assert mine == theirs(call, None), call
    assert unpriced[None] > len(MODELS) / 3
    assert {"no rate for web searches", "no rate for one-hour cache writes"} < {*unpriced}


def test_equals_the_book_in_every_tier_of_every_model() -> None:
    draw, priced = random.Random(13), Counter[str]()
    sold = [(provider.id, model) for provider in providers for model in provider.models]
    for provider, model in sold:
        for tier, contexts in CONTEXTS.items():
            quoted = [one.when for one in model.price_variants or () if one.when in contexts]
            call = billed(draw, draw.randrange(QUOTED, QUOTED + 200 * 86_400_000_000)) | {
                "provider": provider, "model": model.id, "service_tier": tier, "web_searches": 0,
            }  # fmt: skip
            mine, reason = PUBLIC.price_of(call)
            if mine is not None:
                assert mine == theirs(call, quoted[0]), call
                priced[tier] += 1
            elif not quoted and reason:
                assert reason == f"no rate for {tier}" or PUBLIC.price_of(
                    call | {"service_tier": None}
                ) == (None, reason)
    assert min(priced[tier] for tier in CONTEXTS) > 4


def test_a_tier_holds_before_it_was_quoted_while_the_standard_price_did() -> None:
    def batch(model: str, day: datetime) -> tuple[int | None, str | None]:
        call = dict.fromkeys(FIELDS) | {"provider": "openai", "model": model, "ts": micros(day)}
        return PUBLIC.price_of(call | {"input_tokens": 10**6, "service_tier": "batch"})

    assert batch("gpt-4o", datetime(2025, 2, 1, tzinfo=UTC)) == (1_250_000_000, None)
    assert batch("o3", datetime(2025, 7, 1, tzinfo=UTC)) == (1_000_000_000, None)
    assert batch("o3", datetime(2025, 5, 1, tzinfo=UTC)) == (None, "no rate for batch")


@pytest.mark.parametrize(
    ("call", "cost", "reason"),
    [
        ({"model": "claude-opus-4-6", "service_tier": "fast"}, None, "no rate for fast"),
        ({"model": "claude-opus-4-8", "service_tier": "fast"}, 10_000_000, None),
        ({"model": "claude-opus-4-8", "service_tier": "standard"}, 5_000_000, None),
        ({"model": "claude-sonnet-4-5", "cache_write_tokens": 100, "cache_write_1h_tokens": 60},
         3_000_000 + 40 * 3_750 + 60 * 6_000, None),
        ({"model": "claude-sonnet-4-5", "web_searches": 25}, 3_000_000 + 250_000_000, None),
        ({"provider": "openrouter", "model": "anthropic/claude-sonnet-4",
          "cache_write_tokens": 9, "cache_write_1h_tokens": 9},
         None, "no rate for one-hour cache writes"),
        ({"provider": "groq", "model": "openai/gpt-oss-20b", "web_searches": 1},
         None, "no rate for web searches"),
        ({"provider": "google", "model": "gemini-2.5-flash", "input_audio_tokens": 400},
         600 * 300 + 400 * 1_000, None),
        ({"provider": "google", "model": "gemini-2.5-pro", "input_audio_tokens": 400},
         1_250_000, None),
        ({"provider": "openai", "model": "gpt-4o", "input_audio_tokens": 400},
         None, "no rate for audio input"),
        ({"provider": "openai", "model": "gpt-4o", "input_image_tokens": 400}, 2_500_000, None),
        ({"provider": "openai", "model": "gpt-4o", "output_tokens": 9, "output_image_tokens": 9},
         None, "no rate for image output"),
        ({"provider": "azure", "model": "gpt-4o", "service_tier": "batch"},
         None, "no rate for batch"),
        ({"model": "claude-of-nobody"}, None, "unknown model"),
        ({"provider": None, "model": "llama-3.3-70b-versatile"}, None, "no provider"),
        ({"provider": None, "model": "our-llama"}, None, "unknown model"),
        ({"provider": "groq", "model": "whisper-large-v3"}, None, "not sold by the token"),
        ({"model": None}, None, "no model"),
        ({"model": "claude-sonnet-4-5", "input_tokens": None}, None, "no token counts"),
    ],
)  # fmt: skip
def test_a_call_has_a_cost_or_a_reason(
    call: dict[str, Any], cost: int | None, reason: str | None
) -> None:
    least = {"provider": "anthropic", "ts": NOON, "kind": "llm", "input_tokens": 1_000}
    assert PUBLIC.price_of(dict.fromkeys(FIELDS) | least | call) == (cost, reason)


def drawn(draw: random.Random) -> tuple[int, Counts]:
    span = (1_577_836_800_000_000, 1_798_761_600_000_000)  # 2020 to 2027
    sizes = (1, 10, 5_000, 300_000, 2_000_000)
    a, b, c, d = (draw.randrange(draw.choice(sizes)) for _ in range(4))
    return draw.randrange(*span), (a, b, c, d)


def test_equals_the_book_on_every_model() -> None:
    draw = random.Random(7)
    unpriced = 0
    for provider, model in MODELS * 3:
        ts, counts = drawn(draw)
        mine, theirs = price(provider, model, ts, *counts), book(provider, model, ts, counts)
        assert mine == theirs or (mine is None and theirs == 0), (provider, model, ts, counts)
        unpriced += mine is None
    assert 0 < unpriced < len(MODELS) / 4  # not sold by the token


@pytest.mark.parametrize(
    ("provider", "model"),
    [("deepseek", "deepseek-chat"), ("deepseek", "deepseek-v4-pro"), ("openai", "gpt-4o")],
)
def test_equals_the_book_around_every_half_hour(provider: str, model: str) -> None:
    counts = (1_000, 200, 30, 4_000)
    for half in range(48):
        for microsecond in (-1, 0, 1):
            ts = NOON + half * 1_800_000_000 + microsecond
            assert price(provider, model, ts, *counts) == book(provider, model, ts, counts)


def test_time_of_day_changes_the_price() -> None:
    day, night = (price("deepseek", "deepseek-chat", ts, 10**6) for ts in (NOON, NOON + 18 * 10**9))
    assert day != night


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_a_long_prompt_pays_the_dearer_step_from_the_exact_token_on(over: int) -> None:
    for counts in ((200_000 + over, 0, 0, 10), (100_000, 60_000 + over, 40_000, 10)):
        mine = price("google", "gemini-2.5-pro", NOON, *counts)
        assert mine == book("google", "gemini-2.5-pro", NOON, counts)


def test_counts_are_disjoint() -> None:
    found = rates("anthropic", "claude-sonnet-4-5", WHEN)
    assert found == Rates(
        Decimal(3_000), Decimal(300), Decimal(3_750), Decimal(15_000),
        cache_write_1h=Decimal(6_000), web_searches=Decimal(10_000_000),
    )  # fmt: skip
    cost = price("anthropic", "claude-sonnet-4-5", NOON, 1, 10, 100, 1_000)
    assert cost == 3_000 + 10 * 300 + 100 * 3_750 + 1_000 * 15_000


def test_without_its_own_rate_a_cache_count_pays_the_input_rate() -> None:
    found = rates("openai", "gpt-4o", WHEN)
    assert found is not None
    assert found.cache_write == found.input == Decimal(2_500)
    assert found.cached_input == Decimal(1_250)


def test_prices_change_by_date() -> None:
    early, late = (
        rates("openai", "o3", datetime(*day, tzinfo=UTC)) for day in ((2025, 6, 1), (2025, 7, 1))
    )
    assert early is not None
    assert late is not None
    assert early.input == 5 * late.input


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2024-11-20"),
        (None, "gpt-4o"),
        (None, "openai/gpt-4o"),
        ("openai", "openai/gpt-4o"),
        ("OpenAI", "GPT-4o"),
        ("azure", "gpt-4o"),
    ],
)
def test_finds_a_model_by_any_of_its_names(provider: str | None, model: str) -> None:
    assert price(provider, model, NOON, 1_000_000) == 2_500_000_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("gcp.vertex_ai", "gemini-2.5-pro"),
        ("gcp.gen_ai", "gemini-2.5-pro"),
        ("gcp.gemini", "gemini-2.5-pro"),
        ("azure.ai.openai", "gpt-4o"),
        ("azure.ai.inference", "gpt-4o"),
        ("x_ai", "grok-4"),
        ("mistral_ai", "mistral-large-latest"),
        ("fireworks_ai", "accounts/fireworks/models/deepseek-v3-0324"),
        (None, "together_ai/Gryphe/MythoMax-L2-13b"),
    ],
)
def test_knows_providers_by_the_names_of_the_conventions(provider: str | None, model: str) -> None:
    assert rates(provider, model, WHEN) is not None


def test_openrouter_keeps_the_prefix_in_the_name() -> None:
    assert rates("openrouter", "anthropic/claude-sonnet-4.5", WHEN) is not None
    assert rates(None, "openrouter/anthropic/claude-sonnet-4.5", WHEN) is not None


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("hosted_vllm", "gpt-4o"),
        (None, "hosted_vllm/gpt-4o"),
        ("", "gpt-4o"),
        ("openai", "llama-3.3-70b-instruct-onprem"),
        (None, "REDACTED"),
        ("openai", "<script>alert(1)</script>"),
        ("openai", ""),
        ("openai", "/"),
        ("openai", "x" * 10_000),
        ("groq", "whisper-large-v3"),  # sold by the hour
    ],
)
def test_what_the_book_does_not_know_is_unpriced(provider: str | None, model: str) -> None:
    assert price(provider, model, NOON, 1_000) is None
    assert rates(provider, model, WHEN) is None


def test_no_token_known_is_unpriced_and_nothing_used_is_free() -> None:
    assert price("openai", "gpt-4o", NOON, None, None, None, None) is None
    assert price("openai", None, NOON, 1_000) is None
    assert price("openai", "gpt-4o", NOON, 0, None, None, 0) == 0
    assert price("openai", "gpt-4o", NOON, None, None, None, 1_000) == 10_000_000


def test_free_models_are_free() -> None:
    free = next(model for provider, model in MODELS if model.endswith(":free"))
    assert price("openrouter", free, NOON, 1_000) == 0


def test_rounds_half_to_even() -> None:
    half = Rates(Decimal("0.5"), Decimal(0), Decimal(0), Decimal(0))
    assert [half.cost(Billed(n)) for n in (1, 2, 3, 5)] == [0, 1, 2, 2]


def test_a_model_is_looked_up_once() -> None:
    fresh = PriceBook()
    before = installed().plan.cache_info().misses
    for ts in range(NOON, NOON + 1_000):
        fresh.price("openai", "gpt-4o", ts, 1)
    assert fresh.plan.cache_info().misses == 1
    assert installed().plan.cache_info().misses - before <= 1
