"""Metrics and dimensions, each declared once: name, label, unit, expression.

Calls and tokens are named as in the OpenTelemetry GenAI conventions, money as in FOCUS, the rest
as BI tools do. An expression aggregates `events`; whose rows and which window is not its matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy import func

from data.errors import Unknown
from data.events import EVENTS, TOKENS

Unit = Literal["usd", "usd_each", "count", "tokens", "share", "ms", "instant", "text"]
Better = Literal["more", "less", "neither"]
Expression = sa.ColumnElement[Any]

E = EVENTS.c
CALL: Final = E.kind == "llm"
NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """A number about a set of events. `kinds` limits a query to the events it speaks of."""

    name: str
    label: str
    unit: Unit
    expression: Expression
    help: str
    kinds: frozenset[str] = frozenset()
    better: Better = "neither"
    additive: bool = True


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to break numbers down; `naming` is the column with the name people use."""

    name: str
    label: str
    naming: str | None = None


def _sum(column: Expression) -> Expression:
    return sa.cast(func.sum(column), sa.BigInteger)


def _count(condition: Expression) -> Expression:
    return func.count().filter(condition)


def _ratio(part: Expression, whole: Expression) -> Expression:
    return sa.cast(part, sa.Double) / sa.cast(func.nullif(whole, 0), sa.Double)


def _distinct(column: Expression) -> Expression:
    return func.count(sa.distinct(column))


def _tokens() -> Expression:
    """The four disjoint counts together; null where none of them is known."""
    sums = [_sum(E[name]) for name in TOKENS]
    known = sa.func.coalesce(*sums)
    added = sum((func.coalesce(part, 0) for part in sums[1:]), func.coalesce(sums[0], 0))
    return sa.case((known.is_not(None), added))


USED: Final = sa.and_(CALL, func.coalesce(*(E[name] for name in TOKENS)).is_not(None))
PROMPT: Final = (
    func.coalesce(_sum(E.input_tokens), 0)
    + func.coalesce(_sum(E.cached_input_tokens), 0)
    + func.coalesce(_sum(E.cache_write_tokens), 0)
)
CALL_TOKENS: Final = sum(
    (func.coalesce(E[name], 0) for name in TOKENS[1:]), func.coalesce(E[TOKENS[0]], 0)
)
PRICED_TOKENS: Final = sa.case((E.cost_nano.is_not(None), CALL_TOKENS))
LLM: Final = frozenset({"llm"})

_METRICS: Final = (
    Metric(
        "cost", "Cost", "usd", _sum(E.cost_nano),
        "Reported by the source, else priced from the book at the call's date.", LLM, "less",
    ),
    Metric("requests", "Requests", "count", _count(CALL), "Model calls, failed or not.", LLM),
    Metric("tokens", "Tokens", "tokens", _tokens(), "Input, cached, cache write and output.", LLM),
    Metric("input_tokens", "Input", "tokens", _sum(E.input_tokens), "Uncached prompt tokens.", LLM),
    Metric(
        "cached_input_tokens", "Cached input", "tokens", _sum(E.cached_input_tokens),
        "Prompt tokens read from the provider's cache.", LLM,
    ),
    Metric(
        "cache_write_tokens", "Cache writes", "tokens", _sum(E.cache_write_tokens),
        "Prompt tokens written to the provider's cache.", LLM,
    ),
    Metric("output_tokens", "Output", "tokens", _sum(E.output_tokens), "Generated tokens.", LLM),
    Metric(
        "reasoning_tokens", "Reasoning", "tokens", _sum(E.reasoning_tokens),
        "Part of the output tokens, never added to them.", LLM,
    ),
    Metric(
        "active_users", "Active users", "count", _distinct(E.user),
        "Distinct users with any event.", better="more", additive=False,
    ),
    Metric(
        "active_projects", "Active projects", "count", _distinct(E.project),
        "Distinct projects with any event.", better="more", additive=False,
    ),
    Metric(
        "errors", "Errors", "count", _count(sa.and_(CALL, E.status == "error")),
        "Model calls that failed.", LLM, "less",
    ),
    Metric(
        "error_rate", "Error rate", "share",
        _ratio(_count(sa.and_(CALL, E.status == "error")), _count(CALL)),
        "Failed calls among all calls.", LLM, "less", additive=False,
    ),
    Metric(
        "priced_share", "Priced share", "share",
        _ratio(_count(sa.and_(USED, E.cost_nano.is_not(None))), _count(USED)),
        "Calls with a known cost among the calls that used tokens.", LLM, "more", additive=False,
    ),
    Metric(
        "cached_share", "Cached share", "share", _ratio(_sum(E.cached_input_tokens), PROMPT),
        "Cache reads among all prompt tokens.", LLM, "more", additive=False,
    ),
    Metric(
        "cost_per_1k_tokens", "Cost per 1,000 tokens", "usd_each",
        _ratio(func.sum(E.cost_nano) * 1_000, func.sum(PRICED_TOKENS)),
        "Cost over the tokens of the calls whose cost is known.", LLM, "less", additive=False,
    ),
    Metric(
        "duration_avg", "Avg duration", "ms", func.avg(E.duration_ms).filter(CALL),
        "Mean duration of model calls that report one.", LLM, "less", additive=False,
    ),
    Metric(
        "duration_p95", "p95 duration", "ms",
        func.percentile_disc(0.95).within_group(E.duration_ms).filter(CALL),
        "95 of 100 model calls were this fast or faster (exact).", LLM, "less", additive=False,
    ),
    Metric("events", "Events", "count", func.count(), "Everything recorded, of every kind."),
    Metric("first_event", "First", "instant", func.min(E.ts), "First event.", additive=False),
    Metric("last_event", "Last", "instant", func.max(E.ts), "Latest event.", additive=False),
)  # fmt: skip
METRICS: Final = {metric.name: metric for metric in _METRICS}

TIME: Final = "time"
# A stored text is never empty, so the empty text is free to mean "all the others".
OTHER: Final = ""
OTHER_LABEL: Final = "Other"
_DIMENSIONS: Final = (
    Dimension(TIME, "Time"),
    Dimension("user", "User", "user_name"),
    Dimension("project", "Project", "project_name"),
    Dimension("model", "Model"),
    Dimension("provider", "Provider"),
    Dimension("channel", "Channel"),
    Dimension("assistant", "Assistant"),
    Dimension("workflow", "Workflow"),
    Dimension("tool", "Tool"),
    Dimension("tool_type", "Tool type"),
    Dimension("integration", "Integration"),
    Dimension("integration_type", "Integration type"),
    Dimension("client", "Client"),
    Dimension("repository", "Repository"),
    Dimension("operation", "Operation"),
    Dimension("status", "Status"),
    Dimension("error_class", "Error class"),
    Dimension("kind", "Kind"),
    Dimension("source", "Source"),
)
DIMENSIONS: Final = {dimension.name: dimension for dimension in _DIMENSIONS}


def metric(name: str) -> Metric:
    """The declared metric of a name, or `Unknown`."""
    return METRICS[name] if name in METRICS else _unknown("metrics", "metric", name, METRICS)


def dimension(name: str) -> Dimension:
    """The declared dimension of a name, or `Unknown`."""
    return DIMENSIONS[name] if name in DIMENSIONS else _unknown("by", "dimension", name, DIMENSIONS)


def _unknown(parameter: str, what: str, name: str, known: Iterable[str]) -> Any:
    raise Unknown(parameter, f"{name[:40]!r} is no {what}; use one of {', '.join(known)}")
