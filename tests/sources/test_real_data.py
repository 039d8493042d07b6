"""The real files, all the way: imported by the command, asked through the API, checked.

What comes out at the other end is what `ground_truth.json` says was in them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.commands.main import main
from tests.serving import Served, serving

LITELLM: Final = "litellm/spendlogs.csv.gz"
DUMP: Final = "litellm/litellm_1.106.2_spend_tables.sql.gz"
TRACES: Final = {
    "traces/azure_llm_2023_code.csv.gz": (),
    "traces/azure_llm_2023_conv.csv.gz": (),
    "traces/mooncake_conversation_0-7999.jsonl.gz": ("--start", "2026-01-01"),
    "traces/exgentic_agent_spans.csv.gz": (),
}
KINDS: Final = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
SPENT: Final = f"requests,errors,cost,tool_calls,sessions,messages,{','.join(KINDS)}"
EVER: Final = {"preset": "custom", "from_": "2000-01-01", "to": "2100-01-01"}
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """`spendscope …` on a store of its own; returns the exit code and what it printed."""
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(lambda settings, sample: None, arguments)
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def truth(shared: Path) -> Any:
    return json.loads((shared / "ground_truth.json").read_text())


def served(tmp_path: Path) -> Iterator[Served]:
    url = f"duckdb:///{tmp_path / 'var' / 'events.duckdb'}"
    with serving(tmp_path / "var", EVENTS_URL=url) as one:
        yield one


def asked(one: Served, metrics: str, by: str = "") -> Any:
    return one.json("query", metrics=metrics, by=by, limit=100_000, **EVER)


def imported(command: Command, path: Path, *more: str) -> Any:
    code, said = command("import", "--json", str(path), *more)
    report = json.loads(said)
    assert code == (2 if report["rejected"] else 0)
    assert report["read"] == report["accepted"] + report["duplicates"] + report["rejected"]
    return report


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_keeps_its_totals(
    shared: Path, truth: Any, command: Command, tmp_path: Path, name: str
) -> None:
    wanted, more = truth[name], TRACES[name]
    report = imported(command, shared / name, *more)
    assert report["accepted"] == wanted["rows"]
    assert report["tokens"] == wanted["input_tokens"] + wanted["output_tokens"]
    for one in served(tmp_path):
        totals = asked(one, "events,requests,input_tokens,output_tokens,tokens,errors")["totals"]
        assert totals["requests"] == totals["events"] == wanted["rows"]
        assert totals["input_tokens"] == wanted["input_tokens"]
        assert totals["output_tokens"] == wanted["output_tokens"]
        assert totals["tokens"] == report["tokens"]
        assert totals["errors"] == wanted.get("error_rows", 0)
        if models := wanted["models"]:
            rows = asked(one, "requests", "model")["rows"]
            assert {row["model"]: row["requests"] for row in rows} == models


@pytest.mark.parametrize("name", [LITELLM, DUMP])
def test_litellm_keeps_its_totals_users_projects_and_models(
    shared: Path, truth: Any, command: Command, tmp_path: Path, name: str
) -> None:
    wanted = truth[LITELLM]
    report = imported(command, shared / name)
    assert (report["accepted"], report["rejected"]) == (wanted["rows"], 0)
    for one in served(tmp_path):
        assert_litellm(one, wanted)


def assert_litellm(one: Served, wanted: Any) -> None:
    names = "requests,errors,cost,tokens,output_tokens,cached_input_tokens,cache_write_tokens"
    totals = asked(one, f"{names},active_users,active_projects")["totals"]
    assert totals["requests"] == wanted["rows"]
    assert totals["errors"] == wanted["failure"]
    assert totals["cost"] == pytest.approx(wanted["spend_usd"], abs=1e-9)
    assert totals["tokens"] == wanted["prompt_tokens"] + wanted["completion_tokens"]
    assert totals["output_tokens"] == wanted["completion_tokens"]
    assert totals["cached_input_tokens"] == wanted["cache_read_tokens"]
    assert totals["cache_write_tokens"] == wanted["cache_write_tokens"]
    assert (totals["active_users"], totals["active_projects"]) == (wanted["users"], 5)
    for by, key in (("user", "by_user"), ("project", "by_team_id"), ("model", "by_model")):
        if key in wanted:
            assert_parts(asked(one, "requests,cost,tokens", by)["rows"], by, wanted[key])


def assert_parts(rows: Any, by: str, wanted: Any) -> None:
    found = {row[by] or "": (row["requests"], row["cost"] or 0, row["tokens"] or 0) for row in rows}
    assert set(found) == set(wanted)
    for name, (calls, cost, tokens) in wanted.items():
        assert found[name][0] == calls, name
        assert found[name][1] == pytest.approx(cost, abs=5e-9), name  # told to 8 digits
        assert found[name][2] == tokens, name


# What ground_truth.json calls what the API answers: by file or folder, and by metric.
Totals = dict[str, Callable[[Any], float]]
CLAUDE: Final[Totals] = {
    "requests": lambda w: w["llm_calls_deduped"] + w["synthetic_error_lines"],
    "errors": lambda w: w["synthetic_error_lines"],
    "tool_calls": lambda w: w["tool_use_blocks"],
    "input_tokens": lambda w: w["tokens_deduped_last_line"]["input_uncached"],
    "cached_input_tokens": lambda w: w["tokens_deduped_last_line"]["cache_read"],
    "cache_write_tokens": lambda w: w["tokens_deduped_last_line"]["cache_write"],
    "output_tokens": lambda w: w["tokens_deduped_last_line"]["output"],
}
SPANS: Final[Totals] = {
    "requests": lambda w: w["llm_spans"],
    "errors": lambda w: w["llm_error_spans"],
    "input_tokens": lambda w: w["input_tokens"],
    "output_tokens": lambda w: w["output_tokens"],
}
SOURCES: Final[dict[str, Totals]] = {
    "aider": {
        "requests": lambda w: w["llm_calls"] + w["failed_calls"],
        "errors": lambda w: w["failed_calls"],
        "cost": lambda w: w["recorded_cost_usd"] + 4.96e-7,  # told to 5 digits
        "tool_calls": lambda w: w["command_events"],
        "input_tokens": lambda w: w["input_tokens"],
        "output_tokens": lambda w: w["output_tokens"],
    },
    "claude_code/cli_2.1.197": CLAUDE | {"sessions": lambda w: w["sessions"]},
    "claude_code/spotter": CLAUDE,
    "codex/cli_0.169.0": {
        "requests": lambda w: w["llm_calls"] + 1,  # and a turn that failed
        "errors": lambda _: 1,
        "tool_calls": lambda w: w["function_calls"],
        "sessions": lambda w: w["sessions"],
        "cached_input_tokens": lambda w: w["cached_input_tokens"],
        "input_tokens": lambda w: w["input_tokens"] - w["cached_input_tokens"],
        "output_tokens": lambda w: w["output_tokens"],
    },
    "otlp/python_openai_v2": SPANS | {
        "tool_calls": lambda w: w["execute_tool_spans"], "messages": lambda w: w["agent_spans"],
    },
    "otlp/js_instrumentation_openai": SPANS,
    "otlp/litellm_proxy_1.106.2": {
        "requests": lambda w: w["litellm_request_spans"],
        "errors": lambda w: w["errors"],
        "cost": lambda w: w["true_cost_from_spendlogs"],
        "output_tokens": lambda w: w["output_tokens"],
    },
    "otlp/claude_code_2.1.197": {
        "requests": lambda w: w["api_request_events"] + w["api_error_events"],
        "errors": lambda w: w["api_error_events"],
        "cost": lambda w: w["cost_usd"],
        "tool_calls": lambda w: w["tool_result_events"],
        "input_tokens": lambda w: w["input_uncached"],
        "cached_input_tokens": lambda w: w["cache_read"],
        "cache_write_tokens": lambda w: w["cache_write"],
        "output_tokens": lambda w: w["output"],
    },
    "otlp/codex_0.169.0": {
        "requests": lambda w: w["usage_events"] + w["api_requests_http_500"],
        "errors": lambda w: w["api_requests_http_500"],
        "tool_calls": lambda w: w["tool_results"],
        "cached_input_tokens": lambda w: w["cached"],
        "input_tokens": lambda w: w["input_tokens"] - w["cached"],
        "output_tokens": lambda w: w["output_tokens"],
    },
    "litellm/generic_api_callback": {
        "requests": lambda w: w["records"],
        "cost": lambda w: w["response_cost"],
        "output_tokens": lambda w: w["completion_tokens"],
    },
    "copilot/copilot_billing_usage_real_pseudonymised.csv": {
        "requests": lambda w: w["rows"],
        "cost": lambda w: w["net_amount"],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_keeps_its_totals(
    shared: Path, truth: Any, command: Command, tmp_path: Path, name: str
) -> None:
    key = "aider/aider_analytics_2024-08_2025-03.jsonl.gz" if name == "aider" else name
    report = imported(command, shared / name)
    assert report["rejected"] == 0
    for one in served(tmp_path):
        totals = asked(one, SPENT)["totals"]
        for metric, wanted in SOURCES[name].items():
            assert totals[metric] == pytest.approx(wanted(truth[key]), abs=1e-9), metric
        assert report["tokens"] == sum(totals[kind] or 0 for kind in KINDS)
    again = imported(command, shared / name)
    assert (again["accepted"], again["read"]) == (0, report["read"])


# What other documents hold, summed up here: by file or folder, and by metric.
def pages_of_litellm(shared: Path) -> dict[str, float]:
    pages = (told(shared / f"litellm/admin_api/spend_logs_v2_p{n}.json.gz") for n in (1, 2))
    rows = {row["request_id"]: row for page in pages for row in page["data"]}.values()
    return {
        "requests": len(rows),
        "errors": sum(row["status"] == "failure" for row in rows),
        "cost": sum(row["spend"] for row in rows),
        "tokens": sum(row["prompt_tokens"] + row["completion_tokens"] for row in rows),
        "active_users": len({row["user"] for row in rows} - {"", None}),
    }


def days_of_copilot(shared: Path) -> dict[str, float]:
    days = told(shared / COPILOT)["day_totals"]
    cli = [day["totals_by_cli"] for day in days if "totals_by_cli" in day]
    used = [each["token_usage"] for each in cli]
    return {
        "sessions": len(days),
        "requests": sum(each["request_count"] for each in cli),
        "tokens": sum(each["prompt_tokens_sum"] + each["output_tokens_sum"] for each in used),
        "lines_added": sum(day["loc_added_sum"] for day in days),
        "lines_removed": sum(day["loc_deleted_sum"] for day in days),
        "active_users": len({day["user_login"] for day in days}),
    }


def examples_of_openai(shared: Path) -> dict[str, float]:
    answers = told(shared / "openai_admin_api/usage_and_costs_doc_examples.json").values()
    rows = [row for page in answers for day in page["data"] for row in day["results"]]
    used = [row for row in rows if row.get("num_model_requests") and "input_tokens" in row]
    return {
        "requests": sum(
            row["num_model_requests"] for row in rows if not row["object"].endswith(TOOLS)
            if "num_model_requests" in row
        ),
        "tokens": sum(row["input_tokens"] + row.get("output_tokens", 0) for row in used),
    }  # fmt: skip


def told(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


COPILOT: Final = "copilot/mock_organization-users-28-day-report.json.gz"
TOOLS: Final = ("web_searches.result", "file_searches.result")  # used by a model, no calls of one
DOCUMENTS: Final[dict[str, Callable[[Path], dict[str, float]]]] = {
    "litellm/admin_api": pages_of_litellm,
    COPILOT: days_of_copilot,
    "openai_admin_api": examples_of_openai,
    "focus": lambda _: {"events": 0},
    "litellm/daily_user_spend.csv.gz": lambda _: {"events": 0},
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_keeps_its_totals(
    shared: Path, command: Command, tmp_path: Path, name: str
) -> None:
    report = imported(command, shared / name)
    assert report["rejected"] == 0
    wanted = DOCUMENTS[name](shared)
    for one in served(tmp_path):
        totals = asked(one, ",".join(wanted))["totals"]
        for metric, number in wanted.items():
            assert totals[metric] == pytest.approx(number, abs=1e-9), metric
        assert report["tokens"] == asked(one, "tokens")["totals"]["tokens"] or not report["tokens"]
    assert imported(command, shared / name)["accepted"] == 0


def test_the_sixty_calls_of_litellm_are_counted_once(
    shared: Path, truth: Any, command: Command, tmp_path: Path
) -> None:
    """They lie in the callback, in telemetry, in the dump and in the log, which comes last."""
    for name in ("litellm/generic_api_callback", "otlp/litellm_proxy_1.106.2", DUMP):
        imported(command, shared / name)
    assert imported(command, shared / LITELLM)["accepted"] == 0
    for one in served(tmp_path):
        totals = asked(one, SPENT)["totals"]
        assert totals["requests"] == truth[LITELLM]["rows"]
        assert totals["errors"] == truth[LITELLM]["failure"]
        assert totals["cost"] == pytest.approx(truth[LITELLM]["spend_usd"], abs=1e-9)


def test_all_of_it_together_is_the_sum_and_passes_the_checks(
    shared: Path, truth: Any, command: Command, tmp_path: Path
) -> None:
    reports = [imported(command, shared / name, *more) for name, more in TRACES.items()]
    reports += [imported(command, shared / LITELLM)]
    is_the_sum(tmp_path, truth)
    reports += [imported(command, shared / name) for name in (*SOURCES, *DOCUMENTS)]
    code, said = command("check")
    assert code == 0, said
    again = [imported(command, shared / name, *more) for name, more in reversed(TRACES.items())]
    assert [report["accepted"] for report in again] == [0] * len(again)
    assert sum(report["accepted"] for report in reports) > 40_000


def is_the_sum(tmp_path: Path, truth: Any) -> None:
    """What the store holds is LiteLLM's and the traces' together."""
    with_input = [truth[name] for name in TRACES]
    for one in served(tmp_path):
        totals = asked(one, "requests,tokens")["totals"]
        spend = truth[LITELLM]["prompt_tokens"] + truth[LITELLM]["completion_tokens"]
        assert totals["requests"] == sum(w["rows"] for w in with_input) + truth[LITELLM]["rows"]
        assert totals["tokens"] == spend + sum(
            w["input_tokens"] + w["output_tokens"] for w in with_input
        )
        parts = [row["requests"] for row in asked(one, "requests", "source")["rows"]]
        assert sum(parts) == totals["requests"]
