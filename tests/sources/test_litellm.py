"""LiteLLM's doors: dumps, callbacks and sums. All of them give the same events, counted once."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.test import TestResponse

from data.engines.protocol import EventStore
from data.errors import EventError
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources import File, Note, Options, find, formats, read
from data.sources.events import event_of
from data.sources.files import BREAK, NOT_UTF8
from data.sources.format import Raw, TotalsNote
from data.sources.litellm.calls import REPEATED
from data.sources.litellm.dump import NO_LOGS, UNPACK
from data.sources.litellm.price_list import NAME, PriceLists
from data.sources.litellm.spend_logs import NOT_COUNTED
from data.sources.postgres.dump import CUT_OFF, UNREADABLE
from data.sources.report import Report
from tests.serving import KEY, serving

LOGS: Final = "litellm/spendlogs.csv.gz"
DUMP: Final = "litellm/litellm_1.106.2_spend_tables.sql.gz"
CALLBACKS: Final = "litellm/generic_api_callback"


def found(path: Path) -> tuple[dict[str, Event], list[str]]:
    """The events of a path by their ids, and its notes."""
    events, notes = {}, []
    for _, raw in read(find([path]), Options()):
        if isinstance(raw, Note):
            notes += [raw.text] if raw.text else []
        else:
            event = event_of(raw)
            events[event["event_id"]] = event
    return events, notes


def parsed(content: str | bytes, name: str) -> list[Any]:
    """Events, sentences of what is none, and notes, in order."""
    body = content.encode() if isinstance(content, str) else content
    found = formats()[name].read(File("f", body=body), Options())
    return [_said(raw) for _, raw in found if not isinstance(raw, TotalsNote)]


def _said(raw: Any) -> Any:
    try:
        return raw if isinstance(raw, Note) else event_of(raw)
    except EventError as error:
        return str(error)


@pytest.fixture
def truth(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "ground_truth.json").read_text())
    return found


@pytest.fixture
def logs(shared: Path) -> dict[str, Event]:
    return found(shared / LOGS)[0]


# The dump


def test_a_dump_holds_the_same_calls_as_the_exported_table(
    shared: Path, logs: dict[str, Event]
) -> None:
    events, _ = found(shared / DUMP)
    assert events.keys() == logs.keys()
    for key, event in events.items():
        assert event | {"user_name": None} == logs[key]


def test_a_dump_says_what_people_are_called(shared: Path) -> None:
    events = found(shared / DUMP)[0].values()
    names = {event["user"]: event["user_name"] for event in events}
    assert len(names) == 13
    assert names["u-kira"] == "Kira Novak"
    assert names[None] is None


def test_daily_sums_are_compared_and_never_added(shared: Path, store: EventStore) -> None:
    report = ingest_paths([shared / DUMP], store)
    assert (report.accepted, report.rejected, report.cost_nano) == (1786, 0, 25_585_486_550)
    assert list(report.notes) == [
        "LiteLLM's spend logs hold more than its daily sums on 1 day (2026-11-22):"
        " they do not have 60 requests with $0.190018 and 571,956 tokens"
    ]


def test_every_door_together_counts_each_call_once(
    shared: Path, store: EventStore, truth: dict[str, Any]
) -> None:
    report = ingest_paths([shared / "litellm"], store)
    want = truth[LOGS]
    assert report.accepted == want["rows"]
    assert report.rejected == 0
    assert report.cost_nano / 1e9 == pytest.approx(want["spend_usd"], abs=1e-9)
    assert report.duplicates == 1786 + 60 + 200
    assert report.notes[NOT_COUNTED.text] == 9


DAILY: Final = "litellm/daily_user_spend.csv.gz"


@pytest.mark.parametrize("order", [1, -1])
def test_a_table_and_the_daily_sums_beside_it_are_compared(
    shared: Path, store: EventStore, order: int
) -> None:
    report = ingest_paths([shared / name for name in (LOGS, DAILY)[::order]], store)
    assert (report.accepted, report.cost_nano) == (1786, 25_585_486_550)
    assert report.notes == {
        NOT_COUNTED.text: 1,
        "LiteLLM's spend logs hold more than its daily sums on 1 day (2026-11-22):"
        " they do not have 60 requests with $0.190018 and 571,956 tokens": 1,
    }
    assert ingest_paths([shared / LOGS], store).notes == {}


def test_daily_sums_tell_of_rows_that_a_table_lost(store: EventStore, tmp_path: Path) -> None:
    """Not of days before or after those of the table: they may be in another file."""
    columns = "user_id,date,spend,prompt_tokens,completion_tokens,api_requests,failed_requests"
    days = "".join(f"\nu,2026-11-{day},2,1,0,2,0" for day in ("19", "20", "21"))
    (tmp_path / "daily.csv").write_text(columns + days)
    report = stored([LINE], store, tmp_path / "logs.jsonl", tmp_path / "daily.csv")
    (note,) = (each for each in report.notes if each != NOT_COUNTED.text)
    assert "on 1 day (2026-11-20): it lost the rows of 1 requests with $1.000000" in note
    tags = columns.replace("user_id", "tag") + days
    (tmp_path / "daily.csv").write_text(tags)
    again = stored([LINE], store, tmp_path / "logs.jsonl", tmp_path / "daily.csv")
    assert [*again.notes] == [NOT_COUNTED.text]


HEAD: Final = """CREATE TABLE public."LiteLLM_SpendLogs" (
    request_id text NOT NULL,
    call_type text NOT NULL,
    "startTime" timestamp(3) without time zone NOT NULL,
    "user" text DEFAULT ''::text,
    spend double precision DEFAULT 0.0 NOT NULL,
    prompt_tokens integer DEFAULT 0 NOT NULL,
    team_id text
);

