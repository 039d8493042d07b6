"""Columns loaded in SQL: what is stored and reported is what reading record by record has."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from data.engines.duckdb import loading
from data.engines.protocol import EventStore
from data.events.table import LARGEST_COUNT
from data.ingest import columns, importing, preparing
from data.ingest.importing import ingest, ingest_paths
from data.people.similar_names import SIMILAR_USERS
from data.sample.organisation import sample
from data.sources import events, find, read
from data.sources.format import Options
from tests.engines.test_parquet_load import (
    COLUMNS,
    COSTS,
    FLOATS,
    KINDS,
    MODELS,
    NEEDED,
    NOON,
    NUMBERS,
    PROVIDERS,
    TAGS,
    TIMES,
    WORDS,
    stored,
)

FIELD = Path(__file__).resolve().parents[1] / "field"
ODD: dict[str, list[Any]] = {
    "event_id": [None, "", " id 1", "id 1\x00", 7], "kind": KINDS, "model": WORDS,
    "ts": [*TIMES, NOON, 0, float(NOON), True, str(NOON), f"{NOON}0"], "provider": WORDS,
    "cost": [*COSTS, 1, -1, "0.1", "1e-7", " 1", "x", "0.00000000050000000000000000001", 1_000.5,
             10**400],
    "tags": [*TAGS, {"a": [1.0, 1e22]}, {"b": 1.50, "n": None}, [1], {"c": 12345678901234567890},
             {"d": 123456789012345678901234567890}, 5, True],
    "source": WORDS, "user": [*WORDS, 5], "channel": ["web", " ", 1], "status": ["bad", "ok "],
    "service_tier": ["turbo", " batch", "Batch"], "cost_origin": ["reported", "list", "unpriced"],
    "unpriced_reason": ["in another currency", " "],
}  # fmt: skip
COUNTS = [*NUMBERS, *FLOATS, True, "7", " 7", "7.0", "x", "", 10**30, LARGEST_COUNT - 1]
BROKEN = [
    '{"event_id": "a", "ts": 1793527200000000, "kind": "llm",}', "{", "[]", "7", "", "  ", "nope",
    '{"event_id": "twice", "event_id": "once", "ts": 1793527200000000, "kind": "llm"}',
    '{"event_id": "\\ud800", "ts": 1793527200000000, "kind": "llm"}', "\ufeff{}", "{}",
    '{"event_id": "n", "ts": 1793527200000000, "kind": "llm", "cost": NaN}',
    '{"event_id": "w", "ts": 1793527200000000, "kind": "llm", "colour": "red"}',
    '{"event_id": "m", "ts": 1793527200000000, "kind": "llm", "cost": 1, "cost_nano": 1}',
    '{"event_id": "l", "ts": 1793527200000000, "kind": "llm", "cost": 0.1000000000000000055511}',
    "[" * 5_000, '{"event_id": "t\tab", "ts": 1793527200000000, "kind": "llm"}',
]  # fmt: skip


def rows(chance: random.Random, texts: bool) -> list[dict[str, Any]]:
    """Most are good, some are odd in one place; nothing known is left out now and then."""
    names = [name for name in COLUMNS if name in NEEDED or chance.random() < 0.7]
    return [row(names, chance, texts) for _ in range(300)]


def row(names: list[str], chance: random.Random, texts: bool) -> dict[str, Any]:
    odd = chance.choice([*names, *[None] * len(names)])
    made = {name: value(name, name == odd, chance) for name in names}
    if texts:
        return {name: "" if told is None else told for name, told in made.items()}
    return {name: told for name, told in made.items() if told is not None or chance.random() < 0.5}


def value(name: str, odd: bool, chance: random.Random) -> Any:
    if odd:
        return chance.choice(ODD.get(name, COUNTS))
    if name in ("model", "provider"):
        return chance.choice(MODELS if name == "model" else PROVIDERS)
    kinds = {kind: good for kind, good, _ in COLUMNS[name]}
    return chance.choice(kinds.get("BIGINT") or kinds.get("VARCHAR") or [None])


def lines(chance: random.Random) -> bytes:
    made = [json.dumps(one, ensure_ascii=chance.random() < 0.5) for one in rows(chance, False)]
    for broken in BROKEN:
        made.insert(chance.randrange(1, len(made)), broken)
    content = chance.choice(["\n", "\r\n"]).join(made).encode(errors="surrogateescape")
    return content + b'\n{"event_id": "\xff"}' * chance.randrange(2)


def cells(chance: random.Random) -> bytes:
    told = rows(chance, True)
    names = list(told[0])
    into = io.StringIO()
    into.write(chance.choice(["", "sep=,\r\n"]))
    writer = csv.DictWriter(into, names)
    writer.writeheader()
    for one in told:
        writer.writerow({n: json.dumps(v) if isinstance(v, dict | list) else v
                         for n, v in one.items()})  # fmt: skip
        if chance.random() < 0.03:
            into.write(chance.choice(["\r\n", "a,b\r\n", f"{'x,' * len(names)}\r\n",
                                      f'="007"{"," * (len(names) - 1)}\r\n', 'a"b,"c"d\r\n',
                                      f'"two\nlines"{"," * (len(names) - 1)}\r\n']))  # fmt: skip
    return into.getvalue().encode(errors="surrogateescape")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LEAST", 20)
    monkeypatch.setattr(columns, "LEAST", 20)
    monkeypatch.setattr(preparing, "BATCH", 25)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(12))
def test_columns_store_what_records_do(
    two_stores: tuple[EventStore, EventStore],
    seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preparing, "BATCH", 100)  # three or four of a file
    chance = random.Random(seed)
    path = tmp_path / ("a.ndjson" if seed % 2 else "a.csv")
    content = lines(chance) if seed % 2 else cells(chance)
    path.write_bytes(gzip.compress(content) if seed % 3 == 0 else content)
    options = Options(user="ana") if seed % 4 > 1 else Options()
    for one in two_stores:
        with one.sql.begin() as connection:
            connection.exec_driver_sql("DELETE FROM events")
    inputs = find([path], "canonical")
    slow = ingest(read(inputs, options), Slowly(two_stores[1]))
    slow.files, slow.format = 1, "canonical"
    slow.attribute_rejections("canonical", {})
    assert slow.accepted
    assert asdict(ingest_paths([path], two_stores[0], options, name="canonical")) == asdict(slow)
    assert stored(two_stores[0]) == stored(two_stores[1])


@pytest.mark.parametrize("case", [
    "litellm-writes-beside-the-prompt", "azure-diagnostics-of-log-analytics",
    "spans-usage-inside-other-attributes", "vertex-batch-with-a-bad-request",
])  # fmt: skip
def test_columns_of_any_format_store_what_records_do(
    two_stores: tuple[EventStore, EventStore], case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "LEAST", 1)
    monkeypatch.setattr(columns, "MOST", 5)
    for one in two_stores:
        with one.sql.begin() as connection:
            connection.exec_driver_sql("DELETE FROM events")
    taken, load = [], two_stores[0].load
    monkeypatch.setattr(two_stores[0], "load", lambda rows: taken.append(load(rows)) or taken[-1])
    slow = ingest_paths([FIELD / case / "input"], Slowly(two_stores[1]))
    assert asdict(ingest_paths([FIELD / case / "input"], two_stores[0])) == asdict(slow)
    assert stored(two_stores[0]) == stored(two_stores[1])
    assert any(taken)
    assert slow.accepted


@pytest.mark.usefixtures("small")
def test_good_records_of_other_formats_are_not_priced_one_by_one(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = (
        "request_id,spend,startTime,endTime,model,prompt_tokens,completion_tokens,user,metadata\n"
    )
    when = "2026-11-20 10:00:00,2026-11-20 10:00:01"
    rows = [f"{n},0.25,{when},gpt-4o,{n},5,ana,{{}}\n" for n in range(100)]
    (tmp_path / "use.csv").write_text(
        head + "".join(rows) + f"x,0.25,soon,{when[20:]},m,1,5,ana,{{}}\n"
    )
    asked = []

    def event_of(raw: Any, *others: Any) -> Any:
        asked.append(raw["ts"])
        return events.event_of(raw, *others)

    monkeypatch.setattr(loading, "event_of", event_of)
    monkeypatch.setattr(preparing, "event_of", event_of)
    report = ingest_paths([tmp_path / "use.csv"], store)
    assert (report.accepted, report.cost_nano, report.rejected) == (100, 25 * 10**9, 1)
    assert asked == ["soon"]


class Slowly:
    """A store that takes no columns."""

    takes_columns = False

    def __init__(self, store: EventStore) -> None:
        self.book, self.write = store.book, store.write
        self.stored_ids, self.stored_shared_ids = store.stored_ids, store.stored_shared_ids

    def load(self, _: Any) -> None:
        """Record by record."""


@pytest.mark.usefixtures("small")
def test_users_that_look_alike_are_noted(store: EventStore, tmp_path: Path) -> None:
    told = [{"event_id": str(n), "ts": NOON, "kind": "llm", "user": user} for n, user in
            enumerate(["ann.lee"] * 30 + ["ann_lee@x.com"] * 30)]  # fmt: skip
    (tmp_path / "a.ndjson").write_text("\n".join(map(json.dumps, told)))
    report = ingest_paths([tmp_path / "a.ndjson"], store)
    assert (report.accepted, list(report.notes)) == (60, [SIMILAR_USERS])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("kind", ["ndjson", "csv"])
def test_good_rows_are_not_read_one_by_one(
    store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def fail(*_: Any) -> Any:
        raise AssertionError("a good row was read by itself")

    events = list(sample(500, 5, until=NOON))
    with (tmp_path / f"a.{kind}").open("w", newline="") as into:
        if kind == "csv":
            csv.DictWriter(into, events[0]).writeheader()
            csv.DictWriter(into, events[0]).writerows(events)
        else:
            into.writelines(json.dumps(event) + "\n" for event in events)
    monkeypatch.setattr(loading, "event_of", fail)
    monkeypatch.setattr(preparing, "event_of", fail)
    for accepted in (500, 0):
        report = ingest_paths([tmp_path / f"a.{kind}"], store)
        assert (report.accepted, report.read, report.rejected) == (accepted, 500, 0)
