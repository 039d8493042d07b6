"""Parquet loaded in SQL: it stores and reports what reading record by record would have."""

from __future__ import annotations

import itertools
import os
import random
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from werkzeug.serving import make_server

from callbacks.commands.remote_store import RemoteStore
from data.engines.duckdb import loading
from data.engines.protocol import EventStore, open_events
from data.events.table import LARGEST_COUNT, Event
from data.ingest.importing import ingest, ingest_paths
from data.prices.book import PriceBook
from data.prices.entries import Entry
from data.sample.organisation import sample
from data.sources import File, find, parquet, read
from data.sources.format import Options
from data.sources.report import Report
from tests.serving import Served, serving

Kind = tuple[str, list[Any], list[Any]]  # type, good values, odd ones
NOON = 1_793_527_200_000_000
LEAST = {"event_id": "a", "ts": NOON, "kind": "llm"}
WORDS = ["", " ", "a", " a", "a ", "ä", "\u2003x", "x\x85", "x\x1f", "a b", "nul\x00", "y" * 1_000,
         "y" * 1_001, "ü" * 999, "gpt-4o", "openai", "llm", "ok", "api", "reported"]  # fmt: skip
KINDS = ["llm", "message", "workflow", "tool", "integration", "session", "LLM", "", None, " llm"]
TAGS = ['{"a": 1}', "[]", "", " ", "{", "NaN", "1", '{"a": NaN}', None, '"x"']
NUMBERS = [None, 0, 1, 7, 128_001, LARGEST_COUNT, LARGEST_COUNT + 1, -1]
FLOATS = [None, 0.0, -0.0, 1.0, 1.5, float("nan"), float("inf"), 1e15, 1e16, 5e-324, 1e-9, -1.0]
COSTS = [None, 0.0, 0.1, 0.30000000000000004, 1e-7, 5e-10, 1.5e-9, 2.5e-9, 1e6, 1_000_000.1, -0.1,
         123.456789123456, 1 / 3, float("nan"), 0.0000000005000001]  # fmt: skip
TIMES = ["2026-11-01T10:00:00Z", "2026-11-01 10:00:00.5", "2026-11-01T24:00:00", "2026-02-30T00:00",
         "2026-11-01", "2026-11-01T10:00:00+02:00", "", "soon", None, "1999-12-31T23:59:59.999999Z",
         "2000-01-01T00:00:00", "2099-12-31T23:59:59.999999", "2100-01-01T00:00:00",
         "2026-11-01T10:00:60", "2026-11-01T10:00:00.1234567"]  # fmt: skip
