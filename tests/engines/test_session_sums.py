"""A sum of a session gives way to its calls, by every road and in any order."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore, open_events
from data.events.cleaning import clean
from data.events.merging import Bound
from data.ingest import importing
from data.ingest.importing import ingest_paths
from tests.cli_logs import stored
from tests.engines.test_parquet_load import written

TEN: Final = 1_793_527_200_000_000
MINUTE: Final = 60_000_000
Row = dict[str, Any]
LEAST: Final[Row] = {"kind": "llm", "source": "t", "channel": "cli", "status": "ok",
                     "conversation_id": "s", "model": "m"}  # fmt: skip


def call(minute: int, **more: Any) -> Row:
    own = {"event_id": f"call {minute}", "ts": TEN + minute * MINUTE, "input_tokens": 10}
    return LEAST | own | more


def sum_of(requests: int, after: str | None = None, until: str | None = None, **more: Any) -> Row:
    told = {"after": after, "until": until} if until else True
    tags = json.dumps({"sum_of_session": told}, separators=(",", ":"))
    own = {"event_id": f"sum until {until}", "ts": TEN, "input_tokens": 10 * requests}
    return LEAST | own | {"request_count": requests, "tags": tags} | more


def events(store: EventStore) -> list[str]:
    return [name for (name,) in stored(store, "event_id")]


@pytest.mark.parametrize("seed", range(6))
def test_the_order_does_not_matter(store: EventStore, seed: int) -> None:
    chance = random.Random(seed)
    rows = [*(call(minute) for minute in range(5)), sum_of(2, None, "2026-11-01T10:01:00Z"),
            sum_of(3, "2026-11-01T10:01:00Z", "2026-11-01T10:30:00Z"), call(90)]  # fmt: skip
    new = left = 0
    shuffled = chance.sample(rows, len(rows)) + chance.sample(rows, len(rows))
    while shuffled[left:]:
        many = chance.randint(1, 6)
        new += len(store.write([clean(row) for row in shuffled[left : left + many]]))
        left += many
    assert events(store) == sorted(row["event_id"] for row in rows if "tags" not in row)
    assert new >= 6
    assert store.write([clean(row) for row in rows]) == []
    assert len(store.stored_ids([row["event_id"] for row in rows])) == len(rows)


def test_fewer_calls_than_a_sum_stands_for_leave_it(store: EventStore) -> None:
    store.write([clean(row) for row in (sum_of(3), call(1), call(2))])
    assert len(events(store)) == 3
    assert [e["event_id"] for e in store.write([clean(call(3))])] == ["call 3"]
    assert events(store) == ["call 1", "call 2", "call 3"]


@pytest.mark.parametrize("other", [{"model": "n"}, {"conversation_id": "r"}, {"user": "bob"},
                                   {"project": "p"}, {"ts": TEN + 90 * MINUTE}])  # fmt: skip
def test_calls_of_another_model_session_owner_or_time_leave_it(
    store: EventStore, other: Row
) -> None:
    own = sum_of(1, None, "2026-11-01T10:30:00Z", user="ana", project="q")
    store.write([clean(own), clean(call(1, **other))])
    assert len(events(store)) == 2
    store.write([clean(call(2, user="ana"))])
    assert own["event_id"] not in events(store)


def test_a_key_of_another_takes_no_sum_away(store: EventStore) -> None:
    store.write([clean(sum_of(1, user="ana"))])
    store.write([clean(call(1, user="bob"))], Bound(user="bob"))
    assert len(events(store)) == 2


@pytest.mark.parametrize("road", ["columns", "parquet"])
@pytest.mark.parametrize("sum_first", [True, False])
def test_by_every_road_and_after_a_restart(
    road: str, sum_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LEAST", 1)
    path = f"duckdb:///{tmp_path / 'events.duckdb'}"
    for rows in ([sum_of(2)], [call(1), call(2)])[:: 1 if sum_first else -1]:
        store = open_events(path)
        ingest_paths([_file(tmp_path, road, rows)], store)
        store.close()
    store = open_events(path)
    assert events(store) == ["call 1", "call 2"]
    assert ingest_paths([_file(tmp_path, road, [sum_of(2)])], store).duplicates == 1
    store.close()


def _file(folder: Path, road: str, rows: list[Row]) -> Path:
    if road == "columns":
        (folder / "a.ndjson").write_text("\n".join(map(json.dumps, rows)))
        return folder / "a.ndjson"
    kinds = {name: "BIGINT" if isinstance(value, int) else "VARCHAR"
             for name, value in rows[0].items()}  # fmt: skip
    (folder / "a.parquet").unlink(missing_ok=True)
    return written(folder / "a.parquet", kinds, [tuple(row.values()) for row in rows])


def test_once_the_calls_are_removed_the_sum_is_taken_again(store: EventStore) -> None:
    own = clean(sum_of(1))
    store.write([own, clean(call(1, source="log"))])
    assert events(store) == ["call 1"]
    assert store.remove("log") == 1
    assert store.write([own]) == [own]
    assert store.remove("t") == 1
    assert store.write([own]) == [own]
