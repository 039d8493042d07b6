"""Colours follow first appearance, cheaply: the order outlasts writes that bring nothing new."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.sections.declared import section
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query import answers
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME

EVERYBODY = Scope.of({"sub": "boss", "isAdmin": True})
EVERYTHING = Filters(ALL_TIME)


def colours(store: EventStore, scope: Scope = EVERYBODY) -> Mapping[str, int]:
    return answers.answer(section("top-models"), EVERYTHING, scope, store).colours


def test_a_new_value_comes_after_those_known_before(
    store: EventStore, event: Callable[..., Any]
) -> None:
    store.write([event(model="second", ts="2026-11-02"), event(model="first", ts="2026-11-01")])
    assert colours(store) == {"first": 0, "second": 1}
    store.write([event(model="third", ts="2026-11-03")])
    assert colours(store) == {"first": 0, "second": 1, "third": 2}


def test_events_that_bring_no_new_value_do_not_ask_all_of_time_again(
    store: EventStore, event: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([event(model="known"), event(model=None)])
    monkeypatch.setattr(answers, "COLOURED_FOR", 10**9)
    asked: list[Query] = []
    monkeypatch.setattr(answers, "run", lambda q, *rest: asked.append(q) or run(q, *rest))
    for _ in range(3):
        colours(store)
        store.write([event(model="known")])
    assert sum(query.metrics == ("first_event",) for query in asked) == 1


def test_each_reader_has_an_order_of_their_own(
    store: EventStore, event: Callable[..., Any]
) -> None:
    store.write([event(model="hers", user="ana"), event(model="his", user="bob")])
    assert colours(store) == {"hers": 0, "his": 1}
    assert colours(store, Scope.of({"sub": "bob"})) == {"his": 0}
