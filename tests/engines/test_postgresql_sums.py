"""Sums kept beside the events in PostgreSQL: every answer is the one of the events alone, whatever
happened, whichever server is asked."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.grouping import Grouping, Names
from data.engines.levels import DAY
from data.engines.postgresql import sealed, sums
from data.engines.protocol import EventStore, open_events
from data.errors import StoreError
from data.events.table import EVENTS, REQUIRED, micros
from data.local_time import WIDTHS
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from data.query import run
from data.query.catalog import NARROWED, aggregates
from data.query.filters import Filters
from data.query.names import named
from data.query.query import Query
from data.query.windows import ALL_TIME, Window
from tests.analytics.test_numbers import JUMPS, MOMENT
from tests.engine import duckdb_only
from tests.engines.side_by_side import ServerWorld
from tests.engines.test_sums import EVERYTHING, HAPPENS, MODELS, SCOPES, WithoutSums, World
from tests.postgres import OWNER, PASSWORD, Cluster

CALL: Final[dict[str, Any]] = {
    "kind": "llm", "provider": "openai", "model": "gpt-4o", "cost_origin": "unpriced",
    "input_tokens": 1_000,
}  # fmt: skip
START: Final = micros(MOMENT) // DAY * DAY
TOLD: Final = sa.table("events", *(sa.column(name) for name in (*REQUIRED, "ts", "id_hash")))
PRICED: Final = RateChange("unpriced", rate_rows(PUBLIC, MODELS), START, START + 9 * WIDTHS["day"])
pytestmark = duckdb_only  # databases of its own


@pytest.fixture(autouse=True)
def of_few_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "LEAST", 1)
    monkeypatch.setattr(sums, "QUIET", 0.0)


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    return cluster.make("sums").url_of(OWNER, PASSWORD)


@pytest.fixture(scope="module")
def two(url: str) -> Iterator[tuple[Any, Any]]:
    """Two servers over one database."""
    with closing(opened(url)) as one, closing(opened(url)) as other:
        yield one, other


def opened(url: str) -> EventStore:
    store = open_events(url)
    store.sum_up(aggregates())
    return store


class Plain(WithoutSums):
    """The names, too, without sums."""

    def names(self, asked: Names) -> Any:
        kept, self.store._sums = self.store._sums, None
        found = self.store.names(asked)
        self.store._sums = kept
        return found


@dataclass
class SummedWorld(ServerWorld):
    """A world of two servers, of which now one writes, sums and is asked, now the other."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.other = self.opened()

    def opened(self) -> EventStore:
        return opened(self.url)

    def refresh(self) -> None:
        for _ in range(self.dice.choice((1, 3, 99))):
            if not self.store.refresh_sums():
                break

    def compare_names(self, scope: Scope) -> None:
        field, text = self.dice.choice(("user", "project")), self.dice.choice(("", "a"))
        plain: Any = Plain(self.store)
        self.store.memo.clear()
        wanted, found = (named(field, text, 9, scope, one) for one in (plain, self.store))
        assert list(wanted) == list(found)

    def close(self) -> None:
        self.store.close()
        self.other.close()

    def turn(self) -> None:
        self.store, self.other = self.other, self.store


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_sums_say_what_the_events_say(
    seed: int, cluster: Cluster, tmp_path: Path
) -> None:
    url = cluster.make(f"sums_{seed}").url_of(OWNER, PASSWORD)
    dice, about = random.Random(seed), micros(MOMENT.fromisoformat(JUMPS[seed % len(JUMPS)]))
    with closing(SummedWorld(dice, tmp_path, about, url=url)) as world:
        world.new()
        for happens in dice.sample((*HAPPENS, *[World.refresh] * 5) * 2, 16):
            getattr(world, happens.__name__)()
            world.compare(EVERYTHING, SCOPES[0])
            question, scope = world.question(), dice.choice((*SCOPES, *SCOPES[:2] * 3))
            for _ in range(2):
                world.turn()
                world.compare(question, scope)
                world.compare_names(scope)
                world.compare(world.question(), SCOPES[1])


def _events(store: Any, window: Window = ALL_TIME) -> int:
    """How many there are, not remembered."""
    store.memo.clear()
    return int(run.run(Query(("events",), (), Filters(window)), SCOPES[0], store)["events"][0])


def _sum_all(store: Any) -> None:
    while store.refresh_sums():
        pass


def _ask(store: Any, statement: str) -> list[Any]:
    """The first column of what the database says."""
    with store._writer.begin() as connection:
        done = connection.exec_driver_sql(statement)
        return list(done.scalars()) if done.returns_rows else []


def _sealed(store: Any) -> list[int]:
    return _ask(store, "SELECT day FROM sealed_days ORDER BY day")


def _tables(store: Any) -> list[str]:
    return _ask(store, "SELECT name FROM sum_tables")


