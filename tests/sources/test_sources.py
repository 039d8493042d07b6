"""Reading: the real files give the totals of ground_truth.json; bad input gives a sentence."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tracemalloc
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import zstandard

from data.engines.protocol import EventStore
from data.errors import EventError, SourceError
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import File, Options, find, formats, read
from data.sources.entries import CUT_OFF
from data.sources.events import event_of
from data.sources.files import BREAK, NOT_UTF8
from data.sources.format import Note
from data.sources.litellm.calls import call
from data.sources.litellm.spend_logs import as_row

START = Options(start=datetime(2026, 1, 1, tzinfo=UTC))
LITELLM = "litellm/spendlogs.csv.gz"
CALL = {"event_id": "a", "ts": "2026-11-20T12:00:00Z", "kind": "llm"}


def accepted(path: Path, options: Options = START, name: str = "auto") -> list[Event]:
    found = read(find([path], name, options), options)
    return [event_of(raw) for _, raw in found if not isinstance(raw, Note)]


def parsed(content: str | bytes, name: str, options: Options = START) -> list[Any]:
    """The clean events of a body, and the sentence of each that is none."""
    body = content.encode() if isinstance(content, str) else content
    found = formats()[name].read(File("f", body=body), options)
    return [_event(raw) for _, raw in found if not isinstance(raw, Note)]


def _event(raw: Any) -> Any:
    try:
        return event_of(raw)
    except EventError as error:
        return str(error)


def lines(*objects: Any) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


def total(events: list[Event], *names: str) -> int:
    return sum(event[name] or 0 for event in events for name in names)


def by(events: list[Event], name: str) -> dict[str, list[Any]]:
    """Ground truth's shape: calls, dollars, tokens."""
    found: dict[str, list[Any]] = defaultdict(lambda: [0, 0, 0])
    for event in events:
        row = found[event[name] or ""]
        row[0] += 1
        row[1] += event["cost_nano"] or 0
        row[2] += total([event], "input_tokens", "cached_input_tokens", "cache_write_tokens")
        row[2] += event["output_tokens"] or 0
    return {key: [n, round(nano / 1e9, 8), tokens] for key, (n, nano, tokens) in found.items()}


@pytest.fixture
def truth(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "ground_truth.json").read_text())
    return found


@pytest.fixture
def litellm(shared: Path) -> list[Event]:
    return accepted(shared / LITELLM)


# LiteLLM


def test_litellm_totals(litellm: list[Event], truth: dict[str, Any]) -> None:
    want = truth[LITELLM]
    prompt = ("input_tokens", "cached_input_tokens", "cache_write_tokens")
    assert len(litellm) == len({event["event_id"] for event in litellm}) == want["rows"]
    assert total(litellm, "cost_nano") / 1e9 == pytest.approx(want["spend_usd"], abs=1e-9)
    assert total(litellm, *prompt) == want["prompt_tokens"]
    assert total(litellm, "cached_input_tokens") == want["cache_read_tokens"]
    assert total(litellm, "cache_write_tokens") == want["cache_write_tokens"]
    assert total(litellm, "output_tokens") == want["completion_tokens"]
    assert total(litellm, "duration_ms") == want["duration_ms_sum"]


def test_litellm_people_and_failures(litellm: list[Event], truth: dict[str, Any]) -> None:
    want = truth[LITELLM]
    statuses = Counter(event["status"] for event in litellm)
    assert statuses == {"ok": want["success"], "error": want["failure"]}
    assert len({e["user"] for e in litellm} - {None}) == want["users"]
    assert len({e["project"] for e in litellm} - {None}) == want["teams"]
    assert by(litellm, "user") == want["by_user"]
    assert by(litellm, "project") == want["by_team_id"]
    names = {event["project"]: event["project_name"] for event in litellm}
    assert names["team-datasci"] == "Data Science"
    assert names[None] is None


def test_litellm_tags_name_assistants_and_workflows(
    litellm: list[Event], truth: dict[str, Any]
) -> None:
    found = {
        f"{name}:{key}": row[:2]
        for name in ("assistant", "workflow")
        for key, row in by(litellm, name).items()
        if key
    }
    assert found == truth[LITELLM]["by_tag"]


