"""Claude Enterprise and Team: the spend report (CSV), and rows of the analytics API a person each
(`/v1/organizations/analytics/user_usage_report`, `user_cost_report` and `users`).

Sums (data/sources/aggregates.py): a spend report's rows over all the days it was asked for, the
API's over a bucket. Without `bucket_width` they name no time: --start and --end say when.
event_id      `claude_enterprise:<report>:` + a fingerprint of time and grouping, never of amounts
ts            the first instant: of a spend report as its file's name tells it
              (`…-2026-03-26-to-2026-06-24.csv`), else --start (and --end)
user          e-mail, else the API's user_id; `(org service usage)` is nobody. project null
tokens        uncached, read and written ones apart; a report without these columns tells
              total_prompt_tokens alone, which then are input_tokens
cost          spend report: total_net_spend_usd, reported; of a seat-based plan it is what exceeds
              the seats. API: list price of the usage; rows of user_cost_report are compared with it
              (in CENTS), not stored, but for code execution
channel       cli for Claude Code, else other; the product is the client
users         one session event a person and day with the lines that Claude Code changed; how often
              what was used in tags. It tells no tokens and no day: needs --start
not counted   the same days from the console, from usage_report/claude_code, from a spend report and
              from the API are the same use: import one of them
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import (
    UNPRICED,
    Bucket,
    Tally,
    begins,
    key,
    listed_rows,
    written,
)
from data.sources.anthropic.answers import US_INFERENCE, in_us_alone
from data.sources.anthropic.usage import LONG, billed_cents
from data.sources.delimited import rows
from data.sources.entries import documents
from data.sources.fields import count, fingerprint, nano, part, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

SPEND: Final = {"product", "model", "total_requests", "total_prompt_tokens"}
PERIOD: Final = re.compile(r"(\d{4}-\d\d-\d\d)-to-(\d{4}-\d\d-\d\d)")
TOKENS: Final = {
    "input_tokens": ("total_uncached_input_tokens", "uncached_input_tokens"),
    "cached_input_tokens": ("total_cache_read_tokens", "cache_read_input_tokens"),
    "output_tokens": ("total_completion_tokens", "output_tokens"),
}
WRITES: Final = ("total_cache_write_5m_tokens", "total_cache_write_1h_tokens")
ROW: Final = ("account_uuid", "product", "model", "slack_channel_id", "teams_channel_id")
TAGS: Final = ("product", "context_window", "inference_geo", "rbac_group_id")
GROUPED: Final = ("model", "speed", "cost_type", "token_type", *TAGS)
CODE: Final = ("claude code", "claude_code")
UNDATED: Final = "the rows tell no time: ask with bucket_width, or give its start with --start"
Row = Mapping[str, Any]


def _spend(head: Head) -> bool:
    columns = set(head.columns)
    return columns >= SPEND and bool(columns & {"user_email", "email"})


def _read_spend(file: File, options: Options) -> Iterator[Record]:
    tally, period = Tally(), _period(file.name, options)

    def convert(_: str, row: Row) -> Iterator[Raw]:
        if period is None:
            raise EventError("the report tells no dates: give its first day with --start")
        event = _spent(row, *period)
        if event["request_count"] or event["cost_nano"]:
            yield event | {"request_count": event["request_count"] or None}
        else:
            tally.other("people and models without any use")

    yield from records(rows(file), convert, options)
    yield from tally.notes(file.name)


def _period(name: str, options: Options) -> tuple[datetime, str | None] | None:
    """The first instant of a report, and its last day where its name or --end tells it."""
    if match := PERIOD.search(name):
        return instant("the date in the file's name", match[1]), match[2]
    if options.start is None:
        return None
    end = options.end and options.end - timedelta(microseconds=1)
    return options.start, end.date().isoformat() if end else None


def _spent(row: Row, first: datetime, last: str | None) -> Raw:
    user = _person(row.get("user_email") or row.get("email"))
    product = text(row.get("product"))
    return {
        "event_id": fingerprint(
            "claude_enterprise:spend", first.isoformat(), last, user,
            *(text(row.get(name)) for name in ROW),
        ),
        **_context(first, user, product),
        "model": _person(row.get("model")),
        "request_count": count("total_requests", row.get("total_requests")),
        **_spent_tokens(row),
        "web_searches": count("total_web_search_count", row.get("total_web_search_count")) or None,
        "cost_nano": nano("total_net_spend_usd", row.get("total_net_spend_usd")),
        "tags": tags_json(
            product=product, until=last, gross_spend_usd=text(row.get("total_gross_spend_usd")),
            slack_channel=text(row.get("slack_channel_id")),
            teams_channel=text(row.get("teams_channel_id")),
        ),
    }  # fmt: skip


def _person(value: Any) -> str | None:
    """A name; what stands in brackets is nobody's: `(org service usage)`."""
    named = text(value)
    return None if named is None or named.startswith("(") else named


def _spent_tokens(row: Row) -> Raw:
    found = {ours: count(names[0], row.get(names[0])) for ours, names in TOKENS.items()}
    short, hour = (count(name, row.get(name)) for name in WRITES)
    if all(number is None for number in (found["input_tokens"], short, hour)):
        found["input_tokens"] = count("total_prompt_tokens", row.get("total_prompt_tokens"))
    return found | _writes(short, hour)


def _writes(short: int | None, hour: int | None) -> Raw:
    together = None if short is None and hour is None else (short or 0) + (hour or 0)
    return {"cache_write_tokens": together, "cache_write_1h_tokens": hour}


