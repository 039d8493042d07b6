"""Uploads and the log of imports: looked at first, stored once, stopped cleanly, admins only."""

from __future__ import annotations

import gzip
import io
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
from werkzeug.test import TestResponse

from app import main
from data.access.scope import Scope
from data.engines.duckdb.store import DuckEvents
from data.errors import EventError, Forbidden, StoreError
from data.ingest import import_log, preparing, uploads
from data.ingest.import_log import LiveImports, latest_rejections, list_imports, source_totals
from data.ingest.importing import ingest_paths
from data.sources.report import MOST_SOURCES, OTHERS, Report
from data.state.store import State
from tests.serving import ADMIN, KEY, Served

ROOT = Scope.of(ADMIN)
PATH = "/api/v1/imports"
LINES: list[dict[str, Any]] = [
    {"event_id": "a", "ts": "2026-11-01T10:00:00Z", "kind": "llm", "model": "m", "user": "ana"},
    {"event_id": "b", "ts": "2026-11-02T10:00:00Z", "kind": "llm", "cost": 0.5},
    {"event_id": "a", "ts": "2026-11-01T10:00:00Z", "kind": "llm"},
    {"event_id": "c", "ts": "soon", "kind": "llm"},
]
FILE = "\n".join(map(json.dumps, LINES)).encode()


def send(served: Served, body: bytes = FILE, claims: Any = ADMIN, **told: str) -> TestResponse:
    query = {"name": "usage.ndjson"} | told
    return served.client.post(
        PATH, query_string=query, headers=served.headers(claims), input_stream=io.BytesIO(body),
        content_length=len(body), content_type="application/octet-stream",
    )  # fmt: skip


def settled(served: Served, key: str) -> Any:
    """What an upload says once nothing runs for it."""
    for thread in threading.enumerate():
        if thread.name == f"upload {key}":
            thread.join(60)
    return ask(served, "GET", key).json


def ask(served: Served, method: str, key: str, claims: Any = ADMIN) -> TestResponse:
    return served.client.open(f"{PATH}/{key}", method=method, headers=served.headers(claims))


def left(served: Served) -> list[Path]:
    return [one for one in (served.settings.data_dir / "uploads").rglob("*") if one.is_file()]


def stored(served: Served) -> set[str]:
    return served.store.stored_ids(["a", "b", "c"])


def test_a_file_is_looked_at_then_stored(served: Served) -> None:
    key = send(served).json["id"]  # type: ignore[index]
    seen = settled(served, key)
    assert (seen["state"], seen["report"]["format"]) == ("ready", "canonical")
    report = seen["report"]
    assert [report[n] for n in ("read", "accepted", "duplicates", "rejected")] == [4, 2, 1, 1]
    assert report["rejections"] == [
        {"where": "usage.ndjson:4", "reason": "ts is not a time: 'soon'"}
    ]
    assert seen["rows"][0]["model"] == "m"
    assert "project" in seen["gaps"]
    assert not {"user", "model", "cost_nano"} & set(seen["gaps"])
    assert stored(served) == set()
    assert ask(served, "POST", key).status_code == 202
    done = settled(served, key)
    assert (done["state"], done["report"]["accepted"]) == ("done", 2)
    assert stored(served) == {"a", "b"}
    assert left(served) == []
    assert ask(served, "POST", key).status_code == 400  # once is enough
    [entry] = served.json("imports")["imports"]
    assert (entry["way"], entry["what"], entry["accepted"]) == ("upload", "usage.ndjson", 2)
    assert (entry["rejected"], entry["cost"]) == (1, 0.5)


def test_the_last_call_of_a_log_that_broke_off_is_stored_at_once(served: Served) -> None:
    """A file that was just written may grow, but not one that was sent."""
    line = {
        "type": "assistant", "uuid": "u1", "sessionId": "s1", "requestId": "r1",
        "timestamp": "2026-10-01T10:00:00Z",
        "message": {"id": "m1", "role": "assistant", "model": "claude-opus-4-5",
                    "stop_reason": None, "content": [],
                    "usage": {"input_tokens": 3, "output_tokens": 5}},
    }  # fmt: skip
    sent = send(served, json.dumps(line).encode(), name="session.jsonl")
    key = sent.json["id"]  # type: ignore[index]
    report = settled(served, key)["report"]
    assert (report["format"], report["tokens"], report["notes"]) == ("claude_code", 8, [])


