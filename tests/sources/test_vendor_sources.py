"""Copilot, Langfuse and FOCUS: exact, counted once, and nobody's file is taken by another."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import TOKENS, Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats, head_of, read
from data.sources.events import event_of
from tests.sources.test_vendor_usage import read_all, spoiled, table

BILLING = "copilot/copilot_billing_usage_real_pseudonymised.csv"
FOCUS = "focus/focus_1.0_sample_1000.csv.gz"
METRICS = "copilot/mock_organization-users-28-day-report.json.gz"
Row = dict[str, Any]


def accepted(path: Path) -> tuple[list[Event], list[str]]:
    raws = [raw for _, raw in read(find([path]), Options())]
    notes = [raw.text for raw in raws if isinstance(raw, Note)]
    return [event_of(raw) for raw in raws if not isinstance(raw, Note)], notes


def tag(event: Event, name: str) -> Any:
    return json.loads(event["tags"]).get(name)


@pytest.fixture
def truth(shared: Path) -> Any:
    return json.loads((shared / "ground_truth.json").read_text())


# Copilot


def test_copilot_billing_keeps_every_total(shared: Path, truth: Any) -> None:
    want, (events, notes) = truth[BILLING], accepted(shared / BILLING)
    assert len(events) == len({event["event_id"] for event in events}) == want["rows"]
    for name in ("quantity", "gross_amount", "discount_amount", "aic_quantity", "aic_gross_amount"):
        found = sum(Decimal(tag(event, name)) for event in events)
        assert float(found) == pytest.approx(want[name], abs=1e-9), name
    assert sum(event["cost_nano"] for event in events) == want["net_amount"] == 0
    assert {event["cost_origin"] for event in events} == {"reported"}
    assert len({event["user"] for event in events}) == want["users"]
    assert len({event["model"] for event in events}) == want["models"]
    assert Counter(tag(event, "sku") for event in events) == want["skus"]
    assert {event["project"] for event in events} == {"octo-org-1"}
    assert {event["assistant"] for event in events} == {"copilot", "coding_agent"}
    assert {event[name] for event in events for name in TOKENS} == {None}
    assert "193.6511 USD gross, 0.0000 USD billed" in " ".join(notes)


def test_copilot_billing_days_and_digits(shared: Path, truth: Any) -> None:
    events, _ = accepted(shared / BILLING)
    assert tag(events[0], "gross_amount") == "0.036000000000000004"
    days = sorted(event["ts"] for event in events)
    assert (days[0], days[-1]) == (1_779_840_000_000_000, 1_781_481_600_000_000)
    assert {day % 86_400_000_000 for day in days} == {0}


def test_copilot_billing_twice_and_in_another_order(
    shared: Path, store: EventStore, tmp_path: Path
) -> None:
    first = ingest_paths([shared / BILLING], store)
    header, *lines = (shared / BILLING).read_text("utf-8-sig").splitlines()
    random.Random(1).shuffle(lines)
    (tmp_path / "again.csv").write_text("\n".join([header, *lines]))
    again = ingest_paths([tmp_path / "again.csv"], store)
    assert (first.accepted, again.accepted, again.duplicates) == (99, 0, 99)


BILL = {
    "date": "2026-06-01", "username": "mona", "product": "copilot", "sku": "copilot_ai_credit",
    "model": "Claude Opus 4.5", "quantity": "12.5", "unit_type": "ai-credits",
    "applied_cost_per_quantity": "0.01", "gross_amount": "0.125", "discount_amount": "0.025",
    "net_amount": "0.1", "organization": "octo", "repository": "octo/web",
    "cost_center_name": "Research",
}  # fmt: skip


def test_copilot_billing_what_is_billed_is_the_cost() -> None:
    (event,), notes = read_all(table(BILL))
    assert (event["cost_nano"], event["cost_origin"]) == (100_000_000, "reported")
    assert (event["project"], event["repository"]) == ("Research", "octo/web")
    assert any("0.1250 USD gross, 0.1000 USD billed" in note for note in notes)
    renamed = {"user" if k == "username" else "cost_center" if k == "cost_center_name" else k: v
               for k, v in BILL.items()}  # fmt: skip
    assert read_all(table(renamed))[0] == [event]


def test_copilot_billing_of_other_products_is_not_stored() -> None:
    actions = BILL | {"product": "actions", "sku": "Actions Linux"}
    events, notes = read_all(table(BILL, actions))
    assert len(events) == 1
    assert "1 rows are of other products than Copilot: not stored" in notes


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"date": "June"}, "date is not a time"),
        ({"date": ""}, "date is not a time"),
        ({"net_amount": "free"}, "net_amount is not a number"),
        ({"username": "n" * 2_000}, "user is longer than 1,000 characters"),
    ],
)
def test_copilot_bad_rows_are_rejected_alone(change: Row, sentence: str) -> None:
    (good, bad), _ = read_all(table(BILL, BILL | change))
    assert good["cost_nano"] == 100_000_000
    assert sentence in bad


def test_copilot_metrics_are_sessions_and_tokens_of_its_cli(shared: Path) -> None:
    body = json.loads(gzip.decompress((shared / METRICS).read_bytes()))
    events, notes = accepted(shared / METRICS)
    days = body["day_totals"]
    kinds = Counter(event["kind"] for event in events)
    assert kinds == {"session": len(days), "llm": sum("totals_by_cli" in day for day in days)}
    assert len({event["event_id"] for event in events}) == len(events)
    for field, theirs in (("lines_added", "loc_added_sum"), ("lines_removed", "loc_deleted_sum")):
        assert sum(e[field] or 0 for e in events) == sum(day[theirs] for day in days)
    cli = [day["totals_by_cli"] for day in days if "totals_by_cli" in day]
    for field, theirs in (
        ("input_tokens", "prompt_tokens_sum"), ("output_tokens", "output_tokens_sum"),
    ):  # fmt: skip
        assert sum(e[field] or 0 for e in events) == sum(d["token_usage"][theirs] for d in cli)
    requests = sum(each["request_count"] for each in cli)
    assert sum(e["request_count"] or 0 for e in events) == requests
    assert notes == []
    assert {event["cost_nano"] for event in events} == {None}
    assert {event["user"] for event in events} == {day["user_login"] for day in days}


def test_copilot_metrics_a_day_a_line_are_the_same(shared: Path) -> None:
    body = json.loads(gzip.decompress((shared / METRICS).read_bytes()))
    lines = "".join(json.dumps(day) + "\n" for day in body["day_totals"])
    events, _ = read_all(lines)
    assert events == accepted(shared / METRICS)[0]


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("mock_billing-credits.json.gz", "import the day-level usage report"),
        ("mock_organization-28-day-report.json.gz", "import the users' 28-day report instead"),
    ],
)
def test_copilot_answers_that_are_sums_say_what_to_import(
    shared: Path, name: str, instead: str
) -> None:
    ((_, error),) = read(find([shared / "copilot" / name]), Options())
    assert isinstance(error, EventError)
    assert instead in str(error)


def test_a_day_that_was_not_over_is_not_stored(tmp_path: Path) -> None:
    path = tmp_path / "billing.csv"
    path.write_text(table(BILL, BILL | {"date": "2026-06-02"}))
    noon = 1_780_401_600  # 2026-06-02T12:00:00Z
    os.utime(path, (noon, noon))
    events, notes = accepted(path)
    assert [event["ts"] for event in events] == [1_780_272_000_000_000]
    assert any("1 rows are of a time that was cut short" in note for note in notes)


# Langfuse


GENERATION = {
    "id": "obs-1", "traceId": "trace-1", "type": "GENERATION", "name": "answer",
    "startTime": "2026-10-01T10:00:00.000Z", "endTime": "2026-10-01T10:00:02.500Z",
    "completionStartTime": "2026-10-01T12:00:00.400+02:00", "model": "gpt-4o-2024-08-06",
    "usageDetails": {"input": 600, "input_cached_tokens": 400, "output": 80,
                     "output_reasoning_tokens": 20, "total": 1_100},
    "costDetails": {"input": 0.0015, "output": 0.0008, "total": 0.0023},
    "calculatedTotalCost": 0.0023, "level": "DEFAULT", "promptName": "helper", "promptVersion": 3,
    "environment": "production", "input": "a secret", "output": "another", "metadata": {"k": "v"},
}  # fmt: skip
TRACE = {
    "id": "trace-1", "timestamp": "2026-10-01T10:00:00.000Z", "name": "support-chat",
    "userId": "ana", "sessionId": "s-1", "tags": ["prod"], "latency": 2.75, "totalCost": 0.0023,
    "observations": ["obs-1"], "input": "a secret",
}  # fmt: skip


def observation(**more: Any) -> Any:
    (found,), _ = read_all(json.dumps([GENERATION | more]), "langfuse")
    return found


def test_langfuse_generation() -> None:
    event = observation()
    assert event["event_id"] == "langfuse:obs-1"
    assert [event[name] for name in TOKENS] == [600, 400, None, 100]
    assert event["reasoning_tokens"] == 20
    assert (event["cost_nano"], event["cost_origin"]) == (2_300_000, "reported")
    assert (event["duration_ms"], event["ttft_ms"]) == (2_500, 400)
    assert (event["kind"], event["operation"], event["run_id"]) == ("llm", "chat", "trace-1")
    assert (event["user"], event["provider"], event["status"]) == (None, None, "ok")
    assert json.loads(event["tags"]) == {
        "prompt": "helper", "prompt_version": "3", "environment": "production",
    }  # fmt: skip
    assert "secret" not in str(event)


def test_langfuse_in_every_shape() -> None:
    def snake(row: Row) -> Row:
        return {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in k): v for k, v in row.items()
        }

    cells = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in GENERATION.items()}
    bodies = [
        json.dumps([GENERATION]),
        json.dumps(GENERATION) + "\n" + json.dumps(GENERATION | {"id": "obs-2"}),
        json.dumps({"data": [GENERATION], "meta": {"page": 1}}),
        json.dumps({"meta": {"page": 1}, "data": [GENERATION]}, indent=2),
        table(cells),
        json.dumps(snake(GENERATION)),
    ]
    for body in bodies:
        events, _ = read_all(body)
        assert events[0] == observation(), body[:40]


def test_langfuse_traces_are_runs_and_their_observations_know_whose() -> None:
    (run,), _ = read_all(json.dumps({"data": [TRACE], "meta": {}}))
    assert (run["kind"], run["workflow"], run["run_id"]) == ("workflow", "support-chat", "trace-1")
    assert (run["user"], run["conversation_id"], run["duration_ms"]) == ("ana", "s-1", 2_750)
    assert run["cost_nano"] is None
    (again, call), _ = read_all(json.dumps(TRACE | {"observations": [GENERATION]}))
    assert again == run
    assert (call["user"], call["conversation_id"]) == ("ana", "s-1")
    assert (call["workflow"], call["run_id"]) == ("support-chat", "trace-1")
    assert call["event_id"] == observation()["event_id"]
    download = {"trace": TRACE, "observations": [GENERATION]}
    assert read_all(json.dumps(download))[0] == [run, call]


def test_langfuse_kinds() -> None:
    types = ["TOOL", "RETRIEVER", "EMBEDDING", "SPAN", "AGENT", "SPAN"]
    rows = [GENERATION | {"id": str(n), "type": said} for n, said in enumerate(types)]
    events, notes = read_all(json.dumps(rows))
    tool, integration, embedding = events
    assert (tool["kind"], tool["tool"], tool["input_tokens"]) == ("tool", "answer", None)
    assert (integration["kind"], integration["integration"]) == ("integration", "answer")
    assert embedding["operation"] == "embeddings"
    assert Counter(note.split()[3] for note in notes) == {"SPAN": 2, "AGENT": 1}


@pytest.mark.parametrize(
    ("usage", "counts", "reasoning"),
    [
        ({"input": 600, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 100,
          "output": 50, "total": 1_050}, [600, 300, 100, 50], None),
        ({"input": 1_000, "input_cached_tokens": 400, "output": 100,
          "output_reasoning_tokens": 20, "total": 1_100}, [600, 400, None, 100], 20),
        ({"input": 10, "output": 5}, [10, None, None, 5], None),
        ({"input": 10, "input_audio_tokens": 4, "output": 5, "total": 19}, [14, None, None, 5],
         None),
        ({"total": 7}, [None, None, None, None], None),
    ],
)  # fmt: skip
def test_langfuse_counts_are_disjoint(usage: Row, counts: list[Any], reasoning: Any) -> None:
    event = observation(usageDetails=usage)
    assert [event[name] for name in TOKENS] == counts
    assert event["reasoning_tokens"] == reasoning


def test_langfuse_older_usage() -> None:
    older: Row = {"usageDetails": None, "costDetails": None}
    event = observation(**older, usage={"input": 9, "output": 2, "total": 11, "unit": "TOKENS"})
    assert [event[name] for name in TOKENS] == [9, None, None, 2]
    assert (event["cost_nano"], event["cost_origin"]) == (2_300_000, "reported")
    event = observation(**older, usage={"input": 9, "output": 2, "unit": "CHARACTERS"})
    assert [event[name] for name in TOKENS] == [None] * 4


def test_langfuse_a_bare_zero_had_no_price() -> None:
    event = observation(costDetails={}, calculatedTotalCost=0, provider="x")
    assert event["cost_origin"] == "list"
    assert event["cost_nano"] == 600 * 2_500 + 400 * 1_250 + 100 * 10_000
    free = observation(costDetails={"total": 0})
    assert (free["cost_nano"], free["cost_origin"]) == (0, "reported")
    unknown = observation(costDetails={}, calculatedTotalCost=None, model="our-own")
    assert unknown["cost_origin"] == "unpriced"


def test_langfuse_failures_keep_their_class_alone() -> None:
    event = observation(level="ERROR", statusMessage="RateLimitError: the prompt was: my secret")
    assert (event["status"], event["error_class"]) == ("error", "RateLimitError")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": None}, "id is missing"),
        ({"type": "DREAM"}, "type is 'DREAM', none that Langfuse has"),
        ({"startTime": None}, "startTime is not a time"),
        ({"usageDetails": [1]}, "usageDetails is not an object"),
        ({"name": "\ud800", "environment": "\ud800"}, "holds a character that cannot be stored"),
        ({"costDetails": {"total": "much"}}, "costDetails total is not a number"),
    ],
)
def test_langfuse_bad_records_are_rejected_alone(change: Row, sentence: str) -> None:
    rows = [GENERATION, GENERATION | change]
    (good, bad), _ = read_all(json.dumps(rows), "langfuse")
    assert isinstance(good, dict)
    assert sentence in bad


# FOCUS


@pytest.fixture
def charge(shared: Path) -> Row:
    """A row of the sample's columns, for a language model."""
    with gzip.open(shared / FOCUS, "rt", encoding="utf-8") as text:
        row = dict(next(csv.DictReader(text)))
    return row | {
        "ServiceCategory": "AI and Machine Learning", "ServiceName": "Amazon Bedrock",
        "BilledCost": "1.25000000001", "EffectiveCost": "1.00", "BillingCurrency": "USD",
        "ChargeDescription": "Claude Sonnet input tokens", "SubAccountName": "NULL",
        "ConsumedUnit": "1K tokens", "ConsumedQuantity": "400.000",
    }  # fmt: skip


