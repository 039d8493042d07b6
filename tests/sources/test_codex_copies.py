"""Forks and subagents of Codex: whatever they copy of their parent, however it comes, each call is
counted once, and the calls of a child are its own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.duckdb.store import DuckEvents
from data.engines.protocol import EventStore
from data.ingest.importing import ingest_paths
from tests.cli_logs import Clock, stored

START: Final = datetime(2026, 5, 12, 8, tzinfo=UTC)
NAMES: Final = (
    *("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens"),
    "cache_write_input_tokens",
)
Line = dict[str, Any]
Usage = tuple[int, ...]


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """Long after everything."""


@dataclass
class Way:
    """How a version of Codex writes: what it copies, and what it says of a call."""

    records: bool  # of each call, beside its count
    last: bool  # counts say what the last call took, not only what all did
    restamped: bool  # copies have the time of the fork
    keeps_records: bool  # copies have their records
    copies: bool  # a child begins with its parent's lines
    continues: bool  # a child's counts go on from its parent's total


@dataclass
class Thread:
    """A thread as it is written, and what was really spent in it."""

    name: str
    way: Way
    parent: Thread | None
    now: datetime
    lines: list[Line] = field(default_factory=list)
    total: Usage = (0, 0, 0, 0, 0)
    calls: list[Usage] = field(default_factory=list)

    def write(self, kind: str, payload: Line, pause: float = 0.002) -> None:
        self.now += timedelta(seconds=pause)
        self.lines.append({"timestamp": self.now.isoformat(), "type": kind, "payload": payload})

    def call(self, usage: Usage) -> None:
        self.calls.append(usage)
        self.total = tuple(a + b for a, b in zip(self.total, usage, strict=True))
        self.now += timedelta(seconds=20)
        if self.way.records:
            own = tuple(map(sum, zip(*self.calls, strict=True)))
            told = {"usage": told_as(usage), "thread_token_usage": told_as(own)}
            self.write("token_usage_record", {"thread_id": self.name, **told})
        info = {"total_token_usage": told_as(self.total)}
        if self.way.last:
            info["last_token_usage"] = told_as(usage)
        self.write("event_msg", {"type": "token_count", "info": info})


def told_as(usage: Usage) -> dict[str, int]:
    return dict(zip(NAMES, usage, strict=True))


def spawned(chance: random.Random, name: str, way: Way, parent: Thread | None) -> Thread:
    """A thread that begins: with its parent's lines, if there is one and they are copied."""
    began = START if parent is None else parent.now + timedelta(seconds=5)
    thread = Thread(name, way, parent, began)
    meta: Line = {"id": name, "session_id": name, "model_provider": "openai"}
    if parent:
        spawn = {"subagent": {"thread_spawn": {"parent_thread_id": parent.name}}}
        meta |= chance.choice(({"forked_from_id": parent.name}, {"source": spawn}))
        meta["session_id"] = chance.choice((name, parent.name))
    thread.write("session_meta", meta | {"timestamp": began.isoformat()}, 0)
    if parent and way.copies:
        copy_lines(thread, parent)
    thread.write("event_msg", {"type": "task_started", "turn_id": f"turn of {name}"}, 1.5)
    thread.write("turn_context", {"model": "gpt-5-codex"})
    return thread


def copy_lines(thread: Thread, parent: Thread) -> None:
    thread.total = parent.total if thread.way.continues else thread.total
    for line in parent.lines:
        if line["type"] != "token_usage_record" or thread.way.keeps_records:
            if thread.way.restamped:
                thread.write(line["type"], line["payload"], 0.0004)
            else:
                thread.lines.append(line)


def family(chance: random.Random) -> list[Thread]:
    """A thread, its children, their children: each with calls that may well be alike."""
    flags = [chance.random() < 0.5 for _ in range(5)]
    records, restamped, keeps, copies, continues = flags
    way = Way(records, records or chance.random() < 0.7, restamped, keeps, copies, continues)
    way.continues = way.copies and (way.continues or not way.last)  # else nobody could tell
    threads: list[Thread] = []
    for number in range(chance.randint(1, 5)):
        parent = chance.choice(threads) if threads else None
        thread = spawned(chance, f"019f1000-aaaa-7000-8000-{number:012}", way, parent)
        threads.append(thread)
        # A total that began anew and is its parent's by chance could be either.
        thread.call((1_000 + number, 0, 50, 0, 0))
        for _ in range(chance.randint(0, 4)):
            thread.call(chance.choice(((900, 500, 40, 9, 0), (1_200, 0, 70, 0, 100))))
    return threads


