"""Metrics of model calls: money, tokens, speed, failure."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import func

from data.measuring import (
    CALL,
    CALL_TOKENS,
    LLM,
    USED,
    E,
    Metric,
    all_tokens,
    count_of,
    distinct,
    latest,
    percentile,
    ratio,
    total,
)

FAILED: Final = sa.and_(CALL, E.status == "error")
PROMPT: Final = (
    func.coalesce(total(E.input_tokens), 0)
    + func.coalesce(total(E.cached_input_tokens), 0)
    + func.coalesce(total(E.cache_write_tokens), 0)
)
PRICED_TOKENS: Final = sa.case((E.cost_nano.is_not(None), CALL_TOKENS))
SHARE_OF_ALL: Final = ratio(func.sum(E.cost_nano), func.sum(func.sum(E.cost_nano)).over())

MONEY: Final = (
    Metric(
        "cost", "Cost", "usd", total(E.cost_nano),
        "Reported by the source, else priced from the book at the call's date.", LLM, "less",
    ),
    *(
        Metric(
            f"cost_{channel}", f"{label} cost", "usd",
            sa.cast(func.sum(E.cost_nano).filter(E.channel == channel), sa.BigInteger),
            f"The cost of calls through channel {channel}.", LLM, "less",
        )
        for channel, label in (
            ("platform", "Platform"), ("cli", "CLI"), ("api", "API"), ("other", "Other"),
        )
    ),
    Metric(
        "cost_of_errors", "Cost of errors", "usd",
        sa.cast(func.sum(E.cost_nano).filter(E.status == "error"), sa.BigInteger),
        "What failed calls cost all the same.", LLM, "less",
    ),
    Metric(
        "cost_of_aborted", "Cost of aborted", "usd",
        sa.cast(func.sum(E.cost_nano).filter(E.status == "aborted"), sa.BigInteger),
        "What calls cost that somebody stopped.", LLM, "less",
    ),
    Metric(
        "cost_share", "Share of cost", "share", SHARE_OF_ALL,
        "Of the cost of everything shown.", LLM, additive=False,
    ),
    Metric(
        "cost_per_request", "Cost per request", "usd_each",
        ratio(func.sum(E.cost_nano), count_of(sa.and_(CALL, E.cost_nano.is_not(None)))),
        "Cost over the calls whose cost is known.", LLM, "less", additive=False,
    ),
    Metric(
        "cost_per_user", "Cost per active user", "usd_each",
        ratio(func.sum(E.cost_nano), distinct(E.user, CALL)),
        "Cost over the distinct users with a call.", LLM, "less", additive=False,
    ),
    Metric(
        "cost_per_1k_tokens", "Cost per 1,000 tokens", "usd_each",
        ratio(func.sum(E.cost_nano) * 1_000, func.sum(PRICED_TOKENS)),
        "Cost over the tokens of the calls whose cost is known.", LLM, "less", additive=False,
    ),
    Metric(
        "cache_saved", "Saved by cache reads", "usd", total(E.cache_saved_nano),
        "What cache reads would have cost as plain input, less what they cost; list prices.",
        LLM, "more",
    ),
    Metric(
        "cache_write_cost", "Spent on cache writes", "usd", total(E.cache_write_nano),
        "What was paid to write the cache; list prices.", LLM, "less",
    ),
    Metric(
        "priced_share", "Priced share", "share",
        ratio(count_of(sa.and_(USED, E.cost_nano.is_not(None))), count_of(USED)),
        "Calls with a known cost among the calls that used tokens.", LLM, "more", additive=False,
    ),
)  # fmt: skip

CALLS: Final = (
    Metric("requests", "Requests", "count", count_of(CALL), "Model calls, failed or not.", LLM),
    Metric("tokens", "Tokens", "tokens", all_tokens(), "Input, cached, cache write, output.", LLM),
    Metric("input_tokens", "Input", "tokens", total(E.input_tokens), "Uncached prompt.", LLM),
    Metric(
        "cached_input_tokens", "Cached input", "tokens", total(E.cached_input_tokens),
        "Prompt tokens read from the provider's cache.", LLM,
    ),
    Metric(
        "cache_write_tokens", "Cache writes", "tokens", total(E.cache_write_tokens),
        "Prompt tokens written to the provider's cache.", LLM,
    ),
    Metric("output_tokens", "Output", "tokens", total(E.output_tokens), "Generated tokens.", LLM),
    Metric(
        "reasoning_tokens", "Reasoning", "tokens", total(E.reasoning_tokens),
        "Part of the output tokens, never added to them.", LLM,
    ),
    Metric(
        "cached_share", "Cached share", "share", ratio(total(E.cached_input_tokens), PROMPT),
        "Cache reads among all prompt tokens.", LLM, "more", additive=False,
    ),
    Metric("errors", "Errors", "count", count_of(FAILED), "Calls that failed.", LLM, "less"),
    Metric(
        "error_rate", "Error rate", "share", ratio(count_of(FAILED), count_of(CALL)),
        "Failed calls among all calls.", LLM, "less", additive=False,
    ),
    Metric(
        "last_error", "Last error", "text", latest(E.error_class, FAILED),
        "The class of the latest failed call.", LLM, additive=False,
    ),
    Metric(
        "duration_avg", "Avg duration", "ms", func.avg(E.duration_ms).filter(CALL),
        "Mean duration of the calls that report one.", LLM, "less", additive=False,
    ),
    *(
        Metric(
            f"{kind}_p{share:.0f}", f"p{share:.0f} {label}", "ms",
            percentile(E[f"{kind}_ms"], share / 100, CALL),
            f"{share:.0f} of 100 calls had this {help_} or a shorter one (exact).",
            LLM, "less", additive=False,
        )
        for kind, label, help_ in (
            ("duration", "duration", "duration"), ("ttft", "first token", "time to first token"),
        )
        for share in (50, 95)
    ),
)  # fmt: skip
