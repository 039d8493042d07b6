"""Results of batches of OpenAI, Anthropic and Google: exact, once, never at the list price."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError, SourceError
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import File, Options, find, formats, read
from data.sources.events import event_of

Row = dict[str, Any]
START: Final = datetime(2026, 5, 1, tzinfo=UTC)
CHAT: Final[Row] = {
    "id": "batch_req_1",
    "custom_id": "a",
    "response": {
        "status_code": 200,
        "request_id": "r1",
        "body": {
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_777_000_000,
            "model": "gpt-4o-mini-2024-07-18", "choices": [],
            "usage": {
                "prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 100, "audio_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 2},
            },
        },
    },
    "error": None,
}  # fmt: skip
MESSAGE: Final[Row] = {
    "custom_id": "a",
    "result": {
        "type": "succeeded",
        "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
            "content": [], "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 11, "cache_creation_input_tokens": 300,
                "cache_read_input_tokens": 2_000, "output_tokens": 36, "service_tier": "batch",
                "cache_creation": {"ephemeral_1h_input_tokens": 200},
                "server_tool_use": {"web_search_requests": 3},
            },
        },
    },
}  # fmt: skip


PREDICTED: Final[Row] = {
    "status": "", "processed_time": "2026-05-01T18:13:16.826+00:00", "request": {"contents": []},
    "response": {
        "candidates": [], "modelVersion": "gemini-2.5-flash@default",
        "usageMetadata": {
            "promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 20,
            "thoughtsTokenCount": 30, "totalTokenCount": 150,
        },
    },
}  # fmt: skip


def answered(**body: Any) -> Row:
    """A line whose answer differs."""
    response = CHAT["response"]
    return CHAT | {"response": response | {"body": response["body"] | body}}


def batch_lines(*rows: Row) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def events_of(*rows: Row, name: str, start: datetime | None = START) -> list[Event]:
    file = File("results.jsonl", body=batch_lines(*rows))
    return [event_of(raw) for _, raw in formats()[name].read(file, Options(start=start))]  # type: ignore[arg-type]


def openai(*rows: Row) -> list[Event]:
    return events_of(*rows, name="openai_batch")


def anthropic(*rows: Row) -> list[Event]:
    return events_of(*rows, name="anthropic_batch")


AUDIO: Final = "no rate for audio input"


def test_an_answer_of_a_chat_completion() -> None:
    (event,) = openai(CHAT)
    assert [event[name] for name in TOKENS] == [20, 100, None, 30]
    assert event["reasoning_tokens"] == 12
    assert (event["event_id"], event["provider"]) == ("openai_batch:batch_req_1", "openai")
    assert event["ts"] == 1_777_000_000_000_000
    assert (event["service_tier"], event["unpriced_reason"]) == ("batch", AUDIO)
    assert (event["input_audio_tokens"], event["output_audio_tokens"]) == (4, 2)
    assert json.loads(event["tags"]) == {"custom_id": "a"}


def test_an_answer_of_the_responses_api_and_embeddings() -> None:
    told = {"input_tokens": 50, "input_tokens_details": {"cached_tokens": 10}, "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 3}}  # fmt: skip
    one = answered(object="response", created=None, created_at=1_777_000_060, usage=told)
    many = answered(object="list", created=None, model="text-embedding-3-small",
                    usage={"prompt_tokens": 8, "total_tokens": 8})  # fmt: skip
    response, embedding = openai(one, many)
    assert [response[name] for name in TOKENS] == [40, 10, None, 7]
    assert (response["ts"], response["operation"]) == (1_777_000_060_000_000, "chat")
    assert [embedding[name] for name in TOKENS] == [8, None, None, None]
    assert (embedding["ts"], embedding["operation"]) == (1_777_593_600_000_000, "embeddings")


def test_failures_are_failed_calls() -> None:
    refused = CHAT | {"response": {"status_code": 400, "request_id": "r2", "body": {
        "error": {"code": "invalid_value", "type": "invalid_request_error"}}}}  # fmt: skip
    late = CHAT | {"response": None, "error": {"code": "batch_expired", "message": "."}}
    bare = CHAT | {"response": {"status_code": 500, "body": {}}}
    events = openai(refused, late, bare)
    assert [event["status"] for event in events] == ["error"] * 3
    assert [event["error_class"] for event in events] == ["invalid_value", "batch_expired", "500"]
    assert {event["input_tokens"] for event in events} == {None}


def test_others_write_the_same_lines() -> None:
    azure = answered(prompt_filter_results=[])
    mistral = answered(model="mistral-small-latest") | {"id": None}
    (one, two) = openai(azure, mistral)
    assert (one["provider"], two["provider"]) == ("azure", None)
    assert two["event_id"] == "openai_batch:r1"


def test_what_tells_no_time_needs_a_start() -> None:
    with pytest.raises(EventError, match="give when its batch ran with --start"):
        events_of(answered(created=None), name="openai_batch", start=None)


def test_an_answer_of_a_message_batch() -> None:
    (event,) = anthropic(MESSAGE)
    assert [event[name] for name in TOKENS] == [11, 2_000, 300, 36]
    assert (event["event_id"], event["ts"]) == ("anthropic_batch:msg_1", 1_777_593_600_000_000)
    assert (event["provider"], event["model"]) == ("anthropic", "claude-sonnet-4-5")
    assert (event["service_tier"], event["cost_origin"]) == ("batch", "list")
    assert event["cost_nano"] == (
        11 * 1_500 + 2_000 * 150 + 100 * 1_875 + 200 * 3_000 + 36 * 7_500 + 3 * 10_000_000
    )
    assert (event["cache_write_1h_tokens"], event["web_searches"]) == (200, 3)


def test_inference_in_the_us_alone_has_no_price_in_a_batch_either() -> None:
    result = {**MESSAGE["result"], "message": {**MESSAGE["result"]["message"]}}
    result["message"]["usage"] = {**result["message"]["usage"], "inference_geo": "us"}
    (event,) = anthropic({**MESSAGE, "result": result})
    assert (event["cost_nano"], event["unpriced_reason"]) == (None, "no rate for US inference")


def test_how_requests_of_a_message_batch_end() -> None:
    wrapped = {"type": "error", "error": {"type": "invalid_request_error", "message": "."}}
    rows = [
        {"custom_id": "b", "result": {"type": "errored", "error": wrapped}},
        {"custom_id": "c", "result": {"type": "errored", "error": wrapped["error"]}},
        {"custom_id": "d", "result": {"type": "expired"}},
        {"custom_id": "e", "result": {"type": "canceled"}},
    ]
    events = anthropic(*rows)
    assert [(event["status"], event["error_class"]) for event in events] == [
        ("error", "invalid_request_error"), ("error", "invalid_request_error"),
        ("error", "expired"), ("aborted", "canceled"),
    ]  # fmt: skip
    assert len({event["event_id"] for event in events}) == 4
    assert [one["event_id"] for one in anthropic(*rows)] == [one["event_id"] for one in events]


def test_without_a_start_the_file_is_refused_in_one_sentence(
    tmp_path: Path, store: EventStore
) -> None:
    (tmp_path / "results.jsonl").write_bytes(batch_lines(MESSAGE))
    sentence = r"Anthropic's batch results: no dates in it, give its first instant with --start"
    with pytest.raises(SourceError, match=sentence):
        find([tmp_path])
    report = ingest_paths([tmp_path], store, Options(start=START))
    assert (report.format, report.accepted, report.tokens) == ("anthropic_batch", 1, 2_347)
    assert ingest_paths([tmp_path], store, Options(start=START)).duplicates == 1


def test_a_first_line_longer_than_is_looked_at(tmp_path: Path) -> None:
    vectors = answered(object="list", data=["0.1" * 200_000])
    (tmp_path / "embeddings.jsonl").write_bytes(batch_lines(vectors))
    (found,) = find([tmp_path])
    assert found.format is formats()["openai_batch"]


def test_what_was_asked_is_no_result(tmp_path: Path) -> None:
    asked = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}
    (tmp_path / "input.jsonl").write_bytes(batch_lines(asked))
    with pytest.raises(SourceError, match="import its output file"):
        list(read(find([tmp_path]), Options()))


def google(*rows: Row, start: datetime | None = None) -> list[Event]:
    return events_of(*rows, name="gemini_batch", start=start)


def test_a_prediction_of_vertex() -> None:
    (event,) = google(PREDICTED)
    assert [event[name] for name in TOKENS] == [60, 40, None, 50]
    assert (event["model"], event["provider"]) == ("gemini-2.5-flash", "gcp.vertex_ai")
    assert (event["service_tier"], event["cost_nano"]) == ("batch", 60 * 150 + 40 * 30 + 50 * 1_250)
    assert google(PREDICTED)[0]["event_id"] == event["event_id"]
    failed = google(PREDICTED | {"status": "Bad Request: no", "response": {}})[0]
    assert (failed["status"], failed["error_class"]) == ("error", "Bad Request")


def test_a_result_of_the_gemini_api(tmp_path: Path, store: EventStore) -> None:
    line = {"key": "k-1", "response": PREDICTED["response"] | {"responseId": "y0S"}}
    with pytest.raises(EventError, match="--start"):
        google(line)
    (event,) = google(line, start=START)
    assert (event["event_id"], event["provider"]) == ("gemini_batch:y0S", "google")
    refused = {"key": "k-2", "error": {"code": 400, "status": "INVALID_ARGUMENT"}}
    assert google(refused, start=START)[0]["error_class"] == "INVALID_ARGUMENT"
    (tmp_path / "results.jsonl").write_bytes(batch_lines(line, refused))
    report = ingest_paths([tmp_path], store, Options(start=START))
    assert (report.format, report.accepted, report.tokens) == ("gemini_batch", 2, 150)
