"""Gateways and clouds: OpenRouter's API, Helicone, Portkey, Azure OpenAI, Vertex AI."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats
from data.sources.events import event_of
from tests.sources.test_vendor_sources import ROUTED
from tests.sources.test_vendor_usage import table

Row = dict[str, Any]


def jsonl(*rows: Row) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def made(name: str, body: bytes) -> list[Any]:
    found = formats()[name].read(File("f", body=body), Options())
    return [raw if isinstance(raw, EventError | Note) else event_of(raw) for _, raw in found]


def one(name: str, row: Row) -> Event:
    (event,) = (each for each in made(name, jsonl(row)) if isinstance(each, dict))
    return event


# OpenRouter

GENERATION: Final[Row] = {
    "id": "gen-1", "upstream_id": "chatcmpl-1", "total_cost": 0.0015, "cache_discount": 0.0002,
    "upstream_inference_cost": 0.0012, "created_at": "2026-05-01T23:33:19.433273+00:00",
    "model": "sao10k/l3-stheno-8b", "app_id": 12_345, "streamed": True, "cancelled": False,
    "provider_name": "Infermatic", "latency": 1_250, "moderation_latency": 50,
    "generation_time": 1_200, "finish_reason": "stop", "tokens_prompt": 11,
    "tokens_completion": 26, "native_tokens_prompt": 10, "native_tokens_completion": 25,
    "native_tokens_reasoning": 5, "native_tokens_cached": 3, "native_tokens_completion_images": 0,
    "usage": 0.0015, "is_byok": False, "external_user": "ana", "service_tier": "priority",
}  # fmt: skip
DAY: Final[Row] = {
    "date": "2026-05-01", "model": "openai/gpt-4.1", "model_permaslug": "openai/gpt-4.1-2025-04-14",
    "endpoint_id": "550e8400", "provider_name": "OpenAI", "usage": 0.015,
    "byok_usage_inference": 0.012, "requests": 5, "prompt_tokens": 50, "completion_tokens": 125,
    "reasoning_tokens": 25,
}  # fmt: skip


def test_a_generation() -> None:
    event = one("openrouter_generation", {"data": GENERATION})
    assert event == one("openrouter_generation", GENERATION)
    assert [event[name] for name in TOKENS] == [7, 3, None, 25]
    assert (event["cost_nano"], event["reasoning_tokens"]) == (1_500_000, 5)
    assert (event["user"], event["provider"], event["duration_ms"]) == ("ana", "openrouter", 1_200)
    assert (event["service_tier"], event["event_id"]) == ("priority", "openrouter:gen-1")


def test_a_generation_in_each_service_tier() -> None:
    tiers = {"default": "standard", " Flex ": "flex", "auto": None, None: None}
    for told, tier in tiers.items():
        event = one("openrouter_generation", GENERATION | {"service_tier": told})
        assert (event["service_tier"], event["cost_nano"]) == (tier, 1_500_000)
    scale = GENERATION | {"service_tier": "scale", "total_cost": None}
    event = one("openrouter_generation", scale)
    assert (event["cost_nano"], event["unpriced_reason"]) == (None, "no rate for scale")


def test_a_generation_is_the_same_in_the_activity_csv(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "activity.csv").write_text(table(ROUTED))
    (tmp_path / "gen-1.json").write_text(json.dumps({"data": GENERATION}))
    report = ingest_paths([tmp_path], store)
    assert (report.accepted, report.duplicates) == (1, 1)


def test_how_generations_end() -> None:
    stopped = one("openrouter_generation", GENERATION | {"cancelled": True})
    failed = one("openrouter_generation", GENERATION | {"finish_reason": "error"})
    assert (stopped["status"], failed["status"]) == ("aborted", "error")


def test_activity_of_a_day() -> None:
    (event,) = made("openrouter_activity", json.dumps({"data": [DAY]}).encode())
    assert [event[name] for name in TOKENS] == [50, None, None, 125]
    assert (event["request_count"], event["cost_nano"]) == (5, 15_000_000)
    assert event["ts"] == 1_777_593_600_000_000
    assert json.loads(event["tags"])["byok_usage_inference"] == "0.012"


def test_a_day_that_is_not_over_is_left_for_later() -> None:
    now = DAY | {"date": datetime.now(UTC).date().isoformat()}
    (note,) = made("openrouter_activity", json.dumps({"data": [now]}).encode())
    assert "not over" in note.text


# Helicone

HELICONE: Final[Row] = {
    "response_id": "r-1", "response_created_at": "2026-05-01T10:00:02Z", "response_status": 200,
    "response_model": "gpt-4o-2024-08-06", "request_id": "q-1", "request_path": "/v1/chat",
    "request_created_at": "2026-05-01T10:00:00.000Z", "request_user_id": "ana",
    "request_properties": {"Helicone-Session-Id": "s-1"}, "request_model": "gpt-4o",
    "provider": "OPENAI", "delay_ms": 1_900, "time_to_first_token": 300, "total_tokens": 180,
    "prompt_tokens": 100, "prompt_cache_read_tokens": 40, "prompt_cache_write_tokens": 0,
    "completion_tokens": 60, "reasoning_tokens": 20, "costUSD": 0.0123, "cost": 0.0123,
    "cache_reference_id": "00000000-0000-0000-0000-000000000000", "request_body": {},
}  # fmt: skip
HELICONE_CSV: Final[Row] = {
    "response_id": "r-1", "response_created_at": "2026-05-01T10:00:02Z", "response_status": "200",
    "request_created_at": "2026-05-01T10:00:00.000Z", "request_body": "",
    "request_properties": '{"Helicone-Session-Id": "s-1"}', "request_user_id": "ana",
    "model": "gpt-4o", "prompt_tokens": "100", "completion_tokens": "60", "latency": "1900",
    "cost": "0.0123",
}  # fmt: skip


def test_a_request_of_helicone() -> None:
    event = one("helicone", HELICONE)
    assert [event[name] for name in TOKENS] == [100, 40, 0, 80]
    assert (event["reasoning_tokens"], event["cost_nano"]) == (20, 12_300_000)
    assert (event["user"], event["conversation_id"]) == ("ana", "s-1")
    assert (event["provider"], event["model"]) == ("openai", "gpt-4o-2024-08-06")
    assert (event["duration_ms"], event["ttft_ms"], event["status"]) == (1_900, 300, "ok")


def test_reasoning_inside_the_completion_is_not_added() -> None:
    assert one("helicone", HELICONE | {"total_tokens": 160})["output_tokens"] == 60


def test_helicones_csv_is_the_same_request(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "a.csv").write_text(table(HELICONE_CSV))
    (tmp_path / "b.jsonl").write_bytes(jsonl(HELICONE))
    report = ingest_paths([tmp_path], store)
    assert (report.format, report.accepted, report.duplicates) == ("helicone", 1, 1)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [(429, "error", "429"), (-3, "aborted", None), (-4, "error", "-4"), (200, "ok", None)],
)
def test_how_requests_of_helicone_end(code: int, status: str, error: str | None) -> None:
    event = one("helicone", HELICONE | {"response_status": code})
    assert (event["status"], event["error_class"]) == (status, error)


def test_a_request_still_running_is_a_note() -> None:
    (note,) = made("helicone", jsonl(HELICONE | {"response_status": -2}))
    assert isinstance(note, Note)


def test_a_cost_of_zero_is_free_and_none_is_open() -> None:
    assert one("helicone", HELICONE | {"costUSD": 0, "cost": 0})["cost_nano"] == 0
    event = one("helicone", HELICONE | {"costUSD": None, "cost": None})
    assert event["cost_origin"] == "list"


# Portkey

PORTKEY: Final[Row] = {
    "id": "pk-1", "trace_id": "t-1", "created_at": "2026-08-10T12:00:00Z", "ai_org": "openai",
    "ai_model": "gpt-5", "cost": 12.5, "cost_currency": "USD", "req_units": 100, "res_units": 40,
    "total_units": 140, "response_time": 850, "response_status_code": 200, "is_success": True,
    "metadata": {"_user": "ana", "workflow_name": "news"}, "request": {}, "response": {},
}  # fmt: skip


def test_a_request_of_portkey() -> None:
    event = one("portkey", PORTKEY)
    assert [event[name] for name in TOKENS] == [100, None, None, 40]
    assert (event["cost_nano"], event["user"], event["run_id"]) == (125_000_000, "ana", "t-1")
    assert (event["provider"], event["model"], event["duration_ms"]) == ("openai", "gpt-5", 850)


def test_a_response_tells_cached_tokens() -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 40,
             "prompt_tokens_details": {"cached_tokens": 60}}  # fmt: skip
    event = one("portkey", PORTKEY | {"response": json.dumps({"usage": usage})})
    assert [event[name] for name in TOKENS] == [40, 60, None, 40]


@pytest.mark.parametrize(
    "told",
    ["2026-08-10T05:00:00-07:00", 1_786_363_200, 1_786_363_200_000, "1786363200000",
     "Mon Aug 10 2026 12:00:00 GMT+0000 (Coordinated Universal Time)",
     "Mon Aug 10 2026 04:00:00 GMT-0800 (Pacific Standard Time)"],
)  # fmt: skip
def test_times_of_portkey(told: Any) -> None:
    assert one("portkey", PORTKEY | {"created_at": told})["ts"] == 1_786_363_200_000_000


def test_failures_and_money_of_portkey() -> None:
    failed = one("portkey", PORTKEY | {"response_status_code": 500})
    silent = one("portkey", PORTKEY | {"response_status_code": None, "is_success": False})
    assert (failed["status"], failed["error_class"], silent["status"]) == ("error", "500", "error")
    (call,) = made("portkey", jsonl(PORTKEY | {"cost_currency": "EUR"}))
    assert (call["cost_nano"], call["unpriced_reason"]) == (None, "in another currency")
    assert json.loads(call["tags"])["amount"] == "0.125"
    usage = {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}
    cached = {"cost_currency": "EUR", "response": json.dumps({"usage": usage})}
    (call,) = made("portkey", jsonl(PORTKEY | cached))
    assert (call["input_tokens"], call["cached_input_tokens"], call["cost_nano"]) == (5, 9, None)


# Azure OpenAI

AZURE: Final[Row] = {
    "Tenant": "eastus", "callerIpAddress": "81.2.69.***", "category": "RequestResponse",
    "correlationId": "d427a391", "durationMs": 1_021, "event": "ShoeboxCallResult",
    "location": "eastus", "operationName": "ChatCompletions_Create",
    "properties": {
        "apiName": "Azure OpenAI API version 2023-07-01-preview", "objectId": "o-1",
        "requestTime": 638_515_262_815_394_150, "requestLength": 128, "responseLength": 1_411,
        "modelDeploymentName": "pilot", "modelName": "gpt-35-turbo", "modelVersion": "0301",
    },
    "resourceId": "/SUBSCRIPTIONS/1/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/TEAM-A",
    "resultSignature": "200", "time": "2026-05-24T12:23:02.4350000Z",
}  # fmt: skip


def test_a_call_of_azure_openai_tells_no_tokens() -> None:
    event = one("azure_openai", AZURE)
    assert {event[name] for name in (*TOKENS, "cost_nano")} == {None}
    assert event["unpriced_reason"] == "no token counts"
    assert (event["project"], event["user"], event["duration_ms"]) == ("TEAM-A", "o-1", 1_021)
    assert (event["provider"], event["model"], event["operation"]) == (
        "azure", "gpt-35-turbo", "chat",
    )  # fmt: skip
    spelled = AZURE | {"properties": json.dumps(AZURE["properties"]), "durationMs": -1}
    assert one("azure_openai", spelled)["event_id"] == event["event_id"]
    assert one("azure_openai", spelled)["duration_ms"] is None
    assert one("azure_openai", {"records": [AZURE]}) == event
    _, note = made("azure_openai", jsonl(AZURE))
    assert note.text.startswith("Azure's request logs tell no tokens")


def test_what_calls_no_model_is_no_call() -> None:
    threads = AZURE | {"operationName": "Create_Thread", "properties": '{"objectId": ""}'}
    audit = AZURE | {"category": "Audit"}
    notes = made("azure_openai", jsonl(AZURE, threads, audit))[2:]
    assert all(isinstance(note, Note) for note in notes)
    throttled = one("azure_openai", AZURE | {"resultSignature": "429"})
    assert (throttled["status"], throttled["error_class"]) == ("error", "429")


GATEWAY: Final[Row] = {
    "Level": 4, "category": "GatewayLogs", "correlationId": "99789635", "durationMs": 176,
    "isRequestSuccess": True, "operationName": "Microsoft.ApiManagement/GatewayLogs",
    "properties": {
        "apiId": "azure-openai-service-api", "operationId": "ChatCompletions_Create",
        "backendResponseCode": 200, "responseCode": 200,
        "backendResponseBody": json.dumps({
            "id": "chatcmpl-9", "created": 1_719_901_891, "model": "gpt-4o-mini", "choices": [],
            "object": "chat.completion",
            "usage": {"completion_tokens": 8, "prompt_tokens": 14, "total_tokens": 22},
        }),
    },
    "resourceId": "/SUBSCRIPTIONS/1/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/APIM",
    "resultType": "Succeeded", "time": "2026-05-02T06:31:31.4465902Z",
}  # fmt: skip


def gateway(**properties: Any) -> Event:
    return one("azure_openai", GATEWAY | {"properties": GATEWAY["properties"] | properties})


def test_a_gateway_that_logs_bodies_tells_tokens() -> None:
    event = gateway()
    assert [event[name] for name in TOKENS] == [14, None, None, 8]
    assert (event["event_id"], event["cost_origin"]) == ("azure_openai:chatcmpl-9", "list")
    assert (event["model"], event["project"], event["operation"]) == ("gpt-4o-mini", "APIM", "chat")


def test_a_gateways_stream_and_failure() -> None:
    stream = gateway(backendResponseBody="data: {}\n\ndata: [DONE]")
    assert {stream[name] for name in (*TOKENS, "cost_nano")} == {None}
    failed = gateway(backendResponseBody=json.dumps({"error": {"code": "content_filter"}}),
                     responseCode=400)  # fmt: skip
    assert (failed["status"], failed["error_class"]) == ("error", "400")
    assert stream["event_id"] == failed["event_id"]
    (note,) = made("azure_openai", jsonl(GATEWAY | {"properties": {"operationId": "health"}}))
    assert isinstance(note, Note)


# Vertex AI

VERTEX: Final[Row] = {
    "endpoint": "projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro",
    "deployed_model_id": "", "logging_time": "2026-05-08T21:04:22.248Z",
    "request_id": 5_374_205_265_901_353_984, "model": "publishers/google/models/gemini-2.5-pro",
    "model_version": "default", "api_method": "GenerateContent",
    "full_request": {"labels": {"adk_agent_name": "helper"}, "contents": []},
    "full_response": {
        "modelVersion": "gemini-2.5-pro", "responseId": "y0S",
        "usageMetadata": {
            "promptTokenCount": 30, "cachedContentTokenCount": 10, "candidatesTokenCount": 29,
            "thoughtsTokenCount": 901, "totalTokenCount": 960, "trafficType": "ON_DEMAND",
        },
    },
    "metadata": {"request_latency": 11_225.994},
}  # fmt: skip


def vertex(**response: Any) -> Event:
    return one("vertex", VERTEX | {"full_response": VERTEX["full_response"] | response})


def test_a_call_of_vertex() -> None:
    event = one("vertex", VERTEX)
    assert [event[name] for name in TOKENS] == [20, 10, None, 930]
    assert (event["reasoning_tokens"], event["duration_ms"]) == (901, 11_226)
    assert (event["event_id"], event["model"]) == ("vertex:5374205265901353984", "gemini-2.5-pro")
    assert (event["assistant"], event["cost_origin"]) == ("helper", "list")


def test_the_same_as_text_in_snake_case_or_as_a_stream() -> None:
    event = one("vertex", VERTEX)
    answer = VERTEX["full_response"]
    names = {"promptTokenCount": "prompt_token_count", "trafficType": "traffic_type",
             "cachedContentTokenCount": "cached_content_token_count",
             "candidatesTokenCount": "candidates_token_count",
             "thoughtsTokenCount": "thoughts_token_count",
             "totalTokenCount": "total_token_count"}  # fmt: skip
    usage = answer["usageMetadata"]
    snake = {"usage_metadata": {other: usage[name] for name, other in names.items()}}
    begun = {"usageMetadata": {"promptTokenCount": 30, "candidatesTokenCount": 1}}
    for spelled in (json.dumps(answer), snake, [begun, answer, {"candidates": []}]):
        assert one("vertex", VERTEX | {"full_response": spelled}) == event


def test_claude_on_vertex_and_provisioned_traffic() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 7}
    claude = one("vertex", VERTEX | {
        "model": "publishers/anthropic/models/claude-sonnet-4-5", "api_method": "rawPredict",
        "full_response": {"usage": usage, "model": "claude-sonnet-4-5"}})  # fmt: skip
    assert [claude[name] for name in TOKENS] == [5, 100, None, 7]
    traffic = VERTEX["full_response"]["usageMetadata"] | {"trafficType": "PROVISIONED_THROUGHPUT"}
    assert vertex(usageMetadata=traffic)["unpriced_reason"] == "no rate for provisioned throughput"
    failed = vertex(usageMetadata={}, error={"code": 429, "status": "RESOURCE_EXHAUSTED"})
    assert (failed["status"], failed["error_class"]) == ("error", "RESOURCE_EXHAUSTED")


EXAMPLES: Final = {
    "openrouter_generation": json.dumps({"data": GENERATION}).encode(),
    "openrouter_activity": json.dumps({"data": [DAY]}).encode(),
    "helicone": jsonl(HELICONE),
    "portkey": jsonl(PORTKEY),
    "azure_openai": jsonl(AZURE),
    "vertex": jsonl(VERTEX),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_is_recognised_and_stored_once(name: str, tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "f.json").write_bytes(EXAMPLES[name])
    (found,) = find([tmp_path])
    assert found.format is formats()[name]
    assert ingest_paths([tmp_path], store).accepted == 1
    (tmp_path / "g.json").write_bytes(EXAMPLES[name])
    assert ingest_paths([tmp_path], store).accepted == 0
