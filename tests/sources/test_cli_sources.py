"""Coding CLIs' own logs: the real ones give their totals, whole, cut off, grown or damaged."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.commands.main import main
from data.engines.protocol import EventStore
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, read
from data.sources.events import event_of
from data.sources.report import Report
from tests.cli_logs import SESSION, TOKENS, Clock, answer, of, result, stored, sums, told, use

SPOTTER: Final = "claude_code/spotter"
CAPTURED: Final = "claude_code/cli_2.1.197"
CODEX: Final = "codex/cli_0.169.0"
AIDER: Final = "aider/aider_analytics_2024-08_2025-03.jsonl.gz"
EVERY: Final = (SPOTTER, CAPTURED, CODEX, AIDER)
THEIRS: Final = ("input_uncached", "cache_write", "cache_read", "output")


@pytest.fixture
def truth(shared: Path) -> Any:
    return json.loads((shared / "ground_truth.json").read_text())


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """Long after everything, unless a test says otherwise."""


@cache
def all_of(shared: Path, folder: str) -> list[Event]:
    events = []
    for _, raw in read(find([shared / folder]), Options()):
        if not isinstance(raw, Note):
            events.append(event_of(raw))
    return events


def imported(store: EventStore, shared: Path, folder: str) -> Report:
    report = ingest_paths([shared / folder], store)
    assert report.rejections == []
    assert report.read == report.accepted + report.duplicates
    return report


# Totals


@pytest.mark.parametrize("folder", [SPOTTER, CAPTURED])
def test_claude_code_totals(shared: Path, truth: Any, store: EventStore, folder: str) -> None:
    want = truth[folder]
    report = imported(store, shared, folder)
    assert report.duplicates == 0
    calls = "WHERE kind = 'llm' AND status = 'ok'"
    ((number, *tokens),) = stored(
        store, "count(*)", *(f"sum({name})::BIGINT" for name in TOKENS), where=calls
    )
    assert number == want["llm_calls_deduped"]
    right = [want["tokens_deduped_last_line"][name] for name in THEIRS]
    assert tokens == right != [want["WRONG_no_dedupe"][name] for name in THEIRS]
    if folder == SPOTTER:
        assert tokens[3] != want["WRONG_first_line_output"]
    assert report.tokens == sum(right)
    counted = dict(stored(store, "kind", "count(*)", where="GROUP BY kind"))
    assert counted["llm"] - number == want["synthetic_error_lines"]
    assert counted["session"] == want["sessions"]
    assert counted["tool"] == want["tool_use_blocks"]
    ((failed,),) = stored(store, "count(*)", where="WHERE kind = 'tool' AND status = 'error'")
    assert failed == want["tool_result_errors"]
    ((conversations,),) = stored(store, "count(DISTINCT conversation_id)")
    assert conversations == want["sessions"]
    clients = {client for (client,) in stored(store, "client", where="GROUP BY client")}
    assert clients <= {f"claude-code {version}" for version in ("2.1.38", "2.1.39", "2.1.197")}


@pytest.mark.parametrize("folder", [SPOTTER, CAPTURED])
def test_claude_code_models_times_and_prices(shared: Path, truth: Any, folder: str) -> None:
    want = truth[folder]
    calls = of(all_of(shared, folder), "llm", "ok")
    for model, wanted in want["by_model"].items():
        mine = [call for call in calls if call["model"] == model]
        assert [len(mine), *sums(mine, *TOKENS)] == [wanted["calls"], *(wanted[n] for n in THEIRS)]
    assert {call["model"] for call in calls} == set(want["by_model"])
    assert {call["cost_origin"] for call in calls} == {"list"}
    assert {call["provider"] for call in calls} == {"anthropic"}
    first, last = (datetime.fromisoformat(want[name]) for name in ("first_ts", "last_ts"))
    times = [call["ts"] for call in calls]
    assert int(first.timestamp() * 1e6) <= min(times) <= max(times) <= last.timestamp() * 1e6


def test_claude_code_telemetry_and_logs_meet_in_one_id(shared: Path) -> None:
    """What telemetry tells of the same use: `request_id`, `tool_use_id` and the price."""
    ids = {event["event_id"]: event for event in all_of(shared, CAPTURED)}
    cost = Counter[str]()
    for path in sorted((shared / "otlp/claude_code_2.1.197").glob("*_v1_logs.json")):
        for record in _log_records(json.loads(path.read_text())):
            if record.get("event.name") == "api_request":
                event = ids[f"claude_code:{record['request_id']}"]
                assert event["output_tokens"] == record["output_tokens"]
                cost["log"] += round(record["cost_usd"] * 1e9)
                cost["book"] += event["cost_nano"]
            elif record.get("event.name") == "tool_result":
                assert ids[f"claude_code:tool:{record['tool_use_id']}"]["tool"] == "Bash"
            elif record.get("event.name") == "api_error":
                assert ids[f"claude_code:error:{record['request_id']}"]["error_class"] == "400"
    assert cost["log"] == cost["book"] > 0


def _log_records(sent: Any) -> Iterator[dict[str, Any]]:
    for resource in sent["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                pairs = ((a["key"], *a["value"].values()) for a in record["attributes"])
                yield dict(pairs)


def test_claude_code_s_logs_and_telemetry_together_are_counted_once(
    shared: Path, store: EventStore
) -> None:
    first = imported(store, shared, CAPTURED)
    again = imported(store, shared, "otlp/claude_code_2.1.197")
    assert (again.accepted, again.duplicates) == (0, first.accepted)


def test_claude_code_belongs_somewhere(shared: Path) -> None:
    events = all_of(shared, SPOTTER)
    assert {event["repository"] for event in events} == {
        "spotter", "spotter-0rt", "spotter-4te", "spotter-dov", "spotter-gqc",
    }  # fmt: skip
    assert {event["project"] for event in events} == {event["user"] for event in events} == {None}
    (guide,) = [e for e in of(events, "tool") if "claude-code-guide" in (e["tags"] or "")]
    assert json.loads(guide["tags"])["subagent"] == "claude-code-guide"
    assert sums(of(events, "llm"), "cache_write_1h_tokens") == [490_948]
    lengths = [event["duration_ms"] for event in of(events, "session")]
    assert (max(filter(None, lengths)), lengths.count(None)) == (18_070_661, 1)


def test_codex_totals(shared: Path, truth: Any, store: EventStore) -> None:
    want = truth[CODEX]
    report = imported(store, shared, CODEX)
    assert report.duplicates == 0
    calls = of(all_of(shared, CODEX), "llm", "ok")
    fresh, cached, output, reasoning = sums(
        calls, "input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens"
    )
    assert len(calls) == want["llm_calls"]
    assert fresh + cached == want["input_tokens"]
    assert cached == want["cached_input_tokens"]
    assert (output, reasoning) == (want["output_tokens"], want["reasoning_output_tokens"])
    assert report.tokens == want["input_tokens"] + want["output_tokens"]
    assert Counter(call["model"] for call in calls) == want["models"]
    events = all_of(shared, CODEX)
    assert Counter(e["repository"] for e in of(events, "session")) == want["projects"]
    assert len(of(events, "session")) == want["sessions"]
    tools = of(events, "tool")
    assert len(tools) == want["function_calls"]
    assert {(t["tool"], t["tool_type"], t["status"]) for t in tools} == {
        ("exec_command", "function", "ok")
    }
    assert min(t["duration_ms"] for t in tools) == 0 < max(t["duration_ms"] for t in tools)
    (failed,) = of(events, "llm", "error")
    assert failed["error_class"] == "internal_server_error"
    assert report.notes == {}


def test_codex_without_records_of_usage_has_the_same_totals(shared: Path, tmp_path: Path) -> None:
    """An older version told each call only by its `token_count`, now and then twice."""
    whole = all_of(shared, CODEX)
    for path in sorted((shared / CODEX).rglob("*.jsonl")):
        lines = [line for line in path.read_text().splitlines() if "token_usage_record" not in line]
        twice = [line for line in lines for _ in range(1 + ('"token_count"' in line))]
        (tmp_path / path.name).write_text("\n".join(twice))
    older = all_of(tmp_path, ".")
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")
    assert sums(of(older, "llm"), *names) == sums(of(whole, "llm"), *names)
    assert len({event["event_id"] for event in older}) == len(older) == len(whole)


def test_aider_totals(shared: Path, truth: Any, store: EventStore) -> None:
    want = truth[AIDER]
    report = imported(store, shared, AIDER)
    events = all_of(shared, AIDER)
    assert report.accepted == len(events)
    calls = of(events, "llm", "ok")
    assert len(calls) == want["llm_calls"]
    assert sums(calls, "input_tokens", "output_tokens") == [
        want["input_tokens"], want["output_tokens"],
    ]  # fmt: skip
    assert len(of(events, "llm", "error")) == want["failed_calls"]
    assert len(of(events, "tool")) == want["command_events"]
    models = Counter(call["model"] for call in calls)
    assert len(models) == want["models"]
    assert all(models[name] == number for name, number in want["top_models"].items())
    assert len({call["user"] for call in calls} - {None}) == want["users_llm"]
    assert len({call["ts"] // (86_400 * 10**6) for call in calls}) == want["days_with_calls"]
    others = want["lines"] - len(events)
    assert list(report.notes.values()) == [others]


def test_aider_costs(shared: Path, truth: Any) -> None:
    want = truth[AIDER]
    calls = of(all_of(shared, AIDER), "llm", "ok")
    assert sum(c["cost_nano"] or 0 for c in calls) / 1e9 == pytest.approx(
        want["recorded_cost_usd"], abs=1e-6
    )
    months: dict[str, int] = defaultdict(int)
    for call in calls:
        month = datetime.fromtimestamp(call["ts"] / 1e6, UTC).strftime("%Y-%m")
        months[month] += call["cost_nano"] or 0
    assert {m: round(n / 1e9, 6) for m, n in months.items() if n} == want["cost_by_month"]
    zero = [call for call in calls if not call["cost_nano"]]
    assert len(zero) == want["llm_calls_with_zero_cost"]
    free = [call for call in zero if call["cost_origin"] == "reported"]
    assert {call["model"] for call in free if sums([call], *TOKENS)[0]} == {
        "openrouter/google/gemini-2.5-pro-exp-03-25:free"
    }
    assert {call["cost_nano"] for call in zero if call not in free} == {None}


def test_aider_keeps_repeats_of_a_file_and_no_conversation(shared: Path, truth: Any) -> None:
    events = all_of(shared, AIDER)
    assert len({event["event_id"] for event in events}) == len(events)
    again = sum(not event["event_id"].endswith(":1") for event in of(events, "llm", "ok"))
    assert again == truth[AIDER]["byte_identical_repeated_calls"]
    classes = {event["error_class"] for event in of(events, "llm", "error")}
    assert classes == {None, "SSL: CERTIFICATE_VERIFY_FAILED", "Errno 61"}
    assert {event["kind"] for event in events} == {"llm", "tool"}


# Importing again, in any order, from any part


@pytest.mark.parametrize("folder", EVERY)
def test_a_second_import_accepts_nothing(shared: Path, store: EventStore, folder: str) -> None:
    first = imported(store, shared, folder)
    again = imported(store, shared, folder)
    assert (again.accepted, again.duplicates) == (0, first.accepted)
    assert (again.tokens, again.cost_nano) == (0, 0)


@pytest.mark.parametrize("folder", [SPOTTER, CAPTURED, CODEX])
def test_the_order_of_files_does_not_matter(shared: Path, store: EventStore, folder: str) -> None:
    whole = {event["event_id"]: event for event in all_of(shared, folder)}
    paths = sorted((shared / folder).rglob("*.jsonl*"), reverse=True)
    random.Random(4).shuffle(paths)
    for path in paths:
        ingest_paths([path], store)
    assert len(stored(store, "event_id")) == len(whole)
    names = ("event_id", "ts", "repository", "conversation_id", "output_tokens", "duration_ms")
    assert stored(store, *names) == sorted(tuple(e[n] for n in names) for e in whole.values())


def logs(shared: Path) -> list[Path]:
    return sorted(
        path
        for folder in (SPOTTER, CAPTURED, CODEX)
        for path in (shared / folder).rglob("*.jsonl*")
    )


def _lines(path: Path) -> list[str]:
    packed = path.read_bytes()
    return (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode().splitlines()


def _latest(lines: Iterable[str]) -> datetime:
    found = [json.loads(line).get("timestamp") for line in lines]
    return max(datetime.fromisoformat(each) for each in found if each)


def cuts(lines: list[str]) -> list[int]:
    """Every length of a short log, some of a long one."""
    every = range(2, len(lines))
    return list(every) if len(lines) < 50 else sorted(random.Random(2).sample(every, 12))


def test_a_growing_log_gives_what_the_whole_gives(
    shared: Path, tmp_path: Path, clock: Clock
) -> None:
    """What a part tells while the log is written is what the whole tells, in every field."""
    parts = 0
    for path in logs(shared):
        lines = _lines(path)
        beside = tmp_path / path.relative_to(shared).with_suffix("")
        beside = beside if beside.suffix == ".jsonl" else beside.with_suffix(".jsonl")
        beside.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text("\n".join(lines))
        clock(_latest(lines) + timedelta(days=1))
        whole = {event["event_id"]: event for event in told(File(path.name, beside))[0]}
        for length in cuts(lines):
            beside.write_text("\n".join(lines[:length]))
            if not any("timestamp" in line for line in lines[:length]):
                continue
            clock(_latest(lines[:length]) + timedelta(seconds=1))
            for event in told(File(path.name, beside))[0]:
                assert event == whole[event["event_id"]], f"{path.name} cut at {length}"
                parts += 1
        beside.write_text("\n".join(lines))
    assert parts > 3_000


@pytest.mark.parametrize("folder", [CAPTURED, CODEX])
def test_a_log_imported_at_every_length_and_then_whole_is_exact(
    shared: Path, tmp_path: Path, store: EventStore, clock: Clock, folder: str
) -> None:
    whole = all_of(shared, folder)
    kept = tmp_path / "sessions"
    shutil.copytree(shared / folder, kept, copy_function=shutil.copyfile)
    for path in sorted(kept.rglob("*.jsonl")):
        lines = path.read_text().splitlines()
        for length in range(2, len(lines) + 1):
            path.write_text("\n".join(lines[:length]))
            clock(_latest(lines[:length]) + timedelta(minutes=1))
            ingest_paths([path], store)
    names = ("event_id", "ts", *TOKENS, "duration_ms", "status")
    assert of(whole, "session")
    assert not stored(store, *names, where="WHERE kind = 'session'")
    clock(datetime(2030, 1, 1, tzinfo=UTC))
    report = ingest_paths([kept], store)
    assert report.accepted >= len(of(whole, "session"))
    assert stored(store, *names) == sorted(tuple(e[n] for n in names) for e in whole)
    assert ingest_paths([kept], store).accepted == 0


def test_an_old_log_cut_anywhere_and_then_whole_has_its_calls_and_tools(
    shared: Path, tmp_path: Path, clock: Clock
) -> None:
    """Nothing tells the cut but the end itself, in a file that has just been written."""
    clock(now := datetime(2030, 1, 1, tzinfo=UTC))
    names = ("event_id", "kind", "status", *TOKENS)
    for path in logs(shared):
        lines = _lines(path)
        copy = tmp_path / f"{path.name.partition('.')[0]}.jsonl"
        copy.write_text("\n".join(lines))
        whole = {event["event_id"]: [event[n] for n in names] for event in told(File("f", copy))[0]}
        for length in cuts(lines):
            copy.write_text("\n".join(lines[:length]))
            os.utime(copy, (now.timestamp() - 60, now.timestamp() - 60))
            for event in told(File("f", copy))[0] if find([copy])[0].format else ():
                assert [event[n] for n in names] == whole[event["event_id"]], f"{path} {length}"


# Damage


ODD: Final[tuple[Any, ...]] = (
    *(None, True, -1, 1.5, 10**16, 10**400, float("nan"), float("inf"), "", "\x00", "9" * 2_000),
    *("2026-13-45", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    *("2026-11-22T12:00:00", "2026-11-22T12:00:00+05:30", "\\", "<synthetic>"),
    *([], [[]], {}, [{}], {"secs": 10**30, "nanos": 5}),
)


def damaged(lines: list[str], noise: random.Random) -> bytes:
    """Lines with a strange value in a place, with flipped bits, cut off, or in another order."""
    chosen = lines[: noise.randint(1, len(lines))]
    kind = noise.randrange(4)
    if kind == 0:
        for _ in range(3):
            at = noise.randrange(len(chosen))
            chosen[at] = json.dumps(strange(json.loads(chosen[at]), noise))
    if kind == 1:
        noise.shuffle(chosen)
    content = bytearray("\n".join(chosen + chosen[:3]).encode())
    if kind == 2:
        for _ in range(20):
            content[noise.randrange(len(content))] ^= 1 << noise.randrange(8)
    return bytes(content[: noise.randrange(len(content))] if kind == 3 else content)


def strange(value: Any, noise: random.Random) -> Any:
    if isinstance(value, dict | list) and value and noise.random() < 0.9:
        key = noise.choice(list(value)) if isinstance(value, dict) else noise.randrange(len(value))
        value[key] = strange(value[key], noise)
        return value
    return noise.choice(ODD)


@pytest.mark.parametrize("folder", EVERY)
def test_damage_rejects_lines_and_nothing_else(shared: Path, folder: str) -> None:
    noise = random.Random(folder)
    name = folder.partition("/")[0]
    top = shared / folder
    paths = [path for path in sorted([top, *top.rglob("*")]) if path.is_file()]
    for path in paths:
        lines = _lines(path)[:60]
        for _ in range(200 // len(paths)):
            content = damaged(list(lines), noise)
            events, bad, _ = told(File(f"{name}.jsonl", body=content))
            assert len(events) + len(bad) <= 4 * len(content.splitlines()) + 2
            assert all(len(sentence) < 300 for sentence in bad)


def test_a_large_log_is_never_in_memory(tmp_path: Path) -> None:
    steps = (answer(n, str(n), 1, use("Bash", str(n)), pad="x" * 8_000) for n in range(1_500))
    both = (json.dumps(each) for n, step in enumerate(steps) for each in (step, result(n, str(n))))
    path = tmp_path / f"{SESSION}.jsonl"
    path.write_text("\n".join(both))
    found = find([path])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(found, Options())) == 3_001
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 4
    finally:
        tracemalloc.stop()


def test_logs_are_imported_by_the_command(
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "var"))
    folders = [str(shared / folder) for folder in (CAPTURED, CODEX)]
    for accepted in (30 + 39, 0):
        assert main(lambda settings, sample: None, ["import", "--json", *folders]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["format"], report["accepted"]) == ("claude_code, codex", accepted)