MODELS = ["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "deepseek-chat", "no-such", None]
PROVIDERS = ["openai", "anthropic", "google", "deepseek", "strands-agents", "nobody", None]


ANY = (1, 7, 128_001)
COUNT: list[Kind] = [
    ("BIGINT", [None, *ANY], NUMBERS), ("DOUBLE", [None, *map(float, ANY)], FLOATS),
    ("VARCHAR", [None, "", *map(str, ANY)],
     [" 7", "7.0", "x", "-1", "0", "1_0", "1e3", "٧", "9" * 16]),
    ("DECIMAL(20, 2)", [None, *ANY], [0, 1.25, -1, 2 * 10**15]),
]  # fmt: skip
NOTHING: list[Kind] = [(kind, [None], [*good, *odd]) for kind, good, odd in COUNT]
TEXT: list[Kind] = [("VARCHAR", [None, "", "a", "ä", "a b"], WORDS), ("INTEGER", [None], [7])]
COLUMNS: dict[str, list[Kind]] = {
    "event_id": [("VARCHAR", [f"id {n}" for n in range(60)], [None, "", " id 1", "id 1\x00"])],
    "ts": [
        ("VARCHAR", TIMES[:2], TIMES), ("BIGINT", [NOON], [0, 4_102_444_800_000_000, None]),
        ("TIMESTAMP", ["2026-11-01 10:00:00"], ["1999-01-01", "infinity", None]),
    ],
    "kind": [("VARCHAR", ["llm"], KINDS)],
    "model": [("VARCHAR", MODELS, WORDS)],
    "provider": [("VARCHAR", PROVIDERS, WORDS)],
    "cost": [
        ("DOUBLE", [None, 0.0, 0.1, 0.3], COSTS), ("DECIMAL(20, 12)", [None, 0.5], [2, -1]),
        ("VARCHAR", [None, "", "0.1"], [" 1", "1e-7", "0.0000000005", "1e7", "x"]),
        ("INTEGER", [None, 0, 2], [-1, 1_000_001]),
    ],
    "cost_nano": NOTHING, "reasoning_tokens": NOTHING, "lines_added": NOTHING,
    "input_tokens": COUNT, "output_tokens": COUNT, "cached_input_tokens": COUNT,
    "cache_write_1h_tokens": COUNT, "input_audio_tokens": COUNT, "output_image_tokens": COUNT,
    "web_searches": COUNT, "cache_write_tokens": COUNT, "duration_ms": COUNT,
    "request_count": COUNT,
    "user": TEXT, "project": TEXT, "client": TEXT, "source": TEXT,
    "channel": [("VARCHAR", ["api", "cli", "", None], ["web", " "])],
    "status": [("VARCHAR", ["ok", "", None], ["bad", "ok "])],
    "service_tier": [("VARCHAR", [None, "", "batch", "fast"], ["turbo", " batch", "Batch"])],
    "unpriced_reason": [("VARCHAR", [None, None, ""], ["in another currency", " "])],
    "cost_origin": [("VARCHAR", [None, ""], ["reported", "list", "unpriced", " ", "x"])],
    "tags": [("VARCHAR", [None, "", '{"a": 1}'], TAGS)],
}  # fmt: skip
NEEDED = ("event_id", "ts", "kind")


def file(chance: random.Random) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
    """Columns of some types, and rows of which most are good and some are odd in one place."""
    taken = {name: chance.choice(kinds) for name, kinds in COLUMNS.items()
             if name in NEEDED or chance.random() < 0.7}  # fmt: skip
    rows = [row(taken, chance) for _ in range(300)]
    return {name: kind for name, (kind, _, _) in taken.items()}, rows


def row(taken: dict[str, Kind], chance: random.Random) -> tuple[Any, ...]:
    odd = chance.choice([*taken, *[None] * len(taken)])
    return tuple(
        chance.choice(strange if name == odd else good)
        for name, (_, good, strange) in taken.items()
    )


def written(path: Path, kinds: dict[str, str], rows: list[tuple[Any, ...]]) -> Path:
    with duckdb.connect() as connection:
        names = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        connection.execute(f"CREATE TABLE told ({names})")
        connection.executemany(f"INSERT INTO told VALUES ({', '.join('?' * len(kinds))})", rows)
        connection.execute(f"COPY told TO '{path}' (FORMAT parquet)")
    return path


def stored(store: EventStore) -> list[tuple[Any, ...]]:
    with store.sql.connect() as connection:
        return sorted(
            map(tuple, connection.exec_driver_sql("SELECT * EXCLUDE (sequence) FROM events")),
            key=repr,
        )


def slowly(path: Path, store: EventStore, options: Options) -> Report:
    inputs = find([path])
    return ingest(read(inputs, options), store)


@pytest.mark.parametrize("seed", range(16))
def test_loading_stores_what_ingesting_does(
    two_stores: tuple[EventStore, EventStore], seed: int
) -> None:
    options = Options(user="ana") if seed % 2 else Options()
    told = file(random.Random(seed))
    fast, slow = two_stores
    for one in two_stores:
        with one.sql.begin() as connection:
            connection.exec_driver_sql("DELETE FROM events")
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder) / "a.parquet", *told)
        [part] = parquet.parts(File("a.parquet", path), options)
        quick, thorough = fast.load(part), slowly(path, slow, options)
        assert quick is not None
        assert quick.accepted  # or nothing was put to the test
        assert asdict(quick) == asdict(thorough)
        assert stored(fast) == stored(slow)
        again = fast.load(part)
        assert again is not None
        assert (again.accepted, again.rejected) == (0, thorough.rejected)


