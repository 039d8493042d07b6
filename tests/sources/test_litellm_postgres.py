"""A running LiteLLM's database: everything once, then only what is new, whatever happens."""

from __future__ import annotations

import gzip
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from callbacks.commands.litellm_sync import LiteLLMSync, sync_while_serving
from callbacks.commands.main import main
from components.settings.connections import connection
from data.engines.protocol import EventStore, open_events
from data.errors import SettingsError, SourceError
from data.events.table import EVENTS, Event
from data.ingest.importing import ingest
from data.ingest.sync import UNDATED, Cursor, SyncTarget, load_cursor, sync_database
from data.postgres import NO_URL, Address
from data.settings import Settings
from data.sources import Options, find, read
from data.sources.format import NOT_READ
from data.sources.litellm import database as litellm_database
from data.sources.litellm.database import Database
from data.sources.litellm.no_calls import CREATED_COST, RETRIEVED_COST
from data.sources.report import Report
from data.state.store import State
from data.state.tables import IMPORTS
from tests.commands.test_commands import ROOT, answers, environ, totals, wait_until
from tests.postgres import PASSWORD, Base, Cluster

NOW: Final = 1_795_400_000_000_000  # 2026-11-23 02:13:20 UTC
DAY: Final = "2026-11-18 "
DUMP: Final = "litellm/litellm_1.106.2_spend_tables.sql.gz"
SECONDS: Final = 30
__all__ = ["environ"]


@pytest.fixture
def one_pass(state: State, store: EventStore) -> Callable[..., tuple[Report, int]]:
    """Reads on in a database; the report, and how many rows were fetched for it."""

    def run(
        base: Base, into: EventStore = store, now: int = NOW, **told: Any
    ) -> tuple[Report, int]:
        with Database(Address.of(base.url)) as database:
            report = sync_database(SyncTarget(database, into, state, now), **told)
            return report, database.fetched

    return run


Run = Callable[..., tuple[Report, int]]


def calls(*times: str, prefix: str = "r", **fields: Any) -> list[dict[str, Any]]:
    """A call at each of these times of the day."""
    return [
        {"request_id": f"{prefix}{n}", "litellm_call_id": f"c-{prefix}{n}",
         "startTime": DAY + moment, **fields}
        for n, moment in enumerate(times)
    ]  # fmt: skip


def stored(store: EventStore) -> list[Event]:
    with store.sql.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(EVENTS)).mappings()]


# The real tables


@pytest.fixture(scope="module")
def real(cluster: Cluster) -> Base:
    path = Path(__file__).resolve().parents[3] / "shared" / "data" / DUMP
    if not path.exists():
        pytest.skip("the shared input data is not beside this repository")
    return cluster.make("real", gzip.decompress(path.read_bytes()).decode())


def oracle(base: Base) -> tuple[Any, ...]:
    """Calls, dollars and tokens, asked of the server itself."""
    (row,) = base.run(
        "SELECT count(*), sum(spend::numeric),"
        " sum(prompt_tokens + completion_tokens) FILTER (WHERE status = 'success'"
        ' OR prompt_tokens + completion_tokens > 0) FROM "LiteLLM_SpendLogs"'
    )
    return tuple(row)


def test_everything_is_read_once_and_exactly(
    real: Base, one_pass: Run, store: EventStore, shared: Path
) -> None:
    report, fetched = one_pass(real)
    count, spend, tokens = oracle(real)
    truth = json.loads((shared / "ground_truth.json").read_text())["litellm/spendlogs.csv.gz"]
    assert (report.accepted, report.rejected, fetched) == (count, 0, count) == (1786, 0, 1786)
    assert abs(Decimal(report.cost_nano) / 10**9 - spend) < Decimal("1e-9")
    assert abs(report.cost_nano / 1e9 - truth["spend_usd"]) < 1e-9
    assert report.tokens == tokens == truth["prompt_tokens"] + truth["completion_tokens"]
    assert ["60 requests with $0.190018" in note for note in report.notes] == [True]
    again, fetched = one_pass(real)
    assert (again.accepted, again.rejected, again.duplicates) == (0, 0, fetched)
    assert fetched == 60
    assert again.cost_nano == 0


