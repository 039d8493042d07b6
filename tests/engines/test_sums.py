"""Sums kept beside the events: every answer is the one of the events alone, whatever happened."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest

from components.sections.declared import SECTIONS
from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.duckdb import partial_answers, schema, sums
from data.engines.grouping import Grouping
from data.engines.memo import Memo
from data.engines.partials import KEY_COLUMNS, QUARTER, decomposes, leaves
from data.engines.protocol import EventStore, open_events
from data.engines.stretches import MOST_STRETCHES, whole_quarters, without
from data.errors import Refused
from data.events.cleaning import clean
from data.events.table import EVENTS, Event, micros
from data.local_time import GRAINS, WIDTHS
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from data.query import run
from data.query.catalog import DIMENSIONS, METRICS, NARROWED, TIME, aggregates
from data.query.filters import Filters
from data.query.query import Query
from data.query.windows import ALL_TIME, Window
from tests.analytics.test_numbers import JUMPS, MOMENT, ZONES, event

NEEDS_MORE: Final = {
    *("duration_p50", "duration_p95", "ttft_p50", "ttft_p95", "run_duration_p95"),
    *("tool_duration_p95", "integration_duration_p95", "conversations", "cost_per_run"),
    *("runs", "runs_succeeded", "runs_failed", "runs_aborted", "run_success_rate"),
    *(f"messages_{how}" for how in ("min", "median", "avg", "max")),
    *(f"session_calls_{how}" for how in ("min", "median", "avg", "max")),
}
PEOPLE: Final = People([Alias("bob", "ana", "Ana B."), Alias("Zoë", "nobody yet", None)])
SCOPES: Final = (
    Scope.of({"sub": "root", "isAdmin": True}),
    Scope.of({"sub": "root", "isAdmin": True}, PEOPLE),
    Scope.of({"sub": "ana", "applications_admin": "web,etl"}, PEOPLE),
    Scope.of({"sub": "bob"}),
    Scope.of({"sub": "ana"}, PEOPLE),
)
FIELDS: Final = ("user", "project", "model", "channel", "status", "assistant", "kind", "hour")
EVERYTHING: Final = Query(("events", "cost", "tokens", "last_event"), (), Filters(ALL_TIME))
MODELS: Final = (("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), (None, "m1"))


@pytest.fixture(autouse=True)
def of_few_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums answer at any size, and however slow the machine is no answer is kept in parts."""
    monkeypatch.setattr(partial_answers, "SLOW", math.inf)
    monkeypatch.setattr(sums, "LEAST_SAVED", 0)
    monkeypatch.setattr(sums, "LEAST_SAVED_OF_FEW", 0)
    monkeypatch.setattr(sums, "MOST_OUTDATED", 1_000)
    monkeypatch.setattr(sums, "MANY", 40)
    monkeypatch.setattr(sums, "MOST_QUARTERS", 60)
    monkeypatch.setattr(sums, "QUIET", 0.0)


class WithoutSums:
    """The same events, asked without sums."""

    def __init__(self, store: Any) -> None:
        self.store, self.memo = store, Memo()

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        kept, self.store._sums = self.store._sums, None
        found: tuple[list[str], Sequence[Any]] = self.store.ask(asked)
        self.store._sums = kept
        return found

    def count_groups(self, asked: Grouping) -> int:
        return len(self.ask(asked)[1])


