"""Metrics of model calls: money, tokens, speed, failure."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import func

from data.query.metric import (
    CALL,
    CALL_TOKENS,
    LLM,
    USED,
    E,
    Metric,
    all_tokens,
    calls,
    distinct,
    latest,
    percentile,
    ratio,
    total,
    total_where,
)

FAILED: Final = sa.and_(CALL, E.status == "error")
PROMPT: Final = (
    func.coalesce(total(E.input_tokens), 0)
    + func.coalesce(total(E.cached_input_tokens), 0)
    + func.coalesce(total(E.cache_write_tokens), 0)
)
COMPARED: Final = E.list_cost_nano.is_not(None)
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
            total_where(E.cost_nano, sa.and_(CALL, E.channel == channel)),
            f"The cost of calls through channel {channel}.", LLM, "less",
        )
        for channel, label in (
            ("platform", "Platform"), ("cli", "CLI"), ("api", "API"), ("other", "Other"),
        )
    ),
    Metric(
        "cost_of_errors", "Cost of errors", "usd",
        total_where(E.cost_nano, FAILED),
        "What failed calls cost all the same.", LLM, "less",
    ),
    Metric(
        "cost_of_aborted", "Cost of aborted", "usd",
        total_where(E.cost_nano, sa.and_(CALL, E.status == "aborted")),
        "What calls cost that somebody stopped.", LLM, "less",
    ),
    Metric(
        "cost_share", "Share of cost", "share", SHARE_OF_ALL,
        "Of the cost of everything shown.", LLM, additive=False,
    ),
    Metric(
        "cost_per_request", "Cost per request", "usd_each",
        ratio(func.sum(E.cost_nano), calls(sa.and_(CALL, E.cost_nano.is_not(None)))),
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
        "cache_saved", "Saved by cache reads", "usd",
        total_where(E.cache_saved_nano, E.cached_input_tokens > 0),
        "What cache reads would have cost as plain input, less what they cost; list prices.",
        LLM, "more",
    ),
    Metric(
        "cache_write_cost", "Spent on cache writes", "usd",
        total_where(E.cache_write_nano, E.cache_write_tokens > 0),
        "What was paid to write the cache; list prices.", LLM, "less",
    ),
    Metric(
        "reported_cost", "Reported cost", "usd",
        sa.cast(func.sum(E.cost_nano).filter(COMPARED), sa.BigInteger),
        "Reported by the source, for calls whose list price is known too.", LLM, "less",
    ),
    Metric(
        "list_cost", "List cost", "usd", total(E.list_cost_nano),
        "What the same calls cost by the price book.", LLM, "less",
    ),
    Metric(
        "reported_minus_list", "Reported minus list", "usd", total(E.cost_nano - E.list_cost_nano),
        "How much more than the price book's their source reported.", LLM, "less",
    ),
    Metric(
        "priced_share", "Priced share", "share",
        ratio(calls(sa.and_(USED, E.cost_nano.is_not(None))), calls(USED)),
        "Calls with a known cost among the calls that used tokens.", LLM, "more", additive=False,
    ),
)  # fmt: skip

CALLS: Final = (
    Metric(
        "requests", "Requests", "count", calls(CALL),
        "Model calls, failed or not; a vendor's sum of many calls counts as many.", LLM,
    ),
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
    Metric("errors", "Errors", "count", calls(FAILED), "Calls that failed.", LLM, "less"),
    Metric(
        "error_rate", "Error rate", "share", ratio(calls(FAILED), calls(CALL)),
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
