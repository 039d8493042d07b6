"""LangSmith's runs: JSON lines of an export (`Client.list_runs`) or pages of /runs/query.

event_id      `langsmith:` + the run's id; run_id its trace, conversation_id the thread in metadata
llm           run_type llm: usage_metadata of the run, its metadata or its answer (input_tokens
              INCLUDE input_token_details.cache_read and cache_creation, output_tokens include
              reasoning), else prompt_tokens and completion_tokens with prompt_token_details and
              completion_token_details. Writes whose lifetime is told (ephemeral_5m_input_tokens,
              ephemeral_1h_input_tokens) are not in cache_creation, or all of it. total_cost in
              US dollars, reported; without it priced by our book
tool          run_type tool; retriever is an integration of type retriever
workflow      a chain without a parent is one run of the workflow it is named
not counted   other chains, prompts, parsers and embeddings without usage: they hold no use
context       user metadata user_id, project the session's name; model ls_model_name, provider
              ls_provider; latency from the two times, first_token_time the time to first token
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import entries
from data.sources.fields import count, nano, part, prompt_counts, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

RUN: Final = {"id", "run_type", "start_time"}
KINDS: Final = {"llm": "llm", "tool": "tool", "retriever": "integration"}
PERSON: Final = ("user_id", "ls_user_id", "user")
THREAD: Final = ("session_id", "thread_id", "conversation_id")
LIFETIMES: Final = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
IGNORED: Final = dict.fromkeys(
    ("prompt_cost", "completion_cost", "prompt_cost_details.*", "completion_cost_details.*"),
    "parts of total_cost",
)
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.keys() >= RUN or _first_of_page(head).keys() >= RUN


def _first_of_page(head: Head) -> Row:
    runs = head.first.get("runs")
    first = runs[0] if isinstance(runs, list) and runs else None
    return first if isinstance(first, Mapping) else {}


def read(file: File, options: Options) -> Iterator[Record]:
    return records(entries(file), _runs, options)


def _runs(_: str, entry: Row) -> Iterator[Raw]:
    several = entry.get("runs")
    for run in several if isinstance(several, list) else [entry]:
        kind = KINDS.get(str(run.get("run_type")))
        if kind is None and run.get("run_type") == "chain" and run.get("parent_run_id") is None:
            kind = "workflow"
        if kind is not None:
            yield _event(run, kind)


def _event(run: Row, kind: str) -> Raw:
    own = text(run.get("id"))
    if own is None:
        raise EventError("the run has no id")
    extra = part(part(run, "extra"), "metadata")
    started, ended = instant("start_time", run.get("start_time")), run.get("end_time")
    failed = text(run.get("error"))
    return {
        "event_id": f"langsmith:{own}",
        "ts": started,
        "kind": kind,
        "channel": "platform",
        "source": "langsmith",
        "status": "error" if failed else "ok",
        "run_id": text(run.get("trace_id")),
        "conversation_id": _first(extra, THREAD),
        "user": _first(extra, PERSON),
        "project": text(run.get("session_name")),
        "duration_ms": None if ended is None else _between(started, instant("end_time", ended)),
        **_named(run, kind),
        **(_call(run, extra, started) if kind == "llm" else {}),
        "tags": tags_json(
            tags=run.get("tags") or None, langsmith_project=text(run.get("session_id"))
        ),
    }


def _named(run: Row, kind: str) -> Raw:
    name = text(run.get("name"))
    if kind == "integration":
        return {"integration": name, "integration_type": "retriever"}
    return {kind: name} if kind in ("tool", "workflow") else {}


def _call(run: Row, extra: Row, started: datetime) -> Raw:
    first = run.get("first_token_time")
    return {
        "provider": text(extra.get("ls_provider")),
        "model": text(extra.get("ls_model_name")),
        "operation": "chat",
        "ttft_ms": None if first is None else _between(started, instant("first_token_time", first)),
        **_tokens(run, _usage(run, extra)),
        "cost_nano": nano("total_cost", run.get("total_cost")),
    }


def _usage(run: Row, extra: Row) -> Row:
    """The usage_metadata of a run, wherever its program put it; of several answers none."""
    outputs = part(run, "outputs")
    usages = (part(each, "usage_metadata") for each in (run, outputs, extra, _message(outputs)))
    return next(filter(None, usages), {})


def _message(outputs: Row) -> Row:
    """The only message of LangChain's `generations`, which are lists in a list."""
    inside = outputs.get("generations")
    while isinstance(inside, list) and len(inside) == 1:
        inside = inside[0]
    message = part(inside, "message") if isinstance(inside, Mapping) else {}
    return part(message, "kwargs") or message


def _tokens(run: Row, usage: Row) -> Raw:
    inside = part(usage, "input_token_details") or part(run, "prompt_token_details")
    out = part(usage, "output_token_details") or part(run, "completion_token_details")
    prompt = count("input_tokens", usage.get("input_tokens", run.get("prompt_tokens")))
    cached = count("cache_read", inside.get("cache_read"))
    written, hour_long = _writes(inside)
    return {
        **prompt_counts("input_tokens", prompt, cached, written),
        "cache_write_1h_tokens": hour_long,
        "output_tokens": count(
            "output_tokens", usage.get("output_tokens", run.get("completion_tokens"))
        ),
        "reasoning_tokens": count("reasoning", out.get("reasoning")),
        "input_audio_tokens": count("audio", inside.get("audio")),
        "output_audio_tokens": count("audio", out.get("audio")),
    }


def _writes(inside: Row) -> tuple[int | None, int | None]:
    """All tokens written to a cache, and those of them kept for an hour."""
    written = count("cache_creation", inside.get("cache_creation"))
    short, hour_long = (count(name, inside.get(name)) for name in LIFETIMES)
    if short is None and hour_long is None:
        return written, None
    return max(written or 0, (short or 0) + (hour_long or 0)), hour_long


def _first(metadata: Row, names: tuple[str, ...]) -> str | None:
    values = (metadata.get(name) for name in names)
    return next((str(value) for value in values if value not in (None, "")), None)


def _between(start: datetime, end: datetime) -> int:
    return max(0, (end - start) // timedelta(milliseconds=1))


FORMAT = Format("langsmith", "LangSmith's runs", recognises, read, ignored=IGNORED)
