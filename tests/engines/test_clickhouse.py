"""ClickHouse as an event store: it says what DuckDB says, whoever writes and whatever is cut short,
and says why it cannot.

Its own engine in this process (chDB), beside the suites that ENGINE=clickhouse runs
(`tests/other_engine.py`).
"""

from __future__ import annotations

import random
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from clickhouse_connect.driver._chdbclient import ChdbClient
from sqlalchemy.engine import make_url

from callbacks.commands.main import main
from data.engines.clickhouse import address, lock, removal, rows, schema, turn
from data.engines.clickhouse.address import Address
from data.engines.clickhouse.dialect import quoted
from data.engines.clickhouse.schema import SCHEMA, TABLES
from data.engines.clickhouse.versions import DayVersions
from data.engines.protocol import EventStore, open_events
from data.errors import SettingsError, StoreError
from data.events.table import EVENTS, FIELDS
from data.ingest.importing import ingest
from data.local_time import Grain
from data.prices.book import PUBLIC
from data.prices.rate_rows import RateChange, rate_rows
from data.query.catalog import METRICS
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from tests.clickhouse import ClickHouse
from tests.durable import ADMIN, raw
from tests.engine import duckdb_only
from tests.engines.side_by_side import happen_alike, held
from tests.engines.test_sums import MODELS

NEW_SETTINGS: Final = (
    "SELECT change.name, version FROM system.settings_changes ARRAY JOIN changes AS change"
    " WHERE change.reason ILIKE '%%new%%setting%%'"
)
BLOCKS: Final = (
    "SELECT max(max_block_number) FROM system.parts"
    " WHERE table = 'events' AND database = currentDatabase()"
)
DAY: Final = 86_400_000_000
EVENTS_ASKED: Final = Query(("events",), (), Filters(ALL_TIME))
Make = Callable[..., Any]


@pytest.fixture
def url(clickhouse: ClickHouse) -> str:
    return clickhouse.make()


@pytest.fixture
def one(url: str) -> Iterator[Any]:
    with closing(open_events(url)) as store:
        yield store


@pytest.fixture
def two(url: str) -> Iterator[tuple[Any, Any]]:
    """Two processes over one database, as far as they know."""
    with closing(open_events(url)) as one, closing(open_events(url)) as other:
        yield one, other


def count(store: EventStore) -> int:
    return int(run(EVENTS_ASKED, ADMIN, store)["events"].iloc[0])


def on_disk(store: Any, table: str, where: str = "true") -> int:
    """Rows that are there, also those that are not read any more."""
    asked = f"SELECT count() FROM {table} WHERE {where} SETTINGS final = 0"
    with store.sql.connect() as connection:
        return int(connection.exec_driver_sql(asked).scalar_one())


# --- the same as DuckDB


@duckdb_only
@pytest.mark.parametrize("seed", [1])
def test_whatever_happens_it_holds_and_says_what_duckdb_does(
    seed: int, url: str, tmp_path: Path
) -> None:
    happen_alike(seed, url, tmp_path, 12)


# --- several processes


def test_what_one_process_writes_another_sees_at_once(two: tuple[Any, Any], event: Make) -> None:
    one, other = two
    assert count(other) == 0
    one.write([event()])
    assert count(other) == 1
    one.remove("test")
    assert count(other) == 0


