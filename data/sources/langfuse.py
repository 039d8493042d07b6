"""Langfuse: observations and traces, exported from its pages (CSV, JSON, JSON lines) or answered
by GET /api/public/observations and /api/public/traces; the blob export's snake_case names too.

event_id      `langfuse:` + the observation's or trace's id; ts startTime (a trace: timestamp)
kind          GENERATION, EMBEDDING → llm · TOOL → tool · RETRIEVER → integration · a trace →
              workflow, one run, with no tokens and no money of its own
user, conversation_id, workflow  userId, sessionId and name of the trace, where the record says
              them or stands inside its trace; an API answer's observations do not: null.
              run_id is the traceId; project the projectId, which most exports lack (--project)
model         as it is; provider null (Langfuse does not tell)
tokens        usageDetails are disjoint as Langfuse stores them: `input` EXCLUDES cache reads and
              writes, `output` EXCLUDES output_reasoning, which our output includes. Where input +
              output alone make the total, its sender counted them inside: they are taken off.
              The older `usage` where there are no details, if its unit is tokens
cost          what Langfuse calculated or was sent: costDetails.total, calculatedTotalCost or
              totalCost; `reported`. A bare 0 beside tokens had no price there: our book's
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
from data.sources.fields import count, decimal, instant, nano, parsed, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Note, Options, Raw, Record, records

OLDER: Final = {
    "input": ("input", "promptTokens", "prompt_tokens"),
    "output": ("output", "completionTokens", "completion_tokens"),
    "total": ("total", "totalTokens", "total_tokens"),
}
COLUMNS: Final = {"input": "inputtokens", "output": "outputtokens", "total": "totaltokens"}
READS: Final = ("cached", "cache_read")
WRITES: Final = ("cache_creation", "cache_write")
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
OF_WHICH: Final = {
    "cache_write_1h_tokens": ("1h", "written"),
    "input_audio_tokens": ("audio", "input"),
    "output_audio_tokens": ("audio", "output"),
    "input_image_tokens": ("image", "input"),
    "output_image_tokens": ("image", "output"),
}
KEPT: Final = {"prompt": "promptname", "prompt_version": "promptversion"} | {
    name: name for name in ("environment", "release", "version")
}


def tokens(row: Row) -> Raw:
    """Our disjoint counts; {} where the observation tells none."""
    used = _details(row) or _older(row)
    if not used:
        return {}
    sums = {"input": 0, "cached": 0, "written": 0, "output": 0, "reasoning": 0}
    for name, number in used.items():
        if name != "total":
            sums[_side(name)] += number
    _make_disjoint(sums, used.get("total"))
    cached = any(_side(name) == "cached" for name in used)
    written = any(_side(name) == "written" for name in used)
    return {
        "input_tokens": sums["input"],
        "cached_input_tokens": sums["cached"] if cached else None,
        "cache_write_tokens": sums["written"] if written else None,
        "output_tokens": sums["output"] + sums["reasoning"],
        "reasoning_tokens": sums["reasoning"] or None,
        **_of_which(used),
    }


def _of_which(used: Mapping[str, int]) -> Raw:
    """Parts of the counts that have prices of their own, by the words of their names."""
    return {
        field: sum(n for name, n in used.items() if word in name and _side(name) == side) or None
        for field, (word, side) in OF_WHICH.items()
    }


def _side(name: str) -> str:
    """Where a usage type belongs: Langfuse reads `output` in a name as output, all else as input.

    Anthropic's and OpenAI's spellings of cache reads and writes are told apart by their words.
    """
    if any(word in name for word in WRITES):
        return "written"
    if any(word in name for word in READS):
        return "cached"
    if "reasoning" in name:
        return "reasoning"
    return "output" if "output" in name or "completion" in name else "input"


def _make_disjoint(sums: dict[str, int], total: int | None) -> None:
    """Take parts off where a sender counted them inside input and output."""
    if total is None or total != sums["input"] + sums["output"]:
        return
    parts = sums["cached"] + sums["written"]
    if parts > sums["input"] or sums["reasoning"] > sums["output"]:
        raise EventError("usageDetails: the parts are more than the total of input and output")
    sums["input"] -= parts
    sums["output"] -= sums["reasoning"]


def _object(name: str, value: Any) -> Row:
    """An object, {} where there is none."""
    found = parsed(name, value)
    if found is not None and not isinstance(found, Mapping):
        raise EventError(f"{name} is not an object")
    return found or {}


def _details(row: Row) -> dict[str, int]:
    details = dict(_parts(_object("usageDetails", row.get("usagedetails"))))
    found = {str(name): count(f"usageDetails {name}"[:60], each) for name, each in details.items()}
    return {name: number for name, number in found.items() if number is not None}


def _parts(details: Row) -> Iterator[tuple[str, Any]]:
    """The counts; of OpenAI's `…_details`, which are parts of them, those that we tell apart."""
    for name, value in details.items():
        if not isinstance(value, Mapping):
            yield "total" if name in OLDER["total"] else str(name), value
            continue
        yield from ((f"{name}.{part}"[:60], number) for part, number in value.items()
                    if _side(str(part)) in ("cached", "written", "reasoning"))  # fmt: skip


