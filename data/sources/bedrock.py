"""AWS Bedrock's model invocation logs (S3 or CloudWatch): one JSON object a call.

How to get it  Bedrock → Settings → Model invocation logging; the objects below
               `AWSLogs/<account>/BedrockModelInvocationLogs/…/*.json.gz`, or a CloudWatch export
event_id       `bedrock:` + requestId; ts timestamp, the end of the call
user           the last part of identity.arn (the session's name of an assumed role, a user's name);
               the whole ARN stands in tags. project null (--project)
model          modelId as it is: an ARN by its last part; provider aws.bedrock; operation as logged
tokens         inputTokenCount EXCLUDES cacheReadInputTokenCount and cacheWriteInputTokenCount;
               writes for an hour, and the service tier, as the answer's body tells them
               (Converse's cacheDetails and serviceTier, Anthropic's cache_creation; streamed too)
cost           by our book; the log knows none. duration null
status         errorCode, where there is one, is an error of that class
not counted    bodies of requests and answers, which are never stored
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.entries import values
from data.sources.fields import count, instant, part, service_tier, tags_json, text
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records

SCHEMA: Final = "ModelInvocationLog"
INPUT: Final = {
    "input_tokens": "inputTokenCount",
    "cached_input_tokens": "cacheReadInputTokenCount",
    "cache_write_tokens": "cacheWriteInputTokenCount",
}
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return head.first.get("schemaType") == SCHEMA


def read(file: File, options: Options) -> Iterator[Record]:
    return records(values(file), _call, options)


def _call(_: str, row: Row) -> Iterator[Raw]:
    own = text(row.get("requestId"))
    if own is None:
        raise EventError("requestId is missing")
    arn, failed = text(part(row, "identity").get("arn")), text(row.get("errorCode"))
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
        "model": _model(row),
        "operation": text(row.get("operation")),
        **{ours: count(name, part(row, "input").get(name)) for ours, name in INPUT.items()},
        "output_tokens": count("outputTokenCount", part(row, "output").get("outputTokenCount")),
        **_billed(_answer(part(row, "output"))),
        "tags": tags_json(
            arn=arn, account=text(row.get("accountId")), region=text(row.get("region")),
            inference_region=text(row.get("inferenceRegion")),
        ),
    }  # fmt: skip


def _answer(output: Row) -> Row:
    """The answer's body; of a list of Anthropic's chunks the message that they begin with."""
    body = output.get("outputBodyJson")
    chunks = body if isinstance(body, list) else ()
    begun = (part(chunk, "message") for chunk in chunks if isinstance(chunk, Mapping))
    return next(filter(None, begun), part(output, "outputBodyJson"))


def _billed(body: Row) -> Raw:
    """What the answer's body tells beside the counts: its usage alone is read."""
    usage, written = part(body, "usage"), 0
    details = usage.get("cacheDetails")
    for one in details if isinstance(details, list) else ():
        if isinstance(one, Mapping) and one.get("ttl") == "1h":
            written += count("inputTokens", one.get("inputTokens")) or 0
    hour = part(usage, "cache_creation").get("ephemeral_1h_input_tokens")
    hourly = count("ephemeral_1h_input_tokens", hour) or written or None
    return {"cache_write_1h_tokens": hourly, **service_tier(part(body, "serviceTier").get("type"))}


def _model(row: Row) -> str | None:
    """The model's id; an inference profile's or a model's ARN ends with it."""
    named = text(row.get("modelId"))
    return named and named.rsplit("/", 1)[-1]


FORMAT = Format("bedrock", "AWS Bedrock invocation logs", recognises, read)