def files(folder: Path, threads: list[Thread]) -> Iterator[Path]:
    for thread in threads:
        path = folder / f"rollout-2026-05-12T08-00-00-{thread.name}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in thread.lines))
        yield path


def spent(store: EventStore) -> list[tuple[Any, ...]]:
    columns = "sum(input_tokens + cached_input_tokens + cache_write_tokens), sum(output_tokens)"
    with store.sql.connect() as connection:
        found = connection.exec_driver_sql(
            f"SELECT count(*), {columns} FROM events WHERE kind='llm'"
        )
        return [tuple(value or 0 for value in row) for row in found]


def expected(threads: list[Thread]) -> list[tuple[Any, ...]]:
    calls = [usage for thread in threads for usage in thread.calls]
    return [(len(calls), sum(u[0] for u in calls), sum(u[2] for u in calls))]


@pytest.mark.parametrize("seed", range(36))
def test_every_call_counts_once_in_any_order_of_imports(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    threads = family(chance)
    paths = list(files(tmp_path, threads))
    store = DuckEvents(tmp_path / "events.duckdb")
    order = chance.sample(paths, len(paths))
    for part in chance.choice(([order], [[path] for path in order])):
        assert ingest_paths(part, store).rejections == []
    assert spent(store) == expected(threads), threads[0].way
    assert ingest_paths([tmp_path], store).accepted == 0
    store.close()


@pytest.mark.parametrize("seed", range(0, 36, 4))
def test_a_child_alone_brings_its_own_calls(seed: int, tmp_path: Path) -> None:
    threads = family(random.Random(seed))
    *_, (child, path) = zip(threads, files(tmp_path, threads), strict=True)
    if child.way.keeps_records and child.way.records:
        return  # those name their thread, and are its calls
    store = DuckEvents(tmp_path / "events.duckdb")
    ingest_paths([path], store)
    assert spent(store) == expected([child])
    store.close()


def test_what_a_fork_copies_is_neither_its_tools_nor_its_time(
    tmp_path: Path, store: EventStore
) -> None:
    way = Way(True, True, restamped=False, keeps_records=True, copies=True, continues=True)
    chance = random.Random(1)
    parent = spawned(chance, "parent", way, None)
    parent.write("response_item", {"type": "function_call", "call_id": "a", "name": "shell"})
    parent.write("response_item", {"type": "function_call_output", "call_id": "a"})
    parent.call((900, 500, 40, 9, 0))
    child = spawned(chance, "child", way, parent)
    child.lines[0]["payload"] |= {"session_id": "child", "forked_from_id": "parent"}
    child.call((900, 500, 40, 9, 0))
    for path in files(tmp_path, [child, parent]):
        ingest_paths([path], store)
    assert stored(store, "kind", "conversation_id", where="WHERE kind <> 'llm'") == [
        ("session", "child"), ("session", "parent"), ("tool", "parent"),
    ]  # fmt: skip
    spans = stored(store, "duration_ms", where="WHERE kind = 'session'")
    assert all(milliseconds < 30_000 for (milliseconds,) in spans)
    assert spent(store) == expected([parent, child])


def test_a_fork_may_begin_with_its_parents_total_alone(tmp_path: Path, store: EventStore) -> None:
    way = Way(False, True, restamped=True, keeps_records=False, copies=False, continues=False)
    parent = spawned(random.Random(1), "parent", way, None)
    parent.call((900, 500, 40, 9, 0))
    child = spawned(random.Random(1), "child", way, parent)
    zero = told_as((0, 0, 0, 0, 0))
    info = {"total_token_usage": told_as(parent.total), "last_token_usage": zero}
    child.write("event_msg", {"type": "token_count", "info": info})
    child.total = parent.total
    child.call((700, 100, 30, 0, 0))
    report = ingest_paths(list(files(tmp_path, [parent, child])), store)
    assert spent(store) == expected([parent, child])
    assert report.notes == {}


def test_a_count_repeated_beside_another_limits_is_one_call(
    tmp_path: Path, store: EventStore
) -> None:
    way = Way(False, True, restamped=True, keeps_records=False, copies=False, continues=False)
    thread = spawned(random.Random(1), "one", way, None)
    usage = told_as((900, 500, 40, 9, 0))
    for limit in ("codex", "codex_other", "codex", "codex_other"):
        info = {"total_token_usage": usage, "last_token_usage": usage}
        limits = {"limit_id": limit}
        thread.write("event_msg", {"type": "token_count", "info": info, "rate_limits": limits}, 9)
    ingest_paths(list(files(tmp_path, [thread])), store)
    assert spent(store) == [(1, 900, 40)]