@dataclass
class World:
    """A store, and what can happen to it."""

    dice: random.Random
    path: Path
    about: int
    told: list[dict[str, Any]] = field(default_factory=list)
    numbers: int = 0
    repriced: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = self.opened()

    def opened(self) -> EventStore:
        store = open_events(f"duckdb:///{self.path}")
        store.sum_up(aggregates())
        return store

    def new(self) -> None:
        """Events, at most days apart; a few of them are copies of what was told."""
        spread = self.dice.choice((1_800, 86_400, 9 * 86_400))
        about = MOMENT.fromtimestamp(self.about / 1e6, MOMENT.tzinfo)
        raws = []
        for _ in range(self.dice.randint(1, 60)):
            self.numbers += 1
            raw = event(self.dice, f"e{self.numbers}", about, spread)
            raw["source"] = self.dice.choice(("one", "two"))
            raw |= {"user_name": self.dice.choice((None, raw["user"], f"{raw['user']} 2"))}
            raw |= {"project_name": raw["project"] and f"{raw['project']}!"}
            if raw["kind"] == "llm" and self.dice.random() < 0.5:
                raw["provider"], raw["model"] = self.dice.choice(MODELS)
            raws.append(raw)
        self.told += raws
        self.store.write([clean(raw) for raw in raws])

    def again(self) -> None:
        """Events told again, otherwise: earlier, with other users, larger numbers, costs."""
        changed = []
        for raw in self.dice.sample(self.told, min(6, len(self.told))):
            other = event(self.dice, raw["event_id"], MOMENT, 60)
            keep = ("event_id", "kind", "status", "source")
            moved = other | {name: raw[name] for name in keep}
            moved["ts"] = raw["ts"] - self.dice.choice((0, 1, WIDTHS["hour"], WIDTHS["day"]))
            if raw["kind"] != other["kind"]:
                moved = raw | {"ts": moved["ts"], "user": other["user"]}
            changed.append(clean(moved))
        self.store.write(changed)

    def copies(self) -> None:
        """A call known by a shared id, then under an id of its own."""
        if calls := [raw for raw in self.told if raw["kind"] == "llm"]:
            raw = self.dice.choice(calls)
            self.numbers += 2
            shared = {"shared_id": f"s{self.numbers}"}
            later = raw["ts"] + self.numbers
            first = raw | shared | {"event_id": f"e{self.numbers - 1}", "ts": later}
            second = raw | {"event_id": f"e{self.numbers}", "ts": later + 1}
            self.store.write([clean(first)])
            self.store.write([clean(second)])
            self.refresh()
            self.store.write([clean(second | shared)])

    def remove(self) -> None:
        self.store.remove(gone := self.dice.choice(("one", "two")))
        self.told = [raw for raw in self.told if raw["source"] != gone]

    def reprice(self) -> None:
        self.numbers += 1
        change = RateChange(
            self.dice.choice(("unpriced", "history")),
            rate_rows(PUBLIC, MODELS),
            self.about - 5 * WIDTHS["day"],
            self.about + self.dice.randint(0, 5) * WIDTHS["day"],
        )
        self.store.reprice(change, self.numbers)
        self.repriced.append(self.numbers)

    def restore(self) -> None:
        if self.repriced:
            number = self.dice.choice(self.repriced)
            try:
                self.store.restore(number)
            except Refused:
                return
            self.repriced.remove(number)

    def refresh(self) -> None:
        sums.QUIET = self.dice.choice((0.0, 600.0))
        for _ in range(self.dice.randint(1, 4)):
            self.store.refresh_sums()

    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()

    def question(self) -> Query:
        dice, zone = self.dice, self.dice.choice(ZONES)
        start = self.about - dice.randint(0, 12 * WIDTHS["day"])
        if dice.random() < 0.5:
            start -= start % dice.choice((QUARTER, WIDTHS["hour"], WIDTHS["day"]))
        window = Window(start, start + dice.randint(1, 14 * WIDTHS["day"]), zone)
        window = ALL_TIME if dice.random() < 0.1 else window
        by = tuple(dice.sample(list(DIMENSIONS), dice.choice((0, 1, 1, 2))))
        grain = dice.choice(GRAINS[1:] if window is ALL_TIME else GRAINS)
        metrics = tuple(dice.sample(list(METRICS), dice.randint(1, 6)))
        fields = tuple(
            (name, self.values(name)) for name in dice.sample(FIELDS, dice.choice((0, 0, 1, 2)))
        )
        filters = Filters(window, fields, me=dice.random() < 0.1)
        plain = bool(by) and not {TIME, "hour", "weekday"}.intersection(by)
        return Query(
            metrics, by, filters, grain,  # type: ignore[arg-type]
            order=((metrics[0], True),) if dice.random() < 0.5 else (),
            limit=dice.choice((None, 3)), top=dice.choice((None, 2)) if plain else None,
            search=dice.choice(("", "a")) if plain else "",
            where=dice.choice(((), (("assistant", ()),), (("list_cost_nano", ()),))),
            of_metric=dice.choice(("", "", "errors")),
            apart=dice.choice(((), (("llm",), ("adjustment", "llm")))),
        )  # fmt: skip

    def values(self, name: str) -> tuple[str, ...]:
        if name == "hour":
            return ("9", "12", "23")
        known = sorted({str(raw[name]) for raw in self.told if raw.get(name)}) or ["nothing"]
        return tuple(self.dice.sample(known, min(2, len(known))))

    def compare(self, query: Query, scope: Scope) -> None:
        """With sums and without: the same, to the last digit."""
        self.store.memo.clear()
        plain: Any = WithoutSums(self.store)
        wanted, found = run.run(query, scope, plain), run.run(query, scope, self.store)
        pd.testing.assert_frame_equal(found, wanted, check_exact=True, obj=f"{query} {scope.user}")
        assert run.count(query, scope, self.store) == run.count(query, scope, plain)


