"""A real PostgreSQL for tests: a cluster of its own, thrown away, and LiteLLM's tables in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import URL

from data.state.store import State
from tests.ports import free_port

OWNER: Final = "postgres"
READER: Final = "reader"
PASSWORD: Final = "geheim & 100% p@ss:w/rd"
SECONDS: Final = 30
FAST: Final = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB")
# As LiteLLM 1.106.2 makes it, as far as it matters here.
TABLES: Final = """
CREATE TABLE "LiteLLM_SpendLogs" (
    request_id text PRIMARY KEY, call_type text NOT NULL DEFAULT 'acompletion',
    api_key text NOT NULL DEFAULT '', spend double precision NOT NULL DEFAULT 0.25,
    prompt_tokens integer NOT NULL DEFAULT 10, completion_tokens integer NOT NULL DEFAULT 0,
    "startTime" timestamp(3) NOT NULL, "endTime" timestamp(3), request_duration_ms integer,
    model text NOT NULL DEFAULT 'openai/gpt-4o', model_group text,
    custom_llm_provider text DEFAULT 'openai', "user" text DEFAULT 'ana', team_id text DEFAULT 't',
    metadata jsonb DEFAULT '{}', request_tags jsonb DEFAULT '[]', cache_hit text, end_user text,
    session_id text, status text DEFAULT 'success', mcp_namespaced_tool_name text,
    messages jsonb DEFAULT '{"secret": "what was asked"}', litellm_call_id text,
    created_at timestamp(3) NOT NULL DEFAULT '2026-11-18 12:00:00');
CREATE INDEX ON "LiteLLM_SpendLogs" ("startTime", request_id);
CREATE TABLE "LiteLLM_TeamTable" (team_id text PRIMARY KEY, team_alias text);
CREATE TABLE "LiteLLM_UserTable" (user_id text PRIMARY KEY, user_alias text, user_email text);
CREATE TABLE "LiteLLM_DailyUserSpend" (id text PRIMARY KEY, date text, spend double precision,
    prompt_tokens bigint, completion_tokens bigint, api_requests bigint);
INSERT INTO "LiteLLM_TeamTable" VALUES ('t', 'Team T');
INSERT INTO "LiteLLM_UserTable" VALUES ('ana', NULL, 'ana@example.com'), ('bo', 'Bo', NULL);
"""
GRANTS: Final = 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "reader"'


def programs() -> Path | None:
    """The folder with PostgreSQL's programs, the newest first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    on_path = shutil.which("postgres")
    places = [*found, *([Path(on_path).resolve()] if on_path else [])]
    return next((each.parent for each in places), None)


@dataclass(frozen=True)
class Base:
    """A database of the cluster. `url` is that of a role which may read and nothing else."""

    port: int
    name: str

    @property
    def url(self) -> str:
        return self.url_of(READER, PASSWORD)

    @property
    def open_url(self) -> str:
        """Without the password."""
        return self.url_of(READER, None)

    def url_of(self, user: str, password: str | None) -> str:
        found = URL.create("postgresql", user, password, "127.0.0.1", self.port, self.name)
        return found.render_as_string(hide_password=False)

    def run(self, statement: str, *values: Any) -> Any:
        """Let the owner run a statement; its rows, if it has any."""
        engine = sa.create_engine(
            self.url_of(OWNER, PASSWORD).replace("postgresql", "postgresql+pg8000", 1),
            poolclass=sa.NullPool, isolation_level="AUTOCOMMIT",
        )  # fmt: skip
        with engine.connect() as connection:
            done = connection.exec_driver_sql(statement, values)
            return done.fetchall() if done.returns_rows else []

    def add(self, *rows: Mapping[str, Any]) -> None:
        """Calls, each at least with `request_id` and `startTime`."""
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            places = ", ".join("%s" for _ in row)
            into = f'INSERT INTO "LiteLLM_SpendLogs" ({names}) VALUES ({places})'
            self.run(into, *row.values())


@dataclass(frozen=True)
class Cluster:
    """A server that runs, and its programs."""

    port: int
    bin: Path

    def make(self, name: str, sql: str | None = None, template: str = "template1") -> Base:
        """A new database."""
        Base(self.port, "postgres").run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        base = Base(self.port, name)
        if sql is not None:
            url = base.url_of(OWNER, PASSWORD)
            self.call("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", url, script=sql + GRANTS)
        return base

    def call(self, program: str, *arguments: str, script: str) -> None:
        subprocess.run(
            [str(self.bin / program), *arguments], input=script.encode(), check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


class Server:
    """A PostgreSQL of our own in a folder, which may be killed and started again."""

    def __init__(self, found: Path, settings: Sequence[str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="spendscope-postgres-"))
        self._settings = settings
        self.cluster = Cluster(free_port(), found)
        # The server never runs as root: it becomes whoever may own its files.
        self._who = _somebody() if os.geteuid() == 0 else {}
        _make(self._folder, found, self._who)
        self.start()
        Base(self.cluster.port, "postgres").run(f"CREATE ROLE {READER} LOGIN PASSWORD '{PASSWORD}'")

    def start(self) -> None:
        """Have it answer."""
        settings = [*self._settings, f"port={self.cluster.port}", "listen_addresses=127.0.0.1",
                    "unix_socket_directories="]  # fmt: skip
        options = [part for one in settings for part in ("-c", one)]
        command = [str(self.cluster.bin / "postgres"), "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, **self._who
            )
        _await(self.cluster, self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Have it and all its sessions end at once, as if by a fault: it recovers at its start."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        self._end(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        self._process.wait(SECONDS)


def installed() -> Path:
    """PostgreSQL's programs; without them a test is skipped."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed: make postgres")
    return found


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One PostgreSQL for the whole test run; `make postgres` installs what it takes."""
    with closing(Server(installed(), FAST)) as server:
        yield server.cluster


def _make(folder: Path, programs: Path, who: Mapping[str, Any]) -> None:
    """The files of a new cluster."""
    if who:
        os.chown(folder, who["user"], who["group"])
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    made = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", OWNER, "--no-sync",
            "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={secret}"]  # fmt: skip
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL, cwd=folder, **who)


def _somebody() -> dict[str, Any]:
    for name in (OWNER, "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL refuses to run as root, and there is no other user")


def _await(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            Base(cluster.port, "postgres").run("SELECT 1")
            return
        except sa.exc.DBAPIError:
            assert process.poll() is None, "PostgreSQL stopped"
            assert time.monotonic() < end, "PostgreSQL does not answer"


NUMBERS: Final = count()


@pytest.fixture(scope="session")
def litellm_template(cluster: Cluster) -> str:
    return cluster.make("litellm_template", TABLES).name


@pytest.fixture
def base(cluster: Cluster, litellm_template: str) -> Base:
    """A LiteLLM database without calls."""
    return cluster.make(f"litellm_{next(NUMBERS)}", template=litellm_template)


@pytest.fixture(scope="session")
def state_template(cluster: Cluster) -> str:
    """A database with the state store's tables."""
    made = cluster.make("state_template")
    State(made.url_of(OWNER, PASSWORD)).close()
    return made.name


@pytest.fixture
def state_database(cluster: Cluster, state_template: str) -> str:
    """The URL of a new state store."""
    made = cluster.make(f"state_{next(NUMBERS)}", template=state_template)
    return made.url_of(OWNER, PASSWORD)
