"""The command line: what it prints and returns, with and without a server that has the store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from callbacks.access.tokens import sign
from callbacks.commands.remote_store import SERVER_FILE, sentence
from data.settings import Settings
from data.sources.format import UNREAD
from tests.commands.conftest import Run
from tests.ports import free_port
from tests.serving import KEY, NOW, SECRET
from tests.sources.test_vendor_sources import CURSOR
from tests.sources.test_vendor_usage import table

ROOT: Final = Path(__file__).resolve().parents[2]
EVENTS: Final = [
    {"event_id": f"c{n}", "ts": "2026-11-20T08:00:00Z", "kind": "llm", "channel": "cli",
     "source": "file", "status": "ok", "user": "ana", "cost_nano": 10**9, "input_tokens": n}
    for n in range(7)
]  # fmt: skip
pytestmark = pytest.mark.usefixtures("environ")


def settings_of(folder: Path) -> dict[str, str]:
    """The environment of a Spendscope with its own stores and port."""
    told = {"DATA_DIR": str(folder / "var"), "PORT": str(free_port()), "JWT_SECRET": SECRET,
            "INGEST_KEY": KEY, "NOW": NOW}  # fmt: skip
    return {f"SPENDSCOPE_{name}": value for name, value in told.items()}


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    named = settings_of(tmp_path)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    return named


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in EVENTS))
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a real server in a process of its own, stopped at the end."""
    folder = tmp_path_factory.mktemp("running")
    environ = settings_of(folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "app.py", "serve"], cwd=folder, stdout=log, stderr=log,
            env=os.environ | environ,
        )  # fmt: skip
    try:
        wait_until(lambda: answers(Settings.read(environ), process), process)
        yield environ
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def server(
    environ: Mapping[str, str], running: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The server that runs, and has the store of this test's commands: each has its own user."""
    for name, value in running.items():
        monkeypatch.setenv(name, value)
    return Settings.read(running)


def wait_until(there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    patience = threading.Event()
    for _ in range(600):
        if there():
            return
        assert process.poll() is None, "the server stopped"
        patience.wait(0.1)
    raise AssertionError("the server does not answer")


def answers(settings: Settings, process: subprocess.Popen[bytes]) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{settings.port}/readyz", timeout=5) as answer:
            return answer.status == 200 and (settings.data_dir / SERVER_FILE).exists()
    except (URLError, OSError):
        return False


def totals(settings: Settings, **filters: str) -> Any:
    token = sign(settings, {"sub": "root", "isAdmin": True}, 600)
    told = urlencode({"metrics": "events,cost,tokens", **filters})
    url = f"http://127.0.0.1:{settings.port}/api/v1/query?{told}"
    asked = Request(url, headers={"Authorization": f"Bearer {token}"})
    with urlopen(asked, timeout=30) as answer:
        return json.loads(answer.read())["totals"]


def test_an_import_goes_through_the_server_that_runs(
    server: Settings, run: Run, file: Path
) -> None:
    code, said, _ = run("import", "--json", str(file))
    assert (code, json.loads(said)["accepted"]) == (0, len(EVENTS))
    assert totals(server, user="ana") == {"events": 7, "cost": 7.0, "tokens": 21}
    code, said, _ = run("import", "--json", str(file))
    assert (code, json.loads(said)["duplicates"]) == (0, len(EVENTS))
    assert totals(server, user="ana") == {"events": 7, "cost": 7.0, "tokens": 21}


def test_an_import_costs_the_own_prices_of_the_server_that_runs(
    server: Settings, run: Run, tmp_path: Path
) -> None:
    token = sign(server, {"sub": "root", "isAdmin": True}, 600)
    price = {"model": "our-*", "from": "2026-01-01", "input": "2"}
    url = f"http://127.0.0.1:{server.port}/api/v1/prices"
    urlopen(Request(url, json.dumps(price).encode(), {"Authorization": f"Bearer {token}"})).close()
    path = tmp_path / "own.jsonl"
    call = {"model": "our-llama", "input_tokens": 1_000_000, "cost_nano": None}
    path.write_text(json.dumps(EVENTS[0] | call | {"event_id": "own", "user": "bob"}))
    report = json.loads(run("import", "--json", str(path))[1])
    assert (report["unpriced"], report["cost"]) == (0, 2.0)
    assert totals(server, user="bob")["cost"] == 2.0


def test_the_key_of_the_server_is_its_owners_alone(server: Settings, run: Run) -> None:
    assert (server.data_dir / SERVER_FILE).stat().st_mode & 0o077 == 0
    for key in (KEY, "", "wrong"):
        url = f"http://127.0.0.1:{server.port}/api/v1/store/remove"
        asked = Request(url, b'"test"', {"Authorization": f"Bearer {key}"})
        with pytest.raises(URLError) as refused:
            urlopen(asked, timeout=10)
        assert getattr(refused.value, "code", 0) == 401
        refused.value.close()  # type: ignore[attr-defined]


def test_an_import_opens_the_store_where_no_server_runs(run: Run, file: Path) -> None:
    code, said, _ = run("import", "--json", str(file))
    assert (code, json.loads(said)["accepted"]) == (0, len(EVENTS))
    code, said, _ = run("check")
    assert code == 0
    assert said.count("ok  ") == len(said.splitlines()) >= 5


def test_the_note_of_a_server_that_died_is_no_obstacle(
    environ: Mapping[str, str], run: Run, file: Path
) -> None:
    settings = Settings.read(environ)
    note = {"url": f"http://127.0.0.1:{settings.port}", "key": "old"}
    (settings.data_dir / SERVER_FILE).write_text(json.dumps(note))
    assert run("import", str(file))[0] == 0


def test_a_rejected_record_makes_the_exit_code_two(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "half.jsonl"
    bad = EVENTS[1] | {"ts": "soon"}
    path.write_text("".join(json.dumps(one) + "\n" for one in (EVENTS[0], bad)))
    code, said, _ = run("import", str(path))
    assert code == 2
    assert "half.jsonl:2: ts is not a time: 'soon'" in said


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("import", "/nowhere/at/all"), "spendscope: "),
    (("import", "--start", "soon", "/tmp"), "--start is no ISO 8601 instant: 'soon'"),
    (("token", "--sub", " "), "--sub cannot be empty"),
])  # fmt: skip
def test_a_failure_is_one_sentence(run: Run, arguments: tuple[str, ...], sentence: str) -> None:
    code, said, told = run(*arguments)
    assert (code, said) == (1, "")
    assert sentence in told
    assert "Traceback" not in told


