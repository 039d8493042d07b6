"""Bodies that no page sends, to every callback: 400 or an answer, one line in the log at most."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Iterator
from itertools import islice, repeat
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from callbacks.access.callback_bodies import FORGED
from components.ids import dom
from tests.serving import ADMIN, Served, body, serving_with

ADDRESS: Final = "/_dash-update-component"
JUNK: Final[tuple[Any, ...]] = (
    None, 7, -1.5, "", "x", "\ud800", True, [], [None], [1, "x"], {}, {"a": 1}, [{"a": []}],
    {"points": [{"customdata": []}]}, {"choice": 7}, "9" * 400, [[]], {"choice": {}},
)  # fmt: skip
NAMES: Final = {"card": "cost-over-time", "resource": "prices", "pick": "model", "tab": "models"}
served = serving_with([{"event_id": "a", "ts": "2026-11-20T08:00:00Z", "user": "ana"}])


def callbacks(served: Served) -> list[dict[str, Any]]:
    answer = served.client.get("/_dash-dependencies", headers=served.headers(ADMIN))
    every: list[dict[str, Any]] = answer.json  # type: ignore[assignment]
    return [one for one in every if not one.get("clientside_function")]


def honest(wired: dict[str, Any]) -> dict[str, Any]:
    """What a page sends that says nothing."""
    names = {name for name in json.dumps(wired).split('\\"') if name.isidentifier()}
    return body(wired, {}, "", dict.fromkeys(names, "a") | NAMES)


def properties(sent: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in (*sent["inputs"], *sent["state"]):
        yield from one if isinstance(one, list) else [one]


def post(served: Served, sent: Any) -> TestResponse:
    answer = served.client.post(
        ADDRESS, data=json.dumps(sent), headers=served.headers(ADMIN),
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code in (200, 204, 400, 401, 403, 404), (answer.text, sent)
    return answer


def with_values(served: Served, value: Callable[[], Any]) -> list[int]:
    """Every callback, with these values of all that it reads, the ids aside."""
    found = []
    for wired in callbacks(served):
        sent = honest(wired)
        for one in properties(sent):
            if one["property"] != "id":
                one["value"] = value()
        every = list(islice(properties(sent), 1))
        sent["changedPropIds"] = [f"{dom(one['id'])}.{one['property']}" for one in every]
        found.append(post(served, sent).status_code)
    return found


def test_no_value_breaks_a_callback(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    chosen = random.Random(3)
    found = [status for one in JUNK for status in with_values(served, repeat(one).__next__)]
    for _ in range(12):
        found += with_values(served, lambda: chosen.choice(JUNK))
    assert {200, 400} <= set(found)
    assert not [one for one in caplog.records if one.exc_info]


def test_no_shape_gets_through(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Each is answered with a sentence and one line of the log."""
    sent = honest(callbacks(served)[0])
    forged: list[Any] = [*JUNK, {**sent, "output": "x.y"}, {**sent, "output": ["a"]}]
    forged += [
        {**sent, part: one}
        for part in ("inputs", "state", "outputs")
        for one in JUNK[1:8]
        if one != []
    ]
    changed: tuple[Any, ...] = (7, [7], "x", {})
    forged += [{**sent, "changedPropIds": one} for one in changed]
    others = [{**one, "id": "other"} for one in sent["inputs"]]
    forged.append({**sent, "inputs": others})
    for value in (7, ["x"], "\ud800"):
        forged.append({**sent, "inputs": [{**place, "value": value} for place in sent["inputs"]]})
    deep: Any = []
    for _ in range(80):
        deep = [deep]
    forged.append({**sent, "more": deep})
    for one in forged:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            assert FORGED in post(served, one).text, one
        warnings = [line for line in caplog.records if line.levelno >= logging.WARNING]
        assert len(warnings) == 1, one
        assert "\n" not in warnings[0].getMessage()
        assert warnings[0].exc_info is None


def test_what_is_no_json_is_refused_too(served: Served) -> None:
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        answer = served.client.post(
            ADDRESS, data=content, headers=served.headers(ADMIN), content_type="application/json"
        )
        assert (answer.status_code, FORGED in answer.text) == (400, True)


def test_the_page_itself_is_understood(served: Served) -> None:
    """Whatever the callback: what a page sends, it takes."""
    for wired in callbacks(served):
        assert FORGED not in post(served, honest(wired)).text
