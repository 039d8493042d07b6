"""AWS Bedrock's model invocation logs (S3 or CloudWatch): one JSON object a call.

How to get it  Bedrock → Settings → Model invocation logging; the objects below
               `AWSLogs/<account>/BedrockModelInvocationLogs/…/*.json.gz`, or from CloudWatch: an
               export to S3 (a time before each object), answers of `filter-log-events` and
               subscriptions (the object is the text of a `message`), results of Logs Insights with
               the column @message
event_id       `bedrock:` + requestId; ts timestamp, the end of the call
user           the last part of identity.arn (the session's name of an assumed role, a user's name);
               the whole ARN stands in tags. project null (--project)
model          modelId as it is: an ARN by its last part, an application's inference profile by what
               the answer names; provider aws.bedrock; operation as logged
tokens         inputTokenCount EXCLUDES cacheReadInputTokenCount and cacheWriteInputTokenCount, but
               of OpenAI's models, whose prompt includes both. Where a log has none of the two,
               the answer's usage tells them;
               writes for an hour, and the service tier, as the answer's body tells them
               (Converse's cacheDetails and serviceTier, Anthropic's cache_creation; streamed too)
cost           by our book; the log knows none. duration null
status         errorCode, where there is one, is an error of that class
not counted    bodies of requests and answers, which are never stored
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.entries import by_head, documents
from data.sources.fields import count, parsed, part, service_tier, tags_json, text
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Raw, Record, records
from data.sources.times import instant

SCHEMA: Final = "ModelInvocationLog"
SCHEMA_KEY: Final = re.compile(r'schemaType\\*"+\s*:\s*\\*"+ModelInvocationLog')
EXPORTED: Final = re.compile(r"\s*\d{4}-\d\d-\d\dT\S+ \{")  # a time, then the object
LISTS: Final = ("events", "logEvents", "results")
MESSAGES: Final = ("message", "@message")
CACHED: Final = {  # as Converse and as Anthropic call them in an answer
    "cached_input_tokens": ("cacheReadInputTokens", "cache_read_input_tokens"),
    "cache_write_tokens": ("cacheWriteInputTokens", "cache_creation_input_tokens"),
}
PROFILE: Final = ":application-inference-profile/"
GROSS: Final = re.compile(r"(^|\.)openai\.")  # models whose prompt includes what is cached
INPUT: Final = {
    "input_tokens": "inputTokenCount",
    "cached_input_tokens": "cacheReadInputTokenCount",
    "cache_write_tokens": "cacheWriteInputTokenCount",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.get("schemaType") == SCHEMA or _is_wrapped(head)


def _is_wrapped(head: Head) -> bool:
    """Whether the objects are texts inside something of CloudWatch."""
    inside = any(name in head.first for name in (*LISTS, *MESSAGES)) or "@message" in head.columns
    exported = inside or EXPORTED.match(head.text) is not None
    return exported and SCHEMA_KEY.search(head.text) is not None


def read(file: File, options: Options) -> Iterator[Record]:
    return records(_objects(file), _call, options)


def _objects(file: File) -> Iterator[Entry]:
    """The logged objects, out of what holds them."""
    for where, entry in by_head(file, _is_exported, _exported, _rows_or_values):
        several = next((entry[name] for name in LISTS if name in entry), None) if (
            isinstance(entry, dict)
        ) else None  # fmt: skip
        for number, one in enumerate(several if isinstance(several, list) else [entry], start=1):
            yield f"{where}#{number}" if isinstance(several, list) else where, _opened(one)


def _is_exported(head: str) -> bool:
    return EXPORTED.match(head) is not None


def _exported(file: File) -> Iterator[Entry]:
    """Lines of an export: what stands after their time."""
    number = 0
    try:
        for number, line in enumerate(file.lines(), start=1):
            if line.strip():
                yield f"{file.name}:{number}", {MESSAGES[0]: line.partition(" ")[2]}
    except EventError as error:
        yield f"{file.name}:{number + 1}", error


def _rows_or_values(file: File) -> Iterator[Entry]:
    return by_head(file, lambda head: head.lstrip()[:1] in ("{", "["), documents, rows)


def _opened(entry: Any) -> Any:
    """The object that is the text of a message; what else it is, as it is."""
    if not isinstance(entry, dict) or entry.get("schemaType") == SCHEMA:
        return entry
    message = next((entry[name] for name in MESSAGES if name in entry), entry)
    try:
        return parsed("message", message)
    except EventError as error:
        return error


def _call(_: str, row: Row) -> Iterator[Raw]:
    own = text(row.get("requestId"))
    if own is None:
        raise EventError("requestId is missing")
    arn, failed = text(part(row, "identity").get("arn")), text(row.get("errorCode"))
    answer = _answer(part(row, "output"))
    yield {
        "event_id": f"bedrock:{own}",
        "ts": instant("timestamp", row.get("timestamp")),
        "kind": "llm",
        "channel": "api",
        "source": "bedrock",
        "status": "error" if failed else "ok",
        "error_class": failed,
        "user": arn and arn.rsplit("/", 1)[-1],
        "provider": "aws.bedrock",
        "model": _model(row, answer),
        "operation": text(row.get("operation")),
        **_input(row, answer),
        "output_tokens": count("outputTokenCount", part(row, "output").get("outputTokenCount")),
        **_billed(answer),
        "tags": tags_json(
            arn=arn, account=text(row.get("accountId")), region=text(row.get("region")),
            inference_region=text(row.get("inferenceRegion")),
        ),
    }  # fmt: skip


def _input(row: Row, answer: Row) -> Raw:
    """The disjoint counts of a prompt."""
    counts = {ours: count(name, part(row, "input").get(name)) for ours, name in INPUT.items()}
    if all(counts[name] is None for name in CACHED):
        usage = part(answer, "usage")
        counts |= {ours: _first_count(usage, names) for ours, names in CACHED.items()}
    fresh, cached, written = (counts[name] or 0 for name in INPUT)
    if GROSS.search(_model(row, answer) or "") and cached + written <= fresh:
        counts["input_tokens"] = counts["input_tokens"] and fresh - cached - written
    return counts


def _first_count(usage: Row, names: tuple[str, ...]) -> int | None:
    return next((count(name, usage[name]) for name in names if name in usage), None)


def _answer(output: Row) -> Row:
    """The answer's body; of a list of Anthropic's chunks the message that they begin with."""
    body = output.get("outputBodyJson")
    chunks = body if isinstance(body, list) else ()
    begun = (part(chunk, "message") for chunk in chunks if isinstance(chunk, dict))
    return next(filter(None, begun), part(output, "outputBodyJson"))


def _billed(body: Row) -> Raw:
    """What the answer's body tells beside the counts: its usage alone is read."""
    usage, written = part(body, "usage"), 0
    details = usage.get("cacheDetails")
    for one in details if isinstance(details, list) else ():
        if isinstance(one, dict) and one.get("ttl") == "1h":
            written += count("inputTokens", one.get("inputTokens")) or 0
    hour = part(usage, "cache_creation").get("ephemeral_1h_input_tokens")
    hourly = count("ephemeral_1h_input_tokens", hour) or written or None
    return {"cache_write_1h_tokens": hourly, **service_tier(part(body, "serviceTier").get("type"))}


def _model(row: Row, answer: Row) -> str | None:
    """The model's id; an inference profile's or a model's ARN ends with it."""
    named = text(row.get("modelId"))
    if named and PROFILE in named and (model := text(answer.get("model"))):
        return model
    return named and named.rsplit("/", 1)[-1]


FORMAT = Format("bedrock", "AWS Bedrock invocation logs", recognises, read)