def test_focus_sample_has_no_use_of_models(shared: Path) -> None:
    events, notes = accepted(shared / FOCUS)
    assert events == []
    assert notes == [
        "991 rows are no use of language models: not stored",
        "9 rows are AI and Machine Learning whose service sells no language models: not stored",
    ]


def test_focus_charges(charge: Row) -> None:
    (event,), notes = read_all(table(charge))
    assert (event["cost_nano"], event["cost_origin"]) == (1_250_000_000, "reported")
    assert (event["provider"], event["project"]) == ("aws.bedrock", "51738928782")
    assert (event["project_name"], event["user"], event["model"]) == (None, None, None)
    assert event["ts"] == 1_726_696_800_000_000
    assert [event[name] for name in TOKENS] == [400_000, None, None, None]
    assert tag(event, "effective_cost") == "1.00"
    assert tag(event, "quantity") == "400.000"
    assert "1.2500 USD billed, 1.0000 USD effective" in notes[1]


def test_a_bill_in_euros_says_what_is_billed_in_euros(charge: Row) -> None:
    _, notes = read_all(table(charge | {"BillingCurrency": "EUR"}))
    assert [note for note in notes if "1.2500 EUR billed, 1.0000 EUR effective" in note]
    assert not [note for note in notes if "USD billed" in note]


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ({"ConsumedUnit": "Tokens"}, (400, None, None, None)),
        ({"ConsumedUnit": "Million tokens", "SkuMeter": "Output"}, (None, None, None, 400_000_000)),
        ({"ChargeDescription": "cache read input tokens"}, (None, 400_000, None, None)),
        ({"ChargeDescription": "CacheWriteInputTokenCount"}, (None, None, 400_000, None)),
        ({"ChargeDescription": "cached output tokens"}, (None, None, None, 400_000)),
        ({"ChargeDescription": "Claude Sonnet"}, (None, None, None, None)),
        ({"ConsumedUnit": "Hours"}, (None, None, None, None)),
        ({"ChargeCategory": "Credit"}, (None, None, None, None)),
    ],
)
def test_focus_quantities_in_tokens(charge: Row, change: Row, want: tuple[int | None, ...]) -> None:
    (event,), _ = read_all(table(charge | {"SkuId": ""} | change))
    assert tuple(event[name] for name in TOKENS) == want


