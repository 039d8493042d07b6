"""The price book: equal to genai-prices on every model, and silent where it knows nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers

from data.prices.book import EPOCH, PUBLIC, PriceBook
from data.prices.public_book import installed
from data.prices.rates import Rates

price, rates = PUBLIC.price, PUBLIC.rates
NOON = 1_763_640_000_000_000  # 2025-11-20T12:00:00Z
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
    assert found == Rates(Decimal(3_000), Decimal(300), Decimal(3_750), Decimal(15_000))
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
    assert [half.cost(n, 0, 0, 0) for n in (1, 2, 3, 5)] == [0, 1, 2, 2]


def test_a_model_is_looked_up_once() -> None:
    fresh = PriceBook()
    before = installed().plan.cache_info().misses
    for ts in range(NOON, NOON + 1_000):
        fresh.price("openai", "gpt-4o", ts, 1)
    assert fresh.plan.cache_info().misses == 1
    assert installed().plan.cache_info().misses - before <= 1
