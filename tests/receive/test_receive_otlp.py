"""The OTLP doors: both encodings, gzip, the standard answers, and a sentence for every refusal."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc.error_details_pb2 import RequestInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from werkzeug.test import TestResponse

from callbacks.receive import otlp, request_body
from callbacks.receive.otlp import METRICS_ONLY
from data.errors import StoreError
from data.sources.otlp.logs import UNCOUNTED_EVENTS
from data.sources.otlp.spans import LOST, UNCOUNTED, WITHOUT_CALLS
from tests.serving import ADMIN, KEY, Served, serving

PB: Final = "application/x-protobuf"
JSON: Final = "application/json"
RESPONSES: Final[dict[str, Any]] = {
    "traces": ExportTraceServiceResponse, "logs": ExportLogsServiceResponse,
    "metrics": ExportMetricsServiceResponse,
}  # fmt: skip
AT: Final = 1_763_640_000_000_000_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path, NOW="2026-11-22T23:00:00+00:00") as one:
        yield one


def spans(*told: dict[str, Any]) -> ExportTraceServiceRequest:
    """One resource with a model call for each of these attributes."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    for number, attributes in enumerate(told, start=1):
        span = group.scope_spans.add().spans.add(
            name="chat m", trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"),
            start_time_unix_nano=AT, end_time_unix_nano=AT + 10**9,
        )  # fmt: skip
        for key, value in ({"gen_ai.operation.name": "chat"} | attributes).items():
            kind = "int_value" if isinstance(value, int) else "string_value"
            setattr(span.attributes.add(key=key).value, kind, value)
    return request


CALL: Final = {
    "gen_ai.request.model": "gpt-4o-mini", "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
}  # fmt: skip


def as_json(request: Any) -> bytes:
    told = json.dumps(MessageToDict(request))
    for span in (s for g in request.resource_spans for c in g.scope_spans for s in c.spans):
        for raw in (span.trace_id, span.span_id):
            told = told.replace(base64.b64encode(raw).decode(), raw.hex())
    return told.encode()


def post(
    served: Served, data: bytes, kind: str = PB, signal: str = "traces", **more: str
) -> TestResponse:
    headers = {"Authorization": f"Bearer {KEY}"} | {k.replace("_", "-"): v for k, v in more.items()}
    return served.client.post(f"/v1/{signal}", data=data, headers=headers, content_type=kind)


def events(served: Served) -> Any:
    said = {"preset": "last_n_days", "n": 3_000}
    return served.json("query", metrics="events,requests,tokens", **said)["totals"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [PB, JSON, f"{JSON}; charset=utf-8"])
def test_spans_come_in_both_encodings_and_are_answered_in_theirs(
    served: Served, kind: str, packed: bool
) -> None:
    no_use = {"gen_ai.operation.name": "create_agent"}
    request = spans(CALL, CALL | {"gen_ai.usage.input_tokens": 7}, no_use)
    data = request.SerializeToString() if kind == PB else as_json(request)
    for _ in range(2):
        if packed:
            answer = post(served, gzip.compress(data), kind, Content_Encoding="gzip")
        else:
            answer = post(served, data, kind)
        assert (answer.status_code, answer.mimetype) == (200, kind.partition(";")[0])
        if kind == PB:
            assert (
                ExportTraceServiceResponse.FromString(answer.data) == ExportTraceServiceResponse()
            )
        else:
            assert answer.json == {}
        assert {k: v for k, v in events(served).items() if k != "events"} == {
            "requests": 2, "tokens": 147,
        }  # fmt: skip


@pytest.mark.parametrize("kind", [PB, JSON])
def test_what_is_rejected_is_counted_and_said(served: Served, kind: str) -> None:
    request = spans(CALL, CALL | {"gen_ai.request.model": "m" * 2_000}, CALL)
    data = request.SerializeToString() if kind == PB else as_json(request)
    answer = post(served, data, kind)
    assert answer.status_code == 200
    said = "model is longer than 1,000 characters"
    if kind == PB:
        part = ExportTraceServiceResponse.FromString(answer.data).partial_success
        assert (part.rejected_spans, part.error_message) == (1, said)
    else:
        assert answer.json == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": said}}
    assert events(served)["requests"] == 2