def test_the_same_events_sent_to_two_at_once_are_stored_once(two: tuple[Any, Any]) -> None:
    """Each in another order and half of them told in part: new for one, complete for all."""
    reports: list[Any] = []

    def send(store: EventStore, seed: int) -> None:
        dice, ids = random.Random(seed), [f"e{number}" for number in range(40)]
        dice.shuffle(ids)
        for first in range(0, 40, 20):
            some = [(name, raw(name) | {"user": dice.choice((name, None))})
                    for name in ids[first : first + 20]]  # fmt: skip
            reports.append(ingest(some, store))
        reports.append(ingest([(name, raw(name)) for name in ids], store))

    threads = [threading.Thread(target=send, args=(two[n % 2], n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.accepted for report in reports) == 40
    events, *_ = held(two[0])
    assert sorted(row[0] for row in events) == sorted(f"e{number}" for number in range(40))
    assert all(row[FIELDS.index("user")] == row[0] for row in events)


def _claim(store: Any, seconds: int) -> None:
    """Another process writes, for so long."""
    claim = lock.CLAIM.format("another", seconds, 2_000)
    with store.sql.connect() as connection:
        connection.exec_driver_sql(claim)


def test_who_waits_too_long_for_another_process_is_told_to_send_again(
    one: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("data.engines.commits.PATIENCE", 0.1)
        _claim(one, 600)
        with pytest.raises(StoreError, match="busy and took none of these events"):
            one.write([event()])
    assert one.count_by_source() == {}
    _claim(one, -1)  # it vanished: what it claimed has ended
    assert len(one.write([event()])) == 1


def test_who_could_not_renew_the_right_to_write_in_time_writes_nothing(
    one: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "TRUSTED", -1.0)
    with pytest.raises(StoreError, match="failed while it stored") as refused:
        one.write([event()])
    assert "did not answer in time" in str(refused.value.__cause__)
    assert one.count_by_source() == {}


def test_an_answer_is_kept_while_its_days_stand_still_and_not_while_they_are_written(
    two: tuple[Any, Any], event: Make
) -> None:
    one, other = two
    one.write([event(ts="2026-11-20T12:00:00Z")])
    (ts,) = (row[1] for row in held(one)[0])
    window, versions = (ts - ts % DAY, ts - ts % DAY + DAY - 1), DayVersions(other.sql)
    before = versions.of(window)
    one.write([event(event_id="e2", ts="2026-11-18T12:00:00Z")])
    one.write([event(event_id="e1", ts="2026-11-20T12:00:00Z")])  # adds nothing
    assert versions.of(window) == before
    with one._writing() as turn, one._touching(turn, [ts // DAY]):
        assert versions.of(window) != versions.of(window)
    assert versions.of(window) == versions.of(window) > before


# --- cut short


SESSION: Final = {"conversation_id": "s", "model": "gpt-4o", "provider": "openai"}


def _history(event: Make) -> list[list[Any]]:
    """A copy that gives way, a sum that does, an event that moves to an earlier day, an unpriced
    one that comes to a cost after a re-pricing."""
    return [
        [event(event_id="copy", shared_id="x", input_tokens=5, **SESSION),
         event(event_id="own", input_tokens=5, **SESSION | {"conversation_id": "t"}),
         event(event_id="sum", request_count=2, tags='{"sum_of_session":true}', **SESSION),
         event(event_id="moved", ts="2026-11-20T12:00:00Z")],
        [event(event_id="own", shared_id="x", input_tokens=5, **SESSION | {"conversation_id": "t"}),
         event(event_id="call", **SESSION), event(event_id="call2", **SESSION),
         event(event_id="moved", ts="2026-11-18T12:00:00Z", user="ana"),
         event(event_id="own", cost_nano=7, cost_origin="reported", input_tokens=5, **SESSION)],
    ]  # fmt: skip


@pytest.mark.parametrize("stored", range(6))
def test_a_write_that_was_cut_short_anywhere_is_whole_once_it_is_sent_again(
    stored: int, one: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many of the INSERTs of a turn."""
    insert, left = rows.insert, iter(range(stored))

    def breaks(*given: Any) -> None:
        if next(left, None) is None:
            raise KeyError("the power goes")
        insert(*given)

    first, second = _history(event)
    unpriced = RateChange("unpriced", rate_rows(PUBLIC, MODELS))
    with closing(open_events("duckdb://")) as whole:
        for store in (one, whole):
            store.write(first)
            store.reprice(unpriced, 1)
        with monkeypatch.context() as patch:
            patch.setattr(turn, "insert", breaks)
            with pytest.raises(StoreError, match="failed while it stored"):
                one.write(second)
        for store in (one, whole):
            store.write(second)
            assert store.stored_ids(["copy", "own", "sum"]) == {"copy", "own", "sum"}
        assert held(one) == held(whole)
        assert one.restore(1) == whole.restore(1)
        assert held(one) == held(whole)


def test_what_a_turn_writes_is_stored_as_one_block(url: str, event: Make) -> None:
    """Also where the driver sends it in parts, as it does here, and the server has small blocks."""
    small = f"{url}&ch_min_insert_block_size_rows=1&ch_min_insert_block_size_bytes=1"
    tags = '{"a":"' + "x" * 19_000 + '"}'
    with closing(open_events(small)) as store:
        store.write([event(event_id=f"e{n}", tags=tags) for n in range(2_500)])
        with store.sql.connect() as connection:
            blocks = connection.exec_driver_sql(BLOCKS).scalar_one()
    assert blocks == 1


def test_a_repricing_that_was_cut_short_is_undone_like_any_other(
    one: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.write([event(event_id=f"e{n}", input_tokens=n, **SESSION) for n in range(9)])
    before = held(one)
    monkeypatch.setattr(
        "data.engines.clickhouse.repricing.WRITE", "SELECT no_such_column /*{}{}{}*/"
    )
    unpriced = RateChange("unpriced", rate_rows(PUBLIC, MODELS))
    with pytest.raises(StoreError, match="no_such_column"):
        one.reprice(unpriced, 1)
    monkeypatch.undo()
    (events, *_, records) = held(one)
    assert (events, len(records)) == (before[0], 9)
    assert one.restore(1) == 9
    assert held(one) == before


# --- taken away


def test_what_is_removed_or_renamed_leaves_the_disk(one: Any, event: Make) -> None:
    ids = {"user": "ana@x.io", "conversation_id": "by ana@x.io"}
    one.write([event(event_id=f"ana@x.io:{n}", shared_id=f"s{n}", **ids) for n in range(3)])
    one.write([event(event_id=f"ana@x.io:{n}", output_tokens=n, **ids) for n in range(3)])
    one.write([event(event_id="bo", source="other", user="bo")])
    assert one.rename_user(EVENTS.c.user == "ana@x.io", ["ana@x.io"], "user-7") == 3
    said = "position(concat(event_id, user, ifNull(conversation_id, '')), 'ana') > 0"
    assert on_disk(one, "events", said) == 0
    assert one.stored_ids([f"user-7:{n}" for n in range(3)]) == {f"user-7:{n}" for n in range(3)}
    assert one.remove_events(EVENTS.c.user == "user-7") == 3
    assert (on_disk(one, "events"), on_disk(one, "places", "what = 0")) == (1, 1)
    assert one.remove("other") == 1
    assert on_disk(one, "events") == 0


# --- what is said to ClickHouse


def test_a_cluster_has_replicated_tables_on_every_node_and_one_over_all(
    clickhouse: ClickHouse,
) -> None:
    made = [text for table in TABLES for text in table.statements("spend", "our `main`")]
    with closing(clickhouse.client()) as client:
        for statement in made:
            client.query(f"SELECT formatQuery({quoted(statement)})")
    assert all(" ON CLUSTER `our \\`main\\`` " in one for one in made)
    spread = [table for table in TABLES if table.spread]
    assert len(made) == len(TABLES) + len(spread)
    for table in spread:
        here = f"'/clickhouse/tables/{{shard}}/{{database}}/{table.name}_here', '{{replica}}'"
        assert sum(f"Replicated{kind}" in one and here in one for one in made
                   for kind in ("ReplacingMergeTree(",)) == 1  # fmt: skip
        over = f"Distributed(`our \\`main\\``, `spend`, `{table.name}_here`, {table.spread})"
        assert sum(over in one for one in made) == 1


def test_what_is_changed_in_a_cluster_is_changed_on_every_node(
    one: Any, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("data.engines.clickhouse.removal.do", lambda _, sql: said.append(sql))
    monkeypatch.setattr("data.engines.clickhouse.removal.scalar", lambda *_: 1)
    removal.purge(one, 7, "main")
    assert said
    for statement in said:
        assert re.match(r"ALTER TABLE \w+_here ON CLUSTER `main` DELETE WHERE ", statement)
        assert set(re.findall(r" FROM (\w+)", statement)) <= {
            "events_here",
            "copy_ids_here",
            "session_sums_here",
            "repriced_here",
        }


@pytest.mark.parametrize("cluster", ["", "?cluster=main"])
def test_what_is_acknowledged_is_on_a_quorum(cluster: str) -> None:
    place = Address.of(make_url(f"clickhousedb://ana:pw@db.example/spend{cluster}"))
    assert place.cluster == (cluster.partition("=")[2] or None)
    given = place.arguments(9)
    assert given["ch_async_insert"] == "0"
    assert ("ch_insert_quorum" in given) == bool(cluster)
    assert "cluster" not in place.url.query


@pytest.fixture
def said(one: Any, event: Make, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever this engine says to ClickHouse."""
    said: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("query", "command"):
            patch.setattr(ChdbClient, name, _noting(getattr(ChdbClient, name), said))
        for batch in _history(event):
            one.write(batch)
        one.reprice(RateChange("unpriced", rate_rows(PUBLIC, MODELS)), 1)
        one.restore(1)
        grains: tuple[Grain, ...] = ("day", "month")
        for by in ((), ("time",), ("user",), ("hour", "weekday")):
            for grain in grains:
                run(Query(tuple(METRICS), by, Filters(ALL_TIME), grain), ADMIN, one)
        one.rename_user(EVENTS.c.user == "ana", ["ana"], "user-1")
        one.remove("test")
    return said


def test_nothing_is_said_that_the_oldest_server_does_not_know(one: Any, said: list[str]) -> None:
    """Of the functions it calls and the settings it has."""
    used = {name for sql in said for name in re.findall(r"(\w+)\(", sql)}
    assert used >= {"quantileExact", "argMin", "sumMapIf", "intDiv", "arrayReduce"}
    with one.sql.connect() as connection:
        asked = connection.exec_driver_sql("SELECT name, introduced_in FROM system.functions")
        since = {name: _version(text) for name, text in asked if text}
        new = [(name, _version(text)) for name, text in connection.exec_driver_sql(NEW_SETTINGS)]
    assert {name for name in used if since.get(name, (0,)) > schema.OLDEST_SERVER} == set()
    newer = {name for name, version in new if version > schema.OLDEST_SERVER}
    assert newer
    assert newer.isdisjoint(address.MEANT | address.DURABLE | address.REPLICATED)


def _noting(spell: Any, said: list[str]) -> Any:
    def note(client: Any, sql: str, *given: Any, **named: Any) -> Any:
        said.append(sql)
        return spell(client, sql, *given, **named)

    return note


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")[:2]))


@pytest.mark.parametrize(
    "text", ["it's", "back\\slash'", "50% {x:String} %%", 'a\n\tb`"', "Zoë 😀"]
)
def test_any_text_is_stored_and_asked_for_as_it_is(text: str, one: Any, event: Make) -> None:
    one.write([event(user=text, event_id=text), event(event_id="e2", user="other")])
    assert one.stored_ids([text]) == {text}
    mine = Filters(ALL_TIME, (("user", (text,)),))
    found = run(Query(("events",), ("user",), mine), ADMIN, one)
    assert (found["user"].tolist(), found["events"].tolist()) == ([text], [1])
    part = Filters(ALL_TIME, (("contains_model", (text,)),))
    assert count(one) == 2
    assert run(Query(("events",), (), part), ADMIN, one)["events"].tolist() == [0]
    assert one.remove_events(EVENTS.c.user == text) == 1


def test_over_http_it_is_the_same(over_http: str, event: Make) -> None:
    """Settings, blocks of rows, errors: what a driver does otherwise there."""
    first, second = _history(event)
    with closing(open_events("duckdb://")) as ours, closing(open_events(over_http)) as theirs:
        for store in (ours, theirs):
            store.write(first)
            store.reprice(RateChange("unpriced", rate_rows(PUBLIC, MODELS)), 1)
            store.write(second)
        assert held(theirs) == held(ours)
        everything = Query(tuple(METRICS), ("model",), Filters(ALL_TIME))
        wanted, found = (run(everything, ADMIN, store) for store in (ours, theirs))
        pd.testing.assert_frame_equal(found, wanted, check_exact=True)
        assert theirs.remove("test") == ours.remove("test")
        assert held(theirs) == held(ours)
    assert "has no database nowhere: create it" in _refused(
        make_url(over_http).set(database="nowhere").render_as_string(hide_password=False)
    )


# --- commands and refusals


def test_the_sample_is_checked_and_removed_and_backups_are_its_own(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPENDSCOPE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SPENDSCOPE_EVENTS_URL", url)

    def said(*arguments: str) -> tuple[int, str]:
        return main(lambda *_: None, arguments), "".join(capfd.readouterr())

    assert "200 new events" in said("sample", "--events", "200")[1]
    code, checked = said("check")
    assert (code, "ok  no event is stored twice" in checked) == (0, True), checked
    assert said("sample", "--remove") == (0, "Removed 200 sample events.\n")
    code, refused = said("backup", str(tmp_path / "copy"))
    assert (code, "by its own means, as BACKUP" in refused) == (1, True)


def _refused(url: str) -> str:
    with pytest.raises((StoreError, SettingsError)) as refused:
        open_events(url)
    sentence = str(refused.value)
    assert "geheim" not in sentence
    assert "\n" not in sentence
    return sentence


def test_what_cannot_be_opened_says_why(clickhouse: ClickHouse, url: str) -> None:
    nowhere = url.replace(make_url(url).database or "", "nowhere")
    assert "has no database nowhere: create it" in _refused(nowhere)
    away = "clickhousedb://ana:geheim@127.0.0.1:1/spend"
    assert "ClickHouse 127.0.0.1:1 cannot be reached" in _refused(away)
    assert "this is no address of a database" in _refused("clickhousedb://ana:geheim@host")


def test_without_its_driver_a_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "data.engines.clickhouse.store")
    monkeypatch.setitem(sys.modules, "clickhouse_connect.driver.client", None)
    monkeypatch.delitem(sys.modules, "data.engines.clickhouse.rows")
    said = _refused("clickhousedb://ana:geheim@127.0.0.1:1/spend")
    assert '-e ".[clickhouse]"' in said


def test_tables_of_others_newer_ones_and_older_servers_are_left_alone(
    clickhouse: ClickHouse, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(clickhouse.client(make_url(url).database)) as client:
        client.command("CREATE TABLE events (theirs String) ENGINE = MergeTree ORDER BY theirs")
        assert "a table events that is not Spendscope's" in _refused(url)
        client.command("DROP TABLE events")
        open_events(url).close()
        client.command(f"INSERT INTO {SCHEMA.name} SELECT 99")
        assert "schema version 99, newer than this program's" in _refused(url)
    monkeypatch.setattr(schema, "OLDEST_SERVER", (99, 1))
    assert "needs ClickHouse 24.8 or later" in _refused(url)


def test_a_start_that_was_cut_short_goes_on(
    clickhouse: ClickHouse, url: str, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [replace(one, columns=(("day", "NoType"),)) if one.name == "versions" else one
              for one in TABLES]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(schema, "UPGRADES", (broken,))
        assert "NoType" in _refused(url)
    with closing(open_events(url)) as store:
        assert len(store.write([event()])) == 1
