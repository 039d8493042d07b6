"""OTLP files and bodies in every form they come in, whole, mixed up and damaged."""

from __future__ import annotations

import base64
import contextlib
import copy
import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict

from data.engines.protocol import EventStore, open_events
from data.errors import EventError
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import EMPTY, File, Note, Options, find, formats, head_of, read
from data.sources.events import event_of
from data.sources.files import BREAK
from data.sources.otlp import files
from data.sources.otlp import requests as otlp
from data.sources.otlp.protobuf import REQUESTS
from data.sources.otlp.requests import records
from tests.sources.test_otlp import signal_of, unpacked

ANYBODY: Final = Options()
NAMES: Final = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}


@pytest.fixture
def requests(shared: Path) -> list[tuple[str, Any]]:
    """Every real request as (signal, JSON object)."""
    return [(signal_of(file), as_json(file)) for file in sorted((shared / "otlp").rglob("*_v1_*"))]


def as_json(file: Path) -> Any:
    if ".json" in file.name:
        return json.loads(unpacked(file))
    message = REQUESTS[signal_of(file)]()
    message.ParseFromString(unpacked(file))
    return MessageToDict(message)


def as_protobuf(signal: str, request: Any) -> bytes:
    message = ParseDict(in_base64(request), REQUESTS[signal](), ignore_unknown_fields=True)
    found: bytes = message.SerializeToString()
    return found