def test_metrics_that_come_alone_are_answered_with_a_warning(served: Served) -> None:
    point = {"timeUnixNano": "1795350580123456789", "asInt": "9"}
    metric = {"name": "gen_ai.client.token.usage", "sum": {"dataPoints": [point]}}
    groups = [{"scopeMetrics": [{"metrics": [metric]}]}]
    usage = json.dumps({"resourceMetrics": groups}).encode()
    want = {"partialSuccess": {"errorMessage": METRICS_ONLY}}
    assert post(served, usage, JSON, "metrics").json == want
    binary = ParseDict({"resourceMetrics": groups}, ExportMetricsServiceRequest())
    answer = post(served, binary.SerializeToString(), PB, "metrics")
    part = ExportMetricsServiceResponse.FromString(answer.data).partial_success
    assert (part.rejected_data_points, part.error_message) == (0, METRICS_ONLY)
    assert post(served, b'{"resourceMetrics": []}', JSON, "metrics").json == {}
    post(served, spans(CALL).SerializeToString())
    assert post(served, usage, JSON, "metrics").json == {}


def test_spans_about_models_that_become_nothing_are_named(served: Served) -> None:
    """In the answer and in Settings → Data; a template beside calls only in the latter."""
    nameless = {"gen_ai.usage.input_tokens": 5, "gen_ai.operation.name": "framework"}
    template = CALL | {"langsmith.span.kind": "prompt"}
    lost = f"{LOST}: gen_ai.operation.name is framework (2 ×)"
    sent = spans(nameless, nameless, CALL).SerializeToString()
    assert told(post(served, sent)) == (0, lost)
    alone = spans({"langsmith.span.kind": "prompt", "gen_ai.operation.name": "chat"})
    why = f"{UNCOUNTED}: langsmith.span.kind is prompt (1 ×)"
    assert told(post(served, alone.SerializeToString())) == (0, why)
    assert told(post(served, spans({"http.route": "/"}).SerializeToString())) == (0, "")
    scored = spans({"gen_ai.evaluation.name": "relevance"})
    del scored.resource_spans[0].scope_spans[0].spans[0].attributes[0]  # the operation
    why = f"{UNCOUNTED}: nothing but gen_ai.evaluation.name"
    assert told(post(served, scored.SerializeToString())) == (0, f"{why} (1 ×)")
    assert served.json("imports")["imports"][0]["notes"][why] == 1
    beside = spans(CALL)
    beside.MergeFrom(scored)
    assert told(post(served, beside.SerializeToString())) == (0, f"{why} (1 ×)")
    calls = spans(CALL, {n: v for n, v in template.items() if "usage" not in n})
    assert told(post(served, calls.SerializeToString())) == (0, "")
    notes = served.json("imports")["imports"][0]["notes"]
    assert {f"{LOST}: gen_ai.operation.name is framework": 2}.items() <= notes.items()
    assert notes[f"{UNCOUNTED}: langsmith.span.kind is prompt"] == 2


def test_log_events_about_models_that_become_nothing_are_named(served: Served) -> None:
    record = {"timeUnixNano": "1795350580123456789", "eventName": "gen_ai.evaluation.result"}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, record]}]}]}
    why = f"{UNCOUNTED_EVENTS}: gen_ai.evaluation.result"
    answer = post(served, json.dumps(logs).encode(), JSON, "logs")
    assert answer.json == {"partialSuccess": {"errorMessage": f"{why} (2 ×)"}}
    assert served.json("imports")["imports"][0]["notes"][why] == 2


def test_agent_spans_with_tokens_and_no_calls_are_named(served: Served) -> None:
    agent = CALL | {"gen_ai.operation.name": "invoke_agent"}
    why = WITHOUT_CALLS["message"]
    sent = spans(agent, agent, CALL).SerializeToString()
    assert told(post(served, sent)) == (0, f"{why} (2 ×)")
    assert events(served)["events"] == 3
    assert served.json("imports")["imports"][0]["notes"][why] == 2


def told(answer: Any) -> tuple[int, str]:
    """Rejected spans and the sentence of an answer in Protobuf."""
    part = ExportTraceServiceResponse.FromString(answer.data).partial_success
    return part.rejected_spans, part.error_message


@pytest.mark.parametrize("signal", RESPONSES)
@pytest.mark.parametrize(("kind", "data"), [(PB, b""), (JSON, b"{}")])
def test_an_empty_export_is_answered(served: Served, signal: str, kind: str, data: bytes) -> None:
    if kind == JSON:
        name = {"traces": "Spans", "logs": "Logs", "metrics": "Metrics"}[signal]
        data = json.dumps({f"resource{name}": []}).encode()
    answer = post(served, data, kind, signal)
    assert answer.status_code == 200
    if kind == PB:
        RESPONSES[signal].FromString(answer.data)
    else:
        assert answer.json == {}


