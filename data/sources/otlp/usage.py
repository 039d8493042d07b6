"""What a span says of tokens and money, as disjoint counts.

By the conventions the input INCLUDES cache reads and writes, and the output reasoning. Some pass on
what their vendor says, where the one or the other excludes them. They show themselves: by a total
that only adds up so, by parts that are more than the whole, by a spelling that only they have, or
by naming the uncached input. Gemini's thoughts are output, though OpenLLMetry tells them in the
total alone.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Final

from data.errors import EventError
from data.events.table import TOKENS
from data.sources.anthropic.answers import US_INFERENCE, in_us_alone
from data.sources.fields import count, nano, service_tier
from data.sources.format import Raw
from data.sources.langfuse import usage as langfuse
from data.sources.otlp import names
from data.sources.otlp.attributes import (
    COUNT_PREFIXES,
    Attributes,
    first_known,
    first_text,
    usual_name,
)
from data.sources.otlp.names import MASKS
from data.sources.unread import is_something, matters

Counts = dict[str, int | None]
TIERS: Final = names.TIER.bit | names.SPEED.bit | names.PLACE.bit
COSTS: Final = names.COST.bit | names.LANGFUSE_COST.bit
COUNTED: Final = (names.INPUT, names.CACHED, names.WRITTEN, names.OUTPUT, names.REASONED)


OF_WHICH: Final = {
    "cache_write_1h_tokens": names.WRITTEN_HOUR, "input_audio_tokens": names.AUDIO_INPUT,
    "output_audio_tokens": names.AUDIO_OUTPUT, "input_image_tokens": names.IMAGE_INPUT,
    "output_image_tokens": names.IMAGE_OUTPUT, "web_searches": names.SEARCHED,
}  # fmt: skip


def tokens_of(
    fresh: int | None, cached: int | None, written: int | None, output: int | None,
    reasoning: int | None, total: int | None = None, *,
    cache_beside: bool = False, reasoning_beside: bool = False,
) -> Counts:  # fmt: skip
    """Disjoint counts of what is told; `…_beside`: it is known to be no part of the whole."""
    part, thought = (cached or 0) + (written or 0), reasoning or 0
    separate = _separate_parts(fresh or 0, part, output or 0, thought, total)
    if fresh is not None and not (cache_beside or separate[0]):
        fresh -= part
    if reasoning is not None and (reasoning_beside or separate[1]):
        output = (output or 0) + thought
    return {
        "input_tokens": fresh,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
        "reasoning_tokens": reasoning,
    }


def _separate_parts(
    fresh: int, part: int, output: int, thought: int, total: int | None
) -> tuple[bool, bool]:
    """Whether what is cached stands beside the input, and reasoning beside the output."""
    for cache, reasoning in product((False, True), repeat=2):
        possible = (cache or part <= fresh) and (reasoning or thought <= output)
        if possible and total == fresh + cache * part + output + reasoning * thought:
            return cache, reasoning
    return part > fresh, thought > output


def counts(attributes: Attributes) -> Counts:
    """The disjoint token counts of a call."""
    if not attributes.spelled & names.SHARES.bit:  # as mostly
        return {
            "input_tokens": count(*first_known(attributes, names.INPUT)),
            "output_tokens": count(*first_known(attributes, names.OUTPUT)),
        }
    if attributes.spelled & names.LANGFUSE_USAGE.bit:
        return langfuse.tokens({"usagedetails": attributes[names.LANGFUSE_USAGE[0]]})
    named = [first_known(attributes, each) for each in COUNTED]
    fresh, cached, written, output, reasoning = (count(*each) for each in named)
    written = _writes(attributes, written)
    total = _total(attributes)
    uncached = count(*first_known(attributes, names.UNCACHED))
    found = tokens_of(
        fresh if uncached is None else uncached, cached, written, output, reasoning, total,
        cache_beside=uncached is not None
        or bool(attributes.spelled & (names.CACHED_BESIDE.bit | names.WRITTEN_BESIDE.bit)),
        reasoning_beside=named[-1][0] in names.REASONED_BESIDE,
    )  # fmt: skip
    if total is not None and reasoning is None:
        found = _thoughts(found, total, attributes)
    return found | {name: count(*first_known(attributes, each)) or None
                    for name, each in OF_WHICH.items()}  # fmt: skip


def _writes(attributes: Attributes, written: int | None) -> int | None:
    """With writes that LangChain tells by their lifetime alone, its own count of them being 0."""
    if not attributes.spelled & names.WRITTEN_SHORT.bit:  # as mostly
        return written
    lifetimes = (names.WRITTEN_SHORT, names.WRITTEN_HOUR)
    return max(written or 0, sum(count(*first_known(attributes, each)) or 0 for each in lifetimes))


def _total(attributes: Attributes) -> int | None:
    """The total that is told; nothing where it is no number."""
    try:
        return count(*first_known(attributes, names.TOTAL))
    except EventError:
        return None


def _thoughts(found: Counts, total: int, attributes: Attributes) -> Counts:
    """With what Gemini's total holds beyond input and output, which are thoughts."""
    rest = total - sum(number or 0 for number in found.values())
    models = (first_text(attributes, each) for each in (names.ANSWERED, names.REQUESTED))
    if rest <= 0 or "gemini" not in next(filter(None, models), ""):
        return found
    output = (found["output_tokens"] or 0) + rest
    return found | {"output_tokens": output, "reasoning_tokens": rest}