def test_the_rows_are_those_of_a_dump(
    real: Base, one_pass: Run, store: EventStore, shared: Path
) -> None:
    one_pass(real)
    dumped = open_events("duckdb://")
    options = Options()
    ingest(read(find([shared / DUMP]), options), dumped)
    mine, theirs = ({e["event_id"]: e for e in stored(each)} for each in (store, dumped))
    dumped.close()
    assert mine == theirs


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_column_with_counts_that_nobody_reads_is_named(
    base: Base, one_pass: Run, dry_run: bool
) -> None:
    base.run('ALTER TABLE "LiteLLM_SpendLogs" ADD thinking_tokens integer DEFAULT 0, ADD note text')
    base.add(*calls("08:00", "09:00"))
    usage = json.dumps({"usage_object": {"advisor_tokens": 5}})
    base.run('UPDATE "LiteLLM_SpendLogs" SET thinking_tokens = 7, note = \'tokens\','
             f" metadata = '{usage}' WHERE request_id = 'r1'")  # fmt: skip
    report, _ = one_pass(base, dry_run=dry_run)
    (left,) = (note for note in report.notes if NOT_READ in note)
    assert left.startswith("litellm-database: ")
    assert "thinking_tokens" in left
    assert "metadata.usage_object.advisor_tokens" in left