def in_base64(value: Any) -> Any:
    """OTLP's JSON as Protobuf's own, which has ids in base64."""
    if isinstance(value, list):
        return [in_base64(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _id(each) if key.endswith("Id") else in_base64(each) for key, each in value.items()
    }


def _id(told: Any) -> Any:
    hexadecimal = isinstance(told, str) and re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", told)
    return base64.b64encode(bytes.fromhex(told)).decode() if hexadecimal else told


def in_snakes(value: Any) -> Any:
    """The same request in snake_case and with integers as text."""
    if isinstance(value, list):
        return [in_snakes(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): _text(key, value[key]) for key in value}


def _text(key: str, told: Any) -> Any:
    return str(told) if key == "intValue" else in_snakes(told)


def items_in(signal: str, request: Any) -> Iterator[Any]:
    groups, scopes, nodes = NAMES[signal]
    for group in request[groups]:
        for scope in group[scopes]:
            for node in scope[nodes]:
                shape: Any = next((node[k] for k in ("sum", "histogram", "gauge") if k in node), {})
                yield from shape["dataPoints"] if shape else [node]


def said(raw: Any) -> Any:
    try:
        return raw if isinstance(raw, Note) else event_of(raw)
    except EventError as error:
        return str(error)


def asked(signal: str, body: bytes, *, in_json: bool) -> list[Any]:
    records = otlp.request_records(signal, body, json=in_json, options=ANYBODY)
    return [said(raw) for _, raw in records]


def imported(path: Path) -> list[Any]:
    """What a path gives by itself, the format being found by looking; but that it is nothing."""
    found = [said(raw) for _, raw in read(find([path]), ANYBODY)]
    return [] if found == [Note(EMPTY.format("OpenTelemetry (OTLP)"))] else found


def events(found: list[Any]) -> dict[str, Event]:
    assert all(isinstance(each, dict | Note) for each in found)
    return {each["event_id"]: each for each in found if isinstance(each, dict)}


# Forms


def test_both_wire_forms_are_the_same_events(requests: list[tuple[str, Any]]) -> None:
    counted = 0
    for signal, request in requests:
        plain = json.dumps(request).encode()
        want = asked(signal, plain, in_json=True)
        packed = as_protobuf(signal, request)
        snakes = json.dumps(in_snakes(request), indent=1).encode()
        assert asked(signal, packed, in_json=False) == want
        assert asked(signal, snakes, in_json=True) == want
        many = len(otlp.items(signal, plain, json=True))
        assert len(otlp.items(signal, packed, json=False)) == many > 0
        assert many == sum(1 for _ in items_in(signal, request))
        counted += 1
    assert counted == 38


def test_files_in_every_form_are_the_same_events(
    requests: list[tuple[str, Any]], shared: Path, tmp_path: Path
) -> None:
    want = events(imported(shared / "otlp"))
    assert len(want) == 303
    every = [request for _, request in requests]
    lines = "".join(json.dumps(each) + "\n" for each in every)
    forms = {
        "lines.json": lines.encode(),
        "crlf.jsonl": b"\xef\xbb\xbf" + lines.replace("\n", "\r\n\r\n").encode(),
        "list.json": json.dumps(every).encode(),
        "pretty_list.json": json.dumps(every, indent=2).encode(),
        "pretty.json": "\n".join(json.dumps(each, indent=2) for each in every).encode(),
        "packed.json": gzip.compress(lines.encode()),
    }
    for name, body in forms.items():
        (tmp_path / name).write_bytes(body)
        assert events(imported(tmp_path / name)) == want, name


def test_protobuf_is_known_without_a_name(requests: list[tuple[str, Any]], tmp_path: Path) -> None:
    for number, (signal, request) in enumerate(requests):
        body = as_protobuf(signal, request)
        file = tmp_path / f"{number}.txt"
        file.write_bytes(gzip.compress(body) if number % 2 else body)
        (found,) = find([file])
        assert found.format is not None
        assert found.format.name == "otlp"
        assert imported(file) == asked(signal, body, in_json=False)


def test_a_large_request_is_read_in_parts(
    requests: list[tuple[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (signal, request) in enumerate(requests):
        (tmp_path / f"{number}.pb").write_bytes(as_protobuf(signal, request))
    whole = stored(tmp_path)
    held: list[int] = []
    monkeypatch.setattr(files, "PART", 3)
    monkeypatch.setattr(
        otlp, "records", lambda found, *rest: held.append(len(found)) or records(found, *rest)
    )
    assert stored(tmp_path) == whole
    assert len(whole) > 200
    assert max(held) == 3


def stored(path: Path) -> list[Any]:
    """The rows that a folder becomes."""
    store = open_events("duckdb://")
    ingest_paths([path], store, ANYBODY)
    with store.sql.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM events ORDER BY event_id").fetchall()
    store.close()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    "content",
    [
        b"\n\n\n\nevent_id,ts\n",
        b"\n\x10\n\x0e\n\x0c\n\x04\xff\xfe\xfd\xfc",
        b"\x89PNG\r\n\x1a\n",
        b"\n\x00\n\x00\n\x00",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff",
        b'{"resource": {"attributes": []}}\n',
        b'[{"spans": []}]',
    ],
)
def test_what_is_no_otlp_is_not_taken_for_it(content: bytes) -> None:
    assert not formats()["otlp"].recognises(head_of(File("f", body=content)))


def test_no_other_format_takes_otlp_for_its_own(requests: list[tuple[str, Any]]) -> None:
    for signal, request in requests:
        for body in (json.dumps(request).encode(), as_protobuf(signal, request)):
            head = head_of(File("f", body=body))
            assert [each.name for each in formats().values() if each.recognises(head)] == ["otlp"]


def test_where_a_record_stood(requests: list[tuple[str, Any]]) -> None:
    spans = [request for signal, request in requests if signal == "traces"]
    body = "".join(json.dumps(each) + "\n" for each in spans[:2]).encode()
    places = [where for where, _ in formats()["otlp"].read(File("f", body=body), ANYBODY)]
    assert places[0] == "f:1 (span 1)"
    assert places[-1].startswith("f:2 (span ")


# What is wrong


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "this is no JSON"),
        (b"\xff\xfe", "this is no JSON"),
        (b"[" * 5_000, "this is no JSON"),
        (b"[1]", "an OTLP request is an object, not list"),
        (b'"text"', "an OTLP request is an object, not str"),
        (b'{"resourceLogs": []}', "this is an OTLP request of logs, not of traces"),
        (b'{"resourceSpans": 5}', "this is no OTLP request of traces"),
        (b'{"resourceSpans": [5]}', "this is no OTLP request of traces"),
        (b'{"resourceSpans": [{"scopeSpans": {}}]}', "this is no OTLP request of traces"),
        (b'{"resourceSpans": [{"resource": {"attributes": [{}]}}]}', "this is no OTLP request"),
    ],
)
def test_a_body_that_is_no_request_is_refused_at_once(body: bytes, sentence: str) -> None:
    with pytest.raises(EventError, match=re.escape(sentence)):
        otlp.request_records("traces", body, json=True, options=ANYBODY)
    with pytest.raises(EventError, match=re.escape(sentence)):
        otlp.items("traces", body, json=True)


@pytest.mark.parametrize("signal", otlp.SIGNALS)
def test_bytes_that_are_no_request_are_refused_at_once(signal: str) -> None:
    with pytest.raises(EventError, match=f"this is no OTLP request of {signal}"):
        otlp.request_records(signal, b"\x0a\xff", json=False, options=ANYBODY)


@pytest.mark.parametrize("signal", otlp.SIGNALS)
def test_an_empty_request_is_one(signal: str) -> None:
    key = NAMES[signal][0]
    for body, in_json in ((b"", False), (b"{}", True), (f'{{"{key}":[]}}'.encode(), True)):
        assert asked(signal, body, in_json=in_json) == []
        assert otlp.items(signal, body, json=in_json) == []


def test_a_broken_line_is_rejected_alone(requests: list[tuple[str, Any]], tmp_path: Path) -> None:
    spans = [json.dumps(request) for signal, request in requests if signal == "traces"]
    file = tmp_path / "f.jsonl"
    file.write_text(f"{spans[0]}\n{spans[1][:500]}\n7\n{{}}\n{spans[2]}\n", "utf-8")
    found = list(read(find([file]), ANYBODY))
    rejected = [(where, str(raw)) for where, raw in found if isinstance(raw, EventError)]
    assert [where for where, _ in rejected] == ["f.jsonl:2", "f.jsonl:3", "f.jsonl:4"]
    assert "no JSON" in rejected[0][1]
    assert "no OTLP request" in rejected[1][1]
    both = asked("traces", spans[0].encode(), in_json=True)
    both += asked("traces", spans[2].encode(), in_json=True)
    assert events([said(raw) for _, raw in found if not isinstance(raw, EventError)]) == events(
        both
    )


