"""Apache Superset over HTTP: its chart-data API on LiteLLM's spend logs in PostgreSQL, and on the
same columns in DuckDB. From an environment of its own: `make build/superset/installed`.

One process with threads, as we are; nothing kept (`force`), so that each answer is computed.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import duckdb

from tests.bench.peers.questions import END, START, TOP, Answer
from tests.bench.peers.rows import Rows
from tests.bench.report import progress
from tests.bench.serving import send
from tests.ports import free_port
from tests.postgres import OWNER, PASSWORD, Base

BIN: Final = Path(__file__).resolve().parents[3] / "build" / "superset" / "bin"
MISSING: Final = "Superset is left out: make build/superset/installed brings it."
ADMIN: Final = "admin"
SECONDS: Final = 300
SERVED: Final = ("-w", "1", "--threads", "4", "-t", str(SECONDS), "--keep-alive", str(SECONDS))
CONFIG: Final = f"""
SECRET_KEY = "{"for-measuring-only-" * 3}"
SQLALCHEMY_DATABASE_URI = "sqlite:///{{folder}}/superset.db?check_same_thread=false"
WTF_CSRF_ENABLED = False
TALISMAN_ENABLED = False
RATELIMIT_ENABLED = False
PREVENT_UNSAFE_DB_CONNECTIONS = False
"""
CALLS: Final = """CREATE TABLE calls AS SELECT make_timestamp(ts) AS "startTime", "user",
    project AS team_id, model, coalesce(cost_nano, 0) / 1e9 AS spend FROM read_csv('{csv}')"""
COLUMNS: Final = {"user": "user", "model": "model", "project": "team_id"}
COST: Final = {"expressionType": "SQL", "sqlExpression": "SUM(spend)", "label": "cost"}
DAY: Final = {"columnType": "BASE_AXIS", "expressionType": "SQL", "sqlExpression": "startTime",
              "label": "day", "timeGrain": "P1D"}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A server that runs, and who may do anything there."""

    port: int
    pid: int
    bearer: str

    def post(self, path: str, body: Any) -> Any:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)) as connection:
            return _sent(connection, path, body, self.bearer)

    def dataset(self, name: str, url: str, schema: str | None, table: str) -> int:
        """A table of a database, as charts know it."""
        made = self.post("/api/v1/database/", {"database_name": name, "sqlalchemy_uri": url})
        told = {"database": made["id"], "schema": schema, "table_name": table}
        return int(self.post("/api/v1/dataset/", told)["id"])


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """A site of its own in a folder; it takes a minute."""
    folder.mkdir()
    config = folder / "superset_config.py"
    config.write_text(CONFIG.format(folder=folder))
    environ = {**os.environ, "SUPERSET_CONFIG_PATH": str(config), "SUPERSET_HOME": str(folder),
               "FLASK_APP": "superset.app:create_app()", "PYTHONPATH": ""}  # fmt: skip
    user = ("--username", ADMIN, "--firstname", "a", "--lastname", "b", "--email", "a@example.com",
            "--password", ADMIN)  # fmt: skip
    for command in (("db", "upgrade"), ("fab", "create-admin", *user), ("init",)):
        progress(f"superset {' '.join(command[:2])}")
        _run(BIN / "superset", command, environ, folder)
    port = free_port()
    served = (
        str(BIN / "gunicorn"), *SERVED, "-b", f"127.0.0.1:{port}", "superset.app:create_app()"
    )  # fmt: skip
    with (folder / "log").open("ab") as log, subprocess.Popen(
        served, stdout=log, stderr=log, env=environ, cwd=folder
    ) as server:  # fmt: skip
        try:
            _await(port, server)
            yield Site(port, server.pid, _bearer(port))
        finally:
            server.terminate()


def _run(program: Path, command: tuple[str, ...], environ: dict[str, str], folder: Path) -> None:
    with (folder / "log").open("ab") as log:
        subprocess.run([str(program), *command], env=environ, cwd=folder, check=True,
                       stdout=log, stderr=log, timeout=SECONDS)  # fmt: skip


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                send(connection, "GET", "/health", None, "")
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("its server did not start")


def _bearer(port: int) -> str:
    told = {"username": ADMIN, "password": ADMIN, "provider": "db"}
    return str(Site(port, 0, "").post("/api/v1/security/login", told)["access_token"])


def _sent(connection: HTTPConnection, path: str, body: Any, bearer: str) -> Any:
    rights = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    headers = {"Content-Type": "application/json", **rights}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{path} answered {answer.status}: {said[:300]!r}")
    return json.loads(said)


def on_postgresql(site: Site, base: Base) -> int:
    url = base.url_of(OWNER, PASSWORD)
    return site.dataset("PostgreSQL", url, "public", "LiteLLM_SpendLogs")


def on_duckdb(site: Site, rows: Rows) -> int:
    path = rows.csv.with_name("superset.duckdb")
    with duckdb.connect(str(path)) as connection:
        connection.execute(CALLS.format(csv=rows.csv))
    return site.dataset("DuckDB", f"duckdb:///{path}", "main", "calls")


class Superset:
    def __init__(self, site: Site, dataset: int) -> None:
        self._site, self._dataset = site, dataset
        self._connection = HTTPConnection("127.0.0.1", site.port, timeout=SECONDS)

    def ask(self, question: str) -> Answer:
        body = {
            "datasource": {"id": self._dataset, "type": "table"},
            "force": True,
            "queries": [_query(question)],
            "result_format": "json",
            "result_type": "full",
        }
        told = _sent(self._connection, "/api/v1/chart/data", body, self._site.bearer)
        rows = told["result"][0]["data"]
        return {_key(row, question): float(row["cost"] or 0) for row in rows}


def _query(question: str) -> dict[str, Any]:
    window = f"{START:%Y-%m-%dT%H:%M:%S} : {END:%Y-%m-%dT%H:%M:%S}"
    asked = {"metrics": [COST], "filters": [
        {"col": "startTime", "op": "TEMPORAL_RANGE", "val": window}]}  # fmt: skip
    if question == "day":
        return asked | {"columns": [DAY], "row_limit": 1_000}
    return asked | {"columns": [COLUMNS[question]], "orderby": [[COST, False]], "row_limit": TOP}


def _key(row: dict[str, Any], question: str) -> str:
    if question != "day":
        return str(row[COLUMNS[question]])
    return time.strftime("%Y-%m-%d", time.gmtime(row["day"] / 1_000))
