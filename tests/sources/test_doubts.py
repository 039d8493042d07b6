"""One number that cannot be loses no call: it is kept with what is right of it, and a note."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.ingest.importing import ingest_paths
from data.sources.events import COST_UNKNOWN
from data.sources.report import Report
from tests.cli_logs import stored

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
    asks = [CALL | {"request_id": f"q{n}", "call_type": kind} for n in range(3)]
    report = imported(tmp_path, store, [CALL, *asks])
    assert (report.read, report.accepted) == (1, 1)
    assert report.notes == {f"{kind} asks for what an earlier call made: no call, not counted": 3}


@pytest.mark.parametrize("kind", ["acompletion", "aresponses", "acreate_batch", "rerank", ""])
def test_what_makes_something_is_a_call(kind: str, tmp_path: Path, store: EventStore) -> None:
    assert imported(tmp_path, store, [CALL | {"call_type": kind}]).accepted == 1
