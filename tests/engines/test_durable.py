"""What was acknowledged is there, once: after a kill at any moment, in a crowd, after a failure."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.commands.remote_store import RemoteStore
from data.engines import commits
from data.engines.commits import Commits, Outcome
from data.engines.duckdb.commit_notes import CommitNotes
from data.engines.duckdb.store import MOST_QUERIES
from data.engines.protocol import EventStore
from data.errors import StoreError
from data.events.digest_index import DigestIndex
from data.events.merging import Bound, WriteResult
from data.events.table import Event
from data.ingest.importing import ingest_paths
from data.sources.columns import Rows
from data.sources.parquet import Part
from data.sources.report import Report
from tests.durable import COMMANDS, note, notes, raw, tokens
from tests.ports import free_port
from tests.postgres import NUMBERS, OWNER, PASSWORD, Server, installed

ROOT: Final = Path(__file__).resolve().parents[2]
ROUNDS: Final = 12
SERVED_ROUNDS: Final = 4
SUMMED_ROUNDS: Final = 8
MOST_ACKED: Final = 4_000  # bytes of notes, about twenty answers


# --- killed at any moment


class Victims:
    """Processes of `tests.durable`, one at a time."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self.server = server

    def run(
        self, job: dict[str, Any], until: Callable[[], bool] | None = None,
        how: signal.Signals = signal.SIGKILL,
    ) -> int:  # fmt: skip
        """Let a job run to its end, or kill it once `until` holds: its exit code is negative."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        pid = int(self.server.stdout.readline())
        while until is not None and not select.select([self.server.stdout], [], [], 0.001)[0]:
            if until():
                os.kill(pid, how)
                break
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    with _victims() as found:
        yield found


@pytest.fixture(scope="module")
def others() -> Iterator[Victims]:
    """Beside those, for two processes at once."""
    with _victims() as found:
        yield found


@contextmanager
def _victims() -> Iterator[Victims]:
    command = [sys.executable, "-m", "tests.durable"]
    environ = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        yield Victims(server)
        assert server.stdin is not None
        server.stdin.close()


def acknowledged(path: Path) -> set[str]:
    return {one for ids in notes(path) for one in ids}


def grown(path: Path, by: int) -> Callable[[], bool]:
    """Whether a file has this many bytes more than now."""

    def size() -> int:
        return path.stat().st_size if path.exists() else 0

    wanted = size() + by
    return lambda: size() >= wanted


@dataclass(frozen=True)
class Stores:
    """Where the events of a test are, in how many rounds its processes die, and what dies then,
    too: the database itself."""

    url: str
    rounds: tuple[int, int] = (ROUNDS, SERVED_ROUNDS)
    server: Server | None = None

    def dying(self, number: int, until: Callable[[], bool]) -> Callable[[], bool]:
        """The moment of a round at which a process is killed; in every other just after its
        database."""
        server = self.server
        if server is None or number % 2:
            return until
        return lambda: until() and server.kill() is None

    def again(self, number: int) -> None:
        if self.server is not None and not number % 2:
            self.server.start()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL that is killed, as careful as they are."""
    with closing(Server(installed(), ("shared_buffers=16MB",))) as one:
        yield one


