"""What coding agents keep on a machine: found, imported at a yes, sent once, never a content."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from werkzeug.serving import make_server

from callbacks.commands import sending
from data.events.table import FIELDS
from data.ingest.sent import Sent
from data.sources import formats
from data.sources.places import found_here
from tests.commands.conftest import Run
from tests.serving import ADMIN, KEY, Served, serving

FIELD: Final = Path(__file__).resolve().parents[1] / "field"
BEARER: Final = "send Authorization: Bearer KEY"
CANARY: Final = "canary-of-a-prompt"
SESSION: Final = "0e0e0e0e-1111-4222-8333-444444444444"
CASES: Final = {
    "iflow-session-like-claude-code": ".iflow/projects",
    "qwen-code-without-usage": ".qwen/projects",
    "opencode-database-and-old-storage": ".local/share/opencode",
    "copilot-cli-resumed-session": ".copilot/session-state",
    "cline-roo-task-with-a-cancelled-request": ".config/Code/User/globalStorage",
    "amp-thread-cache-and-no-ledger": ".local/share/amp",
    "gemini-cli-jsonl-rewritten-messages": ".gemini/tmp",
}  # fmt: skip
SOURCES: Final = {
    "amp", "claude_code", "cline", "copilot_cli", "gemini_cli", "iflow", "opencode", "qwen_code",
}  # fmt: skip
CONTENTS: Final = {
    *("content", "text", "thinking", "summary", "title", "display", "prompt", "arguments"),
    *("output", "result", "stdout", "stderr", "request", "description", "command", "instructions"),
}  # fmt: skip
ANSWER: Final = {
    "type": "assistant", "sessionId": SESSION, "timestamp": "2026-05-20T12:00:02Z", "uuid": "u2",
    "isSidechain": False, "cwd": "/home/ana/src/shop", "version": "2.1.39", "requestId": "req_1",
    "message": {"id": "msg_1", "role": "assistant", "model": "claude-sonnet-4-5",
                "content": [{"type": "text", "text": "an answer"},
                            {"type": "tool_use", "id": "t1", "name": "Bash",
                             "input": {"command": "ls"}}],
                "stop_reason": "tool_use",
                "usage": {"input_tokens": 10, "output_tokens": 5}},
}  # fmt: skip
PROMPT: Final = ANSWER | {
    "type": "user", "uuid": "u1", "timestamp": "2026-05-20T12:00:00Z",
    "message": {"role": "user", "content": "a prompt"},
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A developer's machine with a log of every agent, each prompt and answer marked."""
    home = tmp_path / "home"
    for case, place in CASES.items():
        shutil.copytree(FIELD / case / "input", home / place, dirs_exist_ok=True)
    (at := home / ".claude/projects/-home-ana-src-shop").mkdir(parents=True)
    (at / f"{SESSION}.jsonl").write_text(f"{json.dumps(PROMPT)}\n{json.dumps(ANSWER)}\n")
    for path in home.rglob("*"):
        if path.is_file():
            mark(path)
            os.utime(path, (1_780_000_000, 1_780_000_000))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "own"))
    return home


