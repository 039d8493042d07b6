"""PostgreSQL as an event store: it says what DuckDB says, whoever writes, and says why it cannot.

Databases of its own beside the suites that ENGINE=postgresql runs (`tests/other_engine.py`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from app import create_app
from callbacks.commands.main import main
from data.engines.postgresql.schema import LOCK
from data.engines.protocol import EventStore, open_events
from data.errors import SettingsError, StoreError
from data.events.table import FIELDS, micros
from data.ingest.importing import ingest
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.settings import Settings
from data.state.store import State
from tests.analytics.test_numbers import MOMENT
from tests.durable import ADMIN, raw
from tests.engine import duckdb_only
from tests.engines.side_by_side import happen_alike, held
from tests.postgres import OWNER, PASSWORD, READER, Base, Cluster

NUMBERS: Final = count()
STALE: Final = "ALTER DATABASE \"{}\" SET default_transaction_isolation = 'repeatable read'"
TOLD: Final = {
    "transaction_isolation": "repeatable read", "transaction_read_only": "on",
    "statement_timeout": "2min", "timezone": "utc",
}  # fmt: skip
Make = Callable[..., Any]


@pytest.fixture
def database(cluster: Cluster) -> Base:
    return cluster.make(f"spendscope_{next(NUMBERS)}")


@pytest.fixture
def url(database: Base) -> str:
    return database.url_of(OWNER, PASSWORD)


@pytest.fixture
def two(url: str, database: Base) -> Iterator[tuple[EventStore, EventStore]]:
    """Two processes over one database, as far as they know; its own transactions would read what
    was there when they began."""
    database.run(STALE.format(database.name))
    with closing(open_events(url)) as one, closing(open_events(url)) as other:
        yield one, other


# --- the same as DuckDB


@duckdb_only
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_it_holds_and_says_what_duckdb_does(
    seed: int, url: str, tmp_path: Path
) -> None:
    happen_alike(seed, url, tmp_path, 12)


# --- several processes


def test_what_one_process_writes_another_sees_at_once(
    two: tuple[EventStore, EventStore], event: Make
) -> None:
    one, other = two
    events = Query(("events",), (), Filters(ALL_TIME))
    assert run(events, ADMIN, other)["events"].tolist() == [0]
    one.write([event()])
    assert run(events, ADMIN, other)["events"].tolist() == [1]
    one.remove("test")
    assert run(events, ADMIN, other)["events"].tolist() == [0]


def test_an_answer_is_kept_while_its_days_stand_still(
    two: tuple[EventStore, EventStore], event: Make
) -> None:
    one, other = two
    one.write([event(ts="2026-11-20T12:00:00Z")])
    day, kept = 86_400_000_000, iter(range(9))
    window = (micros(MOMENT.fromisoformat("2026-11-20T00:00:00+00:00")),) * 2
    window = (window[0], window[0] + day - 1)
    assert other.memo.get("kept", lambda: next(kept), window) == 0
    one.write([event(ts="2026-11-18T12:00:00Z")])
    assert other.memo.get("kept", lambda: next(kept), window) == 0
    one.write([event(event_id="e1", ts="2026-11-20T12:00:00Z")])  # adds nothing
    assert other.memo.get("kept", lambda: next(kept), window) == 0
    one.write([event(event_id="e1", ts="2026-11-20T12:00:00Z", user="ana")])
    assert other.memo.get("kept", lambda: next(kept), window) == 1


def test_the_same_events_sent_to_two_at_once_are_stored_once(
    two: tuple[EventStore, EventStore],
) -> None:
    """Each in another order and half of them told in part: new for one, complete for all."""
    reports: list[Any] = []

    def send(store: EventStore, seed: int) -> None:
        dice = random.Random(seed)
        ids = [f"e{number}" for number in range(300)]
        for _ in range(2):
            dice.shuffle(ids)
            for first in range(0, 300, 20):
                some = [(one, raw(one) | {"user": dice.choice((one, None))})
                        for one in ids[first : first + 20]]  # fmt: skip
                reports.append(ingest(some, store))
        reports.append(ingest([(one, raw(one)) for one in ids], store))

    threads = [threading.Thread(target=send, args=(two[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.accepted for report in reports) == 300
    events, *_ = held(two[0])
    assert sorted(row[0] for row in events) == sorted(f"e{number}" for number in range(300))
    assert all(row[FIELDS.index("user")] == row[0] for row in events)


def test_who_waits_too_long_for_another_process_is_told_to_send_again(
    url: str, database: Base, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.engines.commits.PATIENCE", 0.1)
    blocking = sa.create_engine(make_url(url).set(drivername="postgresql+pg8000"))
    with closing(open_events(url)) as store, blocking.connect() as connection:
        connection.exec_driver_sql(LOCK)
        with pytest.raises(StoreError, match="busy and took none of these events"):
            store.write([event()])
        assert store.count_by_source() == {}
        connection.rollback()
        assert len(store.write([event()])) == 1
    blocking.dispose()


def test_a_connection_that_broke_is_replaced(url: str, database: Base, event: Make) -> None:
    with closing(open_events(url)) as store:
        store.write([event()])
        database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                     " datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip
        assert store.stored_ids(["e1", "e2"]) == {"e1"}
        assert store.write([event(event_id="e1")]) == []


def test_a_question_reads_one_moment_and_changes_nothing(url: str) -> None:
    with closing(open_events(url)) as store, store.sql.connect() as connection:
        told = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in TOLD}
    assert {name: str(value).lower() for name, value in told.items()} == TOLD


# --- commands


@pytest.fixture
def command(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`spendscope …` over the database: how it ended and what it said."""
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SPENDSCOPE_EVENTS_URL", url)

    def run_command(*arguments: str) -> tuple[int, str]:
        code = main(lambda *_: None, arguments)
        return code, "".join(capfd.readouterr())

    return run_command


