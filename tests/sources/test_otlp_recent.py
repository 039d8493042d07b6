"""Runs whose spans come in several requests, in any order: what is told of them is the same."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any, Final

import pytest

from data.errors import EventError
from data.sources import Options
from data.sources.events import event_of
from data.sources.format import Note
from data.sources.otlp import requests
from data.sources.otlp.items import Span
from data.sources.otlp.json import found, loaded
from data.sources.otlp.recent import DEEPEST, LONGEST, Recent
from data.sources.otlp.spans import WITHOUT_CALLS
from tests.sources.test_otlp_spans import CHAT, SECRET, USED, request, span

AGENT: Final = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
INNER: Final = {"gen_ai.agent.name": "inner"}
TOOL: Final = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
PERSON: Final = {"enduser.id": "ana", "gen_ai.conversation.id": "talk"}
WEB: Final = {"service.name": "web", "telemetry.sdk.name": "opentelemetry", "process.pid": 7}
# A user of the resource's own goes before what stands above, which may come later.
RESOURCES: tuple[dict[str, str], ...] = (
    {},
    {"user.id": "svc", "session.id": "a longer name than the run's"},
)


def told(recent: Recent | None, spans: Sequence[Any], sender: Any = 1, **where: Any) -> list[Any]:
    """The events and notes of a request of these spans."""
    body = json.dumps({"resourceSpans": [request(*spans, resource=where or WEB)]}).encode()
    items = list(found("traces", loaded(body)))
    return [raw if isinstance(raw, Note | EventError) else event_of(raw)
            for _, raw in requests.records(items, Options(), recent, sender)]  # fmt: skip


def merged(told: Sequence[Any]) -> dict[str, Any]:
    """By id, each field as the first that told it."""
    events: dict[str, Any] = {}
    for one in told:
        if isinstance(one, dict):
            kept = events.setdefault(one["event_id"], {})
            kept |= {name: v for name, v in one.items() if kept.get(name) is None}
    return events


def run(dice: random.Random, agents: bool) -> list[Any]:
    """A run, parents first: a root that knows who and what, agents and spans of others, calls."""
    above = [span(PERSON | AGENT, name="root")]
    above += [span({}, parent=above[0], name="workflow tour")] * dice.choice((0, 1))
    calls: list[dict[str, Any]] = []
    for _ in range(dice.randint(1, 12)):
        parent = dice.choice(above)
        parts: list[Any] = [CHAT | USED, TOOL, {"http.route": "/"}, *[AGENT | INNER] * agents]
        part = dice.choice(parts)
        (calls if part in parts[:2] else above).append(span(part, parent=parent))
    return above + calls


@pytest.mark.parametrize("seed", range(60))
def test_what_comes_in_parts_as_it_ends_is_told_as_of_one_piece(seed: int) -> None:
    dice = random.Random(seed)
    ended, where = run(dice, agents=True)[::-1], dice.choice(RESOURCES)
    whole, recent, events = merged(told(None, ended, **where)), Recent(), []
    while ended:
        cut = dice.randint(1, len(ended))
        events += told(recent, ended[:cut], **where)
        ended = ended[cut:]
    assert merged(events) == whole


@pytest.mark.parametrize("seed", range(60))
def test_what_comes_in_any_order_is_told_as_of_one_piece(seed: int) -> None:
    dice = random.Random(seed)
    spans, where = run(dice, agents=False), dice.choice(RESOURCES)
    whole, recent = merged(told(None, spans, **where)), Recent()
    parts: list[list[Any]] = [[], [], []]
    for one in dice.sample(spans, len(spans)):
        dice.choice(parts).append(one)
    assert merged([one for part in parts for one in told(recent, part, **where)]) == whole


def test_a_parent_that_comes_last_completes_what_came_before() -> None:
    root = span(PERSON | AGENT)
    between = span({"http.route": "/"}, parent=root)
    call, recent = span(CHAT | USED, parent=between), Recent()
    (first,) = told(recent, [call])
    assert first["user"] is None
    assert told(recent, [between]) == []
    of_root, again = told(recent, [root])
    assert (of_root["kind"], of_root["user"]) == ("message", "ana")
    assert again == first | {"user": "ana", "conversation_id": "talk", "assistant": "helper"}
    assert told(recent, [root]) == [of_root, again]


def test_a_child_that_comes_later_knows_its_parent() -> None:
    root, recent = span(PERSON | AGENT), Recent()
    told(recent, [root])
    (call,) = told(recent, [span(CHAT, parent=root)])
    assert (call["user"], call["assistant"]) == ("ana", "helper")


def test_a_workflow_is_one_once_there_is_a_call_below_it() -> None:
    root, recent = span({}, name="workflow tour"), Recent()
    assert told(recent, [root]) == []
    call, flow = told(recent, [span(CHAT, parent=root)])
    assert (call["workflow"], flow["kind"], flow["workflow"]) == ("tour", "workflow", "tour")
    assert call["run_id"] == flow["run_id"]


@pytest.mark.parametrize("inner_first", [True, False])
def test_of_two_spans_of_one_call_one_is_counted_in_any_order(inner_first: bool) -> None:
    outer = span(CHAT | USED)
    inner = span(CHAT | USED, parent=outer)
    recent, order = Recent(), [inner, outer] if inner_first else [outer, inner]
    events = [one for part in order for one in told(recent, [part])]
    assert [isinstance(one, Note) for one in events] == [False, True]
    again = [one for part in order for one in told(recent, [part])]
    assert [isinstance(one, Note) for one in again] == [False, True]
    assert again[0] == events[0]


def test_calls_of_an_earlier_request_are_below_an_agent() -> None:
    agent = span(AGENT | USED)
    call, recent = span(CHAT | USED, agent), Recent()
    (event,) = told(recent, [call])
    found = told(recent, [agent])
    assert event["input_tokens"] == 10
    assert [one for one in found if isinstance(one, Note)] == []
    assert [*told(Recent(), [agent])][1:] == [Note(WITHOUT_CALLS["message"])]


def test_senders_do_not_know_of_each_other() -> None:
    root, recent = span(PERSON | AGENT), Recent()
    call = span(CHAT, parent=root)
    told(recent, [call], sender="a")
    assert len(told(recent, [root], sender="b")) == 1
    (other,) = told(recent, [span(CHAT, parent=root)], sender="a")
    assert other["user"] is None


def test_another_resource_says_whose_it_is_for_itself() -> None:
    root, recent = span(PERSON), Recent()
    told(recent, [root])
    (call,) = told(recent, [span(CHAT, parent=root)], **{"service.name": "other"})
    assert call["user"] is None


def test_no_content_is_remembered() -> None:
    recent = Recent()
    attributes = CHAT | {"gen_ai.input.messages": SECRET, "gen_ai.response.id": "x" * 5_000}
    told(recent, [last := span(attributes)], **WEB, **{"process.command_args": SECRET})
    child = span(CHAT, parent=last)
    ((_, found_child),) = found("traces", {"resourceSpans": [request(child)]})
    assert isinstance(found_child, Span)
    (kept,) = recent.join(1, [found_child])
    assert SECRET not in str(kept)
    assert "x" * (LONGEST + 2) not in str(kept)


def test_what_is_remembered_is_bounded() -> None:
    recent = Recent(most=100)
    for n in range(50):
        told(recent, [span({}, traceId=f"{n:032x}") for _ in range(10)])
    assert sum(len(trace.spans) for trace in recent._traces.values()) == recent._count == 100
    one, deep = Recent(), [span({}) for _ in range(DEEPEST + 50)]
    told(one, deep)
    (trace,) = one._traces.values()
    assert DEEPEST * 0.9 < one._count == len(trace.spans) <= DEEPEST
    assert [*trace.spans] == [each["spanId"] for each in deep[-len(trace.spans) :]]
    told(one, [deep[-1]])
    assert one._count == len(trace.spans)
    told(one, [span({}, traceId="ab" * 500), span({}, parent={"spanId": "ab" * 500})])
    assert one._count == len(trace.spans)


def test_a_request_that_is_sent_again_completes_again() -> None:
    """Its first answer may have been that the store was busy."""
    root, recent = span(PERSON | AGENT), Recent()
    call = span(CHAT, parent=root)
    told(recent, [call])
    assert told(recent, [root]) == told(recent, [root])
    assert [one["user"] for one in told(recent, [root])] == ["ana", "ana"]


def test_a_run_that_was_forgotten_in_part_is_not_told_anew() -> None:
    """Neither with doubles nor as of nobody."""
    resource, root = WEB | {"user.id": "svc"}, span(PERSON | AGENT)
    outer = span(CHAT | USED, parent=root)
    inner = span(CHAT | USED, parent=outer)
    recent = Recent()
    assert len(told(recent, [root, outer, inner], **resource)) == 3
    told(recent, [span({}) for _ in range(DEEPEST - 2)], **resource)
    (trace,) = recent._traces.values()
    assert inner["spanId"] not in trace.spans
    assert told(recent, [span({}, parent=outer), span({})], **resource) == []
    above = span(AGENT | INNER, parent=root)
    (first,) = told(recent, [span(CHAT, parent=above)], **resource)
    assert first["user"] == "svc"
    of_agent, again = told(recent, [above], **resource)
    assert (of_agent["user"], again["user"], again["assistant"]) == ("svc", "svc", "inner")


def test_an_inner_span_without_counts_is_completed_by_the_outer_one() -> None:
    outer = span(CHAT | USED)
    inner = span(CHAT, parent=outer)
    recent = Recent()
    events = told(recent, [inner]) + told(recent, [outer]) + told(recent, [outer, inner])
    assert {one["event_id"] for one in events if isinstance(one, dict)} == {
        f"otel:{'ab' * 16}:{inner['spanId']}"
    }
    assert merged(events)[events[0]["event_id"]]["input_tokens"] == 10


def test_of_two_requests_at_once_one_tells_the_call() -> None:
    outer = span(CHAT | USED)
    inner = span(CHAT | USED, parent=outer)
    for first, second in ((outer, inner), (inner, outer)):
        recent = Recent()
        parsed = [list(found("traces", {"resourceSpans": [request(one)]}))
                  for one in (first, second)]  # fmt: skip
        streams = [requests.records(items, Options(), recent, 1) for items in parsed]
        joined = [next(streams[0]), *streams[1], *streams[0]]
        assert [isinstance(raw, Note) for _, raw in joined] == [False, True]


def test_what_an_earlier_request_was_refused_for_is_not_told_again() -> None:
    root, recent = span(PERSON), Recent()
    bad = span(CHAT, parent=root, startTimeUnixNano="0", endTimeUnixNano="0")
    body = list(found("traces", {"resourceSpans": [request(bad)]}))
    assert len(list(requests.records(body, Options(), recent, 1))) == 1
    assert told(recent, [root]) == []
