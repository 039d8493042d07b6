"""Events that arrive over HTTP: under their key, in every form, counted to the last one."""

from __future__ import annotations

import gzip
import json
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from callbacks.commands import remote_store
from callbacks.receive import events, request_body
from data.engines import commits
from data.errors import StoreError
from tests.engine import duckdb_only
from tests.serving import KEY, Served, serving

WELL: Final = {
    "event_id": "r1", "ts": "2026-11-20T08:00:00Z", "kind": "llm", "channel": "api",
    "source": "test", "status": "ok", "model": "m", "input_tokens": 10, "cost_nano": 5,
}  # fmt: skip
PATH: Final = "/api/v1/events"


def send(served: Served, data: bytes | str, key: str | None = KEY) -> TestResponse:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return served.client.post(PATH, data=data, headers=headers, content_type="application/json")


def report(served: Served, data: bytes | str) -> Any:
    answer = send(served, data)
    assert answer.status_code == 200, answer.text
    told: Any = answer.json
    assert told["read"] == told["accepted"] + told["duplicates"] + told["rejected"]
    return told


def counts(told: Any) -> tuple[int, int, int, int]:
    return told["read"], told["accepted"], told["duplicates"], told["rejected"]


def stored(served: Served) -> Any:
    said = {"preset": "last_n_days", "n": 3_000}
    return served.json("query", metrics="events,cost,tokens", **said)["totals"]


def many(first: int, last: int) -> list[dict[str, Any]]:
    return [WELL | {"event_id": f"r{n}"} for n in range(first, last)]


@pytest.mark.parametrize("key", [None, "", "wrong", KEY.upper(), f"{KEY} ", "ключ"])
def test_nothing_is_received_without_the_key(served: Served, key: str | None) -> None:
    if key == f"{KEY} ":
        assert send(served, json.dumps(WELL), key).status_code == 200
        return
    headers = {"Authorization": f"Bearer {key}".encode()} if key else {}
    answer = served.client.post(PATH, data=json.dumps(WELL), headers=headers)
    assert answer.status_code == 401
    assert (answer.json or {})["error"]["message"].startswith("the key is missing or wrong")
    assert stored(served)["events"] == 0


def test_a_readers_token_is_no_key(served: Served) -> None:
    headers = served.headers({"sub": "root", "isAdmin": True})
    assert served.client.post(PATH, data=json.dumps(WELL), headers=headers).status_code == 401


def test_nothing_is_received_where_no_key_is_set(tmp_path: Path) -> None:
    with serving(tmp_path, INGEST_KEY="") as one:
        for key in ("", "None", KEY):
            answer = send(one, json.dumps(WELL), key)
            assert answer.status_code == 401
            assert "SPENDSCOPE_INGEST_KEY is not set" in answer.text


@pytest.mark.parametrize(("data", "wanted"), [
    (json.dumps(WELL), (1, 1, 0, 0)),
    (json.dumps(many(0, 5)), (5, 5, 0, 0)),
    ("\n".join(map(json.dumps, many(0, 4))), (4, 4, 0, 0)),
    ("\r\n\r\n".join(map(json.dumps, many(0, 3))) + "\r\n", (3, 3, 0, 0)),
    (json.dumps([]), (0, 0, 0, 0)),
    (json.dumps([WELL, WELL, WELL]), (3, 1, 2, 0)),
    (json.dumps([WELL, WELL | {"event_id": "x", "kind": "fax"}]), (2, 1, 0, 1)),
    (json.dumps([7, None, "text", [], {}]), (5, 0, 0, 5)),
    (json.dumps(WELL) + "\nnot json\n" + json.dumps(WELL | {"event_id": "y"}), (3, 2, 0, 1)),
    ("garbage", (1, 0, 0, 1)),
    (b"\xff\xfe\x00", (1, 0, 0, 1)),
])  # fmt: skip
def test_every_form_is_counted_and_a_second_time_adds_nothing(
    served: Served, data: bytes | str, wanted: tuple[int, int, int, int]
) -> None:
    assert counts(report(served, data)) == wanted
    before = stored(served)
    assert before["events"] == wanted[1]
    again = counts(report(served, data))
    assert again == (wanted[0], 0, wanted[1] + wanted[2], wanted[3])
    assert stored(served) == before