@pytest.mark.parametrize(
    ("change", "provider"),
    [
        ({"ServiceName": "Azure OpenAI Service"}, "azure.ai.openai"),
        ({"ServiceName": "Vertex AI"}, "gcp.vertex_ai"),
        ({"ServiceName": "Claude 3 Sonnet (Amazon Bedrock Edition)"}, "aws.bedrock"),
        ({"ServiceName": "Azure AI services", "ChargeDescription": "gpt-4o input"},
         "azure.ai.openai"),
        ({"ServiceName": "Amazon SageMaker", "ChargeDescription": "ml.g5 hours"}, None),
        ({"ServiceName": "Amazon S3", "ServiceCategory": "Storage"}, None),
        ({"ServiceName": "Some Cloud", "ServiceSubcategory": "Generative AI",
          "ChargeDescription": "tokens"}, "other"),
    ],
)  # fmt: skip
def test_focus_services(charge: Row, change: Row, provider: str | None) -> None:
    events, _ = read_all(table(charge | change))
    known = None if provider == "other" else provider
    assert [event["provider"] for event in events] == ([known] if provider else [])


def test_focus_rows_alike_are_two_charges_and_amounts_are_no_identity(charge: Row) -> None:
    first, second = read_all(table(charge, charge))[0]
    assert first["event_id"] != second["event_id"]
    corrected = read_all(table(charge | {"BilledCost": "2"}))[0][0]
    assert corrected["event_id"] == first["event_id"]
    elsewhere = read_all(table(charge | {"ResourceId": "another"}))[0][0]
    assert elsewhere["event_id"] not in (first["event_id"], second["event_id"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"BillingCurrency": "Euro"}, "BillingCurrency is 'EURO', no currency"),
        ({"BilledCost": "dear"}, "BilledCost is not a number"),
        ({"ChargePeriodStart": "NULL"}, "ChargePeriodStart is not a time"),
    ],
)
def test_focus_bad_rows_are_rejected_alone(charge: Row, change: Row, sentence: str) -> None:
    (good, bad), _ = read_all(table(charge, charge | change))
    assert isinstance(good, dict)
    assert sentence in bad


