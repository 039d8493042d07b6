"""One number that cannot be loses no call: it is kept with what is right of it, and a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.doubts import DOUBTS, NO_QUANTITY, NO_REQUESTS, NO_TIME, UNKNOWN_COUNT
from data.ingest import importing
from data.ingest.importing import ingest_paths
from data.ingest.keys import UNNAMED
from data.ingest.requests import LocalRequestParser
from data.prices.book import public
from data.sources import Options, find, read
from data.sources.events import COST_UNKNOWN
from data.sources.langfuse.usage import APART
from data.sources.litellm.no_calls import (
    CREATED,
    CREATED_COST,
    RETRIEVED,
    RETRIEVED_COST,
)
from data.sources.report import Report
from tests.cli_logs import stored
from tests.engines.test_parquet_load import written
from tests.serving import KEY, serving
from tests.sources.test_bills import CHARGE
from tests.sources.test_gateways import PORTKEY
from tests.sources.test_otlp_logs import COMPLETED, log
from tests.sources.test_otlp_spans import CHAT, one, request, span
from tests.sources.test_span_files import zipkin
from tests.sources.test_vendor_sources import CURSOR, GENERATION, TRACE
from tests.sources.test_vendor_usage import table

CALL: Final = {
    "request_id": "r1", "call_type": "acompletion", "startTime": "2026-11-20T12:00:00Z",
    "model": "gpt-4o", "custom_llm_provider": "openai", "spend": 0.25, "status": "success",
    "prompt_tokens": 100, "completion_tokens": 10,
}  # fmt: skip


def imported(folder: Path, store: EventStore, rows: list[dict[str, Any]]) -> Report:
    path = folder / "rows.json"
    path.write_text(json.dumps(rows))
    return ingest_paths([path], store)


@pytest.mark.parametrize("spend", [-0.1, "-0.1", "NaN", "1e400", 1e12, float("inf"), "-Infinity"])
def test_a_cost_that_cannot_be_is_unknown(spend: Any, tmp_path: Path, store: EventStore) -> None:
    bad = CALL | {"request_id": "r2", "spend": spend}
    report = imported(tmp_path, store, [CALL, bad])
    assert report.rejections == []
    assert report.notes == {COST_UNKNOWN: 1}
    assert stored(store, "cost_nano", "cost_origin", "input_tokens", "output_tokens") == [
        (250_000_000, "reported", 100, 10), (None, "unpriced", 100, 10),
    ]  # fmt: skip


def test_it_is_so_of_our_own_events_too(tmp_path: Path, store: EventStore) -> None:
    event = {"event_id": "a", "ts": "2026-11-20T12:00:00Z", "kind": "llm", "model": "gpt-4o"}
    report = imported(tmp_path, store, [event | {"cost": -1, "input_tokens": 7}])
    assert (report.accepted, report.notes) == (1, {COST_UNKNOWN: 1})
    assert stored(store, "cost_origin", "input_tokens") == [("unpriced", 7)]


@pytest.mark.parametrize(
    ("cached", "written", "fresh"), [(101, 0, 100), (0, 101, 100), (60, 60, 40), (101, 101, 100)]
)
def test_more_cached_than_prompt_is_counted_apart(
    cached: int, written: int, fresh: int, tmp_path: Path, store: EventStore
) -> None:
    usage = {"cache_read_input_tokens": cached, "cache_creation_input_tokens": written}
    row = CALL | {"metadata": {"usage_object": usage}}
    report = imported(tmp_path, store, [row])
    assert report.notes == {
        "prompt_tokens are fewer than the cached tokens: taken as counted apart from them": 1
    }
    names = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    assert stored(store, *names) == [(fresh, cached, written, 10)]


@pytest.mark.parametrize(
    "kind",
    ["aget_responses", "aretrieve_batch", "list_batches", "alist_input_items", "acancel_batch",
     "afile_content", "adelete_responses", "avideo_status"],
)  # fmt: skip
def test_what_only_asks_for_a_result_is_no_call(
    kind: str, tmp_path: Path, store: EventStore
) -> None:
    asks = [CALL | {"request_id": f"q{n}", "call_type": kind, "spend": 0.0} for n in range(3)]
    report = imported(tmp_path, store, [CALL, *asks])
    assert (report.read, report.accepted) == (1, 1)
    assert report.notes == {RETRIEVED.format(kind): 3}


def test_the_money_of_retrievals_is_named(tmp_path: Path, store: EventStore) -> None:
    spends: dict[str, list[Any]] = {
        "aretrieve_batch": [0.5, 0.5, 0],
        "aget_responses": [0.125],
        "list_batches": ["much"],
    }
    rows = [CALL | {"request_id": f"{kind}{n}", "call_type": kind, "spend": spend}
            for kind, some in spends.items() for n, spend in enumerate(some)]  # fmt: skip
    report = imported(tmp_path, store, [CALL, *rows])
    assert (report.read, report.cost_nano) == (1, 250_000_000)
    assert report.notes == {
        RETRIEVED.format("aretrieve_batch"): 1,
        RETRIEVED.format("list_batches"): 1,
        RETRIEVED_COST.format("aretrieve_batch", 2, 1): 1,
        RETRIEVED_COST.format("aget_responses", 1, 0.125): 1,
    }


NO_TOKENS: Final = {"spend": 0, "prompt_tokens": 0, "completion_tokens": 0}


@pytest.mark.parametrize(
    "kind",
    ["acreate_batch", "create_batch", "acreate_file", "create_file", "avector_store_create",
     "vector_store_search", "avector_store_file_create", "avector_store_file_update",
     "acreate_fine_tuning_job", "create_assistants", "acreate_thread", "a_add_message",
     "acreate_container", "aupload_container_file", "create_sandbox", "acreate_skill"],
)  # fmt: skip
def test_what_only_creates_something_is_no_call(
    kind: str, tmp_path: Path, store: EventStore
) -> None:
    row = CALL | {"call_type": kind}
    rows = [row | NO_TOKENS | {"request_id": f"c{n}", "spend": n * 0.5} for n in range(3)]
    report = imported(tmp_path, store, [CALL, *rows, row | {"request_id": "c4"}])
    assert (report.read, report.accepted, report.cost_nano) == (2, 2, 500_000_000)
    assert report.notes == {CREATED.format(kind): 1, CREATED_COST.format(kind, 2, 1.5): 1}


@pytest.mark.parametrize(
    "kind",
    ["acompletion", "aresponses", "create_video", "acreate_interaction", "arun_thread", "rerank",
     "asearch", "call_mcp_tool", ""],
)  # fmt: skip
def test_what_calls_a_model_is_a_call(kind: str, tmp_path: Path, store: EventStore) -> None:
    assert imported(tmp_path, store, [CALL | NO_TOKENS | {"call_type": kind}]).accepted == 1


OURS: Final = {"ts": "2026-11-20T12:00:00Z", "kind": "llm", "model": "gpt-4o", "output_tokens": 5}
NEVER: Final = [-1, 1.5, "many", "-3", True, [1], 10**16, 10**40, "1e999999999", "NaN"]


def note_on(*names: str) -> dict[str, int]:
    return {UNKNOWN_COUNT.format(name): 1 for name in names}


@pytest.mark.parametrize("value", NEVER)
@pytest.mark.parametrize("name", ["input_tokens", "web_searches", "duration_ms", "request_count"])
def test_a_count_that_is_none_is_unknown(
    name: str, value: Any, tmp_path: Path, store: EventStore
) -> None:
    report = imported(tmp_path, store, [OURS | {"event_id": "a", name: value}])
    assert (report.rejections, report.notes) == ([], note_on(name))
    assert stored(store, name, "output_tokens") == [(None, 5)]


def test_lines_that_are_none_leave_their_session(tmp_path: Path, store: EventStore) -> None:
    session = {"event_id": "s", "ts": "2026-11-20", "kind": "session", "duration_ms": 9}
    report = imported(tmp_path, store, [session | {"lines_added": -4, "lines_removed": 2}])
    assert report.notes == note_on("lines_added")
    assert stored(store, "lines_added", "lines_removed", "duration_ms") == [(None, 2, 9)]


def test_a_sum_of_no_request_is_one(tmp_path: Path, store: EventStore) -> None:
    report = imported(tmp_path, store, [OURS | {"event_id": "a", "request_count": 0}])
    assert report.notes == {NO_REQUESTS: 1}
    assert stored(store, "request_count") == [(None,)]


@pytest.mark.parametrize("road", ["csv", "columns", "parquet", "posted"])
def test_every_road_keeps_the_call(
    road: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LEAST", 1 if road == "columns" else 10**9)
    bad = OURS | {"event_id": "bad", "input_tokens": -1, "duration_ms": 1.5}
    rows = [OURS | {"event_id": f"good {n}", "input_tokens": 7, "duration_ms": 1.0}
            for n in range(3)] + [bad]  # fmt: skip
    with serving(tmp_path / "var") as served:
        if road == "posted":
            headers = {"Authorization": f"Bearer {KEY}"}
            answer = served.client.post("/api/v1/events", data=json.dumps(rows), headers=headers)
            report: Any = answer.json
        else:
            report = ingest_paths([file_of(road, tmp_path, rows)], served.store).as_dict()
        assert (report["accepted"], report["rejected"]) == (4, 0)
        noted = {note["what"]: note["times"] for note in report["notes"]}
        assert noted == note_on("input_tokens", "duration_ms")
        found = stored(served.store, "event_id", "input_tokens", "duration_ms", "output_tokens")
        assert sorted(found)[0] == ("bad", None, None, 5)
        assert sorted(found)[1:] == [(f"good {n}", 7, 1, 5) for n in range(3)]


def file_of(road: str, folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = (
        folder / f"rows.{'parquet' if road == 'parquet' else 'csv' if road == 'csv' else 'ndjson'}"
    )
    if road == "parquet":
        kinds = {
            "event_id": "VARCHAR",
            "ts": "VARCHAR",
            "kind": "VARCHAR",
            "model": "VARCHAR",
            "output_tokens": "BIGINT",
            "input_tokens": "BIGINT",
            "duration_ms": "DOUBLE",
        }
        return written(path, kinds, [tuple(row[name] for name in kinds) for row in rows])
    if road == "csv":
        lines = [",".join(rows[0]), *(",".join(str(row[key]) for key in rows[0]) for row in rows)]
        path.write_text("\n".join(lines))
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.parametrize(("change", "name"), [
    ({"prompt_tokens": -1}, "prompt_tokens"), ({"prompt_tokens": "many"}, "prompt_tokens"),
])  # fmt: skip
def test_a_gateways_row_keeps_its_cost(
    change: dict[str, Any], name: str, tmp_path: Path, store: EventStore
) -> None:
    report = imported(tmp_path, store, [CALL | change])
    assert (report.rejections, report.notes) == ([], note_on(name))
    assert stored(store, "input_tokens", "output_tokens", "cost_nano") == [(None, 10, 250_000_000)]


def test_spans_and_logs_keep_their_call() -> None:
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": 5}  # fmt: skip
    logged = COMPLETED | {"input_token_count": "many", "cached_token_count": "0"}
    asked = {"traces": {"resourceSpans": [request(span(told))]}, "logs": {"resourceLogs": [
        {"scopeLogs": [{"scope": {"name": "s"}, "logRecords": [log(logged)]}]}]}}  # fmt: skip
    parser = LocalRequestParser(public)
    parsed = [parser.otlp(signal, json.dumps(body).encode(), True, 9, UNNAMED)
              for signal, body in asked.items()]  # fmt: skip
    calls = [event for one in parsed for event in one.events]
    found = [(call["input_tokens"], call["output_tokens"]) for call in calls]
    assert found == [(None, 5), (None, 20)]
    noted = [one.report.notes for one in parsed]
    assert noted == [note_on("gen_ai.usage.input_tokens"), note_on("input_token_count")]


def test_what_nobody_took_is_no_note_of_the_next_import(tmp_path: Path, store: EventStore) -> None:
    DOUBTS.unknown("left")
    assert imported(tmp_path, store, [OURS | {"event_id": "a"}]).notes == {}


def test_langfuse_keeps_a_call_whose_parts_exceed_their_whole(
    tmp_path: Path, store: EventStore
) -> None:
    observation: dict[str, Any] = {
        "id": "o",
        "traceId": "t",
        "type": "GENERATION",
        "model": "gpt-4o",
        "startTime": "2026-11-20T12:00:00Z",
        "endTime": "2026-11-20T12:00:01Z",
    }
    more = {"input": 5, "input_cached_tokens": 9, "output": 0, "total": 5}
    none = {"input": -1, "output": 3}
    rows = [observation | {"usageDetails": more},
            observation | {"id": "p", "usageDetails": none}]  # fmt: skip
    report = imported(tmp_path, store, rows)
    assert report.rejections == []
    assert report.notes == {APART: 1} | note_on("usageDetails input")
    assert stored(store, "input_tokens", "cached_input_tokens", "output_tokens") == [
        (5, 9, 0), (None, None, 3),
    ]  # fmt: skip


Row = dict[str, Any]
PREMIUM: Final = {
    "Timestamp": "2025-06-20T15:41:12.4447630Z", "User": "ana", "Model": "claude-sonnet-4",
    "Requests Used": "0.33", "Exceeds Monthly Quota": "False", "Total Monthly Quota": "1000",
}  # fmt: skip
PAYLOAD: Final = CALL | {"id": "p1", "response_cost": 0.25, "startTime": 1_795_350_580.5}
AIDER: Final = {"event": "message_send", "time": 1_795_350_580, "user_id": "ana"}


def doubtful(name: str, row: Row, value: Row) -> Any:
    return pytest.param(name, row, value, id=f"{name}-{'-'.join(value)}")


@pytest.mark.parametrize(
    ("name", "row", "value"),
    [
        *(
            doubtful("copilot_premium_requests", PREMIUM, {"Requests Used": used})
            for used in ("-1", "many", "1e999")
        ),
        doubtful("cursor", CURSOR, {"Total Tokens": "7"}),
        doubtful("cursor", CURSOR, {"Cost": "inf"}),
        doubtful("langfuse", TRACE, {"latency": "soon"}),
        doubtful("langfuse", GENERATION, {"costDetails": {"input": "Infinity"}}),
        doubtful("portkey", PORTKEY, {"cost": "NaN"}),
        doubtful("litellm", CALL, {"endTime": "later"}),
        doubtful("litellm-callback", PAYLOAD, {"endTime": 1e300}),
        doubtful("aider", AIDER, {"properties": {"prompt_tokens": "many", "cost": 1}}),
    ],
)
def test_no_format_loses_a_record_to_one_doubtful_number(
    name: str, row: Row, value: Row, tmp_path: Path, store: EventStore
) -> None:
    tabular = "Requests Used" in row or "Cost" in row
    path = tmp_path / ("rows.csv" if tabular else "rows.jsonl")
    path.write_text(table(row | value) if tabular else json.dumps(row | value) + "\n")
    report = ingest_paths([path], store, name=name)
    assert (report.accepted, report.rejections) == (1, [])
    assert any("unknown" in note or "these hold" in note for note in report.notes)


@pytest.mark.parametrize("value", [-5, "long", 1e300])
def test_a_span_of_zipkin_stays_whatever_its_duration(value: Any, tmp_path: Path) -> None:
    path = tmp_path / "spans.json"
    path.write_text(zipkin().replace('"duration": 1000000', f'"duration": {json.dumps(value)}'))
    assert json.dumps(value) in path.read_text()
    found = [raw for _, raw in read(find([path], "zipkin"), Options())]
    assert not [raw for raw in found if isinstance(raw, EventError)]
    assert any(isinstance(raw, dict) for raw in found)


def test_a_first_token_at_no_time_loses_no_call() -> None:
    wrong = {"langfuse.observation.completion_start_time": '"soon"'}
    DOUBTS.take()
    assert one(CHAT | wrong)["ttft_ms"] is None
    assert DOUBTS.take() == [NO_TIME.format("completion_start_time")]


def test_a_bill_in_focus_keeps_a_charge_of_doubtful_numbers(
    tmp_path: Path, store: EventStore
) -> None:
    path = tmp_path / "bill.csv"
    odd = {"ConsumedQuantity": "some", "ConsumedUnit": "requests", "EffectiveCost": "much"}
    path.write_text(table(CHARGE | odd))
    report = ingest_paths([path], store, name="focus")
    assert (report.accepted, report.rejections) == (1, [])
    assert NO_QUANTITY.format("ConsumedQuantity") in report.notes