@pytest.fixture(params=["duckdb", "postgresql", "clickhouse"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    if request.param == "duckdb":
        return Stores(f"duckdb:///{tmp_path}/events.duckdb")
    if request.param == "clickhouse":
        return Stores(f"clickhousedb:///default?interface=chdb&path={tmp_path}/events", (3, 1))
    server: Server = request.getfixturevalue("server")
    return Stores(_database(server), (4, 2), server)


def test_kills_at_any_moment_lose_nothing_acknowledged_and_double_nothing(
    victims: Victims, stores: Stores, tmp_path: Path
) -> None:
    chance, acked, looks = random.Random(5), tmp_path / "acked", 0
    job, rounds = {"store": stores.url, "acked": str(acked)}, stores.rounds[0]
    for number in range(rounds + 1):
        promised, stored = acknowledged(acked), tmp_path / f"stored-{number}"
        told = job | {"do": "write", "seed": number, "stored": str(stored)}
        if number < rounds:
            # Some die while they open, some in their first commit, most between and in others.
            most = 2 if number % 4 == 3 else MOST_ACKED
            until = stores.dying(number, grown(acked, chance.randrange(most)))
            assert victims.run(told, until) == -signal.SIGKILL
            stores.again(number)
        else:
            assert victims.run(told | {"do": "look"}) == 0
        for found in notes(stored):
            looks += 1
            _require_whole(found, promised)
    assert looks > rounds // 4
    assert len(acknowledged(acked)) > 40 * rounds


def test_two_receivers_of_the_same_ids_that_are_killed_lose_and_double_nothing(
    victims: Victims, others: Victims, server: Server, tmp_path: Path
) -> None:
    """Each killed at a moment of its own, while the other writes the very same events."""
    chance, acked, url = random.Random(3), tmp_path / "acked", _database(server)
    stored = tmp_path / "stored"
    for number in range(3):
        told = {"do": "write", "store": url, "seed": number, "acked": str(acked)}
        told |= {"stored": str(stored)}
        with ThreadPoolExecutor(2) as pool:
            moments = (grown(acked, chance.randrange(1, 2 * MOST_ACKED)) for _ in range(2))
            both = pool.map(lambda one, until: one.run(told, until), (victims, others), moments)  # noqa: B023
            assert list(both) == [-signal.SIGKILL] * 2
    promised = acknowledged(acked)
    assert victims.run({"do": "look", "store": url, "stored": str(stored)}) == 0
    _require_whole(notes(stored)[-1], promised)
    assert len(promised) > 100


def _database(server: Server) -> str:
    return server.cluster.make(f"killed_{next(NUMBERS)}").url_of(OWNER, PASSWORD)


def _require_whole(found: list[Any], promised: set[str]) -> None:
    assert len({one for one, *_ in found}) == len(found), "an event is there twice"
    whole = {one for one, _, user in found if user == one}
    assert promised <= whole, "an acknowledged event, or a part of it, is gone"
    assert all(said == tokens(one) for one, said, _ in found)


def test_kills_while_summing_leave_sums_that_say_what_the_events_say(
    victims: Victims, tmp_path: Path
) -> None:
    chance, acked, answers = random.Random(7), tmp_path / "acked", tmp_path / "answers"
    job = {"do": "sum", "store": f"duckdb:///{tmp_path}/events.duckdb", "acked": str(acked),
           "answers": str(answers)}  # fmt: skip
    for number in range(SUMMED_ROUNDS):
        promised, stored = acknowledged(acked), tmp_path / f"stored-{number}"
        until = grown(acked, 1 + chance.randrange(MOST_ACKED))
        told = job | {"seed": number, "stored": str(stored)}
        assert victims.run(told, until) == -signal.SIGKILL
        ids = [one for one, *_ in notes(stored)[-1]]
        assert promised <= set(ids), "an acknowledged event is gone"
        assert len(set(ids)) == len(ids), "an event is there twice"
        by_sums, by_events, _ = notes(answers)[-1]
        assert by_sums == by_events
    rows = [rows for *_, rows in notes(answers)]
    assert len(rows) == SUMMED_ROUNDS
    assert rows[0] == 0
    assert rows[-1] > 0, "nobody was killed while there were sums"


def test_an_import_that_was_killed_is_finished_by_running_it_again(
    victims: Victims, tmp_path: Path
) -> None:
    file, chance, wanted = tmp_path / "all.ndjson", random.Random(9), 4_000
    file.write_text("\n".join(json.dumps(raw(f"i{n}")) for n in range(wanted)))
    job = {"do": "import", "file": str(file), "store": f"duckdb:///{tmp_path}/events.duckdb",
           "acked": f"{tmp_path}/report", "stored": f"{tmp_path}/stored"}  # fmt: skip
    for _ in range(4):
        victims.run(job, lambda: chance.random() < 0.01)
    assert victims.run(job) == 0
    report = notes(tmp_path / "report")[-1]
    assert (report["read"], report["rejected"]) == (wanted, 0)
    before = len(notes(tmp_path / "stored")[-1])
    assert report["accepted"] == wanted - before
    assert victims.run(job | {"do": "look"}) == 0
    found = notes(tmp_path / "stored")[-1]
    assert sorted(found) == sorted([f"i{n}", tokens(f"i{n}"), f"i{n}"] for n in range(wanted))


def test_a_parquet_import_that_was_killed_is_finished_by_running_it_again(
    victims: Victims, tmp_path: Path
) -> None:
    file, wanted = tmp_path / "all.parquet", 40_000
    packed(file, wanted)
    job = {"do": "import", "file": str(file), "store": f"duckdb:///{tmp_path}/events.duckdb",
           "acked": f"{tmp_path}/report", "stored": f"{tmp_path}/stored"}  # fmt: skip
    for number in range(4):
        # The rows are listed before the import begins: from there on, a little later each time.
        victims.run(job, after(grown(tmp_path / "stored", 1), 0.05 * number))
    assert victims.run(job) == 0
    report = notes(tmp_path / "report")[-1]
    assert (report["read"], report["rejected"]) == (wanted, 0)
    assert report["accepted"] == wanted - len(notes(tmp_path / "stored")[-1])
    assert victims.run(job | {"do": "look"}) == 0
    found = notes(tmp_path / "stored")[-1]
    assert sorted(found) == sorted([f"i{n}", n, None] for n in range(wanted))


def packed(file: Path, rows: int) -> None:
    """A Parquet file of many small row groups, each of which the store takes by itself."""
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'i' || i AS event_id, 1795161600000000 + i AS ts, 'llm' AS kind,"
            f" 'kill' AS source, i AS input_tokens FROM range({rows}) t(i)) TO '{file}'"
            " (FORMAT parquet, ROW_GROUP_SIZE 2048)"
        )


def after(this: Callable[[], bool], seconds: float) -> Callable[[], bool]:
    """Whether this has held for so long."""
    since: list[float] = []

    def late() -> bool:
        if not since and this():
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] >= seconds

    return late


