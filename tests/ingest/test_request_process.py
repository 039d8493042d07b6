"""Reading in a process of its own: the same answers, whatever becomes of that process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from data.access.scope import Scope
from data.errors import Refused, StoreError, TooLarge
from data.events.table import micros
from data.ingest import request_process
from data.ingest.keys import UNNAMED, Key
from data.ingest.request_process import ParserProcess
from data.ingest.requests import LocalRequestParser, RequestParser
from data.prices.own import PriceBookStore, create
from data.state.audit import Actor
from data.state.store import State

ROOT = Path(__file__).resolve().parents[2]
NOW = micros(datetime(2026, 11, 20, 12, tzinfo=UTC))
ADMIN = Actor(Scope.of({"sub": "root", "isAdmin": True}), "Root", NOW)
BOUND = Key(7, "gateway", "ssk_", "gateway", "web", NOW, "root")
CALL = {"ts": "2026-11-20T09:00:00Z", "kind": "llm", "channel": "api", "source": "test",
        "status": "ok", "model": "our-llama", "input_tokens": 1_000}  # fmt: skip
MOST = 100


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    opened = State(url(tmp_path_factory.getbasetemp()))
    yield opened
    opened.close()


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'reading.sqlite'}"


@pytest.fixture(scope="module")
def process(state: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ParserProcess]:
    started = ParserProcess(url(tmp_path_factory.getbasetemp()))
    yield started
    started.close()


def calls(*ids: str, **more: Any) -> bytes:
    return orjson.dumps([CALL | {"event_id": one} | more for one in ids])


def trace(name: str, *spans: tuple[str, str, dict[str, str]]) -> bytes:
    """Spans `(id, parent, attributes)` of one trace as an OTLP request."""
    told = [
        {"traceId": name * 32, "spanId": one * 16, "parentSpanId": above * 16, "name": "chat",
         "startTimeUnixNano": "1763636400000000000", "endTimeUnixNano": "1763636401000000000",
         "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in said.items()]}
        for one, above, said in spans
    ]  # fmt: skip
    return orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": told}]}]})


ASKED: list[Callable[[RequestParser], Any]] = [
    lambda reader: reader.events("canonical", calls("a", "b"), MOST, UNNAMED),
    lambda reader: reader.events("canonical", calls("a", project="etl"), MOST, BOUND),
    lambda reader: reader.events("canonical", calls("a", nonsense=1), MOST, BOUND),
    lambda reader: reader.events("canonical", b'[{"a": 1}, {]', MOST, UNNAMED),
    lambda reader: reader.events("litellm", b"not at all", MOST, UNNAMED),
    lambda reader: reader.events("canonical", b" ", MOST, UNNAMED),
    lambda reader: reader.events("excel", b"{}", MOST, UNNAMED),
    lambda reader: reader.events("canonical", calls("a", "b"), 1, UNNAMED),
    lambda reader: reader.otlp("traces", b"\xff\xff", False, MOST, UNNAMED),
    lambda reader: reader.otlp("logs", b'{"resourceLogs": []}', True, MOST, UNNAMED),
    lambda reader: reader.otlp("traces", trace("d", ("1", "", {"gen_ai.operation.name": "chat"})),
                               True, MOST, BOUND),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_both_read_alike(state: State, process: ParserProcess, number: int) -> None:
    assert answer(process, number) == answer(LocalRequestParser(PriceBookStore(state)), number)


def answer(reader: RequestParser, number: int) -> Any:
    try:
        return asdict(ASKED[number](reader))
    except (Refused, TooLarge) as error:
        return type(error), error.parameter, error.status, str(error)


def test_a_price_that_is_set_here_holds_there_at_once(state: State, process: ParserProcess) -> None:
    def cost() -> Any:
        (event,) = process.events("canonical", calls("a"), MOST, UNNAMED).events
        return event["cost_nano"]

    assert cost() is None
    create(state, ADMIN, {"model": "our-llama", "from": "2026-01-01", "input": "2"})
    assert cost() == 2_000_000


def test_a_run_in_parts_is_understood_whoever_asks(process: ParserProcess) -> None:
    child = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
    above = {"gen_ai.operation.name": "invoke_agent", "user.id": "ana"}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(process.otlp, "traces", trace("e", ("2", "1", child)), True, MOST,
                            UNNAMED).result()  # fmt: skip
    assert [event["user"] for event in first.events] == [None]
    whole = process.otlp("traces", trace("e", ("1", "", above)), True, MOST, UNNAMED)
    assert {event["user"] for event in whole.events} == {"ana"}
    assert {event["kind"] for event in whole.events} == {"llm", "message"}


def test_many_ask_at_once(process: ParserProcess) -> None:
    def ask(number: int) -> list[str]:
        ids = [f"{number}-{n}" for n in range(50)]
        read = process.events("canonical", calls(*ids), MOST, UNNAMED)
        assert [event["event_id"] for event in read.events] == ids
        return ids

    with ThreadPoolExecutor(16) as pool:
        assert sum(map(len, pool.map(ask, range(200)))) == 10_000


def test_one_that_is_killed_is_started_again_once(process: ParserProcess) -> None:
    for _ in range(3):
        pid = process.pid
        os.kill(pid, signal.SIGKILL)
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(process.events, "canonical", calls("a"), MOST, UNNAMED)
                     for _ in range(16)]  # fmt: skip
            assert all(one.result().items == 1 for one in asked)
        assert process.pid != pid
        assert process.events("canonical", calls("a"), MOST, UNNAMED).items == 1


def test_one_that_is_killed_while_it_reads_is_asked_again(process: ParserProcess) -> None:
    body = orjson.dumps([CALL | {"event_id": str(n)} for n in range(20_000)])
    reads = Path(f"/proc/{process.pid}/io")
    before = received(reads)
    with ThreadPoolExecutor(1) as pool:
        asked: Any = pool.submit(process.events, "canonical", body, 20_000, UNNAMED)
        wait_for(lambda: asked.done() or received(reads) - before > len(body))
        os.kill(process.pid, signal.SIGKILL)
        assert asked.result().items == 20_000


def received(reads: Path) -> int:
    """Bytes that a process has read."""
    return int(reads.read_text().split()[1])


BAD = """#!{python}
import os, sys, time
fds = [int(one) for one in sys.argv[4:]]
if not os.path.exists({marker!r}):
    open({marker!r}, "w").close()
    os.read(fds[0], 100)
    {does}
