"""OpenAI's and Anthropic's sums over a time: exact, priced once, never half a bucket."""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.prices.book import PUBLIC, PriceBook
from data.prices.draft import draft
from data.prices.rate_rows import RateChange, rate_rows
from data.sources import File, Note, Options, find, formats, read
from data.sources.entries import CUT_OFF, VALUE_TOO_LONG
from data.sources.events import event_of

DAY = 86_400
MAY = 1_746_057_600  # 2025-05-01T00:00:00Z
Answer = dict[str, Any]


def usage(number: int = 0, start: int = MAY, **more: Any) -> Answer:
    row = {
        "object": "organization.usage.completions.result",
        "input_tokens": 1_000,
        "input_cached_tokens": 400,
        "output_tokens": 500,
        "num_model_requests": 5,
        "project_id": f"proj_{number}",
        "user_id": "user_a",
        "api_key_id": "key_1",
        "model": "gpt-4o-2024-08-06",
        "batch": False,
        "service_tier": "default",
    }
    return bucket(start, row | more)


def bucket(start: int, *rows: Any) -> Answer:
    return {"object": "bucket", "start_time": start, "end_time": start + DAY, "results": [*rows]}


def page(*buckets: Answer) -> Answer:
    return {"object": "page", "data": [*buckets], "has_more": False, "next_page": None}


def costs(value: Any, line: str | None, start: int = MAY, currency: str = "usd") -> Answer:
    row = {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": currency},
        "line_item": line,
        "project_id": "proj_0",
    }
    return bucket(start, row)


def message(**more: Any) -> Answer:
    row = {
        "uncached_input_tokens": 1_500_000,
        "cache_creation": {"ephemeral_1h_input_tokens": 1_000, "ephemeral_5m_input_tokens": 500},
        "cache_read_input_tokens": 200,
        "output_tokens": 5_000,
        "server_tool_use": {"web_search_requests": 10},
        "account_id": None,
        "api_key_id": "apikey_1",
        "workspace_id": "wrkspc_1",
        "model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "not_available",
    }
    return report(row | more)


def report(row: Any) -> Answer:
    day = {"starting_at": "2025-11-01T00:00:00Z", "ending_at": "2025-11-02T00:00:00Z"}
    return {"data": [day | {"results": [row]}], "has_more": False, "next_page": None}


def billed(amount: str, kind: str | None, **more: Any) -> Answer:
    row = {"currency": "USD", "amount": amount, "cost_type": kind, "workspace_id": "wrkspc_1"}
    return report(row | {"description": None, "model": None} | more)


def person(**more: Any) -> Answer:
    row = {
        "date": "2025-09-01T00:00:00Z",
        "actor": {"type": "user_actor", "email_address": "ana@example.com"},
        "organization_id": "org",
        "customer_type": "subscription",
        "terminal_type": "vscode",
        "core_metrics": {
            "num_sessions": 5,
            "lines_of_code": {"added": 1_543, "removed": 892},
            "commits_by_claude_code": 12,
            "pull_requests_by_claude_code": 2,
        },
        "tool_actions": {"edit_tool": {"accepted": 45, "rejected": 5}},
        "model_breakdown": [
            {
                "model": "claude-opus-4-1-20250805",
                "tokens": {"input": 100, "output": 35, "cache_read": 10, "cache_creation": 5},
                "estimated_cost": {"currency": "USD", "amount": 1025},
            }
        ],
    }
    return {"data": [row | more], "has_more": False, "next_page": None}


def read_all(content: Any, name: str = "") -> tuple[list[Any], list[str]]:
    """The clean events of a body, or the sentence of each that is none; and the notes."""
    body = content if isinstance(content, str) else json.dumps(content, indent=1)
    file = File("f", body=body.encode())
    found = [raw for _, raw in formats()[name or _recognised(file)].read(file, Options())]
    notes = [raw.text for raw in found if isinstance(raw, Note)]
    return [_event(raw) for raw in found if not isinstance(raw, Note)], notes


def _recognised(file: File) -> str:
    from data.sources import head_of

    head = head_of(file)
    return next(name for name, each in formats().items() if each.recognises(head))


def _event(raw: Any) -> Any:
    try:
        return event_of(raw)
    except EventError as error:
        return str(error)


