"""Metrics of model calls: money, tokens, speed, failure."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import func

from data.events.table import BILLED
from data.query.metric import (
    ADJUSTMENT,
    CALL,
    CALL_TOKENS,
    LLM,
    PAID,
    SPENT,
    USED,
    Aggregate,
    E,
    Metric,
    all_tokens,
    calls,
    distinct,
    latest,
    mean,
    percentile,
    ratio,
    total,
    total_where,
)
from data.query.units import COUNT, DURATION, SHARE, TEXT, TOKENS, USD, USD_EACH

FAILED: Final = sa.and_(CALL, E.status == "error")
PROMPT: Final = Aggregate(
    func.coalesce(total(E.input_tokens).sql, 0)
    + func.coalesce(total(E.cached_input_tokens).sql, 0)
    + func.coalesce(total(E.cache_write_tokens).sql, 0)
)
COMPARED: Final = E.list_cost_nano.is_not(None)
PRICED_TOKENS: Final = sa.case((E.cost_nano.is_not(None), CALL_TOKENS))
ALL_COST: Final = func.sum(E.cost_nano)
SHARE_OF_ALL: Final = ratio(Aggregate(ALL_COST), Aggregate(func.sum(ALL_COST).over()))

MONEY: Final = (
    Metric(
        "cost", "Cost", USD, total(E.cost_nano),
        "Reported by the source, else priced from the book at the call's date; less refunds."
        " Calls with neither are left out.",
        PAID, "less",
    ),
    *(
        Metric(
            f"cost_{channel}", f"{label} cost", USD,
            total_where(E.cost_nano, sa.and_(E.kind.in_(BILLED), E.channel == channel)),
            f"The cost of calls through the channel {label};"
            " those without a known cost are left out.", PAID, "less",
        )
        for channel, label in (
            ("platform", "Platform"), ("cli", "CLI"), ("api", "API"), ("other", "Other"),
        )
    ),
    Metric(
        "adjustments", "Refunds and corrections", USD,
        total_where(E.cost_nano, ADJUSTMENT),
        "What bills took back or corrected, with its sign: a part of the cost.", PAID,
    ),
    Metric(
        "cost_of_errors", "Cost of errors", USD,
        total_where(E.cost_nano, FAILED),
        "What failed calls cost all the same; those without a known cost are left out.",
        LLM, "less",
    ),
    Metric(
        "cost_of_aborted", "Cost of aborted", USD,
        total_where(E.cost_nano, sa.and_(CALL, E.status == "aborted")),
        "What calls cost that somebody stopped; those without a known cost are left out.",
        LLM, "less",
    ),
    Metric(
        "cost_share", "Share of cost", SHARE, SHARE_OF_ALL,
        "Cost ÷ the cost of everything shown. Calls without a known cost are left out of both.",
        PAID, additive=False,
    ),
    Metric(
        "cost_per_request", "Cost per request", USD_EACH,
        ratio(SPENT, calls(sa.and_(CALL, E.cost_nano.is_not(None)))),
        "Cost ÷ the calls whose cost is known; the others are left out.",
        LLM, "less", additive=False,
    ),
    Metric(
        "cost_per_user", "Cost per active user", USD_EACH,
        ratio(SPENT, distinct(E.user, CALL)),
        "Cost ÷ the distinct users with a call. Calls of nobody known add to the cost alone.",
        LLM, "less", additive=False,
    ),
    Metric(
        "cost_per_1k_tokens", "Cost per 1,000 tokens", USD_EACH,
        ratio(Aggregate(SPENT.sql * 1_000), Aggregate(func.sum(PRICED_TOKENS))),
        "Cost ÷ the tokens of the calls whose cost is known, times 1,000; the others are left out.",
        LLM, "less", additive=False,
    ),
    Metric(
        "cache_saved", "Saved by cache reads", USD,
        total_where(E.cache_saved_nano, E.cached_input_tokens > 0),
        "What cache reads would have cost as plain input, less what they cost, by list prices."
        " Models without a price are left out.",
        LLM, "more",
    ),
    Metric(
        "cache_write_cost", "Spent on cache writes", USD,
        total_where(E.cache_write_nano, E.cache_write_tokens > 0),
        "What was paid to write the cache, by list prices. Models without a price are left out.",
        LLM, "less",
    ),
    Metric(
        "reported_cost", "Reported cost", USD,
        total(E.cost_nano, COMPARED),
        "Reported by the source; calls whose list price is unknown are left out.", LLM, "less",
    ),
    Metric(
        "list_cost", "List cost", USD, total(E.list_cost_nano),
        "What calls with a reported cost would be by the price book."
        " Models without a price are left out.", LLM, "less",
    ),
    Metric(
        "reported_minus_list", "Reported minus list", USD, total(E.cost_nano - E.list_cost_nano),
        "Reported cost − list cost, of the calls that have both.", LLM, "less",
    ),
    Metric(
        "priced_share", "Priced share", SHARE,
        ratio(calls(sa.and_(USED, E.cost_nano.is_not(None))), calls(USED)),
        "Calls with a known cost ÷ calls that used tokens. Calls without tokens are left out.",
        LLM, "more", additive=False,
    ),
)  # fmt: skip

CALLS: Final = (
    Metric(
        "requests", "Requests", COUNT, calls(CALL),
        "Model calls, failed or not; a vendor's sum of many calls counts as many.", LLM,
    ),
    Metric(
        "tokens", "Tokens", TOKENS, all_tokens(),
        "Input + cached input + cache writes + output. What a source does not tell is left out.",
        LLM,
    ),
    Metric(
        "input_tokens", "Input", TOKENS, total(E.input_tokens),
        "Prompt tokens that were not read from a cache.", LLM,
    ),
    Metric(
        "cached_input_tokens", "Cached input", TOKENS, total(E.cached_input_tokens),
        "Prompt tokens read from the provider's cache.", LLM,
    ),
    Metric(
        "cache_write_tokens", "Cache writes", TOKENS, total(E.cache_write_tokens),
        "Prompt tokens written to the provider's cache.", LLM,
    ),
    Metric("output_tokens", "Output", TOKENS, total(E.output_tokens), "Generated tokens.", LLM),
    Metric(
        "reasoning_tokens", "Reasoning", TOKENS, total(E.reasoning_tokens),
        "Part of the output tokens, never added to them.", LLM,
    ),
    Metric(
        "cache_write_1h_tokens", "Cache writes for an hour", TOKENS, total(E.cache_write_1h_tokens),
        "Part of the cache writes, kept for an hour instead of five minutes.", LLM,
    ),
    *(
        Metric(
            f"{way}_{kind}_tokens", f"{kind.capitalize()} {way}", TOKENS,
            total(E[f"{way}_{kind}_tokens"]), f"Part of the {way} tokens, never added to them.",
            LLM,
        )
        for kind in ("audio", "image")
        for way in ("input", "output")
    ),
    Metric(
        "web_searches", "Web searches", COUNT, total(E.web_searches),
        "Searches that providers bill beside the tokens.", LLM,
    ),
    Metric(
        "cached_share", "Cached share", SHARE, ratio(total(E.cached_input_tokens), PROMPT),
        "Cached input ÷ (input + cached input + cache writes).", LLM, "more", additive=False,
    ),
    Metric("errors", "Errors", COUNT, calls(FAILED), "Calls that failed.", LLM, "less"),
    Metric(
        "error_rate", "Error rate", SHARE, ratio(calls(FAILED), calls(CALL)),
        "Failed calls ÷ all calls; those that somebody stopped count as calls, not as failed.",
        LLM, "less", additive=False,
    ),
    Metric(
        "last_error", "Last error", TEXT, latest(E.error_class, FAILED),
        "The class of the latest failed call.", LLM, additive=False,
    ),
    Metric(
        "duration_avg", "Avg duration", DURATION, mean(E.duration_ms, CALL),
        "Mean duration; calls that report none are left out.", LLM, "less", additive=False,
    ),
    *(
        Metric(
            f"{kind}_p{share:.0f}", f"p{share:.0f} {label}", DURATION,
            percentile(E[f"{kind}_ms"], share / 100, CALL),
            f"{share:.0f} of 100 calls had this {help_} or a shorter one (exact);"
            " calls that report none are left out.",
            LLM, "less", additive=False,
        )
        for kind, label, help_ in (
            ("duration", "duration", "duration"), ("ttft", "first token", "time to first token"),
        )
        for share in (50, 95)
    ),
)  # fmt: skip
