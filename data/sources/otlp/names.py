"""What the attributes of GenAI telemetry are called, today and before.

First the current conventions (open-telemetry/semantic-conventions-genai), then their older
spellings, then other vocabularies: OpenLLMetry (`traceloop.`, `llm.`), OpenInference
(`llm.token_count.`), Pydantic AI (`.details.`), OpenLIT, the Vercel AI SDK (`ai.`), Strands,
Google's ADK, Langfuse, LangSmith, Semantic Kernel, MLflow, Braintrust, and what LiteLLM wrote
before it had ids. `attributes.py` finds the first that says something.
"""

from __future__ import annotations

from itertools import count
from typing import Final

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


USED: Final = "gen_ai.usage."
COUNT_PREFIX: Final = "llm.token_count."
LITELLM: Final = "metadata.user_api_key_"
USAGE_METADATA: Final = "metadata." + USED  # what OpenInference's converters have no name for
LANGSMITH: Final = "langsmith.metadata.usage_metadata."
# Attributes that hold JSON, whose parts are spelled with a dot (`unfolding.py`).
META: Final = "ai.response.providerMetadata."
CLAUDE: Final = META + "anthropic.usage."
ADK: Final = tuple(
    f"gcp.vertex.agent.llm_response.{name}." for name in ("usage_metadata", "usageMetadata")
)
MLFLOW: Final = "mlflow.chat.tokenUsage."
BRAINTRUST: Final = "braintrust.metrics."
BRAINTRUST_SAYS: Final = "braintrust.metadata."
LITELLM_USED: Final = "metadata.usage_object."
DETAILS: Final = (
    *(USED + f"{name}." for name in ("input_token_details", "details", "prompt_tokens_details",
                                     "input_tokens_details")),
    LANGSMITH + "input_token_details.", LITELLM_USED + "prompt_tokens_details.",
)  # fmt: skip
OUTPUT_DETAILS: Final = (
    *(USED + f"{name}." for name in ("output_token_details", "details",
                                     "completion_tokens_details", "output_tokens_details")),
    LANGSMITH + "output_token_details.", LITELLM_USED + "completion_tokens_details.",
)  # fmt: skip
QUOTED: Final = ("mlflow.llm.model", "mlflow.llm.provider")  # texts as JSON
FOLDED: Final = Names(
    META[:-1], "gcp.vertex.agent.llm_response", MLFLOW[:-1], "mlflow.llm.cost", BRAINTRUST[:-1],
    BRAINTRUST_SAYS[:-1], "braintrust.span_attributes", "metadata", LANGSMITH[:-1],
    LITELLM_USED[:-1], *QUOTED, *(name[:-1] for name in (*DETAILS[:-2], *OUTPUT_DETAILS[:-2])),
)  # fmt: skip


def each(parents: tuple[str, ...], *names: str) -> tuple[str, ...]:
    """Every name below every parent."""
    return tuple(parent + name for parent in parents for name in names)