def one(content: Any, name: str = "") -> Event:
    (event,), _ = read_all(content, name)
    assert isinstance(event, dict), event
    return event


# OpenAI


def test_openai_tokens_are_disjoint_and_priced_once() -> None:
    event = one(page(usage()))
    assert [event[name] for name in TOKENS] == [600, 400, None, 500]
    assert event["cost_nano"] == 600 * 2_500 + 400 * 1_250 + 500 * 10_000
    assert event["cost_origin"] == "list"
    assert (event["user"], event["project"]) == ("user_a", "proj_0")
    assert (event["provider"], event["model"]) == ("openai", "gpt-4o-2024-08-06")
    assert event["ts"] == MAY * 1_000_000
    assert json.loads(event["tags"]) == {
        "bucket": "1d", "api_key_id": "key_1", "batch": False, "service_tier": "default",
    }  # fmt: skip


def test_openai_images_in_a_prompt_cost_as_text() -> None:
    assert one(page(usage(input_image_tokens=300)))["cost_nano"] == one(page(usage()))["cost_nano"]


def test_openai_rows_count_their_requests() -> None:
    events, notes = read_all(page(usage(0), usage(1, num_model_requests=7)))
    assert [event["request_count"] for event in events] == [5, 7]
    assert notes == []
    (event,), notes = read_all(page(usage(num_model_requests=None)))
    assert event["request_count"] is None
    assert json.loads(event["tags"])["many_prompts"] is True
    assert notes == [
        "1 rows are sums over a time and do not say of how many requests: each counts as one"
    ]


def test_openai_rows_of_no_request_and_nothing_used_are_no_call() -> None:
    idle = dict.fromkeys(
        ("input_tokens", "input_cached_tokens", "output_tokens", "num_model_requests"), 0
    )
    events, notes = read_all(page(usage(0), usage(1, **idle)))
    assert len(events) == 1
    assert notes == ["1 rows are buckets in which nothing was used"]


def test_openai_sums_are_priced_as_short_prompts_and_one_request_by_its_length() -> None:
    """Of gpt-5.4 a prompt beyond 272k costs double; a day of short ones does not."""
    said: dict[str, Any] = {"model": "gpt-5.4", "input_tokens": 400_000, "input_cached_tokens": 0}
    many, single = (one(page(usage(num_model_requests=n, **said))) for n in (2, 1))
    assert single["cost_nano"] > many["cost_nano"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service_tier": "flex"}, "no rate for flex"),
        ({"service_tier": "scale"}, "no rate for scale"),
        ({"model": None}, "no model"),
        ({"input_audio_tokens": 9}, "no rate for audio input"),
        ({"output_image_tokens": 9}, "no rate for image output"),
    ],
)
def test_openai_what_has_no_list_price_is_unpriced(change: Answer, reason: str) -> None:
    (event,), notes = read_all(page(usage(**change)))
    assert (event["cost_nano"], event["cost_origin"]) == (None, "unpriced")
    assert event["unpriced_reason"] == reason
    if reason in ("no rate for scale", "no model"):
        assert any("unpriced" in note for note in notes)


def test_openai_tiers_have_their_own_prices() -> None:
    told: dict[str, Any] = {"model": "gpt-5.4", "num_model_requests": 2}
    standard, batch, flex, priority = (
        one(page(usage(**told | tier)))
        for tier in ({}, {"batch": True}, {"service_tier": "flex"}, {"service_tier": "priority"})
    )
    assert [each["service_tier"] for each in (batch, flex, priority)] == [
        "batch", "flex", "priority",
    ]  # fmt: skip
    assert batch["cost_nano"] == flex["cost_nano"] < standard["cost_nano"] < priority["cost_nano"]


def test_openai_examples_of_the_documentation(shared: Path) -> None:
    body = (shared / "openai_admin_api/usage_and_costs_doc_examples.json").read_text()
    events, notes = read_all(body)
    assert {event["operation"]: sum(event[name] or 0 for name in TOKENS) for event in events} == {
        "chat": 1_500, "embeddings": 16, "moderation": 16, "image_generation": 0,
        "speech": 0, "transcription": 0,
    }  # fmt: skip
    chat = next(event for event in events if event["operation"] == "chat")
    assert [chat[name] for name in TOKENS] == [500, 400, 100, 500]
    assert sum(event["request_count"] for event in events if event["request_count"]) == 13
    assert any("0.0600 USD for tokens: not stored" in note for note in notes)
    assert sum("no model calls" in note for note in notes) == 4