def test_litellm_groups_and_end_users_stay_in_tags(
    litellm: list[Event], truth: dict[str, Any]
) -> None:
    kept = [json.loads(event["tags"] or "{}") for event in litellm]
    groups = Counter(tags.get("model_group", "") for tags in kept)
    want = truth[LITELLM]
    assert groups == {key: row[0] for key, row in want["by_model_group"].items()}
    assert len({tags.get("end_user") for tags in kept} - {None}) == want["end_users"]
    assert sum(tags.get("cache_hit", False) for tags in kept) == want["gateway_cache_hits"]


def test_litellm_models_have_no_prefix(litellm: list[Event]) -> None:
    pairs = {(event["provider"], event["model"]) for event in litellm}
    assert ("openai", "gpt-4o-2024-11-20") in pairs
    assert ("azure", "gpt-4.1") in pairs
    assert (None, "unknown-model") in pairs
    assert not [model for _, model in pairs if model and "/" in model]


def test_litellm_what_has_no_price_is_unpriced_and_cache_hits_are_free(
    litellm: list[Event],
) -> None:
    unpriced = [event for event in litellm if event["cost_nano"] is None]
    assert {event["model"] for event in unpriced} == {"llama-3.3-70b-instruct-onprem"}
    assert len(unpriced) == 58
    hits = [event for event in litellm if "cache_hit" in (event["tags"] or "")]
    assert {event["cost_nano"] for event in hits} == {0}
    assert total(hits, "input_tokens", "cached_input_tokens", "cache_write_tokens") > 900_000


def test_litellm_failures_say_why_and_used_nothing(litellm: list[Event]) -> None:
    classes = Counter(event["error_class"] for event in litellm if event["status"] == "error")
    assert classes["BudgetExceededError"] == 98
    assert classes["ProxyModelNotFoundError"] == 13
    refused = [event for event in litellm if event["error_class"] == "BudgetExceededError"]
    assert {event["input_tokens"] for event in refused} == {None}
    assert all(event["user"] and event["model"] for event in refused)


def test_litellm_answers_of_the_api_are_the_same_events(litellm: list[Event], shared: Path) -> None:
    stored = {event["event_id"]: event for event in litellm}
    for page in (1, 2):
        answered = accepted(shared / f"litellm/admin_api/spend_logs_v2_p{page}.json.gz")
        assert len(answered) == 100
        for event in answered:
            mine = stored[event["event_id"]]
            assert {k: v for k, v in event.items() if mine[k] != v} == {}


def test_litellm_ids_are_those_of_its_other_doors(litellm: list[Event], shared: Path) -> None:
    callbacks = (shared / "litellm/generic_api_callback").glob("*.json.gz")
    calls = [one for path in callbacks for one in json.loads(gzip.decompress(path.read_bytes()))]
    posted = [call(as_row(each))["event_id"] for each in calls]
    assert len({*posted}) == 60
    assert {*posted} <= {event["event_id"] for event in litellm}
    kinds = Counter(key.split(":")[1] for key in posted if key.count(":") > 1)
    assert (kinds["hit"], kinds["failure"]) == (9, 5)


def test_litellm_list_and_lines_are_the_same_as_the_table(
    litellm: list[Event], shared: Path
) -> None:
    with gzip.open(shared / LITELLM, "rt", newline="") as file:
        table = list(csv.DictReader(file))
    assert parsed(json.dumps(table, indent=1), "litellm") == litellm
    assert parsed(lines(*table), "litellm") == litellm


ROW = {
    "request_id": "r", "call_type": "acompletion", "spend": "0.1", "startTime": "2026-11-20 12:00",
    "custom_llm_provider": "openai", "model": "openai/gpt-4o", "prompt_tokens": 100,
    "completion_tokens": 1, "status": "success",
}  # fmt: skip


def test_litellm_spend_keeps_every_digit_down_to_a_nano_dollar() -> None:
    for spend, nano in (("0.08615160000000001", 86_151_600), ("1e-9", 1), (5e-10, 0), (1.5e-9, 2)):
        assert parsed(lines(ROW | {"spend": spend}), "litellm")[0]["cost_nano"] == nano


