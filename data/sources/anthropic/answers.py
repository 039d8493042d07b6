"""What an answer of Anthropic's API says of its use, in its own words: the `usage` of a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data.sources.fields import count, part, service_tier, text
from data.sources.format import Raw

TOKENS: Final = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "output_tokens": "output_tokens",
}
EVERYWHERE: Final = (None, "global", "not_available")
US_INFERENCE: Final = "US inference"  # dearer than elsewhere, by how much nobody quotes
Usage = Mapping[str, Any]


def answer_tokens(usage: Usage) -> Raw:
    """The counts of a message's `usage`, which do not overlap."""
    hour = part(usage, "cache_creation").get("ephemeral_1h_input_tokens")
    searches = part(usage, "server_tool_use").get("web_search_requests")
    return {
        **{ours: count(theirs, usage.get(theirs)) for ours, theirs in TOKENS.items()},
        "cache_write_1h_tokens": count("ephemeral_1h_input_tokens", hour) or None,
        "web_searches": count("web_search_requests", searches) or None,
    }


def in_us_alone(usage: Usage) -> bool:
    """Whether inference was kept to one place, as `inference_geo` says."""
    return "inference_geo" in usage and text(usage["inference_geo"]) not in EVERYWHERE


def processed_as(usage: Usage) -> Raw:
    """The tier of a call, or why it has no price: by its place, its speed, its service tier."""
    if in_us_alone(usage):
        return {"unpriced_reason": f"no rate for {US_INFERENCE}"}
    if usage.get("speed") == "fast":
        return {"service_tier": "fast"}
    return service_tier(usage.get("service_tier"))