def test_a_pass_that_is_killed_goes_on_where_it_was(
    real: Base, one_pass: Run, store: EventStore, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_database, "PAGE", 200)
    write, fetched = store.write, []

    def killed(events: Sequence[Event]) -> list[Event]:
        fetched.append(len(events))
        if len(fetched) in (3, 5):  # once before the page is stored, once after it
            if len(fetched) == 5:
                write(events)
            raise KeyboardInterrupt
        return write(events)

    monkeypatch.setattr(store, "write", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            one_pass(real)
    assert load_cursor(state, str(Address.of(real.url))).started
    report, read = one_pass(real)
    events = stored(store)
    assert len(events) == len({event["event_id"] for event in events}) == 1786
    assert sum(event["cost_nano"] or 0 for event in events) == 25_585_486_550
    assert 1786 - 4 * 200 <= read < 1786
    assert report.rejected == 0


# What is new


def test_new_calls_arrive_and_no_others_are_counted(base: Base, one_pass: Run) -> None:
    base.add(*calls("08:00", created_at=DAY + "08:01"), *calls("09:00", "09:30", prefix="m"))
    assert one_pass(base)[0].accepted == 3
    base.add(*calls("09:30", "10:00", prefix="n"))
    report, fetched = one_pass(base)
    assert (report.accepted, report.duplicates, fetched) == (2, 2, 4)
    assert one_pass(base)[0].accepted == 0


def test_a_call_that_was_inserted_late_arrives(base: Base, one_pass: Run) -> None:
    base.add(*calls("01:00", "12:00", created_at=DAY + "12:00"))
    one_pass(base)
    base.add(*calls("11:10", prefix="minutes", created_at=DAY + "12:20"))
    base.add(*calls("02:00", prefix="hours", created_at=DAY + "12:30"))
    assert one_pass(base, late=False)[0].accepted == 1
    report, fetched = one_pass(base)
    assert (report.accepted, fetched) == (1, 4)  # 01:00 was inserted within the hour, too
    base.add(*calls("12:00", prefix="n", created_at=DAY + "20:00"))
    assert one_pass(base)[0].accepted == 1
    report, fetched = one_pass(base)
    assert (report.accepted, fetched) == (0, 3)  # of the older ones, none is looked at again


UNDATE: Final = 'ALTER TABLE "LiteLLM_SpendLogs" DROP COLUMN created_at'


@pytest.mark.parametrize("gone", [False, True])
def test_without_insertion_times_late_calls_of_a_day_arrive_and_it_is_said(
    base: Base, one_pass: Run, gone: bool
) -> None:
    """The column may never have been there, or be gone since a place was kept with it."""
    if not gone:
        base.run(UNDATE)
    base.add(*calls("12:00"))
    assert one_pass(base)[0].notes == {}
    if gone:
        base.run(UNDATE)
    base.add(*calls("01:00", prefix="late"))
    base.add({"request_id": "later", "startTime": "2026-11-16 01:00"})
    assert one_pass(base, late=False)[0].accepted == 0
    report, _ = one_pass(base)
    assert (report.accepted, report.notes) == (1, {UNDATED: 1})
    further = Options(start=datetime(2026, 11, 16, tzinfo=UTC))
    assert one_pass(base, options=further)[0].accepted == 1


def test_insertion_times_are_used_once_they_are_there(base: Base, one_pass: Run) -> None:
    base.run(UNDATE)
    base.add(*calls("12:00"))
    one_pass(base)
    base.run('ALTER TABLE "LiteLLM_SpendLogs" ADD created_at timestamp(3)')
    base.add(*calls("12:00", prefix="m", created_at=DAY + "12:01"))
    base.add(*calls("01:00", prefix="n", created_at=DAY + "12:30"))
    assert one_pass(base)[0].accepted == 2
    base.add({"request_id": "p", "startTime": "2026-11-10", "created_at": DAY + "12:40"})
    report, _ = one_pass(base)
    assert (report.accepted, report.notes) == (1, {})


def test_late_calls_are_not_lost_to_a_pass_that_was_killed(
    base: Base, one_pass: Run, store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_database, "PAGE", 2)
    base.add(*calls("01:00", "02:00", "08:00", "09:00", created_at=DAY + "09:00"))
    write = store.write
    monkeypatch.setattr(store, "write", lambda events: write(events) and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one_pass(base)
    monkeypatch.setattr(store, "write", write)
    assert len(stored(store)) == 2
    one_pass(base, late=False)
    base.add(*calls("01:30", prefix="late", created_at=DAY + "09:10"))
    one_pass(base)
    assert len(stored(store)) == 5


def test_a_search_that_takes_too_long_is_a_note(
    base: Base, one_pass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.add(*calls("01:00", "12:00"))
    one_pass(base)

    def slow(self: Database, *_: str) -> Iterator[Any]:
        monkeypatch.setattr(litellm_database, "SETTINGS", "SET LOCAL statement_timeout = 20")
        return iter(self._rows(sa.text("SELECT pg_sleep(9)")))

    monkeypatch.setattr(Database, "late", slow)
    base.add(*calls("12:30", prefix="n"))
    report, _ = one_pass(base)
    assert report.accepted == 1
    (note,) = report.notes
    assert "not looked for" in note
    assert "longer than 60 s" in note


def test_rows_of_the_future_do_not_hide_those_to_come(base: Base, one_pass: Run) -> None:
    base.add(*calls("08:00"), {"request_id": "f", "startTime": "2031-01-01"})
    assert one_pass(base)[0].accepted == 2
    base.add(*calls("09:00", prefix="n"))
    assert one_pass(base, late=False)[0].accepted == 1


def test_a_new_event_store_gets_everything(base: Base, one_pass: Run, tmp_path: Path) -> None:
    base.add(*calls("01:00", created_at=DAY + "01:00"), *calls("12:00", prefix="n"))
    one_pass(base)
    other = open_events(f"duckdb:///{tmp_path / 'other.duckdb'}")
    assert one_pass(base, other)[0].accepted == 2
    other.close()


def test_a_new_database_at_the_same_address_is_read_from_the_beginning(
    base: Base, one_pass: Run
) -> None:
    base.add(*calls("12:00"))
    one_pass(base)
    base.run('DELETE FROM "LiteLLM_SpendLogs"')
    base.add(*calls("01:00", prefix="new", created_at=DAY + "01:00"))
    assert one_pass(base)[0].accepted == 1


def test_a_start_limits_the_first_time_and_reads_again_later(base: Base, one_pass: Run) -> None:
    base.add(*calls("01:00", created_at=DAY + "01:00"), *calls("05:00", "12:00", prefix="m"))
    at = Options(start=datetime(2026, 11, 18, 6, tzinfo=UTC))
    assert one_pass(base, options=at)[0].accepted == 2
    assert one_pass(base)[0].accepted == 0
    early = Options(start=datetime(2026, 11, 18, tzinfo=UTC))
    assert one_pass(base, options=early)[0].accepted == 1
    base.add(*calls("13:00", prefix="n"))
    after = Options(start=datetime(2026, 11, 19, tzinfo=UTC))
    assert one_pass(base, options=after)[0].accepted == 1


def test_a_dry_run_stores_nothing_and_keeps_no_place(
    base: Base, one_pass: Run, store: EventStore, state: State
) -> None:
    base.add(*calls("01:00", "12:00"))
    report, _ = one_pass(base, dry_run=True)
    assert (report.accepted, stored(store)) == (2, [])
    assert load_cursor(state, str(Address.of(base.url))) == Cursor()


def test_bad_rows_are_rejected_and_the_rest_goes_on(base: Base, one_pass: Run) -> None:
    base.add(
        *calls("01:00"), *calls("02:00", prefix="bad", status="odd"), *calls("03:00", prefix="n")
    )
    report, _ = one_pass(base)
    assert (report.accepted, report.rejected) == (2, 1)
    assert report.rejections[0][0] == "LiteLLM_SpendLogs bad0"
    assert "status is 'odd'" in report.rejections[0][1]


# What is read


def test_names_come_along_and_what_was_said_stays(
    base: Base, one_pass: Run, store: EventStore
) -> None:
    told = {"user_agent": "curl/8", "messages": "what was asked", "usage_object": {
        "prompt_tokens_details": {"cached_tokens": 4}}}  # fmt: skip
    base.add(*calls("01:00", metadata=json.dumps(told)))
    base.add(*calls("02:00", prefix="b", user="bo", team_id="other"))
    failed = {"error_information": {"error_class": "RateLimitError", "traceback": "asked"}}
    base.add(*calls("03:00", prefix="f", status="failure", metadata=json.dumps(failed)))
    one_pass(base)
    first, second, third = sorted(stored(store), key=lambda event: event["ts"])
    assert (first["user_name"], first["project_name"]) == ("ana@example.com", "Team T")
    assert (first["client"], first["cached_input_tokens"]) == ("curl", 4)
    assert (second["user_name"], second["project_name"]) == ("Bo", None)
    assert (third["status"], third["error_class"]) == ("error", "RateLimitError")
    assert first["ts"] == 1_794_963_600_000_000
    assert "asked" not in json.dumps([first, second, third])
    with Database(Address.of(base.url)) as database:
        (page,) = database.since(None)
    assert "asked" not in json.dumps(page)


def test_an_older_litellm_lacks_columns_and_tables(
    base: Base, one_pass: Run, store: EventStore
) -> None:
    for column in ("litellm_call_id", "request_duration_ms", "status", "created_at", "session_id",
                   "mcp_namespaced_tool_name", "metadata", "team_id"):  # fmt: skip
        base.run(f'ALTER TABLE "LiteLLM_SpendLogs" DROP COLUMN "{column}"')
    for table in ("UserTable", "TeamTable", "DailyUserSpend"):
        base.run(f'DROP TABLE "LiteLLM_{table}"')
    base.add({"request_id": "r", "startTime": DAY + "01:00", "endTime": DAY + "01:00:01.5"})
    assert one_pass(base)[0].accepted == 1
    assert one_pass(base)[0].duplicates == 1
    (event,) = stored(store)
    assert (event["event_id"], event["duration_ms"]) == ("litellm:r", 1_500)
    assert event["project"] is event["user_name"] is None


def test_nothing_can_be_written_there(base: Base) -> None:
    with Database(Address.of(base.url_of("postgres", PASSWORD))) as database:
        for statement in ("CREATE TABLE x ()", 'DELETE FROM "LiteLLM_SpendLogs"'):
            with pytest.raises(SourceError, match="read-only transaction"):
                database._rows(sa.text(statement))


def test_the_rights_that_connect_names_are_enough(
    base: Base, state: State, store: EventStore
) -> None:
    base.add(*calls("09:00:00"))
    grants = connection("litellm-database").steps[0].code.replace("PASSWORD'", "geheim'")
    for statement in grants.replace("ROLE spendscope", f"ROLE {base.name}_reader").split(";")[:-1]:
        base.run(statement.replace("TO spendscope", f"TO {base.name}_reader"))
    with Database(Address.of(base.url_of(f"{base.name}_reader", "geheim"))) as database:
        report = sync_database(SyncTarget(database, store, state, NOW))
    assert (report.accepted, report.format) == (1, "litellm-database")
    assert [(one["user"], one["project_name"]) for one in stored(store)] == [("ana", "Team T")]


def test_many_rows_of_one_instant_are_paged_exactly(
    base: Base, one_pass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_database, "PAGE", 3)
    base.add(*calls(*["07:00"] * 10), *calls(*["07:00:00.001"] * 2, prefix="a"))
    report, fetched = one_pass(base)
    assert (report.accepted, report.duplicates, fetched) == (12, 0, 12)


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_money_of_rows_that_are_no_calls_is_named_once(
    base: Base, one_pass: Run, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_database, "PAGE", 2)
    base.add(*calls("07:00"))
    for kind in ("aretrieve_batch", "acreate_batch"):
        base.add(
            *calls(
                *["08:00"] * 3,
                prefix=kind,
                call_type=kind,
                spend=0.25,
                prompt_tokens=0,
                completion_tokens=0,
            )
        )
    report, fetched = one_pass(base, dry_run=dry_run)
    assert (report.accepted, fetched) == (1, 7)
    assert report.notes == {
        RETRIEVED_COST.format("aretrieve_batch", 3, 0.75): 1,
        CREATED_COST.format("acreate_batch", 3, 0.75): 1,
    }


def test_lost_rows_are_told(base: Base, one_pass: Run) -> None:
    base.add(*calls("01:00"))
    base.run('INSERT INTO "LiteLLM_DailyUserSpend" VALUES (%s, %s, 0.75, 30, 0, 3)', "d", DAY[:10])
    (note,) = one_pass(base)[0].notes
    assert "it lost the rows of 2 requests with $0.500000 and 20 tokens" in note


# What goes wrong


def test_addresses() -> None:
    one = Address.of(
        "postgres://u:p%40ss@db.example:6432/litellm?schema=llm&connection_limit=9", {}
    )
    assert (one.host, one.port, one.password, one.schema) == ("db.example", 6432, "p@ss", "llm")
    assert str(one) == "db.example:6432/litellm schema llm"
    assert "p@ss" not in repr(one)
    assert Address.of("postgresql://u@h/d", {"PGPASSWORD": "x"}).password == "x"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://h/d", NO_URL), ("postgresql://u@h", NO_URL), ("postgres://u@:5/d", NO_URL),
        ("postgresql://u:p@h:port/d", NO_URL), ("mysql://u@h/d", NO_URL), ("postgresql://", NO_URL),
        ("postgresql://u@h/d?sslmode=maybe", "sslmode is 'maybe', not one of disable, allow"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(SourceError) as refused:
        Address.of(url, {})
    assert sentence in str(refused.value)


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Command:
    """A command's exit code and all it says; the password is nowhere in it."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(lambda settings, sample: None, arguments)
        told = capsys.readouterr()
        said = told.out + told.err
        for secret in (PASSWORD, "p%40ss", "wrong-one"):
            assert secret not in said + caplog.text
        return code, said

    return run


def test_what_cannot_be_read_is_one_sentence(base: Base, command: Command) -> None:
    wrong = base.url_of("reader", "wrong-one")
    ports = f":{base.port}/"
    sentences = {
        wrong: "does not let reader in: password or user is wrong",
        base.open_url: "does not let reader in: password or user is wrong",
        base.url.replace("reader", "nobody"): "does not let nobody in",
        base.url.replace(ports, ":1/"): "cannot be reached",
        base.url.replace(base.name, "nowhere"): "has no database nowhere",
        base.url.replace(base.name, "postgres"): "shows reader no table LiteLLM_SpendLogs",
        base.url.replace("postgresql:", "mysql:"): NO_URL,
        base.url.replace("postgresql:", "postgresql+psycopg:").replace(base.name, "none"): "none",
        base.url + "?schema=other": "shows reader no table LiteLLM_SpendLogs",
        base.url + "?sslmode=require": "does not encrypt, as sslmode=require asks for",
    }
    for url, sentence in sentences.items():
        code, said = command("import", url)
        assert (code, said.count("\n")) == (1, 1), said
        assert sentence in said


def test_a_command_imports_and_keeps_no_password(
    base: Base, command: Command, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    base.add(*calls("01:00"))
    code, said = command("import", "--json", base.url)
    told = json.loads(said.splitlines()[0])
    assert (code, told["accepted"], told["format"]) == (0, 1, "litellm-database")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    file = tmp_path / "one.json"
    file.write_text('{"event_id":"e","ts":"2026-11-18","kind":"llm"}')
    code, said = command("import", "--json", base.open_url, str(file))
    told = json.loads(said.splitlines()[0])
    assert (told["accepted"], told["duplicates"], told["files"]) == (1, 1, 2)
    assert told["format"] == "canonical, litellm-database"
    for path in Path(environ["SPENDSCOPE_DATA_DIR"]).iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


# While serving


def wait(there: Callable[[], bool]) -> None:
    patience, end = threading.Event(), time.monotonic() + SECONDS
    while not there():
        assert time.monotonic() < end, "it does not happen"
        patience.wait(0.02)


def settings(environ: dict[str, str], url: str) -> Settings:
    told = {"SPENDSCOPE_LITELLM_URL": url, "SPENDSCOPE_LITELLM_EVERY": "1"}
    return Settings.read(environ | told)


def test_a_server_keeps_up(
    base: Base, state: State, store: EventStore, environ: dict[str, str]
) -> None:
    base.add(*calls("01:00"))
    with sync_while_serving(settings(environ, base.url), state, store):
        wait(lambda: len(stored(store)) == 1)
        base.add(*calls("02:00", prefix="n"))
        wait(lambda: len(stored(store)) == 2)
    assert "litellm" not in {thread.name for thread in threading.enumerate()}
    with state.reading() as connection:
        (logged,) = connection.execute(sa.select(IMPORTS)).mappings().all()
    assert (logged["way"], logged["who"], logged["format"]) == (
        "live", "SPENDSCOPE_LITELLM_URL", "litellm-database"
    )  # fmt: skip
    assert (logged["accepted"], logged["duplicates"], logged["rejected"]) == (2, 0, 0)


def test_a_server_without_litellm_follows_nothing(
    state: State, store: EventStore, environ: dict[str, str]
) -> None:
    with sync_while_serving(Settings.read(environ), state, store):
        assert "litellm" not in {thread.name for thread in threading.enumerate()}


def test_a_failing_database_is_one_sentence_and_asked_less_and_less(
    base: Base, state: State, store: EventStore, environ: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    one = LiteLLMSync(settings(environ, base.url_of("reader", "wrong-one")), state, store)
    pauses = []
    for _ in range(12):
        one._pass()
        pauses.append(one.pause())
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 12
    assert said[0].endswith("password or user is wrong; trying again in 2 s")
    assert "wrong-one" not in caplog.text


def test_a_bug_does_not_end_the_following(
    base: Base, state: State, store: EventStore, environ: dict[str, str],
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    base.add(*calls("01:00"))
    one = LiteLLMSync(settings(environ, base.url), state, store)
    monkeypatch.setattr(store, "write", lambda events: 1 / 0)
    one._pass()
    monkeypatch.undo()
    assert "this is a bug" in caplog.text
    assert PASSWORD not in caplog.text
    one._pass()
    assert (len(stored(store)), one.pause()) == (1, 1)


def test_a_server_that_does_not_lead_reads_nothing(
    base: Base, state: State, store: EventStore, environ: dict[str, str]
) -> None:
    base.add(*calls("01:00"))
    one = LiteLLMSync(settings(environ, base.url), state, store)
    one._pass(lambda: False)
    assert (len(stored(store)), one.failures, one.last_success) == (0, 0, 0.0)
    one._pass()
    assert len(stored(store)) == 1


def test_all_servers_say_how_the_reading_of_one_goes(
    base: Base, state_database: str, store: EventStore, environ: dict[str, str]
) -> None:
    base.add(*calls("01:00"))
    with closing(State(state_database)) as first, closing(State(state_database)) as second:
        leads, follows = (LiteLLMSync(settings(environ, base.url), one, store)
                          for one in (first, second))  # fmt: skip
        leads._pass()
        follows._pass(lambda: False)
        assert follows.last_success == pytest.approx(leads.last_success, abs=1e-5)
        assert leads.last_success > 0
        away = LiteLLMSync(settings(environ, base.url_of("reader", "wrong")), first, store)
        away._pass()
        follows._pass(lambda: False)
        assert (follows.failures, follows.pause(), away.pause()) == (1, 1, 2)
        assert follows.last_success == pytest.approx(leads.last_success, abs=1e-5)
        follows._pass()
        assert follows.failures == 0


@pytest.mark.parametrize("every", ["0", "-1", "soon", "90000", "1.5"])
def test_a_pause_is_whole_seconds(every: str, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="SPENDSCOPE_LITELLM_EVERY must be whole seconds"):
        Settings.read(environ | {"SPENDSCOPE_LITELLM_EVERY": every})


def test_a_wrong_address_stops_the_start(
    state: State, store: EventStore, environ: dict[str, str]
) -> None:
    wrong = settings(environ, "postgresql://p%40ss")
    with (
        pytest.raises(SettingsError, match="SPENDSCOPE_LITELLM_URL: this is no address") as told,
        sync_while_serving(wrong, state, store),
    ):
        raise AssertionError("it started")
    assert "p%40ss" not in str(told.value)


def test_a_running_server_follows_and_a_command_goes_through_it(
    base: Base, command: Command, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    base.add(*calls("01:00", "12:00"))
    told = {"SPENDSCOPE_LITELLM_URL": base.url, "SPENDSCOPE_LITELLM_EVERY": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    one = Settings.read(environ)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, ROOT / "app.py", "serve"], cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: answers(one, process), process)
        wait(lambda: bool(totals(one)["events"] == 2))
        code, said = command("import", "--json", base.url)
        assert (code, json.loads(said.splitlines()[0])["accepted"]) == (0, 0)
        base.add(*calls("12:30", prefix="n"))
        wait(lambda: bool(totals(one)["events"] == 3))
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert PASSWORD not in (tmp_path / "log").read_text()