def shapes(*pages: Answer) -> list[str]:
    return [
        json.dumps(pages),
        json.dumps(pages, indent=2),
        "".join(json.dumps(each) + "\n" for each in pages),
        "\n".join(json.dumps(each, indent=2) for each in pages),
        json.dumps({f"part {n}": each for n, each in enumerate(pages)}, indent=1),
        json.dumps(pages, sort_keys=True),
    ]


@pytest.mark.parametrize("shape", range(6))
def test_pages_come_in_any_shape(shape: int) -> None:
    for pages in (
        (page(usage(0)), page(usage(1), usage(2)), page()),
        (message(), message(model="claude-haiku-4-5-20251001"), report({}) | {"data": []}),
    ):
        events, _ = read_all(shapes(*pages)[shape])
        assert sorted(map(str, events)) == sorted(
            str(event) for each in pages[:2] for event in read_all(each)[0]
        )


def test_a_list_of_pages_that_breaks_off_says_so() -> None:
    pages = json.dumps([page(usage(0)), page(usage(1))], indent=1)
    for end in (1, 2, 40):  # without its last bracket, and deeper
        events, _ = read_all(pages[:-end], "openai_usage")
        assert isinstance(events[0], dict)
        assert events[-1] == CUT_OFF


def test_a_broken_line_harms_no_other() -> None:
    lines = [json.dumps(page(usage(n))) for n in range(3)]
    events, _ = read_all("\n".join([lines[0], lines[1][:-9], lines[2]]))
    assert [type(event) for event in events] == [dict, str, dict]
    assert "the line is no JSON" in events[1]


def test_a_page_beyond_all_measure_is_one_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.sources.entries.LONGEST_DOCUMENT", 1_000)
    monkeypatch.setattr("data.sources.entries.CHUNK", 500)
    events, _ = read_all(page(*(usage(n) for n in range(20))), "openai_usage")
    assert events == [VALUE_TOO_LONG]


def test_no_money_counts_twice() -> None:
    """Tokens bring theirs as usage; what is billed for tokens is compared, tools are stored."""
    everything = page(
        usage(),
        costs(0.0105, "gpt-4o-2024-08-06, input"),
        costs("0.005000000000000001", "gpt-4o-2024-08-06, output"),
        costs(0.02, None),
        costs(2.5, "Web search tool calls"),
    )
    events, notes = read_all(everything)
    assert [event["cost_origin"] for event in events] == ["list", "reported"]
    assert events[1]["cost_nano"] == 2_500_000_000
    assert [events[1][name] for name in TOKENS] == [None] * 4
    assert any("3 rows bill 0.0355 USD for tokens: not stored" in note for note in notes)


@pytest.mark.parametrize("order", [1, -1])
def test_usage_and_costs_together_in_any_order(
    tmp_path: Path, store: EventStore, order: int
) -> None:
    (tmp_path / "costs.json").write_text(json.dumps(page(costs(9, "gpt-4o, input"))))
    (tmp_path / "usage.json").write_text(json.dumps(page(usage())))
    report = ingest_paths(sorted(tmp_path.iterdir())[::order], store)
    assert (report.accepted, report.cost_nano) == (1, 7_000_000)
    said = (
        "openai bills 9.0000 USD for tokens on 1 days, whose usage costs 0.0070 USD at list price:"
        " +8.9930 USD apart; the bill is not stored, so that no money counts twice"
    )
    assert report.notes == {said: 1}
    again = ingest_paths(sorted(tmp_path.iterdir()), store)
    assert (again.accepted, again.duplicates) == (0, 1)
    assert again.notes == {said: 1}


