"""The real server under real load: viewers who redraw without a pause while events arrive."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import orjson

from callbacks.commands.accounts import token
from data.local_time import instant
from data.settings import Settings
from tests.bench.crowd import UNTIL, fresh
from tests.bench.refresh import SECRET, asked
from tests.bench.report import QUICK, Row, most_memory, ms, p50_p95, progress, timed
from tests.bench.viewer import OVERVIEW, PATH, Body, calls, redraw
from tests.ports import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
KEY: Final = "ingest"
VIEWERS: Final = 4
SECONDS: Final = 2 if QUICK else 20
RATE: Final = 1_000
POSTS: Final = 10
MOST: Final = 2_000


def measure(path: Path) -> list[Row]:
    """Without writing, with writing, and the server's memory after both."""
    with server(path) as (port, pid):
        rows = [_viewed(path, port, writes) for writes in (0, RATE)]
        return [*rows, Row(f"{path.stem}, served: memory at its peak", remarks=most_memory(pid))]


@contextmanager
def server(path: Path) -> Iterator[tuple[int, int]]:
    port = free_port()
    os.environ |= {
        "SPENDSCOPE_JWT_SECRET": SECRET, "SPENDSCOPE_INGEST_KEY": KEY, "SPENDSCOPE_PORT": str(port),
        "SPENDSCOPE_DATA_DIR": str(path.parent), "SPENDSCOPE_EVENTS_URL": f"duckdb:///{path}",
        "SPENDSCOPE_NOW": instant(UNTIL).isoformat(),
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "app.py")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(port, server)
            yield port, server.pid
        finally:
            server.terminate()


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                send(connection, "GET", "/healthz", None, "")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("bench: the server did not start")


def _viewed(path: Path, port: int, writes: int) -> Row:
    progress(f"{VIEWERS} viewers for {SECONDS} s, {writes:,} events/s arriving")
    end, written = time.monotonic() + SECONDS, 0
    with ThreadPoolExecutor(VIEWERS + 1) as pool:
        writer = pool.submit(_write, port, end) if writes else None
        looking = [pool.submit(look, port, end) for _ in range(VIEWERS)]
        taken = [seconds for one in looking for seconds in one.result()]
        written = writer.result() if writer else 0
    p50, p95 = p50_p95(taken)
    arriving = f", {written / SECONDS:,.0f} events/s arriving" if writes else ""
    what = f"{VIEWERS} viewers, {path.stem}, 30 days, served{arriving}"
    return Row(what, p50, None, f"p95 {ms(p95)}, {len(taken) / SECONDS:.1f} refreshes/s")


def look(port: int, end: float, every: float = 0.0) -> list[float]:
    """Redraw again and again, at most once in `every` seconds, each time a new question and all
    cards at once, as browsers do."""
    local, bearer = threading.local(), token(Settings.read(), "boss", admin=True)

    def post(body: Body) -> str:
        if not hasattr(local, "connection"):
            local.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        return send(local.connection, "POST", PATH, body, bearer)

    said = send(HTTPConnection("127.0.0.1", port), "GET", "/_dash-dependencies", None, bearer)
    known, taken = orjson.loads(said), []
    with ThreadPoolExecutor(len(OVERVIEW)) as cards:
        while time.monotonic() < end:
            bodies = calls(known, asked(30, ago=random.randrange(10**9)))
            taken.append(timed(partial(_all, cards, post, bodies)))
            time.sleep(max(0.0, min(every - taken[-1], end - time.monotonic())))
    return taken


def _all(cards: ThreadPoolExecutor, post: Callable[[Body], str], bodies: list[Body]) -> None:
    list(cards.map(lambda body: redraw(post, [body]), bodies))


def _write(port: int, end: float) -> int:
    """Send what is due by now, again and again; returns how many events were stored."""
    connection, sent, start = HTTPConnection("127.0.0.1", port, timeout=120), 0, time.monotonic()
    while (now := time.monotonic()) < end:
        due = min(int((now - start) * RATE) - sent, MOST)
        if due < RATE // POSTS:
            time.sleep(1 / POSTS)
            continue
        send(connection, "POST", "/api/v1/events", fresh(due, 10**9 + sent), KEY)
        sent += due
    return sent


def send(connection: HTTPConnection, method: str, path: str, body: Any, bearer: str) -> str:
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    connection.request(method, path, orjson.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"bench: {method} {path} answered {answer.status}: {said[:300]}")
    return said