def test_litellm_without_the_newer_columns() -> None:
    (event,) = parsed(lines(ROW | {"endTime": "2026-11-20 12:00:01.5"}), "litellm")
    assert event["event_id"] == "litellm:r"
    assert event["duration_ms"] == 1_500
    assert event["user"] is event["project"] is event["tags"] is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"request_id": ""}, "litellm_call_id and request_id are both missing"),
        ({"status": "maybe"}, "status is 'maybe', not success or failure"),
        ({"spend": "free"}, "spend is not a number"),
        ({"startTime": ""}, "ts is missing"),
        ({"startTime": "soon"}, "ts is not a time: 'soon'"),
        ({"startTime": "1970-01-01"}, "ts lies outside the years 2000 to 2100"),
        ({"metadata": "{"}, "metadata is not JSON"),
        ({"metadata": [1]}, "this is no record of the format"),
        ({"request_tags": 7}, "this is no record of the format"),
        ({"user": 7}, "'7' is not text"),
        ({"user": "n" * 10_000}, "user is longer than 1,000 characters"),
    ],
)
def test_litellm_bad_rows_are_rejected_with_a_sentence(
    change: dict[str, Any], sentence: str
) -> None:
    good, bad = parsed(lines(ROW, ROW | change), "litellm")
    assert good["cost_nano"] == 100_000_000
    assert sentence in bad


# Traces


@pytest.mark.parametrize(
    "name", ["azure_llm_2023_code.csv.gz", "azure_llm_2023_conv.csv.gz",
             "mooncake_conversation_0-7999.jsonl.gz", "exgentic_agent_spans.csv.gz"],
)  # fmt: skip
def test_trace_totals(shared: Path, truth: dict[str, Any], name: str) -> None:
    want, events = truth[f"traces/{name}"], accepted(shared / "traces" / name)
    assert len(events) == len({event["event_id"] for event in events}) == want["rows"]
    assert total(events, "input_tokens") == want["input_tokens"]
    assert total(events, "output_tokens") == want["output_tokens"]
    for lacking in ("user", "project", "cost_nano", "cached_input_tokens", "provider"):
        assert {event[lacking] for event in events} == {None}


@pytest.mark.parametrize(
    "name", ["azure_llm_2023_code.csv.gz", "mooncake_conversation_0-7999.jsonl.gz"]
)
def test_a_longer_cut_of_a_trace_adds_what_is_more(
    shared: Path, store: EventStore, tmp_path: Path, name: str
) -> None:
    whole = gzip.decompress((shared / "traces" / name).read_bytes()).splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(whole[:1_000]))
    cut = ingest_paths([tmp_path / "cut"], store, START)
    rest = ingest_paths([shared / "traces" / name], store, START)
    assert (rest.duplicates, rest.rejected) == (cut.accepted, 0)
    assert cut.accepted + rest.accepted == rest.read
    assert ingest_paths([tmp_path / "cut"], store, START).accepted == 0


def test_azure_times_are_utc(shared: Path) -> None:
    events = accepted(shared / "traces/azure_llm_2023_code.csv.gz")
    assert events[0]["ts"] == 1_700_158_623_979_960


def test_mooncake_times_follow_the_start(shared: Path) -> None:
    path = shared / "traces/mooncake_conversation_0-7999.jsonl.gz"
    times = [event["ts"] for event in accepted(path)]
    assert (min(times), max(times) - min(times)) == (1_767_225_600_000_000, 2_435_999_000)
    with pytest.raises(SourceError, match="--start"):
        find([path], "auto", Options())


def test_exgentic_spans(shared: Path, truth: dict[str, Any]) -> None:
    want = truth["traces/exgentic_agent_spans.csv.gz"]
    events = accepted(shared / "traces/exgentic_agent_spans.csv.gz")
    failed = [event for event in events if event["status"] == "error"]
    assert len(failed) == want["error_rows"]
    assert {event["duration_ms"] for event in failed} == {event["input_tokens"] for event in failed}
    assert {event["input_tokens"] for event in failed} == {None}
    assert Counter(event["model"] for event in events) == want["models"]
    assert len({event["conversation_id"] for event in events}) == want["sessions"]
    assert abs(total(events, "duration_ms") - want["duration_ms_sum"]) < len(events) / 2
    last = datetime.fromisoformat(want["last_start"]).replace(tzinfo=UTC)
    assert max(event["ts"] for event in events) == int(last.timestamp() * 1e6)


# Canonical


def test_canonical_lines_list_and_csv_agree() -> None:
    event = CALL | {"input_tokens": "7", "user": 'Ana "<script>" 🦊, ', "cost": "0.000000001"}
    as_csv = io.StringIO()
    csv.DictWriter(as_csv, list(event)).writeheader()
    csv.DictWriter(as_csv, list(event)).writerow(event)
    bodies = (lines(event), json.dumps([event], indent=2), as_csv.getvalue())
    found = [parsed(body, "canonical") for body in bodies]
    assert found[0] == found[1] == found[2]
    assert found[0][0] | {"id_hash": 0} == found[0][0] | {
        "user": 'Ana "<script>" 🦊,', "cost_nano": 1, "cost_origin": "reported", "id_hash": 0,
        "input_tokens": 7, "source": "canonical", "channel": "other", "status": "ok",
    }  # fmt: skip


