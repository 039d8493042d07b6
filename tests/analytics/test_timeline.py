"""A conversation or a run as its timeline: of what the reader sees, adding up to the query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from callbacks.analytics import timeline
from components.page import recent
from tests.presence import whole
from tests.serving import ADMIN, Claims, Served, serving

ANA: Final = {"sub": "ana"}
LEAD: Final = {"sub": "lead", "applications_admin": "web"}
KINDS: Final = ("llm", "tool", "message", "integration", "workflow")
PATH: Final = "/settings/analytics/conversations/c 1%2F2"
WINDOW: Final = {"preset": "custom", "from_": "2026-11-01", "to": "2026-11-20"}


def event(n: int, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{n}", "ts": f"2026-11-03T10:{n % 60:02}:00Z", "kind": KINDS[n % 5],
        "conversation_id": "c 1/2", "user": "ana" if n % 3 else "bob",
        "project": "web" if n % 2 else "etl", "duration_ms": 30_000, "tool": f"tool-{n}",
        "model": f"model-{n}", "assistant": f"assistant-{n}", "workflow": f"workflow-{n}",
        "integration": f"mcp-{n}", "status": "error" if n % 4 == 1 else "ok",
        "error_class": "limit" if n % 4 == 1 else None, **more,
        **({"cost_nano": n * 10**7, "input_tokens": n} if not n % 5 else {}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("timeline")) as one:
        other = event(99, conversation_id="another", run_id="r1")
        one.load([*(event(n) for n in range(20)), other])
        yield one


def numbers(text: str) -> dict[str, str]:
    """What stands above the events, exactly."""
    spans = [one for one in re.findall(r"{[^{}]*}", text) if '"timeline-' in one]
    props = [json.loads(one) for one in spans]
    return {
        one["data-testid"].removeprefix("timeline-"): one["data-value"]
        for one in props
        if "data-value" in one
    }


@pytest.mark.parametrize("claims", [ADMIN, ANA, LEAD], ids=["admin", "own", "project"])
def test_it_is_of_what_is_seen_and_adds_up_to_the_query(served: Served, claims: Claims) -> None:
    asked = {"metrics": "events,requests,cost,tokens", "conversation_id": "c 1/2"} | WINDOW
    totals = served.json("query", claims, **asked)["totals"]
    listed = served.json("events", claims, conversation_id="c 1/2", order="ts", **WINDOW)["rows"]
    text = whole(served.layout(PATH, claims))
    failed = sum(row["status"] == "error" for row in listed)
    assert numbers(text) == {n: repr(v) for n, v in (totals | {"failed": failed}).items()}
    seen = {int(row["event_id"][1:]) for row in listed}
    assert 0 < len(seen) == totals["events"] == text.count('"className":"bar"')
    for n in range(20):
        name = f'"{("model", "tool", "assistant", "mcp", "workflow")[n % 5]}-{n}"'
        assert (name in text) == (n in seen), n
    places = [float(one) for one in re.findall(r'"left":"([\d.]+)%"', text)]
    assert places == sorted(places)
    assert max(places) < 100


@pytest.mark.parametrize("path", ["conversations/nowhere", "runs/c 1%2F2", "conversations/r1"])
def test_what_is_not_there_is_no_page(served: Served, path: str) -> None:
    text = whole(served.layout(f"/settings/analytics/{path}"))
    assert "There is no such page" in text


def test_what_is_not_seen_is_as_if_it_were_not_there(served: Served) -> None:
    assert "model-0" in whole(served.layout(PATH))
    hidden, none = (
        whole(served.layout(f"/settings/analytics/conversations/{name}", {"sub": "eve"}))
        for name in ("c 1%2F2", "never-was")
    )
    assert "There is no such page" in hidden
    assert hidden.replace("c 1%2F2", "X") == none.replace("never-was", "X")


def test_a_long_one_says_how_much_is_shown(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "MOST", 7)
    text = whole(served.layout(PATH))
    assert text.count('"className":"bar"') == 7
    assert "The first 7 of 20 events; the file has all." in text
    link = re.search(r'"href":"(\\u002fapi\\u002fv1\\u002fevents.csv[^"]*)"', text)
    assert link is not None
    href = link[1].replace("\\u002f", "/").replace("\\u0026", "&")
    file = served.client.get(href, headers=served.headers(ADMIN))
    assert len(file.text.splitlines()) == 21


def test_the_day_stands_where_it_changes(served: Served) -> None:
    text = whole(served.layout(PATH, zone="Asia/Tokyo"))
    assert re.findall(r'"(\d+ \w+ )?(19:\d\d:\d\d)"', text)[0] == ("3 Nov ", "19:00:00")
    assert text.count("3 Nov 19:") == 1


def test_the_latest_conversations_runs_and_events_stand_once_each() -> None:
    rows = [
        {"conversation_id": talk, "run_id": run, "event_id": f"e{n}"}
        for n, (talk, run) in enumerate([("c", None), ("c", "r"), (None, "r"), (None, "r"),
                                         (None, None), (None, None), ("d", None)])
    ]  # fmt: skip
    found = [(one.field, one.value) for one in recent.things(rows)]
    assert found == [("conversation_id", "c"), ("run_id", "r"), ("", "e4"), ("", "e5"),
                     ("conversation_id", "d")]  # fmt: skip
    assert len(recent.things([row | {"run_id": f"r{n}", "conversation_id": None}
                              for n, row in enumerate(rows * 3)])) == recent.MOST  # fmt: skip