# OpenRouter and Cursor


ROUTED = {
    "generation_id": "gen-1", "created_at": "2026-06-28 03:46:57.713", "cost_total": "0.0123",
    "byok_usage_inference": "0", "tokens_prompt": "1000", "tokens_completion": "137",
    "tokens_reasoning": "30", "tokens_cached": "400", "model_permaslug": "openai/gpt-oss-120b",
    "provider_name": "Cerebras", "variant": "standard", "cancelled": "false", "user": "ana",
    "finish_reason_normalized": "stop", "generation_time_ms": "1500.4",
    "time_to_first_token_ms": "200", "api_key_name": "main", "app_name": "chat",
}  # fmt: skip


def test_openrouter_generations() -> None:
    (event, stopped, failed), _ = read_all(
        table(
            ROUTED,
            ROUTED | {"generation_id": "gen-2", "cancelled": "true"},
            ROUTED | {"generation_id": "gen-3", "finish_reason_normalized": "error"},
        )
    )
    assert event["event_id"] == "openrouter:gen-1"
    assert [event[name] for name in TOKENS] == [600, 400, None, 137]
    assert (event["reasoning_tokens"], event["cost_nano"]) == (30, 12_300_000)
    assert (event["duration_ms"], event["ttft_ms"], event["user"]) == (1_500, 200, "ana")
    assert (event["provider"], event["model"]) == ("openrouter", "openai/gpt-oss-120b")
    assert tag(event, "run_by") == "Cerebras"
    assert [e["status"] for e in (event, stopped, failed)] == ["ok", "aborted", "error"]
    bad = table(ROUTED | {"tokens_cached": "1001"}, ROUTED | {"generation_id": ""})
    (apart, sentence), _ = read_all(bad)
    assert [apart[name] for name in TOKENS] == [1_000, 1_001, None, 137]
    assert sentence == "generation_id is missing"


