"""Of a project that one does not administer, one sees one's own activity: and is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.sections.declared import section
from components.shapes.axes import short_name
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.query.answers import OWN_ONLY, answer
from data.query.filters import Filters
from data.query.windows import ALL_TIME

MARKED = {"a": "Alpha", "b": f"Beta{OWN_ONLY}", None: None}
PLAIN = {"a": "Alpha", "b": "Beta", None: None}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope("ana", projects=frozenset({"a"})), MARKED),
        (Scope("ana", everything=True), PLAIN),
        (Scope("ana"), PLAIN),
    ],
)
def test_only_a_project_admin_is_told_which_projects_are_seen_in_part(
    store: EventStore, event: Callable[..., Any], scope: Scope, expected: dict[Any, Any]
) -> None:
    named = (("a", "Alpha"), ("b", "Beta"), (None, None))
    store.write([event(user="ana", project=p, project_name=n, cost_nano=1) for p, n in named])
    frame = answer(section("projects"), Filters(ALL_TIME), scope, store).frame
    shown = zip(frame["project"], frame["project_name"], strict=True)
    assert {_text(project): _text(name) for project, name in shown} == expected


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def test_a_chart_cuts_the_name_and_keeps_the_mark() -> None:
    assert short_name(f"Voice Agent Pilot{OWN_ONLY}") == "Voice Agent Pilot (own)"
    assert short_name(f"{'x' * 60}{OWN_ONLY}") == f"{'x' * 14}…{'x' * 13} (own)"
