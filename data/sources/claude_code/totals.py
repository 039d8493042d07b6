"""What the results of Claude Code's runs add up to, by model, and the messages they are the sum of.

Counters are those of modelUsage, and `cost` in US dollars where it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from data.events.money import NANO
from data.sources.fields import amount, count, part

Line = Mapping[str, Any]
Counters = dict[str, Decimal]
# As modelUsage and as usage call them.
COUNTS: Final = {
    "inputTokens": "input_tokens",
    "cacheReadInputTokens": "cache_read_input_tokens",
    "cacheCreationInputTokens": "cache_creation_input_tokens",
    "outputTokens": "output_tokens",
    "webSearchRequests": "web_search_requests",
}
TOKENS: Final = tuple(COUNTS)[:4]
PROMPT: Final = TOKENS[:3]
CACHED: Final = TOKENS[1:3]
# What a token costs beside one of input, of every model of Claude.
WEIGHTS: Final = dict(zip(TOKENS, map(Decimal, ("1", "0.1", "1.25", "5")), strict=True))


@dataclass(frozen=True, slots=True)
class Message:
    """A printed message: the model that it is of, and its counters."""

    model: str
    used: Counters


def named(model: str) -> str:
    """A model's name without the width of its context, `[1m]`."""
    return model.partition("[")[0]


def of_usage(usage: Line) -> Counters:
    """The counters of a message's or a result's `usage`."""
    return _counters(usage, tuple(COUNTS.values()))


def of_models(usage_by_model: Line) -> dict[str, Counters]:
    """The counters of each model of `modelUsage`."""
    return {
        model: _counters(used, tuple(COUNTS)) | cost(used.get("costUSD"))
        for model, used in usage_by_model.items()
        if isinstance(used, dict)
    }


def _counters(usage: Line, names: tuple[str, ...]) -> Counters:
    searches = part(usage, "server_tool_use")
    return {
        ours: Decimal(count(name, usage.get(name, searches.get(name))) or 0)
        for ours, name in zip(COUNTS, names, strict=True)
    }


def cost(dollars: Any) -> Counters:
    found = amount("costUSD", dollars)
    return {} if found is None else {"cost": found}


def since(
    before: Mapping[str, Counters], now: dict[str, Counters], usage: Counters
) -> dict[str, Counters]:
    """What came since the result before, where these run on; all of it where they began anew.

    `usage` is the turn's own: counters that run on hold it beside all there was before."""
    grown = sum(tokens(used) for used in now.values()) - sum(map(tokens, before.values()))
    runs_on = grown >= tokens(usage) and all(
        now.get(model, {}).get(name, Decimal(-1)) >= value
        for model, used in before.items()
        for name, value in used.items()
    )
    if not runs_on:
        return now
    return {
        model: {name: value - before.get(model, {}).get(name, 0) for name, value in used.items()}
        for model, used in now.items()
    }


def with_cached(now: dict[str, Counters], usage: Counters) -> dict[str, Counters]:
    """The counters of the models; of a single one that leaves out what is cached, as some versions
    do, with what the turn's own `usage` says of it and without the cost of the others alone."""
    cached = {name: usage[name] for name in CACHED if usage[name]}
    for model, used in now.items() if len(now) == 1 and cached else ():
        if not any(used[name] for name in CACHED) and used["inputTokens"]:
            return {model: {name: used[name] for name in COUNTS} | cached}
    return now


def tokens(used: Counters) -> Decimal:
    """All tokens, of whatever kind."""
    return sum((used[name] for name in TOKENS), Decimal(0))


def add_up(messages: Iterable[Message], used: Counters) -> bool:
    """Whether messages are all of what a model used, as far as their usage tells."""
    parts = [message.used for message in messages]
    return bool(parts) and all(sum(each[name] for each in parts) == used[name] for name in COUNTS)


def shares(messages: Iterable[Message], used: Counters) -> Iterator[int | None]:
    """What each message costs in nano-dollars: the model's cost, split as its tokens are priced."""
    weights = [
        sum((one.used[name] * WEIGHTS[name] for name in TOKENS), Decimal(0)) for one in messages
    ]
    left, rest = used.get("cost"), sum(weights, Decimal(0))
    for weight in weights:
        if left is None:
            yield None
            continue
        part_of = left if weight == rest else round(left * weight / rest * NANO) / Decimal(NANO)
        left, rest = left - part_of, rest - weight
        yield round(part_of * NANO)