CURSOR = {
    "Date": "2026-02-17T18:48:04.421Z", "User": "ana@example.com", "Kind": "On-Demand",
    "Model": "claude-4.6-opus", "Max Mode": "No", "Input (w/ Cache Write)": "970",
    "Input (w/o Cache Write)": "3", "Cache Read": "21440", "Output Tokens": "785",
    "Total Tokens": "23198", "Cost": "$0.04",
}  # fmt: skip


def test_cursor_requests() -> None:
    (event, twin), notes = read_all(table(CURSOR, CURSOR))
    assert [event[name] for name in TOKENS] == [3, 21_440, 970, 785]
    assert (event["cost_nano"], event["cost_origin"]) == (40_000_000, "reported")
    assert (event["user"], event["client"], event["provider"]) == (
        "ana@example.com", "cursor", None,
    )  # fmt: skip
    assert event["event_id"] != twin["event_id"]
    assert notes == []


def test_cursor_what_a_plan_includes_costs_nothing_more() -> None:
    rows = [
        CURSOR | {"Kind": "Included"},
        CURSOR | {"Cost": "Included"},
        CURSOR | {"Kind": "Errored, Not Charged"},
        CURSOR | {"Cost": "NaN", "Model": "composer-1"},
        CURSOR | {"Kind": "Aborted, Not Charged", "Cost": "-"},
    ]
    events, notes = read_all(table(*rows))
    assert [event["cost_nano"] for event in events] == [0, 0, 0, None, 0]
    assert [event["status"] for event in events] == ["ok", "ok", "error", "ok", "aborted"]
    assert tag(events[0], "worth") == "0.04"
    assert notes == ["4 rows cost nothing beyond the plan; Cursor says they are worth 0.0800 USD"]


