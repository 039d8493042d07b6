"""The first visit is the first of a person, under whichever id they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callbacks.analytics.first_visit import ENDED
from components import ids
from components.page.first_visit import CONNECT, OWN_SPENDING, steps
from data.people import first_visit
from data.state.store import State
from tests.markup import elements
from tests.serving import ADMIN, Claims, Served, serving

ANA, BO = {"sub": "ana"}, {"sub": "bo"}


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("first-visit")) as one:
        one.load([{"event_id": "e", "ts": "2026-11-19T10:00:00Z", "user": "ana"}])
        yield one


def shown(served: Served, claims: Claims) -> Any:
    """What the page of a reader begins with."""
    page = served.layout("/settings/analytics", claims).get_json()
    found = [one["props"].get("data") for one in elements(page)
             if one["props"].get("id") == ids.FIRST_VISIT]  # fmt: skip
    assert len(found) == 1
    return found[0]


def end(served: Served, claims: Claims, told: Any = ENDED) -> int:
    said = {f"{ids.FIRST_VISIT_ENDED}.data": told}
    changed = f"{ids.FIRST_VISIT_ENDED}.data"
    return served.fire(f"{ids.FIRST_VISIT}.data", claims, said, changed).status_code


def test_everybody_is_shown_around_once(served: Served) -> None:
    assert shown(served, ANA) == {"steps": steps(False), "byBrowser": False}
    assert shown(served, ADMIN)["steps"][-1] == CONNECT
    assert shown(served, {"sub": "x", "isAuditor": True})["steps"][-1] == OWN_SPENDING
    assert end(served, ANA, "nonsense") == 204
    assert shown(served, ANA)
    assert end(served, ANA) == 200
    assert shown(served, ANA) is None
    assert shown(served, BO)
    assert end(served, ANA) == 200


def test_it_is_kept_under_one_id_and_found_under_any(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}")
    first_visit.end(state, 7, "ana", "a@x.org")
    assert first_visit.is_over(state, "a@x.org", "ana")
    assert not first_visit.is_over(state, "a@x.org")
    assert len(steps(True)) == len(steps(False)) == 4
    state.close()