def test_the_sample_is_checked_and_removed(command: Callable[..., tuple[int, str]]) -> None:
    assert "200 new events" in command("sample", "--events", "200")[1]
    code, said = command("check")
    assert (code, "ok  no event is stored twice" in said) == (0, True), said
    assert command("sample", "--remove") == (0, "Removed 200 sample events.\n")


def test_backups_are_the_databases_own(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    for verb in ("backup", "restore"):
        code, said = command(verb, str(tmp_path / "copy"))
        assert (code, said.count("\n")) == (1, 1)
        assert "own means, as pg_" in said
    assert not (tmp_path / "copy").exists()


# --- refusals


def _refused(url: str) -> str:
    with pytest.raises((StoreError, SettingsError)) as refused:
        open_events(url)
    sentence = str(refused.value)
    assert PASSWORD not in sentence
    assert "\n" not in sentence
    return sentence


def test_what_cannot_be_opened_says_why(cluster: Cluster, database: Base) -> None:
    wrong = database.url_of(OWNER, "another")
    assert "does not let postgres in: password or user is wrong" in _refused(wrong)
    nowhere = Base(cluster.port, "nowhere").url_of(OWNER, PASSWORD)
    assert "has no database nowhere: create it" in _refused(nowhere)
    nobody = Base(1, "spendscope").url_of(OWNER, PASSWORD)
    assert "the database 127.0.0.1:1/spendscope cannot be reached" in _refused(nobody)
    assert "SPENDSCOPE_EVENTS_URL: this is no address of a data" in _refused(
        "postgresql:///spendscope"
    )


def test_a_role_needs_the_right_to_make_tables_and_to_use_them(database: Base) -> None:
    database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    assert "GRANT CREATE, USAGE ON SCHEMA" in _refused(database.url)
    open_events(database.url_of(OWNER, PASSWORD)).close()
    assert "may not use the tables of the event store" in _refused(database.url)
    database.run(f"CREATE SCHEMA own AUTHORIZATION {READER}")
    own = f"{database.url}?schema=own"
    with closing(open_events(own)) as store:
        assert store.count_by_source() == {}


def test_tables_of_others_and_newer_ones_are_left_alone(database: Base, url: str) -> None:
    database.run("CREATE TABLE events (theirs text)")
    assert "a table events that is not Spendscope's" in _refused(url)
    database.run("DROP TABLE events")
    open_events(url).close()
    database.run("INSERT INTO events_schema VALUES (99)")
    assert "schema version 99, newer than this program's" in _refused(url)


def test_two_that_start_at_the_same_time_make_the_tables_once(url: str) -> None:
    opened: list[EventStore] = []
    threads = [threading.Thread(target=lambda: opened.append(open_events(url))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 3
    for store in opened:
        store.close()


def test_the_service_says_that_it_is_not_ready_once_the_database_is_gone(
    cluster: Cluster, database: Base, url: str, tmp_path: Path
) -> None:
    given = {"DATA_DIR": str(tmp_path), "EVENTS_URL": url}
    settings = Settings.read({f"SPENDSCOPE_{name}": value for name, value in given.items()})
    with closing(State(settings.state_url)) as state, closing(open_events(url)) as store:
        client = create_app(settings, state, store, "key").server.test_client()
        assert client.get("/readyz").status_code == 200
        Base(cluster.port, "postgres").run(f'DROP DATABASE "{database.name}" WITH (FORCE)')
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert f"has no database {database.name}: create it" in answer.json["status"]