def test_a_total_of_cursor_that_is_not_the_sum_loses_no_count() -> None:
    (event,), _ = read_all(table(CURSOR | {"Total Tokens": "22228"}))
    assert [event[name] for name in TOKENS] == [3, 21_440, 970, 785]


# All of them


OURS = {
    BILLING: "copilot_billing",
    METRICS: "copilot_metrics",
    "copilot/mock_billing-credits.json.gz": "copilot_metrics",
    "copilot/mock_organization-28-day-report.json.gz": "copilot_metrics",
    FOCUS: "focus",
    "openai_admin_api/usage_and_costs_doc_examples.json": "openai_usage",
}
NAMES = {
    *("openai_usage", "openai_csv", "anthropic_usage", "anthropic_csv", "claude_code_analytics"),
    *("copilot_billing", "copilot_metrics", "langfuse", "focus", "openrouter", "cursor"),
}


def recognised(path: Path) -> Iterator[str]:
    try:
        head = head_of(File(path.name, path))
    except EventError:
        return
    yield from (name for name, each in formats().items() if each.recognises(head))


def test_each_takes_its_own_files_and_no_other(shared: Path) -> None:
    files = [path for path in sorted(shared.rglob("*")) if path.is_file()]
    assert len(files) > 90
    for path in files:
        found, name = list(recognised(path)), path.relative_to(shared).as_posix()
        assert len(found) <= 1, name
        assert {*found} & NAMES == {OURS[name]} if name in OURS else not {*found} & NAMES, name


BODIES = {
    "copilot_billing": lambda: table(*(BILL | {"username": str(n)} for n in range(9))),
    "copilot_metrics": lambda: json.dumps(
        {"day_totals": [
            {"day": "2026-04-01", "user_login": f"u{n}", "user_id": n, "loc_added_sum": n,
             "totals_by_cli": {"request_count": 2, "token_usage": {"prompt_tokens_sum": 9}}}
            for n in range(9)
        ]}
    ),
    "langfuse": lambda: json.dumps([GENERATION | {"id": str(n)} for n in range(9)] + [TRACE]),
    "openrouter": lambda: table(*(ROUTED | {"generation_id": str(n)} for n in range(9))),
    "cursor": lambda: table(*(CURSOR | {"User": str(n)} for n in range(9))),
    "focus": lambda: table(*(
        {"BilledCost": "1", "EffectiveCost": "1", "ListCost": "1", "BillingCurrency": "USD",
         "ChargePeriodStart": "2024-09-01 00:00:00", "ServiceName": "Amazon Bedrock",
         "ServiceCategory": "AI and Machine Learning", "ChargeCategory": "Usage", "SkuId": str(n)}
        for n in range(9)
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_whatever_comes_is_at_worst_a_rejected_record(name: str) -> None:
    body, noise = BODIES[name]().encode(), random.Random(name)
    seen = 0
    for _ in range(300):
        for _, raw in formats()[name].read(File("f", body=spoiled(body, noise)), Options()):
            try:
                seen += not isinstance(raw, Note) and bool(event_of(raw))
            except EventError:
                continue
    assert seen > 300
