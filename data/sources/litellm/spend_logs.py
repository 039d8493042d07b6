"""LiteLLM's calls, through whichever door they come: the table LiteLLM_SpendLogs as CSV, JSON
list or lines, in a database dump (`dump.py`) or read where it lives (`database.py`);
answers of /spend/logs/v2; what its `generic_api` callback posts (StandardLoggingPayload).

event_id      `litellm:` + litellm_call_id + the id of the answer (request_id, a payload's id, a
              span's gen_ai.response.id), which all doors carry, so a call that comes through
              several counts once. Neither is enough: a client may give many calls one call id
              (x-litellm-call-id), an upstream may repeat its own. Where both are one (failures,
              embeddings) or a version has but one, that one; of a hit in the gateway's cache the
              id of the answer without `_cache_hit…`, which each door ends in its own way.
              `litellm:failure:` and `litellm:hit:` keep what costs nothing from standing in a
              success's place: attempts of one call share its id. The spend log has a row for the
              last alone; a callback posts the failed ones, too: one failed call, however many
ts            startTime, UTC where it has no zone; duration_ms request_duration_ms, else endTime -
              startTime; ttft_ms is null (completionStartTime is often the end)
user, project user and team_id (in a callback metadata.user_api_key_…), project_name the team's
              alias; '' is null. end_user is somebody else: it is kept in tags. user_name is the
              alias or e-mail address of LiteLLM_UserTable, where it is at hand
model         without the `provider/` before it; provider is custom_llm_provider (null in rows of
              2024, which lack it); the alias that was asked for is model_group, in tags
assistant, workflow  the first request tag `assistant:…` and `workflow:…`; client is the program
              named by the user agent. Rows are counted, never tags: a row has several
conversation_id      session_id (in a callback, where it is blank, trace_id: the same value)
tokens        prompt_tokens INCLUDE cache reads and writes, which are taken off (where they are
              more than it, they stand apart: a note). A failure with no tokens at all has none
              (the table cannot hold null). Hour-long writes, audio, images, searches and the tier
              as the usage object tells them
cost          spend (response_cost), every digit, rounded to nano-dollars. 0 is free for failures
              and for hits in the gateway's cache; a success with tokens at 0 had no price:
              unpriced, and not priced by our book (the gateway names on-premises models `openai`)
status        failure is error; error_class from error_information
stays null    tool (but for calls of MCP), integration, run_id, repository, ttft_ms
not counted   retrievals and polls (aget_responses, aretrieve_batch, list_…), which repeat what a
              call took, and what creates a batch, a file, a store (acreate_batch, create_file,
              avector_store_search …; notes say how many and with what money); the Daily tables,
              activity, users, teams and keys (the same calls again, summed; one file of
              LiteLLM_DailyUserSpend is compared with one of rows imported with it); a row without
              startTime
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from data.errors import EventError
from data.events.doubts import DOUBTS
from data.events.table import EPOCH
from data.sources.delimited import rows
from data.sources.entries import begins_json, by_head, entries, values
from data.sources.fields import decimal, text
from data.sources.files import File
from data.sources.format import (
    Entry,
    Format,
    Head,
    Note,
    Options,
    Raw,
    Record,
    TotalsNote,
    records,
)
from data.sources.litellm.calls import METADATA, Calls, Row
from data.sources.litellm.daily_spend import DailyTotals
from data.sources.litellm.price_list import PriceLists

ROW: Final = {"request_id", "spend", "startTime"}
PAYLOAD: Final = {"id", "response_cost", "startTime"}
SAME: Final = (
    *("litellm_call_id", "call_type", "status", "model", "model_group", "custom_llm_provider"),
    *("end_user", "request_tags", "cache_hit", "prompt_tokens", "completion_tokens"),
)
SUMMED: Final = {"date", "spend", "prompt_tokens", "api_requests", "failed_requests"}
SUMS: Final = re.compile(
    r'\s*(?:\{"results":\s*\[\{"date":\s*"[^"]*",\s*"metrics":'  # /user, /team, /tag/daily/activity
    r'|\{"daily_data":\s*\[\{"date":[^}]*"api_requests"'  # /global/activity
    r'|\{"(?:users|keys)":\s*\[\{[^{}\[\]]*"(?:user_alias|key_alias)"'
    r'|\[\{"team_alias":[^{}\[\]]*"team_id"'
    r'|\[\{(?:"[^"]*":\s*[-\d.e]+,\s*)*"startTime":\s*"[\d-]{10}",\s*"spend")'  # /spend/logs by day
)
NOT_COUNTED: Final = Note(
    "not counted: these are LiteLLM's sums of calls, by day, user, team or key;"
    " import its spend logs, which hold each call once"
)


def _is_rows(head: Head) -> bool:
    return set(head.columns) >= ROW or head.first.keys() >= ROW


def _rows(file: File, options: Options) -> Iterator[Record]:
    calls, days = Calls(), DailyTotals()

    def convert(_: str, row: Row) -> Iterator[Raw | Note]:
        yield from calls.convert(row)
        days.add_row(row)

    yield from records(_entries(file), convert, options)
    yield file.name, TotalsNote("", days)


def _entries(file: File) -> Iterator[Entry]:
    shorten = PriceLists('""').cut_row
    return by_head(file, begins_json, values, partial(rows, shorten=shorten))


def _is_callback(head: Head) -> bool:
    """A first call too long for the head still begins with its ids."""
    start = head.text[:400]
    cut = not head.first and '"litellm_call_id"' in start and '"trace_id"' in start
    return cut or head.first.keys() >= PAYLOAD


def _payloads(file: File, options: Options) -> Iterator[Record]:
    calls = Calls()
    return records(entries(file), lambda _, one: calls.convert(as_row(one)), options)


def as_row(payload: Mapping[str, Any]) -> Row:
    """What the `generic_api` callback posts of a call, as the row of the spend log would be."""
    metadata = payload.get("metadata") or {}
    mcp = metadata.get("mcp_tool_call_metadata") or {}
    return {name: payload.get(name) for name in SAME} | {
        "request_id": payload.get("id"),
        "session_id": text(payload.get("session_id")) or payload.get("trace_id"),
        "startTime": _moment("startTime", payload),
        "endTime": _end(payload),
        "user": metadata.get("user_api_key_user_id"),
        "team_id": metadata.get("user_api_key_team_id"),
        "mcp_namespaced_tool_name": mcp.get("namespaced_tool_name"),
        "spend": payload.get("response_cost"),
        "metadata": _metadata(payload, metadata),
    }


def _metadata(payload: Mapping[str, Any], metadata: Mapping[str, Any]) -> Row:
    fields = {name: metadata.get(name) for name in METADATA}
    return fields | {"error_information": payload.get("error_information")}


def _end(payload: Mapping[str, Any]) -> str | None:
    try:
        return _moment("endTime", payload)
    except (EventError, OverflowError):
        DOUBTS.no_time("endTime")
        return None


def _moment(name: str, payload: Mapping[str, Any]) -> str | None:
    """Seconds since 1970, to the microsecond, as ISO 8601; a text as it is."""
    value = payload.get(name)
    seconds = None if isinstance(value, str) else decimal(name, value)
    if seconds is None:
        return text(value)
    return (EPOCH + timedelta(microseconds=int(seconds * Decimal(1_000_000)))).isoformat()


def _is_sums(head: Head) -> bool:
    metadata = head.first.get("metadata")
    sums = isinstance(metadata, dict) and "results" in head.first and "total_spend" in metadata
    return set(head.columns) >= SUMMED or SUMS.match(head.text) is not None or sums


def _no_calls(file: File, _: Options) -> Iterator[Record]:
    """Daily sums of users are compared with rows that come along; the others hold them again."""
    yield f"{file.name}:1", NOT_COUNTED
    days = DailyTotals()
    for _where, row in by_head(file, begins_json, _nothing, rows):
        if isinstance(row, dict) and row.keys() >= SUMMED | {"user_id"}:
            with suppress(EventError):
                days.add_total(row)
    yield file.name, TotalsNote("", days)


def _nothing(_: File) -> Iterator[Entry]:
    return iter(())


IGNORED: Final = {
    "metadata.usage_object.prompt_tokens": "the row's own column",
    "metadata.usage_object.completion_tokens": "the row's own column",
    "metadata.usage_object.cost": "spend",
    "metadata.usage_object.prompt_cache_*_tokens": "DeepSeek's own words for what was cached",
    "metadata.usage_object.prompt_tokens_details.cache_write_tokens": "cache_creation_input_tokens",
    "metadata.usage_object.*.text_tokens": "the tokens beside those of sound and images",
    "metadata.additional_usage_values.*": "usage_object, once more",
    "response.usage.*": "usage_object, once more",
    "*cost_breakdown.*": "parts of spend",
    "hidden_params.*": "spend, once more",
    "*model_map_information.*": "LiteLLM's price list",
    "metadata.user_api_key_*": "what a key, person or team has spent so far",
    "saved_cache_cost": "what a hit in the gateway's cache would have cost",
}
SPEND_LOGS: Final = Format(
    "litellm", "LiteLLM spend logs", _is_rows, _rows, posted=True, ignored=IGNORED
)
FORMATS: Final = (
    SPEND_LOGS,
    Format(
        "litellm-callback",
        "LiteLLM generic_api callback",
        _is_callback,
        _payloads,
        posted=True,
        ignored=IGNORED,
    ),
    Format("litellm-sums", "LiteLLM daily sums and lists", _is_sums, _no_calls),
)
