"""Pages for who sees nobody else, and lines that no sum of all others flattens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from callbacks.analytics.filter_state import new_state
from components.sections.declared import SECTIONS, TABS, tab
from components.shapes.ranking import Ranking
from data.query.filters import Choice
from tests.serving import ADMIN, Served, serving

WEEK: Final[Choice] = {"preset": "custom", "from": "2026-11-08", "to": "2026-11-15"}


def event(n: int) -> dict[str, Any]:
    return {
        "event_id": f"e{n}", "ts": f"2026-11-{8 + n % 7:02}T10:00:00Z", "model": "m",
        "user": f"u{n % 12}", "cost_nano": (1 + n % 12) * 10**9,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("for-one")) as one:
        one.load(event(n) for n in range(84))
        yield one


def test_no_section_that_ranks_users_is_shown_to_one_alone() -> None:
    """But for the table of their own numbers; what else breaks down by users does by others."""
    left = {"users"}
    for every in TABS:
        for one in every.for_one().sections:
            assert "user" not in one.by or one.key in left, one.key
    keys = [one.key for one in tab("overview").for_one().sections]
    assert "top-users" not in keys
    own = [one.key for one in tab("users").for_one().sections]
    assert own == ["users", "active-per-day", "active-per-week", "active-per-month"]
    assert tab("users").for_one().sections[1].title == "Requests per day"
    assert sum(one.width for one in tab("overview").for_one().sections[2:4]) == 12


def test_the_page_and_its_activity_are_of_one(served: Served) -> None:
    state = new_state(WEEK, "UTC", served.settings.now())
    for claims, names in ((ADMIN, ["Requests", "Active users"]), ({"sub": "u1"}, ["Requests"])):
        text = served.layout("/settings/analytics", claims).get_data(as_text=True)
        assert ("top-users" in text) is (claims is ADMIN)
        (written,) = (
            served.redraw("activity-over-time", claims, state).get_json()["response"].values()
        )
        traces = written["answer"]["figure"]["data"]
        assert [one["name"] for one in traces if one.get("meta", {}).get("values")] == names


def test_a_link_to_a_measure_of_many_shows_one_what_there_is(served: Served) -> None:
    state = new_state(WEEK, "UTC", served.settings.now())
    for claims, names in ((ADMIN, ["Active users"]), ({"sub": "u1"}, ["Requests"])):
        answer = served.redraw("active-per-day", claims, state, "active_users")
        (written,) = answer.get_json()["response"].values()
        traces = written["answer"]["figure"]["data"]
        assert [one["name"] for one in traces if one.get("meta", {}).get("values")] == names


def test_a_link_by_users_shows_one_by_what_there_is(served: Served) -> None:
    state = new_state(WEEK, "UTC", served.settings.now())
    for claims, by in ((ADMIN, "user"), ({"sub": "u1"}, "client")):
        answer = served.redraw("cli-sessions", claims, state, "sessions", "user")
        (written,) = answer.get_json()["response"].values()
        assert f"by={by}" in written["answer"]["file"], claims


def test_all_others_together_flatten_no_line(served: Served) -> None:
    state = new_state(WEEK | {"compare": "off"}, "UTC", served.settings.now())
    figure = served.answer("users-over-time", state, "cost", "user")["figure"]
    assert [one["name"] for one in figure["data"]] == [f"u{n}" for n in range(11, 5, -1)]
    rows = served.json("sections/users-over-time", from_=WEEK["from"], to=WEEK["to"],
                       preset="custom")["rows"]  # fmt: skip
    assert "Other" in {one["user"] for one in rows}  # the table has them still
    stacked = served.answer("cost-over-time", state, "cost", "user")["figure"]
    assert [one["name"] for one in stacked["data"]][-1] == "Other"


def test_users_are_ranked_once_on_their_tab() -> None:
    ranked = [one for one in tab("users").sections if isinstance(one.shape, Ranking)]
    assert [one.key for one in ranked] == ["users"]
    assert "cost_share" in SECTIONS["users"].measures
