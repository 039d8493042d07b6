"""Budgets at risk stand in the head of Overview, for those who see the budgets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components import ids
from tests.budgets.test_budget_pages import ANA, DOLLAR, LEADER, MINE, WEB, post
from tests.serving import ADMIN, Claims, Served, serving_with

OVERVIEW = "/settings/analytics"
EVENTS = [
    {"event_id": "a", "ts": "2026-11-20T09:00:00Z", "user": "ana", "user_name": "Ana",
     "project": "web", "cost_nano": 9 * DOLLAR},
]  # fmt: skip

served = serving_with(EVENTS)


def told(served: Served, claims: Claims, path: str = OVERVIEW) -> tuple[str, str] | None:
    """The link's text, and what is read on hover; None where it is not there."""
    wire = f"{ids.BUDGETS_AT_RISK}.children", f"{ids.BUDGETS_AT_RISK}.hidden"
    output = f"..{wire[0]}...{wire[1]}.."
    changed = f"{ids.URL}.pathname"
    answer = served.fire(output, claims, {changed: path}, changed)
    parts: Any = json.loads(answer.text)["response"][ids.BUDGETS_AT_RISK]
    if parts["hidden"]:
        return None
    return parts["children"]["props"]["children"], parts["children"]["props"]["title"]


def test_who_sees_budgets_is_told_which_are_at_risk(served: Served) -> None:
    """Ana's is nearly spent, the project's is over, the large one is neither."""
    for raw in (MINE, WEB, {"kind": "everything", "hard": 9_000, "period": "monthly"}):
        post(served, raw)
    both = "Project: web, daily: 112.5% spent; User: Ana, weekly: 90.0% spent"
    assert told(served, ADMIN) == ("2 budgets at risk", both)
    assert told(served, LEADER) == ("1 budget at risk", "Project: web, daily: 112.5% spent")
    assert told(served, ANA) == ("1 budget at risk", "User: Ana, weekly: 90.0% spent")


@pytest.mark.parametrize("path", [f"{OVERVIEW}/models", "/settings/profile", None])
def test_it_stands_on_overview_alone(served: Served, path: str) -> None:
    post(served, MINE)
    assert told(served, ANA) is not None
    assert told(served, ANA, path) is None


def test_where_all_will_last_nothing_is_said(served: Served) -> None:
    post(served, {"kind": "user", "subject": "ana", "hard": 500, "period": "weekly"})
    assert told(served, ANA) is None