def status(answer: TestResponse) -> tuple[int, str]:
    """The google.rpc.Status of a Protobuf answer."""
    read, told = Status.FromString(answer.data), RequestInfo()
    [detail] = read.details
    assert detail.Unpack(told)
    assert told.request_id == answer.headers["X-Request-ID"]
    return read.code, read.message


@pytest.mark.parametrize("data", [b"\xff\xfe garbage", b"\x0a\xff", b"{}"])
def test_what_is_no_protobuf_request_is_400(served: Served, data: bytes) -> None:
    answer = post(served, data)
    assert (answer.status_code, answer.mimetype) == (400, PB)
    code, said = status(answer)
    assert code == 3
    assert said.startswith("this is no OTLP request of traces")


@pytest.mark.parametrize("data", [b"", b"[", b"7", b"[]", b'{"resourceSpans": 7}', b"\xff"])
def test_what_is_no_json_request_is_400(served: Served, data: bytes) -> None:
    answer = post(served, data, JSON)
    assert (answer.status_code, answer.mimetype) == (400, JSON)
    said = answer.json or {}
    assert said["code"] == 3
    assert said["message"]
    info, number = "type.googleapis.com/google.rpc.RequestInfo", answer.headers["X-Request-ID"]
    assert said["details"] == [{"@type": info, "requestId": number}]


def test_without_a_key_nothing_gets_in(served: Served) -> None:
    data = spans(CALL).SerializeToString()
    for headers in ({}, {"Authorization": "Bearer wrong"}, served.headers(ADMIN)):
        answer = served.client.post("/v1/traces", data=data, headers=headers, content_type=PB)
        assert answer.status_code == 401
        assert status(answer)[0] == 16
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    told = served.client.post("/v1/logs", data=b"{}", content_type=JSON)
    assert (told.status_code, (told.json or {})["code"]) == (401, 16)
    assert events(served)["events"] == 0
    headers = {"x-api-key": KEY}
    assert served.client.post(
        "/v1/traces", data=data, headers=headers, content_type=PB
    ).status_code == 200  # fmt: skip


def test_only_these_doors_and_verbs_are_there(served: Served) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    for verb in ("get", "put", "delete"):
        answer = getattr(served.client, verb)("/v1/traces", headers=headers)
        assert answer.status_code in (401, 404, 405)
    assert served.client.post("/v1/profiles", headers=headers).status_code in (401, 404, 405)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_415(served: Served, kind: str) -> None:
    answer = post(served, b"a=b", kind)
    assert (answer.status_code, answer.mimetype) == (415, JSON)
    assert "application/x-protobuf or application/json" in (answer.json or {})["message"]
    assert post(served, b"", PB, Content_Encoding="br").status_code == 415