def test_a_bill_alone_says_what_it_is_and_what_to_import(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "costs.json").write_text(
        json.dumps(page(costs(9, "gpt-4o, input"), costs(1, "gpt-4o, input", start=MAY + DAY)))
    )
    report = ingest_paths([tmp_path], store)
    assert report.accepted == 0
    alone = " USD for tokens: not stored, as usage rows bring that money with their tokens and no"
    assert [alone in note for note in report.notes] == [True]
    assert "2 rows bill 10.0000 USD" in next(iter(report.notes))
    assert "import the usage of those days, too" in next(iter(report.notes))
    (tmp_path / "again.json").write_text((tmp_path / "costs.json").read_text())
    batch = usage(1, batch=True)
    (tmp_path / "usage.json").write_text(json.dumps(page(usage(), batch)))
    sums, rest = (
        note for note in ingest_paths([tmp_path], store).notes if "for tokens" in note
    )  # each line once
    assert "openai bills 9.0000 USD for tokens on 1 days, whose usage costs 0.0108" in sums
    assert "+8.9892 USD apart" in sums, "the batch costs less"
    assert "1 rows bill 1.0000 USD for tokens: not stored" in rest


def test_anthropic_bills_stand_beside_its_usage(tmp_path: Path, store: EventStore) -> None:
    (tmp_path / "costs.json").write_text(json.dumps([billed("123.78912", "tokens")]))
    (tmp_path / "usage.json").write_text(json.dumps([message()]))
    (said,) = (each for each in ingest_paths([tmp_path], store).notes if "bill" in each)
    assert said.startswith("anthropic bills 1.2379 USD for tokens on 1 days, whose usage costs")


def table(*rows: Answer) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


MINUTE = {
    "start_time": MAY, "end_time": MAY + 60,
    "start_time_iso": "2025-05-01T00:00:00+00:00", "end_time_iso": "2025-05-01T00:01:00+00:00",
}  # fmt: skip


def test_openai_csv_several_rows_a_bucket() -> None:
    used = {k: v for k, v in usage()["results"][0].items() if k != "object"}
    events, notes = read_all(
        table(MINUTE | used, MINUTE | used | {"api_key_id": "key_2", "batch": "True"}, MINUTE)
    )
    assert len({event["event_id"] for event in events}) == 2
    assert [event["cost_nano"] for event in events] == [7_000_000, 3_750_000]
    assert json.loads(events[0]["tags"])["bucket"] == "1m"
    assert "1 rows are buckets in which nothing was used" in notes


def test_what_a_vendor_gives_back_is_an_adjustment() -> None:
    bills = (page(costs("-1.5", "web search")), billed("-150", "code_execution"))
    events = [event for bill in bills for event in read_all(bill)[0]]
    assert [(event["kind"], event["cost_nano"]) for event in events] == [
        ("adjustment", -1_500_000_000)
    ] * 2


def test_openai_csv_of_costs_and_other_endpoints() -> None:
    events, notes = read_all(
        table(
            MINUTE | {"amount_value": "1.5", "amount_currency": "usd", "line_item": "File search"},
            MINUTE | {"amount_value": "0", "amount_currency": "usd", "line_item": "gpt-4o, input"},
            MINUTE | {"characters": "45", "num_model_requests": "1", "model": "tts-1"},
            MINUTE | {"input_tokens": "16", "model": "text-embedding-3-small"},
        )
    )
    assert [event["operation"] for event in events] == ["tool", "speech", "embeddings"]
    assert [event["cost_nano"] for event in events] == [1_500_000_000, None, 320]
    assert any("1 rows bill 0.0000 USD" in note for note in notes)


def test_an_api_answer_and_its_csv_have_the_same_ids() -> None:
    row = usage()["results"][0]
    both = [page(bucket(MAY, row)), table(MINUTE | {"end_time": MAY + DAY} | row)]
    first, second = (one(each) for each in both)
    assert first["event_id"] == second["event_id"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": 7}, "'7' is not text"),
        ({"model": "m" * 5_000}, "model is longer than 1,000 characters"),
    ],
)
def test_openai_bad_rows_are_rejected_alone(change: Answer, sentence: str) -> None:
    (good, bad), _ = read_all(page(usage(1), usage(**change)))
    assert good["cost_nano"] == 7_000_000
    assert sentence in bad


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (bucket(MAY, 7), "a result is an object with fields"),
        (bucket(MAY) | {"results": None}, "this is no page of buckets that hold results"),
        (usage() | {"start_time": "soon"}, "start_time is not a time in seconds"),
        (usage(start=10**12), "start_time is not a time in seconds"),
        (usage(start=0), "ts lies outside the years 2000 to 2100"),
        (costs("free", "web search"), "amount is not a number"),
        (costs(None, "web search"), "amount is missing"),
        (costs(1, "web search", currency="euro"), "currency is 'EURO', none of three letters"),
    ],
)
def test_openai_bad_buckets_are_rejected_alone(bad: Any, sentence: str) -> None:
    events, _ = read_all(json.dumps(page(usage(), bad, usage(1))), "openai_usage")
    assert [type(event) for event in events] == [dict, str, dict]
    assert sentence in events[1]


