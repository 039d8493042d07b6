"""Columns and keys that nobody reads: named where they hold a number, in every way in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from data.engines.protocol import EventStore
from data.ingest.importing import ingest_paths
from data.ingest.keys import UNNAMED
from data.ingest.requests import LocalRequestParser
from data.prices.book import PUBLIC
from data.sources import File, Options, formats
from data.sources.fields import parsed
from data.sources.format import (
    UNREAD,
    Format,
    Note,
    WatchedReading,
    records,
    watched_records,
)
from data.sources.otlp.requests import request_records
from data.sources.sessions import END, log_records
from data.sources.unread import Watch
from tests.sources.test_otlp_spans import CHAT, USED, request, span
from tests.sources.test_vendor_sources import BILL, CURSOR, GENERATION, ROUTED
from tests.sources.test_vendor_usage import table

EVENT: Final = {"kind": "llm", "channel": "api", "source": "s", "status": "ok"}


def reader(*asked: str, gives: Callable[[Any], bool] = bool) -> Callable[..., Any]:
    def convert(_: str, row: Any) -> Any:
        for name in asked:
            row.get(name)
        if gives(row):
            yield dict(EVENT)

    return convert


def unread(rows: list[Any], *asked: str, **more: Any) -> list[str]:
    watch = Watch()
    entries = [(f"f:{n}", row) for n, row in enumerate(rows)]
    list(records(entries, reader(*asked, **more), Options(watch=watch)))
    return watch.unread()


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([{"a": 1, "thinking_tokens": 7}], ["thinking_tokens"]),
        ([{"a": 1, "AIC Quantity": "1,200.5"}], ["AIC Quantity"]),
        ([{"a": 1, "credits": "$0.25"}], ["credits"]),
        ([{"a": 1, "premiumRequests": 3}], ["premiumRequests"]),
        # the first that holds something may come late
        ([{"a": 1, "credits": ""}, {"a": 2, "credits": 0}, {"a": 3, "credits": 4}], ["credits"]),
        ([{"a": 1}, {"a": 2, "credits": 4}], ["credits"]),
        ([{"a": 1, "usage": {"input": 1, "iterations": [{"input_tokens": 5}]}}],
         ["usage.input", "usage.iterations.input_tokens"]),
        # nothing there, no number, or no name of usage
        ([{"a": 1, "credits": 0}], []),
        ([{"a": 1, "credits": None}], []),
        ([{"a": 1, "credits": "many"}], []),
        ([{"a": 1, "is_token": True}], []),
        ([{"a": 1, "height": 5}], []),
        ([{"a": 1, "max_tokens": 5, "request_id": 6, "request_duration_ms": 7}], []),
        ([{"a": 1, "total_tokens": 5}], []),
        # what somebody said is nobody's usage
        ([{"a": 1, "content": [{"cost": 5}], "arguments": {"price": 6}}], []),
    ],
)  # fmt: skip
def test_what_nobody_asks_for_is_found(rows: list[Any], found: list[str]) -> None:
    assert unread(rows, "a") == found


def test_what_is_asked_for_is_read() -> None:
    rows = [{"a": 1, "tokens": 5, "usage": {"tokens": 6}}]
    assert unread(rows, "a") == ["tokens", "usage.tokens"]
    assert unread(rows, "tokens") == ["usage.tokens"]
    assert unread(rows, "tokens", gives=lambda row: row["usage"]["tokens"]) == []
    assert unread(rows, "tokens", gives=lambda row: dict(row["usage"])) == []
    assert unread(rows, "tokens", gives=lambda row: {**row["usage"]}) == []
    assert unread(rows, "tokens", gives=lambda row: row["usage"] | {"x": 1}) == []
    assert unread(rows, "a", gives=lambda row: list(row["usage"].values())) == ["tokens"]
    # one of many rows is enough: the others are known by the same keys
    assert unread([*rows, {"a": 2, "tokens": 9, "usage": {"tokens": 1}}], "tokens", "a") == [
        "usage.tokens"
    ]


def test_a_cell_that_holds_an_object_is_looked_into() -> None:
    cell = json.dumps({"thinking_tokens": 7, "tokens": 8})
    rows = [{"a": 1, "usage": cell, "input": cell, "prompt": cell}, {"a": 2, "usage": "{no"}]
    assert unread(rows, "a") == ["usage.thinking_tokens", "usage.tokens"]
    read_one = unread(rows, gives=lambda row: parsed("usage", row["usage"])["tokens"])
    assert read_one == ["usage.thinking_tokens"]
    assert unread(rows[:1], gives=lambda row: dict(parsed("usage", row["usage"]))) == []
    # the first that holds something may come late
    late = [{"a": 1, "usage": json.dumps({"credits": 0})}, {"a": 2, "usage": '{"credits": 4}'}]
    assert unread(late, "a") == ["usage.credits"]


def test_a_row_that_comes_to_nothing_says_nothing() -> None:
    rows = [{"a": 0, "tokens": 5}, {"a": 0, "tokens": 6}]
    assert unread(rows, gives=lambda row: row["a"]) == []
    assert unread([*rows, {"a": 1, "tokens": 7}], gives=lambda row: row["a"]) == ["tokens"]


def test_the_entry_is_what_it_was() -> None:
    seen: list[Any] = []
    row = {"a": [1, {"b": 2}], "content": {"c": 3}}
    unread([row], gives=lambda one: not seen.append(json.loads(json.dumps(one))))
    assert seen == [row]


def test_lines_of_logs_are_watched() -> None:
    watch = Watch()

    def take(_: str, line: Any) -> Any:
        if line is not END:
            line.get("type")
        yield from ()

    list(log_records([("f:1", {"type": "x", "new_tokens": 3})], take, Options(watch=watch)))
    assert watch.unread() == ["new_tokens"]


FILES: Final = {
    "cursor": table(CURSOR | {"Thinking Tokens": "12"}),
    "openrouter": table(ROUTED | {"Thinking Tokens": "12"}),
    "copilot_billing": table(BILL | {"Thinking Tokens": "12"}),
    "langfuse": json.dumps([GENERATION | {"Thinking Tokens": "12"}]),
}


@pytest.mark.parametrize("name", FILES)
def test_a_new_column_is_named_in_the_report(name: str, tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "f.json").write_text(FILES[name])
    spelled = "thinkingtokens" if name == "langfuse" else "Thinking Tokens"
    report = ingest_paths([tmp_path], store, dry_run=True)
    assert UNREAD.format(name, spelled) in report.notes
    assert ingest_paths([tmp_path], store).notes.keys() >= {UNREAD.format(name, spelled)}


@pytest.mark.parametrize("name", FILES)
def test_the_columns_of_today_are_all_read(name: str) -> None:
    text = FILES[name]
    if name == "langfuse":
        text = json.dumps([GENERATION])
    else:
        rows = [{k: v for k, v in row.items() if k != "Thinking Tokens"}
                for row in csv.DictReader(io.StringIO(text))]  # fmt: skip
        text = table(*rows)
    found = watched_records(formats()[name], File("f", body=text.encode()), Options())
    assert [raw.text for _, raw in found if isinstance(raw, Note) and "not read" in raw.text] == []


def test_a_format_declares_what_it_knows() -> None:
    form = Format(
        "acme", "Acme", lambda _: True,
        lambda *_: records([("f:1", {"a": 1, "x_cost": 5, "y_cost": 6})], reader("a"), _[1]),
        ignored={"x_*": "the same once more"},
    )  # fmt: skip
    *_, (where, note) = watched_records(form, File("f", body=b""), Options())
    assert (where, note) == ("f", Note(UNREAD.format("acme", "y_cost")))


def test_what_is_ignored_hides_nothing_beside_it() -> None:
    """Objects of which all is ignored are not gone into; their neighbours are, also later on."""
    watch = Watch(["prices.*"])
    rows = [
        {"a": 1, "prices": {"x_cost": 5}, "usage": {"some_tokens": 0, "usage.more_tokens": 0}},
        {"a": 2, "prices": {"x_cost": 6}, "usage": {"some_tokens": 7, "usage.more_tokens": 8}},
    ]
    list(
        records([("f", row) for row in rows], reader("a", "prices", "usage"), Options(watch=watch))
    )
    assert watch.unread() == ["usage.some_tokens", "usage.usage.more_tokens"]


def test_what_is_posted_is_watched_too() -> None:
    body = {
        "id": "c1", "call_type": "acompletion", "status": "success", "model": "gpt-4o",
        "startTime": 1_790_000_000.0, "endTime": 1_790_000_001.0, "response_cost": 0.5,
        "prompt_tokens": 5, "completion_tokens": 6, "metadata": {}, "brand_new_credits": 9,
        "custom_llm_provider": "openai", "litellm_call_id": "c1",
    }  # fmt: skip
    parser = LocalRequestParser(lambda: PUBLIC)
    parsed = parser.events("litellm-callback", json.dumps(body).encode(), 10, UNNAMED)
    assert UNREAD.format("litellm-callback", "brand_new_credits") in parsed.report.notes


def test_attributes_of_spans_are_watched_too() -> None:
    more = {"gen_ai.usage.brand_new_tokens": 4, "gen_ai.request.max_tokens": 100,
            "gen_ai.usage.zero_tokens": 0, "http.request.size": 9}  # fmt: skip
    body = json.dumps({"resourceSpans": [request(span(CHAT | USED | more))]}).encode()
    found = request_records("traces", body, json=True, options=Options())
    notes = [raw for _, raw in found if isinstance(raw, Note)]
    assert notes == [Note(UNREAD.format("otlp", "gen_ai.usage.brand_new_tokens"))]


def test_files_one_after_the_other_are_each_looked_at() -> None:
    """What is known of a shape from one file hides nothing in the next."""

    def read(file: File, options: Options) -> Any:
        return records([("f:1", json.loads(file.body))], reader("id"), options)

    form, watches = Format("acme", "Acme's", lambda _: True, read), dict[str, WatchedReading]()
    told = []
    for number, held in enumerate(("", 0, 4, 5, 0)):
        file = File("f", body=json.dumps({"id": number, "credits": held}).encode())
        found = watched_records(form, file, Options(), watches)
        told.append(sum(isinstance(one, Note) for _, one in found))
    assert told == [0, 0, 1, 1, 0]


def test_of_shapes_long_known_fewer_entries_are_looked_at_until_one_is_new() -> None:
    watch = Watch()
    looked = [0, 0, 0]
    for number in range(300):
        watch.begin_file()
        for _ in range(4):
            watch.over({"a": number, "b": {"c": 1}})
            looked[number // 100] += watch.looking
    assert looked[0] == 400
    assert looked[1] > looked[2] == 200
    watch.over({"a": 1, "b": {"c": 1, "d": 2}, "e": 3})
    assert watch.looking
    watch.over({"a": 1, "b": {"c": 1}})
    assert watch.looking


@pytest.mark.parametrize("late", [50, 777, 2_000])
def test_a_column_is_named_that_is_filled_late_in_a_long_file(late: int) -> None:
    rows: list[dict[str, Any]] = [{"a": 1, "credits": 0, "tokens": "0.00"} for _ in range(2_001)]
    rows[late] = {"a": 1, "credits": "4", "tokens": ""}
    rows[late - 1] = {"a": 1, "credits": 0, "tokens": 7}
    assert unread(rows, "a") == ["tokens", "credits"]


def test_rows_that_come_to_nothing_are_looked_at_a_while() -> None:
    nothing = [{"a": 0, "credits": 5}] * 3_000
    watch, looked = Watch(), 0
    for row in [{"a": 1, "credits": 0}, *nothing]:
        watch.over(row)
        looked += watch.looking
        watch.settle(row, counts=bool(row["a"]))
    assert watch.unread() == []
    assert looked < 1_200