def _older(row: Row) -> dict[str, int]:
    """The `usage` object of older versions, or a table's columns of sums."""
    usage = _object("usage", row.get("usage"))
    if (text(usage.get("unit")) or "TOKENS").upper() != "TOKENS":
        return {}
    found = {
        name: next((usage[each] for each in names if usage.get(each) is not None), None)
        for name, names in OLDER.items()
    }
    numbers = {
        name: count(name, row.get(COLUMNS[name]) if each is None else each)
        for name, each in found.items()
    }
    given = {name: number for name, number in numbers.items() if number is not None}
    return given if any(given.values()) else {}


def cost(row: Row, used: bool) -> Raw:
    """What Langfuse says it cost; nothing where it had no price, which leaves it to our book."""
    details = _object("costDetails", row.get("costdetails"))
    total = details.get("total")
    if total is None and details:
        parts = [decimal(f"costDetails {name}"[:60], each) for name, each in details.items()]
        total = sum(part for part in parts if part is not None)
    if total is not None:
        return {"cost_nano": nano("costDetails total", total), "cost_origin": "reported"}
    for name in ("calculatedtotalcost", "totalcost"):
        dollars = decimal(name, row.get(name))
        if dollars or (dollars is not None and not used):
            return {"cost_nano": nano(name, dollars), "cost_origin": "reported"}
    return {}


def recognises(head: Head) -> bool:
    inner = head.first.get("data")
    first = inner[0] if isinstance(inner, list) and inner else head.first
    found: Iterable[Any] = first if isinstance(first, Mapping) and first else head.columns
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
        inner = value.get("data") if isinstance(value, Mapping) else None
        for number, each in enumerate(inner if isinstance(inner, list) else [value], start=1):
            yield from _unfolded(f"{where}#{number}" if isinstance(inner, list) else where, each)


def _unfolded(where: str, value: Any) -> Iterator[Entry]:
    if not isinstance(value, Mapping):
        yield where, value
        return
    if isinstance(value.get("trace"), Mapping):  # a trace downloaded from its page
        value = {**value["trace"], "observations": value.get("observations")}
    row = {_plain(str(name)): each for name, each in value.items()}
    yield where, row
    inside = row.get("observations") if "starttime" not in row else None
    about = {name: row.get(name) for name in FROM_TRACE} | {"tracename": row.get("name")}
    for each in inside if isinstance(inside, list) else ():
        if isinstance(each, Mapping):  # a list of traces names only their ids
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
    seconds = decimal("latency", row.get("latency"))
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
    labels = {name: row.get(theirs) for name, theirs in KEPT.items()}
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
