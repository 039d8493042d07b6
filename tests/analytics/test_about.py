"""Pages about one user, project, model or assistant: their head, and what stands on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.sections.declared import PAGES, SECTIONS, TABS, page_path
from data.access.people import Alias, People
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query.facts import facts
from data.query.filters import PAGE_FIELDS, parse
from tests.presence import whole
from tests.serving import serving

NOW = 1_795_176_000_000_000
ANY = {"claude", "a/b", "o'hara", "100%", "<b>", "?x=1#y", "..x", "é ü"}
CALLS = [
    {"event_id": f"e{n}", "ts": f"2026-11-{n + 1:02}T10:00:00Z", "user": "ana", "project": "web",
     "user_name": "Ana", "model": model, "provider": "anthropic", "input_tokens": 1}
    for n, model in enumerate(sorted({"claude-sonnet-4-5", *ANY}))
]  # fmt: skip


def test_a_page_has_sections_of_the_tabs_and_breakdowns_that_these_offer() -> None:
    assert set(PAGES) == set(PAGE_FIELDS)
    for tab in TABS:
        assert bool(tab.of) == bool(tab.about)
        for one in tab.about:
            assert set(one.by) <= set(SECTIONS[one.key].by)
            assert set(one.metrics) <= set(SECTIONS[one.key].metrics)
            assert tab.of not in one.by


def test_the_facts_are_of_what_the_reader_sees(
    store: EventStore, event: Callable[..., Any]
) -> None:
    people = People([Alias("a@x", "ana", "Ana L.")])
    store.write([
        event(ts="2026-11-01T10:00Z", user="a@x", project="web"),
        event(ts="2026-11-02T10:00Z", user="ana", project="etl"),
        event(ts="2026-11-03T10:00Z", user="bob", project="web"),
    ])  # fmt: skip
    admin = facts("user", "a@x", Scope("root", everything=True, people=people), store)
    assert admin is not None
    assert (admin.value, admin.name, admin.ids) == ("ana", "Ana L.", ("ana", "a@x"))
    assert admin.last - admin.first == 24 * 3_600 * 10**6
    of_web = Scope("bob", projects=frozenset({"web"}), people=people)
    seen = facts("user", "ana", of_web, store)
    assert seen is not None
    assert (seen.first, seen.last, seen.ids) == (admin.first, admin.first, ("ana",))
    assert facts("user", "ana", Scope("bob", people=people), store) is None
    me = facts("user", "me", Scope("bob", people=people), store)
    assert me is not None
    assert me.value == "bob"


@pytest.mark.parametrize("of", ["ana", "user:", "tool:x", ":", "hour:1"])
def test_what_a_question_is_about_is_one_value_of_a_field_with_pages(of: str) -> None:
    with pytest.raises(Exception, match="use one of user:<id>, project:<id>"):
        parse({"of": of}, NOW)
    assert parse({"of": "user:a:b"}, NOW).about == (("user", "a:b"),)


def test_any_name_has_an_address_and_a_model_its_price(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.load(CALLS)
        for value in ANY:
            text = whole(served.layout(page_path("model", value)))
            assert "no such page" not in text, value
        priced = page_path("model", "claude-sonnet-4-5")
        assert "$3.00 in" in whole(served.layout(priced))
        assert "19:00" in whole(served.layout(priced, zone="Asia/Tokyo"))
        own = whole(served.layout(priced, {"sub": "ana"}))
        assert "your own activity" in own
        assert "$3.00 in" not in own