OPERATION: Final = Names("gen_ai.operation.name")
PROVIDER: Final = Names(
    "gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "llm.vendor",
    "embedding.provider", "ai.model.provider", "langsmith.metadata.ls_provider",
    "mlflow.llm.provider", BRAINTRUST_SAYS + "provider",
)  # fmt: skip
REQUESTED: Final = Names(
    "gen_ai.request.model", "llm.request.model_name", "llm.request.model", "llm.model_name",
    "embedding.model_name", "ai.model.id", "langfuse.observation.model.name",
    "langfuse.observation.model", "langsmith.metadata.ls_model_name", "mlflow.llm.model",
    BRAINTRUST_SAYS + "model",
)  # fmt: skip
ANSWERED: Final = Names(
    "gen_ai.response.model", "llm.response.model_name", "llm.response.model", "ai.response.model",
)  # fmt: skip
RESPONSE: Final = Names("gen_ai.response.id", "llm.response.id", "ai.response.id")
INPUT: Final = Names(
    USED + "input_tokens", USED + "prompt_tokens", "llm.usage.prompt_tokens",
    "llm.usage.input_tokens", COUNT_PREFIX + "prompt", "ai.usage.inputTokens",
    "ai.usage.promptTokens", "ai.usage.tokens", "gen_ai.response.prompt_tokens",
    MLFLOW + "input_tokens",
    BRAINTRUST + "prompt_tokens", *each(ADK, "prompt_token_count", "promptTokenCount"),
)  # fmt: skip
UNCACHED: Final = Names(  # the input without what was read from a cache or written to one
    CLAUDE + "input_tokens", "ai.usage.inputTokenDetails.noCacheTokens",
)  # fmt: skip
OUTPUT: Final = Names(
    USED + "output_tokens", USED + "completion_tokens", "llm.usage.completion_tokens",
    "llm.usage.output_tokens", COUNT_PREFIX + "completion", "ai.usage.outputTokens",
    "ai.usage.completionTokens", "gen_ai.response.completion_tokens", MLFLOW + "output_tokens",
    BRAINTRUST + "completion_tokens", *each(ADK, "candidates_token_count", "candidatesTokenCount"),
)  # fmt: skip
CACHED_BESIDE: Final = Names(  # of programs whose input excludes what is cached
    META + "anthropic.cacheReadInputTokens", META + "bedrock.usage.cacheReadInputTokens",
)  # fmt: skip
WRITTEN_BESIDE: Final = Names(
    META + "anthropic.cacheCreationInputTokens", META + "bedrock.usage.cacheWriteInputTokens",
    META + "bedrock.usage.cacheCreationInputTokens",
)  # fmt: skip
CACHED: Final = Names(
    USED + "cache_read.input_tokens", USED + "cache_read_input_tokens", USED + "cache_read_tokens",
    USED + "input_tokens.cached", USED + "cached_input_tokens", USED + "cached_tokens",
    USED + "prompt_cached_tokens", USED + "input_cached_tokens", "llm.usage.cache_read_tokens",
    "llm.usage.cache_read_input_tokens", "llm.usage.cached_tokens",
    COUNT_PREFIX + "prompt_details.cache_read", COUNT_PREFIX + "prompt_details.cache_input",
    CLAUDE + "cache_read_input_tokens", "ai.usage.inputTokenDetails.cacheReadTokens",
    "ai.usage.cachedInputTokens", *CACHED_BESIDE, META + "openai.cachedPromptTokens",
    META + "azure.cachedPromptTokens", META + "deepseek.promptCacheHitTokens",
    META + "google.usageMetadata.cachedContentTokenCount",
    META + "openrouter.usage.promptTokensDetails.cachedTokens",
    *each(DETAILS, "cache_read_tokens", "cache_read_input_tokens", "cached_tokens", "cache_read"),
    *each(ADK, "cached_content_token_count", "cachedContentTokenCount"),
    MLFLOW + "cache_read_input_tokens", BRAINTRUST + "prompt_cached_tokens",
    USAGE_METADATA + "cache_read_input_tokens", LITELLM_USED + "cache_read_input_tokens",
)  # fmt: skip
WRITTEN: Final = Names(
    USED + "cache_creation.input_tokens", USED + "cache_write.input_tokens",
    USED + "cache_creation_input_tokens", USED + "cache_write_input_tokens",
    USED + "cache_write_tokens", USED + "cache_creation_tokens",
    USED + "input_tokens.cache_write", USED + "input_tokens.cache_creation",
    "llm.usage.cache_creation_input_tokens", "llm.usage.cache_write_tokens",
    COUNT_PREFIX + "prompt_details.cache_write", CLAUDE + "cache_creation_input_tokens",
    "ai.usage.inputTokenDetails.cacheWriteTokens", *WRITTEN_BESIDE,
    *each(DETAILS, "cache_write_tokens", "cache_creation_input_tokens", "cache_creation",
          "cache_creation_tokens", "cache_write"),
    MLFLOW + "cache_creation_input_tokens", BRAINTRUST + "prompt_cache_creation_tokens",
    USAGE_METADATA + "cache_write_input_tokens", LITELLM_USED + "cache_creation_input_tokens",
)  # fmt: skip
REASONED_BESIDE: Final = Names(  # of programs whose output excludes it
    USED + "experimental.reasoning_tokens",
    *each(ADK, "thoughts_token_count", "thoughtsTokenCount"),
)  # fmt: skip
REASONED: Final = Names(
    USED + "reasoning.output_tokens", USED + "reasoning_tokens",
    USED + "output_tokens.reasoning", "llm.usage.reasoning_tokens",
    COUNT_PREFIX + "completion_details.reasoning", "ai.usage.outputTokenDetails.reasoningTokens",
    "ai.usage.reasoningTokens", META + "openai.reasoningTokens",
    META + "google.usageMetadata.thoughtsTokenCount", USED + "thinking_tokens",
    *each(OUTPUT_DETAILS, "reasoning_tokens", "reasoning", "thoughts_tokens"),
    BRAINTRUST + "completion_reasoning_tokens", *REASONED_BESIDE,
)  # fmt: skip
WRITTEN_HOUR: Final = Names(
    CLAUDE + "cache_creation.ephemeral_1h_input_tokens",
    USED + "cache_creation.ephemeral_1h_input_tokens", USED + "cache_creation_1h_input_tokens",
    *each(DETAILS, "ephemeral_1h_input_tokens", "cache_creation_1h"),
    DETAILS[-1] + "cache_creation_token_details.ephemeral_1h_input_tokens",
)  # fmt: skip
WRITTEN_SHORT: Final = Names(*each(DETAILS, "ephemeral_5m_input_tokens"))
AUDIO_INPUT: Final = Names(
    COUNT_PREFIX + "prompt_details.audio", USED + "input_audio_tokens",
    USED + "experimental.input_audio_tokens", *each(DETAILS, "input_audio_tokens"),
    *each(DETAILS[:1] + DETAILS[2:], "audio", "audio_tokens"),
)  # fmt: skip
AUDIO_OUTPUT: Final = Names(
    COUNT_PREFIX + "completion_details.audio", USED + "output_audio_tokens",
    USED + "experimental.output_audio_tokens", *each(OUTPUT_DETAILS, "output_audio_tokens"),
    *each(OUTPUT_DETAILS[:1] + OUTPUT_DETAILS[2:], "audio", "audio_tokens"),
)  # fmt: skip
IMAGE_INPUT: Final = Names(
    USED + "input_image_tokens", USED + "experimental.input_image_tokens",
    *each(DETAILS, "input_image_tokens", "image_tokens"),
)  # fmt: skip
IMAGE_OUTPUT: Final = Names(
    USED + "output_image_tokens", USED + "experimental.output_image_tokens",
    *each(OUTPUT_DETAILS, "output_image_tokens"),
)  # fmt: skip
SEARCHED: Final = Names(
    CLAUDE + "server_tool_use.web_search_requests", USED + "server_tool_use.web_search_requests",
    USED + "web_search_requests", USED + "details.web_search_requests",
)  # fmt: skip
KINDS_OF_COUNTS: Final = CACHED.bit | WRITTEN.bit | WRITTEN_HOUR.bit | REASONED.bit
SPEED: Final = Names(CLAUDE + "speed")
PLACE: Final = Names(CLAUDE + "inference_geo")
TIER: Final = Names(
    CLAUDE + "service_tier", META + "openai.serviceTier",
    "gen_ai.openai.response.service_tier", "openai.response.service_tier",
    "gen_ai.response.service_tier", "gen_ai.openai.request.service_tier",
    "openai.request.service_tier", "gen_ai.request.service_tier",
)  # fmt: skip
TOTAL: Final = Names(
    USED + "total_tokens", "llm.usage.total_tokens", COUNT_PREFIX + "total", "ai.usage.totalTokens",
    META + "google.usageMetadata.totalTokenCount", MLFLOW + "total_tokens", BRAINTRUST + "tokens",
    LITELLM_USED + "total_tokens", "gen_ai.client.token.usage",
    *each(ADK, "total_token_count", "totalTokenCount"),
)  # fmt: skip
COST: Final = Names(
    USED + "cost", USED + "total_cost", "gen_ai.cost.total_cost", "llm.cost.total",
    "operation.cost", "llm.usage.cost", "mlflow.llm.cost.total_cost", META + "gateway.cost",
    META + "openrouter.usage.cost",
)  # fmt: skip
LANGFUSE_USAGE: Final = Names("langfuse.observation.usage_details")
LANGFUSE_COST: Final = Names("langfuse.observation.cost_details")
FIRST_SECONDS: Final = Names(
    "gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token",
    "gen_ai.server.time_to_first_token",
)  # fmt: skip
FIRST_MILLIS: Final = Names("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
FIRST_MOMENT: Final = Names("langfuse.observation.completion_start_time")
ERROR: Final = Names("error.type")
LEVEL: Final = Names("langfuse.observation.level")
FINISHED: Final = Names("gen_ai.response.finish_reasons", "llm.response.finish_reason")
# What only a call has, and what says that a span is about a model at all.
USAGE: Final = Names(
    *INPUT, *UNCACHED, *OUTPUT, *CACHED, *WRITTEN, *REASONED, *TOTAL, *COST, *LANGFUSE_USAGE,
    *LANGFUSE_COST,
)  # fmt: skip
# What tells more of a call's tokens than how many went in and came out.
SHARES: Final = Names(
    *CACHED, *WRITTEN, *REASONED, *TOTAL, *UNCACHED, *LANGFUSE_USAGE, *WRITTEN_HOUR,
    *WRITTEN_SHORT, *AUDIO_INPUT, *AUDIO_OUTPUT, *IMAGE_INPUT, *IMAGE_OUTPUT, *SEARCHED,
)  # fmt: skip
GENAI: Final = Names(*USAGE, *REQUESTED, *ANSWERED, *OPERATION)

# What programs put on every span below an agent or a conversation.
CONTEXT: Final = frozenset({
    "gen_ai.conversation.id", "gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.agent.version",
    "gen_ai.agent.description", "gen_ai.workflow.name", "gen_ai.user", "gen_ai.user.id",
})  # fmt: skip

USER: Final = Names(
    "enduser.id", "user.id", "gen_ai.user.id", "gen_ai.user", "langfuse.user.id",
    "traceloop.association.properties.user_id", "ai.telemetry.metadata.userId",
    "langsmith.metadata.user_id", LITELLM + "user_id", "llm.user", "user.email",
)  # fmt: skip
USER_NAME: Final = Names("user.full_name", "user.name")
PROJECT: Final = Names(
    "team.id", "service.namespace", "openinference.project.name", "langsmith.trace.session_name",
    LITELLM + "team_id",
)  # fmt: skip
PROJECT_NAME: Final = Names("team.name", LITELLM + "team_alias")
CONVERSATION: Final = Names(
    "gen_ai.conversation.id", "session.id", "langfuse.session.id",
    "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
    "ai.telemetry.metadata.sessionId", "langsmith.metadata.thread_id",
    "langsmith.metadata.session_id", "gcp.vertex.agent.session_id",
)  # fmt: skip
AGENT: Final = Names("gen_ai.agent.name", "agent.name")
WORKFLOW: Final = Names("gen_ai.workflow.name", "traceloop.workflow.name", "langfuse.trace.name")
ENTITY: Final = Names("traceloop.entity.name")
TOOL: Final = Names("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "mcp.tool.name")
TOOL_TYPE: Final = Names("gen_ai.tool.type")
MCP: Final = "mcp.method.name"
MCP_SERVER: Final = Names("mcp.server.name", "server.address")
DATA_SOURCE: Final = Names("gen_ai.data_source.id", "server.address")
ENVIRONMENT: Final = Names("deployment.environment.name", "deployment.environment")
