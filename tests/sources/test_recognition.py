"""A format is known by what it needs; what only looks like usage is refused, at every door."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from data import sources
from data.sources import File, Options, files, find, formats, head_of, read
from data.sources.entries import entries, line_values
from tests.doors import Door

ASSISTANT: dict[str, Any] = {
    "sessionId": "session-041101e6-2a7f-4dfd-90b0-57888a353f6a", "type": "assistant", "uuid": "u2",
    "timestamp": "2026-02-27T09:11:40.000Z",
    "message": {"id": "msg_1", "role": "assistant", "model": "glm-5", "content": [],
                "usage": {"input_tokens": 16472, "output_tokens": 224}},
}  # fmt: skip
PROMPT = ASSISTANT | {
    "type": "user", "uuid": "u1", "cwd": "/home/ana/shop", "version": "1.0.0",
    "message": {"role": "user", "content": "a prompt"},
}  # fmt: skip
LITELLM_2024 = (
    b"request_id,call_type,api_key,spend,total_tokens,prompt_tokens,completion_tokens,startTime,"
    b"endTime,model,user,team_id,request_tags,cache_hit\n"
    b"chatcmpl-1,acompletion,k,0.0021,130,100,30,2024-06-01 10:00:00,2024-06-01 10:00:02,gpt-4o,"
    b"ana,shop,[],\n"
)
LEAN: dict[str, tuple[str, bytes]] = {
    "litellm": ("logs.csv", LITELLM_2024),
    "copilot_billing": (
        "usage.csv", b"date,username,product,sku,quantity,unit_type\n"
        b"2025-08-03,ana,copilot,copilot_premium_request,3,requests\n",
    ),
    "cursor": (
        "usage.csv", b"Date,Model,Input (w/o Cache Write),Output Tokens,Cost\n"
        b"2025-08-03T10:00:00Z,gpt-5,100,20,$0.10\n",
    ),
    "openrouter": (
        "usage.csv", b"generation_id,created_at,model_permaslug\ng1,2025-08-03,openai/gpt-5\n",
    ),
    "focus": (
        "bill.csv", b"BilledCost,BillingCurrency,ChargePeriodStart,ServiceName\n"
        b"1.5,USD,2025-08-03T00:00:00Z,Amazon Bedrock\n",
    ),
    "openai_csv": (
        "usage.csv", b"start_time,end_time,num_model_requests,model,input_tokens,output_tokens\n"
        b"1759622400,1759708800,2,gpt-5-mini,100,20\n",
    ),
    "iflow": ("session-041101e6.jsonl", f"{json.dumps(PROMPT)}\n{json.dumps(ASSISTANT)}".encode()),
}  # fmt: skip
CONVERSATION: dict[str, Any] = {"title": "t", "create_time": 1.0, "mapping": {}, "id": "1"}
ACCESS = b'10.0.0.1 - ana [20/Nov/2026:10:00:00 +0000] "POST /v1/chat HTTP/1.1" 200 12\n'
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "workbook": ("usage.xlsx", b"PK\x03\x04\x14\x00xl/workbook.xml", "save its sheet as CSV"),
    "page": ("usage.csv", b"<!DOCTYPE html><html>Sign in</html>", "a page to look at"),
    "chatgpt": ("conversations.json", json.dumps([CONVERSATION]).encode(), "ChatGPT conversations"),
    "claude": (
        "conversations.json", b'[{"uuid": "1", "name": "", "chat_messages": []}]',
        "Claude conversations",
    ),
    "access log": ("access.log", ACCESS, "web server's access log"),
    "batch input": (
        "batch.jsonl", b'{"custom_id": "1", "method": "POST", "url": "/v1/x", "body": {}}\n',
        "import its output file",
    ),
    "ccusage": ("u.json", b'{"daily": [{"date": "2026-01-01"}], "totals": {}}', "ccusage"),
    "batch status": (
        "batch.json", b'{"id": "batch_1", "object": "batch", "request_counts": {"total": 2}}',
        "import its output file",
    ),
    "codex exec": (
        "run.jsonl", b'{"type": "thread.started", "thread_id": "t"}\n{"type": "turn.completed"}\n',
        "codex exec",
    ),
    "gemini -p": ("out.json", b'{"response": "hi", "stats": {"models": {}}}', "gemini -p"),
    "failed answer": ("a.json", b'{"error": {"message": "bad key"}}', "a request that failed"),
    "other columns": ("people.csv", b"name,city\nana,Bonn\n", "map them to fields: name, city)"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAN)
def test_columns_that_nobody_needs_may_be_missing(name: str, door: Door) -> None:
    path, body = LEAN[name]
    head = head_of(File(path, body=body))
    assert [each.name for each in formats().values() if each.recognises(head)] == [name]
    outcome = door(body, path)
    assert outcome.error == ""
    assert (outcome.report["format"], outcome.counts) == (name, (1, 0, 0))


@pytest.mark.parametrize("what", REFUSED)
def test_what_only_looks_like_usage_is_refused(what: str, door: Door) -> None:
    name, body, sentence = REFUSED[what]
    assert sentence in door(body, name).error


def test_a_log_of_iflow_is_not_claude_codes(door: Door) -> None:
    name, body = LEAN["iflow"]
    report = door(body, name).report
    assert (report["format"], report["tokens"]) == ("iflow", 16_696)


def test_an_answer_of_iflow_that_tells_no_tokens_is_a_call_without_them(door: Door) -> None:
    silent = {**ASSISTANT, "message": ASSISTANT["message"] | {"usage": {"input_tokens": 0}}}
    body = f"{json.dumps(PROMPT)}\n{json.dumps(silent)}".encode()
    outcome = door(body, "session-1.jsonl")
    assert (outcome.counts, outcome.report["tokens"]) == ((1, 0, 0), 0)


def test_a_file_that_tells_of_no_use_says_so(door: Door) -> None:
    outcome = door(json.dumps(PROMPT).encode(), "session-1.jsonl")
    assert outcome.counts == (0, 0, 0)
    [note] = outcome.report["notes"]
    assert note["what"].startswith("a file of iFlow's session logs tells of no use")


def test_a_small_file_is_opened_once_by_who_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    unpacked = File._raw
    monkeypatch.setattr(File, "_raw", lambda file: opened.append(file) or unpacked(file))
    for body in (b"a,b\n1,2\n", b'[{"a": 1}, {"a": 2}]', gzip.compress(b'{"a": 1}\n{"a": 2}')):
        opened.clear()
        file = File("f", body=body).keeping_head()
        found = list(entries(file))
        assert (len(opened), found) == (1, list(entries(File("f", body=body))))


def test_a_file_that_breaks_off_early_shows_what_is_before() -> None:
    packed = gzip.compress(bytes(range(256)) * 400, 1)
    start = File("f", body=packed[: len(packed) // 2]).head()
    assert start
    assert (bytes(range(256)) * 400).startswith(start)


def test_integers_of_absurd_length_spoil_their_value_alone() -> None:
    content = b'{"a": %s, "b": 2}' % (b"9" * 5_000)
    for body in (content, b"[" + content + b"]"):
        ((_, value),) = entries(File("f", body=body))
        assert (value["a"] > 10**15, value["b"]) == (True, 2)


def test_small_files_are_read_once_from_a_folder_and_large_ones_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        lines = [json.dumps({**ASSISTANT, "uuid": f"{name}{n}"}) for n in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join([json.dumps(PROMPT), *lines]))
    inputs = find([tmp_path])
    assert [each.file.held > 0 for each in inputs] == [True] * 3
    kept = list(read(inputs, Options()))
    monkeypatch.setattr(sources, "MOST_HELD", 1)
    lean = find([tmp_path])
    assert [each.file.held for each in lean] == [0] * 3
    assert kept == list(read(lean, Options()))


def test_a_file_with_stray_bytes_is_read_alike_from_memory(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n{"a": "\xff"}\r{"a": "\xef\xbf\xbd"}\n{"a": 4}')
    small = File("f", path).keeping_head()
    assert small.begins()
    assert small.held
    found, streamed = list(line_values(small)), list(line_values(File("f", path)))
    assert [str(one) for one in found] == [str(one) for one in streamed]
    assert len(found) == 4


def test_lines_are_those_of_a_text_however_they_end() -> None:
    shuffled = random.Random(7)
    pieces = (b"a", b"\r", b"\n", b"\r\n", b"\xc3\xa9", b"\xff", b"\xe2\x80\xa8\x0b", b"\x00b")
    for size in range(200):
        body = b"".join(shuffled.choices(pieces, k=size % 20))
        body = (b"", codecs.BOM_UTF8)[size % 2] + b"plain " + body
        stream = io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", "surrogateescape", newline="")
        expected = list(stream)
        for file in (File("f", body=body), File("f", body=body).keeping_head()):
            file.head()
            assert list(file.lines()) == expected
    assert list(File("f", body=codecs.BOM_UTF8).lines()) == []


def test_an_endless_line_is_dropped_and_the_next_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "LONGEST_LINE", 10)
    body = "é".encode() * 10 + b"\n" + b"x" * 999 + b"\ny\r" + b"z" * 30
    found = list(File("f", body=body).lines())
    assert [len(line) for line in found] == [11, 11, 2, 11]
    assert [line[:1] for line in found] == ["é", "x", "y", "z"]
