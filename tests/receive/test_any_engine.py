"""What senders post over HTTP, stored and answered alike whatever the engine of the store.

A client that hears no answer sends again, and so may several at once: nothing counts twice.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from werkzeug.test import TestResponse

from tests.serving import KEY, Served, serving

JSON: Final = "application/json"
SECONDS: Final = 1_795_350_580
CALLBACK: Final = "/api/v1/events?format=litellm-callback"
MODELS: Final = ("gpt-4o", "gpt-4o-mini")
SENDERS: Final = 4


def _callback(number: int) -> dict[str, Any]:
    """A call as LiteLLM's generic API callback posts it."""
    return {
        "id": f"call-{number}", "call_type": "acompletion", "startTime": SECONDS + number,
        "endTime": SECONDS + number + 1.5, "model": MODELS[number % 2], "status": "success",
        "custom_llm_provider": "openai", "response_cost": 0.25 + number / 1_000,
        "prompt_tokens": 100 + number, "completion_tokens": 20, "total_tokens": 120 + number,
        "metadata": {"user_api_key_user_id": ("ana", "bo")[number // 4 % 2],
                     "user_api_key_team_id": "web"},
    }  # fmt: skip


CALLBACKS: Final = [_callback(number) for number in range(8)]
LITELLM: Final = {
    ("ana", "gpt-4o"): (2, 0.502, 242), ("ana", "gpt-4o-mini"): (2, 0.504, 244),
    ("bo", "gpt-4o"): (2, 0.510, 250), ("bo", "gpt-4o-mini"): (2, 0.512, 252),
}  # fmt: skip


def _span(number: int) -> dict[str, Any]:
    said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": MODELS[number % 2],
            "gen_ai.provider.name": "openai", "enduser.id": "cy"}  # fmt: skip
    counts = {"gen_ai.usage.input_tokens": 1_000_000, "gen_ai.usage.output_tokens": number}
    begin = SECONDS * 10**9
    return {
        "traceId": "0a" * 16, "spanId": f"{number:016x}", "name": "chat",
        "startTimeUnixNano": str(begin), "endTimeUnixNano": str(begin + 2 * 10**9),
        "attributes": [
            *({"key": key, "value": {"stringValue": value}} for key, value in said.items()),
            *({"key": key, "value": {"intValue": str(value)}} for key, value in counts.items()),
        ],
    }  # fmt: skip


SPANS: Final = {"resourceSpans": [{"scopeSpans": [{"spans": [_span(n) for n in range(1, 7)]}]}]}
# By the book: 2.50 and 0.15 dollars a million of input, 10 and 0.60 of output.
OTLP: Final = {
    ("cy", "gpt-4o"): (3, 7.50012, 3_000_012), ("cy", "gpt-4o-mini"): (3, 0.4500054, 3_000_009),
}  # fmt: skip


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, NOW="2026-11-23T12:00:00+00:00") as one:
        yield one


def post(served: Served, path: str, body: bytes, kind: str = JSON, **more: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {KEY}", **more}
    client = served.app.server.test_client()  # its own, as several post at once
    answer: TestResponse = client.post(path, data=body, headers=headers, content_type=kind)
    assert answer.status_code == 200, answer.text
    return answer


def told(served: Served) -> dict[tuple[str, str], tuple[int, float, int]]:
    """What the API says of each user and model: calls, dollars and tokens."""
    said = {"metrics": "requests,cost,tokens", "by": "user,model", "preset": "last_n_days", "n": 99}
    rows = served.json("query", **said)["rows"]
    return {(row["user"], row["model"]): (row["requests"], row["cost"], row["tokens"])
            for row in rows}  # fmt: skip


def exactly(wanted: dict[tuple[str, str], tuple[int, float, int]]) -> Any:
    return {key: (calls, pytest.approx(cost, abs=1e-9), tokens)
            for key, (calls, cost, tokens) in wanted.items()}  # fmt: skip


def test_calls_that_litellm_posts_again_count_once(served: Served) -> None:
    half, whole = json.dumps(CALLBACKS[:5]).encode(), json.dumps(CALLBACKS).encode()
    counts = []
    for body in (half, whole, whole):
        report: Any = post(served, CALLBACK, body).json
        counts.append((report["accepted"], report["duplicates"], report["rejected"]))
    assert counts == [(5, 0, 0), (3, 5, 0), (0, 8, 0)]
    assert told(served) == exactly(LITELLM)


def test_spans_in_either_encoding_are_the_same_calls(served: Served) -> None:
    binary = ParseDict(_base64(SPANS), ExportTraceServiceRequest()).SerializeToString()
    for _ in range(2):
        post(served, "/v1/traces", json.dumps(SPANS).encode())
        post(served, "/v1/traces", gzip.compress(binary), "application/x-protobuf",
             **{"Content-Encoding": "gzip"})  # fmt: skip
        assert told(served) == exactly(OTLP)


def test_senders_at_once_store_each_call_once(served: Served) -> None:
    calls, spans = json.dumps(CALLBACKS).encode(), json.dumps(SPANS).encode()
    works = [(CALLBACK, calls), ("/v1/traces", spans)] * SENDERS
    with ThreadPoolExecutor(len(works)) as pool:
        answers = list(pool.map(lambda work: post(served, *work), works))
    reports: list[Any] = [one.json for one in answers[::2]]
    assert sum(one["accepted"] for one in reports) == len(CALLBACKS)
    assert sum(one["duplicates"] for one in reports) == len(CALLBACKS) * (SENDERS - 1)
    assert told(served) == exactly(LITELLM | OTLP)


def test_an_earlier_telling_of_a_call_takes_nothing_away(served: Served) -> None:
    plain = {**CALLBACKS[0], "response_cost": None, "completion_tokens": 0, "total_tokens": 100}
    for number, order in enumerate(((plain, CALLBACKS[0]), (CALLBACKS[0], plain))):
        for one in order:
            post(served, CALLBACK, json.dumps([one | {"id": f"again-{number}"}]).encode())
    assert told(served) == exactly({("ana", "gpt-4o"): (2, 0.5, 240)})


def _base64(request: dict[str, Any]) -> dict[str, Any]:
    """As Protobuf's own JSON spells ids."""
    made: dict[str, Any] = json.loads(json.dumps(request))
    for span in made["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId"):
            span[key] = base64.b64encode(bytes.fromhex(span[key])).decode()
    return made