@pytest.mark.parametrize(("change", "reason"), [
    ({"cost_nano": "much"}, "cost_nano is not a number"),
    ({"kind": "fax"}, "kind is 'fax', not one of llm"),
    ({"ts": "soon"}, "ts is not a time: 'soon'"),
    ({"ts": "1999-12-31T23:59:59Z"}, "ts lies outside the years 2000 to 2100"),
    ({"colour": "red"}, "unknown field 'colour'"),
    ({"event_id": None}, "event_id is missing"),
    ({"lines_added": 1}, "lines_added belongs to kind session, not to llm"),
    ({"user": "x" * 1_001}, "user is longer than 1,000 characters"),
    ({"user": "a\x00b"}, "user holds a character that cannot be stored"),
])  # fmt: skip
def test_what_is_no_event_is_rejected_with_its_reason(
    served: Served, change: dict[str, Any], reason: str
) -> None:
    told = report(served, json.dumps([WELL | change, WELL | {"event_id": "good"}]))
    assert counts(told) == (2, 1, 0, 1)
    assert told["rejections"][0]["where"] == "body:1"
    assert reason in told["rejections"][0]["reason"]
    assert stored(served)["events"] == 1


def test_the_report_sums_what_it_took(served: Served) -> None:
    told = report(served, json.dumps([*many(0, 3), WELL | {"event_id": "n", "cost_nano": None}]))
    assert (told["cost"], told["tokens"], told["unpriced"]) == (1.5e-8, 40, 1)
    assert told["from"] == told["to"]
    assert stored(served) == {"events": 4, "cost": 1.5e-8, "tokens": 40}


def test_a_bad_event_of_a_list_costs_nothing_but_itself(served: Served) -> None:
    one, two = (json.dumps(event) for event in many(1, 3))
    for bad in ('{"cost": NaN}', '{"event_id": "\\ud800"}'):
        told = report(served, f"[{one}, {bad}, {two}]")
        assert counts(told) in ((3, 2, 0, 1), (3, 0, 2, 1))
    assert counts(report(served, f"[{one}, {{")) == (2, 0, 1, 1)
    assert stored(served)["events"] == 2


def test_a_parameter_nobody_knows_is_refused(served: Served) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = served.client.post(f"{PATH}?fromat=litellm", data=json.dumps(WELL), headers=headers)
    assert answer.status_code == 400
    assert "fromat" in answer.text


@pytest.mark.parametrize("data", ["", "  \n "])
def test_an_empty_body_is_refused(served: Served, data: str) -> None:
    answer = send(served, data)
    assert answer.status_code == 400
    assert (answer.json or {})["error"]["message"].startswith("the body is empty: send an event")


def test_a_body_that_is_too_large_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_body, "LARGEST", 1024 * 1024)
    answer = send(served, json.dumps(many(0, 9_000)))
    assert answer.status_code == 413
    assert (answer.json or {})["error"]["message"] == "a body has at most 1 MB: send it in parts"
    assert stored(served)["events"] == 0


@pytest.mark.parametrize("line", [b"1\n", b"\n{}", b"[],\n", b"\xff\n"])
@pytest.mark.parametrize("name", ["canonical", "litellm-callback"])
def test_more_events_than_are_taken_at_once_are_413_and_none_is_stored(
    served: Served, monkeypatch: pytest.MonkeyPatch, line: bytes, name: str
) -> None:
    monkeypatch.setattr(events, "MOST_ITEMS", 5_000)
    data = json.dumps(WELL).encode() + b"\n" + line * 6_000
    headers = {"Authorization": f"Bearer {KEY}"}
    answer = served.client.post(f"{PATH}?format={name}", data=data, headers=headers)
    assert answer.status_code == 413, answer.text
    assert (answer.json or {})["error"]["message"].startswith("a body has at most 5,000 events")
    assert stored(served)["events"] == 0


