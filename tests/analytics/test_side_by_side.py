"""Values side by side on one scale, at most six colours and "Other", and what changed most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import plotly.graph_objects as go
import pytest

from components.sections.declared import SECTIONS
from components.shapes.colours import OTHER, STATUS
from data.access.scope import Scope
from data.events.table import micros
from data.query.answers import Answer, answer
from data.query.filters import Choice, parse
from tests.serving import ADMIN, NOW, Served, serving

WEEK: Final[Choice] = {"preset": "custom", "from": "2026-11-08", "to": "2026-11-15"}
BEFORE: Final[Choice] = WEEK | {"compare": "previous"}
USERS: Final = 12


def event(n: int) -> dict[str, Any]:
    """Of u0 to u11 a dollar to twelve a day; u0 spent 20 a day the week before, and one more who
    is gone 5."""
    user, day = n % USERS, n // USERS
    return {
        "event_id": f"e{n}", "ts": f"2026-11-{8 + day:02}T10:00:00Z", "model": "m",
        "user": f"u{user}", "project": f"p{user}", "cost_nano": (1 + user) * 10**9,
        "duration_ms": 100 * (1 + user),
    }  # fmt: skip


def earlier(n: int) -> dict[str, Any]:
    dollars = {0: 20, 1: 2, 2: 3}.get(n % 4, 5)
    return {
        "event_id": f"b{n}", "ts": f"2026-11-{1 + n // 4:02}T10:00:00Z", "model": "m",
        "user": ("u0", "u1", "u2", "gone")[n % 4], "cost_nano": dollars * 10**9,
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("side-by-side")) as one:
        one.load([*map(event, range(7 * USERS)), *map(earlier, range(28))])
        yield one


def drawn(
    served: Served, key: str, by: str, measure: str = "cost", **chosen: Any
) -> tuple[list[dict[str, Any]], dict[str, Any], Answer]:
    filters = parse(BEFORE | chosen, micros(datetime.fromisoformat(NOW)))
    told = answer(SECTIONS[key], filters, Scope.of(ADMIN), served.store, by, measure)
    figure = SECTIONS[key].shape.draw(told)
    assert len(go.Figure(figure).data) == len(figure["data"])
    return figure["data"], figure["layout"], told


def test_each_has_a_panel_and_all_one_scale(served: Served) -> None:
    traces, layout, told = drawn(served, "users-over-time", "user", user=["u0", "u1", "u5"])
    now = [one for one in traces if one["meta"]["values"]]
    assert [one["name"] for one in now] == ["u5", "u1", "u0"]
    assert [one["xaxis"] for one in now] == ["x", "x2", "x3"]
    assert layout["meta"]["panels"] == len(layout["annotations"]) == 3
    ranges = [layout[name]["range"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert ranges == [[0, pytest.approx(20 * 1.08)]] * 3, "of what was, too"
    before = [one for one in traces if one["meta"].get("earlier")]
    assert [one["xaxis"] for one in before] == ["x2", "x3"], "u5 spent nothing before"
    assert [one["showlegend"] for one in traces].count(True) == 1
    assert set(told.frame["user"]) == {"u0", "u1", "u5"}


def test_projects_stand_side_by_side_too_and_at_most_six(served: Served) -> None:
    traces, layout, told = drawn(served, "projects-side-by-side", "project")
    assert layout["meta"]["panels"] == 6
    assert [one["name"] for one in traces] == [f"p{n}" for n in range(11, 5, -1)]
    assert "" in set(told.frame["project"]), "the table has all others"


def test_more_than_six_that_are_chosen_are_six_and_other(served: Served) -> None:
    """The rows have each."""
    chosen = [f"u{n}" for n in range(9)]
    traces, _, told = drawn(served, "cost-over-time", "user", user=chosen)
    bars = [one for one in traces if one["type"] == "bar" and one["meta"]["values"]]
    assert [one["name"] for one in bars] == [f"u{n}" for n in range(8, 2, -1)] + ["Other"]
    assert bars[-1]["y"] == [1 + 2 + 3] * 7
    assert bars[-1]["marker"]["color"] == OTHER
    assert bars[-1]["meta"]["values"] == [{"not_user": [f"u{n}" for n in range(8, 2, -1)]}]
    assert set(told.frame["user"]) == set(chosen)
    lines, _, _ = drawn(
        served, "models-over-time", "model", "duration_avg", model=["m"], user=chosen
    )
    assert len(lines) == 1


def test_the_largest_changes_lead_also_of_what_is_gone(served: Served) -> None:
    (trace,), _, told = drawn(served, "cost-changes", "user")
    rows = trace["meta"]["rows"]
    assert [(one["name"], one["text"]) for one in rows[:4]] == [
        ("u0", "−$133.00"), ("u11", "+$84.00"), ("u10", "+$77.00"), ("u9", "+$70.00"),
    ]  # fmt: skip
    assert (rows[0]["share"], rows[0]["part"], rows[0]["change"]) == (
        "$7.00, was $140.00", 1, "−95%",
    )  # fmt: skip
    assert trace["marker"]["color"][0] == STATUS["ok"]
    assert rows[-1]["name"] == "3 more"
    assert sum(trace["x"]) == told.totals["cost"].iloc[0] - told.totals["cost_before"].iloc[0]
    assert trace["meta"]["values"][0] == {"user": "u0"}
    few, _, _ = drawn(served, "cost-changes", "user", user=["gone", "u0", "u1"])
    assert [one["name"] for one in few[0]["meta"]["rows"]] == ["u0", "gone"], "u1 is as it was"


def test_without_a_comparison_the_largest_lead(served: Served) -> None:
    (trace,), _, _ = drawn(served, "cost-changes", "user", compare="off")
    assert trace["meta"]["rows"][0]["text"] == "$84.00"


def test_what_begins_on_overview_leads_to_its_tab() -> None:
    more = {one.key: one.more for one in SECTIONS.values() if one.more}
    assert more == {"top-models": "models", "top-projects": "projects", "top-users": "users"}
