"""Who sells a model: the provider that a source names, or what the model's name alone can mean.

Frameworks and gateways hand calls on: they are nobody's provider, and neither is a word for
nothing. Then the price book goes by the model's name. Where a name can only be one provider's, it
is that one; so it is where a client that speaks the interface of Anthropic or OpenAI names a
model of somebody else's, or as a cloud sells it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

PLACEHOLDERS: Final = frozenset({
    "_OTHER", "_other", "none", "None", "NONE", "null", "NULL", "unknown", "Unknown", "UNKNOWN",
    "undefined", "n/a", "N/A",
})  # fmt: skip
# In lower case, with `-` for `_` and blanks.
FRAMEWORKS: Final = frozenset({
    "adk", "ag2", "agent-framework", "agno", "autogen", "crewai", "dify", "dspy", "flowise",
    "gcp.vertex.agent", "genkit", "google-adk", "haystack", "instructor", "langchain",
    "langchain4j", "langfuse", "langgraph", "langsmith", "llama-index", "llamaindex", "mastra",
    "microsoft.agent-framework", "microsoft.semantic-kernel", "n8n", "openai-agents",
    "openai-compatible", "openai-like", "phidata", "promptflow", "pydantic-ai", "quarkus",
    "semantic-kernel", "smolagents", "spring-ai", "strands", "strands-agents", "traceloop",
    "vercel-ai-sdk",
})  # fmt: skip
GATEWAYS: Final = frozenset({
    "ai-gateway", "az.ai.inference", "bifrost", "cline", "cloudflare-ai-gateway", "gateway",
    "helicone", "kilocode", "kong", "litellm", "litellm-proxy", "portkey", "requesty", "roo",
    "other", "custom", "tensorzero", "vercel", "vercel-ai-gateway",
})  # fmt: skip
NOBODY: Final = FRAMEWORKS | GATEWAYS
SPELLED: Final = str.maketrans("_ ", "--")
MAKERS: Final = r"anthropic|amazon|meta|mistral|cohere|ai21|deepseek|stability|writer|qwen|openai"
REGION: Final = r"(?:(?:us|eu|apac|jp|au|ca|sa|us-gov|global)\.)?"
ONLY: Final[dict[str, re.Pattern[str]]] = {
    "aws.bedrock": re.compile(
        rf"arn:aws[\w-]*:bedrock:|{REGION}(?:anthropic|amazon)\.\w"
        rf"|{REGION}(?:{MAKERS})\.[\w.-]+:\d+$"
    ),
    "openai": re.compile(r"ft:(?:gpt-|o\d|davinci|babbage)|text-embedding-(?:3-|ada-)"),
    "fireworks": re.compile(r"accounts/fireworks/"),
    "gcp.gemini": re.compile(r"(?:models|tunedmodels)/gemini-"),
    "gcp.vertex_ai": re.compile(r"(?:projects/.*)?publishers/\w+/models/|claude-[\w.-]+@\d{8}$"),
}
INTERFACES: Final = frozenset({"anthropic", "openai"})  # that others' servers speak, too
OTHERS: Final[dict[str, re.Pattern[str]]] = {
    "zai": re.compile(r"glm-"),
    "moonshotai": re.compile(r"kimi-|moonshot-"),
    "deepseek": re.compile(r"deepseek-"),
    "minimax": re.compile(r"minimax-m"),
    "alibaba_cloud": re.compile(r"qwen"),
    "x_ai": re.compile(r"grok-"),
}


@lru_cache(8_192)
def provider_of(provider: str | None, model: str | None) -> str | None:
    """Who sells this model; None: the name of the model has to tell."""
    name = without_gateway(model or "").lower()
    if provider is None or provider in PLACEHOLDERS or _is_nobody(provider):
        return _first(ONLY, name)
    if provider.lower() in INTERFACES:
        return _first(OTHERS, name) or _first(ONLY, name) or provider
    return provider


def without_gateway(model: str) -> str:
    """A model's name without the gateways that stand before it: `vercel/openai/gpt-4o`."""
    prefix, slash, rest = model.partition("/")
    return without_gateway(rest) if slash and _is_nobody(prefix) else model


def _is_nobody(name: str) -> bool:
    return name.lower().translate(SPELLED) in NOBODY


def _first(sellers: dict[str, re.Pattern[str]], name: str) -> str | None:
    return next((seller for seller, names in sellers.items() if names.match(name)), None)


def listed_name(model: str) -> str:
    """A model as price lists spell it: no folders, hyphens for blanks."""
    return model.rsplit("models/", 1)[-1].replace(" ", "-")