def test_a_list_at_the_limit_is_taken(served: Served) -> None:
    assert counts(report(served, json.dumps(many(0, 50_000)))) == (50_000, 50_000, 0, 0)
    assert send(served, json.dumps([{}] * 50_001)).status_code == 413
    assert send(served, b"[" + b"[]," * 1_000_000 + b"1]").status_code == 413


def packed(served: Served, data: bytes, encoding: str = "gzip") -> TestResponse:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Encoding": encoding}
    return served.client.post(PATH, data=data, headers=headers)


def test_a_body_may_be_gzip(served: Served) -> None:
    text = json.dumps(many(0, 5)).encode()
    for data in (gzip.compress(text), gzip.compress(text[:99]) + gzip.compress(text[99:])):
        assert packed(served, data).status_code == 200
    assert packed(served, text, "identity").status_code == 200
    assert stored(served)["events"] == 5


@pytest.mark.parametrize(("data", "encoding", "status"), [
    (b"[]", "gzip", 400), (gzip.compress(b"[]" * 999, mtime=0)[:-9], "gzip", 400),
    (gzip.compress(b"[]", mtime=0) + b"more", "gzip", 400),
    (b"[]", "br", 415), (b"[]", "gzip, gzip", 415), (b"", "gzip", 400),
])  # fmt: skip
def test_what_is_no_gzip_is_refused(
    served: Served, data: bytes, encoding: str, status: int
) -> None:
    assert packed(served, data, encoding).status_code == status


def test_a_bomb_is_given_up_at_the_limit(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "LARGEST_UNPACKED", 1024 * 1024)
    small, large = (b" " * (1024 * 1024 + more) for more in (-9, 1))
    lines = json.dumps(WELL).encode() + small[: -len(json.dumps(WELL)) - 1]
    assert packed(served, gzip.compress(lines)).status_code == 200
    for data in (gzip.compress(large), gzip.compress(small) + gzip.compress(b" " * 99)):
        answer = packed(served, data)
        assert answer.status_code == 413
        assert (answer.json or {})["error"]["message"].startswith(
            "a body has at most 1 MB unpacked"
        )
    tracemalloc.start()
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    assert packed(served, bomb).status_code == 413
    assert tracemalloc.get_traced_memory()[1] - before < 8 * 1024 * 1024
    tracemalloc.stop()


def test_who_cannot_be_served_now_is_told_when_to_come_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **_named: Any) -> Any:
        raise StoreError("the event store is busy")

    monkeypatch.setattr(type(served.store), "write", full)
    answer = send(served, json.dumps(WELL))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


@duckdb_only
def test_a_store_that_is_taken_is_503_and_nothing_is_stored(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "PATIENCE", 0.05)
    with served.store._lock:  # type: ignore[attr-defined]
        answer = send(served, json.dumps(many(0, 3)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "took none of these events" in answer.text
    assert counts(report(served, json.dumps(many(0, 3)))) == (3, 3, 0, 0)


def test_what_arrived_is_seen_at_once(served: Served) -> None:
    for n in range(1, 4):
        report(served, json.dumps(WELL | {"event_id": f"s{n}"}))
        assert stored(served)["events"] == n


def test_other_verbs_are_no_way_in(served: Served) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    for verb in ("get", "put", "delete"):
        answer = getattr(served.client, verb)(PATH, headers=headers)
        assert answer.status_code in (401, 404, 405)


def test_a_command_asks_a_busy_server_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "PAUSE_SECONDS", 0.001)
    answers = [503, 503, 200, 500]

    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = b'["a"]'
            self.send_response(answers.pop(0))
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        store = remote_store.RemoteStore(f"http://127.0.0.1:{server.server_port}", "key")
        try:
            assert store.stored_ids(["a", "b"]) == {"a"}
            with pytest.raises(StoreError, match="refused"):
                store.stored_ids(["a"])
        finally:
            server.shutdown()
            thread.join()
    assert answers == []
