"""Copies in Claude Code's logs: side questions, sessions in the background and resumed ones repeat
what was logged before. Whatever comes first, each call, line and sitting counts once."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from data.engines.duckdb.store import DuckEvents
from data.engines.protocol import EventStore
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources.files import File
from tests.cli_logs import Clock, stored
from tests.cli_logs import told as events_of

START: Final = datetime(2026, 3, 10, 10, tzinfo=UTC)
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def _later(clock: Clock) -> None:
    """Long after everything."""


@dataclass
class Truth:
    """What really happened, however often it was logged."""

    calls: list[int] = field(default_factory=list)  # output tokens of each
    lines: int = 0
    milliseconds: int = 0
    sittings: int = 0


@dataclass
class Session:
    """A log as Claude Code writes it, or a copy of one that goes on."""

    name: str
    relay: str | None  # the id of every answer of a relay that knows no others, and no request ids
    truth: Truth
    now: datetime = START
    lines: list[Line] = field(default_factory=list)
    prompt: int = 1_000
    sitting: datetime | None = None
    made: int = 0

    def write(self, kind: str, seconds: float, **more: Any) -> None:
        self.now += timedelta(seconds=seconds)
        base = {"type": kind, "sessionId": self.name, "isSidechain": False, "version": "2.1.142"}
        stamp = {"timestamp": self.now.isoformat(), "uuid": f"{self.name}-{len(self.lines)}"}
        self.lines.append(base | stamp | {"cwd": "/home/dev/src/shop"} | more)

    def sit(self, hours: float) -> None:
        """A prompt, some time after what came before."""
        before = self.now
        self.write("user", hours * 3600, message={"role": "user", "content": "."})
        if self.sitting is None or hours >= 5:
            self.truth.sittings += 1
        else:
            self.truth.milliseconds += (self.now - before) // timedelta(milliseconds=1)
        self.sitting = self.now

    def answer(self, chance: random.Random) -> None:
        """A call in several lines, with a tool that adds lines between its own."""
        before, self.made = self.now, self.made + 1
        output, self.prompt = chance.randint(5, 500), self.prompt + chance.randint(1, 900)
        own = f"{self.name}-{self.made}"
        usage = {"input_tokens": 3, "cache_read_input_tokens": self.prompt, "output_tokens": 1}
        message = {
            "id": self.relay or f"msg_{own}", "model": "claude-sonnet-4-6",
            "content": [{"type": "tool_use", "id": f"toolu_{own}", "name": "Edit", "input": {}}],
        }  # fmt: skip
        more = {} if self.relay else {"requestId": f"req_{own}"}
        self.write("assistant", 2, message=message | {"usage": usage}, **more)
        added = chance.randint(0, 3)
        block = {"type": "tool_result", "tool_use_id": f"toolu_{own}"}
        patch = [{"lines": ["+x"] * added}]
        told = {"filePath": "/a.py", "structuredPatch": patch}
        content = {"role": "user", "content": [block]}
        self.write("user", 1, message=content, toolUseResult=told)
        last = message | {"content": [{"type": "text"}], "usage": usage | {"output_tokens": output}}
        self.write("assistant", 1, message=last, **more)
        self.truth.calls.append(output)
        self.truth.lines += added
        self.truth.milliseconds += (self.now - before) // timedelta(milliseconds=1)

    def continued(self, name: str) -> Session:
        """The same under another session, as it goes on in the background or is resumed."""
        lines = [line | {"sessionId": name, "uuid": f"{name}-{n}", "sessionKind": "bg"}
                 for n, line in enumerate(self.lines)]  # fmt: skip
        return Session(
            name, self.relay, self.truth, self.now, lines, self.prompt, self.sitting, self.made + 50
        )

    def aside(self, name: str, chance: random.Random) -> Session:
        """A side question: all answers again, under other request ids, and one of its own."""
        lines = [line | {"isSidechain": True, "agentId": name} for line in self.lines
                 if "toolUseResult" not in line]  # fmt: skip
        for line in lines:
            if "requestId" in line:
                line["requestId"] = f"{line['requestId']}-{name}"
        side = Session(self.name, self.relay, self.truth, self.now, lines, self.prompt)
        output = chance.randint(5, 500)
        usage = {"input_tokens": 4, "cache_read_input_tokens": self.prompt + 77}
        message = {
            "id": self.relay or f"msg_{name}", "model": "claude-sonnet-4-6", "content": [],
            "usage": usage | {"output_tokens": output},
        }  # fmt: skip
        agent = {"isSidechain": True, "agentId": name}
        side.write("user", 1, message={"role": "user", "content": "?"}, **agent)
        more = {} if self.relay else {"requestId": f"req_{name}"}
        side.write("assistant", 3, message=message, **agent, **more)
        self.truth.calls.append(output)
        return side


def history(chance: random.Random) -> tuple[Truth, dict[str, list[Line]]]:
    """Sessions, what copied them, and what happened."""
    truth, files = Truth(), {}
    relay = chance.choice((None, None, "chatcmpl-1"))
    for number in range(chance.randint(1, 2)):
        session = Session(f"5d0c0000-1111-4222-8333-{number:012}", relay, truth)
        session.now += timedelta(days=40 * number)
        for part in range(chance.randint(1, 3)):
            for _ in range(chance.randint(1, 2)):
                session.sit(chance.choice((0.01, 0.2, 7)))
                for _ in range(chance.randint(1, 2)):
                    session.answer(chance)
            if chance.random() < 0.5:
                agent = f"aside_question-{number}{part}"
                files[f"{session.name}/subagents/agent-{agent}.jsonl"] = session.aside(
                    agent, chance
                ).lines
            files[f"{session.name}.jsonl"] = session.lines
            if chance.random() < 0.5:
                session = session.continued(f"5d0c0000-2222-4222-{part:04}-{number:012}")
                files[f"{session.name}.jsonl"] = session.lines
    return truth, files


def written(folder: Path, files: dict[str, list[Line]]) -> Iterator[Path]:
    for name, lines in files.items():
        path = folder / "-home-dev-src-shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        yield path


def counted(store: EventStore) -> tuple[Any, ...]:
    wanted = (
        "count(*) FILTER (kind = 'llm'), sum(output_tokens), coalesce(sum(lines_added), 0),"
        " count(*) FILTER (kind = 'session'), sum(duration_ms) FILTER (kind = 'session')"
    )
    with store.sql.connect() as connection:
        return tuple(connection.exec_driver_sql(f"SELECT {wanted} FROM events").one())


@pytest.mark.parametrize("seed", range(36))
def test_everything_counts_once_in_any_order_of_imports(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    truth, files = history(chance)
    paths = list(written(tmp_path, files))
    store = DuckEvents(tmp_path / "events.duckdb")
    order = chance.sample(paths, len(paths))
    for part in chance.choice(([[tmp_path]], [order], [[path] for path in order])):
        assert ingest_paths(part, store).rejections == []
    wanted = (len(truth.calls), sum(truth.calls), truth.lines, truth.sittings, truth.milliseconds)
    assert counted(store) == wanted
    assert ingest_paths([tmp_path], store).accepted == 0
    assert ingest_paths(order[::-1], store).accepted == 0
    assert counted(store) == wanted
    store.close()


def test_a_call_that_telemetry_told_replaces_its_copy(tmp_path: Path, store: EventStore) -> None:
    truth = Truth()
    session = Session("5d0c0000-1111-4222-8333-000000000000", None, truth)
    session.sit(0)
    session.answer(random.Random(1))
    side = session.aside("aside_question-1", random.Random(1))
    own = f"claude_code:req_{session.name}-1"
    told = {"event_id": own, "ts": START.isoformat(), "kind": "llm", "source": "claude_code"}
    (tmp_path / "told.json").write_text(json.dumps([told | {"user": "ana"}]))
    ingest_paths([tmp_path / "told.json"], store)
    for path in written(tmp_path, {"agent-a.jsonl": side.lines, "a.jsonl": session.lines}):
        ingest_paths([path], store)
    assert counted(store)[:2] == (2, sum(truth.calls))
    assert (own, "ana") in stored(store, "event_id", '"user"')


def test_an_older_store_knows_calls_without_request_ids_again(tmp_path: Path) -> None:
    truth, path = Truth(), tmp_path / "events.duckdb"
    session = Session("5d0c0000-1111-4222-8333-000000000000", None, truth)
    session.sit(0)
    for _ in range(5):
        session.answer(random.Random(1))
    for line in session.lines[:10]:  # three of the calls
        line.pop("requestId", None)
    (log,) = written(tmp_path / "logs", {"a.jsonl": session.lines})
    older(path, events_of(File(log.name, log))[0])
    store = DuckEvents(path)
    wanted = counted(store)
    assert wanted[:2] == (5, sum(truth.calls))
    report = ingest_paths([log], store)
    assert (report.accepted, counted(store)) == (0, wanted)
    assert ingest_paths([log], store).accepted == 0
    store.close()


def older(path: Path, events: list[Event]) -> None:
    """A store of these as it was before events had a `shared_id`: a call was known by its
    message's id, where it had no request id."""
    store = DuckEvents(path)
    for event in events:
        if event["kind"] == "llm":
            event["event_id"] = ":".join(event["event_id"].split(":")[:2])
    store.write([event | {"shared_id": None} for event in events])
    store.close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE events DROP COLUMN shared_id;"
                           " DELETE FROM schema_version WHERE version >= 6")  # fmt: skip