# Buckets


def test_a_bucket_that_was_open_when_the_file_was_written_is_not_stored(tmp_path: Path) -> None:
    path = tmp_path / "usage.json"
    path.write_text(json.dumps(page(usage(0, MAY), usage(0, MAY + DAY))))
    for written, stored, note in (
        (MAY + DAY + 60, 1, True),  # the second day had begun
        (MAY + 2 * DAY, 2, False),  # both were over
        (MAY - DAY, 2, False),  # a clock that cannot be right decides nothing
    ):
        os.utime(path, (written, written))
        found = [raw for _, raw in read(find([path]), Options())]
        said = [raw.text for raw in found if isinstance(raw, Note)]
        assert sum(isinstance(raw, dict) for raw in found) == stored
        assert any("1 rows are of a time that was cut short" in each for each in said) == note


@pytest.mark.parametrize(("start", "end"), [(0, DAY // 2), (DAY // 2, DAY), (3_600, DAY + 3_600)])
def test_a_bucket_that_a_question_cut_short_is_not_stored(start: int, end: int) -> None:
    """[00:00, 12:00) of a day has another id than the day: both would count the morning."""
    cut = usage() | {"start_time": MAY + start, "end_time": MAY + end}
    events, notes = read_all(page(cut, usage(1)))
    assert [event["project"] for event in events] == ["proj_1"]
    assert any("1 rows are of a time that was cut short" in note for note in notes)


def test_a_grown_bucket_is_a_duplicate_and_another_grouping_is_not() -> None:
    first, grown = (one(page(usage(output_tokens=n))) for n in (500, 900))
    assert first["event_id"] == grown["event_id"]
    for change in ({"project_id": "p"}, {"model": "gpt-4o"}, {"batch": True}, {"user_id": None}):
        assert one(page(usage(**change)))["event_id"] != first["event_id"]
    assert one(page(usage(new_dimension="x")))["event_id"] != first["event_id"]


def test_order_and_repetition_change_nothing() -> None:
    pages = [page(*(usage(n, MAY + d * DAY) for n in range(5))) for d in range(4)]
    ids = {event["event_id"] for event in read_all(pages)[0]}
    shuffled = copy.deepcopy([*pages, pages[0]])
    random.Random(3).shuffle(shuffled)
    assert {event["event_id"] for event in read_all(shuffled)[0]} == ids
    assert len(ids) == 20


# Anthropic


def test_anthropic_usage_is_priced_as_many_prompts() -> None:
    """1.5 million tokens in a day are no prompt of 1.5 million tokens, which would cost double."""
    event = one(message())
    assert [event[name] for name in TOKENS] == [1_500_000, 200, 1_500, 5_000]
    writes = 500 * 3_750 + 1_000 * 6_000
    assert event["cost_nano"] == (
        1_500_000 * 3_000 + 200 * 300 + writes + 5_000 * 15_000 + 10 * 10_000_000
    )
    assert (event["project"], event["user"], event["provider"]) == ("wrkspc_1", None, "anthropic")
    assert (event["web_searches"], event["cache_write_1h_tokens"]) == (10, 1_000)
    assert json.loads(event["tags"])["bucket"] == "1d"
    long = one(message(context_window="200k-1M"))
    writes = 500 * 7_500 + 1_000 * 12_000
    assert long["cost_nano"] == (
        1_500_000 * 6_000 + 200 * 600 + writes + 5_000 * 22_500 + 10 * 10_000_000
    )


def test_a_sum_stays_a_sum_of_short_prompts(store: EventStore, tmp_path: Path) -> None:
    """Own prices apply, and a re-pricing finds what the import found."""
    (tmp_path / "a.json").write_text(json.dumps([message(), message(context_window="200k-1M")]))
    ingest_paths([tmp_path / "a.json"], store)
    model = ("anthropic", "claude-sonnet-4-5-20250929")
    assert store.reprice(RateChange("history", rate_rows(PUBLIC, [model])), None) == []
    half = PriceBook([draft({"from": "2025-01-01", "model": model[1], "discount": "50"}, 1)])
    file = File("f", body=(tmp_path / "a.json").read_bytes())
    read_again = formats()["anthropic_usage"].read(file, Options())
    events = [event_of(raw, half) for _, raw in read_again if not isinstance(raw, Note)]
    shifts = store.reprice(RateChange("history", rate_rows(half, [model])), None)
    assert sum(shift.after or 0 for shift in shifts) == sum(
        event["cost_nano"] or 0 for event in events
    )
    assert events[0]["cost_nano"] * 2 == one(message())["cost_nano"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"service_tier": "priority"}, "no rate for priority"), ({"speed": "fast"},
         "no rate for fast"), ({"inference_geo": "us"}, "no rate for US inference"),
        ({"model": None}, "no model"),
    ],
)  # fmt: skip
def test_anthropic_what_has_no_list_price_is_unpriced(change: Answer, reason: str) -> None:
    (event,), notes = read_all(message(**change))
    assert (event["cost_origin"], event["unpriced_reason"]) == ("unpriced", reason)
    if "US" in reason or "model" in reason:
        assert any(": unpriced" in note for note in notes)