def test_packed_mapped_and_told_whose(served: Served) -> None:
    body = gzip.compress(b"when,who\n2026-11-01T10:00:00Z,7\n")
    key = send(served, body, name="x.csv.gz", map="ts=when,user=who", project="p").json["id"]  # type: ignore[index]
    seen = settled(served, key)
    assert (seen["state"], seen["report"]["accepted"]) == ("ready", 1)
    assert seen["rows"][0]["user"] == "7"
    assert seen["rows"][0]["project"] == "p"


def test_cancelling_removes_the_file_and_stores_nothing(served: Served) -> None:
    key = send(served).json["id"]  # type: ignore[index]
    settled(served, key)
    assert len(left(served)) == 1
    assert ask(served, "DELETE", key).json["state"] == "stopped"  # type: ignore[index]
    assert left(served) == []
    assert ask(served, "POST", key).status_code == 400
    assert stored(served) == set()


def test_an_import_stops_where_it_is_and_says_so(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.ingest.preparing.BATCH", 1)
    monkeypatch.setattr("data.ingest.preparing.SECONDS", 0)
    key = send(served).json["id"]  # type: ignore[index]
    settled(served, key)
    written, write = threading.Event(), served.store.write

    def slowly(events: Any) -> Any:
        fresh = write(events)
        ask(served, "DELETE", key)
        written.set()
        return fresh

    monkeypatch.setattr(served.store, "write", slowly)
    ask(served, "POST", key)
    said = settled(served, key)
    assert written.is_set()
    assert (said["state"], said["report"]["accepted"]) == ("stopped", 1)
    assert stored(served) == {"a"}
    assert left(served) == []
    assert served.json("imports")["imports"][0]["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "told", "sentence"),
    [
        (b"", {}, "the file is empty"),
        (b"a,b\n1,2\n", {}, "no known format"),
        (FILE, {"format": "nope"}, "'nope' is no known format"),
        (FILE, {"map": "nope"}, "--map takes field=column"),
        (FILE, {"start": "soon"}, "start is no ISO 8601 instant"),
        (FILE, {"colour": "red"}, "there is no parameter 'colour'"),
    ],
)
def test_what_cannot_be_read_is_said(
    served: Served, body: bytes, told: dict[str, str], sentence: str
) -> None:
    answer = send(served, body, **told)
    if answer.status_code == 202:
        said = settled(served, answer.json["id"])  # type: ignore[index]
        assert said["state"] == "failed"
        assert sentence in said["error"]
    else:
        assert (answer.status_code, sentence in answer.text) == (400, True)
    assert left(served) == []


def test_a_file_too_large_is_refused_and_gone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.ingest.uploads.LARGEST", 100)
    assert send(served).status_code == 413
    assert left(served) == []


NAMES = ("../../etc/passwd", "..\\x.csv", "/x", "", ".", "a" * 300, "語" * 300, "é" * 150)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_leads_nowhere(served: Served, name: str) -> None:
    key = send(served, name=name).json["id"]  # type: ignore[index]
    said = settled(served, key)
    [path] = left(served)
    assert path.parent.parent == served.settings.data_dir / "uploads"
    assert path.name == said["name"]
    assert len(said["name"].encode()) <= 200


def test_nobody_else_uploads_or_reads_the_log(served: Served) -> None:
    key = send(served).json["id"]  # type: ignore[index]
    settled(served, key)
    for claims in ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}):
        assert send(served, claims=claims).status_code == 403
        for method in ("GET", "POST", "DELETE"):
            assert ask(served, method, key, claims).status_code == 403
        assert served.get("imports", claims).status_code == 403
    assert served.client.post(PATH).status_code == 401
    with pytest.raises(Forbidden):
        list_imports(None, Scope.of({"sub": "ana"}))  # type: ignore[arg-type]


def test_only_so_many_are_open_and_old_ones_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [send(served).json["id"] for _ in range(uploads.MOST_OPEN)]  # type: ignore[index]
    for key in keys:
        settled(served, key)
    assert send(served).status_code == 400
    monkeypatch.setattr(uploads, "KEPT_SECONDS", -1.0)
    last = send(served)
    assert last.status_code == 202
    settled(served, last.json["id"])  # type: ignore[index]
    assert ask(served, "GET", keys[0]).status_code == 404