# --- the server killed at any moment


@pytest.fixture
def served(tmp_path: Path) -> dict[str, Any]:
    """The job of a server with its own data folder."""
    return _serving(tmp_path, f"duckdb:///{tmp_path}/events.duckdb")


def _serving(folder: Path, url: str) -> dict[str, Any]:
    port = free_port()
    told = {"DATA_DIR": str(folder), "PORT": str(port), "INGEST_KEY": "ingest", "EVENTS_URL": url}
    environ = {f"SPENDSCOPE_{name}": value for name, value in told.items()}
    return {"do": "serve", "environ": environ, "store": url, "url": f"http://127.0.0.1:{port}"}


@contextmanager
def while_working(work: Callable[[threading.Event], None], crew: int = 1) -> Iterator[None]:
    """Threads that work until they are told to stop; what one of them raises is raised here."""
    stop = threading.Event()
    with ThreadPoolExecutor(crew) as pool:
        working = [pool.submit(work, stop) for _ in range(crew)]
        try:
            yield
        finally:
            stop.set()
        for one in working:
            one.result()


def sender(job: dict[str, Any], acked: Path, number: int) -> Callable[[threading.Event], None]:
    """Posts events, some of them of an earlier server, and notes what was acknowledged."""

    def send(stop: threading.Event) -> None:
        chance = random.Random()
        while not stop.is_set():
            ids = [f"{number - (chance.random() < 0.1)}-{chance.randrange(10**6)}"
                   for _ in range(chance.randrange(1, 60))]  # fmt: skip
            body = json.dumps([raw(one) for one in ids]).encode()
            asked = Request(f"{job['url']}/api/v1/events", body, {"x-api-key": "ingest"})
            try:
                with urlopen(asked, timeout=30) as answer:
                    told = json.loads(answer.read())
            except (OSError, HTTPException):  # not there yet, or there no more
                stop.wait(0.01)
                continue
            assert told["accepted"] + told["duplicates"] == len(ids)
            note(str(acked), json.dumps(ids))

    return send


