"""A row of LiteLLM's spend logs, wherever it was found, as a canonical event.

The convention stands in `spend_logs.py`. A row is a mapping from the columns of
`LiteLLM_SpendLogs` to text or JSON values; a column that a version lacks is unknown. Status,
tokens and money decide about each other (`usage_fields`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from data.errors import EventError
from data.events.doubts import DOUBTS
from data.sources.fields import (
    count,
    decimal,
    nano,
    parsed,
    part,
    prompt_counts,
    service_tier,
    text,
    whole,
)
from data.sources.format import Note, Raw
from data.sources.litellm.no_calls import not_a_call

STATUSES: Final = {"success": "ok", "failure": "error"}
Row = Mapping[str, Any]
# All that is read of a row, and of its metadata: prompts and answers are not.
COLUMNS: Final = (
    *("request_id", "litellm_call_id", "call_type", "session_id", "startTime", "endTime"),
    *("request_duration_ms", "status", "model", "model_group", "custom_llm_provider"),
    *("user", "team_id", "end_user", "mcp_namespaced_tool_name", "request_tags", "cache_hit"),
    *("spend", "prompt_tokens", "completion_tokens", "metadata"),
)
METADATA: Final = (
    *("litellm_call_id", "user_agent", "status", "usage_object"),
    *("user_api_key_alias", "user_api_key_team_alias"),
)
OPERATIONS: Final = {
    "completion": "chat",
    "anthropic_messages": "chat",
    "responses": "chat",
    "embedding": "embeddings",
    "text_completion": "text_completion",
}
OWN_TAGS: Final = ("assistant:", "workflow:", "User-Agent:")
MISSED: Final = (None, "None", "False", "")  # of cache_hit, as mostly
NEAR: Final = 10_000  # rows of one call are written one after the other
HIT: Final = re.compile(r"_cache_hit[\d.]*$")  # each door says when it wrote, to its own µs
REPEATED: Final = Note(
    "the row has the ids of one before it (answers from the gateway's cache to calls that a"
    " client gave one litellm_call_id): counted once, as its first row tells it"
)


def usage_fields(row: Row, metadata: Row) -> Raw:
    """The fields of the canonical event; raises `EventError` where they contradict."""
    status = _status(row, metadata)
    cost = nano("spend", row.get("spend"))
    tokens = _tokens(row, metadata.get("usage_object") or {})
    used = any(tokens.values())
    if status == "error" and not used:
        tokens = {}
    if not cost and status == "ok" and used and not cache_hit(row):
        cost = cost if decimal("spend", row.get("spend")) else None
    return {
        "status": status,
        "error_class": _error_class(metadata) if status == "error" else None,
        **tokens,
        **_tier(metadata.get("usage_object") or {}),
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
    }


def _status(row: Row, metadata: Row) -> str:
    status = text(row.get("status")) or text(metadata.get("status")) or "success"
    if status not in STATUSES:
        raise EventError(f"status is {status[:40]!r}, not success or failure")
    return STATUSES[status]


def _error_class(metadata: Row) -> str | None:
    error = metadata.get("error_information") or {}
    return text(error.get("error_class")) or text(error.get("error_code"))


def _tokens(row: Row, usage: Row) -> Raw:
    prompt = count("prompt_tokens", row.get("prompt_tokens"))
    details = usage.get("prompt_tokens_details") or {}
    more = usage.get("completion_tokens_details") or {}
    cached = _first_count(
        "cached tokens", usage, "cache_read_input_tokens", details, "cached_tokens"
    )
    written = _first_count(
        "cache writes", usage, "cache_creation_input_tokens", details, "cache_creation_tokens"
    )
    return {
        **prompt_counts("prompt_tokens", prompt, cached, written),
        "output_tokens": count("completion_tokens", row.get("completion_tokens")),
        **(_parts(usage, details, more) if details or more or "server_tool_use" in usage else {}),
    }


def _parts(usage: Row, details: Row, more: Row) -> Raw:
    return {
        "reasoning_tokens": count("reasoning_tokens", more.get("reasoning_tokens")),
        **{ours: count(theirs, whole.get(theirs)) or None
           for ours, whole, theirs in (
               ("cache_write_1h_tokens", part(details, "cache_creation_token_details"),
                "ephemeral_1h_input_tokens"),
               ("input_audio_tokens", details, "audio_tokens"),
               ("input_image_tokens", details, "image_tokens"),
               ("output_audio_tokens", more, "audio_tokens"),
               ("output_image_tokens", more, "image_tokens"),
               ("web_searches", {**details, **part(usage, "server_tool_use")},
                "web_search_requests"),
           )},
    }  # fmt: skip


def _tier(usage: Row) -> Raw:
    fast = text(usage.get("speed")) == "fast"
    return service_tier("fast" if fast else usage.get("service_tier"))


def _first_count(what: str, usage: Row, name: str, details: Row, other: str) -> int | None:
    found = count(what, usage.get(name))
    return count(what, details.get(other)) if found is None else found


def cache_hit(row: Row) -> bool:
    """Whether the gateway answered from its own cache."""
    found = row.get("cache_hit")
    return found not in MISSED and str(found).strip().lower() in ("true", "t", "1")


@dataclass(frozen=True, slots=True)
class Names:
    """What people call users and teams, by their ids, where other tables say so."""

    users: Mapping[str, str | None] = field(default_factory=dict)
    teams: Mapping[str, str | None] = field(default_factory=dict)


UNNAMED: Final = Names()


class Calls:
    """The records of rows, with a note for each that tells of a call already told."""

    def __init__(self, names: Names = UNNAMED) -> None:
        self.names = names
        self._first_requests: dict[str, str] = {}  # request_id of the first row, by event id

    def convert(self, row: Row) -> Iterator[Raw | Note]:
        """What `call` makes of a row; raises `EventError` likewise."""
        if (note := not_a_call(row)) is not None:
            yield note
            return
        found = call(row, self.names)
        key, request = found["event_id"], str(row.get("request_id"))
        if self._first_requests.setdefault(key, request) != request:
            yield REPEATED
        if len(self._first_requests) > NEAR:
            del self._first_requests[next(iter(self._first_requests))]
        yield found


def call(row: Row, names: Names = UNNAMED) -> Raw:
    """The record of a row; raises `EventError` where it is none."""
    metadata = parsed("metadata", row.get("metadata")) or {}
    tags = [tag for tag in parsed("request_tags", row.get("request_tags")) or () if tag]
    used = usage_fields(row, metadata)
    return {
        "event_id": _id(row, metadata, used["status"]),
        "ts": text(row.get("startTime")),
        "kind": "llm",
        "channel": "api",
        "source": "litellm",
        **_context(row, metadata, tags, names),
        **_model_fields(row),
        **used,
        "duration_ms": _duration(row),
        "tags": _tags(row, metadata, tags),
    }


def _context(row: Row, metadata: Row, tags: list[str], names: Names) -> Raw:
    agent = text(metadata.get("user_agent")) or ""
    user, team = text(row.get("user")), text(row.get("team_id"))
    alias = text(metadata.get("user_api_key_team_alias"))
    return {
        "user": user,
        "user_name": names.users.get(user or ""),
        "project": team,
        "project_name": alias or names.teams.get(team or ""),
        "assistant": _tagged(tags, "assistant:"),
        "workflow": _tagged(tags, "workflow:"),
        "conversation_id": text(row.get("session_id")),
        "tool": text(row.get("mcp_namespaced_tool_name")),
        "client": agent.split("/")[0],
    }


def _model_fields(row: Row) -> Raw:
    provider, model = text(row.get("custom_llm_provider")), text(row.get("model"))
    call = text(row.get("call_type")) or ""
    return {
        "provider": provider,
        "model": model.removeprefix(f"{provider}/") if model else None,
        "operation": OPERATIONS.get(call) or OPERATIONS.get(call.removeprefix("a")) or call,
    }


def _id(row: Row, metadata: Row, status: str) -> str:
    """Both ids: a client may give one call id to many calls, an upstream repeat its own."""
    own = text(row.get("litellm_call_id")) or text(metadata.get("litellm_call_id"))
    upstream = text(row.get("request_id")) or own
    if upstream is None:
        raise EventError("litellm_call_id and request_id are both missing")
    answer = HIT.sub("", upstream) if own else upstream
    ids = [each for each in (own, answer) if each]
    return ":".join(["litellm", *_id_kind(row, status, answer != upstream), *dict.fromkeys(ids)])


def _id_kind(row: Row, status: str, hit: bool) -> list[str]:
    """What else could have the ids of a success, and must not stand in its place."""
    if status == "error":
        return ["failure"]
    return ["hit"] if hit or cache_hit(row) else []


def _tagged(tags: list[str], prefix: str) -> str | None:
    if not tags:  # as mostly
        return None
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), None)


def _duration(row: Row) -> int | None:
    given = whole("request_duration_ms", row.get("request_duration_ms"))
    if given is not None and isinstance(row.get("endTime"), str):  # as mostly
        return given
    ends = [text(row.get(name)) for name in ("startTime", "endTime")]
    if given is not None or not all(ends):
        return given
    start, end = (_instant(moment) for moment in ends if moment)
    if start is None or end is None:
        if start:  # without one there is no event
            DOUBTS.no_time("endTime")
        return None
    return (end - start) // timedelta(milliseconds=1) if end >= start else None


def _instant(moment: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _tags(row: Row, metadata: Row, tags: list[str]) -> str | None:
    """What has no column of its own and is worth keeping."""
    others = [tag for tag in tags if not tag.startswith(OWN_TAGS)] if tags else None
    fields = {
        "model_group": text(row.get("model_group")),
        "end_user": text(row.get("end_user")),
        "key_alias": text(metadata.get("user_api_key_alias")),
        "cache_hit": cache_hit(row) or None,
        "tags": others or None,
    }
    found = {name: value for name, value in fields.items() if value is not None}
    return orjson.dumps(found).decode() if found else None