def _mark(store: Any) -> None:
    """Have each row of sums say a hundred events more, to see who reads it."""
    _ask(store, "; ".join(f"UPDATE {table} SET p0 = p0 + 100" for table in _tables(store)))


def _rows(store: Any, day: int) -> int:
    """How many rows of sums there are of a day."""
    of_day = f"ts >= {day} AND ts < {day + DAY}"
    each = (f"SELECT 1 FROM {table} WHERE {of_day}" for table in _tables(store))
    return len(_ask(store, " UNION ALL ".join(each)))


@pytest.fixture
def days(two: tuple[Any, Any], event: Any) -> list[int]:
    """Five days with an event each; all but the last are summed."""
    starts = [START + n * DAY for n in range(5)]
    two[0].remove("test")
    two[0].write([event(event_id=f"day{n}", ts=at, user=f"u{n}", **CALL)
                  for n, at in enumerate(starts)])  # fmt: skip
    _sum_all(two[0])
    return starts


def test_a_late_event_takes_the_seal_off_its_day_alone(
    two: tuple[Any, Any], days: list[int], event: Any
) -> None:
    one, other = two
    assert _sealed(one) == [at // DAY for at in days[:-1]], "the last day goes on"
    _mark(one)
    assert (_events(one), _events(other)) == (405, 405)
    other.write([event(ts=days[1] + 1)])
    assert (_events(one), _events(other)) == (306, 306)
    _sum_all(other)
    assert (_events(one), _events(other), len(_sealed(one))) == (306, 306, 4)
    half = Window(days[0] + 1, days[2] + 1, "UTC")  # an event at its end, in no whole day
    assert _events(one, half) == 3


# Each of its own event of a day; what removes some comes last.
CHANGES: Final[tuple[Callable[[Any, Any, int], Any], ...]] = (
    lambda store, event, at: store.write([event(event_id="day1", ts=at + 5, duration_ms=5)]),
    lambda store, event, at: store.write([event(event_id="day2", ts=at + 6)]),  # earlier
    lambda store, event, at: store.adopt(TOLD, [_row(event, at)]),
    lambda store, event, at: store.reprice(PRICED, 1),
    lambda store, event, at: store.restore(1),
    lambda store, event, at: store.rename_user(EVENTS.c.user == "u1", ["u1"], "gone"),
    lambda store, event, at: store.remove_events(EVENTS.c.event_id == "day1"),
    lambda store, event, at: store.remove("test"),
)


def _row(event: Any, at: int) -> list[Any]:
    told = event(event_id="adopted", ts=at) | {"id_hash": 1}
    return [told[name] for name in TOLD.c.keys()]  # noqa: SIM118


def test_whoever_changes_a_day_takes_its_sums_away(
    two: tuple[Any, Any], days: list[int], event: Any
) -> None:
    one, other = two
    day = Window(days[1], days[1] + DAY, "UTC")
    for number, change in enumerate(CHANGES):
        _mark(one)
        assert _events(one, day) > 100
        change(one, event, days[1])
        assert _rows(one, days[1]) == 0, number
        plain = _events(WithoutSums(one), day)
        assert _events(one, day) == _events(other, day) == plain
        _sum_all(other)
        assert _events(one, day) == plain


def test_a_day_that_an_older_release_wrote_to_is_not_read_from_sums(
    two: tuple[Any, Any], days: list[int]
) -> None:
    """It notes the day's version, as ever, and knows of no sums."""
    one, other = two
    _mark(one)
    day = days[1] // DAY
    _ask(one, f"UPDATE versions SET version = nextval('event_writes') WHERE day = {day}")
    assert _events(one) == 305
    _sum_all(other)
    assert (_events(one), len(_sealed(one))) == (305, 4)


def test_a_question_reads_seals_sums_and_events_of_one_moment(
    two: tuple[Any, Any], days: list[int], event: Any
) -> None:
    one, other = two
    with one.sql.connect() as connection:
        sql, parameters = one._text(connection, _of_all())
        other.write([event(ts=at + 1) for at in days])
        _sum_all(other)
        assert connection.exec_driver_sql(sql, parameters).scalar_one() == 5
    assert (_events(one), _events(other)) == (10, 10)


def test_a_day_that_changes_while_it_is_summed_is_not_sealed(
    two: tuple[Any, Any], days: list[int], event: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    one, other = two
    other.write([event(ts=days[1] + 1)])
    filling, late = sums._filling, iter([event(ts=days[1] + 2)])

    def write_beside(*given: Any) -> str:
        other.write(list(late))
        return filling(*given)

    monkeypatch.setattr(sums, "_filling", write_beside)
    assert one.refresh_sums(), "it was tried"
    assert days[1] // DAY not in _sealed(one)
    assert _rows(one, days[1]) == 0
    assert (_events(one), _events(other)) == (7, 7)
    _sum_all(one)
    assert (len(_sealed(one)), _events(one)) == (4, 7)


def test_a_server_that_dies_while_it_sums_leaves_nothing(
    two: tuple[Any, Any], days: list[int], event: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    one, other = two
    other.write([event(ts=days[1] + 1)])
    kills = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    monkeypatch.setattr(sealed, "SEAL", f"{kills}; {sealed.SEAL}")
    with pytest.raises(StoreError):
        one.refresh_sums()
    monkeypatch.undo()
    assert (_rows(one, days[1]), _events(one), _events(other)) == (0, 6, 6)


def test_one_server_sums_at_a_time(two: tuple[Any, Any], days: list[int], event: Any) -> None:
    two[1].write([event(ts=days[1] + 1)])
    with two[0].sql.connect() as connection:
        connection.exec_driver_sql(f"SELECT {sums.TURN.format('')}")
        assert not two[1].refresh_sums()
    assert two[1].refresh_sums()


def test_servers_of_two_releases_answer_alike(
    url: str, two: tuple[Any, Any], days: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one has sums of its own numbers, and drops those of others once nobody reads them
    any more."""
    monkeypatch.setattr(sums, "WITHIN", "SET LOCAL lock_timeout = '10ms'")
    one, other = two
    _mark(one)
    with closing(open_events(url)) as newer:
        with one.sql.connect() as connection:
            sql, parameters = one._text(connection, _of_all())
            newer.sum_up(aggregates()[:3])
            assert connection.exec_driver_sql(sql, parameters).scalar_one() == 405
        newer.sum_up(aggregates()[:3])
        _sum_all(newer)
        assert not one.refresh_sums()
        assert (len(_sealed(one)), len(_tables(one))) == (4, len(sums.KEPT))
        assert [_events(store) for store in (*two, newer)] == [5, 5, 5]
        one.sum_up(aggregates())
        _sum_all(other)
        assert [_events(store) for store in (*two, newer)] == [5, 5, 5]


def _of_all() -> Grouping:
    return run._grouping(Query(("events",), (), Filters(ALL_TIME)), SCOPES[0], None)


def test_few_events_and_days_that_changed_lately_are_left_alone(
    two: tuple[Any, Any], days: list[int], event: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    one, other = two
    _sum_all(other)  # what it finds at first may be old
    monkeypatch.setattr(sums, "LEAST", 3)
    monkeypatch.setattr(sums, "QUIET", 600.0)
    other.write([event(ts=days[n] + one) for n in (1, 2) for one in range(n)])
    for store in two:
        _sum_all(store)
    assert _sealed(one) == [days[0] // DAY, days[3] // DAY]
    monkeypatch.setattr(sums, "QUIET", 0.0)
    _sum_all(one)
    assert _sealed(one) == [days[n] // DAY for n in (0, 2, 3)]


READ: Final = (
    (("cost",), ("model",), None, "Asia/Kolkata", "sums_by_day"),
    (("cost",), ("time",), "day", "UTC", "sums_by_day"),
    (("cost",), ("time",), "day", "Asia/Tokyo", "sums_by_hour"),
    (("cost",), ("hour",), None, "Europe/Berlin", "sums_by_hour"),
    (("active_users",), ("time",), "hour", "UTC", "sums_of_users_by_hour"),
    (("active_users",), ("time",), "day", "UTC", "sums_of_people_by_day"),
    (("cost",), ("user",), None, "UTC", "sums_of_users_by_day"),
    (("cost",), ("time",), "day", "Asia/Kolkata", ""),
    (("cost",), ("user", "model"), None, "UTC", ""),
    (("duration_p95",), ("model",), None, "UTC", ""),
    (("conversations",), (), None, "UTC", ""),
    (("last_event",), ("source",), None, "UTC", "sums_by_day"),
    (("last_event",), (), None, "UTC", ""),
)  # fmt: skip


def test_what_is_asked_of_known_fields_alone_is_read_from_sums(
    two: tuple[Any, Any], days: list[int]
) -> None:
    filters = Filters(Window(days[0], days[-1], "UTC"))
    for name, metrics in NARROWED.items():
        query = Query(metrics, ("model",), filters, where=((name, ()),))
        with two[0].sql.connect() as connection:
            sql, _ = two[0]._text(connection, run._grouping(query, SCOPES[0], None))
        assert "FROM sums_by_day_" in sql
        assert f"events.{name} IS NOT NULL" in sql  # of the days without sums


def test_the_fewest_rows_that_can_say_it_are_read(two: tuple[Any, Any], days: list[int]) -> None:
    one, _ = two
    for metrics, by, grain, zone, level in READ:
        window = Window(days[0], days[-1], zone)
        query = Query(metrics, by, Filters(window), grain)  # type: ignore[arg-type]
        with one.sql.connect() as connection:
            asked = run._grouping(query, SCOPES[0], None)
            sql, _ = one._text(connection, asked)
        read = [kept.table for kept in one._sums.kept if f"FROM {kept.table} AS sums" in sql]
        assert [table.rpartition("_")[0] for table in read] == [level] * bool(level), query