def test_canonical_cost_is_exact() -> None:
    costs = [0.1, "0.1", 3, "12345.000000001", 0, ""]
    found = parsed(lines(*(CALL | {"cost": cost} for cost in costs)), "canonical")
    want = [100_000_000, 100_000_000, 3_000_000_000, 12_345_000_000_001, 0, None]
    assert [event["cost_nano"] for event in found] == want
    body = '[{"event_id":"a","ts":"2026-11-20","kind":"llm","cost":0.300000001}]'
    assert parsed(body, "canonical")[0]["cost_nano"] == 300_000_001


def test_canonical_is_priced_unless_it_says_unpriced() -> None:
    call = CALL | {"provider": "openai", "model": "gpt-4o", "input_tokens": 1_000}
    priced, decided, message = parsed(
        lines(call, call | {"cost_origin": "unpriced"}, CALL | {"kind": "message"}), "canonical"
    )
    assert (priced["cost_nano"], priced["cost_origin"]) == (2_500_000, "list")
    assert (decided["cost_nano"], decided["cost_origin"]) == (None, "unpriced")
    assert message["cost_nano"] is None


def test_an_absurd_price_stays_unpriced() -> None:
    call = CALL | {"provider": "openai", "model": "gpt-4o", "input_tokens": 10**15}
    assert parsed(lines(call), "canonical")[0]["cost_origin"] == "unpriced"


def test_given_user_and_project_fill_only_what_is_missing() -> None:
    options = Options(user="ana", project="web")
    found = parsed(lines(CALL, CALL | {"user": "bo"}, CALL | {"project": ""}), "canonical", options)
    owners = [(event["user"], event["project"]) for event in found]
    assert owners == [("ana", "web"), ("bo", "web"), ("ana", "web")]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"event_id": None}, "event_id is missing"),
        ({"kind": "call"}, "kind is 'call', not one of"),
        ({"ts": "2026-13-45"}, "ts is not a time"),
        ({"ts": "9999-12-31T23:59:59Z"}, "ts lies outside the years 2000 to 2100"),
        ({"ts": -(10**30)}, "ts lies outside the years 2000 to 2100"),
        ({"cost": "1", "cost_nano": 1}, "cost and cost_nano are both given"),
        ({"cost": "free"}, "cost is not a number"),
        ({"user": "n" * 10_000}, "user is longer than 1,000 characters"),
        ({"user": "\x00"}, "user holds a character that cannot be stored"),
        ({"user": {"id": 1}}, "user is not text"),
        ({"tags": "{"}, "tags is not JSON"),
        ({"colour": "red"}, "unknown field 'colour'"),
    ],
)
def test_canonical_bad_records_are_rejected_with_a_sentence(
    change: dict[str, Any], sentence: str
) -> None:
    good, bad, last = parsed(lines(CALL, CALL | change, CALL), "canonical")
    assert good == last
    assert sentence in bad


# Broken files


NOISE = random.Random(1)
NDJSON = lines(*(CALL | {"event_id": f"{NOISE.getrandbits(800):x}"} for _ in range(2_000)))
LIST = json.dumps([json.loads(line) for line in NDJSON.splitlines()])


PACKERS: Final[dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]]] = {
    "gzip": (gzip.compress, lambda half: zlib.decompressobj(31).decompress(half)),
    "zstandard": (
        zstandard.ZstdCompressor().compress,
        lambda half: zstandard.ZstdDecompressor().decompressobj().decompress(half),
    ),
}


