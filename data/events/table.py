"""The one wide table of events: its fields (`FIELDS`), and what they can hold."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

SCHEMA_VERSION: Final = 9
KINDS: Final = ("llm", "message", "workflow", "tool", "integration", "session", "adjustment")
BILLED: Final = ("llm", "adjustment")  # the kinds with money; a refund's is below zero
MONEY: Final = ("cost_nano", "unpriced_reason")
CHANNELS: Final = ("platform", "cli", "api", "other")
STATUSES: Final = ("ok", "error", "aborted")
ORIGINS: Final = ("reported", "list", "unpriced")
TIERS: Final = ("standard", "batch", "flex", "priority", "fast")

CHOICES: Final = {"kind": KINDS, "channel": CHANNELS, "status": STATUSES, "cost_origin": ORIGINS}
REQUIRED: Final = ("event_id", "kind", "channel", "source", "status", "cost_origin")
CALL_TEXTS: Final = ("service_tier", "unpriced_reason")
TEXTS: Final = (
    *("user", "user_name", "project", "project_name"),
    *("assistant", "workflow", "run_id", "conversation_id", "tool", "tool_type"),
    *("integration", "integration_type", "client", "repository"),
    *("provider", "model", "operation", "error_class"),
    *CALL_TEXTS,
    "shared_id",
)
TOKENS: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
# What is a part of a count, by that count: together the parts never exceed it.
PARTS: Final = {
    "input_tokens": ("input_audio_tokens", "input_image_tokens"),
    "cache_write_tokens": ("cache_write_1h_tokens",),
    "output_tokens": ("output_audio_tokens", "output_image_tokens", "reasoning_tokens"),
}
PART_TOKENS: Final = tuple(part for parts in PARTS.values() for part in parts)
CALL_COUNTS: Final = (
    *TOKENS, *PART_TOKENS, "web_searches", "cost_nano", "ttft_ms", "request_count",
)  # fmt: skip
CALL_ONLY: Final = (*CALL_COUNTS, *CALL_TEXTS)
SESSION_ONLY: Final = ("lines_added", "lines_removed", "files_changed")
COUNTS: Final = (*CALL_COUNTS, "duration_ms", *SESSION_ONLY)
WORDS: Final = (*REQUIRED, *TEXTS)
FIELDS: Final = ("event_id", "ts", *REQUIRED[1:], *TEXTS, *COUNTS, "tags")

EVENTS: Final = sa.Table(
    "events",
    sa.MetaData(),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("ts", sa.BigInteger, nullable=False),
    *(sa.Column(name, sa.Text, nullable=False) for name in REQUIRED[1:]),
    *(sa.Column(name, sa.Text) for name in TEXTS),
    *(sa.Column(name, sa.BigInteger) for name in COUNTS),
    sa.Column("tags", sa.Text),
    # Worked out of the event when it is stored: data/prices/derived.py.
    sa.Column("id_hash", sa.BigInteger, nullable=False),
    *(sa.Column(f"{name}_nano", sa.BigInteger) for name in ("cache_saved", "cache_write")),
    sa.Column("list_cost_nano", sa.BigInteger),
    sa.Column("content_hash", sa.BigInteger),  # the engine's own, of `FIELDS`
)

LONGEST_TEXT: Final = 1_000
LONGEST_TAGS: Final = 20_000
LARGEST_COUNT: Final = 10**15
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Event = dict[str, Any]
# How the tags of an event say that it sums up a number of prompts that nobody knows.
MANY_PROMPTS: Final = '"many_prompts":true'
# How they say that it sums up calls of its session, which may be told one by one, too.
SUM_OF_SESSION: Final = '"sum_of_session":'
# Words of the filters that are nobody's id: the reader, and where a text is unknown.
ME: Final = "me"
NONE: Final = "(none)"


def micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant, exact (no float in between)."""
    delta = instant - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


@lru_cache(4_096)  # asked three times of each event that is written
def id_hash(event_id: str) -> int:
    """A signed 64-bit digest of an id, the same in every version and on every machine."""
    digest = hashlib.blake2b(event_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