def test_an_advisor_and_a_compaction_are_calls_of_their_own(
    tmp_path: Path, store: EventStore
) -> None:
    session = Session("5d0c0000-1111-4222-8333-000000000000", None, Truth())
    session.sit(0)
    iterations = [
        {"type": "message", "input_tokens": 5, "output_tokens": 7},
        {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 50,
         "output_tokens": 60},
        {"type": "compaction", "input_tokens": 900, "output_tokens": 80},
    ]  # fmt: skip
    usage = {"input_tokens": 5, "output_tokens": 7, "iterations": iterations}
    message = {"id": "msg_1", "model": "claude-sonnet-4-6", "content": [], "usage": usage}
    session.write("assistant", 2, message=message, requestId="req_1")
    ingest_paths(list(written(tmp_path, {"a.jsonl": session.lines})), store)
    names = ("event_id", "model", "input_tokens", "output_tokens")
    assert stored(store, *names, where="WHERE kind = 'llm'") == [
        ("claude_code:req_1", "claude-sonnet-4-6", 5, 7),
        ("claude_code:req_1:1", "claude-opus-4-7", 50, 60),
        ("claude_code:req_1:2", "claude-sonnet-4-6", 900, 80),
    ]


def test_the_answers_of_a_relay_are_its_turns(tmp_path: Path, store: EventStore) -> None:
    truth = Truth()
    for number in range(2):  # both sessions with the same ids
        session = Session(f"5d0c0000-1111-4222-8333-{number:012}", "chatcmpl-1", truth)
        session.now += timedelta(days=number)
        for _ in range(3):
            session.sit(0.01)
            session.answer(random.Random(1))
            session.prompt -= 400  # a prompt may be as long as an earlier one
        ingest_paths(list(written(tmp_path, {f"{session.name}.jsonl": session.lines})), store)
    assert counted(store)[:2] == (6, sum(truth.calls))