def test_anthropic_batches_cost_half_but_for_searches() -> None:
    searches = 10 * 10_000_000
    standard, batch = one(message())["cost_nano"], one(message(service_tier="batch"))["cost_nano"]
    assert (batch - searches) * 2 == standard - searches


def test_anthropic_does_not_say_how_many_requests() -> None:
    (event,), notes = read_all(message())
    assert event["request_count"] is None
    assert "do not say of how many requests: each counts as one" in notes[0]


def test_anthropic_costs_are_cents_and_tokens_are_compared() -> None:
    pages = [
        billed("123.78912", "tokens", token_type="uncached_input_tokens"),
        billed("100", None),
        billed("250.5", "code_execution"),
        billed("10", "web_search"),
    ]
    events, notes = read_all(pages)
    assert [event["cost_nano"] for event in events] == [2_505_000_000]
    assert (events[0]["operation"], events[0]["project"]) == ("code_execution", "wrkspc_1")
    assert any("3 rows bill 2.3379 USD for tokens" in note for note in notes)
    ((euros,), _) = read_all(billed("150", "code_execution", currency="EUR"))
    assert (euros["cost_nano"], euros["unpriced_reason"]) == (None, "in another currency")
    assert {"currency": "EUR", "amount": "1.5"}.items() <= json.loads(euros["tags"]).items()


CONSOLE = {
    "usage_date_utc": "2026-08-05", "model_version": "claude-opus-4-6", "api_key": "app, main",
    "workspace": "Default", "usage_type": "standard", "context_window": "≤ 200k",
    "usage_input_tokens_no_cache": "46981", "usage_input_tokens_cache_write_5m": "15969",
    "usage_input_tokens_cache_write_1h": "0", "usage_input_tokens_cache_read": "7",
    "usage_output_tokens": "16932", "web_search_count": "3", "inference_geo": "global",
    "speed": "",
}  # fmt: skip


def test_anthropic_console_csv() -> None:
    event = one(table(CONSOLE))
    assert [event[name] for name in TOKENS] == [46_981, 7, 15_969, 16_932]
    assert (event["project"], event["model"]) == ("Default", "claude-opus-4-6")
    assert event["cost_origin"] == "list"
    tags = json.loads(event["tags"])
    assert (tags["api_key_id"], event["web_searches"]) == ("app, main", 3)
    events, _ = read_all(table(CONSOLE, CONSOLE | {"api_key": "b", "usage_type": "batch"}))
    assert [event["service_tier"] for event in events] == ["standard", "batch"]
    assert events[0]["cost_nano"] > events[1]["cost_nano"]
    assert len({event["event_id"] for event in events}) == 2


def test_anthropic_console_csv_of_before_had_one_column_of_writes() -> None:
    old = {k: v for k, v in CONSOLE.items() if "cache_write" not in k}
    event = one(table(old | {"usage_input_tokens_cache_write": "15969"}))
    assert [event[name] for name in TOKENS] == [46_981, 7, 15_969, 16_932]


