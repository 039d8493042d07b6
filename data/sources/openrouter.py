"""OpenRouter's activity export (CSV): one generation a row.

event_id      `openrouter:` + generation_id; ts created_at (UTC where it has no zone)
user          user, where the caller sent one; project null; client app_name
model         model_permaslug as it is (`vendor/model`); provider
              openrouter, who is paid; who ran it, the key's name and the variant go to tags
tokens        tokens_prompt INCLUDE tokens_cached, tokens_completion include tokens_reasoning
cost          cost_total, reported; with a key of one's own (byok_usage_inference) the provider's
              bill is not in it and stands in tags
status        cancelled is aborted, a finish reason `error` is error; else ok
duration_ms   generation_time_ms; ttft_ms time_to_first_token_ms
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from data.errors import EventError
from data.sources.delimited import rows
from data.sources.fields import count, nano, prompt_counts, tags_json, text, whole
from data.sources.files import File
from data.sources.format import Format, Head, Options, Raw, Record, records
from data.sources.times import instant

NEEDED: Final = {"generation_id", "created_at", "model_permaslug"}
TAGS: Final = ("api_key_name", "variant", "byok_usage_inference")
Row = Mapping[str, Any]


def recognises(head: Head) -> bool:
    return set(head.columns) >= NEEDED


def read(file: File, options: Options) -> Iterator[Record]:
    return records(rows(file), _event, options)


def _event(_: str, row: Row) -> Iterator[Raw]:
    own = text(row["generation_id"])
    if own is None:
        raise EventError("generation_id is missing")
    slug = text(row["model_permaslug"])
    cost = nano("cost_total", row.get("cost_total"))
    yield {
        "event_id": f"openrouter:{own}",
        "ts": instant("created_at", row["created_at"]),
        "kind": "llm",
        "channel": "api",
        "source": "openrouter",
        "status": _status(row),
        "user": text(row.get("user")),
        "client": text(row.get("app_name")),
        "provider": "openrouter",
        "model": slug,
        "operation": "chat",
        **_tokens(row),
        "cost_nano": cost,
        "cost_origin": "unpriced" if cost is None else "reported",
        "duration_ms": whole("generation_time_ms", row.get("generation_time_ms")),
        "ttft_ms": whole("time_to_first_token_ms", row.get("time_to_first_token_ms")),
        "tags": tags_json(
            run_by=text(row.get("provider_name")),
            finish_reason=text(row.get("finish_reason_normalized")),
            **{name: text(row.get(name)) for name in TAGS},
        ),
    }


def _status(row: Row) -> str:
    if (text(row.get("cancelled")) or "").lower() in ("true", "1"):
        return "aborted"
    return "error" if text(row.get("finish_reason_normalized")) == "error" else "ok"


def _tokens(row: Row) -> Raw:
    prompt = count("tokens_prompt", row.get("tokens_prompt"))
    cached = count("tokens_cached", row.get("tokens_cached"))
    return {
        **prompt_counts("tokens_prompt", prompt, cached),
        "output_tokens": count("tokens_completion", row.get("tokens_completion")),
        "reasoning_tokens": count("tokens_reasoning", row.get("tokens_reasoning")),
    }


IGNORED: Final = dict.fromkeys(
    ("cost_web_search", "cost_cache", "cost_file_processing"), "a part of cost_total"
)
FORMAT = Format("openrouter", "OpenRouter's activity", recognises, read, ignored=IGNORED)
