"""Events that share an id are one use: by every road, in any order, whatever is undone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks.commands.remote_store import RemoteStore
from data.engines.protocol import EventStore, open_events
from data.events.cleaning import clean
from data.events.merging import ANYWHERE, MERGED, Bound
from data.events.table import Event
from data.ingest import importing
from data.ingest.importing import ingest_paths
from data.prices.book import PriceBook
from data.prices.draft import draft
from data.prices.rate_rows import RateChange, rate_rows
from tests.engines.test_parquet_load import listening, written
from tests.serving import serving

NOON = 1_793_527_200_000_000
Row = dict[str, Any]
KINDS = {"event_id": "VARCHAR", "ts": "BIGINT", "kind": "VARCHAR", "model": "VARCHAR",
         "input_tokens": "BIGINT", "shared_id": "VARCHAR"}  # fmt: skip


def told(chance: random.Random) -> tuple[list[Row], int]:
    """Some calls, most of them copied under other ids, in any order; and all their tokens."""
    rows, tokens = [], 0
    for use in range(40):
        call = {"ts": NOON + use, "kind": "llm", "model": "gpt-4o", "input_tokens": use + 1}
        copies = chance.randint(1, 4)
        common = None if copies == 1 else f"use {use}"
        rows += [call | {"event_id": f"{use}.{n}", "shared_id": common} for n in range(copies)]
        tokens += use + 1
    return chance.sample(rows, len(rows)), tokens


@pytest.fixture
def other() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


def totals(store: EventStore) -> tuple[Any, ...]:
    question = "SELECT count(*), sum(input_tokens), sum(cost_nano) FROM events"
    with store.sql.connect() as connection:
        return tuple(connection.exec_driver_sql(question).one())


@pytest.mark.parametrize("seed", range(3))
def test_both_roads_count_copies_once(
    store: EventStore, other: EventStore, tmp_path: Path, seed: int
) -> None:
    rows, tokens = told(random.Random(seed))
    rows += [row | {"shared_id": None} for row in rows[::3]]  # told under its own id alone, too
    lines = tmp_path / "a.ndjson"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    cells = [tuple(row[name] for name in KINDS) for row in rows]
    parquet = written(tmp_path / "a.parquet", KINDS, cells)
    reports = [ingest_paths([lines], other), ingest_paths([parquet], store)]
    assert totals(store) == totals(other) == (40, tokens, tokens * 2_500)
    assert [report.accepted for report in reports] == [40, 40]
    assert ingest_paths([lines], store).accepted == ingest_paths([parquet], other).accepted == 0
    assert totals(store) == totals(other)


def spoken(chance: random.Random) -> tuple[list[Event], tuple[int, ...]]:
    """Calls in logs, copied there, and in telemetry, which knows of no copies but of the cost, and
    may have heard of several, in any order; how many they are, tokens and cost."""
    rows: list[tuple[float, Event]] = []
    for use in range(20):
        call = {"ts": NOON + use, "kind": "llm", "source": "cli", "channel": "cli", "status": "ok",
                "model": "gpt-4o", "input_tokens": use + 1}  # fmt: skip
        for n in range(copies := chance.randint(1, 4)):
            names = {"event_id": f"{use}.{n}", "shared_id": f"use {use}"}
            rows += [(chance.random(), clean(call | names))] * chance.randint(1, 2)
            if n == copies - 1 or chance.random() < 0.3:
                told = call | {"event_id": names["event_id"], "cost_nano": 7}
                rows.append((chance.random(), clean(told)))
    return [event for _, event in sorted(rows, key=lambda row: row[0])], (20, 210, 140)


@pytest.mark.parametrize("most", [2, 12, 1_000])
@pytest.mark.parametrize("bound", [ANYWHERE, Bound(user="ana")])
def test_copies_and_telemetry_are_one_use_in_any_order(
    other: EventStore, most: int, bound: Bound
) -> None:
    for seed in range(min(most, 3)):
        chance = random.Random(seed)
        events, expected = spoken(chance)
        events = [event | {"user": bound.user} for event in events]
        left = list(events)
        while left:
            many = chance.randint(1, most)
            other.write(left[:many], bound)
            del left[:many]
        assert totals(other) == expected, seed
        assert other.write(chance.sample(events, len(events)), bound) == []
        assert totals(other) == expected, seed
        other.remove("cli")


@pytest.mark.parametrize("seed", range(2))
def test_a_dry_run_counts_no_copy_of_what_is_stored(
    store: EventStore, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    rows, _ = told(chance)
    for part in (rows[: len(rows) // 3], rows[len(rows) // 3 :]):
        path = tmp_path / "a.ndjson"
        path.write_text("".join(json.dumps(row) + "\n" for row in part))
        dry = ingest_paths([path], store, dry_run=True)
        assert dry == ingest_paths([path], store)
        assert dry.accepted
    assert ingest_paths([path], store, dry_run=True).accepted == 0


def test_a_dry_run_asks_a_running_server_for_copies(tmp_path: Path) -> None:
    one, other = (CALL | {"event_id": name, "shared_id": "s"} for name in "ab")
    path = tmp_path / "a.ndjson"
    path.write_text(json.dumps(other))
    with serving(tmp_path / "var") as served, listening(served) as url:
        served.load([one])
        running = RemoteStore(url, "the key of commands")
        assert ingest_paths([path], running, dry_run=True).duplicates == 1


CALL = {"ts": NOON, "kind": "llm", "source": "t", "channel": "api", "status": "ok",
        "model": "ours", "input_tokens": 10**6}  # fmt: skip


def test_no_copy_of_anothers_is_replaced(store: EventStore) -> None:
    store.write([clean(CALL | {"event_id": "copy", "shared_id": "s", "user": "bob"})])
    mine = clean(CALL | {"event_id": "mine", "user": "ana"})
    store.write([mine], Bound(user="ana"))
    store.write([mine | {"shared_id": "s"}], Bound(user="ana"))
    assert store.stored_ids(["copy", "mine"]) == {"copy", "mine"}


def repriced(store: EventStore) -> None:
    book = PriceBook([draft({"model": "ours", "from": "2025-01-01", "input": "1"}, 1)])
    store.reprice(RateChange("unpriced", rate_rows(book, [(None, "ours")])), 1)
    assert totals(store) == (1, 10**6, 10**9)


def test_what_is_undone_or_removed_is_so_for_all_copies(store: EventStore) -> None:
    first, second = (clean(CALL | {"event_id": one, "shared_id": "s"}) for one in "ab")
    store.write([first])
    repriced(store)
    assert store.write([second]) == []
    assert (store.restore(1), totals(store)) == (1, (1, 10**6, None))
    assert (store.remove("t"), totals(store)[0]) == (1, 0)
    assert store.write([second, first]) == [second]


def test_no_repricing_of_a_replaced_copy_is_undone(store: EventStore) -> None:
    copy, alone = (clean(CALL | {"event_id": one}) for one in "ab")
    store.write([copy | {"shared_id": "s"}])
    repriced(store)
    store.write([alone])
    store.write([alone | {"shared_id": "s"}])
    assert (store.restore(1), totals(store)) == (0, (1, 10**6, None))


TELEMETRY = CALL | {"event_id": "original", "cost_nano": 7}
LOG = [CALL | {"event_id": one, "shared_id": "s"} for one in ("copy", "original")]


def given_way(store: EventStore) -> list[tuple[str, str]]:
    with store.sql.connect() as connection:
        rows = connection.exec_driver_sql("SELECT event_id, stored_as FROM copy_ids ORDER BY 1")
        return [tuple(row) for row in rows]


@pytest.mark.parametrize("road", ["batch", "columns", "parquet"])
def test_an_id_that_gave_way_is_known_by_every_road(
    tmp_path: Path, road: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LEAST", 1 if road == "columns" else 10**9)
    store = open_events(f"duckdb:///{tmp_path / 'events.duckdb'}")
    for event in LOG:
        store.write([clean(event)])
    store.close()
    store = open_events(f"duckdb:///{tmp_path / 'events.duckdb'}")
    told = tmp_path / "told.ndjson"
    told.write_text(json.dumps(TELEMETRY))
    if road == "parquet":
        kinds = {name: "BIGINT" if isinstance(value, int) else "VARCHAR"
                 for name, value in TELEMETRY.items()}  # fmt: skip
        told = written(tmp_path / "told.parquet", kinds, [tuple(TELEMETRY.values())])
    assert ingest_paths([told], store, dry_run=True).accepted == 0
    report = ingest_paths([told], store)
    assert (report.accepted, report.duplicates, totals(store)) == (0, 1, (1, 10**6, 7))
    assert report.notes == {MERGED: 1}
    assert ingest_paths([told], store).notes == {}
    assert given_way(store) == [("original", "copy")]
    store.close()


def test_ids_that_gave_way_go_with_what_was_removed(store: EventStore) -> None:
    for event in LOG:
        store.write([clean(event)])
    assert store.remove("other") == 0
    assert given_way(store)
    assert store.remove("t") == 1
    assert given_way(store) == []
    assert store.write([clean(TELEMETRY)]) == [clean(TELEMETRY)]


def test_what_was_told_of_a_replaced_copy_is_kept(store: EventStore) -> None:
    copy, original = LOG
    for event in (copy | {"event_id": "older"}, copy | {"user": "ana", "cost_nano": 5}):
        store.write([clean(event)])
    store.write([clean(original | {"shared_id": None})])
    assert store.write([clean(original)]) == []
    assert totals(store) == (1, 10**6, 5)
    assert given_way(store) == [("copy", "original"), ("older", "original")]


def test_nobody_names_an_id_of_anothers_event(store: EventStore) -> None:
    copy, original = LOG
    store.write([clean(copy | {"user": "ana"})])
    store.write([clean(original | {"user": "bob"})], Bound(user="bob"))
    assert given_way(store) == []
    assert store.write([clean(TELEMETRY | {"user": "bob"})], Bound(user="bob"))


def test_a_dry_run_knows_a_call_by_either_id(store: EventStore, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text("\n".join(map(json.dumps, [*LOG, TELEMETRY])))
    assert ingest_paths([tmp_path / "a.ndjson"], store, dry_run=True).accepted == 1
    assert ingest_paths([tmp_path / "a.ndjson"], store).accepted == 1
