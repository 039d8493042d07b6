"""LiteLLM's spend logs: the table as CSV, JSON list or lines, and answers of /spend/logs/v2.

event_id      `litellm:` + litellm_call_id (the id LiteLLM's callback and OpenTelemetry carry
              too), or request_id where a version has none
ts            startTime, UTC where it has no zone; duration_ms request_duration_ms, else endTime -
              startTime; ttft_ms is null (completionStartTime is often the end)
user, project user and team_id, project_name the team's alias; '' is null. end_user is somebody
              else: it is kept in tags
model         without the `provider/` before it; provider is custom_llm_provider; the alias that
              was asked for is model_group, in tags
assistant, workflow  the first request tag `assistant:…` and `workflow:…`; client is the program
              named by the user agent. Rows are counted, never tags: a row has several
tokens        prompt_tokens INCLUDE cache reads and writes, which are taken off. A failure with
              no tokens at all has none (the table cannot hold null)
cost          spend, every digit, rounded to nano-dollars. 0 is free for failures and for hits
              in the gateway's cache; a success with tokens at 0 had no price: unpriced, and not
              priced by our book (the gateway names on-premises models `openai`, too)
status        failure is error; error_class from metadata.error_information
not counted   the Daily tables (the same calls again, summed), a row without startTime
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.sources.entries import entries
from data.sources.fields import count, decimal, nano, parsed, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records

ASKED: Final = {"request_id", "call_type", "spend", "startTime", "custom_llm_provider"}
OPERATIONS: Final = {
    "completion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "embedding": "embeddings",
    "text_completion": "text_completion",
}
STATUSES: Final = {"success": "ok", "failure": "error"}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= ASKED or head.first.keys() >= ASKED


def read(file: File, options: Options) -> Iterator[Record]:
    return records(entries(file), _event, options)


def _event(_: str, row: Row) -> Iterator[Raw]:
    metadata = parsed("metadata", row.get("metadata")) or {}
    tags = [tag for tag in parsed("request_tags", row.get("request_tags")) or () if tag]
    yield {
        "event_id": _id(row),
        "ts": text(row.get("startTime")),
        "kind": "llm",
        "channel": "api",
        "source": "litellm",
        **_context(row, metadata, tags),
        **_asked(row),
        **_spent(row, metadata),
        "duration_ms": _duration(row),
        "tags": _kept(row, metadata, tags),
    }


def _context(row: Row, metadata: Row, tags: list[str]) -> Raw:
    agent = text(metadata.get("user_agent")) or ""
    return {
        "user": text(row.get("user")),
        "project": text(row.get("team_id")),
        "project_name": text(metadata.get("user_api_key_team_alias")),
        "assistant": _tagged(tags, "assistant:"),
        "workflow": _tagged(tags, "workflow:"),
        "conversation_id": text(row.get("session_id")),
        "tool": text(row.get("mcp_namespaced_tool_name")),
        "client": agent.split("/")[0],
    }


def _asked(row: Row) -> Raw:
    provider, model = text(row.get("custom_llm_provider")), text(row.get("model"))
    call = text(row.get("call_type")) or ""
    return {
        "provider": provider,
        "model": model.removeprefix(f"{provider}/") if model else None,
        "operation": OPERATIONS.get(call) or OPERATIONS.get(call.removeprefix("a")) or call,
    }


def _id(row: Row) -> str:
    own = text(row.get("litellm_call_id")) or text(row.get("request_id"))
    if own is None:
        raise EventError("litellm_call_id and request_id are both missing")
    return f"litellm:{own}"


def _tagged(tags: list[str], prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), None)


def _spent(row: Row, metadata: Row) -> Raw:
    """Status, tokens and money, which decide about each other."""
    status = _status(row, metadata)
    cost = nano("spend", row.get("spend"))
    tokens = _tokens(row, metadata.get("usage_object") or {})
    used = any(tokens.values())
    if status == "error" and not used:
        tokens = {}
    without_price = not decimal("spend", row.get("spend")) and used and not _cache_hit(row)
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


def _cache_hit(row: Row) -> bool:
    return str(row.get("cache_hit")).strip().lower() in ("true", "t", "1")


def _duration(row: Row) -> int | None:
    given = whole("request_duration_ms", row.get("request_duration_ms"))
    ends = [text(row.get(name)) for name in ("startTime", "endTime")]
    if given is not None or not all(ends):
        return given
    start, end = (_instant(moment) for moment in ends if moment)
    return (end - start) // timedelta(milliseconds=1) if end >= start else None


def _instant(moment: str) -> datetime:
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise EventError(f"{moment[:40]!r} is not a time") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _kept(row: Row, metadata: Row, tags: list[str]) -> str | None:
    """What has no column of its own and is worth keeping."""
    others = [tag for tag in tags if not tag.startswith(("assistant:", "workflow:", "User-Agent:"))]
    kept = {
        "model_group": text(row.get("model_group")),
        "end_user": text(row.get("end_user")),
        "key_alias": text(metadata.get("user_api_key_alias")),
        "cache_hit": _cache_hit(row) or None,
        "tags": others or None,
    }
    found = {name: value for name, value in kept.items() if value is not None}
    return orjson.dumps(found).decode() if found else None


FORMAT = Format("litellm", "LiteLLM spend logs", recognises, read)