def test_kills_of_the_server_lose_nothing_that_it_acknowledged(
    victims: Victims, stores: Stores, tmp_path: Path
) -> None:
    chance, acked, rounds = random.Random(7), tmp_path / "acked", stores.rounds[1]
    served = _serving(tmp_path, stores.url)
    for number in range(rounds + 1):
        promised, stored = acknowledged(acked), tmp_path / f"stored-{number}"
        told = served | {"stored": str(stored)}
        if number < rounds:
            with while_working(sender(served, acked, number), crew=3):
                until = grown(acked, chance.randrange(1, 3 * MOST_ACKED))
                code = victims.run(told, stores.dying(number, until))
            assert code == -signal.SIGKILL
            stores.again(number)
        else:
            assert victims.run(told | {"do": "look"}) == 0
        [found] = notes(stored)
        _require_whole(found, promised)
    assert len(acknowledged(acked)) > 100 * rounds


# --- servers that are told to end


def test_who_is_told_to_end_answers_what_has_begun_and_takes_nothing_new(
    victims: Victims, served: dict[str, Any], tmp_path: Path
) -> None:
    body, stored = json.dumps([raw("begun")]).encode(), tmp_path / "stored"
    address = ("127.0.0.1", int(served["url"].rpartition(":")[2]))
    told, silent = served | {"stored": str(stored)}, threading.Event()
    with ThreadPoolExecutor(1) as pool, ExitStack() as opened:
        opened.callback(silent.set)
        ended = pool.submit(victims.run, told, silent.is_set, signal.SIGTERM)
        sending = opened.enter_context(_connected(address, lambda refused: not refused))
        idle = opened.enter_context(socket.create_connection(address))
        head = f"POST /api/v1/events HTTP/1.1\r\nHost: {address[0]}\r\nx-api-key: ingest\r\n"
        more = f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
        sending.sendall(f"{head}{more}".encode())
        assert sending.recv(99).startswith(b"HTTP/1.1 100 ")  # now it has begun
        sending.sendall(body[:9])
        silent.set()
        _connected(address, lambda refused: refused)
        assert idle.recv(1) == b""  # who has not is let go at once
        assert not ended.done()
        sending.sendall(body[9:])
        answer = opened.enter_context(sending.makefile("rb")).read()
        assert answer.startswith(b"HTTP/1.1 200")  # nothing that was sent is sent once more
        assert ended.result(60) == 0
    assert victims.run(told | {"do": "look"}) == 0
    _require_whole(notes(stored)[-1], {"begun"})


