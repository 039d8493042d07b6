"""Budgets against plain Python: what fits, whose they are, periods, spending, pace, crossings."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.access.people import Alias, People
from data.access.scope import Scope
from data.budgets import book
from data.budgets.book import budget, change, create, own, remove, visible_budgets
from data.budgets.budget import KINDS, PERIODS, Budget, draft
from data.budgets.crossings import crossed, exactly
from data.budgets.periods import REMEMBERED, current, past
from data.budgets.spending import budget_status
from data.budgets.subjects import belongs
from data.engines.protocol import EventStore, open_events
from data.errors import Forbidden, Refused, Unknown
from data.events.cleaning import clean
from data.events.table import Event, micros
from data.sample.budgets import examples
from data.sample.organisation import sample
from data.state.audit import Actor, count
from data.state.store import State

NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ROOT = Scope.of({"sub": "root", "isAdmin": True})
LEADER = Scope.of({"sub": "lena", "applications_admin": "web, api"})
PERSON = Scope.of({"sub": "ana"})
DOLLAR = 10**9
DAY = 86_400_000_000
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "Asia/Beirut", "America/St_Johns", "Pacific/Chatham")  # fmt: skip
RAW = {"kind": "everything", "hard": "100", "period": "monthly"}
Make = Callable[..., Event]


def hand(scope: Scope = ROOT) -> Actor:
    return Actor(scope, "Somebody", NOW)


def made(**fields: Any) -> Budget:
    return draft(RAW | fields, NOW)


# --- what fits


def test_a_budget_is_what_was_typed() -> None:
    one = made(hard="$ 12.50", soft="10", zone="Europe/Berlin", start="2026-11-01")
    assert (one.hard, one.soft, one.period, one.days) == (
        12_500_000_000,
        10 * DOLLAR,
        "monthly",
        None,
    )
    assert one.as_dict()["hard"] == 12.5
    assert (one.start, made().start) == ("2026-11-01", "2026-11-20")


def test_the_start_is_today_in_the_zone_of_the_budget() -> None:
    assert made(zone="Pacific/Kiritimati").start == "2026-11-21"


LONG = "x" * 10_000
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("hard", {"hard": "0"}, "more than $0"),
    ("hard", {"hard": 0}, "more than $0"),
    ("hard", {"hard": "0.0000000001"}, "more than $0"),
    ("hard", {"hard": "-5"}, "more than $0"),
    ("hard", {"hard": "a lot"}, "no number"),
    ("hard", {"hard": "1,50"}, "no number"),
    ("hard", {"hard": "NaN"}, "no number"),
    ("hard", {"hard": "Infinity"}, "no number"),
    ("hard", {"hard": True}, "no number"),
    ("hard", {"hard": [5]}, "no number"),
    ("hard", {"hard": "9" * 10_000}, "no number"),
    ("hard", {"hard": "🙂"}, "no number"),
    ("hard", {"hard": "<script>alert(1)</script>"}, "no number"),
    ("hard", {"hard": "1e999999"}, "at most"),
    ("hard", {"hard": "1000000001"}, "at most"),
    ("hard", {"hard": None}, "missing"),
    ("hard", {"hard": "  "}, "missing"),
    ("soft", {"soft": "100.01"}, "above the limit"),
    ("soft", {"soft": "0"}, "more than $0"),
    ("soft", {"soft": "'"}, "no number"),
    ("zone", {"zone": "Mars/Olympus"}, "no time zone"),
    ("zone", {"zone": 7}, "no time zone"),
    ("zone", {"zone": "../../etc/passwd"}, "no time zone"),
    ("period", {"period": "yearly"}, "use one of daily"),
    ("period", {"period": None}, "use one of daily"),
    ("days", {"period": "days"}, "from 1 to 366"),
    ("days", {"period": "days", "days": 0}, "from 1 to 366"),
    ("days", {"period": "days", "days": 367}, "from 1 to 366"),
    ("days", {"period": "days", "days": "-3"}, "from 1 to 366"),
    ("days", {"period": "days", "days": 1.5}, "from 1 to 366"),
    ("days", {"period": "days", "days": "9" * 10_000}, "from 1 to 366"),
    ("days", {"period": "days", "days": "१०"}, "from 1 to 366"),
    ("kind", {"kind": "planet"}, "use one of everything"),
    ("kind", {"kind": ["user"]}, "use one of everything"),
    ("kind", {"kind": None}, "use one of everything"),
    ("subject", {"kind": "user"}, "name a user"),
    ("subject", {"kind": "user", "subject": LONG}, "at most 1,000 characters"),
    ("subject", {"kind": "project", "subject": LONG}, "at most 1,000 characters"),
    ("subject", {"kind": "user", "subject": 5}, "named by text"),
    ("subject", {"kind": "user", "subject": "me"}, "cannot name"),
    ("subject", {"kind": "project", "subject": "(none)"}, "cannot name"),
    ("subject", {"kind": "user", "subject": "a\x00b"}, "cannot name"),
    ("subject", {"kind": "user", "subject": "a\ud800"}, "cannot name"),
    ("start", {"start": "soon"}, "no date"),
    ("start", {"start": "1999-01-01"}, "outside"),
    ("start", {"start": "9999-01-01"}, "outside"),
    ("colour", {"colour": "red"}, "has no"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "wrong", "told"), REFUSED)
def test_what_no_budget_can_be(field: str, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told.replace("$", r"\$")) as error:
        made(**wrong)
    assert error.value.parameter == field
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", 'O\'Brien "x"', "🙂", "a;b"])
def test_an_odd_name_needs_to_have_been_seen(
    state: State, store: EventStore, event: Make, name: str
) -> None:
    raw = RAW | {"kind": "user", "subject": name}
    with pytest.raises(Refused, match="has been seen") as error:
        create(state, hand(), raw, store)
    assert (error.value.parameter, visible_budgets(state, ROOT)) == ("subject", [])
    store.write([event(user=name, cost_nano=7)])
    kept = create(state, hand(), raw, store)
    assert kept.subject == name
    assert budget_status(kept, NOW, ROOT, store).spent == 7


def test_a_plain_name_may_still_have_to_come(state: State, store: EventStore) -> None:
    assert create(state, hand(), RAW | {"kind": "user", "subject": "new.hire@x.org"}, store).id


def test_one_budget_a_subject_and_kind_of_period(state: State, store: EventStore) -> None:
    create(state, hand(), RAW, store)
    with pytest.raises(Refused, match="a monthly budget for everything already") as error:
        create(state, hand(), RAW | {"hard": 5, "zone": "Asia/Kolkata"}, store)
    assert error.value.parameter == "period"
    other = create(state, hand(), RAW | {"period": "weekly"}, store)
    with pytest.raises(Refused, match="already"):
        change(state, hand(), other.id, {"period": "monthly"}, store)
    assert change(state, hand(), other.id, {"hard": 6}, store).hard == 6 * DOLLAR
    assert [one.hard for one in visible_budgets(state, ROOT)] == [100 * DOLLAR, 6 * DOLLAR]


def merged(*aliases: tuple[str, str]) -> Actor:
    people = People(Alias(id_, person) for id_, person in aliases)
    return hand(Scope.of({"sub": "root", "isAdmin": True}, people))


OF_ANA = {"kind": "user", "subject": "ana", "hard": 10, "period": "weekly"}


def test_a_budget_stands_under_the_person_of_an_alias(state: State, store: EventStore) -> None:
    people = merged(("ana@x", "ana"))
    made = create(state, people, OF_ANA | {"subject": "ana@x"}, store)
    assert made.subject == "ana"
    bo = create(state, people, OF_ANA | {"subject": "bo", "period": "daily"}, store)
    assert change(state, people, bo.id, {"subject": "ana@x"}, store).subject == "ana"
    with pytest.raises(Refused, match="a weekly budget for the user 'ana' already"):
        create(state, people, OF_ANA | {"subject": "ana@x"}, store)


def test_a_later_merger_breaks_no_budget(state: State, store: EventStore, event: Make) -> None:
    """Two budgets turn out to be one person's: both stay, count the same and can be changed."""
    first = create(state, hand(), OF_ANA, store)
    second = create(state, hand(), OF_ANA | {"subject": "ana@x"}, store)
    store.write([event(user="ana", cost_nano=DOLLAR), event(user="ana@x", cost_nano=DOLLAR)])
    people = merged(("ana@x", "ana"))
    assert [one.id for one in visible_budgets(state, people.scope)] == [first.id, second.id]
    for one in (first, second):
        whole = one.as_dict() | {"hard": 7}  # as the form says it, all fields again
        kept = change(state, people, one.id, whole, store)
        assert (kept.subject, kept.hard) == (one.subject, 7 * DOLLAR)
        assert budget_status(kept, NOW, people.scope, store).spent == 2 * DOLLAR
    # Any other way into the same place is one sentence, never a damaged store.
    with pytest.raises(Refused, match="already"):
        change(state, people, second.id, {"subject": "ana"}, store)
    assert change(state, people, second.id, {"subject": "bo"}, store).subject == "bo"
    with pytest.raises(Refused, match="already"):
        change(state, people, second.id, {"subject": "ana@x"}, store)
    assert change(state, hand(), second.id, {"subject": "ana@x"}, store).subject == "ana@x"


