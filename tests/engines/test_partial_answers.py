"""Answers kept in parts: they answer, are made anew where something changed, and take little room.

That they say what the events say is held by `test_kept_answers.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from data.access.scope import Scope
from data.engines.duckdb import partial_answers
from data.engines.partials import QUARTER
from data.engines.protocol import EventStore
from data.events.table import micros
from data.local_time import WIDTHS
from data.query.catalog import aggregates
from data.query.filters import MORE_FIELDS, Filters
from data.query.options import options
from data.query.query import Query
from data.query.run import run
from data.query.windows import Window
from tests.analytics.test_numbers import MOMENT

DAY = WIDTHS["day"]
MONDAY = micros(MOMENT) // DAY * DAY
ALL = Scope.of({"sub": "root", "isAdmin": True})
NOON = MONDAY + DAY + DAY // 2
DAYS = Filters(Window(MONDAY, NOON, "UTC"))
COST = Query(("cost", "events", "active_users"), (), DAYS)


@pytest.fixture
def kept(store: EventStore, monkeypatch: pytest.MonkeyPatch) -> EventStore:
    """A store that keeps every question in parts."""
    monkeypatch.setattr(partial_answers, "SLOW", 0)
    monkeypatch.setattr(partial_answers, "LEAST_EVENTS", 0)
    store.sum_up(aggregates())
    return store


def _cost(store: EventStore, later: int = 0, scope: Scope = ALL) -> int:
    window = replace(DAYS.window, end=NOON + later)
    found = run(replace(COST, filters=Filters(window)), scope, store)["cost"]
    return round(float(found.iloc[0]) * 1e9)


def _rows(store: Any) -> list[Any]:
    with store.sql.connect() as connection:
        names = connection.exec_driver_sql(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'kept'"
        ).scalars()
        return [
            row
            for name in list(names)
            for row in connection.exec_driver_sql(f"SELECT block FROM kept.{name}").all()
        ]


def _tamper(store: EventStore) -> None:
    """Add a nano-dollar to each kept row of sums."""
    with store.sql.connect() as connection:
        (name,) = connection.exec_driver_sql(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'kept'"
        ).scalars()
        connection.exec_driver_sql(f"UPDATE kept.{name} SET c0 = c0 + 1 WHERE c0 IS NOT NULL")
        connection.commit()


def test_the_second_time_a_question_is_kept_and_then_answers(kept: EventStore, event: Any) -> None:
    kept.write([event(ts=MONDAY + n * QUARTER, cost_nano=100) for n in range(4)])
    assert (_cost(kept), _rows(kept)) == (400, [])
    assert _cost(kept, 1) == 400
    _tamper(kept)
    assert _cost(kept, 2) == 401
    assert _cost(kept, QUARTER) == 401  # a window that went on is of the same blocks and one more


def test_of_few_events_nothing_is_kept_however_long_it_took(
    kept: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "LEAST_EVENTS", 4)
    kept.write([event(ts=MONDAY + n * QUARTER, cost_nano=100) for n in range(3)])
    kept.write([event(ts=NOON + DAY)])  # outside
    assert [_cost(kept, later) for later in range(3)] == [300, 300, 300]
    assert _rows(kept) == []
    kept.write([event(ts=MONDAY, cost_nano=100)])
    assert [_cost(kept, later) for later in range(2)] == [400, 400]
    assert _rows(kept)


def test_what_is_stored_later_is_read_beside_the_parts(kept: EventStore, event: Any) -> None:
    kept.write([event(ts=MONDAY, cost_nano=100)])
    assert [_cost(kept), _cost(kept, 1)] == [100, 100]
    _tamper(kept)
    blocks = _rows(kept)
    kept.write([event(ts=MONDAY + 1, cost_nano=10), event(ts=NOON - 1, cost_nano=5)])
    assert _cost(kept) == 116
    assert _rows(kept) == blocks


def test_a_block_of_which_an_event_changed_is_made_anew_and_no_other(
    kept: EventStore, event: Any
) -> None:
    kept.write([
        event(event_id="1", ts=MONDAY, input_tokens=7, cost_nano=100),
        event(event_id="2", ts=MONDAY + DAY, input_tokens=7, cost_nano=100, source="other"),
    ])  # fmt: skip
    assert [_cost(kept), _cost(kept, 1)] == [200, 200]
    _tamper(kept)
    assert _cost(kept, 2) == 202
    kept.remove("other")
    assert _cost(kept) == 101


def test_many_later_events_are_taken_up(
    kept: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "MOST_LATER", 2)
    kept.write([event(ts=MONDAY, cost_nano=100)])
    assert [_cost(kept), _cost(kept, 1)] == [100, 100]
    _tamper(kept)
    kept.write([event(ts=MONDAY, cost_nano=1) for _ in range(2)])
    assert _cost(kept) == 103
    kept.write([event(ts=MONDAY, cost_nano=1)])
    assert _cost(kept) == 103


def test_no_reader_has_the_parts_of_another(kept: EventStore, event: Any) -> None:
    kept.write([event(user="ana", cost_nano=100, ts=MONDAY), event(user="bo", ts=MONDAY)])
    for number in range(3):
        assert _cost(kept, number) == 100
        own = Scope.of({"sub": "bo"})
        window = replace(DAYS.window, end=NOON + number)
        found = run(Query(("events",), ("user",), Filters(window)), own, kept)
        assert found["user"].tolist() == ["bo"]


def test_who_there_is_to_choose_from_is_not_counted_in_the_events(
    kept: EventStore, event: Any
) -> None:
    """And who sees but their own events chooses from these."""
    kept.write([event(user=user, project="p", ts=MONDAY) for user in ("ana", "bo", "bo")])
    assert [one["value"] for one in options("user", "", 9, ALL, kept)] == ["bo", "ana"]
    with kept.sql.connect() as connection:
        connection.exec_driver_sql("UPDATE kept.p0 SET c0 = 9 WHERE k0 = 'ana'")
        connection.commit()
    kept.write([event(user="cy", project="q", ts=MONDAY)])
    assert [one["value"] for one in options("user", "", 9, ALL, kept)] == ["ana", "bo", "cy"]
    admin = Scope.of({"sub": "bo", "applications_admin": "q"})
    assert [one["value"] for one in options("user", "", 9, admin, kept)] == ["bo", "cy"]
    assert options("user", "", 9, Scope.of({"sub": "nobody"}), kept) == []
    assert [one["value"] for one in options("project", "", 9, admin, kept)] == ["p", "q"]


@pytest.mark.parametrize("commits", [1, partial_answers.ATTEMPTS])
def test_a_commit_just_after_the_snapshot_is_not_missed(
    kept: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    """What is noted as written would be newer than what is read."""
    parts: Any = kept._partial_answers  # type: ignore[attr-defined]
    snapshot, left = parts._snapshot, list(range(commits))

    def then_a_commit(*given: Any) -> Any:
        found = snapshot(*given)
        if left:
            left.pop()
            kept.write([event(ts=MONDAY, cost_nano=10), event(ts=NOON - 1, cost_nano=10)])
        return found

    kept.write([event(ts=MONDAY, cost_nano=100)])
    assert _cost(kept) == 100
    monkeypatch.setattr(parts, "_snapshot", then_a_commit)
    assert _cost(kept, 1) == 100 + 20 * commits
    assert [_cost(kept, 2), _cost(kept, 3)] == [100 + 20 * commits] * 2
    assert not left


def test_the_parts_used_longest_ago_make_room(
    kept: EventStore, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial_answers, "MOST_ROWS", 40)
    kept.write([event(user=f"u{n}", ts=MONDAY) for n in range(12)])
    for metric in ("cost", "requests", "tokens", "errors", "events"):
        for number in range(3):
            window = replace(DAYS.window, end=NOON + number)
            found = run(Query((metric, "events"), ("user",), Filters(window)), ALL, kept)
            assert found["events"].tolist() == [1] * 12
        assert 12 <= len(_rows(kept)) <= 40
    kept.write([event(user=f"v{n}", ts=MONDAY) for n in range(30)])
    for number in range(3):  # too large to be kept at all
        window = replace(DAYS.window, end=NOON + number)
        found = run(Query(("input_tokens", "events"), ("user",), Filters(window)), ALL, kept)
        assert found["events"].tolist() == [1] * 42
    assert len(_rows(kept)) <= 40


@pytest.mark.parametrize("field", MORE_FIELDS)
def test_other_pickers_offer_what_the_reader_sees(kept: EventStore, event: Any, field: str) -> None:
    mine, theirs = {"channel": ("cli", "api"), "status": ("ok", "error")}.get(field, ("m", "t"))
    brought = [("ana", mine), ("bo", theirs), ("bo", theirs)]
    kept.write([event(user=user, **{field: value}) for user, value in brought])
    ana = Scope.of({"sub": "ana"})
    for _ in range(2):  # asked, and kept
        assert [one["value"] for one in options(field, "", 9, ALL, kept)] == [theirs, mine]
        assert [one["value"] for one in options(field, "", 9, ana, kept)] == [mine]
        assert [one["value"] for one in options(field, theirs, 9, ALL, kept)] == [theirs]
