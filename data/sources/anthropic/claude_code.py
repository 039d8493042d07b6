"""Anthropic's Claude Code analytics: answers of usage_report/claude_code, a day and a person a row.

Sums over a UTC day (data/sources/aggregates.py); a day still open when the file was
written is not stored.
event_id      `anthropic:claude_code:` + a fingerprint of day, person, terminal, customer type and
              model (or `session`), never of amounts
user          the actor's e-mail; an API key has a name and no person: it goes to tags
kind llm      one event a model of the row: tokens (disjoint already), channel cli, cost the
              report's own estimate (in CENTS). Under a subscription it is an estimate at API
              prices, not a bill: customer_type is in tags
kind session  one event a row: lines added and removed; sessions, commits, pull requests and the
              tool decisions in tags. The number of sessions counts rows; a note says of how many
not counted   nothing is left out, but rows of customer_type `api` stand in usage_report/messages
              too, and everybody's in Claude Code's own logs and telemetry: import one of them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import Bucket, Tally, begins, listed_rows, written
from data.sources.entries import documents
from data.sources.fields import count, decimal, fingerprint, paid, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records
from data.sources.times import instant

TOKENS: Final = {
    "input_tokens": "input",
    "cached_input_tokens": "cache_read",
    "cache_write_tokens": "cache_creation",
    "output_tokens": "output",
}
TWICE: Final = (
    "these rows of customer type api stand in usage_report/messages too: import one of the two"
)
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return begins(head, "actor", "core_metrics")


def read(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, row: Row) -> Iterator[Raw | Note]:
        day = instant("date", row["date"])
        bucket = Bucket(day, day + timedelta(days=1))
        if bucket.partial(moment):
            tally.open += 1
            return
        if row.get("customer_type") == "api":
            yield Note(TWICE)
        yield _session(bucket, row)
        for each in row.get("model_breakdown") or ():
            tally.count(None)
            yield _calls(bucket, row, each)

    yield from records(listed_rows(documents(file)), convert, options)
    yield from tally.notes(file.name)


def _row_fields(bucket: Bucket, row: Row, what: str | None) -> Raw:
    actor = row["actor"]
    person, key_name = text(actor.get("email_address")), text(actor.get("api_key_name"))
    if person is None and key_name is None:
        raise EventError("actor has neither email_address nor api_key_name")
    terminal, customer = (text(row.get(name)) for name in ("terminal_type", "customer_type"))
    day = bucket.start.date().isoformat()
    return {
        "event_id": fingerprint(
            "anthropic:claude_code", day, person, key_name, terminal, customer, what
        ),
        "ts": bucket.start,
        "channel": "cli",
        "source": "anthropic",
        "status": "ok",
        "client": "claude-code",
        "user": person,
    }


def _calls(bucket: Bucket, row: Row, used: Row) -> Raw:
    model, tokens = text(used["model"]), used.get("tokens") or {}
    estimate = used.get("estimated_cost") or {}
    cents = decimal("estimated_cost", estimate.get("amount"))
    cost = None if cents is None else cents / 100
    return {
        **_row_fields(bucket, row, f"model {model}"),
        "kind": "llm",
        "provider": "anthropic",
        "model": model,
        "operation": "chat",
        **{name: count(theirs, tokens.get(theirs)) for name, theirs in TOKENS.items()},
        "cost_origin": "unpriced" if cost is None else "reported",
        **paid("estimated_cost", cost, estimate.get("currency")),
        "tags": _tags(row, many_prompts=True),
    }


def _session(bucket: Bucket, row: Row) -> Raw:
    core = row["core_metrics"]
    lines = core.get("lines_of_code") or {}
    decisions = {
        f"{tool}_{what}": count(what, counts.get(what))
        for tool, counts in (row.get("tool_actions") or {}).items()
        for what in ("accepted", "rejected")
    }
    return {
        **_row_fields(bucket, row, "session"),
        "kind": "session",
        "lines_added": count("added", lines.get("added")),
        "lines_removed": count("removed", lines.get("removed")),
        "tags": _tags(
            row,
            sessions=count("num_sessions", core.get("num_sessions")),
            commits=count("commits_by_claude_code", core.get("commits_by_claude_code")),
            pull_requests=count("pull_requests", core.get("pull_requests_by_claude_code")),
            **decisions,
        ),
    }


def _tags(row: Row, **more: Any) -> str | None:
    """What the row says beside: the key's name, terminal, kind of customer."""
    return tags_json(
        bucket="1d",
        api_key_name=row["actor"].get("api_key_name"),
        terminal=row.get("terminal_type"),
        customer_type=row.get("customer_type"),
        subscription_type=row.get("subscription_type"),
        **more,
    )


FORMAT = Format("claude_code_analytics", "Claude Code analytics", recognises, read)