@pytest.mark.parametrize("same", ["gpt-6", "gpt-6*", "GPT-6**", " gpt-6* "])
def test_a_family_is_the_same_with_and_without_its_star(
    state: State, store: EventStore, same: str
) -> None:
    family = RAW | {"kind": "model", "subject": "gpt-6*"}
    kept = create(state, hand(), family, store)
    with pytest.raises(Refused, match="a monthly budget for the model family 'gpt-6\\*' already"):
        create(state, hand(), family | {"subject": same}, store)
    for other in ("*gpt-6", "gpt", "gpt-6*-sol"):
        assert create(state, hand(), family | {"subject": other}, store)
    assert change(state, hand(), kept.id, {"subject": same}, store).subject == same.strip().lower()


def test_of_budgets_of_n_days_a_subject_has_one(state: State, store: EventStore) -> None:
    days = RAW | {"period": "days", "days": 10}
    kept = create(state, hand(), days, store)
    told = "there is a budget every 10 days for everything already: of those of N days a subject"
    with pytest.raises(Refused, match=told) as error:
        create(state, hand(), days | {"days": 3}, store)
    assert error.value.parameter == "period"
    assert change(state, hand(), kept.id, {"days": 1}, store).every == "every day"


def test_who_writes_does_not_wait_for_a_question_to_the_events(
    state: State, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, free = create(state, hand(), RAW, store), []

    def slow(*_: Any) -> None:
        file = state._database.engine.url.database or ""
        with closing(sqlite3.connect(file, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
            free.append(True)

    monkeypatch.setattr(book, "refuse_unlikely", slow)
    create(state, hand(), RAW | {"period": "weekly"}, store)
    change(state, hand(), kept.id, {"hard": 7}, store)
    assert free == [True, True]


def test_an_edit_keeps_what_it_does_not_name(state: State, store: EventStore) -> None:
    raw = RAW | {"hard": "999999999.123456789", "soft": "0.000000001", "start": "2026-01-02"}
    first = create(state, hand(), raw, store)
    assert change(state, hand(), first.id, {}, store) == first
    assert change(state, hand(), first.id, {"zone": "Asia/Tokyo"}, store).hard == first.hard


def test_a_number_is_never_given_twice(state: State, store: EventStore) -> None:
    first = create(state, hand(), RAW, store)
    remove(state, hand(), first.id)
    assert create(state, hand(), RAW, store).id > first.id


@pytest.mark.parametrize(
    ("model", "pattern", "belonging"),
    [
        ("gpt-6-sol", "gpt-6", True),
        ("GPT-6-Sol", "gpt-6-*", True),
        ("my-gpt-6", "gpt-6", False),
        ("claude-sonnet-5", "*sonnet*", True),
        ("claude-sonnet-5", "claude*5", True),
        ("claude-sonnet-5", "claude*-6", False),
        ("ab", "ab*b", False),
        ("aXbXc", "a*b*c", True),
        ("acb", "a*b*c", False),
        ("a.c", "a?c", False),
        ("", "*", True),
        ("a" * 1_000, "*a" * 400 + "*b", False),
    ],
)
def test_a_family_of_models(model: str, pattern: str, belonging: bool) -> None:
    assert belongs(model, pattern) is belonging


# --- whose they are


USERS, PROJECTS = ("ana", "lena", "root", None), ("web", "api", "ops", None)
UNIVERSE = [
    {"user": user, "project": project, "model": model}
    for user, project, model in itertools.product(USERS, PROJECTS, ("gpt-6", "claude-5"))
]
SUBJECTS = [("everything", ""), ("model", "gpt"), *(("user", u) for u in USERS if u),
            *(("project", p) for p in PROJECTS if p)]  # fmt: skip
CLAIMS: list[dict[str, Any]] = [
    {"sub": "ana"},
    {"sub": "root", "isAdmin": True},
    {"sub": "root", "isAdmin": "yes"},
    {"sub": "lena", "applications_admin": ["web,api"]},
    {"sub": "lena", "applications": "web,api"},
    {"sub": "ana", "applications_admin": "ops"},
    {"sub": "stranger"},
]


def counts(kind: str, subject: str, one: dict[str, Any]) -> bool:
    if kind == "model":
        return bool(one["model"].startswith(subject))
    return kind == "everything" or one[kind] == subject


def sees(claims: dict[str, Any], one: dict[str, Any]) -> bool:
    told = claims.get("applications_admin", "")
    mine = ",".join(told if isinstance(told, list) else [told]).split(",")
    everything = claims.get("isAdmin") is True
    return everything or one["user"] == claims["sub"] or one["project"] in mine


@pytest.mark.parametrize("claims", CLAIMS)
def test_a_budget_is_shown_to_whom_all_that_it_counts_is(
    state: State, store: EventStore, claims: dict[str, Any]
) -> None:
    for kind, subject in SUBJECTS:
        create(state, hand(), RAW | {"kind": kind, "subject": subject}, store)
    scope = Scope.of(claims)
    shown = {(one.kind, one.subject) for one in visible_budgets(state, scope)}
    assert shown == {
        (kind, subject)
        for kind, subject in SUBJECTS
        if all(sees(claims, one) for one in UNIVERSE if counts(kind, subject, one))
    }
    assert {one.subject for one in own(state, scope)} <= {claims["sub"]}


@pytest.mark.parametrize("claims", CLAIMS)
@pytest.mark.parametrize(("kind", "subject"), SUBJECTS)
def test_who_sets_which_budget(
    state: State, store: EventStore, claims: dict[str, Any], kind: str, subject: str
) -> None:
    """Who sees everyone's events of a project, or everything; nobody their own."""
    scope, raw = Scope.of(claims), RAW | {"kind": kind, "subject": subject}
    told = claims.get("applications_admin", "")
    mine = ",".join(told if isinstance(told, list) else [told]).split(",")
    may = claims.get("isAdmin") is True or (kind == "project" and subject in mine)
    kept = create(state, hand(), raw, store)
    for attempt in (
        lambda: change(state, hand(scope), kept.id, {"hard": 7}, store),
        lambda: remove(state, hand(scope), kept.id),
        lambda: create(state, hand(scope), raw, store),
    ):
        if may:
            attempt()
            continue
        with pytest.raises((Forbidden, Unknown)):
            attempt()
    entries = 4 if may else 1
    assert (count(state, ROOT), len(visible_budgets(state, ROOT))) == (entries, 1)


def test_a_project_cannot_be_taken_over_by_an_edit(state: State, store: EventStore) -> None:
    mine = create(state, hand(LEADER), RAW | {"kind": "project", "subject": "web"}, store)
    for stolen in ({"subject": "ops"}, {"kind": "everything"}, {"kind": "user", "subject": "lena"}):
        with pytest.raises(Forbidden):
            change(state, hand(LEADER), mine.id, stolen, store)
    assert visible_budgets(state, LEADER) == [mine]


def test_one_does_not_administer_it(state: State, store: EventStore) -> None:
    with pytest.raises(Forbidden, match="you do not administer the project 'ops'"):
        create(state, hand(LEADER), RAW | {"kind": "project", "subject": "ops"}, store)


def test_a_hidden_budget_is_as_unknown_as_none(state: State, store: EventStore) -> None:
    hidden = create(state, hand(), RAW, store)
    said = set()
    for number in (hidden.id, hidden.id + 1, 0, -1, 2**63, 10**30):
        with pytest.raises(Unknown) as error:
            budget(state, PERSON, number)
        said.add(str(error.value))
    assert len(said) == 1


# --- periods


def midnight(day: date, zone: str) -> int:
    return micros(datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC))


@pytest.mark.parametrize(
    ("fields", "now", "start", "end"),
    [
        ({"period": "daily"}, "2026-11-20T12:00Z", "2026-11-20T00:00Z", "2026-11-21T00:00Z"),
        ({"period": "weekly"}, "2026-11-22T23:59Z", "2026-11-16T00:00Z", "2026-11-23T00:00Z"),
        ({"period": "weekly"}, "2026-11-23T00:00Z", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ({"period": "monthly"}, "2028-02-29T12:00Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ({"period": "days", "days": 10, "start": "2026-11-05"},
         "2026-11-20T12:00Z", "2026-11-15T00:00Z", "2026-11-25T00:00Z"),
        # Not begun: the first period.
        ({"period": "days", "days": 3, "start": "2026-12-01"},
         "2026-11-20T12:00Z", "2026-12-01T00:00Z", "2026-12-04T00:00Z"),
        # 25 and 23 hours; a day that begins at one o'clock.
        ({"period": "daily", "zone": "Europe/Berlin"},
         "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ({"period": "daily", "zone": "America/New_York", "start": "2026-01-01"},
         "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        ({"period": "daily", "zone": "Asia/Beirut", "start": "2026-01-01"},
         "2026-03-29T12:00Z", "2026-03-28T22:00Z", "2026-03-29T21:00Z"),
        # A day that never was.
        ({"period": "daily", "zone": "Pacific/Apia", "start": "2011-12-01"},
         "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
    ],
)  # fmt: skip
def test_the_period_of_an_instant(fields: dict[str, Any], now: str, start: str, end: str) -> None:
    one = made(**({"start": "2026-10-01"} | fields))
    found = current(one, micros(datetime.fromisoformat(now)))
    wanted = [micros(datetime.fromisoformat(text)) for text in (start, end)]
    assert [found.start, found.end] == wanted


YEARS = [micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (2009, 2030)]
INSTANTS = st.integers(*YEARS)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(list(PERIODS)), st.integers(1, 60), INSTANTS)
def test_periods_follow_each_other_without_gap(zone: str, period: str, days: int, now: int) -> None:
    start = (datetime.fromtimestamp(now / 1e6, UTC) - timedelta(days=150)).date()
    one = draft(RAW | {"period": period, "days": days, "zone": zone, "start": str(start)}, now)
    found = list(past(one, now))
    assert found[0].start <= now < found[0].end
    assert all(later.start == earlier.end for later, earlier in itertools.pairwise(found))
    assert all(window.start < window.end for window in found)
    assert len(found) <= REMEMBERED["daily"]
    if len(found) < min(REMEMBERED["weekly"], 10):
        assert found[-1].start <= midnight(start, zone) < found[-1].end


# --- spending, pace, crossings: against plain Python


def key(ts: int, one: Budget) -> Any:
    """The period of an instant, by its local date."""
    day = (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts))
        .astimezone(ZoneInfo(one.zone))
        .date()
    )
    if one.period == "weekly":
        return tuple(day.isocalendar())[:2]
    if one.period == "monthly":
        return day.year, day.month
    return (day - date.fromisoformat(one.start)).days // (one.days or 1)


def oracle(one: Budget, events: Sequence[Event], now: int) -> list[tuple[Any, ...]]:
    """`(limit, at, user, over)` of every crossing up to the current period, newest first."""
    periods: dict[Any, list[Event]] = {}
    for event in sorted(events, key=lambda e: e["ts"]):
        periods.setdefault(key(event["ts"], one), []).append(event)
    found = [
        (limit, *hit)
        for place, mine in periods.items()
        if place <= key(now, one)
        for limit in ("hard", "soft")
        if (most := getattr(one, limit)) is not None and (hit := crossing(mine, most))
    ]
    return sorted(found, key=lambda hit: (-hit[1], hit[0]))


def crossing(events: Sequence[Event], most: int) -> tuple[Any, ...] | None:
    total = 0
    over = sum(event["cost_nano"] or 0 for event in events) - most
    for at, calls in itertools.groupby(events, key=lambda e: e["ts"]):
        each: dict[str | None, int] = {}
        for call in calls:
            each[call["user"]] = each.get(call["user"], 0) + (call["cost_nano"] or 0)
        total += sum(each.values())
        if total > most:
            return at, min(each, key=lambda u: (-each[u], u is None, u or "")), over
    return None


def happened(dice: Random, now: int) -> list[Event]:
    """Calls in clusters, some at the very same instant, some without a price, user or project."""
    hubs = [now, *(now + dice.randint(-60 * DAY, 5 * DAY) for _ in range(dice.randint(0, 6)))]
    spreads = (3, 1_000_000, 90_000_000, 5_400_000_000, DAY)
    return [
        clean({
            "event_id": f"e{n}", "kind": "llm", "channel": "api", "source": "test", "status": "ok",
            "ts": dice.choice(hubs) + dice.randint(0, dice.choice(spreads)),
            "user": dice.choice(("ana", "bo", None)), "project": dice.choice(("web", "api", None)),
            "model": dice.choice(("gpt-6-a", "gpt-6-b", "x")),
            "cost_nano": dice.choice((None, 0, DOLLAR, dice.randint(1, 3 * DOLLAR))),
        })
        for n in range(dice.randint(0, 60))
    ]  # fmt: skip


def reached(dice: Random, one: Budget, events: Sequence[Event]) -> int:
    """What some period had cost by some instant, exactly or by a hair more or less."""
    mine = [e for e in events if counts(one.kind, one.subject, e)]
    if not mine:
        return DOLLAR
    chosen = dice.choice(mine)
    place = key(chosen["ts"], one)
    until = [e for e in mine if e["ts"] <= chosen["ts"] and key(e["ts"], one) == place]
    return max(1, sum(e["cost_nano"] or 0 for e in until) + dice.choice((-1, 0, 0, 1)))


def case(dice: Random) -> tuple[Budget, list[Event], int]:
    # Near a change of clocks somewhere, or not; now and then just after midnight.
    day = dice.choice(("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-25", "2026-11-20"))
    now = midnight(date.fromisoformat(day), "UTC")
    now += dice.choice((0, 1, 1_000_000, dice.randint(0, DAY)))
    subjects = (("everything", ""), ("user", "ana"), ("project", "web"), ("model", "gpt-6"))
    period = dice.choice(list(PERIODS))
    start = date.fromisoformat(day) - timedelta(days=dice.randint(-3, 60))
    events = happened(dice, now)
    one = Budget(
        1, *dice.choice(subjects), period, dice.randint(1, 40) if period == "days" else None,
        dice.choice(ZONES), start.isoformat(), None, DOLLAR,
    )  # fmt: skip
    soft, hard = sorted(reached(dice, one, events) for _ in range(2))
    return replace(one, soft=dice.choice((None, soft)), hard=hard), events, now


@pytest.fixture(scope="module")
def shared_store() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    yield opened
    opened.close()


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_spending_pace_and_crossings_are_those_of_plain_python(
    shared_store: EventStore, seed: int
) -> None:
    one, events, now = case(Random(seed))
    shared_store.remove("test")
    shared_store.write(events)
    mine = [e for e in events if counts(one.kind, one.subject, e)]
    since = midnight(date.fromisoformat(one.start), one.zone)
    place = key(max(now, since), one)
    spent = sum(e["cost_nano"] or 0 for e in mine if key(e["ts"], one) == place)
    status = budget_status(one, now, ROOT, shared_store)
    assert status.spent == spent
    assert status.share == spent / one.hard
    gone = now - status.period.start
    length = status.period.end - status.period.start
    assert status.projected == (int(Fraction(spent * length, gone)) if gone > 0 else None)
    told = [e for e in mine if key(e["ts"], one) >= key(since, one)]
    found = [
        exactly(each, ROOT, shared_store)
        for each in crossed(one, max(now, since), ROOT, shared_store)
    ]
    said = [(each.crossed.limit, each.at, each.user, each.crossed.over) for each in found]
    assert sorted(said, key=lambda hit: (-hit[1], hit[0])) == oracle(one, told, max(now, since))


@pytest.mark.parametrize(
    ("spent", "level"),
    [(0, "good"), (75, "good"), (75.01, "amber"), (90, "amber"), (90.01, "red"), (250, "red")],
)
def test_the_share_is_coloured_and_not_capped(
    store: EventStore, event: Make, spent: float, level: str
) -> None:
    store.write([event(cost_nano=round(spent * DOLLAR))])
    status = budget_status(made(), NOW, ROOT, store)
    assert (status.level, round(status.share * 100, 2)) == (level, spent)


def test_a_limit_that_is_just_reached_is_not_crossed(store: EventStore, event: Make) -> None:
    store.write([event(cost_nano=100 * DOLLAR)])
    assert crossed(made(), NOW, ROOT, store) == []
    store.write([event(cost_nano=1, ts="2026-11-20T12:00:01Z", user="ana")])
    (found,) = crossed(made(), NOW, ROOT, store)
    assert (found.over, exactly(found, ROOT, store).user) == (1, "ana")


def test_a_bucket_that_just_reaches_the_limit_is_not_the_one(
    store: EventStore, event: Make
) -> None:
    """The limit is reached in one hour and minute, and crossed in a later one."""
    for ts, cost in (("09:00:10", 60), ("10:00:10", 40), ("11:30:00", 0), ("11:31:30", 3)):
        store.write([event(ts=f"2026-11-20T{ts}Z", cost_nano=cost * DOLLAR, user=ts)])
    (found,) = crossed(made(), NOW, ROOT, store)
    assert exactly(found, ROOT, store).user == "11:31:30"


def test_the_half_hour_that_two_hours_share(store: EventStore, event: Make) -> None:
    """On Lord Howe clocks went back from 02:00 to 01:30, at 15:00 UTC."""
    for ts in ("14:45", "15:10"):
        store.write([event(ts=f"2026-04-04T{ts}:00Z", cost_nano=3 * DOLLAR, user=ts)])
    one = made(hard=4, zone="Australia/Lord_Howe", start="2026-04-01")
    (found,) = crossed(one, micros(datetime(2026, 4, 5, tzinfo=UTC)), ROOT, store)
    assert exactly(found, ROOT, store).user == "15:10"


def test_the_pace_of_the_first_second(store: EventStore, event: Make) -> None:
    """A dollar in the first second of a day is 86,400 dollars a day: it is not smoothed."""
    store.write([event(ts="2026-11-20T00:00:00Z", cost_nano=DOLLAR)])
    start = micros(datetime(2026, 11, 20, tzinfo=UTC))
    daily = made(period="daily")
    assert budget_status(daily, start, ROOT, store).projected is None
    assert budget_status(daily, start + 1_000_000, ROOT, store).projected == 86_400 * DOLLAR


def test_before_the_start_nothing_counts_yet(store: EventStore, event: Make) -> None:
    store.write([event(cost_nano=DOLLAR)])
    later = made(period="days", days=7, start="2026-12-01")
    status = budget_status(later, NOW, ROOT, store)
    assert (status.spent, status.projected) == (0, None)


def test_a_reader_who_sees_less_is_never_told_more(store: EventStore, event: Make) -> None:
    """Even a budget that slipped through the list counts only what its reader sees."""
    store.write([event(user="ana", cost_nano=DOLLAR), event(user="bo", cost_nano=DOLLAR)])
    assert budget_status(made(), NOW, PERSON, store).spent == DOLLAR
    assert crossed(made(hard="1.5"), NOW, PERSON, store) == []


def test_crossings_cost_few_questions(store: EventStore, event: Make) -> None:
    """A hundred calls in one minute: hours, minutes and halves, never the events themselves."""
    store.write([event(ts=NOW + n * 37, cost_nano=DOLLAR) for n in range(400)])
    (found,) = crossed(made(hard=200), NOW, ROOT, store)
    before = len(store.memo)
    assert exactly(found, ROOT, store).at == NOW + 200 * 37
    assert len(store.memo) - before <= 24


# --- the sample organisation


@pytest.fixture(scope="module")
def organisation() -> Iterator[EventStore]:
    opened = open_events("duckdb://")
    opened.write(list(sample(5_000, 90, 7, until=NOW)))
    yield opened
    opened.close()


def test_the_sample_comes_with_budgets_once(state: State, organisation: EventStore) -> None:
    kept = examples(state, organisation, NOW)
    assert [one.kind for one in kept] == list(KINDS)
    status = {one.kind: budget_status(one, NOW, ROOT, organisation) for one in kept}
    assert 0.9 < status["project"].share < 1
    assert sum(len(crossed(one, NOW, ROOT, organisation)) for one in kept) > 2
    assert examples(state, organisation, NOW) == []
    for one in kept:
        remove(state, hand(), one.id)
    assert examples(state, organisation, NOW) == []


def test_no_events_no_quarrel(state: State, store: EventStore) -> None:
    assert all(one.hard > 0 for one in examples(state, store, NOW))