def test_good_rows_are_not_read_one_by_one(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise AssertionError("a good row was read by itself")

    path = exported(tmp_path / "sample.parquet", list(sample(2_000, 5, until=NOON)))
    monkeypatch.setattr(loading, "event_of", fail)
    report = ingest_paths([path], store)
    assert (report.accepted, report.rejected) == (2_000, 0)
    with store.sql.connect() as connection:
        found = connection.exec_driver_sql("SELECT count(list_cost_nano) FROM events").scalar()
    assert found


def exported(path: Path, events: list[Event]) -> Path:
    frame = pd.DataFrame(events).convert_dtypes()
    frame.loc[frame["cost_origin"] == "list", ["cost_nano", "cost_origin"]] = pd.NA
    with duckdb.connect() as connection:
        connection.register("told", frame)
        connection.execute(f"COPY told TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return path


def test_own_prices_hold_for_what_is_loaded(tmp_path: Path) -> None:
    rates = map(Decimal, ("0.007", "0.005", "0", "0.011"))
    own = Entry(1, "", "gpt-4o", "2020-01-01", *rates)  # type: ignore[arg-type]
    path = written(
        tmp_path / "a.parquet",
        {"event_id": "VARCHAR", "ts": "BIGINT", "kind": "VARCHAR", "model": "VARCHAR",
         "input_tokens": "BIGINT", "cached_input_tokens": "BIGINT"},
        [("a", NOON, "llm", "gpt-4o", 100, 10), ("b", NOON, "llm", "gpt-4o ", 100, 10)],
    )  # fmt: skip
    store = open_events("duckdb://", lambda: PriceBook([own]))
    assert ingest_paths([path], store).cost_nano == 2 * 750
    assert {row[-3:-1] for row in stored(store)} == {(0, None)}
    store.close()


@pytest.mark.parametrize("at", [0, 3_000])
def test_a_file_damaged_in_the_middle_gives_what_comes_before(
    tmp_path: Path, store: EventStore, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "STRETCH", 2_048)
    path = exported(tmp_path / "a.parquet", list(sample(8_000, 5, until=NOON)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 if at else 10
    content[middle : middle + 4_000] = b"?" * 4_000
    path.write_bytes(content)
    report = ingest_paths([path], store)
    assert report.rejected == 1
    assert report.accepted >= (4_096 if at else 0)
    assert len(stored(store)) == report.accepted


def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours does not, and the engine's has a limit of its own, whatever the machine has."""
    monkeypatch.setattr(parquet, "STRETCH", 2_500)
    first = open_events("duckdb://")
    ingest_paths([made(tmp_path, 10)], first)  # what is loaded once is loaded
    first.close()
    small, large = (peak(tmp_path, rows) for rows in (5_000, 20_000))
    # A digest stays of each event, and is there three times while they are joined.
    assert large - small < 15_000 * 60, f"{small} bytes, then {large}"
    store = open_events(f"duckdb:///{tmp_path / 'limited.duckdb'}")
    with store.sql.connect() as connection:
        (limit,) = connection.exec_driver_sql("SELECT current_setting('memory_limit')").one()
    store.close()
    assert limit == "2.0 GiB"


def made(folder: Path, rows: int) -> Path:
    path = folder / f"{rows}.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'id-' || i AS event_id, 1793527200000000 + i AS ts, 'llm' AS kind,"
            " repeat('x' || i, 80) AS \"client\", 'gpt-4o' AS model, i % 900 AS input_tokens"
            f" FROM range({rows}) AS t(i)) TO '{path}' (FORMAT parquet)"
        )
    return path


def peak(folder: Path, rows: int) -> int:
    """The most memory, in bytes, that Python holds while it imports a file of so many rows."""
    path = made(folder, rows)
    store = open_events(f"duckdb:///{path}.duckdb")
    tracemalloc.start()
    try:
        assert ingest_paths([path], store).accepted == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        store.close()


def test_a_running_server_reads_the_file_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = exported(tmp_path / "a.parquet", list(sample(300, 5, until=NOON)))
    with serving(tmp_path / "var") as served, listening(served) as url:
        running = RemoteStore(url, "the key of commands")
        monkeypatch.setattr(running, "write", None)  # nothing goes record by record
        report = ingest_paths([path], running)
        assert (report.accepted, report.duplicates) == (300, 0)
        assert ingest_paths([path], running).duplicates == 300
        [part] = parquet.parts(File("a.parquet", path), Options())
        monkeypatch.setattr(
            "callbacks.commands.remote_store._file_identity", lambda _: [os.getpid(), next(numbers)]
        )
        assert running.load(part) is None  # another file, as far as the server can see


numbers = itertools.count()


@contextmanager
def listening(served: Served) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, served.app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_cell_may_hold_microseconds(store: EventStore, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"event_id,ts,kind\na,{NOON},llm\nb,{NOON}0000,llm\n")
    report = ingest_paths([path], store)
    assert (report.accepted, report.first) == (1, NOON)
    assert report.rejections == [("a.csv:3", f"ts is not a time: '{NOON}0000'")]