def _connected(address: tuple[str, int], wanted: Callable[[bool], bool]) -> Any:
    """A connection, once there is one, or None once it is refused, as is wanted."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        made = None
        with suppress(ConnectionRefusedError):
            made = socket.create_connection(address)
        if wanted(made is None):
            return made
        if made is not None:
            made.close()
        time.sleep(0.01)
    raise AssertionError("the server does not listen, or does not end")


def test_servers_are_started_anew_one_and_another_and_no_acknowledgement_is_lost(
    victims: Victims, others: Victims, server: Server, tmp_path: Path
) -> None:
    """Senders go on with whichever answers, and send again what nobody acknowledged."""
    url, crews = _database(server), {}
    for name, who in (("a", victims), ("b", others)):
        job = _serving(tmp_path / name, url)
        crews[name] = who, job | {"stored": str(tmp_path / "stored")}, tmp_path / f"acked-{name}"
    jobs = [(job, acked) for _, job, acked in crews.values()]

    def rolled(name: str) -> list[int]:
        who, job, acked = crews[name]
        return [who.run(job, grown(acked, MOST_ACKED), signal.SIGTERM) for _ in range(2)]

    with (
        while_working(lambda stop: _send_to_any(jobs, stop), crew=3),
        ThreadPoolExecutor(2) as pool,
    ):
        assert list(pool.map(rolled, crews)) == [[0, 0]] * 2
    promised = set[str]().union(*(acknowledged(acked) for _, acked in jobs))
    assert victims.run(jobs[0][0] | {"do": "look"}) == 0
    _require_whole(notes(tmp_path / "stored")[-1], promised)
    assert len(promised) > 100


def _send_to_any(jobs: list[tuple[dict[str, Any], Path]], stop: threading.Event) -> None:
    chance = random.Random()
    while not stop.is_set():
        ids = [f"r-{chance.randrange(10**6)}" for _ in range(chance.randrange(1, 60))]
        body = json.dumps([raw(one) for one in ids]).encode()
        answered = False
        while not answered and not stop.is_set():
            job, acked = chance.choice(jobs)
            asked = Request(f"{job['url']}/api/v1/events", body, {"x-api-key": "ingest"})
            with suppress(OSError, HTTPException), urlopen(asked, timeout=30) as answer:
                answered = answer.status == 200
                note(str(acked), json.dumps(ids))


class Counting(RemoteStore):
    """A command's way to the server that says how far it is."""

    done = 0

    def write(self, events: Sequence[Event]) -> WriteResult:
        fresh = super().write(events)
        self.done += len(events)
        return fresh

    def load(self, part: Part | Rows) -> Report | None:
        report = super().load(part)
        self.done += part.rows if isinstance(part, Part) else 0
        return report


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_a_command_whose_server_was_killed_is_finished_by_running_it_again(
    victims: Victims, served: dict[str, Any], tmp_path: Path, kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("data.ingest.preparing.BATCH", 200)
    monkeypatch.setattr("data.sources.parquet.STRETCH", 2_048)
    file, wanted, reports = tmp_path / f"all.{kind}", 12_000, []
    packed(file, wanted)
    if kind == "ndjson":
        unpack(file)
    told = served | {"stored": f"{tmp_path}/stored"}
    for number in range(3):
        command = Counting(served["url"], COMMANDS)

        def work(stop: threading.Event, command: Counting = command) -> None:
            while not command.alive() and not stop.wait(0.01):
                pass
            with suppress(StoreError):
                reports.append(ingest_paths([file], command))

        with while_working(work):
            until = (lambda: bool(reports)) if number == 2 else at_least(command, 3_000 * number)
            assert victims.run(told, until) == -signal.SIGKILL
    [report] = reports
    assert (report.read, report.rejected) == (wanted, 0)
    assert victims.run(told | {"do": "look"}) == 0
    listed = notes(tmp_path / "stored")
    assert report.accepted == wanted - len(listed[-2])
    assert 0 < len(listed[-2]) < wanted
    assert sorted(listed[-1]) == sorted([f"i{n}", n, None] for n in range(wanted))


def unpack(file: Path) -> None:
    """The rows of a Parquet file as lines of JSON instead."""
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [f"{file}"]).fetchall()
    names = ("event_id", "ts", "kind", "source", "input_tokens")
    file.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows))


def at_least(command: Counting, many: int) -> Callable[[], bool]:
    return lambda: command.done > many


# --- one commit for many


class Kept:
    """A store in memory that can be held up; remembers what came in one commit."""

    def __init__(self) -> None:
        self.stored: dict[str, Event] = {}
        self.groups: list[list[str]] = []
        self.go, self.entered = threading.Event(), threading.Event()
        self.go.set()

    def __call__(self, events: list[Event], only: list[Bound], until: float) -> list[Outcome]:
        self.entered.set()
        assert self.go.wait(60)
        if "poison" in ids(events):
            raise RuntimeError("no such row can be stored")
        self.groups.append(ids(events))
        return [self.take(event) for event in events]

    def take(self, event: Event) -> Outcome:
        before = self.stored.setdefault(event["event_id"], event)
        return "new" if before is event else "duplicate" if before == event else "merged"


