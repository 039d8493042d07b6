"""One model call of the sample: its tokens, how long it took, how it ended, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from data.events.table import Event
from data.prices.book import PUBLIC
from data.sample.cast import EMBEDDING, Model

FAILING: Final = 0.016
ABORTED: Final = 0.028  # of which FAILING failed
# What goes wrong, how often, and after how many ms (median).
FAILURES: Final = {
    "rate_limit_exceeded": (40, 180),
    "timeout": (24, 60_000),
    "overloaded": (12, 900),
    "content_filter": (10, 1_500),
    "context_length_exceeded": (8, 260),
    "connection_error": (6, 3_000),
}
CLASSES: Final = tuple(FAILURES)
SHARES: Final = tuple(share for share, _ in FAILURES.values())
LONGEST_CONTEXT: Final = 185_000
AFTER_COMPACTION: Final = 28_000


@dataclass(frozen=True, slots=True)
class Prompt:
    """What one call sends, and how much it is about to be answered."""

    fresh: int
    cached: int
    output: int


@dataclass(slots=True)
class Context:
    """What was said so far: sent again with every call, mostly read from the cache."""

    caches: bool
    size: int = 0

    def ask(self, fresh: int, output: int, warm: bool) -> Prompt:
        """The next prompt; a cold cache pays for the whole context once more."""
        if self.size + fresh > LONGEST_CONTEXT:
            self.size = AFTER_COMPACTION
        fresh = min(fresh, LONGEST_CONTEXT - self.size)
        cached = self.size if warm and self.caches else 0
        prompt = Prompt(self.size - cached + fresh, cached, output)
        self.size += fresh + output
        return prompt


def vary(rng: Random, median: float, spread: float) -> int:
    """A log-normal draw, at least 1."""
    return 1 + int(median * rng.lognormvariate(0, spread))


def call(rng: Random, model: Model, at: int, prompt: Prompt) -> Event:
    """The fields of a call that are its own."""
    own: Event = {"kind": "llm", "provider": model.provider, "model": model.name}
    own["operation"] = "embeddings" if model is EMBEDDING else "chat"
    draw = rng.random()
    if draw < FAILING:
        return own | failure(rng)
    if draw < ABORTED:
        own["status"] = "aborted"
        prompt = Prompt(prompt.fresh, prompt.cached, int(prompt.output * rng.random()))
    own |= _tokens(rng, model, prompt)
    own |= _timing(rng, model, prompt.output)
    return own | _money(own, at)


def failure(rng: Random) -> Event:
    """No tokens, no money: providers bill neither."""
    error = rng.choices(CLASSES, SHARES)[0]
    duration = vary(rng, FAILURES[error][1], 0.2)
    return {"status": "error", "error_class": error, "duration_ms": duration}


def _tokens(rng: Random, model: Model, prompt: Prompt) -> Event:
    if model is EMBEDDING:
        return {"input_tokens": prompt.fresh}
    thought = int(prompt.output * model.thinks * rng.random() * 2) if model.thinks else None
    written = prompt.fresh * 9 // 10 if model.writes and prompt.fresh > 1_024 else 0
    return {
        "input_tokens": prompt.fresh - written,
        "cached_input_tokens": prompt.cached if model.caches else None,
        "cache_write_tokens": written if model.writes else None,
        "output_tokens": prompt.output,
        "reasoning_tokens": thought,
    }


def _timing(rng: Random, model: Model, output: int) -> Event:
    ttft = vary(rng, model.ttft, 0.45)
    if model is EMBEDDING:
        return {"duration_ms": ttft}
    stream = vary(rng, output * 1_000 / model.speed, 0.3)
    return {"duration_ms": ttft + stream, "ttft_ms": ttft}


def _money(own: Event, at: int) -> Event:
    cost = PUBLIC.price(
        own["provider"],
        own["model"],
        at,
        own["input_tokens"],
        own.get("cached_input_tokens"),
        own.get("cache_write_tokens"),
        own.get("output_tokens"),
    )
    return {"cost_nano": cost, "cost_origin": "unpriced" if cost is None else "list"}
