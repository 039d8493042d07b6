"""Many readers who change filters now and then while events arrive: how long they wait, what fails,
and whether memory stays as it is.

```
.venv/bin/python -m tests.bench.readers STORE.duckdb --seconds 900      # a copy: it is written to
```
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import orjson

from callbacks.analytics.filter_state import new_state
from callbacks.commands.accounts import token
from data.settings import Settings
from tests.bench import serving
from tests.bench.crowd import UNTIL, fresh
from tests.bench.report import QUICK, Row, memory_now, ms, p50_p95, progress, table, timed
from tests.bench.viewer import OVERVIEW, PATH, Body, calls, redraw

READERS: Final = 20
EVERY: Final = 2.0  # seconds
RATE: Final = 2_000  # events a second
POST: Final = 500
SECONDS: Final = 5 if QUICK else 60
DAYS: Final = (1, 7, 30, 90)
FIELDS: Final[tuple[dict[str, Any], ...]] = (
    {}, {}, {"channel": ["platform"]}, {"channel": ["cli", "api"]}, {"status": ["ok"]},
    {"status": ["error"]},
)  # fmt: skip


@dataclass
class Seen:
    """What readers and the writer met."""

    taken: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    written: int = 0


def measure(path: Path, seconds: float = SECONDS) -> list[Row]:
    """A row for the waiting, and one for the memory."""
    with serving.server(path) as (port, pid):
        before, seen = memory_now(pid), Seen()
        progress(f"{READERS} readers for {seconds:g} s, {RATE:,} events/s arriving")
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(READERS + 1) as pool:
            working = [pool.submit(_read, port, end, number, seen) for number in range(READERS)]
            working.append(pool.submit(_write, port, end, seen))
            for one in working:
                one.result()
        after = memory_now(pid)
    p50, p95 = p50_p95(seen.taken or [0.0])
    for error in sorted(set(seen.errors))[:5]:
        progress(error)
    what = f"{READERS} readers, {path.stem}, filters changed every {EVERY:g} s"
    remarks = (
        f"p95 {ms(p95)}, {len(seen.taken)} changes, {len(seen.errors)} errors,"
        f" {seen.written / seconds:,.0f} events/s stored"
    )
    return [
        Row(what, p50, None, remarks),
        Row(f"{what}: memory", remarks=f"{before:,.0f} MB before, {after:,.0f} MB after"),
    ]


def _read(port: int, end: float, number: int, seen: Seen) -> None:
    """One reader, from a moment of their own on."""
    dice, local = random.Random(number), threading.local()
    bearer = token(Settings.read(), "boss", admin=True)

    def post(body: Body) -> str:
        if not hasattr(local, "connection"):
            local.connection = HTTPConnection("127.0.0.1", port, timeout=120)
        return serving.send(local.connection, "POST", PATH, body, bearer)

    time.sleep(dice.random() * EVERY)
    asking = HTTPConnection("127.0.0.1", port)
    known = orjson.loads(serving.send(asking, "GET", "/_dash-dependencies", None, bearer))
    with ThreadPoolExecutor(len(OVERVIEW)) as cards:
        while (start := time.monotonic()) < end:
            choice = {"preset": "last_n_days", "n": str(dice.choice(DAYS)), **dice.choice(FIELDS)}
            bodies = calls(known, new_state(choice, "UTC", UNTIL - dice.randrange(10**9)))
            try:
                seen.taken.append(timed(partial(_all, cards, post, bodies)))
            except (SystemExit, OSError, HTTPException) as error:
                seen.errors.append(f"reading: {error!r}"[:300])
            time.sleep(max(0.0, min(start + EVERY, end) - time.monotonic()))


def _all(cards: ThreadPoolExecutor, post: Any, bodies: list[Body]) -> None:
    list(cards.map(lambda body: redraw(post, [body]), bodies))


def _write(port: int, end: float, seen: Seen) -> None:
    """Send what is due by now, again and again."""
    connection, start = HTTPConnection("127.0.0.1", port, timeout=120), time.monotonic()
    first = int(time.time()) * 10**6
    while (now := time.monotonic()) < end:
        if (now - start) * RATE - seen.written < POST:
            time.sleep(POST / RATE / 4)
            continue
        events = fresh(POST, first + seen.written)
        try:
            serving.send(connection, "POST", "/api/v1/events", events, serving.KEY)
            seen.written += POST
        except (SystemExit, OSError, HTTPException) as error:
            seen.errors.append(f"writing: {error!r}"[:300])
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.bench.readers", description=__doc__)
    parser.add_argument("store", type=Path, help="an event store to serve, and to write to")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    print(table(measure(given.store, given.seconds)))


if __name__ == "__main__":
    main()