def named(*ids: str) -> list[Event]:
    return [{"event_id": one} for one in ids]


def ids(events: list[Event]) -> list[str]:
    return [event["event_id"] for event in events]


@contextmanager
def held_up(kept: Kept, writer: Commits) -> Iterator[Callable[..., Any]]:
    """While a first commit does not end: `send` has others wait behind it, in order."""
    kept.go.clear()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(writer.write, named("first"))
        assert kept.entered.wait(60)

        def send(*names: str) -> Any:
            before = len(writer._waiting)
            made = pool.submit(writer.write, named(*names))
            while len(writer._waiting) == before and not made.done():
                pass
            return made

        try:
            yield send
        finally:
            kept.go.set()
        assert ids(first.result()) == ["first"]


def test_those_who_wait_share_a_commit_and_each_hears_what_was_new() -> None:
    kept = Kept()
    writer = Commits(kept)
    with held_up(kept, writer) as send:
        made = [send("a", "b", "a"), send("b", "c"), send("first"), send("c", "d")]
    assert [ids(one.result()) for one in made] == [["a", "b"], ["c"], [], ["d"]]
    assert len(kept.groups) == 2
    assert sorted(kept.stored) == ["a", "b", "c", "d", "first"]


def test_each_hears_how_many_known_events_it_completed() -> None:
    kept = Kept()
    writer = Commits(kept)
    more = [{"event_id": "a", "user": "ana"}]
    with held_up(kept, writer) as send:
        one, two = send("a", "first"), send("b", "a")
    assert (one.result().merged, two.result().merged) == (0, 0)
    assert (writer.write([*more, *named("a")]).merged, len(kept.groups)) == (1, 3)


def test_nobody_fails_for_what_a_neighbour_brought() -> None:
    kept = Kept()
    writer = Commits(kept)
    with held_up(kept, writer) as send:
        good, bad, other = send("a"), send("poison", "b"), send("c")
    assert (ids(good.result()), ids(other.result())) == (["a"], ["c"])
    with pytest.raises(StoreError, match="failed while it stored"):
        bad.result()
    assert sorted(kept.stored) == ["a", "c", "first"]
    assert ids(writer.write(named("b"))) == ["b"]


def test_who_waits_too_long_is_refused_and_nothing_of_theirs_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = Kept()
    writer = Commits(kept)
    with held_up(kept, writer) as send:
        monkeypatch.setattr(commits, "PATIENCE", 0.05)
        late = send("late")
        with pytest.raises(StoreError, match="took none of these events"):
            late.result()
    assert "late" not in kept.stored
    assert ids(writer.write(named("late"))) == ["late"]