def test_anthropic_console_csv_of_costs_is_in_dollars() -> None:
    row = {
        "usage_date_utc": "2026-08-04", "model": "Claude Haiku 4.5", "workspace": "Default",
        "api_key": "demo", "usage_type": "message", "context_window": "≤ 200k",
        "token_type": "output", "cost_usd": "0.02", "list_price_usd": "0.02", "cost_type": "token",
    }  # fmt: skip
    code = row | {"token_type": "", "cost_type": "code_execution", "cost_usd": "1.5"}
    (event,), notes = read_all(table(row, row | {"cost_usd": "0.05"}, code))
    assert (event["cost_nano"], event["operation"]) == (1_500_000_000, "code_execution")
    assert event["project"] == "Default"
    assert any("2 rows bill 0.0700 USD for tokens: not stored" in note for note in notes)


# Claude Code analytics


def test_claude_code_analytics_sessions_and_calls() -> None:
    (session, call), notes = read_all(person())
    assert (session["kind"], session["lines_added"], session["lines_removed"]) == (
        "session", 1_543, 892,
    )  # fmt: skip
    tags = json.loads(session["tags"])
    assert (tags["sessions"], tags["commits"], tags["edit_tool_rejected"]) == (5, 12, 5)
    assert [call[name] for name in TOKENS] == [100, 10, 5, 35]
    assert (call["cost_nano"], call["cost_origin"]) == (10_250_000_000, "reported")
    assert {session["user"], call["user"]} == {"ana@example.com"}
    assert {session["channel"], call["channel"]} == {"cli"}
    assert not any("api stand" in note for note in notes)
    assert any("customer type api" in note for note in read_all(person(customer_type="api"))[1])


def test_claude_code_analytics_keys_are_no_people() -> None:
    events, _ = read_all(person(actor={"type": "api_actor", "api_key_name": "ci"}))
    assert {event["user"] for event in events} == {None}
    assert json.loads(events[1]["tags"])["api_key_name"] == "ci"
    (sentence,), _ = read_all(person(actor={}))
    assert "neither email_address nor api_key_name" in sentence


# Whatever comes


FILES: dict[str, Callable[[], str]] = {
    "openai_usage": lambda: json.dumps(page(*(usage(n) for n in range(9)), costs(1, "web search"))),
    "openai_csv": lambda: table(*(MINUTE | usage(n)["results"][0] for n in range(9))),
    "anthropic_usage": lambda: json.dumps([message(), billed("7", "code_execution"), message()]),
    "anthropic_csv": lambda: table(*(CONSOLE | {"api_key": str(n)} for n in range(9))),
    "claude_code_analytics": lambda: json.dumps([person(), person(terminal_type="tmux")]),
}


def spoiled(body: bytes, noise: random.Random) -> bytes:
    """Cut off, a bit flipped, or a value replaced by something absurd."""
    choice = noise.randrange(3)
    if choice == 0:
        return body[: noise.randrange(len(body))]
    place = noise.randrange(len(body))
    if choice == 1:
        return body[:place] + bytes([body[place] ^ 1 << noise.randrange(8)]) + body[place + 1 :]
    absurd = [b"null", b"[]", b"{}", b"-1", b"1e999", b"9" * 400, b'"\\ud800"', b"NaN", b"true"]
    values = [n for n in range(len(body) - 1) if body[n : n + 1] in b":," and body[n + 1 : n + 2]]
    start = noise.choice(values) + 1
    end = next((n for n in range(start + 1, len(body)) if body[n : n + 1] in b",}\n"), len(body))
    return body[:start] + noise.choice(absurd) + body[end:]


@pytest.mark.parametrize("name", FILES)
def test_whatever_comes_is_at_worst_a_rejected_record(name: str) -> None:
    body, noise = FILES[name]().encode(), random.Random(name)
    seen = 0
    for _ in range(300):
        file = File("f", body=spoiled(body, noise))
        for where, raw in formats()[name].read(file, Options()):
            event = raw if isinstance(raw, Note) else _event(raw)
            assert where.startswith("f")
            if isinstance(event, dict):
                taken_back = event["kind"] == "adjustment"
                assert taken_back or event["cost_nano"] is None or event["cost_nano"] >= 0
                seen += 1
    assert seen > 300


def test_exact_cents() -> None:
    event = one(billed("0.00001", "code_execution"))
    assert Decimal(event["cost_nano"]) == Decimal("0.00001") / 100 * 10**9