def _context(moment: datetime, user: str | None, product: str | None) -> Raw:
    code = (product or "").lower() in CODE
    return {
        "ts": moment,
        "kind": "llm",
        "channel": "cli" if code else "other",
        "source": "claude_enterprise",
        "status": "ok",
        "user": user,
        "client": "claude-code" if code else product,
        "provider": "anthropic",
        "operation": "chat",
    }


def _people(head: Head) -> bool:
    return any(begins(head, "actor", name) for name in ("uncached_input_tokens", "list_amount"))


def _read_people(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, row: Row) -> Iterator[Raw]:
        bucket = _bucket(row, options)
        if row.get("starting_at") is not None and bucket.partial(moment):
            tally.open += 1
        elif "amount" in row:
            yield from billed_cents(_row_fields(bucket, row), bucket, row, tally)
        elif requests := count("requests", row.get("requests")):
            yield _used(bucket, row, tally) | {"request_count": requests}
        else:
            tally.other("people without any use")

    yield from records(listed_rows(documents(file)), convert, options)
    yield from tally.notes(file.name)


def _bucket(row: Row, options: Options) -> Bucket:
    """When a row was used; without a time of its own, in the period or on the day given."""
    if row.get("starting_at") is not None:
        ends = ("starting_at", "ending_at")
        return Bucket(*(instant(name, row.get(name)) for name in ends))
    if options.start is None:
        raise EventError(UNDATED)
    return Bucket(options.start, options.end or options.start + timedelta(days=1))


def _row_fields(bucket: Bucket, row: Row) -> Raw:
    actor = part(row, "actor")
    own, email = text(actor.get("user_id")), text(actor.get("email"))
    if own is None and email is None:
        raise EventError("actor has neither user_id nor email")
    grouped = {name: row.get(name) for name in GROUPED} | {"user": own or email}
    return {
        "event_id": key("claude_enterprise:api", bucket, grouped),
        **_context(bucket.start, email or own, text(row.get("product"))),
        "user_name": text(actor.get("name")),
    }


def _used(bucket: Bucket, row: Row, tally: Tally) -> Raw:
    model, special = text(row.get("model")), _special(row)
    writes, searches = part(row, "cache_creation"), part(row, "server_tool_use")
    tally.special += special is not None
    tally.nameless += model is None
    return {
        **_row_fields(bucket, row),
        "model": model,
        **{ours: count(names[1], row.get(names[1])) for ours, names in TOKENS.items()},
        **_writes(
            *(count(name, writes.get(name)) for name in
              ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))
        ),
        "web_searches": count("web_search_requests", searches.get("web_search_requests")) or None,
        "service_tier": "fast" if text(row.get("speed")) == "fast" else None,
        **(UNPRICED | {"unpriced_reason": f"no rate for {special}"} if special else {}),
        "tags": tags_json(bucket=bucket.width, **{name: row.get(name) for name in TAGS}),
    }  # fmt: skip


def _special(row: Row) -> str | None:
    """What of a row has no price of its own, if anything."""
    if in_us_alone(row):
        return US_INFERENCE
    return "long prompts in a sum" if text(row.get("context_window")) == LONG else None


def _activity(head: Head) -> bool:
    return begins(head, "chat_metrics", "claude_code_metrics")


def _read_activity(file: File, options: Options) -> Iterator[Record]:
    def convert(_: str, row: Row) -> Iterator[Raw]:
        if options.start is None:
            raise EventError("the rows tell no day: give it with --start")
        if event := _active(row, options.start):
            yield event

    return records(listed_rows(documents(file)), convert, options)


def _active(row: Row, day: datetime) -> Raw | None:
    """What a person did on a day; nothing where they did nothing."""
    user = part(row, "user")
    own, email = text(user.get("id")), text(user.get("email_address"))
    if own is None and email is None:
        raise EventError("user has neither id nor email_address")
    core = part(part(row, "claude_code_metrics"), "core_metrics")
    lines, chat = part(core, "lines_of_code"), part(row, "chat_metrics")
    counts = {
        "sessions": count("distinct_session_count", core.get("distinct_session_count")) or None,
        "commits": count("commit_count", core.get("commit_count")) or None,
        "pull_requests": count("pull_request_count", core.get("pull_request_count")) or None,
        "chat_messages": count("message_count", chat.get("message_count")) or None,
        "web_searches": count("web_search_count", row.get("web_search_count")) or None,
    }
    if not any(counts.values()):
        return None
    return {
        "event_id": fingerprint("claude_enterprise:users", day.date().isoformat(), own or email),
        **{name: value for name, value in _context(day, email or own, None).items()
           if name not in ("provider", "operation")},
        "kind": "session",
        "channel": "cli" if counts["sessions"] else "other",
        "client": "claude-code" if counts["sessions"] else None,
        "lines_added": count("added_count", lines.get("added_count")),
        "lines_removed": count("removed_count", lines.get("removed_count")),
        "tags": tags_json(bucket="1d", **counts),
    }  # fmt: skip


IGNORED: Final = {"total_prompt_tokens": "the sum of the columns beside it"}
FORMATS = (
    Format("claude_spend", "Claude's spend report", _spend, _read_spend, ignored=IGNORED),
    Format(
        "claude_enterprise",
        "Claude Enterprise's analytics API",
        _people,
        _read_people,
        billed_source="claude_enterprise",
    ),
    Format(
        "claude_activity",
        "Claude Enterprise's activity of people",
        _activity,
        _read_activity,
        needs_start=True,
    ),
)
