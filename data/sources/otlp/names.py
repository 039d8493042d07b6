"""What the attributes of GenAI telemetry are called, today and before.

First the current conventions (open-telemetry/semantic-conventions-genai), then their older
spellings, then other vocabularies: OpenLLMetry (`traceloop.`, `llm.`), OpenInference
(`llm.token_count.`), Pydantic AI (`.details.`), OpenLIT, the Vercel AI SDK (`ai.`), Langfuse, and
what LiteLLM wrote before it had ids. The first name that says something counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from data.sources.fields import decimal

BITS: Final = count()
MASKS: Final[dict[str, int]] = {}  # a bit for each `Names` that has the spelling


SPELLINGS: Final[dict[str, str]] = {}


def own(name: str) -> str:
    """Our one copy of a name that means something here, so that many spans share it."""
    return SPELLINGS.get(name, name)


class Names(tuple[str, ...]):
    """The spellings of one thing. `bit` is its own: whether a span has any of them is asked dozens
    of times of each, and looking for every spelling took a third of the time of reading it."""

    bit: int

    def __new__(cls, *spellings: str) -> Names:
        made = super().__new__(cls, spellings)
        made.bit = 1 << next(BITS)
        for spelling in spellings:
            SPELLINGS[spelling] = spelling
            MASKS[spelling] = MASKS.get(spelling, 0) | made.bit
        return made


class Attributes(dict[str, Any]):
    """Plain values by name; `spelled` has the bits of all `Names` that are among them."""

    __slots__ = ("spelled",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        spelled = 0
        for name in values:
            spelled |= MASKS.get(name, 0)
        self.spelled = spelled


def first_text(attributes: Attributes, names: Names) -> str | None:
    """The text of the first of these attributes that says something."""
    # Mostly there is none.
    return first(attributes, *names) if attributes.spelled & names.bit else None


def first(attributes: Mapping[str, Any], *names: str) -> str | None:
    """The same of a few spellings that only one program uses."""
    for name in names:
        value = attributes.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def first_known(attributes: Attributes, names: Names) -> tuple[str, Any]:
    """The first of these attributes that is there, by name; ("", None) if none is."""
    if not attributes.spelled & names.bit:
        return "", None
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return name, value
    return "", None


USED: Final = "gen_ai.usage."
TOLD: Final = "llm.token_count."
LITELLM: Final = "metadata.user_api_key_"

ENDPOINT: Final = re.compile(r"\.(?:chat|responses|messages|completion|embedding|generative-ai)$")

OPERATION: Final = Names("gen_ai.operation.name")
PROVIDER: Final = Names(
    "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor",
    "embedding.provider", "ai.model.provider",
)  # fmt: skip
REQUESTED: Final = Names(
    "gen_ai.request.model", "llm.request.model_name", "llm.request.model", "llm.model_name",
    "embedding.model_name", "ai.model.id",
)  # fmt: skip
ANSWERED: Final = Names("gen_ai.response.model", "llm.response.model_name", "llm.response.model")
RESPONSE: Final = Names("gen_ai.response.id", "llm.response.id")
INPUT: Final = Names(
    USED + "input_tokens", USED + "prompt_tokens", "llm.usage.prompt_tokens",
    "llm.usage.input_tokens", TOLD + "prompt", "ai.usage.inputTokens", "ai.usage.promptTokens",
    "ai.usage.tokens",
)  # fmt: skip
OUTPUT: Final = Names(
    USED + "output_tokens", USED + "completion_tokens", "llm.usage.completion_tokens",
    "llm.usage.output_tokens", TOLD + "completion", "ai.usage.outputTokens",
    "ai.usage.completionTokens",
)  # fmt: skip
CACHED: Final = Names(
    USED + "cache_read.input_tokens", USED + "cache_read_input_tokens",
    USED + "input_tokens.cached", USED + "details.cache_read_tokens",
    USED + "details.cache_read_input_tokens", "llm.usage.cache_read_input_tokens",
    TOLD + "prompt_details.cache_read", "ai.usage.cachedInputTokens",
)  # fmt: skip
WRITTEN: Final = Names(
    USED + "cache_creation.input_tokens", USED + "cache_write.input_tokens",
    USED + "cache_creation_input_tokens", USED + "input_tokens.cache_write",
    USED + "details.cache_write_tokens", USED + "details.cache_creation_input_tokens",
    "llm.usage.cache_creation_input_tokens", TOLD + "prompt_details.cache_write",
)  # fmt: skip
REASONED: Final = Names(
    USED + "reasoning.output_tokens", USED + "reasoning_tokens",
    USED + "output_tokens.reasoning", USED + "details.reasoning_tokens",
    "llm.usage.reasoning_tokens", TOLD + "completion_details.reasoning",
    "ai.usage.reasoningTokens",
)  # fmt: skip
TOTAL: Final = Names(USED + "total_tokens", "llm.usage.total_tokens", TOLD + "total")
COST: Final = Names(
    USED + "cost", USED + "total_cost", "gen_ai.cost.total_cost", "llm.cost.total",
    "operation.cost", "llm.usage.cost",
)  # fmt: skip
FIRST_SECONDS: Final = Names(
    "gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token",
    "gen_ai.server.time_to_first_token",
)  # fmt: skip
FIRST_MILLIS: Final = Names("ai.response.msToFirstChunk")
ERROR: Final = Names("error.type")
FINISHED: Final = Names("gen_ai.response.finish_reasons", "llm.response.finish_reason")

USER: Final = Names(
    "enduser.id", "user.id", "gen_ai.user.id", "gen_ai.user", "langfuse.user.id",
    "traceloop.association.properties.user_id", "ai.telemetry.metadata.userId",
    LITELLM + "user_id", "llm.user", "user.email",
)  # fmt: skip
USER_NAME: Final = Names("user.full_name", "user.name")
PROJECT: Final = Names(
    "team.id", "service.namespace", "openinference.project.name", LITELLM + "team_id"
)
PROJECT_NAME: Final = Names("team.name", LITELLM + "team_alias")
CONVERSATION: Final = Names(
    "gen_ai.conversation.id", "session.id", "langfuse.session.id",
    "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
    "ai.telemetry.metadata.sessionId",
)  # fmt: skip
AGENT: Final = Names("gen_ai.agent.name", "agent.name")
WORKFLOW: Final = Names("gen_ai.workflow.name", "traceloop.workflow.name")
ENTITY: Final = Names("traceloop.entity.name")
TOOL: Final = Names("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "mcp.tool.name")
TOOL_TYPE: Final = Names("gen_ai.tool.type")
MCP: Final = "mcp.method.name"
MCP_SERVER: Final = Names("mcp.server.name", "server.address")
DATA_SOURCE: Final = Names("gen_ai.data_source.id", "server.address")
ENVIRONMENT: Final = Names("deployment.environment.name", "deployment.environment")


def provider_of(attributes: Attributes) -> str | None:
    """The provider by name, in lower case; `openai.chat` is openai."""
    return ENDPOINT.sub("", (first_text(attributes, PROVIDER) or "").lower()) or None


def tokens_of(
    fresh: int | None, cached: int | None, written: int | None, output: int | None,
    reasoning: int | None, total: Any = None,
) -> dict[str, int | None]:  # fmt: skip
    """Disjoint counts of an input that by convention INCLUDES cache reads and writes.

    Some instrumentations pass on what Anthropic says, where it excludes them. They show
    themselves when more is cached than was put in, or when the total they tell is the sum of
    all: then nothing is taken off. Likewise reasoning is part of the output, unless it is more.
    """
    part = (cached or 0) + (written or 0)
    if fresh is not None and part <= fresh and total != fresh + part + (output or 0):
        fresh -= part
    if reasoning is not None and reasoning > (output or 0):
        output = (output or 0) + reasoning
    return {
        "input_tokens": fresh,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": output,
        "reasoning_tokens": reasoning,
    }


def milliseconds(name: str, value: Any, unit: int = 1) -> int | None:
    """Whole milliseconds of a number of `unit` milliseconds each."""
    number = decimal(name, value)
    return None if number is None else int(number * unit)
