"""Portkey's log exports (JSON lines): one request a line.

event_id      `portkey:` + id; run_id trace_id
ts            created_at: ISO 8601, milliseconds or seconds since 1970, or a date as JavaScript
              prints it (`Sat Aug 08 2026 07:30:00 GMT+0000 (Coordinated Universal Time)`)
tokens        of response.usage where the export has responses (cached ones apart), in the words of
              OpenAI or Anthropic; else req_units and res_units, of which cached ones are not told
cost          cost in CENTS, reported; in another cost_currency as it is
user          metadata._user; provider ai_org, model ai_model; project null
status        response_status_code from 400 on is an error of that class; is_success decides where
              there is no code
duration_ms   response_time
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from data.errors import EventError
from data.sources.anthropic.answers import answer_tokens as anthropic_tokens
from data.sources.entries import entries
from data.sources.fields import CENTS, amount, count, paid, parsed, part, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.openai.batch import answer_tokens
from data.sources.otlp.usage import tokens_of
from data.sources.times import instant, milliseconds, unix_instant

NEEDED: Final = {"created_at", "ai_org", "ai_model"}
MONEY: Final = {"cost", "req_units", "res_units"}
JAVASCRIPT: Final = re.compile(r"\w{3} (\w{3} \d\d \d{4} \d\d:\d\d:\d\d) GMT([+-]\d{4})")
SECONDS: Final = 10**11  # whole numbers below it are seconds, not milliseconds
FAILED: Final = 400
CACHED: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    names = head.first.keys() or set(head.columns)
    return names >= NEEDED and bool(names & MONEY)


def read(file: File, options: Options) -> Iterator[Record]:
    return records(entries(file), _call, options)


def _call(_: str, row: Row) -> Iterator[Raw]:
    own = text(row.get("id"))
    if own is None:
        raise EventError("id is missing")
    yield {
        "event_id": f"portkey:{own}",
        "ts": _moment(row.get("created_at")),
        "kind": "llm",
        "channel": "api",
        "source": "portkey",
        **_outcome(row),
        "run_id": text(row.get("trace_id")),
        "user": _user(row),
        "provider": text(row.get("ai_org")),
        "model": text(row.get("ai_model")),
        "operation": "chat",
        **_tokens(row),
        **_cost(row),
        "duration_ms": whole("response_time", row.get("response_time")),
        "tags": tags_json(prompt=text(row.get("prompt_slug")), mode=text(row.get("mode"))),
    }


def _moment(value: Any) -> datetime:
    number = None if isinstance(value, str) and not value.strip().isdigit() else whole("", value)
    if number is not None:
        return unix_instant("created_at", number) if number < SECONDS else milliseconds("", number)
    if printed := JAVASCRIPT.match(text(value) or ""):
        try:
            return datetime.strptime(f"{printed[1]} {printed[2]}", "%b %d %Y %H:%M:%S %z")
        except ValueError:
            raise EventError("created_at is not a time") from None
    return instant("created_at", value)


def _outcome(row: Row) -> Raw:
    code = whole("response_status_code", row.get("response_status_code"))
    succeeded = str(row.get("is_success")).lower() not in ("false", "0")
    if code is not None and code >= FAILED:
        return {"status": "error", "error_class": str(code)}
    return {"status": "ok" if succeeded or code is not None else "error"}


def _user(row: Row) -> str | None:
    metadata = parsed("metadata", row.get("metadata"))
    user = metadata.get("_user") if isinstance(metadata, Mapping) else None
    return text(user)


def _tokens(row: Row) -> Raw:
    answer = parsed("response", row.get("response"))
    usage = part(answer, "usage") if isinstance(answer, Mapping) else {}
    if "prompt_tokens" in usage or "input_tokens_details" in usage:
        return _answered(usage)
    if "input_tokens" in usage:
        return anthropic_tokens(usage)
    return {
        "input_tokens": count("req_units", row.get("req_units")),
        "output_tokens": count("res_units", row.get("res_units")),
    }


def _answered(usage: Row) -> Raw:
    """The counts of an answer in OpenAI's words. Portkey puts Anthropic's into these and what is
    cached under its own names: beside the prompt or in it, as the total tells."""
    found, beside = answer_tokens(usage), [usage.get(name) for name in CACHED]
    if not any(beside):
        return found
    read, written = map(count, CACHED, beside)
    prompt = count("prompt_tokens", usage.get("prompt_tokens"))
    total = count("total_tokens", usage.get("total_tokens"))
    output, reasoning = found["output_tokens"], found["reasoning_tokens"]
    return found | tokens_of(prompt, read, written, output, reasoning, total)


def _cost(row: Row) -> Raw:
    return paid("cost", amount("cost", row.get("cost"), CENTS), row.get("cost_currency"))


FORMAT = Format("portkey", "Portkey's log exports", recognises, read)
