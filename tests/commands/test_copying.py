"""`spendscope copy`: from DuckDB to PostgreSQL or ClickHouse and back, cut short, begun again."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from callbacks.commands.main import main
from data.backups import copying
from data.engines.clickhouse.store import ClickHouseEvents
from data.engines.kept import BESIDE, EVENTS
from data.engines.postgresql.store import PostgresEvents
from data.engines.protocol import EventStore, open_events
from data.events.table import micros
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from tests.analytics.test_numbers import MOMENT
from tests.clickhouse import ClickHouse
from tests.engine import duckdb_only
from tests.engines.test_sums import MODELS, World
from tests.postgres import NUMBERS, OWNER, PASSWORD, Cluster

pytestmark = duckdb_only
SUM: Final = {"tags": '{"sum_of_session":true}', "conversation_id": "s", "model": "m"}
Copy = Callable[..., tuple[int, str]]


@pytest.fixture
def ours(tmp_path: Path, event: Callable[..., Any]) -> str:
    """A DuckDB with merged, re-priced and copied events, and a sum of a session."""
    world = World(random.Random(3), tmp_path / "ours.duckdb", micros(MOMENT))
    for happens in (World.new, World.new, World.again, World.copies):
        happens(world)
    world.store.write([event(event_id="sum", request_count=2, **SUM)])
    world.store.reprice(RateChange("unpriced", rate_rows(PUBLIC, MODELS)), 1)
    for table, _ in BESIDE:
        assert _rows(world.store, table), table.name
    world.store.close()
    return f"duckdb:///{tmp_path}/ours.duckdb"


@pytest.fixture(params=["postgresql", "clickhouse"])
def theirs(request: pytest.FixtureRequest) -> str:
    if request.param == "clickhouse":
        clickhouse: ClickHouse = request.getfixturevalue("clickhouse")
        return clickhouse.make()
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.make(f"copied_{next(NUMBERS)}").url_of(OWNER, PASSWORD)


@pytest.fixture
def copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Copy:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(copying, "BATCH", 10)

    def run(source: str, target: str) -> tuple[int, str]:
        code = main(lambda *_: None, ("copy", source, target))
        return code, "".join(capfd.readouterr())

    return run


def _rows(store: EventStore, table: Any) -> list[tuple[Any, ...]]:
    with store.sql.connect() as connection:
        return sorted(map(tuple, connection.execute(sa.select(table))), key=repr)


def _held(url: str) -> list[Any]:
    with closing(open_events(url)) as store:
        assert store.count_duplicates() == 0
        return [_rows(store, table) for table in (EVENTS, *(one for one, _ in BESIDE))]


def test_what_arrives_is_what_was_there_and_goes_on_as_it_would_have(
    ours: str, theirs: str, copy: Copy, tmp_path: Path, event: Callable[..., Any]
) -> None:
    code, said = copy(ours, theirs)
    assert (code, "both are the same" in said) == (0, True), said
    assert _held(theirs) == _held(ours)
    back = f"duckdb:///{tmp_path}/back.duckdb"
    assert copy(theirs, back)[0] == 0
    assert _held(back) == _held(ours)
    # Two calls of its session: the sum gives way in each of them.
    calls = [event(event_id=f"call{n}", **SUM | {"tags": None}) for n in range(2)]
    for url in (ours, theirs, back):
        with closing(open_events(url)) as store:
            assert len(store.write(calls)) == 2
            assert store.stored_ids(["sum"]) == {"sum"}
    assert _held(theirs) == _held(back) == _held(ours)
    assert "sum" not in {row[0] for row in _held(theirs)[0]}


def test_one_that_was_cut_short_goes_on(
    ours: str, theirs: str, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PostgresEvents if theirs.startswith("postgresql") else ClickHouseEvents
    adopt, left = engine.adopt, iter(range(3))

    def breaks(store: Any, *given: Any) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return int(adopt(store, *given))

    with monkeypatch.context() as patch:
        patch.setattr(engine, "adopt", breaks)
        assert copy(ours, theirs)[0] == 130
    held = len(_held(theirs)[0])
    assert 0 < held < len(_held(ours)[0])
    code, said = copy(ours, theirs)
    assert (code, f"{len(_held(ours)[0]) - held:,} events arrived" in said) == (0, True), said
    assert _held(theirs) == _held(ours)
    assert copy(ours, theirs)[1].startswith("0 events arrived")


def test_a_target_that_holds_something_else_is_said_to(
    ours: str, theirs: str, copy: Copy, event: Callable[..., Any]
) -> None:
    with closing(open_events(theirs)) as store:
        store.write([event(event_id="other", user="nobody else")])
    code, said = copy(ours, theirs)
    assert (code, "the copy is not what was copied: events by" in said) == (1, True)
    assert copy(ours, ours) == (1, "spendscope: a store is not copied into itself: name another\n")