def mark(path: Path) -> None:
    """Put the canary wherever a content could be, and where nothing is expected."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as database, database:
            for key, data in database.execute("SELECT id, data FROM message").fetchall():
                told = json.dumps(marked(json.loads(data)))
                database.execute("UPDATE message SET data = ? WHERE id = ?", [told, key])
        return
    text = path.read_text()
    if path.suffix == ".jsonl":
        lines = [json.dumps(marked(json.loads(one))) for one in text.splitlines() if one.strip()]
        path.write_text("\n".join(lines) + "\n")
    else:
        path.write_text(json.dumps(marked(json.loads(text)), indent=1))


def marked(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        told = {name: marked(each, name) for name, each in value.items()}
        return told | {"unheard_of": CANARY, "title": told.get("title", CANARY)}
    if isinstance(value, list):
        return [marked(each, key) for each in value]
    if isinstance(value, str) and key in CONTENTS:
        inner = value.strip().startswith("{") and json.loads(value)
        return json.dumps(marked(inner)) if inner else CANARY
    return value


class Receiver:
    """A server that answers as told, and keeps what it was sent; who only asks whether a key is
    good is refused as told, too."""

    def __init__(self) -> None:
        self.bodies: list[list[dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, dict[str, str], Any]] = []
        self.asked = 0

    def take(self, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        self.headers.append(headers)
        if body == sending.NOTHING:
            self.asked += 1
            if not self.refuses:
                return 400, {}, {"error": {"message": "the body is empty", "parameter": "body"}}
        if self.answers:
            return self.answers.pop(0)
        self.bodies.append([json.loads(line) for line in gzip.decompress(body).splitlines()])
        return 200, {}, {"rejections": [], "accepted": len(self.bodies[-1])}

    @property
    def refuses(self) -> bool:
        """Whether the next answer is for good: the server is neither busy nor reports."""
        if not self.answers:
            return False
        code, _, told = self.answers[0]
        return code not in sending.BUSY and not (isinstance(told, dict) and "rejections" in told)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies for event in body]


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code, headers, told = kept.take(body, dict(self.headers))
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(code)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, str]]:
    with serving(tmp_path, NOW="2026-06-20T12:00:00+00:00") as one:
        server = make_server("127.0.0.1", 0, one.app.server, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield one, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def stored(served: Served) -> set[tuple[Any, ...]]:
    with served.store.sql.connect() as connection:
        rows = connection.exec_driver_sql('SELECT event_id, "user", source FROM events')
        return {tuple(row) for row in rows}


# Found, and imported at a yes


@pytest.mark.usefixtures("home")
def test_every_agent_is_found_where_it_keeps_its_logs() -> None:
    found = {each.format.name: len(each.inputs) for each in found_here()}
    assert found.keys() == SOURCES
    assert (found["opencode"], found["claude_code"]) == (2, 1)
    assert sum(each.size for each in found_here()) > 1_000


def test_other_folders_are_named_by_variables(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = home / "elsewhere"
    (home / ".claude").rename(moved)
    assert "claude_code" not in [each.format.name for each in found_here()]
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{home / 'none'}, {moved}")
    [found] = [each for each in found_here() if each.format.name == "claude_code"]
    assert found.folders == (moved / "projects",)


def test_docs_name_the_places() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()
    for each in formats().values():
        plain = [place for place in each.places if "*" not in place and "$" not in place]
        assert not each.places or any(place in text for place in plain), each.name


@pytest.mark.usefixtures("home")
def test_what_is_here_is_imported_at_a_yes(run: Run) -> None:
    code, out, err = run("import", "--here", "--yes", "--user", "ana", "--json")
    report = json.loads(out)
    assert code in (0, 2)
    assert report["accepted"] > 10
    assert "Claude Code session logs: 1 file, 0.0 MB in ~/.claude/projects" in err
    again = json.loads(run("import", "--here", "--yes", "--user", "ana", "--json")[1])
    assert (again["accepted"], again["read"]) == (0, report["read"])


@pytest.mark.usefixtures("home")
def test_only_what_somebody_says_yes_to_is_imported(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "y" if "iFlow" in question else ""

    monkeypatch.setattr("builtins.input", answer)
    _, out, _ = run("import", "--here", "--json")
    assert (json.loads(out)["format"], json.loads(out)["accepted"]) == ("iflow", 3)
    assert len(asked) == len(found_here())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "name files or folders, or --here: one of the two"),
        (("--here", "x.csv"), "name files or folders, or --here: one of the two"),
        (("--here",), "say yes at a terminal, or --yes for all of it"),
    ],
)
@pytest.mark.usefixtures("home")
def test_nothing_is_imported_unasked(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, out, err = run("import", *arguments)
    assert (code, out) == (1, "")
    assert sentence in err


def test_a_machine_without_logs_is_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "own"))
    assert "no coding agent has kept a log" in run("import", "--here")[2]


# Sent


@pytest.mark.usefixtures("home")
def test_only_usage_is_sent(run: Run, receiver: tuple[Receiver, str]) -> None:
    kept, url = receiver
    assert run("send", "--to", url, "--key", "k")[0] == 0
    assert {event["source"] for event in kept.events} == SOURCES
    for event in kept.events:
        assert set(event) <= set(FIELDS)
        assert CANARY not in json.dumps(event), event
        assert "user" not in event
    assert {headers["Authorization"] for headers in kept.headers} == {"Bearer k"}
    listed = [event for event in kept.events if event["source"] == "claude_code"]
    assert all("cost_nano" not in event for event in listed)


def test_the_server_stamps_whose_it_is_and_prices_it(
    home: Path, run: Run, served: tuple[Served, str]
) -> None:
    one, url = served
    body = {"name": "Ana's laptop", "source": "laptop", "user": "ana"}
    made: Any = one.client.post("/api/v1/ingest-keys", json=body, headers=one.headers(ADMIN)).json
    code, out, _ = run("send", "--to", url, "--key", made["key"])
    assert (code, "rejected" in out) == (0, False)
    before = stored(one)
    assert {(user, source) for _, user, source in before} == {("ana", "laptop")}
    with one.store.sql.connect() as connection:
        priced = "SELECT count(*) FROM events WHERE cost_origin = 'list' AND model LIKE 'claude%'"
        assert connection.exec_driver_sql(priced).scalar_one() > 0
    (home / ".local/state/spendscope").rename(home / "lost")  # all is sent again: known by its id
    assert run("send", "--to", url, "--key", made["key"])[0] == 0
    assert stored(one) == before


def test_nothing_is_sent_twice_and_what_grew_is_sent(
    home: Path, run: Run, receiver: tuple[Receiver, str]
) -> None:
    kept, url = receiver
    run("send", "--to", url, "--key", "k")
    kept.bodies.clear()
    assert run("send", "--to", url, "--key", "k")[1] == ""
    assert kept.bodies == []
    log = home / f".claude/projects/-home-ana-src-shop/{SESSION}.jsonl"
    more = ANSWER | {"requestId": "req_2", "uuid": "u3", "timestamp": "2026-05-20T12:00:09Z"}
    log.write_text(log.read_text() + json.dumps(more) + "\n")
    os.utime(log, (1_780_000_100, 1_780_000_100))
    run("send", "--to", url, "--key", "k")
    ids = [event["event_id"] for event in kept.events]
    assert "claude_code:req_2" in ids
    assert "claude_code:req_1" not in ids


def test_what_waits_for_silence_is_sent_when_it_has_come(
    home: Path, run: Run, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, url = receiver
    log = home / f".claude/projects/-home-ana-src-shop/{SESSION}.jsonl"
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60))
    log.write_text(re.sub(r"2026-05-20T12:00:0\dZ", stamp, log.read_text()))
    os.utime(log, (now - 60, now - 60))
    run("send", "--to", url, "--key", "k")
    assert not any(e["event_id"].startswith("claude_code:session") for e in kept.events)
    kept.bodies.clear()
    run("send", "--to", url, "--key", "k")
    assert kept.bodies == []
    later = now + 6 * 3_600
    monkeypatch.setattr("data.ingest.sent.time.time", lambda: later)
    monkeypatch.setattr(
        "data.sources.sessions.clock",
        lambda: datetime.fromtimestamp(later, UTC),
    )
    run("send", "--to", url, "--key", "k")
    assert any(e["event_id"].startswith("claude_code:session") for e in kept.events)


class Killed(BaseException):
    """The machine went off."""


@pytest.mark.usefixtures("home")
def test_a_sender_that_is_killed_anywhere_loses_nothing_and_doubles_nothing(
    run: Run, served: tuple[Served, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, url = served
    monkeypatch.setattr(sending, "BATCH", 2)
    keep, calls = Sent.keep, 0

    def fails_now_and_then(self: Any, events: Any) -> None:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise Killed
        keep(self, events)

    monkeypatch.setattr(Sent, "keep", fails_now_and_then)
    ended = 0
    while True:
        try:
            run("send", "--to", url, "--key", KEY)
            break
        except Killed:
            ended += 1
    assert ended > 2
    found = stored(one)
    monkeypatch.undo()
    assert len(found) == len({event_id for event_id, _, _ in found}) > 10


@pytest.mark.usefixtures("home")
def test_a_busy_server_is_waited_for(
    run: Run, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, url = receiver
    slept: list[float] = []
    monkeypatch.setattr("callbacks.commands.sending.time.sleep", slept.append)
    kept.answers = [(503, {"Retry-After": "7"}, {}), (429, {}, {}), (502, {}, b"<html>")]
    assert run("send", "--to", url, "--key", "k")[0] == 0
    assert slept == [7.0, 4.0, 8.0]
    assert len(kept.events) > 10


@pytest.mark.usefixtures("home")
def test_a_server_that_stays_away_ends_a_pass_and_not_a_service(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("callbacks.commands.sending.time.monotonic", lambda: clock[0])

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if seconds == 300 and clock[0] > 3_000:
            raise Killed

    monkeypatch.setattr("callbacks.commands.sending.time.sleep", sleep)
    nowhere = "http://127.0.0.1:9"
    code, out, err = run("send", "--to", nowhere, "--key", "k")
    assert (code, out) == (1, "")
    assert "does not answer" in err
    assert "the rest is sent the next time" in err
    with pytest.raises(Killed):
        run("send", "--to", nowhere, "--key", "k", "--every", "5m")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((401, {}, {"error": {"message": "there is no such key"}}), "(401): there is no such key"),
        ((404, {}, b"nothing"), "(404): this is no Spendscope"),
        ((200, {}, b"<html>welcome"), "what answers there is no Spendscope"),
        ((301, {"Location": "https://new.example/"}, b""), "from https://new.example/: name that"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_refusal_is_one_sentence(
    run: Run, receiver: tuple[Receiver, str], answer: tuple[int, dict[str, str], Any], sentence: str
) -> None:
    kept, url = receiver
    kept.answers = [answer]
    code, _, err = run("send", "--to", url, "--key", "k", "--every", "5m")
    assert code == 1
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert len(kept.headers) == 1  # the key went nowhere else


@pytest.mark.parametrize("every", [(), ("--every", "5m")])
def test_a_wrong_key_is_said_while_there_is_nothing_to_send(
    home: Path, run: Run, served: tuple[Served, str], every: tuple[str, ...]
) -> None:
    one, url = served
    shutil.rmtree(home)
    assert run("send", "--to", url, "--key", KEY) == (0, "", "")
    code, out, err = run("send", "--to", url, "--key", "wrong", *every)
    assert (code, out) == (1, "")
    assert err == f"spendscope: {url} refused (401): the key is missing or wrong: {BEARER}\n"
    assert one.json("imports") == {"imports": []}
    assert stored(one) == set()


def test_who_asks_about_a_key_sends_no_usage(run: Run, receiver: tuple[Receiver, str]) -> None:
    kept, url = receiver
    run("send", "--to", url, "--key", "k")
    assert kept.asked == 1
    kept.answers = [(400, {}, {"error": {"message": "This server answers at https://x alone."}})]
    code, _, err = run("send", "--to", url, "--key", "k")
    assert (code, "(400): This server answers at https://x alone." in err) == (1, True)


def test_who_is_away_is_not_missed_while_there_is_nothing_to_send(run: Run, home: Path) -> None:
    shutil.rmtree(home)
    assert run("send", "--to", "http://127.0.0.1:9", "--key", "k") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--to", "company"), "--to takes the server's address"),
        (("--to", "http://127.0.0.1:9", "--every", "5"), "--every takes 90s, 5m or 1h"),
        (("--to", "http://127.0.0.1:9", "--every", "1s"), "--every takes 90s, 5m or 1h"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, _, err = run("send", "--key", "k", *arguments)
    assert (code, sentence in err) == (1, True)


def test_a_key_is_needed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPENDSCOPE_INGEST_KEY", raising=False)
    assert "name an ingest key" in run("send", "--to", "http://127.0.0.1:9")[2]


@pytest.mark.usefixtures("home")
def test_what_a_server_rejects_is_said(run: Run, receiver: tuple[Receiver, str]) -> None:
    kept, url = receiver
    why = {"where": "body:1", "reason": "this key is for the project 'web' alone"}
    kept.answers = [(200, {}, {"rejections": [why], "accepted": 0})]
    code, out, _ = run("send", "--to", url, "--key", "k", "--project", "shop")
    assert code == 0
    assert "1 × rejected there: this key is for the project 'web' alone" in out
    assert {event["project"] for event in kept.events} == {"shop"}