@pytest.mark.parametrize("packer", PACKERS)
@pytest.mark.parametrize("content", [NDJSON, LIST])
def test_a_half_written_pack_keeps_what_precedes_the_break(content: str, packer: str) -> None:
    pack, unpack = PACKERS[packer]
    packed = pack(content.encode())
    half = packed[: len(packed) // 2]
    whole = unpack(half).count(b"}")
    found = parsed(half, "canonical")
    assert found[-1] == BREAK
    assert 500 < whole - 1 <= len(found) - 1 <= whole
    assert all(isinstance(event, dict) for event in found[:-1])


@pytest.mark.parametrize("checksum", [False, True])
def test_wherever_a_zstandard_file_is_cut_off_it_is_said(checksum: bool) -> None:
    packer = zstandard.ZstdCompressor(write_checksum=checksum)
    one = packer.compress(lines(CALL, CALL | {"event_id": "y" * 200}).encode())
    held = packer.compress(b"") + b"\x53\x2a\x4d\x18\x03\x00\x00\x00abc"  # no data, twice
    run = packer.compress(b"\n" * 300_000)  # blocks of one byte, repeated
    for whole in (one, one + held, one + run, packer.compress(b"") + one):
        assert [type(event) for event in parsed(whole, "canonical")] == [dict, dict]
    for size in range(4, len(one)):
        assert parsed(one[:size], "canonical")[-1] == BREAK, size
    for size in range(1, len(held)):
        cut = [BREAK] if size != len(held) - 11 else []
        assert parsed(one + held[:size], "canonical")[2:] == cut, size
    assert parsed(one + run[:-1], "canonical")[2:] == [BREAK]


def test_a_gzip_that_is_none_is_one_rejection() -> None:
    assert parsed(b"\x1f\x8b nonsense", "canonical") == [BREAK]


@pytest.mark.parametrize("name", ["canonical", "litellm"])
def test_a_half_written_list_keeps_what_precedes_the_break(name: str) -> None:
    entry = CALL if name == "canonical" else ROW
    found = parsed(json.dumps([entry, entry, entry])[:-20], name)
    assert [type(event) for event in found] == [dict, dict, str]
    assert found[-1] == CUT_OFF


def test_a_half_written_line_or_row_is_one_rejection() -> None:
    assert "no JSON" in parsed(lines(CALL, CALL)[:-20], "canonical")[1]
    table = "event_id,ts,kind\na,2026-11-20,llm\nb,2026"
    assert parsed(table, "canonical")[1] == "the row has 2 cells, the header 3"
    assert "no CSV" in parsed(table + ',"ll', "canonical")[1]


def test_a_line_that_is_no_event_does_not_stop_the_rest() -> None:
    body = lines(CALL) + "not json\n[1,\n7\nNaN\n" + '{"a":' * 5_000 + "\n\n" + lines(CALL)
    found = parsed(body, "canonical")
    assert [type(event) for event in found] == [dict, str, str, str, str, str, dict]
    assert found[3] == "a record is an object with fields, not int"


def test_places_are_the_lines_of_the_file() -> None:
    item = json.dumps(CALL, indent=1)
    bodies = {
        lines(CALL) + "\n" + lines(CALL): ["f:1", "f:3"],
        f"[\n{item},\n{item}\n]": ["f:2", "f:7"],
        'event_id,ts,kind,user\na,2026,llm,"x\ny"\nb,2026,llm,z\n': ["f:2", "f:4"],
    }
    for body, places in bodies.items():
        found = formats()["canonical"].read(File("f", body=body.encode()), START)
        assert [where for where, _ in found] == places


def test_a_mark_at_the_beginning_is_no_part_of_the_text() -> None:
    for body in (lines(CALL), LIST, "event_id,ts,kind\na,2026-11-20,llm\n"):
        assert isinstance(parsed(b"\xef\xbb\xbf" + body.encode(), "canonical")[0], dict)


def test_bytes_that_are_no_text_reject_their_record_alone() -> None:
    latin = json.dumps(CALL).encode()[:-1] + b', "user": "J\xf6rg"}'
    good = json.dumps(CALL).encode()
    table = b"event_id,ts,kind,user\na,2026-11-20,llm,J\xf6rg\na,2026-11-20,llm,ana\n"
    for body in (good + b"\n" + latin + b"\n", b"[" + good + b"," + latin + b"]"):
        assert parsed(body, "canonical")[1] == NOT_UTF8
    assert parsed(table, "canonical")[0] == NOT_UTF8
    assert parsed(table, "canonical")[1]["user"] == "ana"


def test_an_endless_line_is_one_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.sources.entries.LONGEST_LINE", 1_000)
    found = parsed(lines(CALL | {"user": "x" * 5_000}, CALL), "canonical")
    assert "longer than" in found[0]
    assert isinstance(found[1], dict)


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "9" * 10_000, "1e999999999"])
def test_a_number_that_is_none_costs_itself_or_its_record_alone(number: str) -> None:
    bad = json.dumps(CALL)[:-1] + f', "input_tokens": {number}}}'
    for body in (f"[{bad},{json.dumps(CALL)}]", f"{bad}\n{json.dumps(CALL)}"):
        bad_one, event = parsed(body, "canonical")
        assert (
            bad_one["input_tokens"] is None if isinstance(bad_one, dict) else "no event" in bad_one
        )
        assert isinstance(event, dict)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_an_item_longer_than_a_chunk_is_read(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("data.sources.entries.CHUNK", size)
    body = json.dumps([CALL | {"user": "🦊é"}, CALL], ensure_ascii=False).encode()
    found = parsed(b"\xef\xbb\xbf" + body, "canonical")
    assert [event["user"] for event in found] == ["🦊é", None]


# Finding


def test_every_format_is_found() -> None:
    assert {"azure", "canonical", "exgentic", "litellm", "mooncake"} <= formats().keys()


def test_real_files_are_recognised(shared: Path) -> None:
    paths = [
        LITELLM, "litellm/admin_api/spend_logs_v2_p1.json.gz", "traces/azure_llm_2023_code.csv.gz",
        "traces/mooncake_conversation_0-7999.jsonl.gz", "traces/exgentic_agent_spans.csv.gz",
    ]  # fmt: skip
    found = find([shared / path for path in paths], "auto", START)
    names = [each.format.name for each in found if each.format]
    assert names == ["litellm", "litellm", "azure", "mooncake", "exgentic"]


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/1.jsonl", "a.ndjson", ".hidden.jsonl", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(lines(CALL | {"event_id": name}))
    found = find([tmp_path])
    root = tmp_path.name
    assert [each.file.name for each in found] == [
        f"{root}/{name}" for name in ("a.ndjson", "b/1.jsonl", "b/2.jsonl")
    ]


def test_an_unknown_file_among_others_is_one_rejection(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"hello": 1}')
    (tmp_path / "b.json").write_text(lines(CALL))
    (tmp_path / "c.json").write_text("")
    first, second, third = read(find([tmp_path]), Options())
    assert "no known format" in str(first[1])
    assert isinstance(second[1], dict)
    assert str(third[1]) == "the file is empty"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b", b"\x00\xff" * 99, b'"', b"[[["])
def test_nothing_readable_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.csv: "):
        find([tmp_path / "a.csv"])


def test_a_trace_of_offsets_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    offsets = {"timestamp": 0, "input_length": 5, "output_length": 2, "hash_ids": [1]}
    (tmp_path / "a.jsonl").write_text(lines(offsets))
    (tmp_path / "b.json").write_text(lines(CALL))
    (where, first), (_, second) = read(find([tmp_path]), Options())
    assert where.endswith("a.jsonl")
    assert "give its first instant with --start" in str(first)
    assert isinstance(second, dict)
    start = Options(start=datetime(2026, 1, 1, tzinfo=UTC))
    assert all(isinstance(each, dict) for _, each in read(find([tmp_path], options=start), start))
    with pytest.raises(SourceError, match=r"a\.jsonl: .*--start"):
        find([tmp_path / "a.jsonl"])


def test_what_nobody_knows_hears_of_the_known_and_of_maps(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("when,employee\n2026-01-01,eve\n")
    with pytest.raises(SourceError, match=r"fields: when, employee\); known are .*litellm"):
        find([tmp_path / "a.csv"])


def test_unknown_names_list_the_known(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'csv' is no known format; known are .*litellm"):
        find([tmp_path], "csv")
    with pytest.raises(SourceError, match="there is no file or folder"):
        find([tmp_path / "missing"])
    with pytest.raises(SourceError, match="no file that could be data"):
        find([tmp_path])


@pytest.mark.parametrize("shape", ["list", "lines", "table"])
def test_a_large_file_is_never_in_memory(tmp_path: Path, shape: str) -> None:
    row = ",".join(["a", "2026-11-20", "llm", "x" * 900]) + "\n"
    line = json.dumps(CALL | {"user": "x" * 900})
    content = {
        "list": "[" + ",".join([line] * 20_000) + "]",
        "lines": "\n".join([line] * 20_000),
        "table": "event_id,ts,kind,user\n" + row * 20_000,
    }[shape]
    (tmp_path / "a.gz").write_bytes(gzip.compress(content.encode(), 1))
    found = find([tmp_path / "a.gz"])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read(found, START)) == 20_000
        assert tracemalloc.get_traced_memory()[1] < len(content) / 4
    finally:
        tracemalloc.stop()