def unexplained(attributes: Attributes, found: Raw) -> int:
    """How many tokens a call's total holds that none of its counts does."""
    if not attributes.spelled & names.TOTAL.bit:
        return 0
    return max(0, (_total(attributes) or 0) - sum(found.get(name) or 0 for name in TOKENS))


VOCABULARIES: Final = (
    *("gen_ai.", "llm.", "ai.", "langfuse.", "langsmith.", "mlflow.", "braintrust."),
    *("traceloop.", "gcp.vertex.agent."),
)
# What was asked for, parts of a cost, sums over calls, and the same counts once more.
EXPECTED: Final = (
    *("gen_ai.request.", "llm.request.", "ai.settings.", "llm.cost.", "gen_ai.cost."),
    *("gen_ai.aggregated_usage.", "gen_ai.usage.details.", "ai.usage.outputTokenDetails.text"),
    *("gen_ai.usage.input_cost", "gen_ai.usage.output_cost", "ai.telemetry.metadata."),
    *("gen_ai.usage.experimental.system_instruction_tokens", "langfuse.observation.metadata"),
    *("traceloop.association.", "langsmith.metadata.", "gen_ai.usage.experimental.input_text"),
    *("gen_ai.usage.experimental.output_text",),
)

SPELLED: Final = frozenset(MASKS)  # of every name that `names.py` declares


def leftover(attributes: Attributes) -> list[str]:
    """Attributes that may hold tokens, money or counts and that nobody reads."""
    if SPELLED.issuperset(attributes):  # as mostly
        return []
    unread = _unread_counts(tuple(attributes))
    return [name for name in unread if is_something(attributes[name])] if unread else []


@lru_cache(4_096)
def _unread_counts(spelled: tuple[str, ...]) -> tuple[str, ...]:
    others = (name for name in spelled if name not in MASKS and name.startswith(VOCABULARIES))
    return tuple(
        name for name in others
        if not name.startswith(EXPECTED) and matters(name) and not _is_read_as_usual(name)
    )  # fmt: skip


def _is_read_as_usual(name: str) -> bool:
    return name.startswith(COUNT_PREFIXES) and usual_name(name) is not None


def tier(attributes: Attributes) -> Raw:
    """As what the call was processed; what was asked for counts where no answer says it."""
    if not attributes.spelled & TIERS:
        return {}
    if in_us_alone({"inference_geo": first_text(attributes, names.PLACE)}):
        return {"unpriced_reason": f"no rate for {US_INFERENCE}"}
    if first_text(attributes, names.SPEED) == "fast":
        return {"service_tier": "fast"}
    tiers = (service_tier(attributes.get(name)) for name in names.TIER)
    return next(filter(None, tiers), {})


def cost(attributes: Attributes) -> Raw:
    """What the emitter says it cost; 0 beside tokens is what those say who know no price."""
    if not attributes.spelled & COSTS:  # as mostly
        return {"cost_nano": None}
    used = any(first_known(attributes, each)[1] for each in (names.INPUT, names.OUTPUT))
    used = used or bool(attributes.spelled & names.LANGFUSE_USAGE.bit)
    if attributes.spelled & names.LANGFUSE_COST.bit:
        details = {"costdetails": attributes[names.LANGFUSE_COST[0]]}
        paid = langfuse.cost(details, used).get("cost_nano")
    else:
        paid = nano(*first_known(attributes, names.COST))
    return {"cost_nano": None if paid == 0 and used else paid}
