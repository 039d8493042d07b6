"""Langfuse: observations and traces, exported from its pages (CSV, JSON, JSON lines) or answered
by GET /api/public/observations and /api/public/traces; the blob export's snake_case names too.

event_id      `langfuse:` + the observation's or trace's id; ts startTime (a trace: timestamp)
kind          GENERATION, EMBEDDING → llm · TOOL → tool · RETRIEVER → integration · a trace →
              workflow, one run, with no tokens and no money of its own
user, conversation_id, workflow  userId, sessionId and name of the trace, where the record says
              them or stands inside its trace; an API answer's observations do not: null.
              run_id is the traceId; project the projectId, which most exports lack (--project)
model         as it is; provider null (Langfuse does not tell)
tokens, cost  data/sources/langfuse/usage.py
duration_ms   endTime - startTime (a trace: latency); ttft_ms completionStartTime - startTime
status        level ERROR is error, error_class the first words of statusMessage
tags          prompt name and version, environment, release, tags. Input, output and metadata may
              be content: never read
not counted   SPAN, EVENT, AGENT, CHAIN, EVALUATOR, GUARDRAIL: they hold calls, they are none
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.entries import begins_json, by_head, documents
from data.sources.fields import parsed, quantity, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records
from data.sources.langfuse.usage import cost, tokens
from data.sources.times import instant

Row = Mapping[str, Any]
SIGNS: Final = (
    {"id", "traceid", "type", "starttime"},
    {"id", "timestamp", "sessionid", "userid", "name"},
    {"trace", "observations"},
)
KINDS: Final = {
    "GENERATION": "llm",
    "EMBEDDING": "llm",
    "TOOL": "tool",
    "RETRIEVER": "integration",
}
HOLDERS: Final = ("SPAN", "EVENT", "AGENT", "CHAIN", "EVALUATOR", "GUARDRAIL")
OPERATIONS: Final = {"GENERATION": "chat", "EMBEDDING": "embeddings"}
FROM_TRACE: Final = {"userid": "userid", "sessionid": "sessionid", "projectid": "projectid"}
LABELS: Final = {"prompt": "promptname", "prompt_version": "promptversion"} | {
    name: name for name in ("environment", "release", "version")
}


def recognises(head: Head) -> bool:
    inner = head.first.get("data")
    first = inner[0] if isinstance(inner, list) and inner else head.first
    found: Iterable[Any] = first if isinstance(first, dict) and first else head.columns
    if not head.first and head.text.lstrip()[:1] in ("{", "["):  # longer than the head
        found = re.findall(r'"(\w+)"\s*:', head.text)
    names = {_plain(str(name)) for name in found}
    return any(names >= sign for sign in SIGNS)


def read(file: File, options: Options) -> Iterator[Record]:
    return records(_rows(file), _converted, options)


def _plain(name: str) -> str:
    """One spelling of traceId, trace_id and "Trace ID"."""
    return name.replace("_", "").replace(" ", "").lower()


def _rows(file: File) -> Iterator[Entry]:
    """Records under plain names; the items of API answers and the observations inside traces."""
    for where, value in by_head(file, begins_json, documents, rows):
        inner = value.get("data") if isinstance(value, dict) else None
        for number, each in enumerate(inner if isinstance(inner, list) else [value], start=1):
            yield from _unfolded(f"{where}#{number}" if isinstance(inner, list) else where, each)


def _unfolded(where: str, value: Any) -> Iterator[Entry]:
    if not isinstance(value, dict):
        yield where, value
        return
    if isinstance(value.get("trace"), Mapping):  # a trace downloaded from its page
        value = {**value["trace"], "observations": value.get("observations")}
    row = {_plain(str(name)): each for name, each in value.items()}
    yield where, row
    inside = row.get("observations") if "starttime" not in row else None
    about = {name: row.get(name) for name in FROM_TRACE} | {"tracename": row.get("name")}
    for each in inside if isinstance(inside, list) else ():
        if isinstance(each, dict):  # a list of traces names only their ids
            own = {_plain(str(name)): one for name, one in each.items()}
            yield where, about | {name: one for name, one in own.items() if one is not None}


def _converted(_: str, row: Row) -> Iterator[Raw | Note]:
    if "starttime" not in row and "timestamp" in row:
        yield _trace(row)
        return
    type_ = (text(row.get("type")) or "").upper()
    if type_ in HOLDERS:
        yield Note(f"observations of type {type_} hold calls and are none: not stored")
    elif type_ not in KINDS:
        raise EventError(f"type is {type_[:40]!r}, none that Langfuse has")
    else:
        yield _observation(type_, row)


def _trace(row: Row) -> Raw:
    seconds = quantity("latency", row.get("latency"))
    return {
        **_row_fields(row, text(row.get("id"))),
        "kind": "workflow",
        "ts": instant("timestamp", row.get("timestamp")),
        "workflow": text(row.get("name")),
        "status": "ok",
        "duration_ms": None if seconds is None else round(seconds * 1_000),
    }


def _observation(type_: str, row: Row) -> Raw:
    kind, start = KINDS[type_], instant("startTime", row.get("starttime"))
    failed = (text(row.get("level")) or "").upper() == "ERROR"
    name = text(row.get("name")) or type_.lower()
    named = {"tool": name} if kind == "tool" else {}
    if kind == "integration":
        named = {"integration": name, "integration_type": "retriever"}
    return {
        **_row_fields(row, text(row.get("traceid"))),
        "kind": kind,
        "ts": start,
        "workflow": text(row.get("tracename")),
        "status": "error" if failed else "ok",
        "error_class": _class(row) if failed else None,
        "duration_ms": _since(start, "endTime", row.get("endtime")),
        **named,
        **(_call_fields(type_, start, row) if kind == "llm" else {}),
    }


def _row_fields(row: Row, trace: str | None) -> Raw:
    own = text(row.get("id"))
    if own is None:
        raise EventError("id is missing")
    return {
        "event_id": f"langfuse:{own}",
        "channel": "api",
        "source": "langfuse",
        "run_id": trace,
        "user": text(row.get("userid")),
        "conversation_id": text(row.get("sessionid")),
        "project": text(row.get("projectid")),
        "tags": _labels(row),
    }


def _labels(row: Row) -> str | None:
    """Text, so that a number in a CSV is what it is in JSON."""
    labels = {name: row.get(theirs) for name, theirs in LABELS.items()}
    tags = parsed("tags", row.get("tags") or row.get("tracetags"))
    return tags_json(
        **{n: None if v is None else str(v) for n, v in labels.items()}, tags=tags or None
    )


def _call_fields(type_: str, start: datetime, row: Row) -> Raw:
    used = tokens(row)
    return {
        "operation": OPERATIONS[type_],
        "model": text(row.get("model")) or text(row.get("providedmodelname")),
        "ttft_ms": _since(start, "completionStartTime", row.get("completionstarttime")),
        **used,
        **cost(row, any(used.values())),
    }


def _class(row: Row) -> str | None:
    words = re.split(r"[:\n]", text(row.get("statusmessage")) or "")[0]
    return words[:80].strip() or None


def _since(start: datetime, name: str, value: Any) -> int | None:
    if value in (None, ""):
        return None
    took = instant(name, value) - start
    return took // timedelta(milliseconds=1) if took >= timedelta(0) else None


IGNORED: Final = {
    **dict.fromkeys(("*totalcost", "*inputcost", "*outputcost"), "costDetails again"),
    **dict.fromkeys(("inputtokens", "outputtokens", "*usage", "usage.*"), "usageDetails again"),
    "costdetails.*": "the parts of its total",
    "*price": "a rate",
    "provided*details.*": "what was sent, before Langfuse completed it",
}
FORMAT = Format("langfuse", "Langfuse observations and traces", recognises, read, ignored=IGNORED)
