"""A map reaches into objects, lists, texts and periods, at every door alike."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from data.engines.protocol import EventStore
from data.errors import Refused
from data.ingest.importing import ingest_paths
from data.sources import File, Options
from data.sources.canonical import read
from data.sources.format import Note
from data.sources.json_paths import names_in
from data.sources.mapping import parse
from tests.doors import Door

CALL: dict[str, Any] = {
    "when": "2026-11-01T10:00:00Z", "who": {"id": "ana", "team": {"name": "shop"}},
    "input": {"inputTokenCount": 12}, "bill": {"amount": 250},
}  # fmt: skip
OTHER = CALL | {"when": "2026-11-02T10:00:00Z", "input": {"inputTokenCount": 3}}
MAP = (
    "ts=when,user=who.id,project=who.team.name,input_tokens=input.inputTokenCount,"
    "cost_cents=bill.amount,provider='openai',model='gpt-4o'"
)
HELD = MAP.replace("ts=when", "ts=data.items[].when")
FORMS: dict[str, tuple[Any, str]] = {
    "lines": (None, MAP),
    "a list": ([CALL, OTHER], MAP),
    "under data": ({"data": [CALL, OTHER]}, MAP),
    "one object": ({"export": 1, "usage": {"rows": [CALL, OTHER]}}, MAP),
    "named list": ({"data": {"page": 1, "items": [CALL, OTHER]}}, HELD),
    "every path through it": (
        {"data": {"items": [CALL, OTHER]}},
        ",".join(
            part if "'" in part else part.replace("=", "=data.items[].") for part in MAP.split(",")
        ),
    ),
    "lists in lists": (
        {"days": [{"who": CALL["who"], "calls": [CALL]}, {"who": CALL["who"], "calls": [OTHER]}]},
        MAP.replace("ts=when", "ts=days[].calls[].when"),
    ),
}


def told(body: bytes, columns: str, **more: Any) -> list[Any]:
    options = Options(columns=parse([columns]), **more)
    return [raw for _, raw in read(File("f.json", body=body), options)]


def events(body: Any, columns: str, **more: Any) -> list[dict[str, Any]]:
    content = json.dumps(body, indent=1).encode()
    return [raw for raw in told(content, columns, **more) if isinstance(raw, dict)]


@pytest.mark.parametrize("form", FORMS)
def test_a_map_reaches_its_columns_wherever_they_are(form: str, door: Door) -> None:
    body, columns = FORMS[form]
    lines = "\n".join(map(json.dumps, (CALL, OTHER))) + "\n"
    outcome = door((json.dumps(body, indent=1) if body else lines).encode(), "f.json", map=columns)
    assert (outcome.error, outcome.counts) == ("", (2, 0, 0))
    assert (outcome.report["tokens"], outcome.report["cost"]) == (15, 5.0)
    for row in outcome.rows:
        assert (row["user"], row["project"], row["provider"]) == ("ana", "shop", "openai")


def test_what_an_item_lacks_is_in_what_holds_it() -> None:
    body = {"owner": "ana", "days": [
        {"day": "2026-11-01", "owner": "bo", "calls": [{"n": 1}, {"n": 2, "owner": "eve"}]},
        {"day": "2026-11-02", "calls": [{"n": 3}]},
    ]}  # fmt: skip
    found = events(body, "ts=day,user=owner,input_tokens=days[].calls[].n")
    assert [(raw["user"], raw["input_tokens"]) for raw in found] == [
        ("bo", 1), ("eve", 2), ("ana", 3),
    ]  # fmt: skip
    assert len({raw["event_id"] for raw in found}) == 3


def test_an_item_keeps_its_id_in_a_longer_list() -> None:
    short = events({"at": 1, "rows": [CALL]}, MAP)
    longer = events({"at": 2, "rows": [OTHER, CALL]}, MAP)
    assert short[0]["event_id"] == longer[1]["event_id"]


def test_a_name_with_dots_goes_before_a_path() -> None:
    row = {"t": "2026-11-01", "who.id": "ana", "who": {"id": "bo"}}
    assert events([row], "ts=t,user=who.id")[0]["user"] == "ana"


def test_json_in_a_cell_is_gone_into(door: Door) -> None:
    body = b'when,meta\n2026-11-01,"{""user"": {""id"": ""ana""}}"\n2026-11-02,none\n'
    outcome = door(body, "f.csv", map="ts=when,user=meta.user.id")
    assert outcome.counts == (2, 0, 0)
    assert [row.get("user") for row in outcome.rows] in ([], ["ana", None])


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("ts=when,user=who.nobody", "no column 'who.nobody' for user; the columns are when, who"),
        ("ts=elsewhere[].when", "there is no list 'elsewhere' here"),
        ("user=who.id", "nothing says when: map a column to ts"),
        ("ts=a[].x,user=b[].y", "--map goes through two lists"),
        ("ts=when,cost=bill,cost_cents=who", "names both cost and cost_cents"),
    ],
)  # fmt: skip
def test_what_a_file_lacks_is_said(columns: str, sentence: str, door: Door) -> None:
    outcome = door(json.dumps([CALL]).encode(), "f.json", map=columns)
    reasons = [one["reason"] for one in outcome.report.get("rejections", [])]
    assert sentence in " ".join([outcome.error, *reasons])


MONTH = b"who,spend\nana,12.5\nbo,7.5\nana,12.5\n"
PERIOD = {"map": "user=who,cost=spend", "start": "2026-10-01", "end": "2026-11-01"}


def test_a_file_without_dates_is_of_the_period_that_is_named(door: Door) -> None:
    outcome = door(MONTH, "october.csv", **PERIOD)
    assert (outcome.error, outcome.counts) == ("", (3, 0, 0))
    assert (outcome.report["cost"], outcome.report["from"]) == (32.5, "2026-10-01T00:00:00+00:00")
    for row in outcome.rows:
        assert "'bucket': '31d'" in str(row["tags"]) or '"bucket":"31d"' in str(row["tags"])


def test_the_same_row_of_another_period_is_another_event(store: EventStore, tmp_path: Any) -> None:
    (path := tmp_path / "month.csv").write_bytes(MONTH)
    columns = parse(["user=who,cost=spend"])
    spans = [(datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC))
             for month in (9, 10, 9)]  # fmt: skip
    accepted = [
        ingest_paths([path], store, Options(start=start, end=end, columns=columns)).accepted
        for start, end in spans
    ]
    assert accepted == [3, 3, 0]


@pytest.mark.parametrize(
    "period", [{"end": "2026-11-01"}, {"start": "2026-11-01", "end": "2026-11-01"}]
)
def test_a_period_that_is_none_is_refused(period: dict[str, str], door: Door) -> None:
    told = {"map": PERIOD["map"]} | period
    assert "a period has a start, and an end after it" in door(MONTH, "f.csv", **told).error


def test_a_sum_over_a_period_is_priced_as_many_prompts() -> None:
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 1, 6, tzinfo=UTC)
    [raw] = events([{"n": 1}], "input_tokens=n", start=start, end=end)
    assert raw["tags"] == '{"bucket":"6h","many_prompts":true}'
    [raw] = events([{"n": 1}], "input_tokens=n", start=start)
    assert (raw["ts"], raw.get("tags")) == (start, None)


def test_a_constant_may_hold_commas_and_is_left_out_of_ids() -> None:
    assert parse(["\"project='Shop, EU'\"", "ts=t"]) == {"project": "'Shop, EU'", "ts": "t"}
    rows = [{"t": "2026-11-01"}]
    one, other = events(rows, "ts=t,model='a'"), events(rows, "ts=t,model='b'")
    assert one[0]["model"] == "a"
    assert one[0]["event_id"] == other[0]["event_id"]


def test_columns_that_paths_go_into_are_not_left_out() -> None:
    notes = [raw.text for raw in told(json.dumps([CALL]).encode(), "ts=when,user=who.id")
             if isinstance(raw, Note)]  # fmt: skip
    assert notes == ["columns that no field is mapped to are left out: input, bill"]


def test_two_paths_go_through_one_list_or_are_refused() -> None:
    parse(["ts=a[].t,user=a[].b[].c,model=m"])
    with pytest.raises(Refused, match="goes through two lists"):
        parse(["ts=a[].t,user=b[].c[].d"])


def test_names_are_those_that_paths_can_say() -> None:
    assert list(names_in({"a": {"b": [{"c": 1}]}, "d": 2})) == ["a", "a.b", "c", "d"]