HAPPENS: Final = (
    *(World.new, World.new, World.again, World.again, World.copies, World.remove, World.reprice),
    *(World.restore, World.refresh, World.refresh, World.refresh, World.reopen),
)


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_sums_say_what_the_events_say(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    about = micros(MOMENT.fromisoformat(JUMPS[seed % len(JUMPS)]))
    world = World(dice, tmp_path / "events.duckdb", about)
    world.new()
    for happens in dice.sample(HAPPENS * 2, 20):
        happens(world)
        world.compare(EVERYTHING, SCOPES[0])
        for _ in range(2):
            world.compare(world.question(), dice.choice(SCOPES))
    world.store.close()


def test_all_metrics_are_said_beside_the_events_most_by_sums_alone() -> None:
    named = {name: one.of(EVENTS.c.ts).sql for name, one in METRICS.items()}
    assert {name for name, made in named.items() if not decomposes(made)} == NEEDS_MORE
    assert all(map(leaves, named.values()))


def test_what_sections_ask_of_known_fields_alone_reads_no_events(store: Any) -> None:
    dice, about = random.Random(7), MOMENT.fromisoformat(JUMPS[0])
    raws = [event(dice, f"e{n}", about, 86_400) for n in range(300)]
    for raw in raws[::2]:
        raw |= {"provider": "openai", "model": "gpt-4o"}
    store.write([clean(raw) for raw in raws])
    store.sum_up(aggregates())
    while store.refresh_sums():
        pass
    breakdowns = (), ("model",), ("project",), ("user",)
    for (known, metrics), by, scope in product(NARROWED.items(), breakdowns, SCOPES[:3]):
        query = Query(metrics, by, Filters(ALL_TIME), where=((known, ()),))
        found = run.run(query, scope, store)
        wanted = run.run(query, scope, WithoutSums(store))  # type: ignore[arg-type]
        assert found[metrics[0]].sum() > 0
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
        with store.sql.connect() as connection:
            sql, _ = store._text(run._grouping(query, scope, None), connection)
        assert "events" not in sql


def test_a_group_without_a_known_duration_is_there(store: Any, event: Any) -> None:
    known = {"m1": 5, "m2": None, "m3": 7}
    store.write([event(model=model, duration_ms=ms) for model, ms in known.items()])
    store.sum_up(aggregates())
    while store.refresh_sums():
        pass
    query = Query(("duration_p50", "ttft_p95"), ("model",), Filters(ALL_TIME))
    for later in (True, False):
        found = run.run(query, SCOPES[0], store).set_index("model")["duration_p50"]
        assert {name: None if pd.isna(ms) else ms for name, ms in found.items()} == known
        if later:
            store.write([event(model="m4", duration_ms=None)])
            known["m4"] = None


def test_sections_ask_of_known_fields_what_sums_hold() -> None:
    for section in SECTIONS.values():
        for name, values in section.where:
            known = not values and set(section.metrics) <= set(NARROWED.get(name, ()))
            assert name in KEY_COLUMNS or known, section.key


def test_every_dimension_stands_in_a_row_of_sums() -> None:
    stored = set(DIMENSIONS) - {TIME, "hour", "weekday"}
    named = {one.naming for one in DIMENSIONS.values() if one.naming}
    assert stored | named == KEY_COLUMNS


@pytest.mark.parametrize(("window", "outdated", "whole"), [
    ((0, 4), (), [(0, 4)]),
    ((0, 4), (1,), [(0, 1), (2, 4)]),
    ((0, 4), (0, 1, 3), [(2, 3)]),
    ((0, 4), (0, 1, 2, 3), []),
    ((0.5, 3.5), (), [(1, 3)]),
    ((0.5, 3.5), (0, 3), [(1, 3)]),
    ((0.25, 0.75), (), []),
])  # fmt: skip
def test_whole_quarters_and_the_rest_are_the_window(
    window: tuple[float, float], outdated: tuple[int, ...], whole: list[tuple[int, int]]
) -> None:
    asked = int(window[0] * QUARTER), int(window[1] * QUARTER)
    found = whole_quarters(asked, [one * QUARTER for one in outdated])
    assert found == [(first * QUARTER, last * QUARTER) for first, last in whole]
    parts = sorted([*found, *without([asked], found)])
    assert [parts[0][0], parts[-1][1]] == list(asked)
    assert all(left[1] == right[0] for left, right in pairwise(parts))


def test_many_outdated_quarters_are_few_stretches() -> None:
    outdated = [number * 2 * QUARTER for number in range(1_000)]
    found = whole_quarters((0, 2_000 * QUARTER), outdated)
    assert 1 <= len(found) <= MOST_STRETCHES + 1
    for first, last in found:
        assert not any(first <= quarter < last for quarter in outdated)


def test_sums_answer_once_they_are_fresh(
    store: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the comparison above would compare the events with themselves."""
    store.sum_up(aggregates())
    store.write([event(user=f"u{n}", cost_nano=n) for n in range(50)])
    while store.refresh_sums():
        pass
    with store.sql.connect() as connection:
        connection.exec_driver_sql("UPDATE sums SET p0 = p0 + 1")
        connection.commit()
    asked = Query(("cost",), (), Filters(ALL_TIME))
    assert run.run(asked, SCOPES[0], store)["cost"].tolist() == [(sum(range(50)) + 50) / 1e9]
    with store.sql.connect() as connection:
        connection.exec_driver_sql("INSERT INTO outdated SELECT DISTINCT ts FROM sums")
        with store._noted.noted():
            connection.commit()
    store.memo.clear()
    assert run.run(asked, SCOPES[0], store)["cost"].tolist() == [sum(range(50)) / 1e9]
    while store.refresh_sums():
        pass
    store.memo.clear()
    assert run.run(asked, SCOPES[0], store)["cost"].tolist() == [sum(range(50)) / 1e9]


def test_what_sums_hold_for_is_that_of_the_readers_snapshot(
    store: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read once for many questions, but a snapshot that is older than a commit has its own,
    and so has one that may be newer."""
    store.sum_up(aggregates())
    asked = run._grouping(Query(("events",), (), Filters(ALL_TIME)), SCOPES[0], None)
    store.write([event() for _ in range(10)])
    while store.refresh_sums():
        pass
    read = count_calls(monkeypatch, sums.Sums, "_read_state")
    with store.sql.connect() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
        store.write([event() for _ in range(10)])
        while store.refresh_sums():
            pass
        assert [store.ask(asked)[1] for _ in range(3)] == [[(20,)]] * 3
        assert read == [1]
        sql, parameters = store._text(asked, connection)
        assert connection.exec_driver_sql(sql, parameters).scalar_one() == 10
    settled = iter((store._noted.settled(), None))
    monkeypatch.setattr(store._noted, "settled", lambda: next(settled, None))
    assert (store.ask(asked)[1], read) == ([(20,)], [3])


def count_calls(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[int]:
    """How often it is called from now on."""
    real, calls = getattr(owner, name), [0]

    def counted(*given: Any) -> Any:
        calls[0] += 1
        return real(*given)

    monkeypatch.setattr(owner, name, counted)
    return calls


def test_what_was_read_to_be_summed_is_let_go_of(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    released: list[str] = []

    def release(cursor: Any) -> None:
        schema.release_memory(cursor)
        (limit,) = cursor.execute("SELECT current_setting('memory_limit')").fetchone()
        released.append(limit)

    with store.sql.connect() as connection:
        asked = connection.exec_driver_sql("SELECT current_setting('memory_limit')")
        before = asked.scalar_one()
    monkeypatch.setattr(sums, "release_memory", release)
    store.sum_up(aggregates())
    for outdate, expected in ((False, []), (True, [before])):
        store.write([event()])
        if outdate:
            with store.sql.begin() as connection:
                connection.exec_driver_sql("INSERT INTO outdated SELECT DISTINCT ts FROM sums")
        while store.refresh_sums():
            pass
        assert released == expected


@pytest.mark.parametrize(("least", "least_of_few", "scope", "by_sums"), [
    (20, 99, SCOPES[0], True),
    (21, 0, SCOPES[0], False),
    (99, 20, Scope.of({"sub": "one"}), True),
    (0, 21, Scope.of({"sub": "one"}), False),
])  # fmt: skip
def test_sums_are_read_only_where_they_save_enough(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch,
    least: int, least_of_few: int, scope: Scope, by_sums: bool,
) -> None:  # fmt: skip
    """Thirty events of ten quarters of an hour are ten rows: twenty are saved."""
    monkeypatch.setattr(sums, "LEAST_SAVED", least)
    monkeypatch.setattr(sums, "LEAST_SAVED_OF_FEW", least_of_few)
    store.sum_up(aggregates())
    start = micros(MOMENT) // QUARTER * QUARTER
    store.write([event(user="one", ts=start + n % 10 * QUARTER, cost_nano=1) for n in range(30)])
    while store.refresh_sums():
        pass
    with store.sql.connect() as connection:
        connection.exec_driver_sql("UPDATE sums SET p0 = 1000000000")
        connection.exec_driver_sql("DELETE FROM sealed_hours")
        connection.commit()
    week = Window(start - WIDTHS["day"], start + WIDTHS["day"], "UTC")
    found = run.run(Query(("cost",), (), Filters(week)), scope, store)["cost"].tolist()
    assert found == [10.0 if by_sums else 30 / 1e9]
    outside = Window(week.end, week.end + WIDTHS["day"], "UTC")
    assert run.run(Query(("events",), (), Filters(outside)), scope, store)["events"].tolist() == [0]


def test_fewer_events_than_sums_would_save_are_not_summed(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "LEAST_SAVED", 20)
    monkeypatch.setattr(sums, "LEAST_SAVED_OF_FEW", 30)
    store.sum_up(aggregates())

    def rows() -> int:
        while store.refresh_sums():
            pass
        with store.sql.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM sums").scalar_one())

    store.write([event(user="ana") for _ in range(19)])
    assert rows() == 0
    store.write([event(user="ana")])
    assert rows() == 1


@pytest.mark.parametrize(("metrics", "by", "grain", "zone", "level"), [
    (("cost",), ("model",), None, "Asia/Kolkata", "sums_by_day"),
    (("cost",), ("time",), "day", "UTC", "sums_by_day"),
    (("cost",), ("time",), "day", "Asia/Tokyo", "sums_by_hour"),
    (("cost",), ("weekday", "hour"), None, "Europe/Berlin", "sums_by_hour"),
    (("cost",), ("time",), "day", "Asia/Kolkata", "sums_by_quarter"),
    (("active_users",), ("time",), "hour", "UTC", "sums_of_users_by_hour"),
    (("active_users",), ("time",), "day", "UTC", "sums_of_people_by_day"),
    (("cost",), ("user",), None, "UTC", "sums_of_users_by_day"),
    (("cost",), ("user", "model"), None, "UTC", "sums"),
    (("cost",), ("time", "user"), "hour", "UTC", "sums"),
    (("duration_p95",), ("model",), None, "Asia/Kolkata", "values_by_day"),
    (("ttft_p50",), ("time",), "day", "Asia/Tokyo", "values_by_hour"),
    (("duration_p50",), ("user",), None, "UTC", "sums"),
    (("conversations",), ("model",), None, "UTC", "sums_by_id"),
    (("session_calls_max",), ("client",), None, "UTC", "sums_by_id"),
    (("runs_succeeded",), (), None, "UTC", "sums_by_id"),
])  # fmt: skip
def test_the_fewest_rows_that_can_say_it_are_read(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch, metrics: tuple[str, ...],
    by: tuple[str, ...], grain: Any, zone: str, level: str,
) -> None:  # fmt: skip
    """Without the rows of one level, a day that is sealed is missing from the answer, whether it
    is kept in parts or not; with its events written anew, it is read from them."""
    store.sum_up(aggregates())
    day = micros(MOMENT) // WIDTHS["day"] * WIDTHS["day"]
    events = _of_every_hour(event, day)
    store.write(events)
    while store.refresh_sums():
        pass
    window = Window(day - WIDTHS["day"], day + 3 * WIDTHS["day"], zone)
    asked = Query(metrics, by, Filters(window), grain)
    whole = _total(asked, store)
    with store.sql.connect() as connection:
        connection.exec_driver_sql(f"DELETE FROM {level}")
        connection.commit()
    assert _total(asked, store) < whole
    monkeypatch.setattr(partial_answers, "SLOW", 0)
    monkeypatch.setattr(partial_answers, "LEAST_EVENTS", 0)
    for _ in range(3):  # asked once, then kept in parts, then answered from them
        assert _total(asked, store) < whole
    store.remove("test")
    store.write(events)
    store.refresh_sums()
    assert _total(asked, store) == pytest.approx(whole)


def _of_every_hour(event: Any, day: int) -> list[Event]:
    """One user's calls, replies and runs from a day on, each shorter than the one before."""
    told = {"user": "one", "channel": "cli", "conversation_id": "c"}
    calls = {"kind": "llm", "cost_nano": 1}
    kinds: list[dict[str, Any]] = [calls, {"kind": "message"}, {"kind": "workflow"}]
    return [
        event(ts=day + n * WIDTHS["hour"], run_id=f"r{n}", duration_ms=99 - n, **told, **kind)
        | ({"ttft_ms": 99 - n} if kind is calls else {})
        for n in range(50)
        for kind in kinds
    ]


@pytest.mark.parametrize("largest", [2**31 - 1, 2**31, 10**15])
def test_a_percentile_may_be_a_large_number(store: EventStore, event: Any, largest: int) -> None:
    store.sum_up(aggregates())
    for _ in range(2):  # of rows of sums, and of events beside them
        store.write([event(duration_ms=length) for length in (3, 4, largest)])
        while store.refresh_sums():
            pass
        store.write([event(duration_ms=length) for length in (3, 4, largest)])
        for name, wanted in (("duration_p50", 4), ("duration_p95", largest)):
            assert _total(Query((name,), (), Filters(ALL_TIME)), store) == wanted


def _total(asked: Query, store: EventStore) -> float:
    """The sum of its first metric, not remembered."""
    store.memo.clear()
    return float(run.run(asked, SCOPES[0], store)[asked.metrics[0]].sum())


def test_a_change_takes_the_seal_off_its_day_alone(
    store: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "QUIET", 600.0)
    store.sum_up(aggregates())
    day = micros(MOMENT) // WIDTHS["day"] * WIDTHS["day"]
    days = [day + n * WIDTHS["day"] for n in range(4)]
    store.write([event(ts=at, cost_nano=1) for at in days])
    sealed = "SELECT list(day ORDER BY day) FROM sealed"
    hours = "SELECT list(hour ORDER BY hour) FROM sealed_hours"

    def refreshed(asked: str) -> list[int]:
        while store.refresh_sums():
            pass
        with store.sql.connect() as connection:
            found: list[int] | None = connection.exec_driver_sql(asked).scalar_one()
        return found or []

    assert refreshed(sealed) == days[:-1], "the last day goes on"
    store.write([event(ts=days[1] + 1, cost_nano=1)])
    assert refreshed(sealed) == [days[0], days[2]], "a day that changed is left alone for a while"
    assert refreshed(hours) == [days[1]], "not its hours"
    window = Window(days[0], days[-1] + WIDTHS["day"], "UTC")
    for by in ((), ("model",), ("user",), ("hour",)):
        assert round(_total(Query(("cost",), by, Filters(window)), store) * 1e9) == 5
    store.write([event(ts=days[1] + 2, cost_nano=1)])
    assert refreshed(hours) == [], "but for those that change, too"
    monkeypatch.setattr(sums, "QUIET", 0.0)
    assert (refreshed(sealed), refreshed(hours)) == (days[:-1], [])


def test_a_user_who_is_called_otherwise_since_is_one_row(store: EventStore, event: Any) -> None:
    store.sum_up(aggregates())
    store.write([event(user="ana", user_name="Ana", cost_nano=1), event(user="bob", cost_nano=1)])
    while store.refresh_sums():
        pass
    store.write([event(user="ana", user_name="Ana B.", cost_nano=1)])
    found = run.run(Query(("cost",), ("user",), Filters(ALL_TIME)), SCOPES[0], store)
    assert found["user"].tolist() == ["ana", "bob"]
    assert found["user_name"].tolist() == ["Ana B.", None]
