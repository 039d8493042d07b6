"""A process that can be killed at any moment, many times a minute: everything is imported once,
and each job runs in a fork of that. Run as `python -m tests.durable`; jobs come as lines of JSON.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import data.engines.clickhouse.store
import data.engines.duckdb.store  # open_events would, in every fork
import data.engines.postgresql.store
import data.ingest.preparing
import data.sources.parquet
from app import create_app
from callbacks.commands import remote_store
from callbacks.receive.http_server import close, make_server
from callbacks.receive.http_server import run as answer
from data.access.scope import Scope
from data.engines.duckdb import sums
from data.engines.protocol import EventStore, open_events
from data.ingest.importing import ingest, ingest_paths
from data.ingest.request_process import ParserProcess
from data.query.catalog import aggregates
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.settings import Settings
from data.sources import Options
from data.sources.events import event_of
from data.state.store import State

IDS: Final = 400
COMMANDS: Final = "the key of commands"
WHOLE: Final = 'SELECT event_id, input_tokens, "user" FROM events'
THREADS: Final = 4
ADMIN: Final = Scope.of({"sub": "root", "isAdmin": True})
LEAST: Final = {"kind": "llm", "channel": "api", "source": "kill",
                "status": "ok", "model": "gpt-4o-mini", "provider": "openai"}  # fmt: skip


def tokens(event_id: str) -> int:
    """What the event of this id says, so that a torn row would show."""
    return sum(event_id.encode()) * 7


def raw(event_id: str) -> dict[str, Any]:
    minute = tokens(event_id) % 1_440
    ts = f"2026-11-20T{minute // 60:02}:{minute % 60:02}:00Z"
    own = {"event_id": event_id, "ts": ts, "input_tokens": tokens(event_id), "user": event_id}
    return LEAST | own


def work(job: dict[str, Any]) -> None:
    """Say what is stored, then write until somebody kills us, noting what was acknowledged."""
    settings = Settings.read(job["environ"]) if job["do"] == "serve" else None
    state = State(settings.state_url) if settings else None
    store = open_events(job["store"])
    with store.sql.connect() as connection:
        if connection.dialect.name == "duckdb":
            # Checkpoints are where files are rewritten: have many of them.
            connection.exec_driver_sql("SET GLOBAL wal_autocheckpoint = '64KB'")
        rows = connection.exec_driver_sql(WHOLE).fetchall()
    note(job["stored"], json.dumps([tuple(row) for row in rows]))
    if settings and state:
        serve(settings, state, store)
    elif job["do"] == "import":
        setattr(data.ingest.preparing, "BATCH", 200)  # noqa: B010
        setattr(data.sources.parquet, "STRETCH", 2_048)  # noqa: B010
        report = ingest_paths([Path(job["file"])], store, Options(), progress=None)
        note(job["acked"], json.dumps(report.as_dict()))
    elif job["do"] in ("write", "sum"):
        if job["do"] == "sum":
            sum_up(store, job)
        threads = [
            threading.Thread(target=send, args=(store, job, random.Random(f"{job['seed']}-{n}")))
            for n in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    store.close()


def serve(settings: Settings, state: State, store: Any) -> None:
    """Answer until somebody kills us, or tells us to end."""
    reader = ParserProcess(settings.state_url)
    server = create_app(settings, state, store, COMMANDS, reader=reader).server
    with closing(reader), remote_store.announce(settings, COMMANDS):
        made = make_server(server, host="127.0.0.1", port=settings.port, threads=8)
        answer(made)
        close(made)


def sum_up(store: Any, job: dict[str, Any]) -> None:
    """Note what the sums that were left say, what the events say, and how many sums there are;
    then bring them up to date in small steps for as long as we live."""
    for name in ("LEAST_SAVED", "MANY", "MOST_QUARTERS"):
        setattr(sums, name, 0 if name == "LEAST_SAVED" else 20)
    store.sum_up(aggregates())
    query = Query(("events", "input_tokens", "active_users"), ("hour",), Filters(ALL_TIME))
    said = [run(query, ADMIN, store).to_json()]
    store.memo.clear()
    kept, store._sums = store._sums, None
    said.append(run(query, ADMIN, store).to_json())
    store.memo.clear()
    store._sums = kept
    with store.sql.connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM sums").scalar_one()
    note(job["answers"], json.dumps([*said, rows]))

    def refresh() -> None:
        while True:
            store.refresh_sums()

    threading.Thread(target=refresh, daemon=True).start()


def send(store: EventStore, job: dict[str, Any], chance: random.Random) -> None:
    """Write batches, some of their ids new, some of others, some of other threads at this time;
    some events are told in part before, which promises nothing."""
    while True:
        ids = [f"{job['seed']}-{chance.randrange(IDS)}" for _ in range(chance.randrange(1, 60))]
        ids += [f"{job['seed'] - 1}-{chance.randrange(IDS)}" for _ in range(3)]
        part = [(one, raw(one) | {"user": None}) for one in ids if chance.random() < 0.5]
        ingest(part, store)
        report = ingest([(one, raw(one)) for one in ids], store)
        assert report.read == len(ids)
        assert report.rejected == 0
        note(job["acked"], json.dumps(ids))


def note(path: str, text: str) -> None:
    """A line of JSON that is there for others once this returns, also if we die at once.

    A kill can tear a write at the end of a page: the line break before it keeps what a dead
    process left from running into what we say.
    """
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


def notes(path: Path) -> list[Any]:
    """What was noted whole: a line that a kill tore is no JSON."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [found for line in text.split("\n") if (found := _whole(line)) is not None]


def _whole(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def main() -> None:
    event_of(raw("warm"))  # reads the price book, once for all
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                work(job)
                code = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(code)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
