"""The socket: who may have how much of a body read, and what the others are answered."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from callbacks.receive.connections import SMALL, Parser
from callbacks.receive.request_body import LARGEST
from tests.serving import ADMIN, KEY, Served

UPLOAD = "/api/v1/imports?name=x.ndjson"
LINE = json.dumps({"event_id": "a", "ts": "2026-11-20T08:00:00Z", "kind": "llm"}).encode()


def begun(port: int, path: str, length: int, headers: dict[str, str]) -> tuple[int, Any]:
    """The answer to a request whose body never comes."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest("POST", path)
    for name, value in (headers | {"Content-Length": str(length)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, said


def test_a_large_body_of_a_stranger_is_answered_without_being_read(port: int) -> None:
    for path in (UPLOAD, "/api/v1/events", "/v1/traces", "/sign-in", "/api/v1/store/write"):
        for length in (LARGEST + 1, 900 * 1024**2, 10**15):
            status, said = begun(port, path, length, {"Content-Type": "application/json"})
            assert status in (400, 401, 403, 413), (path, said)


def test_a_body_larger_than_its_door_takes_is_413_at_once(served: Served, port: int) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for path in ("/api/v1/events", "/v1/traces"):
        status, said = begun(port, path, LARGEST + 1, headers)
        assert (status, b"a body has at most 32 MB" in said) == (413, True)
    status, _ = begun(port, UPLOAD, 2 * 1024**3, served.headers(ADMIN))
    assert status == 413
    for claims in ({"sub": "ana"}, {"sub": "ana", "applications_admin": "web"}):
        assert begun(port, UPLOAD, LARGEST + 1, served.headers(claims))[0] == 403


def test_an_administrator_uploads_more_than_other_doors_take(served: Served, port: int) -> None:
    body = LINE + b" " * LARGEST + b"\n"
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", UPLOAD, body, served.headers(ADMIN))
    assert connection.getresponse().status == 202
    connection.close()


def test_a_body_at_the_limit_is_taken(port: int) -> None:
    body = LINE + b" " * (LARGEST - len(LINE))
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/v1/events", body, {"x-api-key": KEY})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["accepted"]) == (200, 1)
    connection.close()


@pytest.mark.parametrize(("room", "read"), [(SMALL, False), (LARGEST, False), (10**9, True)])
def test_chunks_are_read_as_far_as_there_is_room(room: int, read: bool) -> None:
    made = Parser(Adjustments())
    made.received(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    made.allow(room)
    chunk = b"100000\r\n" + bytes(1024**2) + b"\r\n"
    for _ in range(33):
        made.received(chunk)
    assert (made.error is None) is read
    assert made.completed is not read
    made.close()


def test_who_waits_to_be_asked_for_a_large_body_is_not_asked(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
        raw.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: 900000000\r\n\r\n"
        )
        assert raw.recv(99).startswith(b"HTTP/1.1 401 ")