def test_a_store_that_something_else_has_refuses_the_whole_group(
    store: EventStore, event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A re-pricing, say: also the one who commits for the others hears that it is busy."""
    monkeypatch.setattr(commits, "PATIENCE", 0.1)
    told = [event() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        with store._lock:  # type: ignore[attr-defined]
            sent = [pool.submit(store.write, [one]) for one in told]
            for one in sent:
                with pytest.raises(StoreError, match="took none of these events"):
                    one.result(timeout=20)
        assert not store.stored_ids(ids(told))
        assert store.write(told) == told


def test_who_tells_what_is_known_hears_too_that_it_is_busy(
    store: EventStore, event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.engines.duckdb.store.PATIENCE", 0.1)
    told = [event()]
    assert store.write(told) == told
    with store._lock, pytest.raises(StoreError, match="took none"):  # type: ignore[attr-defined]
        store.write(told)
    assert store.write(told) == []


def test_a_queue_that_is_full_takes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "MOST_WAITING", 3)
    kept = Kept()
    writer = Commits(kept)
    with held_up(kept, writer) as send:
        waiting, full = send("a", "b"), send("c", "d")
        with pytest.raises(StoreError, match="busy"):
            full.result()
        fits = send("e")
    assert (ids(waiting.result()), ids(fits.result())) == (["a", "b"], ["e"])
    assert len(ids(writer.write(named(*"lmnopq")))) == 6, "one alone may be larger"


def test_big_imports_and_small_requests_do_not_starve_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commits, "MOST_TOGETHER", 10)
    kept = Kept()
    writer = Commits(kept)
    with held_up(kept, writer) as send:
        for size, name in ((8, "p"), (8, "q"), (1, "x"), (8, "r"), (1, "y")):
            send(*(f"{name}{n}" for n in range(size)))
    told = ["".join(sorted({one[0] for one in group})) for group in kept.groups]
    assert told == ["f", "pxy", "q", "r"]


def test_a_commit_that_fails_says_so_and_the_next_goes_on(
    store: EventStore, event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit whose end nobody heard of: sent again, its events are known."""

    noted = CommitNotes.noted

    @contextmanager
    def deaf(*touched: Any) -> Iterator[None]:
        with noted(*touched):
            yield
        raise OSError("the disk did not answer")

    first, second = [event(), event()], [event()]
    store.write(second)
    with monkeypatch.context() as patch:
        patch.setattr(CommitNotes, "noted", deaf)
        with pytest.raises(StoreError, match="failed while it stored"):
            store.write(first)
    assert store.write([*first, *second]) == []
    assert store.count_duplicates() == 0
    assert len(store.stored_ids(ids([*first, *second]))) == 3


def test_a_row_the_store_cannot_take_changes_nothing(
    store: EventStore, event: Callable[..., Event], caplog: pytest.LogCaptureFixture
) -> None:
    good = event()
    with pytest.raises(StoreError):
        store.write([event() | {"ts": None}])
    assert "a commit of 1 events failed" in caplog.text
    assert store.write([good]) == [good]
    assert store.write([good]) == []


def test_what_was_removed_may_come_again(store: EventStore, event: Callable[..., Event]) -> None:
    one = event()
    assert (store.write([one]), store.write([one]), store.remove("test")) == ([one], [], 1)
    assert (store.write([one]), store.count_duplicates()) == ([one], 0)


def test_a_crowd_stores_every_event_once(store: EventStore, event: Callable[..., Event]) -> None:
    """Twelve senders bring overlapping stretches of the same events, all at once."""
    every = [event(input_tokens=n) for n in range(900)]
    start = threading.Barrier(12)

    def send(number: int) -> list[Event]:
        start.wait()
        told = every[number * 50 : number * 50 + 350]
        return [one for at in range(0, 350, 70) for one in store.write(told[at : at + 70])]

    with ThreadPoolExecutor(12) as pool:
        fresh = [one for made in pool.map(send, range(12)) for one in made]
    assert sorted(ids(fresh)) == sorted(ids(every))
    assert store.count_duplicates() == 0
    assert len(store.stored_ids(ids(every))) == 900


def test_who_writes_does_not_wait_for_those_who_ask(
    store: EventStore, event: Callable[..., Event]
) -> None:
    def asked() -> Any:
        with store.sql.connect() as connection:
            return connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()

    slots: Any = store._query_slots  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as pool:
        for _ in range(MOST_QUERIES):
            assert slots.acquire(timeout=60)
        waiting = pool.submit(asked)
        try:
            assert store.write([event(), event()])
            assert not waiting.done(), "every slot is taken"
        finally:
            slots.release(MOST_QUERIES)
        assert waiting.result() == 2


# --- the digests that are kept


DIGESTS: Final = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40), max_size=60)


@settings(max_examples=60, deadline=None)
@given(DIGESTS, st.lists(DIGESTS, max_size=12), DIGESTS)
def test_digests_are_found_as_in_a_set(
    first: list[int], more: list[list[int]], asked: list[int]
) -> None:
    index, plain = DigestIndex(np.array(first, np.int64)), set(first)
    for added in more:
        index.add(np.array(added, np.int64))
        plain |= set(added)
        wanted = [*asked, *added, *first[:5]]
        found = index.contains(np.array(wanted, np.int64))
        assert found.tolist() == [one in plain for one in wanted]
    assert len(index._runs) <= 8
