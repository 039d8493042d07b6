"""The sample: canonical, deterministic, complete, and with its story in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import islice, pairwise
from statistics import median
from typing import Any, Final

import pytest

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.cleaning import clean
from data.events.table import (
    CALL_ONLY,
    CALL_TEXTS,
    FIELDS,
    KINDS,
    ORIGINS,
    PART_TOKENS,
    STATUSES,
    Event,
)
from data.prices.book import PUBLIC
from data.sample.calendar import DAY, HOUR
from data.sample.cast import NEWCOMER, PROJECTS
from data.sample.organisation import PERSONAS, SOURCE, sample
from data.sample.people import PEOPLE

# Monday, 23 November 2026, 01:00 UTC: a quiet hour.
UNTIL = 1_795_395_600_000_000
ALWAYS = {"event_id", "ts", "kind", "channel", "source", "status", "cost_origin", "duration_ms"}


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(sample(until=UNTIL))


@pytest.fixture(scope="module")
def calls(events: list[Event]) -> list[Event]:
    return [event for event in events if event["kind"] == "llm"]


def values(events: list[Event], name: str) -> set[Any]:
    return {event[name] for event in events} - {None}


def by_day(events: list[Event], amount: Callable[[Event], int]) -> dict[int, int]:
    """Sums per day, counted back from the end: 0 is the last."""
    days: dict[int, int] = defaultdict(int)
    for event in events:
        days[(UNTIL - 1 - event["ts"]) // DAY] += amount(event)
    return days


def cost(event: Event) -> int:
    return event["cost_nano"] or 0


# Determinism


def test_the_same_seed_tells_the_same_story() -> None:
    first = list(sample(3_000, 30, 7, until=UNTIL))
    assert repr(first) == repr(list(sample(3_000, 30, 7, until=UNTIL)))


def test_another_seed_tells_another_story_with_other_ids() -> None:
    seven = list(sample(500, until=UNTIL))
    eight = list(sample(500, seed=8, until=UNTIL))
    assert not values(seven, "event_id") & values(eight, "event_id")
    assert not values(seven, "conversation_id") & values(eight, "conversation_id")
    assert [event["ts"] for event in seven] != [event["ts"] for event in eight]


def test_loading_twice_adds_nothing(store: EventStore) -> None:
    assert len(store.write(list(sample(2_000, until=UNTIL)))) == 2_000
    assert not store.write(list(sample(2_000, until=UNTIL)))
    assert not store.write(list(sample(2_000, until=UNTIL + HOUR)))


# Canonical


def test_exactly_as_many_as_asked_in_order_of_time(events: list[Event]) -> None:
    assert len(events) == 100_000
    assert len(values(events, "event_id")) == 100_000
    assert all(one["ts"] <= other["ts"] for one, other in pairwise(events))


@pytest.mark.parametrize(("count", "days"), [(0, 90), (1, 90), (37, 1), (400, 400), (5_000, 2)])
def test_any_size_and_length(count: int, days: int) -> None:
    events = list(sample(count, days, until=UNTIL))
    assert len(events) == count
    assert all(UNTIL - days * DAY <= event["ts"] < UNTIL for event in events)


def test_impossible_windows_are_refused() -> None:
    with pytest.raises(Refused, match="days"):
        sample(days=0, until=UNTIL)
    with pytest.raises(Refused, match="2000"):
        sample(until=0)


def test_clean_would_change_nothing(events: list[Event]) -> None:
    some = [event for kind in KINDS for event in of_kind(events, kind, 700)]
    assert values(some, "kind") == set(KINDS) - {"adjustment"}  # nobody gave money back
    for event in some:
        cleaned = clean(event)
        assert event == cleaned
        assert {name: type(event[name]) for name in FIELDS} == {
            name: type(cleaned[name]) for name in FIELDS
        }


def of_kind(events: list[Event], kind: str, count: int) -> list[Event]:
    return list(islice((event for event in events if event["kind"] == kind), count))


# The sample has no sums of many calls, no copies, nor what is billed beside the plain tokens.
NOT_THERE: Final = (
    "request_count", *(part for part in PART_TOKENS if part != "reasoning_tokens"),
    "web_searches", "shared_id", *CALL_TEXTS,
)  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in NOT_THERE])
def test_every_field_is_used_and_left_out(events: list[Event], name: str) -> None:
    known = sum(event[name] is not None for event in events)
    assert known == len(events) if name in ALWAYS else 0 < known < len(events)


def test_every_choice_is_taken(events: list[Event]) -> None:
    assert values(events, "channel") == {"platform", "cli", "api", "other"}
    assert values(events, "status") == set(STATUSES)
    assert values(events, "cost_origin") == set(ORIGINS)
    assert values(events, "source") == {SOURCE}
    assert {"rate_limit_exceeded", "timeout", "content_filter"} <= values(events, "error_class")


def test_only_calls_carry_tokens_and_money(events: list[Event]) -> None:
    others = [event for event in events if event["kind"] != "llm"]
    assert others
    for name in CALL_ONLY:
        assert not values(others, name)


# The cast


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *(("user", 60), ("user_name", 60), ("project", 12), ("project_name", 12)),
        *(("assistant", 25), ("workflow", 8), ("tool", 20), ("model", 12)),
        *(("integration", 12), ("integration_type", 3), ("tool_type", 7)),
    ],
)
def test_the_whole_cast_appears(events: list[Event], name: str, count: int) -> None:
    assert len(values(events, name)) == count


def test_names_differ_from_ids(events: list[Event]) -> None:
    for kind in ("user", "project"):
        pairs = {(event[kind], event[f"{kind}_name"]) for event in events} - {(None, None)}
        assert len(pairs) == len({key for key, _ in pairs})
        assert all(name and name != key for key, name in pairs)


def test_power_users(events: list[Event]) -> None:
    ranking = Counter(event["user"] for event in events if event["user"]).most_common()
    assert sum(count for _, count in ranking[:6]) > 3 * sum(count for _, count in ranking[-20:])


def test_a_scene_stays_with_one_person_and_project(events: list[Event]) -> None:
    for name in ("conversation_id", "run_id"):
        owners: dict[str, set[tuple[Any, Any]]] = defaultdict(set)
        for event in events:
            if event[name]:
                owners[event[name]].add((event["user"], event["project"]))
        assert {len(owner) for owner in owners.values()} == {1}


def test_personas_are_people_of_the_cast_with_rights_to_real_projects() -> None:
    people = {person.id: person for person in PEOPLE}
    for persona in PERSONAS:
        person = people[persona.claims["sub"]]
        assert persona.name == person.name == persona.claims["name"]
        assert set(persona.claims["applications"]) == set(person.projects) <= set(PROJECTS)
        assert set(persona.claims["applications_admin"]) <= set(PROJECTS)


def test_personas_stand_for_the_three_reaches() -> None:
    admin, project_admin, user = (Scope.of(persona.claims) for persona in PERSONAS)
    assert (admin.reach, project_admin.reach, user.reach) == ("all", "projects", "own")
    assert len(project_admin.projects) == 2
    assert len({persona.key for persona in PERSONAS}) == 3


def test_personas_are_busy_in_several_projects(events: list[Event]) -> None:
    busiest = [who for who, _ in Counter(e["user"] for e in events if e["user"]).most_common(10)]
    for persona in PERSONAS:
        own = [event for event in events if event["user"] == persona.claims["sub"]]
        assert persona.claims["sub"] in busiest
        assert len(values(own, "project")) >= 3
        assert values(own, "project") <= set(persona.claims["applications"])


# Money


def test_list_costs_are_what_the_book_says(calls: list[Event]) -> None:
    listed = [event for event in calls if event["cost_origin"] == "list"][::40]
    assert len(values(listed, "model")) == 11
    for event in listed:
        assert event["cost_nano"] == booked(event)


def test_a_call_costs_what_the_book_says_of_its_day() -> None:
    january = UNTIL + 60 * DAY  # Gemini's introductory rates end within this window
    listed = [event for event in sample(4_000, until=january) if event["cost_origin"] == "list"]
    assert {event["model"] for event in listed} >= {"gemini-4-argon", "gemini-3.8-flash"}
    assert all(event["cost_nano"] == booked(event) for event in listed)


def booked(event: Event) -> int | None:
    counts = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
    return PUBLIC.price(
        event["provider"], event["model"], event["ts"], *(event[name] for name in counts)
    )


def test_what_used_tokens_and_has_no_price_is_on_premises(calls: list[Event]) -> None:
    unpriced = [e for e in calls if e["input_tokens"] is not None and e["cost_nano"] is None]
    assert values(unpriced, "provider") == {"hosted_vllm"}
    assert 0.01 < len(unpriced) / len(calls) < 0.1


def test_reported_costs_are_not_the_books(calls: list[Event]) -> None:
    reported = [event for event in calls if event["cost_origin"] == "reported"]
    assert 100 < len(reported) < 2_000
    assert all(event["cost_nano"] != booked(event) for event in reported)


def test_failed_calls_cost_nothing(calls: list[Event]) -> None:
    failed = [event for event in calls if event["status"] == "error"]
    assert 0.005 < len(failed) / len(calls) < 0.05
    assert not values(failed, "cost_nano") | values(failed, "input_tokens")
    assert all(event["error_class"] for event in failed)


def test_the_bill_is_believable(calls: list[Event]) -> None:
    assert 7_500 < sum(map(cost, calls)) / 1e9 < 15_000


# Time


def test_first_token_comes_before_the_last(calls: list[Event]) -> None:
    streamed = [event for event in calls if event["ttft_ms"] is not None]
    assert streamed
    assert all(event["ttft_ms"] < event["duration_ms"] for event in streamed)


def test_the_last_hour_is_alive_at_night(events: list[Event]) -> None:
    assert UNTIL - HOUR <= events[-1]["ts"] < UNTIL
    few = list(sample(100, until=UNTIL))
    assert any(event["ts"] >= UNTIL - HOUR for event in few)


def test_weekends_and_nights_are_quiet(events: list[Event]) -> None:
    # 1 January 1970 was a Thursday: days 2 and 3 of each week were the weekend.
    weekday = Counter(event["ts"] // DAY % 7 for event in events)
    assert max(weekday[2], weekday[3]) < min(weekday[day] for day in (0, 1, 4, 5, 6)) / 2
    hour = Counter(event["ts"] // HOUR % 24 for event in events)
    assert hour[1] * 2 < hour[13]


# The story


def test_a_workflow_ran_wild_for_a_day(calls: list[Event]) -> None:
    days = by_day(calls, cost)
    dearest = max(days, key=lambda day: days[day])
    weekdays = [spent for day, spent in days.items() if spent > max(days.values()) / 20]
    assert 12 <= dearest <= 15
    assert 2.5 < days[dearest] / median(weekdays) < 6
    assert days[dearest] > 1.5 * sorted(days.values())[-2]
    guilty = [e for e in calls if (UNTIL - 1 - e["ts"]) // DAY == dearest and e["workflow"]]
    by_workflow = Counter[str]()
    for event in guilty:
        by_workflow[event["workflow"]] += cost(event)
    assert by_workflow.most_common(1)[0][1] > days[dearest] / 2


def test_a_project_ramps_up_over_the_last_third(events: list[Event]) -> None:
    days = by_day([event for event in events if event["project"] == NEWCOMER], lambda _: 1)
    assert max(days) < 30
    late, early = (sum(days[day] for day in span) for span in (range(15), range(15, 30)))
    assert late > 1.5 * early > 0


def test_the_organisation_grows(events: list[Event]) -> None:
    days = by_day(events, lambda _: 1)
    late, early = (sum(days[day] for day in span) for span in (range(42), range(48, 90)))
    assert 1.1 < late / early < 1.6
