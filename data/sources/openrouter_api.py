"""OpenRouter's API: answers of /api/v1/generation (calls) and of /api/v1/activity (sums of days).

generation    one call: `openrouter:` + id, as in the activity page's CSV (openrouter.py), so that
              both count once. native_tokens_prompt (what the provider billed, else tokens_prompt)
              INCLUDE native_tokens_cached; native_tokens_completion include reasoning. total_cost
              in US dollars, reported; user external_user; duration generation_time
activity      one event a row of a day (UTC), model and endpoint that stands for `requests`;
              `usage` in US dollars, reported. What one's own keys paid elsewhere
              (byok_usage_inference) stands in tags. Cached tokens are not told apart. A day that
              was not over when the file was written is not stored
both          provider openrouter, who is paid; who ran it in tags; project null
not counted   activity and generations, or the CSV, of the same days are the same use: import one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from data.errors import EventError
from data.sources.aggregates import Bucket, Tally, begins, key, listed_rows, written
from data.sources.entries import documents
from data.sources.fields import (
    count,
    nano,
    part,
    prompt_counts,
    service_tier,
    tags_json,
    text,
    whole,
)
from data.sources.files import File
from data.sources.format import Entry, Format, Head, Options, Raw, Record, records
from data.sources.times import instant

GENERATION: Final = {"id", "created_at", "total_cost", "native_tokens_prompt"}
GROUPED: Final = ("model_permaslug", "model", "endpoint_id", "provider_name")
COUNTS: Final = ("prompt", "completion", "reasoning", "cached")
Row = Mapping[str, Any]


def _generation(head: Head) -> bool:
    return (part(head.first, "data") or head.first).keys() >= GENERATION


def _read_generations(file: File, options: Options) -> Iterator[Record]:
    return records(_single(documents(file)), _call, options)


def _single(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Each generation, without the object around it that has it as `data`."""
    for where, value in entries:
        inner = value.get("data") if isinstance(value, Mapping) else None
        yield where, inner if isinstance(inner, Mapping) else value


def _call(_: str, row: Row) -> Iterator[Raw]:
    own = text(row.get("id"))
    if own is None:
        raise EventError("id is missing")
    failed = text(row.get("finish_reason")) == "error"
    yield {
        **_paid(row.get("total_cost", row.get("usage"))),
        "event_id": f"openrouter:{own}",
        "ts": instant("created_at", row.get("created_at")),
        "status": "aborted" if row.get("cancelled") is True else "error" if failed else "ok",
        "user": text(row.get("external_user")),
        "model": text(row.get("model")),
        **_tokens(*(count(name, _native(row, name)) for name in COUNTS)),
        "output_image_tokens": count("images", row.get("native_tokens_completion_images")) or None,
        **service_tier(row.get("service_tier")),
        "duration_ms": whole("generation_time", row.get("generation_time")),
        "tags": tags_json(
            run_by=text(row.get("provider_name")), finish_reason=text(row.get("finish_reason")),
            app_id=row.get("app_id"), upstream_inference_cost=row.get("upstream_inference_cost"),
        ),
    }  # fmt: skip


def _native(row: Row, name: str) -> Any:
    return row.get(f"native_tokens_{name}", row.get(f"tokens_{name}"))


def _tokens(
    prompt: int | None, output: int | None, reasoning: int | None, cached: int | None
) -> Raw:
    return {
        **prompt_counts("the prompt's tokens", prompt, cached),
        "output_tokens": output,
        "reasoning_tokens": reasoning,
    }


def _paid(dollars: Any) -> Raw:
    cost = nano("total_cost", dollars)
    return {
        "kind": "llm",
        "channel": "api",
        "source": "openrouter",
        "status": "ok",
        "provider": "openrouter",
        "operation": "chat",
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
    }


def _activity(head: Head) -> bool:
    return begins(head, "model_permaslug", "byok_usage_inference", "requests")


def _read_activity(file: File, options: Options) -> Iterator[Record]:
    tally, moment = Tally(), written(file)

    def convert(_: str, row: Row) -> Iterator[Raw]:
        day = instant("date", row.get("date"))
        bucket = Bucket(day, day + timedelta(days=1))
        if bucket.partial(moment):
            tally.open += 1
        else:
            yield _day(bucket, row)

    yield from records(listed_rows(documents(file)), convert, options)
    yield from tally.notes(file.name)


def _day(bucket: Bucket, row: Row) -> Raw:
    counts = (count(f"{name}_tokens", row.get(f"{name}_tokens")) for name in COUNTS)
    return {
        **_paid(row.get("usage")),
        "event_id": key("openrouter:activity", bucket, {name: row.get(name) for name in GROUPED}),
        "ts": bucket.start,
        "model": text(row.get("model_permaslug")) or text(row.get("model")),
        "request_count": count("requests", row.get("requests")) or None,
        **_tokens(*counts),
        "tags": tags_json(
            bucket=bucket.width, run_by=text(row.get("provider_name")),
            byok_usage_inference=row.get("byok_usage_inference") or None,
        ),
    }  # fmt: skip


FORMATS = (
    Format(
        "openrouter_generation",
        "OpenRouter's generations",
        _generation,
        _read_generations,
        ignored={"cache_discount": "what caching saved"},
    ),
    Format("openrouter_activity", "OpenRouter's activity by day", _activity, _read_activity),
)
