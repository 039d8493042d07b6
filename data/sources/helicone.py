"""Helicone's requests: `npx @helicone/export` (JSON lines, JSON, CSV), or answers of its API.

event_id      `helicone:` + response_id, which every export has, else request_id; a row without
              either: a fingerprint of time, user and model
tokens        prompt_tokens EXCLUDE prompt_cache_read_tokens and prompt_cache_write_tokens, which
              Helicone prices apart. completion_tokens exclude reasoning_tokens where total_tokens
              is the sum of all three, as Helicone adds them; the CSV has neither
cost          costUSD, else cost, in US dollars, reported; neither: priced by our book
user          request_user_id; conversation the property Helicone-Session-Id; project null
model         response_model, else model, request_model; provider in lower case
status        response_status from 400 on is an error of that class, -3 aborted, other numbers
              below 0 (blocked, timed out) errors; -2 is still running: left for the next export
duration_ms   delay_ms, else latency; ttft_ms time_to_first_token
not counted   what was asked and answered, which is never stored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.sources.entries import entries
from data.sources.fields import count, fingerprint, nano, parsed, part, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Note, Options, Raw, Record, records
from data.sources.times import instant

NEEDED: Final = {"request_created_at", "response_status", "prompt_tokens", "completion_tokens"}
UNFINISHED: Final = Note("a request was still running: left for the next export")
PENDING: Final = -2
CANCELLED: Final = -3
FAILED: Final = 400
SESSION: Final = "Helicone-Session-Id"
UNCACHED: Final = "00000000-0000-0000-0000-000000000000"
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.keys() >= NEEDED or set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    return records(entries(file), _call, options)


def _call(_: str, row: Row) -> Iterator[Raw | Note]:
    status = whole("response_status", row.get("response_status"))
    if status == PENDING:
        yield UNFINISHED
        return
    moment = instant("request_created_at", row.get("request_created_at"))
    user, model = text(row.get("request_user_id")), _model(row)
    yield {
        "event_id": _id(row) or fingerprint("helicone", moment.isoformat(), user, model),
        "ts": moment,
        "kind": "llm",
        "channel": "api",
        "source": "helicone",
        **_outcome(status),
        "user": user,
        "conversation_id": text(_properties(row).get(SESSION)),
        "provider": (text(row.get("provider")) or "").lower() or None,
        "model": model,
        "operation": "chat",
        **_tokens(row),
        "cost_nano": _cost(row),
        "duration_ms": whole("delay_ms", row.get("delay_ms", row.get("latency"))),
        "ttft_ms": whole("time_to_first_token", row.get("time_to_first_token")) or None,
        "tags": tags_json(from_cache=_from_cache(row), path=text(row.get("request_path"))),
    }


def _id(row: Row) -> str | None:
    own = text(row.get("response_id")) or text(row.get("request_id"))
    return own and f"helicone:{own}"


def _model(row: Row) -> str | None:
    names = (row.get(name) for name in ("response_model", "model", "request_model"))
    return next(filter(None, map(text, names)), None)


def _cost(row: Row) -> int | None:
    dollars = nano("costUSD", row.get("costUSD"))
    return nano("cost", row.get("cost")) if dollars is None else dollars


def _properties(row: Row) -> Row:
    found = parsed("request_properties", row.get("request_properties"))
    return found if isinstance(found, Mapping) else part(row, "properties")


def _outcome(status: int | None) -> Raw:
    if status == CANCELLED:
        return {"status": "aborted"}
    failed = status is not None and (status >= FAILED or status < 0)
    return {"status": "error", "error_class": str(status)} if failed else {"status": "ok"}


def _tokens(row: Row) -> Raw:
    names = ("prompt_tokens", "completion_tokens", "reasoning_tokens", "total_tokens")
    prompt, output, reasoning, total = (count(name, row.get(name)) for name in names)
    if reasoning and total == (prompt or 0) + (output or 0) + reasoning:
        output = (output or 0) + reasoning
    return {
        "input_tokens": prompt,
        "cached_input_tokens": count("cache reads", row.get("prompt_cache_read_tokens")),
        "cache_write_tokens": count("cache writes", row.get("prompt_cache_write_tokens")),
        "output_tokens": output,
        "reasoning_tokens": reasoning or None,
        "input_audio_tokens": count("audio", row.get("prompt_audio_tokens")) or None,
        "output_audio_tokens": count("audio", row.get("completion_audio_tokens")) or None,
    }


def _from_cache(row: Row) -> bool | None:
    """Whether Helicone answered out of its own cache."""
    return text(row.get("cache_reference_id")) not in (None, UNCACHED) or None


IGNORED: Final = {"cost": "costUSD, once more"}
FORMAT = Format("helicone", "Helicone's requests", recognises, read, ignored=IGNORED)
