"""Public request traces: Azure LLM inference, Mooncake, Exgentic agent spans.

None of them knows a user, a project or a cost: these stay null. Nothing is priced: Azure and
Mooncake name no model, and Exgentic's `azure/` is a route, not the seller.

Azure (CSV)      ts TIMESTAMP (UTC, 7 decimals), input ContextTokens (cache reads unknown, so all
                 of them), output GeneratedTokens; event_id a digest of the first row, the line and
                 the row, so a longer cut of one trace is known as far as it goes (one that begins
                 later is another). It does not say how calls ended: `status` must be something,
                 so it is ok
Mooncake (JSON)  ts `--start` + timestamp (ms), input input_length, output output_length; event_id
                 and status as above. hash_ids tell what could have been cached, not what was
Exgentic (CSV)   event_id span_id, ts start_time_iso (UTC where it has no zone, same clock), model
                 response_model as it is, provider null, assistant the harness, conversation the
                 session; the benchmark is no project and goes to tags with finish_reasons (a
                 finish reason `tool_calls` names no tool). is_error is error: those rows say 0
                 tokens in 0 ms, which is not known, not nothing
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import orjson

from data.errors import EventError, SourceError
from data.sources.delimited import rows
from data.sources.entries import values
from data.sources.fields import decimal, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records

AZURE: Final = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"}
MOONCAKE: Final = {"timestamp", "input_length", "output_length"}
EXGENTIC: Final = {"span_id", "start_time_iso", "harness", "is_error", "input_tokens"}
CALL: Final = {"kind": "llm", "channel": "other"}
FAILED: Final = {"false": False, "true": True, "0": False, "1": True}
Row = Mapping[str, Any]


def _azure(head: Head) -> bool:
    return set(head.columns) >= AZURE


def _read_azure(file: File, options: Options) -> Iterator[Record]:
    ids = _Ids()

    def event(where: str, row: Row) -> Iterator[Raw]:
        yield {
            **CALL,
            "source": "azure",
            "event_id": f"azure:{ids.of(where, row)}",
            "ts": text(row["TIMESTAMP"]),
            "status": "ok",
            "input_tokens": row["ContextTokens"],
            "output_tokens": row["GeneratedTokens"],
        }

    return records(rows(file), event, options)


def _mooncake(head: Head) -> bool:
    return head.first.keys() >= MOONCAKE


def _read_mooncake(file: File, options: Options) -> Iterator[Record]:
    start, ids = options.start, _Ids()
    if start is None:
        raise SourceError("a Mooncake trace needs its first instant: --start")

    def event(where: str, row: Row) -> Iterator[Raw]:
        offset = decimal("timestamp", row["timestamp"])
        if offset is None or not 0 <= offset < 10**13:
            raise EventError("timestamp is no offset in milliseconds")
        yield {
            **CALL,
            "source": "mooncake",
            "event_id": f"mooncake:{ids.of(where, row)}",
            "ts": start + timedelta(microseconds=int(offset * 1_000)),
            "status": "ok",
            "input_tokens": row["input_length"],
            "output_tokens": row["output_length"],
        }

    return records(values(file), event, options)


def _exgentic(head: Head) -> bool:
    return set(head.columns) >= EXGENTIC


def _read_exgentic(file: File, options: Options) -> Iterator[Record]:
    return records(rows(file), _span, options)


def _span(_: str, row: Row) -> Iterator[Raw]:
    failed = FAILED.get(row["is_error"].strip().lower())
    if failed is None:
        raise EventError(f"is_error is {row['is_error'][:40]!r}, not true or false")
    if (span := text(row["span_id"])) is None:
        raise EventError("span_id is missing")
    yield {
        **CALL,
        "source": "exgentic",
        "event_id": f"exgentic:{span}",
        "ts": text(row["start_time_iso"]),
        "conversation_id": text(row.get("session_id")),
        "assistant": text(row["harness"]),
        "model": text(row.get("response_model")) or text(row.get("request_model")),
        "operation": text(row.get("operation_name")),
        "status": "error" if failed else "ok",
        "error_class": text(row.get("status_message")) if failed else None,
        "cost_origin": "unpriced",
        "tags": _tags(row),
        **_measured(row, failed),
    }


def _measured(row: Row, failed: bool) -> Raw:
    found = {
        "input_tokens": row["input_tokens"],
        "output_tokens": row.get("output_tokens"),
        "duration_ms": whole("duration_ms", row.get("duration_ms")),
    }
    empty = all(not value or value == "0" for value in found.values())
    return {} if failed and empty else found


def _tags(row: Row) -> str | None:
    named = {name: text(row.get(name)) for name in ("benchmark", "finish_reasons")}
    tags = {name: value for name, value in named.items() if value}
    return orjson.dumps(tags).decode() if tags else None


class _Ids:
    """Digests of rows that have no id: of where a trace begins, the line and what it holds."""

    def __init__(self) -> None:
        self._first = ""

    def of(self, where: str, row: Row) -> str:
        content = json.dumps(row, sort_keys=True, default=str)
        self._first = self._first or content
        line = where.rpartition(":")[2]
        place = f"{self._first}\n{line}\n{content}".encode()
        return hashlib.blake2b(place, digest_size=12).hexdigest()


FORMATS = (
    Format("azure", "An Azure LLM inference trace", _azure, _read_azure),
    Format("mooncake", "A Mooncake trace", _mooncake, _read_mooncake, needs_start=True),
    Format("exgentic", "Exgentic agent spans", _exgentic, _read_exgentic),
)