def test_too_much_at_once_is_413(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    data = spans(CALL, CALL, CALL).SerializeToString()
    monkeypatch.setattr(otlp, "MOST_ITEMS", 2)
    answer = post(served, data)
    assert answer.status_code == 413
    assert status(answer) == (3, "a request has at most 2 spans")
    monkeypatch.setattr(otlp, "MOST_ITEMS", 3)
    assert post(served, data).status_code == 200
    monkeypatch.setattr(request_body, "LARGEST_UNPACKED", len(data) - 1)
    bomb = gzip.compress(data)
    assert post(served, bomb, Content_Encoding="gzip").status_code == 413
    monkeypatch.setattr(request_body, "LARGEST", len(data) - 1)
    assert post(served, data).status_code == 413


EMPTY: Final = {"traces": b"\x12\x00", "logs": b"\x12\x00", "metrics": b"\x12\x04\x2a\x02\x0a\x00"}


def nested(*parts: bytes) -> bytes:
    """Each part within the one before, as field 1 of the request and field 2 of what it holds."""
    made = parts[-1]
    for tag in (b"\x12", b"\x0a"):
        size, length = len(made), b""
        while size > 0x7F:
            size, length = size >> 7, length + bytes((size & 0x7F | 0x80,))
        made = tag + length + bytes((size,)) + made
    return made


@pytest.mark.parametrize("signal", EMPTY)
def test_a_crowd_of_nothing_is_413_before_it_is_parsed(served: Served, signal: str) -> None:
    """50,000 are taken, of one more nothing is made: a million would be 190 MB."""
    assert post(served, nested(EMPTY[signal] * 50_000), signal=signal).status_code == 200
    for many in (50_001, 1_000_000):
        bomb = gzip.compress(nested(EMPTY[signal] * many), 1)
        answer = post(served, bomb, signal=signal, Content_Encoding="gzip")
        assert answer.status_code == 413
        assert status(answer)[1].startswith("a request has at most 50,000 ")
    assert post(served, b"\x0a\x00" * 50_001, signal=signal).status_code == 413
    assert post(served, b"\x0a\x02\x12\x00" * 50_001, signal=signal).status_code == 413


def test_a_crowd_in_json_is_413(served: Served) -> None:
    def told(many: int) -> bytes:
        return b'{"resourceSpans":[{"scopeSpans":[{"spans":[{}' + b",{}" * (many - 1) + b"]}]}]}"

    assert post(served, told(50_000), JSON).status_code == 200
    for many in (50_001, 1_000_000):
        assert post(served, told(many), JSON).status_code == 413


@pytest.mark.parametrize("signal", EMPTY)
@pytest.mark.parametrize("group", [b"\x0b\x0c", b"\x0e", b"\x0a\x05\x12", b"\x08" + b"\xff" * 11])
def test_what_breaks_off_or_is_grouped_is_no_request(
    served: Served, signal: str, group: bytes
) -> None:
    assert post(served, group + nested(EMPTY[signal]), signal=signal).status_code == 400


def test_few_large_bodies_are_worked_on_at_once(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(request_body, "LARGE", 1_000)
    small, large = (spans(*[CALL] * many).SerializeToString() for many in (1, 50))
    packed = gzip.compress(large)
    assert len(packed) < 1_000 < len(large)
    with request_body._large_body_slot(), request_body._large_body_slot():
        assert post(served, small).status_code == 200
        for data, more in ((large, {}), (packed, {"Content_Encoding": "gzip"})):
            answer = post(served, data, **more)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    for data, more in ((large, {}), (packed, {"Content_Encoding": "gzip"})):
        assert post(served, data, **more).status_code == 200


def test_a_busy_store_is_503_and_says_when_to_try_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **_named: Any) -> Any:
        raise StoreError("the event store is busy")

    with monkeypatch.context() as patch:
        patch.setattr(type(served.store), "write", full)
        answer = post(served, spans(CALL).SerializeToString())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert status(answer) == (14, "the event store is busy")
    assert post(served, spans(CALL).SerializeToString()).status_code == 200
    assert events(served)["requests"] == 1


def test_a_keys_bonds_hold_for_spans(served: Served) -> None:
    told = {"name": "k", "source": "shop", "project": "web"}
    made = served.client.post("/api/v1/ingest-keys", json=told, headers=served.headers(ADMIN)).json
    assert made is not None
    headers = {"x-api-key": made["key"]}
    data = spans(CALL, CALL | {"team.id": "pay"}, CALL | {"team.id": "web"}).SerializeToString()
    answer = served.client.post("/v1/traces", data=data, headers=headers, content_type=PB)
    part = ExportTraceServiceResponse.FromString(answer.data).partial_success
    assert (part.rejected_spans, part.error_message) == (
        1, "this key is for the project 'web' alone",
    )  # fmt: skip
    rows = served.json("query", metrics="requests", by="project", preset="last_n_days", n=3_000)
    assert [(row["project"], row["requests"]) for row in rows["rows"]] == [("web", 2)]
    assert served.store.remove("shop") == 2


def test_recorded_exports_are_taken_as_they_were_sent(served: Served, shared: Path) -> None:
    """What five programs really posted: nothing is rejected, and a second time adds nothing."""
    bodies_sent = sorted((shared / "otlp").rglob("*_v1_*"))
    assert len(bodies_sent) > 30
    seen: list[Any] = []
    for _ in range(2):
        for path in bodies_sent:
            kind = PB if ".pb" in path.name else JSON
            more = {"Content_Encoding": "gzip"} if path.suffix == ".gz" else {}
            signal = path.name.split("_v1_")[1].partition(".")[0]
            answer = post(served, path.read_bytes(), kind, signal, **more)
            assert answer.status_code == 200, (path, answer.data)
            first = signal == "metrics" and not seen and METRICS_ONLY.encode() in answer.data
            assert first or answer.data in (b"", b"{}"), (path, answer.data)
        seen.append(events(served))
    assert seen[0] == seen[1]
    assert seen[0]["requests"] > 60
