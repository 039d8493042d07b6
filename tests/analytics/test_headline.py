"""The large numbers: how they went, what they were, for whom they are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from callbacks.analytics.filter_state import new_state
from components.page import headline
from components.page.headline import Reader
from components.sections.declared import SECTIONS
from components.shapes.headline import Headline
from data.query.filters import Choice
from data.query.run import run
from tests.serving import ADMIN, Served, serving

CHOICE: Final[Choice] = {"preset": "custom", "from": "2026-11-08", "to": "2026-11-15"}
KEY: Final = "headline"


def event(n: int) -> dict[str, Any]:
    """Calls of a fortnight by five people, none on the tenth; of each day's first the cost is
    unknown, each third fails."""
    day = 1 + n % 14
    return {
        "event_id": f"e{n}", "ts": f"2026-11-{day + (day == 10):02}T10:00:00Z", "model": "m",
        "user": f"u{n % 5}", "project": f"p{n % 2}", "cost_nano": (1 + n % 9) * 10**9,
        "status": "ok" if n % 3 else "error", "input_tokens": n, "output_tokens": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("headline")) as one:
        one.load(event(n) for n in range(84))
        yield one


def answered(served: Served, **more: str) -> Any:
    state = new_state(CHOICE | more, "UTC", served.settings.now())
    return served.answer(KEY, state)["numbers"]


def test_each_course_is_the_api_s_numbers_over_time(served: Served) -> None:
    numbers = answered(served)
    asked = {"preset": "custom", "from_": CHOICE["from"], "to": CHOICE["to"], "by": "time"}
    names = sorted(name for name, one in numbers.items() if "course" in one)
    assert names == ["active_users", "cost", "cost_per_request", "error_rate", "requests"]
    before = asked | {"from_": "2026-11-01", "to": "2026-11-08"}
    for name in names:
        for course, window in zip(numbers[name]["course"], (asked, before), strict=True):
            told = served.json("query", metrics=name, **window)["rows"]
            assert [one for one in course if one] == [one[name] for one in told if one[name]]
            assert len(course) == 7


def test_a_day_without_calls_is_zero_of_what_is_counted_and_a_gap_of_rates(served: Served) -> None:
    numbers = answered(served)
    day = 2  # the tenth
    assert numbers["requests"]["course"][0][day] == numbers["active_users"]["course"][0][day] == 0
    assert numbers["error_rate"]["course"][0][day] is None


def test_nothing_to_compare_with_has_one_course(served: Served) -> None:
    assert len(answered(served, compare="off")["cost"]["course"]) == 1


def test_the_courses_cost_one_question_a_window(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "data.query.comparison.run", lambda query, *of: asked.append(query) or run(query, *of)
    )
    answered(served)
    over_time = [one for one in asked if one.by == ("time",)]
    assert len(over_time) == len(asked) == 2


@pytest.mark.parametrize(("reader", "third", "leads"), [
    (Reader(False, frozenset({"prices"})), "active_users", "/settings/prices"),
    (Reader(True, frozenset({"profile"})), "cost_per_request", ""),
])  # fmt: skip
def test_who_sees_nobody_else_has_numbers_for_one_person(
    reader: Reader, third: str, leads: str
) -> None:
    one = SECTIONS[KEY]
    assert isinstance(one.shape, Headline)
    declared = headline.band(one, one.shape, reader).declared
    assert [number["value"] for number in declared["numbers"]] == [
        "cost", "requests", third, "error_rate",
    ]  # fmt: skip
    assert declared["leadsTo"] == leads
    parts = ("numbers", "whole", "parts", "others", "badge")
    # Every number of the section is in the page, that of the other reader unseen.
    assert sorted(n["value"] for part in parts for n in declared[part]) == sorted(one.metrics)
    (hidden,) = [one["value"] for one in declared["others"] if one["hidden"]]
    assert {hidden, third} == {"active_users", "cost_per_request"}


def test_the_page_of_a_regular_user_is_made_for_one(served: Served) -> None:
    """As the server lays it out for who asks."""
    for claims, third in ((ADMIN, "active_users"), ({"sub": "u1"}, "cost_per_request")):
        tree = served.layout("/settings/analytics", claims).get_json()
        (band,) = found(tree, "Numbers", KEY)
        assert band["declared"]["numbers"][2]["value"] == third


def found(tree: Any, kind: str, key: str) -> Iterator[dict[str, Any]]:
    """The props of the components of a kind with a section's key."""
    if isinstance(tree, dict):
        props = tree.get("props", {})
        if tree.get("type") == kind and props["declared"]["key"] == key:
            yield props
        for value in tree.values():
            yield from found(value, kind, key)
    elif isinstance(tree, list):
        for one in tree:
            yield from found(one, kind, key)
