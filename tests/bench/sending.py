"""How many spans a second a served Spendscope takes over OTLP, beside a bulk insert of the rows."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from data.engines.duckdb.columns import columns, names, values
from data.engines.protocol import open_events
from data.events.cleaning import clean
from data.events.table import Event
from data.prices.book import public
from tests.bench import serving
from tests.bench.crowd import fresh
from tests.bench.report import QUICK, Row, most_memory, ms, p50_p95, progress, timed
from tests.bench.spans import BATCH, export

SENDERS: Final = 4
SECONDS: Final = 2 if QUICK else 10
MOST: Final = 20_000  # spans a second
# Viewers, and the seconds between two of a viewer's redraws: none at all is a stress.
VIEWERS: Final = ((0, 0.0), (2, 5.0), (2, 0.0))
BULK: Final = 10
NUMBERS: Final = count(int(time.time()) * 10**6, BATCH)


def measure(path: Path) -> list[Row]:
    """Spans acknowledged while nobody looks, viewers look now and then, and without a pause."""
    calls = [event for event in fresh(4 * BATCH, 0) if event["kind"] == "llm"][:BATCH]
    progress("inserting the same rows in bulk")
    bare = _bulk(path, calls)
    with serving.server(path) as (port, pid):
        rows = [_sent(path, port, calls, bare, *viewers) for viewers in VIEWERS]
        return [*rows, Row(f"{path.stem}, sent to: memory at its peak", remarks=most_memory(pid))]


def _bulk(path: Path, calls: list[Event]) -> float:
    """Seconds a row of an INSERT that looks for nothing, its rows laid out before."""
    open_events(f"duckdb:///{path}").close()
    with duckdb.connect(str(path)) as connection:
        taken = [timed(partial(_insert, connection, batch)) for batch in _batches(calls)]
    return p50_p95(taken)[0] / (BULK * len(calls))


def _batches(calls: list[Event]) -> Iterator[pd.DataFrame]:
    for first in (next(NUMBERS) for _ in range(5)):
        told = [
            clean(call | {"event_id": f"bulk-{first}-{n}-{copy}"})
            for n, call in enumerate(calls)
            for copy in range(BULK)
        ]
        yield pd.DataFrame(columns(told, public()))


def _insert(connection: duckdb.DuckDBPyConnection, batch: pd.DataFrame) -> None:
    told, kept = names(batch.columns), values(batch.columns)
    connection.register("batch", batch)
    connection.execute(f"INSERT INTO events ({told}) SELECT {kept} FROM batch")


def _sent(
    path: Path, port: int, calls: list[Event], bare: float, viewers: int, every: float
) -> Row:
    watched = f"{viewers or 'no'} viewers" + (f" every {every:g} s" if every else "")
    progress(f"{SENDERS} senders of spans for {SECONDS} s, {watched}")
    # Exports are made elsewhere, and not with the processor that this server has.
    bodies = deque(export(calls, next(NUMBERS)) for _ in range(MOST * SECONDS // len(calls)))
    taken: list[float] = []

    def send() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=120)
        while time.monotonic() < end:
            taken.append(timed(partial(_post, connection, bodies.popleft())))

    start = time.monotonic()
    end = start + SECONDS
    with ThreadPoolExecutor(SENDERS + viewers) as pool:
        looking = [pool.submit(serving.look, port, end, every) for _ in range(viewers)]
        for sender in [pool.submit(send) for _ in range(SENDERS)]:
            sender.result()
        spent = time.monotonic() - start
        for one in looking:
            one.result()
    spans = len(taken) * len(calls)
    what = f"1,000 spans over OTLP into {path.stem}, {watched}"
    remarks = f"{spans / spent:,.0f} spans/s, acknowledged p95 {ms(p50_p95(taken)[1])}"
    return Row(what, 1_000 * spent / max(1, spans), 1_000 * bare, remarks)


def _post(connection: HTTPConnection, body: bytes) -> None:
    headers = {"x-api-key": serving.KEY, "Content-Type": "application/x-protobuf"}
    connection.request("POST", "/v1/traces", body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200 or said:
        raise SystemExit(f"bench: an export was answered {answer.status}: {said[:300]!r}")