def test_a_file_that_breaks_off_keeps_what_came_before(
    requests: list[tuple[str, Any]], tmp_path: Path
) -> None:
    noise = random.Random(3)
    filler = {"resourceSpans": [], "x": "".join(noise.choices("abcdef", k=300_000))}
    spans = next(json.dumps(request) for signal, request in requests if signal == "traces")
    file = tmp_path / "f.jsonl.gz"
    file.write_bytes(gzip.compress(f"{spans}\n{json.dumps(filler)}\n".encode())[:-9_000])
    found = imported(file)
    assert found[-1] == BREAK
    assert events(found[:-1]) == events(asked("traces", spans.encode(), in_json=True))


def test_a_damaged_protobuf_file_is_one_rejected_record(
    requests: list[tuple[str, Any]], tmp_path: Path
) -> None:
    signal, request = next(each for each in requests if each[0] == "traces")
    file = tmp_path / "f.pb"
    file.write_bytes(as_protobuf(signal, request)[:-7])
    assert imported(file) == ["this is no OTLP request, or a damaged one"]


# Fuzz: never worse than a rejected record


def spoiled(body: bytes, noise: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(noise.randint(1, 6)):
        changed[noise.randrange(len(changed))] ^= 1 << noise.randrange(8)
    return bytes(changed[: noise.randrange(len(changed))] if noise.random() < 0.3 else changed)


def assert_harmless(body: bytes) -> None:
    for raw in (raw for _, raw in formats()["otlp"].read(File("f", body=body), ANYBODY)):
        assert isinstance(said(raw), dict | str | Note)


def test_spoiled_files_never_raise(requests: list[tuple[str, Any]]) -> None:
    noise = random.Random(11)
    small = [(signal, request) for signal, request in requests if len(str(request)) < 30_000]
    for _ in range(200):
        signal, request = noise.choice(small)
        body = (
            as_protobuf(signal, request) if noise.random() < 0.5 else json.dumps(request).encode()
        )
        one = spoiled(body, noise)
        with contextlib.suppress(EventError):
            head_of(File("f", body=one))
        assert_harmless(one)
        assert_harmless(gzip.compress(one)[: noise.randrange(20, 2_000)])


STRANGE: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 2**64, 10**40, 1.5, "", "x", "\ud800", "ab" * 16, [], {}, [None], [[]],
    {"stringValue": "x"}, {"intValue": "9" * 5_000}, {"doubleValue": "NaN"}, "9" * 30, -(10**30),
)  # fmt: skip


def mutants(request: Any, noise: random.Random) -> Iterator[bytes]:
    """The request with one to three of its nodes replaced by something of another type."""
    while True:
        mutant = copy.deepcopy(request)
        for _ in range(noise.randint(1, 3)):
            _replace(mutant, noise)
        yield json.dumps(mutant).encode()


def _replace(node: Any, noise: random.Random) -> None:
    while node:
        key = noise.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key] or noise.random() < 0.2:
            node[key] = copy.deepcopy(noise.choice(STRANGE))
            return
        node = node[key]


def test_wrong_types_anywhere_never_raise(requests: list[tuple[str, Any]]) -> None:
    noise = random.Random(12)
    for signal, request in requests:
        some = smaller(signal, request)
        for body, _ in zip(mutants(some, noise), range(30), strict=False):
            assert_harmless(body)
            with contextlib.suppress(EventError):
                asked(signal, body, in_json=True)
                otlp.items(signal, body, json=True)


def smaller(signal: str, request: Any) -> Any:
    """At most three items of the request's first scope."""
    groups, scopes, nodes = NAMES[signal]
    group = request[groups][0]
    scope = group[scopes][0]
    return {groups: [{**group, scopes: [{**scope, nodes: scope[nodes][:3]}]}]}


def test_deep_nesting_is_harmless() -> None:
    deep = b'{"arrayValue":{"values":[' * 338 + b"]}}" * 338
    start = b'{"resourceSpans": [{"resource": {"attributes": [{"key": "a", "value": '
    for depth in (deep, b'{"arrayValue":{"values":[' * 5_000):
        assert_harmless(start + depth + b"}]}}]}")


def test_an_id_that_comes_twice_is_stored_once(
    requests: list[tuple[str, Any]], tmp_path: Path, store: EventStore
) -> None:
    spans = next(request for signal, request in requests if signal == "traces")
    twice = {"resourceSpans": spans["resourceSpans"] * 2}
    (tmp_path / "f.json").write_text(json.dumps(twice), "utf-8")
    report = ingest_paths([tmp_path / "f.json"], store)
    assert (report.accepted, report.rejected) == (80, 0)
