"""The question itself: what it refuses, what it keeps, and that its parts are the whole."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pandas as pd
import pytest

from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.grouping import Form, Grouping
from data.engines.memo import Memo
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import micros
from data.local_time import Grain
from data.query.catalog import OTHER
from data.query.comparison import run_compared, totals_compared
from data.query.filters import Filters, parse
from data.query.query import Query
from data.query.run import count, run, totals
from data.query.series import or_none
from data.query.windows import Window

ADMIN = Scope.of({"sub": "root", "isAdmin": True})
NOW = 1_795_176_000_000_000
DAY = 86_400_000_000
HOUR = DAY // 24
Make = Callable[..., Any]


@pytest.fixture
def filters() -> Filters:
    return parse({"preset": "custom", "from": "2026-11-01", "to": "2026-12-01"}, NOW)


@pytest.mark.parametrize(("said", "parameter"), [
    ({"metrics": ("money",)}, "metrics"), ({"by": ("colour",)}, "by"),
    ({"by": ("event_id",)}, "by"), ({"order": (("tokens", True),)}, "order"),
])  # fmt: skip
def test_a_question_of_unknown_names_is_refused(
    filters: Filters, said: dict[str, Any], parameter: str
) -> None:
    asked: dict[str, Any] = {"metrics": ("cost",), "by": ("user",)} | said
    with pytest.raises(Refused) as refusal:
        Query(**asked, filters=filters)
    assert refusal.value.parameter == parameter


def test_money_is_exact_to_the_nano_dollar(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(cost_nano=100_000_001, user=f"u{n % 3}") for n in range(3_000)])
    parts = run(Query(("cost",), ("user",), filters), ADMIN, store)["cost"]
    assert parts.tolist() == [100.000001] * 3
    assert run(Query(("cost",), (), filters), ADMIN, store)["cost"].tolist() == [300.000003]


def test_free_is_zero_and_unknown_is_null(store: EventStore, event: Make, filters: Filters) -> None:
    store.write([event(user="free", cost_nano=0), event(user="unknown"),
                 event(user="both"), event(user="both", cost_nano=7)])  # fmt: skip
    frame = run(Query(("cost", "priced_share"), ("user",), filters), ADMIN, store)
    cost = dict(zip(frame["user"], frame["cost"].astype(object), strict=True))
    assert (cost["free"], cost["both"]) == (0.0, 7e-9)
    assert cost["unknown"] != cost["unknown"]


def test_distinct_people_are_counted_once_in_the_total(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user=f"u{n % 4}", project=f"p{n % 3}") for n in range(12)])
    by = run(Query(("active_users",), ("project",), filters), ADMIN, store)["active_users"]
    assert by.tolist() == [4, 4, 4]
    assert run(Query(("active_users",), (), filters), ADMIN, store)["active_users"].tolist() == [4]


def test_a_p95_is_a_value_that_occurred(store: EventStore, event: Make, filters: Filters) -> None:
    for most, wanted in ((1, 1), (19, 19), (20, 19), (21, 20), (40, 38), (100, 95), (101, 96)):
        store.remove("test")
        store.write([event(duration_ms=n) for n in range(1, most + 1)])
        frame = run(Query(("duration_p95",), (), filters), ADMIN, store)
        assert frame["duration_p95"].tolist() == [wanted], most


def test_the_others_are_gathered_and_nothing_is_lost(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(model=f"m{n % 7}" if n % 7 else None, cost_nano=n) for n in range(70)])
    asked = Query(("cost", "requests"), ("model",), filters, top=3)
    frame = run(asked, ADMIN, store)
    assert sorted(frame["model"].dropna()) == sorted([OTHER, "m4", "m5", "m6"])
    assert int(frame["requests"].sum()) == 70
    assert len(frame) == count(asked.total(), ADMIN, store) + 3


def test_a_user_named_like_the_others_label_is_a_user(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user="Other", cost_nano=9), event(user="a", cost_nano=1)])
    frame = run(Query(("cost",), ("user",), filters, top=1), ADMIN, store)
    assert set(frame["user"]) == {"Other", OTHER}


def test_days_end_at_midnight_and_weeks_on_sunday(
    store: EventStore, event: Make, filters: Filters
) -> None:
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    for ts in (monday, monday - timedelta(microseconds=1)):
        store.write([event(ts=ts.isoformat())])
    parts = run(Query(("requests",), ("weekday", "hour"), filters), ADMIN, store)
    assert parts[["weekday", "hour"]].to_numpy().tolist() == [[0, 0], [6, 23]]
    ways: list[tuple[Grain, int]] = [("day", 1), ("week", 7)]
    for grain, before in ways:
        frame = run(Query(("requests",), ("time",), filters, grain), ADMIN, store)
        days = (monday - timedelta(days=before), monday)
        assert frame["time"].tolist() == [micros(day) for day in days], grain


def test_a_search_matches_letters_of_any_case_and_no_wildcards(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user=name) for name in ("Ana", "100%", "a_b", "a\\b", "axb", "it's")])
    for text, found in (("ANA", ["Ana"]), ("%", ["100%"]), ("a_b", ["a_b"]), ("\\", ["a\\b"]),
                        ("'", ["it's"]), ("zz", [])):  # fmt: skip
        frame = run(Query(("events",), ("user",), filters, search=text), ADMIN, store)
        assert frame["user"].tolist() == found, text


def test_a_search_looks_into_names_and_ids_that_were_merged(
    store: EventStore, event: Make, filters: Filters
) -> None:
    people = People([Alias("key-7", "00u1", "Ana Lopes")])
    store.write([event(user="key-7", user_name="Key"), event(user="00u1", user_name="A. Lopes"),
                 event(user="bob", user_name="Bob", project="p", project_name="Lopes & Co"),
                 event(model="lopes")])  # fmt: skip
    admin = Scope.of({"sub": "root", "isAdmin": True}, people)

    def found(by: str, text: str) -> list[Any]:
        return run(Query(("events",), (by,), filters, search=text), admin, store)[by].tolist()

    assert [found("user", text) for text in ("key-7", "Key", "a. l", "ana", "bob")] == [
        ["00u1"], ["00u1"], ["00u1"], ["00u1"], ["bob"],
    ]  # fmt: skip
    assert (found("project", "co"), found("project", "P"), found("user", "co")) == (
        ["p"],
        ["p"],
        [],
    )
    assert found("model", "LOPES") == ["lopes"]


def test_the_events_of_a_metric_are_those_that_it_counts(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user="ana"), event(user="ana", status="error"), event(),
                 event(kind="tool", user="ana"), event(kind="session", user="bob")])  # fmt: skip
    counted = {"events": 5, "requests": 3, "active_users": 4, "errors": 1, "sessions": 1}
    for name, events in counted.items():
        asked = Query(("events",), (), filters, of_metric=name)
        assert totals(asked, ADMIN, store) == {"events": events}, name
    with pytest.raises(Refused, match="'luck' is no metric"):
        Query(("events",), (), filters, of_metric="luck")


def test_a_group_appears_where_a_metric_speaks_of_it(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user="llm"), event(kind="session", user="session"), event(kind="tool")])
    wanted = {("requests",): ["llm"], ("sessions",): ["session"],
              ("requests", "sessions"): ["llm", "session"], ("requests", "events"): [
              "llm", "session", None], (): ["llm", "session", None]}  # fmt: skip
    for metrics, users in wanted.items():
        frame = run(Query(metrics, ("user",), filters), ADMIN, store)
        assert [or_none(user) for user in frame["user"]] == users, metrics


def test_a_question_narrows_to_values_or_to_what_is_known(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user="ana", model="m"), event(user="a@x", model="n"), event(model="m")])
    admin = Scope.of({"sub": "root", "isAdmin": True}, People([Alias("a@x", "ana")]))
    ways: dict[tuple[Any, ...], int] = {
        (): 3, (("user", ()),): 2, (("user", ("a@x",)),): 2, (("model", ("m",)),): 2,
        (("user", ("ana",)), ("model", ("m", "x"))): 1, (("provider", ()),): 0,
    }  # fmt: skip
    for where, events in ways.items():
        found = totals(Query(("events",), (), filters, where=where), admin, store)
        assert found == {"events": events}, where


def test_rows_are_in_order_and_come_by_page(
    store: EventStore, event: Make, filters: Filters
) -> None:
    costs = {"a": 1, "b": 3, "c": None, "d": 3}
    store.write([event(user=user, cost_nano=cost) for user, cost in costs.items()])
    asked = Query(("cost", "requests"), ("user",), filters)

    def users(**said: Any) -> list[str]:
        return run(replace(asked, **said), ADMIN, store)["user"].tolist()

    assert users() == ["a", "b", "c", "d"]
    assert users(order=(("cost", True),)) == ["b", "d", "a", "c"]
    assert users(order=(("cost", False), ("user", True))) == ["a", "d", "b", "c"]
    assert users(limit=2) == ["a", "b"]
    assert users(limit=2, offset=1) == ["b", "c"]
    assert users(offset=3) == ["d"]
    paged = replace(asked, order=(("cost", True),), limit=1, offset=2)
    assert count(paged, ADMIN, store) == 4
    assert totals(replace(paged, top=1), ADMIN, store) == {"cost": 7e-9, "requests": 4}


def test_the_window_before_is_asked_the_same(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(ts="2026-10-31T23:59:59Z", cost_nano=1), event(cost_nano=2)])
    window, zone = filters.window, filters.window.zone
    earlier = Window(2 * window.start - window.end, window.start, zone)
    asked = Query(("cost",), (), replace(filters, compared=earlier))
    assert [totals(one, ADMIN, store)["cost"] for one in (asked, asked.before())] == [2e-9, 1e-9]
    assert totals_compared(asked, ADMIN, store) == {"cost": 2e-9, "cost_before": 1e-9}
    assert run_compared(asked, ADMIN, store).to_dict("list") == {
        "cost": [2e-9],
        "cost_before": [1e-9],
    }


def test_the_largest_stay_and_the_others_have_no_name(
    store: EventStore, event: Make, filters: Filters
) -> None:
    rows = [("ana", "Ana", 9), (None, "A laptop", 8), ("bob", "Bob", 2), ("cyd", "Zoë", 1)]
    store.write([event(user=user, user_name=name, cost_nano=cost) for user, name, cost in rows])
    asked = Query(("cost",), ("user",), filters, order=(("cost", True),), top=2)
    assert _named(run(asked, ADMIN, store)) == [
        ("ana", "Ana", 9),
        (None, None, 8),
        (OTHER, None, 3),
    ]
    assert _named(run(replace(asked, top=1), ADMIN, store)) == [
        (OTHER, None, 11), ("ana", "Ana", 9),
    ]  # fmt: skip
    assert _named(run(replace(asked, top=None), ADMIN, store)) == rows


def test_of_two_dimensions_the_last_is_gathered(
    store: EventStore, event: Make, filters: Filters
) -> None:
    store.write([event(user=user, user_name=user.title(), project=project, project_name="P")
                 for user, project in (("ana", "p"), ("ana", "q"), ("bob", "p"))])  # fmt: skip
    frame = run(Query(("requests",), ("user", "project"), filters, top=1), ADMIN, store)
    names = ["user", "project", "user_name", "project_name", "requests"]
    found = frame.astype(object).where(frame.notna(), None)[names]
    assert found.to_numpy().tolist() == [
        ["ana", OTHER, "Ana", None, 1], ["ana", "p", "Ana", "P", 1], ["bob", "p", "Bob", "P", 1],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "grain", "zone", "found"),
    [
        (("time",), "minute", "UTC", 0),
        (("time",), "hour", "UTC", HOUR),
        (("time",), "day", "UTC", DAY),
        (("time",), "day", "Asia/Tokyo", HOUR),
        (("hour", "weekday"), "day", "UTC", HOUR),
        (("time",), "month", "Asia/Kolkata", HOUR // 4),
        (("time",), "hour", "Africa/Monrovia", 0),  # 44 minutes and 30 seconds behind
        (("user",), "minute", "Africa/Monrovia", DAY),
    ],
)
def test_it_is_known_for_how_long_the_time_of_an_event_is_all_the_same(
    store: EventStore,
    monkeypatch: pytest.MonkeyPatch,
    by: tuple[str, ...],
    grain: Grain,
    zone: str,
    found: int,
) -> None:
    asked, ask = [], store.ask
    monkeypatch.setattr(store, "ask", lambda one: asked.append(one) or ask(one))
    in_1971 = Filters(Window(NOW - 55 * 365 * DAY, NOW - 55 * 365 * DAY + DAY, zone))
    run(Query(("requests",), by, in_1971, grain), ADMIN, store)
    assert [one.form.steady_for for one in asked] == [found]


def _named(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    rows = zip(frame["user"], frame["user_name"], frame["cost"], strict=True)
    return [(or_none(user), or_none(name), round(cost * 1e9)) for user, name, cost in rows]


def test_an_answer_is_computed_once_for_all_who_ask_at_once() -> None:
    memo, gate, computed = Memo(), Barrier(8), []

    def ask(_: int) -> Any:
        gate.wait()
        return memo.get("question", lambda: computed.append(1) or object())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert len(computed) == 1
    assert len(set(map(id, answers))) == 1
    memo.clear()
    assert memo.get("question", object) is not answers[0]


def test_a_failure_is_not_kept() -> None:
    memo = Memo()
    with pytest.raises(ZeroDivisionError):
        memo.get("question", lambda: 1 // 0)
    assert memo.get("question", lambda: 7) == 7


def test_new_events_are_seen_at_once(store: EventStore, event: Make, filters: Filters) -> None:
    asked = Query(("requests",), (), filters)
    for n in range(1, 4):
        store.write([event()])
        assert run(asked, ADMIN, store)["requests"].tolist() == [n]
    store.remove("test")
    assert run(asked, ADMIN, store)["requests"].tolist() == [0]


def forms_of(query: Query, store: EventStore, monkeypatch: pytest.MonkeyPatch) -> list[Form]:
    """What the store is asked in two windows of the same three days and one of other days."""
    asked: list[Form] = []
    ask = store.ask

    def noted(grouping: Grouping) -> Any:
        asked.append(grouping.form)
        return ask(grouping)

    monkeypatch.setattr(store, "ask", noted)
    for start, end in ((DAY + 1, 4 * DAY), (2 * DAY - 1, 3 * DAY + 1), (9 * DAY, 12 * DAY)):
        window = Window(start, end, "Europe/Berlin")
        run(replace(query, filters=replace(query.filters, window=window)), ADMIN, store)
    return asked


@pytest.mark.parametrize(("query", "forms"), [
    ({"metrics": ("cost",), "by": ("project",)}, 1),
    ({"metrics": ("cost",), "by": ("time",), "grain": "day"}, 2),
])  # fmt: skip
def test_a_question_is_put_together_once_for_all_windows(
    query: dict[str, Any], forms: int, filters: Filters, store: EventStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first, same_days, other_days = forms_of(Query(**query, filters=filters), store, monkeypatch)
    assert first is same_days
    assert len({id(first), id(other_days)}) == forms
    assert first.shape is not None
    assert first.shape == other_days.shape


def test_days_after_the_clocks_went_back_begin_by_the_new_time(
    store: EventStore, event: Make, filters: Filters
) -> None:
    at = ("2026-10-24T22:30:00Z", "2026-10-28T22:30:00Z")
    store.write([event(ts=micros(datetime.fromisoformat(one))) for one in at])
    start, end = (micros(datetime(2026, 10, day, tzinfo=UTC)) for day in (20, 30))
    window = replace(filters, window=Window(start, end, "Europe/Berlin"))
    found = run(Query(("requests",), ("time",), window, "day"), ADMIN, store)["time"]
    days = ("2026-10-24T22:00:00Z", "2026-10-27T23:00:00Z")
    assert found.tolist() == [micros(datetime.fromisoformat(one)) for one in days]