"""
COPY: Final = (
    'COPY public."LiteLLM_SpendLogs" (request_id, call_type, "startTime", "user", spend,'
    " prompt_tokens, team_id) FROM stdin;\n"
)
TEAMS: Final = r"""COPY public."LiteLLM_TeamTable" (team_id, admins, team_alias) FROM stdin;
t	{}	Team T
\.
COPY litellm."LiteLLM_UserTable" (user_email, user_id, user_alias) FROM stdin;
ana@example.com	ana	\N
bo@example.com	bo	Bo
\.
"""
NULL: Final = r"\N"
ESCAPED: Final = r"back\\slash\ttab\nline"


def row(key: str, user: str = "ana", requests: str = "10", day: str = "2026-11-20") -> str:
    return f"{key}\tacompletion\t{day} 12:00:00\t{user}\t0.25\t{requests}\tt\n"


def test_names_stand_after_the_rows_that_need_them() -> None:
    one, two, three = parsed(
        f"{HEAD}{COPY}{row('a')}{row('b', 'bo')}{row('c', NULL)}\\.\n{TEAMS}",
        "litellm-dump",
    )
    assert [each["user_name"] for each in (one, two, three)] == ["ana@example.com", "Bo", None]
    assert one["project_name"] == "Team T"
    assert (three["user"], three["cost_nano"], three["input_tokens"]) == (None, 250_000_000, 10)


def test_text_of_a_dump_is_unescaped() -> None:
    (event,) = parsed(f"{COPY}{row('a', ESCAPED)}\\.\n", "litellm-dump")
    assert event["user"] == "back\\slash\ttab\nline"


@pytest.mark.parametrize("bad", ["b\t2\n", row("b")[:-1] + "\tx\n", "\n"])
def test_a_row_of_another_width_is_rejected_alone(bad: str) -> None:
    good, refused, last = parsed(f"{COPY}{row('a')}{bad}{row('c')}\\.\n", "litellm-dump")
    assert (good["event_id"], last["event_id"]) == ("litellm:a", "litellm:c")
    assert "cells, the table 7" in refused


def test_bytes_that_are_no_text_are_rejected_alone() -> None:
    body = (COPY + row("a", "J?rg") + row("b") + "\\.\n").encode().replace(b"?", b"\xf6")
    assert parsed(body, "litellm-dump")[0] == NOT_UTF8
    assert parsed(body, "litellm-dump")[1]["user"] == "ana"


def test_where_a_dump_breaks_off_is_said() -> None:
    events = parsed(COPY + row("a") + row("b"), "litellm-dump")
    assert [type(each) for each in events] == [dict, dict, str]
    assert events[-1] == CUT_OFF
    packed = gzip.compress((COPY + "".join(row(f"{n:x}") for n in range(9_000))).encode())
    events = parsed(packed[: len(packed) // 2], "litellm-dump")
    assert events[-1] == BREAK
    assert len(events) > 1_000


def test_a_dump_without_calls_says_so() -> None:
    assert parsed(TEAMS, "litellm-dump") == [str(NO_LOGS)]
    assert parsed(f"{COPY}\\.\n", "litellm-dump") == []
    assert parsed(b"PGDMP\x01\x0e", "litellm-dump") == [str(UNPACK)]


def test_a_text_that_looks_like_a_table_is_none() -> None:
    """What people write into LiteLLM must not become rows of the spend logs."""
    forged = f"{COPY}{row('forged')}"
    other = 'COPY public."LiteLLM_AuditLog" (id) FROM stdin;\n'
    stated = f"INSERT INTO public.\"LiteLLM_AuditLog\" VALUES ('\n{forged}');\n"
    events = parsed(f"{other}{forged}\\.\n{stated}{COPY}{row('real')}\\.\n", "litellm-dump")
    assert [event["event_id"] for event in events] == ["litellm:real"]


VALUES: Final = "'{}', 'acompletion', '2026-11-20 12:00:00', 'O''Brien;\n x', 0.25, 10, NULL"
INTO: Final = 'INSERT INTO public."LiteLLM_SpendLogs" '


@pytest.mark.parametrize(
    "statements",
    [
        f"{INTO}VALUES ({VALUES.format('a')});\n{INTO}VALUES ({VALUES.format('b')});\n",
        f"{INTO}VALUES\n\t({VALUES.format('a')}),\n\t({VALUES.format('b')});\n",
        f'{INTO}(request_id, call_type, "startTime", "user", spend, prompt_tokens, team_id)'
        f" VALUES ({VALUES.format('a')}),({VALUES.format('b')});\n",
    ],
)
def test_inserted_rows_are_read_too(statements: str) -> None:
    one, two = parsed(HEAD + statements, "litellm-dump")
    assert (one["event_id"], two["event_id"]) == ("litellm:a", "litellm:b")
    assert (one["user"], one["project"], one["cost_nano"]) == ("O'Brien;\n x", None, 250_000_000)


def test_an_insert_that_cannot_be_read_is_rejected_alone() -> None:
    body = f"{HEAD}{INTO}SELECT 1;\n{INTO}VALUES (1, 2);\n{INTO}VALUES (now());\n"
    events = parsed(f"{body}{INTO}VALUES ({VALUES.format('b')});\n", "litellm-dump")
    assert events[:3] == [str(UNREADABLE), "the row has 2 values, the table 7 columns",
                          str(UNREADABLE)]  # fmt: skip
    assert events[3]["event_id"] == "litellm:b"


SUMS: Final = (
    'COPY public."LiteLLM_DailyUserSpend" (date, api_requests, spend, prompt_tokens,'
    " completion_tokens) FROM stdin;\n{}\\.\n"
)


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ("2026-11-20\t2\t0.5\t20\t0\n", []),
        ("2026-11-20\t1\t0.25\t10\t0\n2026-11-20\t1\t0.2500000000001\t10\t0\n", []),
        ("bad\tmany\t\t\t\n2026-11-20\t2\t0.5\t20\t0\n", []),
        ("2026-11-20\t6\t0.75\t30\t5\n",
         ["daily sums hold more than its spend logs on 1 day (2026-11-20): it lost the rows of"
          " 4 requests with $0.250000 and 15 tokens"]),
        ("2026-11-20\t2\t0.5\t21\t0\n", ["it lost the rows of 0 requests with $0.000000 and 1"]),
        ("2026-11-19\t1\t0.1\t1\t0\n2026-11-20\t1\t0.25\t10\t0\n",
         ["lost the rows of 1 requests with $0.100000", "they do not have 1 requests with $0.25"]),
    ],
)  # fmt: skip
def test_where_rows_and_daily_sums_differ_is_said(sums: str, said: list[str]) -> None:
    body = f"{SUMS.format(sums)}{COPY}{row('a')}{row('b')}\\.\n"
    notes = [each.text for each in parsed(body, "litellm-dump") if isinstance(each, Note)]
    assert len(notes) == len(said)
    for note, part in zip(notes, said, strict=True):
        assert part in note


# The callback


def test_callbacks_are_the_calls_of_the_logs(
    shared: Path, logs: dict[str, Event], truth: dict[str, Any]
) -> None:
    events, _ = found(shared / CALLBACKS)
    want = truth[CALLBACKS]
    assert len(events) == want["records"]
    cost = sum(each["cost_nano"] or 0 for each in events.values())
    assert cost == 190_017_890 == round(want["response_cost"] * 1e9)
    prompts = ("input_tokens", "cached_input_tokens", "cache_write_tokens")
    used = sum(each[name] or 0 for each in events.values() for name in prompts)
    assert used == want["prompt_tokens"]
    for key, event in events.items():
        mine = logs[key]
        assert 0 <= event["ts"] - mine["ts"] < (1_000_000 if event["error_class"] else 1_000)
        differ = {name for name in event if event[name] != mine[name]}
        # A failure's row holds the prompt as the gateway counted it, and other times.
        failed = {"input_tokens", "output_tokens", "duration_ms"} if event["error_class"] else set()
        assert differ <= {"ts"} | failed


def test_nothing_that_was_said_is_kept(shared: Path) -> None:
    for event in found(shared / CALLBACKS)[0].values():
        assert "REPLAY" not in json.dumps(event)


@pytest.fixture
def payloads(shared: Path) -> list[dict[str, Any]]:
    content = gzip.decompress((shared / CALLBACKS / "0005.json.gz").read_bytes())
    found: list[dict[str, Any]] = json.loads(content)
    return found


def test_a_callback_may_send_one_call_or_lines(payloads: list[dict[str, Any]]) -> None:
    listed = parsed(json.dumps(payloads), "litellm-callback")
    assert parsed("\n".join(map(json.dumps, payloads)), "litellm-callback") == listed
    assert parsed(json.dumps(payloads[0]), "litellm-callback") == listed[:1]


def test_a_callback_with_a_long_first_call_is_recognised(
    payloads: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps([payloads[0] | {"messages": "x" * 400_000}]))
    (one,) = find([path])
    assert one.format is not None
    assert one.format.name == "litellm-callback"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": None, "litellm_call_id": ""}, "litellm_call_id and request_id are both missing"),
        ({"startTime": None}, "ts is missing"),
        ({"startTime": 1e400}, "startTime is not a number"),
        ({"startTime": "soon"}, "ts is not a time: 'soon'"),
        ({"startTime": 10**14}, "this is no record of the format"),
        ({"response_cost": "free"}, "spend is not a number"),
        ({"metadata": [1]}, "this is no record of the format"),
        ({"status": "pending"}, "status is 'pending'"),
    ],
)
def test_a_bad_payload_is_rejected_alone(
    payloads: list[dict[str, Any]], change: Mapping[str, Any], sentence: str
) -> None:
    good, bad = parsed(json.dumps([payloads[0], {**payloads[1], **change}]), "litellm-callback")
    assert good["cost_nano"]
    assert sentence in bad


LINE: Final = {
    "request_id": "r", "call_type": "x", "spend": 1, "startTime": "2026-11-20",
    "custom_llm_provider": "", "litellm_call_id": "c", "prompt_tokens": 1,
}  # fmt: skip


def stored(
    lines: Iterable[Mapping[str, Any]], store: EventStore, path: Path, *others: Path
) -> Report:
    """The report of an import of these rows, and of other files."""
    path.write_text("\n".join(map(json.dumps, lines)))
    return ingest_paths([path, *others], store)


def test_a_retried_call_counts_as_its_success_and_one_failure(
    payloads: list[dict[str, Any]],
) -> None:
    done = payloads[0]
    failed = done | {"status": "failure", "id": done["litellm_call_id"], "response_cost": 0}
    found = parsed(json.dumps([failed, failed, done]), "litellm-callback")
    assert [each["status"] for each in found] == ["error", "error", "ok"]
    assert found[0]["event_id"] == found[1]["event_id"] != found[2]["event_id"]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_calls_to_which_a_client_gave_one_id_keep_their_money(
    order: tuple[int, ...], store: EventStore, tmp_path: Path
) -> None:
    spent = {"a": 0.5, "b": 1.5, "c": 2, "a_cache_hit1795352959.99": 0}
    rows: list[dict[str, Any]] = [
        LINE | {"request_id": key, "spend": spend} for key, spend in spent.items()
    ]
    rows[3] |= {"cache_hit": "True"}
    report = stored([rows[each] for each in order], store, tmp_path / "logs.jsonl")
    assert (report.accepted, report.cost_nano, report.notes) == (4, 4_000_000_000, {})
    again = [row | {"request_id": row["request_id"].replace("1795", "1796")} for row in rows]
    assert stored(again, store, tmp_path / "again.jsonl").duplicates == 4


def test_what_a_success_shares_its_ids_with_takes_nothing_from_it(
    store: EventStore, tmp_path: Path
) -> None:
    """An embedding has the id of its call alone, as have its failed attempts and its hits."""
    failed = LINE | {"request_id": "c", "status": "failure", "spend": 0, "prompt_tokens": 0}
    hit = LINE | {"request_id": "c", "cache_hit": "True", "spend": 0}
    report = stored([failed, hit, LINE | {"request_id": "c"}], store, tmp_path / "logs.jsonl")
    assert (report.accepted, report.cost_nano) == (3, 1_000_000_000)


def test_rows_that_cannot_be_told_apart_are_told(store: EventStore, tmp_path: Path) -> None:
    keys = ("r", "r_cache_hit1.1", "r_cache_hit1.2", "r_cache_hit1.2")
    report = stored([LINE | {"request_id": key} for key in keys], store, tmp_path / "logs.jsonl")
    assert (report.accepted, report.duplicates) == (2, 2)
    assert report.notes == {REPEATED.text: 2}


def test_a_call_without_its_id_goes_by_what_there_is() -> None:
    lines = (
        LINE | {"litellm_call_id": ""},
        LINE | {"litellm_call_id": "", "request_id": "r_cache_hit1.5", "cache_hit": "t"},
        LINE | {"litellm_call_id": None, "metadata": {"litellm_call_id": "c"}},
        LINE | {"request_id": ""},
    )
    told = parsed("\n".join(map(json.dumps, lines)), "litellm")
    assert [event["event_id"] for event in told] == [
        "litellm:r", "litellm:hit:r_cache_hit1.5", "litellm:c:r", "litellm:c"
    ]  # fmt: skip


def test_litellm_may_post_its_calls_here(
    payloads: list[dict[str, Any]], shared: Path, tmp_path: Path
) -> None:
    def post(name: str, content: bytes) -> TestResponse:
        headers = {"Authorization": f"Bearer {KEY}"}
        return one.client.post(f"/api/v1/events?format={name}", data=content, headers=headers)

    with serving(tmp_path) as one:
        body = (shared / CALLBACKS / "0005.json.gz").read_bytes()
        told = post("litellm-callback", gzip.decompress(body)).json
        assert told is not None
        assert (told["accepted"], told["rejected"], told["format"]) == (34, 0, "litellm-callback")
        told = post("litellm-callback", json.dumps(payloads[0]).encode()).json
        assert told is not None
        assert (told["accepted"], told["duplicates"]) == (0, 1)
        for name, content, sentence in (
            ("azure", b"[]", "'azure' is not received here"),
            ("litellm-callback", b" ", "the body is empty"),
        ):
            answer = post(name, content)
            assert (answer.status_code, sentence in answer.text) == (400, True)


# Broken bytes


def spoiled(content: bytes, times: int) -> Iterator[bytes]:
    """The content with bits flipped, or cut off somewhere."""
    noise = random.Random(7)
    for n in range(times):
        body = bytearray(content)
        for _ in range(1 + n % 5):
            body[noise.randrange(len(body))] ^= 1 << noise.randrange(8)
        yield bytes(body[: noise.randrange(len(body))] if n % 2 else body)


def test_spoiled_dumps_and_bodies_never_raise(payloads: list[dict[str, Any]]) -> None:
    rows = "".join(row(f"r{n}") for n in range(9))
    sums = SUMS.format("2026-11-20\t6\t0.75\t30\t5\n")
    dump = f"{HEAD}{sums}{COPY}{rows}\\.\n{TEAMS}{INTO}VALUES ({VALUES.format('z')});\n".encode()
    body = json.dumps(payloads[:2]).encode()
    for content, name in ((dump, "litellm-dump"), (body, "litellm-callback")):
        for one in spoiled(content, 150):
            for packed in (one, gzip.compress(one)[:-9]):
                assert all(isinstance(x, dict | str | Note) for x in parsed(packed, name))


def test_spoiled_gzip_never_raises(shared: Path) -> None:
    plain = zlib.decompressobj(31).decompress((shared / DUMP).read_bytes()[:60_000])
    for one in spoiled(gzip.compress(plain[-200_000:]), 20):
        parsed(one, "litellm-dump")


LONG_LIST: Final = {"model_map_key": "m", "note": "x" * 200}


def _row(metadata: Mapping[str, Any], *before: str) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([*before, json.dumps(metadata), "end"])
    return line.getvalue()


def _cells(lines: Iterable[str]) -> list[Any]:
    """Cells of rows as they are read, the lists in them left out."""
    found = list(csv.reader(lines))
    for row in found:
        for place, cell in enumerate(row):
            with suppress(ValueError):
                metadata = json.loads(cell)
                (metadata[0] if isinstance(metadata, list) else metadata).pop(NAME, None)
                row[place] = metadata
    return found


def test_price_lists_are_cut_out_of_rows_and_nothing_else_is() -> None:
    dearer = {NAME: LONG_LIST | {"input_cost_per_token": 2}, "a": '"}'}
    metadata: Raw = {"user_agent": "a", NAME: LONG_LIST | {"input_cost_per_token": 1}, "b": [{}]}
    escaped = {NAME: LONG_LIST | {"note": '"{' + "x" * 200}}
    as_text = {"said": json.dumps(metadata)}
    kinds: list[Raw] = [
        metadata,
        metadata,
        dearer,
        dearer,
        metadata,
        escaped,
        escaped,
        as_text,
        {"c": 1},
    ]
    lines = [
        *(line for kind in kinds for line in _row(kind).splitlines(keepends=True)),
        *_row(metadata, "two\nlines", 'a "word"').splitlines(keepends=True),
        *_row(metadata, "two\nlines").splitlines(keepends=True),
        json.dumps(metadata).replace('"', '""') + ",end\n",  # a cell without quotes around it
        _row(metadata),
    ]
    lists = PriceLists('""')
    cut = [lists.cut_row(line) for line in lines]
    assert _cells(cut) == _cells(lines)
    plain = json.dumps(metadata[NAME]).replace('"', '""')
    assert [plain in line for line in cut] == [False] * 13 + [True, False]
    assert json.dumps(escaped[NAME]).replace('"', '""') in cut[5]


def test_a_price_list_is_cut_out_of_a_copied_row() -> None:
    line = f"a\t{json.dumps({NAME: LONG_LIST, 'b': 2})}\tc\n"
    assert PriceLists('"').cut(line) == f'a\t{{"{NAME}": {{}}, "b": 2}}\tc\n'
    broken = line[:100]
    assert PriceLists('"').cut(broken) == broken
