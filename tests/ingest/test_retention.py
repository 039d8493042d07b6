"""Retention: what is older goes, from a day after somebody said so, and the trail says how much."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from data.access.scope import SYSTEM
from data.engines.protocol import EventStore
from data.errors import Refused
from data.ingest.retention import DAY, add_rule, apply_rules, list_rules, remove_rule
from data.state.audit import entries
from data.state.store import State
from tests.accounts import AT, ROOT
from tests.resources import fill, problems, save
from tests.serving import Served

NOW: Final = AT + DAY
RULE: Final = {"source": "old", "days": "30"}


@pytest.fixture
def filled(store: EventStore, event: Callable[..., Any]) -> EventStore:
    store.write([
        event(event_id="1", source="old", ts="2026-10-01T00:00:00Z"),
        event(event_id="2", source="old", ts="2026-11-19T00:00:00Z"),
        event(event_id="3", source="other", ts="2026-10-01T00:00:00Z"),
    ])  # fmt: skip
    return store


def test_older_events_of_a_source_go(filled: EventStore, state: State) -> None:
    add_rule(state, ROOT, RULE)
    assert apply_rules(state, filled, NOW) == 1
    assert {name: one.events for name, one in filled.count_by_source().items()} == {
        "old": 1, "other": 1,
    }  # fmt: skip
    newest = entries(state, SYSTEM, 1)[0]
    assert (newest.who, newest.before) == (
        "spendscope", {"source": "old", "older than days": 30, "events": 1},
    )  # fmt: skip
    assert apply_rules(state, filled, NOW) == 0
    assert entries(state, SYSTEM, 1)[0] == newest


def test_a_rule_says_for_a_day_what_it_will_do(filled: EventStore, state: State) -> None:
    made = add_rule(state, ROOT, RULE)
    (shown,) = list_rules(state, SYSTEM, filled, AT)
    assert (shown.older, shown.starts) == (1, NOW)
    assert apply_rules(state, filled, NOW - 1) == 0
    remove_rule(state, ROOT, made.id)
    assert apply_rules(state, filled, NOW) == 0


@pytest.mark.parametrize(("raw", "field"), [
    ({"days": 3}, "source"), ({"source": "x"}, "days"), ({"source": "x", "days": "0"}, "days"),
    ({"source": "x", "days": "1e3"}, "days"), ({"source": "x", "days": "٣"}, "days"),
    ({"source": "x", "days": "36501"}, "days"), ({"source": "x" * 5_000, "days": 1}, "source"),
    ({"source": "x", "days": 1, "who": "me"}, "who"),
])  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(state: State, raw: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        add_rule(state, ROOT, raw)
    assert refused.value.parameter == field


def test_a_source_has_one_rule(state: State) -> None:
    add_rule(state, ROOT, RULE)
    with pytest.raises(Refused, match="has a rule: remove it first"):
        add_rule(state, ROOT, RULE)


def test_the_page_and_the_route_say_the_same(served: Served) -> None:
    served.load([{"event_id": "e", "ts": "2026-01-01T00:00:00Z"}])
    assert problems(save(served, "retention", {"source": "test", "days": "x"}))["days"]
    save(served, "retention", {"source": "test", "days": "30"})
    (row,) = fill(served, "retention")["table"]["rowData"]
    (rule,) = served.json("retention")["rules"]
    assert (row["older"], rule["older"], rule["days"]) == (1, 1, 30)
    assert rule["from"] == "2026-11-21T12:00:00Z" or rule["from"].startswith("2026-11-21T12:00")
    for claims in ({"sub": "ana"}, {"sub": "lena", "applications_admin": "web"}):
        assert fill(served, "retention", claims)["card"]["data-state"] == "failed"
        assert served.get("retention", claims).status_code == 403
    assert served.ask("delete", f"retention/{rule['id']}").status_code == 204