os.execv({python!r}, [{python!r}, *sys.argv[1:]])
"""


@pytest.fixture
def once_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ParserProcess]:
    """A process that does something else the first time that it is started."""

    def started(does: str) -> ParserProcess:
        program, marker = tmp_path / "python", str(tmp_path / "was there")
        program.write_text(BAD.format(python=sys.executable, marker=marker, does=does))
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))
        return ParserProcess(url(tmp_path))

    return started


@pytest.mark.parametrize(
    "does",
    [
        "sys.exit()",  # before it answers
        r"os.write(fds[0], b'\x00\x00\x10\x00 some of it'); sys.exit()",
        r"os.write(fds[0], b'\x00\x00'); sys.exit()",
    ],
)
def test_one_that_breaks_off_is_asked_again(
    once_bad: Callable[[str], ParserProcess], does: str
) -> None:
    with closing(once_bad(does)) as started:
        assert started.events("canonical", calls("a"), MOST, UNNAMED).items == 1


def test_one_that_stands_still_is_replaced_and_nobody_waits_for_ever(
    once_bad: Callable[[str], ParserProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_process, "LONGEST", 2)
    monkeypatch.setattr(request_process, "PATIENCE", 0.01)
    monkeypatch.setattr(request_process, "LINES", 1)
    with closing(once_bad("time.sleep(600)")) as started, ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(request_process, "LONGEST", 60)  # for the next one
        first = pool.submit(started.events, "canonical", calls("a"), MOST, UNNAMED)
        wait_for(lambda: first.running())
        with pytest.raises(StoreError, match="other requests are being read"):
            started.events("canonical", calls("a"), MOST, UNNAMED)
        assert isinstance(first.exception(), StoreError)
        monkeypatch.setattr(request_process, "PATIENCE", 60)
        assert started.events("canonical", calls("a"), MOST, UNNAMED).items == 1


def test_one_that_never_starts_says_to_come_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with closing(ParserProcess(url(tmp_path))) as broken, pytest.raises(StoreError, match="ended"):
        broken.events("canonical", calls("a"), MOST, UNNAMED)


def test_one_that_is_closed_stays_so(tmp_path: Path) -> None:
    started = ParserProcess(url(tmp_path))
    pid = started.pid
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(started.events, "canonical", calls("a"), MOST, UNNAMED)
        started.close()  # it may be starting still
        assert asked.exception() is None or isinstance(asked.exception(), StoreError)
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(StoreError):
        started.events("canonical", calls("a"), MOST, UNNAMED)


def test_what_goes_wrong_in_it_is_told_with_its_place(process: ParserProcess) -> None:
    with pytest.raises(RuntimeError, match=r"data/sources/otlp[\s\S]*KeyError: 'smells'"):
        process.otlp("smells", b"", False, MOST, UNNAMED)
    assert process.events("canonical", calls("a"), MOST, UNNAMED).items == 1


def test_it_keeps_nothing_of_those_who_asked(process: ParserProcess) -> None:
    long = orjson.dumps([CALL | {"event_id": str(n), "tags": {"a": "x" * 5_000}}
                         for n in range(2_000)])  # fmt: skip

    def grown(askers: int) -> int:
        for _ in range(askers):
            with ThreadPoolExecutor(1) as pool:
                read = pool.submit(process.events, "canonical", long, 2_000, UNNAMED).result()
                assert len(read.events) == 2_000
        return memory(process.pid)

    few = grown(4 * request_process.LINES)  # until each thread has the memory that it works in
    assert grown(4 * request_process.LINES) < 1.2 * few


def memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def test_it_learns_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPENDSCOPE_JWT_SECRET", "do not tell")
    with closing(ParserProcess(url(tmp_path))) as started:
        assert started.events("canonical", calls("a"), MOST, UNNAMED).items == 1
        assert b"do not tell" not in Path(f"/proc/{started.pid}/environ").read_bytes()


OWNER = """
import sys
from data.ingest.keys import UNNAMED
from data.ingest.request_process import ParserProcess
started = ParserProcess(sys.argv[1])
assert started.events("canonical", b"{}", 1, UNNAMED).items == 1
print(started.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_a_server_that_is_killed_and_imports_nothing_from_where_that_stands(
    tmp_path: Path,
) -> None:
    for name in ("data", "orjson"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('imported from here')")
    with subprocess.Popen(
        [sys.executable, "-P", "-c", OWNER, url(tmp_path)], cwd=tmp_path, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as owner:  # fmt: skip
        assert owner.stdout
        assert owner.stdin
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.kill()
        owner.wait()
        wait_for(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def wait_for(holds: Callable[[], bool]) -> None:
    """Ask again and again; the suite's time limit is the limit."""
    pause = threading.Event()
    while not holds():
        pause.wait(0.01)