def test_uploads_are_listed_until_they_are_forgotten(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (send(served, name=name).json["id"] for name in ("a.json", "b.json"))  # type: ignore[index]
    settled(served, first)
    assert ask(served, "POST", second).status_code in (202, 400)
    settled(served, second)
    answer = served.json("imports/open")["uploads"]
    assert [(one["id"], one["name"], one["who"]) for one in answer] == [
        (second, "b.json", "root"), (first, "a.json", "root"),
    ]  # fmt: skip
    assert answer[1] == answer[1] | {"state": "ready", "read": 4, "storing": False}
    assert served.get("imports/open", {"sub": "ana"}).status_code == 403
    monkeypatch.setattr(uploads, "KEPT_SECONDS", -1.0)
    assert served.json("imports/open") == {"uploads": []}


def test_a_full_house_makes_room_for_who_comes_now(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [send(served).json["id"] for _ in range(uploads.MOST_OPEN)]  # type: ignore[index]
    for key in keys:
        settled(served, key)
    monkeypatch.setattr(uploads, "ABANDONED", -1.0)
    settled(served, send(served).json["id"])  # type: ignore[index]
    assert len(served.json("imports/open")["uploads"]) == 1


def test_abandoned_files_go_with_time_alone(
    tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PAUSE", 0.05)
    key = send(served).json["id"]  # type: ignore[index]
    settled(served, key)
    folder = tmp_path / "uploads"
    assert list(folder.iterdir())
    monkeypatch.setattr(uploads, "KEPT_SECONDS", -1.0)
    end = time.monotonic() + 20
    while list(folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not list(folder.iterdir())


def test_live_doors_are_added_up_by_sender_and_day(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        body = [LINES[0] | {"event_id": f"x{n}"}, LINES[3]]
        served.client.post("/api/v1/events", json=body, headers={"Authorization": f"Bearer {KEY}"})
        served.json("imports")  # writes what is held
    [entry] = served.json("imports")["imports"]
    assert (entry["way"], entry["who"], entry["format"]) == (
        "live", "SPENDSCOPE_INGEST_KEY", "canonical",
    )  # fmt: skip
    assert [entry[n] for n in ("read", "accepted", "rejected")] == [6, 3, 3]
    assert len(entry["rejections"]) == 3


def test_a_tally_writes_when_it_is_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    tally = LiveImports(state)
    tally.add(import_log.DAY, "k", "otlp", Report(accepted=1))
    assert list_imports(state, ROOT) == []
    monkeypatch.setattr(import_log, "PAUSE", 0.0)
    tally.flush()
    tally.add(import_log.DAY + 5, "k", "otlp", Report(accepted=2, notes={"n": 1}))
    tally.add(2 * import_log.DAY, "k", "otlp", Report(accepted=4))
    found = list_imports(state, ROOT)
    assert [(one.accepted, one.at, one.last) for one in found] == [
        (4, 2 * import_log.DAY, 2 * import_log.DAY), (3, import_log.DAY, import_log.DAY + 5),
    ]  # fmt: skip
    assert found[1].notes == {"n": 1}
    with monkeypatch.context() as patch:
        patch.setattr(import_log, "_add_to_day", busy)
        tally.add(2 * import_log.DAY, "k", "otlp", Report(accepted=8))  # no sender hears of it
    tally.flush()
    assert list_imports(state, ROOT)[0].accepted == 12
    state.close()


def test_another_server_sees_what_came_though_nothing_else_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, other = (State(f"sqlite:///{tmp_path / 'state.sqlite'}") for _ in range(2))
    tally = LiveImports(state)
    tally.add(import_log.DAY, "k", "otlp", Report(accepted=1))
    monkeypatch.setattr(import_log, "PAUSE", 0.01)
    with import_log.tally_while_serving(tally):
        end = time.monotonic() + 60
        while not (found := list_imports(other, ROOT)) and time.monotonic() < end:
            time.sleep(0.01)
    assert [one.accepted for one in found] == [1]
    state.close()
    other.close()


def busy(*_: Any) -> None:
    raise StoreError("the state store is busy")


def test_the_command_writes_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    path = tmp_path / "usage.ndjson"
    path.write_bytes(FILE)
    for more in (["--dry-run"], []):
        monkeypatch.setattr(sys, "argv", ["spendscope", "import", str(path), *more])
        assert main() == 2
    state = State(f"sqlite:///{tmp_path / 'var' / 'state.sqlite'}")
    [one] = list_imports(state, ROOT)
    assert (one.way, one.what, one.accepted, one.rejected) == ("command", str(path), 2, 1)
    assert one.rejections == [["usage.ndjson:4", "ts is not a time: 'soon'"]]
    state.close()


def test_each_source_is_told_what_became_of_its_own(tmp_path: Path, served: Served) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    rows = [{"event_id": n, "ts": "2026-11-01", "kind": "llm", "source": n[0]} for n in
            ("a1", "a2", "b1", "a1")]  # fmt: skip
    lost = {"event_id": "b2", "ts": "soon", "kind": "llm", "source": "b"}
    (folder / "own.ndjson").write_text("\n".join(map(json.dumps, [*rows, lost])))
    (folder / "trace.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\nsoon,4,4\n2023-11-16 18:15:47,4,5\n"
    )
    state = State(served.settings.state_url)
    for now in (1, 2):
        report = ingest_paths([folder], served.store)
        import_log.record(state, now, "command", "ana", "mixed", report)
    assert report.sources == {
        "a": [3, 3, 0], "b": [1, 1, 0], "canonical": [0, 0, 1], "azure": [1, 1, 1],
    }  # fmt: skip
    assert source_totals(state, ROOT) == {
        "a": {"last": 2, "duplicates": 4, "rejected": 0},
        "b": {"last": 2, "duplicates": 1, "rejected": 0},
        "azure": {"last": 2, "duplicates": 1, "rejected": 2},
        "canonical": {"last": None, "duplicates": 0, "rejected": 2},
    }
    why = [why for _, why in latest_rejections(state, ROOT, "canonical")]
    assert len(why) == 2
    assert len(set(why)) == 1
    state.close()


def test_sources_beyond_measure_are_counted_together(served: Served) -> None:
    report = Report(format="own")
    for number in range(MOST_SOURCES + 50):
        report.add_source(f"s{number}", 1)
    report.reject("a", EventError("odd"))
    report.attribute_rejections("t", {})
    assert report.sources[OTHERS] == [50, 0, 1]
    assert len(report.sources) == MOST_SOURCES + 1
    assert report.reasons == {OTHERS: [("a", "odd")]}
    state = State(served.settings.state_url)
    for now in range(1, 8):
        more = Report(sources={f"s{now}-{n}": [1, 0, 0] for n in range(MOST_SOURCES)})
        import_log.record(state, now, "command", "ana", "mixed", more)
    assert len(source_totals(state, ROOT)) == import_log.MOST_SOURCES + 1
    state.close()


def test_a_parquet_file_tells_its_sources(tmp_path: Path, served: Served) -> None:
    path = tmp_path / "a.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'e' || (i % 3) AS event_id, 1793527200000000 AS ts, 'llm' AS kind,"
            f" 's' || (i % 3 % 2) AS source FROM range(4) t(i)) TO '{path}' (FORMAT parquet)"
        )
    assert ingest_paths([path], served.store).sources == {"s0": [3, 1, 0], "s1": [1, 0, 0]}


def test_an_import_that_breaks_off_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setattr(sys, "argv", ["spendscope", "import", str(tmp_path / "usage.ndjson")])
    (tmp_path / "usage.ndjson").write_bytes(FILE)
    monkeypatch.setattr(preparing, "BATCH", 1)
    write, full = DuckEvents.write, iter((False, True))

    def filling(self: DuckEvents, events: Any) -> Any:
        if next(full):
            raise StoreError("the disk is full")
        return write(self, events)

    monkeypatch.setattr(DuckEvents, "write", filling)
    assert main() == 1
    state = State(f"sqlite:///{tmp_path / 'var' / 'state.sqlite'}")
    (entry,) = list_imports(state, ROOT)
    assert (entry.accepted, entry.read, entry.format) == (1, 1, "canonical")
    state.close()
