"""Ten times the file takes no more memory: what is read is let go of, or lies on disk."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from data.events import digest_index
from data.events.digest_index import DigestIndex, digests
from data.events.merging import WriteResult
from data.events.table import Event, id_hash
from data.ingest import preparing
from data.ingest.importing import ingest_paths
from data.people import similar_names
from data.prices.book import PUBLIC, PriceBook
from data.sources import formats
from data.sources.litellm import calls
from data.sources.otlp import recent
from data.sources.report import Report

SMALL, TIMES = 600, 10
Write = Callable[[Path, int], None]


class Sink:
    """A store that keeps nothing, as one on disk would in memory."""

    takes_columns = False

    def stored_ids(self, ids: Collection[str]) -> set[str]:
        return set()

    def stored_shared_ids(self, ids: Collection[str]) -> set[str]:
        return set()

    def write(self, events: Sequence[Event], project: str | None = None) -> WriteResult:
        return WriteResult(events)

    def load(self, part: Any) -> None:
        """It reads no files itself."""

    def book(self) -> PriceBook:
        return PUBLIC


def lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w") as file:
        file.writelines(f"{json.dumps(row)}\n" for row in rows)


def events(path: Path, count: int) -> None:
    lines(path, ({"event_id": f"{n}", "ts": "2026-11-01T00:00:00Z", "kind": "llm", "model": "m",
                  "user": f"u{n}", "source": f"s{n}"} for n in range(count)))  # fmt: skip


def failures(path: Path, count: int) -> None:
    told = {"call_type": "acompletion", "response_cost": 0, "startTime": 1_793_527_200.5,
            "custom_llm_provider": "openai", "model": "gpt-4o", "status": "failure",
            "endTime": 1_793_527_201.5, "metadata": {"user_api_key_alias": "k" * 200}}  # fmt: skip
    lines(path, (told | {"id": f"c{n}", "litellm_call_id": f"c{n}"} for n in range(count)))


def spans(path: Path, count: int) -> None:
    """A pretty-printed list of requests."""
    attributes = [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                  {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}}]  # fmt: skip
    with path.open("w") as file:
        for n in range(count):
            span = {"traceId": f"{n:032x}", "spanId": f"{n:016x}", "name": "chat",
                    "startTimeUnixNano": "1793527200000000000", "attributes": attributes,
                    "endTimeUnixNano": "1793527201000000000"}  # fmt: skip
            request = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
            file.write(f"{',' if n else '['}{json.dumps(request, indent=1)}\n")
        file.write("]")


def peak(path: Path, dry_run: bool) -> tuple[int, Report]:
    tracemalloc.start()
    try:
        report = ingest_paths([path], Sink(), dry_run=dry_run)
        return tracemalloc.get_traced_memory()[1], report
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("write", "dry_run"),
    [(events, False), (events, True), (failures, False), (spans, False)],
    ids=["ndjson", "dry run", "callback failures", "pretty-printed spans"],
)
def test_ten_times_the_file_takes_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write, dry_run: bool
) -> None:
    monkeypatch.setattr(preparing, "BATCH", 200)
    monkeypatch.setattr(calls, "NEAR", 500)
    monkeypatch.setattr(similar_names, "MOST_WATCHED", 500)
    monkeypatch.setattr(recent, "MOST", 500)
    monkeypatch.setattr(digest_index, "id_hash", id_hash.__wrapped__)  # bounded, but not as small
    formats()
    small, large = tmp_path / "small.json", tmp_path / "large.json"
    write(small, SMALL)
    write(large, SMALL * TIMES)
    peak(small, dry_run)  # what is imported and compiled once
    (first, _), (second, report) = peak(small, dry_run), peak(large, dry_run)
    assert (report.accepted, report.rejected) == (SMALL * TIMES, 0)
    assert second < 1.5 * first


def test_an_id_takes_eight_bytes_of_the_index() -> None:
    index, times = DigestIndex(), 40
    for batch in range(times):
        found = digests([f"{batch * 900 + n}" for n in range(1_000)])
        before = index.contains(found)
        assert before.tolist() == [batch > 0 and n < 100 for n in range(1_000)]
        index.add(found[~before])
    assert sum(map(len, index._runs)) == 900 * times + 100
    assert len(index._runs) < 8
