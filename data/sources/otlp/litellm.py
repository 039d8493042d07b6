"""A `litellm_request` span as the row of LiteLLM's spend log that tells the same call.

So both give one event: the ids are litellm.call_id and gen_ai.response.id (where an answer has
none, LiteLLM puts the call's own there), and `data/sources/litellm/calls.py` converts. What the
row has as objects, the span has as text of Python or JSON objects (an exporter's limit may have
cut it off: then the call is counted without what stood in there). A hit in the gateway's cache
costs nothing; the span says what it would have cost, and says that it was one only by the key of
the cache in its hidden_params. gen_ai.response.model is the alias that was asked for. Of a refused
call the log guesses the prompt's tokens and has a clock of its own; the span does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import orjson

from data.events.table import EPOCH
from data.sources.format import Note, Raw
from data.sources.litellm.calls import call
from data.sources.otlp.attributes import Attributes, first
from data.sources.otlp.items import Span
from data.sources.otlp.names import LITELLM

LONGEST: Final = 50_000
CACHE_HIT: Final = Note("a hit in LiteLLM's cache says what it would have cost: counted as 0")
KEYED: Final = re.compile(r"""['"]cache_key['"]: ?['"]""")
HITS: Final = ("litellm.cache_hit", "metadata.cache_hit", "cache_hit")


def litellm_call(span: Span) -> Iterator[Raw | Note]:
    """The event of the call, and a note where its cost is not counted."""
    row = _row(span)
    if row["cache_hit"] and row["spend"]:
        yield CACHE_HIT
        row["spend"] = 0
    yield call(row)


def _row(span: Span) -> dict[str, Any]:
    attributes = span.attributes
    requester, model = _object(attributes, "metadata.requester_metadata"), _model(attributes)
    return {
        "litellm_call_id": attributes["litellm.call_id"],
        "request_id": first(attributes, "gen_ai.response.id"),
        "startTime": _iso(span.start),
        "endTime": _iso(span.end),
        "call_type": first(attributes, "gen_ai.operation.name", "llm.request.type"),
        "custom_llm_provider": _provider(attributes),
        "model": model,
        "model_group": attributes.get("litellm.model_group"),
        "user": attributes.get(LITELLM + "user_id"),
        "team_id": attributes.get(LITELLM + "team_id"),
        "end_user": attributes.get(LITELLM + "end_user_id"),
        "session_id": requester.get("session_id"),
        "request_tags": requester.get("tags"),
        "prompt_tokens": attributes.get("gen_ai.usage.input_tokens"),
        "completion_tokens": attributes.get("gen_ai.usage.output_tokens"),
        "spend": attributes.get("gen_ai.cost.total_cost", 0),
        "cache_hit": _hit(attributes),
        "status": "failure" if span.failed or "error.type" in attributes else "success",
        "metadata": _metadata(attributes),
    }


def _metadata(attributes: Attributes) -> dict[str, Any]:
    return {
        "user_agent": attributes.get("metadata.user_agent"),
        "user_api_key_team_alias": attributes.get(LITELLM + "team_alias"),
        "user_api_key_alias": attributes.get(LITELLM + "alias"),
        "usage_object": _object(attributes, "metadata.usage_object"),
        "error_information": {
            "error_class": attributes.get("error.type"),
            "error_code": attributes.get("error.code"),
        },
    }


def _provider(attributes: Attributes) -> str | None:
    """gen_ai.system, or (it is '' for embeddings) the route's prefix."""
    route, slash, _ = str(attributes.get("litellm.provider.model") or "").partition("/")
    return first(attributes, "gen_ai.system") or (route if slash else None)


def _model(attributes: Attributes) -> str | None:
    return first(attributes, "gen_ai.request.model", "gen_ai.response.model")


def _hit(attributes: Attributes) -> bool:
    if any(str(attributes.get(name)).lower() == "true" for name in HITS):
        return True
    return KEYED.search(str(attributes.get("hidden_params"))) is not None


def _object(attributes: Attributes, name: str) -> dict[str, Any]:
    """The object that a text of JSON or Python stands for; {} if it is cut off or none."""
    value = attributes.get(name)
    if isinstance(value, str) and value.startswith("{") and len(value) <= LONGEST:
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            value = _literal(value)
    return value if isinstance(value, dict) else {}


def _literal(value: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return {}


def _iso(nanos: int) -> str | None:
    if not 0 < nanos < 2**63:
        return None
    return (EPOCH + timedelta(microseconds=nanos // 1_000)).isoformat()
