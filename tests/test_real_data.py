"""The real files, all the way: imported by the command, asked through the API, checked.

What comes out at the other end is what `ground_truth.json` says was in them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.commands import main
from tests.serving import Served, serving

LITELLM: Final = "litellm/spendlogs.csv.gz"
TRACES: Final = {
    "traces/azure_llm_2023_code.csv.gz": (),
    "traces/azure_llm_2023_conv.csv.gz": (),
    "traces/mooncake_conversation_0-7999.jsonl.gz": ("--start", "2026-01-01"),
    "traces/exgentic_agent_spans.csv.gz": (),
}
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
    assert imported(command, shared / name, *more)["accepted"] == 0
    assert command("check")[0] == 0


def test_exgentic_keeps_its_models(
    shared: Path, truth: Any, command: Command, tmp_path: Path
) -> None:
    name = "traces/exgentic_agent_spans.csv.gz"
    imported(command, shared / name)
    for one in served(tmp_path):
        rows = asked(one, "requests", "model")["rows"]
        found = {row["model"]: row["requests"] for row in rows}
        assert found == truth[name]["models"]


def test_litellm_keeps_its_totals_users_projects_and_models(
    shared: Path, truth: Any, command: Command, tmp_path: Path
) -> None:
    wanted = truth[LITELLM]
    report = imported(command, shared / LITELLM)
    assert (report["accepted"], report["rejected"]) == (wanted["rows"], 0)
    for one in served(tmp_path):
        assert_litellm(one, wanted)
    assert command("check")[0] == 0


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


def test_all_of_it_together_is_the_sum(
    shared: Path, truth: Any, command: Command, tmp_path: Path
) -> None:
    for name, more in TRACES.items():
        imported(command, shared / name, *more)
    imported(command, shared / LITELLM)
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
    assert command("check")[0] == 0