def test_a_dry_run_stores_nothing(run: Run, file: Path) -> None:
    code, said, _ = run("import", "--dry-run", "--json", str(file))
    assert (code, json.loads(said)["accepted"]) == (0, len(EVENTS))
    assert json.loads(run("import", "--json", str(file))[1])["accepted"] == len(EVENTS)


def test_a_wrong_setting_stops_the_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPENDSCOPE_PORT", "http")
    code, _, told = run("serve")
    assert code == 1
    assert told.startswith("spendscope: SPENDSCOPE_PORT must be a port from 1 to 65535")


def test_the_sample_comes_and_goes(run: Run) -> None:
    code, said, _ = run("sample", "--events", "500", "--days", "5", "--until", NOW)
    assert (code, "500 new events" in said) == (0, True)
    assert "0 new events" in run("sample", "--events", "500", "--days", "5", "--until", NOW)[1]
    assert "Removed 500 sample events." in run("sample", "--remove")[1]


def test_a_check_finds_what_is_wrong(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("import", str(file))
    monkeypatch.setattr("data.engines.duckdb.store.DuckEvents.count_duplicates", lambda self: 3)
    code, said, _ = run("check")
    assert code == 1
    assert "FAILED  no event is stored twice: 3 events are stored more than once" in said


def test_a_check_names_columns_that_nobody_reads(run: Run, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(table(CURSOR | {"Thinking Tokens": "12"}))
    run("import", str(tmp_path / "f.csv"))
    code, said, _ = run("check")
    assert code == 0
    assert f"  note  {UNREAD.format('cursor', 'Thinking Tokens')}" in said.splitlines()


def test_events_with_long_tags_go_through_the_server_in_parts(
    server: Settings, run: Run, tmp_path: Path
) -> None:
    path, tags = tmp_path / "long.jsonl", {"note": "€" * 1_300}
    long = EVENTS[0] | {"user": "cyd", "tags": tags}
    lines = (json.dumps(long | {"event_id": f"t{n}"}, ensure_ascii=False) for n in range(10_000))
    path.write_text("\n".join(lines), encoding="utf-8")
    assert path.stat().st_size > 32 * 1024 * 1024
    for wanted in ((10_000, 0), (0, 10_000)):
        code, out, err = run("import", str(path), "--json")
        told = json.loads(out)
        assert (code, told["accepted"], told["duplicates"]) == (0, *wanted), err


@pytest.mark.parametrize(("body", "said"), [
    (b'{"error": {"code": "x", "message": "say --replace", "request": "1"}}', "say --replace"),
    (b"<html>Bad Gateway", "<html>Bad Gateway"), (b"[]", "[]"), (b'{"error": 1}', '{"error": 1}'),
])  # fmt: skip
def test_what_a_server_refuses_is_its_sentence(body: bytes, said: str) -> None:
    assert sentence(body) == said
