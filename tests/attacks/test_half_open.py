"""Connections of a stranger who says nothing, little, or a lot: the others are answered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any, Final

import pytest

from callbacks.receive import connections
from callbacks.receive.connections import MOST_OF_ADDRESS, SECONDS, SMALL
from tests.serving import ADMIN, KEY, Served

PATIENCE: Final = 20
BEGUN: Final = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n"
WITH_BODY: Final = BEGUN + b"Content-Length: 60000\r\n\r\nname="


@contextmanager
def half_open(port: int, count: int, sent: bytes, sources: int = 1) -> Iterator[list[Any]]:
    """So many connections on which this was sent, and no more, from several addresses."""
    with ExitStack() as opened:
        found = []
        for number in range(count):
            source = (f"127.0.0.{2 + number % sources}", 0)
            made = socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=source)
            found.append(opened.enter_context(made))
            if sent:
                made.sendall(sent)
        yield found


def asked(
    port: int, method: str = "GET", path: str = "/healthz", source: Any = None, **more: Any
) -> int:
    connection = HTTPConnection("127.0.0.1", port, PATIENCE, source)
    connection.request(method, path, **more)
    status = connection.getresponse().status
    connection.close()
    return status


def in_loop(listening: Any, do: Any) -> Any:
    """What `do` finds out in the thread that keeps the connections."""
    found, done = [], threading.Event()

    def work() -> None:
        found.append(do())
        done.set()

    listening.trigger.pull_trigger(work)
    assert done.wait(PATIENCE)
    return found[0]


def waiting(listening: Any) -> int:
    every = listening.active_channels
    return int(in_loop(listening, lambda: sum(one.waits for one in every.values())))


@pytest.mark.parametrize("sent", [b"", BEGUN[:9], BEGUN, WITH_BODY])
def test_half_open_connections_of_a_stranger_stop_nobody(
    listening: Any, port: int, sent: bytes
) -> None:
    """More than Waitress would take of all; the last come as the first have gone."""
    with half_open(port, 150, sent):
        assert asked(port) == 200
        assert asked(port, source=("127.0.0.2", 0)) == 200  # a neighbour of theirs
        assert waiting(listening) <= MOST_OF_ADDRESS


def test_nor_do_they_from_many_addresses(
    listening: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 30
    room = most + connections.FILES_OF_OTHERS
    monkeypatch.setattr(listening.adj, "connection_limit", room)
    with half_open(port, 90, BEGUN, sources=45):
        assert asked(port) == 200
        assert waiting(listening) <= most


def test_who_waits_too_long_is_closed_and_who_works_is_not(listening: Any, port: int) -> None:
    kept = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    kept.request("GET", "/healthz")
    kept.getresponse().read()
    with half_open(port, 3, BEGUN) as slow:
        assert asked(port) == 200  # they have come before it
        assert waiting(listening) == 3
        later = time.time() + SECONDS + 1
        in_loop(listening, lambda: listening.maintenance(later))
        assert [one.recv(1) for one in slow] == [b""] * 3
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    kept.close()


def test_who_drips_is_closed_as_who_is_silent(listening: Any, port: int) -> None:
    with half_open(port, 1, BEGUN) as (slow,):
        slow.sendall(b"A: b\r\n")
        assert asked(port) == 200
        later = time.time() + SECONDS + 1
        for one in in_loop(listening, lambda: list(listening.active_channels.values())):
            one.last_activity = later
        in_loop(listening, lambda: listening.maintenance(later))
        assert slow.recv(1) == b""


def test_who_is_known_may_take_longer(listening: Any, port: int) -> None:
    """Somebody with the key of the door, and a body that is on its way, is no stranger."""
    head = (f"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Length: {SMALL * 2}\r\nExpect: 100-continue\r\n\r\n").encode()  # fmt: skip
    with half_open(port, 1, head) as (sender,):
        assert sender.recv(99).startswith(b"HTTP/1.1 100 ")
        assert waiting(listening) == 0
        in_loop(listening, lambda: listening.maintenance(time.time() + SECONDS + 1))
        sender.sendall(b" " * (SMALL * 2 - 2) + b"[]")
        assert sender.recv(99).startswith(b"HTTP/1.1 200 ")


def test_what_a_stranger_sends_never_reaches_the_disk(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body beyond 64 KB is not even read: nothing that could be put into a file."""
    files: list[int] = []
    monkeypatch.setattr("waitress.buffers.TempfileBasedBuffer.newfile", lambda _: files.append(1))
    body = b"x" * 600_000
    wrong = {"Authorization": "Bearer nothing"}
    doors = ("/sign-in", "/api/v1/events", "/v1/traces", "/api/v1/imports", "/api/v1/store/write")
    for path in doors:
        for headers in ({}, wrong, {"Cookie": "spendscope=forged"}):
            with half_open(port, 1, b"") as (raw,):
                lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
                lines += f"Host: x\r\nContent-Length: {len(body)}\r\n"
                raw.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode())
                assert int(raw.recv(99).split()[1]) in (400, 401, 403), path
    assert not files


def test_who_signed_in_sends_more_to_a_callback(served: Served, port: int) -> None:
    body = b" " * (SMALL + 1) + b"{}"
    headers = served.headers(ADMIN) | {"Content-Type": "application/json"}
    assert asked(port, "PUT", "/api/v1/preferences", body=body, headers=headers) == 400
    assert asked(port, "PUT", "/api/v1/preferences", body=b"{}", headers=headers) == 200
