"""What a LiteLLM call used and cost: status, tokens and money, which decide about each other.

The convention stands in `data/sources/litellm/spend_logs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.fields import count, decimal, nano, text
from data.sources.format import Raw

STATUSES: Final = {"success": "ok", "failure": "error"}
Row = Mapping[str, Any]


def spent(row: Row, metadata: Row) -> Raw:
    """The fields of the canonical event; raises `EventError` where they contradict."""
    status = _status(row, metadata)
    cost = nano("spend", row.get("spend"))
    tokens = _tokens(row, metadata.get("usage_object") or {})
    used = any(tokens.values())
    if status == "error" and not used:
        tokens = {}
    without_price = not decimal("spend", row.get("spend")) and used and not cache_hit(row)
    if status == "ok" and without_price:
        cost = None
    return {
        "status": status,
        "error_class": _error_class(metadata) if status == "error" else None,
        **tokens,
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
    }


def _status(row: Row, metadata: Row) -> str:
    said = text(row.get("status")) or text(metadata.get("status")) or "success"
    if said not in STATUSES:
        raise EventError(f"status is {said[:40]!r}, not success or failure")
    return STATUSES[said]


def _error_class(metadata: Row) -> str | None:
    error = metadata.get("error_information") or {}
    return text(error.get("error_class")) or text(error.get("error_code"))


def _tokens(row: Row, usage: Row) -> dict[str, int | None]:
    prompt = count("prompt_tokens", row.get("prompt_tokens"))
    details = usage.get("prompt_tokens_details") or {}
    more = usage.get("completion_tokens_details") or {}
    cached = _said("cached tokens", usage, "cache_read_input_tokens", details, "cached_tokens")
    written = _said(
        "cache writes", usage, "cache_creation_input_tokens", details, "cache_creation_tokens"
    )
    fresh = None if prompt is None else prompt - (cached or 0) - (written or 0)
    if fresh is not None and fresh < 0:
        raise EventError(f"prompt_tokens {prompt} are fewer than the cached ones among them")
    return {
        "input_tokens": fresh,
        "cached_input_tokens": cached,
        "cache_write_tokens": written,
        "output_tokens": count("completion_tokens", row.get("completion_tokens")),
        "reasoning_tokens": count("reasoning_tokens", more.get("reasoning_tokens")),
    }


def _said(what: str, usage: Row, name: str, details: Row, other: str) -> int | None:
    found = count(what, usage.get(name))
    return count(what, details.get(other)) if found is None else found


def cache_hit(row: Row) -> bool:
    """Whether the gateway answered from its own cache."""
    return str(row.get("cache_hit")).strip().lower() in ("true", "t", "1")
