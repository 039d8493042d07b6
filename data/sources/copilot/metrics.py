"""GitHub Copilot's metrics: the users' 28-day report, as the API answers or a day a line.

A row is what one person did on one UTC day; ts is its midnight. Days still open when the file was
written are not stored (data/sources/aggregates.py).
event_id      `copilot:metrics:` + a fingerprint of day, organisation (or enterprise) and user id
kind session  one event a row: lines added and removed; interactions, generations, acceptances,
              suggested lines and sessions of the CLI in tags. Sessions count rows
kind llm      where the row has totals_by_cli: tokens of Copilot CLI, channel cli, its requests
              as request_count. prompt_tokens_sum may include cache reads, which it does not
              tell: all input
user          user_login; project null (an organisation is no project); client copilot
cost          null, unpriced: the report has AI credits and no money. Money comes from the billing
              CSV (`copilot_billing`), whose rows have no tokens: together nothing counts twice
not counted   the organisation's 28-day report (sums without people, the same days again) and a
              month's billing summary of the API (the CSV's money again): refused in a sentence
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import UNPRICED, Bucket, Tally, begins, written
from data.sources.entries import documents
from data.sources.fields import count, fingerprint, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Raw, Record, records
from data.sources.times import instant

ORGANISATION: Final = (
    "this is Copilot's 28-day report of an organisation, sums without people:"
    " import the users' 28-day report instead"
)
SUMMARY: Final = (
    "this is a month's summary of Copilot billing:"
    " import the day-level usage report (CSV) instead, which holds the same money"
)
TAGS: Final = {
    "interactions": "user_initiated_interaction_count",
    "generations": "code_generation_activity_count",
    "acceptances": "code_acceptance_activity_count",
    "lines_suggested": "loc_suggested_to_add_sum",
}
TOKENS: Final = {"input_tokens": "prompt_tokens_sum", "output_tokens": "output_tokens_sum"}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    signs = (("day_totals",), ("usageItems", "timePeriod"), ("user_login", "day"))
    return any(begins(head, *names) for names in signs)


def read(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, row: Row) -> Iterator[Raw]:
        day = instant("day", row["day"])
        bucket = Bucket(day, day + timedelta(days=1))
        if bucket.partial(moment):
            tally.open += 1
            return
        yield _session(bucket, row)
        if (cli := row.get("totals_by_cli")) and (calls := _calls(bucket, row, cli)):
            tally.count(calls["request_count"])
            yield calls

    yield from records(_rows(file), convert, options)
    yield from tally.notes(file.name)


def _rows(file: File) -> Iterator[Entry]:
    for where, value in documents(file):
        days = value.get("day_totals") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and "usageItems" in value:
            yield where, EventError(SUMMARY)
        elif not isinstance(days, list):
            yield where, value
        elif not any(isinstance(day, Mapping) and "user_login" in day for day in days):
            yield where, EventError(ORGANISATION)
        else:
            yield from ((f"{where}#{number}", day) for number, day in enumerate(days, start=1))


def _row_fields(bucket: Bucket, row: Row, what: str) -> Raw:
    user = text(row.get("user_login"))
    if user is None:
        raise EventError("user_login is missing")
    where = text(row.get("organization_id")) or text(row.get("enterprise_id"))
    day, number = bucket.start.date().isoformat(), str(row.get("user_id") or user)
    return {
        "event_id": fingerprint("copilot:metrics", day, where, number, what),
        "ts": bucket.start,
        "source": "copilot",
        "status": "ok",
        "client": "copilot",
        "user": user,
    }


def _session(bucket: Bucket, row: Row) -> Raw:
    cli = row.get("totals_by_cli") or {}
    return {
        **_row_fields(bucket, row, "session"),
        "kind": "session",
        "channel": "other",
        "lines_added": count("loc_added_sum", row.get("loc_added_sum")),
        "lines_removed": count("loc_deleted_sum", row.get("loc_deleted_sum")),
        "tags": tags_json(
            bucket=bucket.width,
            **{name: count(theirs, row.get(theirs)) for name, theirs in TAGS.items()},
            ai_credits=row.get("ai_credits_used"),
            cli_sessions=count("session_count", cli.get("session_count")),
        ),
    }


def _calls(bucket: Bucket, row: Row, cli: Row) -> Raw | None:
    """The calls of Copilot CLI; None where there was no request and nothing used."""
    used = cli.get("token_usage") or {}
    tokens = {name: count(theirs, used.get(theirs)) for name, theirs in TOKENS.items()}
    requests = count("request_count", cli.get("request_count"))
    if requests == 0 and not any(tokens.values()):
        return None
    return {
        **_row_fields(bucket, row, "cli"),
        "kind": "llm",
        "channel": "cli",
        "operation": "chat",
        "request_count": requests or None,
        **tokens,
        **UNPRICED,
        "tags": tags_json(bucket=bucket.width),
    }


FORMAT = Format("copilot_metrics", "GitHub Copilot's metrics", recognises, read)
