"""The state store in a PostgreSQL, where several servers share it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from argon2 import PasswordHasher

from callbacks.access import throttle
from callbacks.access.throttle import MOST_TRIES, Throttle
from data.backups.backup import back_up
from data.backups.restore import put_back
from data.engines.protocol import EventStore
from data.errors import Refused, SettingsError, StoreError, TooMany
from data.settings import Settings
from data.state import postgresql, schema
from data.state.audit import entries, note, trim
from data.state.passwords import Passwords
from data.state.store import State
from data.state.tables import ACCOUNTS, META, TRIES
from data.state.tries import SPAN_SECONDS, SharedTries, tries_of
from tests.accounts import AT, ROOT, add_account
from tests.postgres import OWNER, PASSWORD, Cluster
from tests.serving import serving

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
RIGHT = "correct horse"
SEES_ALL = ROOT.scope
DAY = 86_400_000_000


@pytest.fixture
def opened(state_database: str) -> Iterator[Callable[[], State]]:
    states: list[State] = []

    def make() -> State:
        states.append(State(state_database, Passwords(CHEAP)))
        return states[-1]

    yield make
    for state in states:
        state.close()


def test_an_account_and_its_entry_come_back_from_another_server(
    opened: Callable[[], State],
) -> None:
    added = add_account(opened(), "ana", "Ana Sá", RIGHT, "Ana@Example.com", applications=["a, b"])
    other = opened()
    assert other.account("ana") == added == other.verify("ana@example.com", RIGHT)
    assert [(one.action, one.thing) for one in entries(other, SEES_ALL, 5)] == [
        ("create", "account ana")
    ]


def test_servers_that_write_at_once_leave_one_of_each(opened: Callable[[], State]) -> None:
    states = [opened() for _ in range(3)]

    def add(number: int) -> int:
        added = 0
        for name in ("shared", f"own{number}"):
            try:
                add_account(states[number % 3], name, name, RIGHT)
                added += 1
            except Refused:
                pass
        return added

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(add, range(12))) == 13
    assert len(entries(states[0], SEES_ALL, 50)) == 13


def test_servers_that_start_at_once_make_the_tables_once(cluster: Cluster) -> None:
    url = cluster.make("state_new").url_of(OWNER, PASSWORD)
    start = threading.Barrier(4)

    def begin(_: int) -> bool:
        start.wait()
        state = State(url)
        found = state.has_accounts()
        state.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(begin, range(4))) == [False] * 4


def test_the_tables_are_those_we_describe(opened: Callable[[], State]) -> None:
    with opened().reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "state_revision"})
        assert compare_metadata(context, META) == []
        assert schema.revision_of(connection) == schema.HEAD


def test_a_newer_store_is_left_alone(opened: Callable[[], State]) -> None:
    with opened().writing() as connection:
        connection.execute(schema.REVISION.update().values(version_num="9999"))
    with pytest.raises(StoreError, match="version 9999, newer than this program's"):
        opened()


def test_a_reader_sees_one_moment_and_does_not_wait(opened: Callable[[], State]) -> None:
    state, other = opened(), opened()
    with state.reading() as connection:
        assert connection.execute(sa.select(ACCOUNTS.c.id)).all() == []
        add_account(other, "ana", "Ana", RIGHT)
        with other.writing():
            assert connection.execute(sa.select(ACCOUNTS.c.id)).all() == []
    assert state.account("ana")


def test_a_busy_store_says_so(opened: Callable[[], State], monkeypatch: pytest.MonkeyPatch) -> None:
    holder = opened()
    monkeypatch.setattr(postgresql, "LOCK_MS", 50)
    state = opened()
    with holder.writing():
        assert not state.has_accounts()
        with pytest.raises(StoreError, match=r"cannot be used now: .* lock timeout"):
            add_account(state, "ana", "Ana", RIGHT)
    add_account(state, "ana", "Ana", RIGHT)


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit", "TRUNCATE audit"]
)
def test_the_trail_is_only_ever_added_to(opened: Callable[[], State], statement: str) -> None:
    state = opened()
    add_account(state, "ana", "Ana", RIGHT)
    with pytest.raises(StoreError, match="entries of the audit trail are"), state.writing() as one:
        one.exec_driver_sql(statement)
    assert len(entries(state, SEES_ALL, 5)) == 1
    add_account(state, "bo", "Bo", RIGHT)
    assert trim(state, 1, AT + 2 * DAY) == 1
    assert [one.action for one in entries(state, SEES_ALL, 5)] == ["delete", "create"]


def test_a_character_that_cannot_be_kept_is_refused(opened: Callable[[], State]) -> None:
    state = opened()
    odd = replace(ROOT, name="Ro\0ot")
    with pytest.raises(Refused, match="a character that cannot be kept"):
        note(state, odd, "export", "cost")
    assert entries(state, SEES_ALL, 5) == []


def test_text_is_sorted_as_in_a_file(opened: Callable[[], State]) -> None:
    state = opened()
    for name in ("b", "C", "a", "ä", "_"):
        add_account(state, name, name, RIGHT)
    with state.reading() as connection:
        names = [*connection.execute(sa.select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id)).scalars()]
    assert names == sorted(names)


def test_it_has_a_schema_of_its_own_where_the_url_names_one(cluster: Cluster) -> None:
    base = cluster.make("state_schemas", "CREATE TABLE accounts (id text);")
    url = base.url_of(OWNER, PASSWORD)
    with pytest.raises(StoreError, match=r"tables of another program: name a schema of its own"):
        State(url)
    for name in ("spendscope", 'odd "one"'):
        state = State(f"{url}?schema={name}", Passwords(CHEAP))
        add_account(state, "ana", "Ana", RIGHT)
        state.close()
    assert base.run("SELECT id FROM spendscope.accounts") == [("ana",)]


def test_who_is_not_let_in_reads_why_and_never_the_password(cluster: Cluster) -> None:
    base = cluster.make("state_closed")
    with pytest.raises(StoreError, match="does not let postgres in: password or user") as refused:
        State(base.url_of(OWNER, "geheim"))
    assert "geheim" not in str(refused.value)
    with pytest.raises(StoreError, match="says: permission denied for schema public"):
        State(base.url)
    with pytest.raises(StoreError, match="cannot be reached"):
        State("postgresql://ana@127.0.0.1:1/none")
    with pytest.raises(SettingsError, match="SPENDSCOPE_STATE_URL: sslmode is 'x'"):
        State("postgresql://ana@127.0.0.1:1/none?sslmode=x")


def test_a_database_that_was_restarted_is_found_again(
    cluster: Cluster, opened: Callable[[], State]
) -> None:
    state = opened()
    assert not state.has_accounts()
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
    cluster.make("state_other").run(ended, "spendscope")
    assert not state.has_accounts()


def test_the_dashboard_is_ready_on_it(state_database: str, tmp_path: Path) -> None:
    with serving(tmp_path, STATE_URL=state_database) as one:
        assert one.client.get("/readyz").json == {"status": "ready"}
        assert 'store="state"' not in one.client.get("/metrics").text
    assert [path.name for path in tmp_path.glob("state*")] == []


def test_it_is_backed_up_and_restored_by_postgresql(
    opened: Callable[[], State], state_database: str, store: EventStore, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    with pytest.raises(Refused, match="back it up by PostgreSQL's own means"):
        back_up(opened(), store, tmp_path, folder, AT)
    assert not folder.exists()
    settings = Settings.read(
        {"SPENDSCOPE_STATE_URL": state_database, "SPENDSCOPE_DATA_DIR": str(tmp_path)}
    )
    with pytest.raises(Refused, match="SPENDSCOPE_STATE_URL names no file"):
        put_back(folder, settings, ROOT)


def test_of_several_servers_one_does_what_is_done_on_a_clock(opened: Callable[[], State]) -> None:
    one, other = opened(), opened()
    with other.leading("retention") as follows:
        with one.leading("retention") as leads, one.leading("litellm") as leads_too:
            assert (leads(), leads_too()) == (True, True)
            assert (follows(), leads(), follows()) == (False, True, False)
        assert follows()


def test_another_server_goes_on_where_the_leading_one_was_killed(
    opened: Callable[[], State],
) -> None:
    one, other = opened(), opened()
    with one.leading("retention") as leads, other.leading("retention") as follows:
        assert (leads(), follows()) == (True, False)
        with other.reading() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            )
        assert (follows(), leads()) == (True, False)


def test_two_schemas_of_a_database_are_two_stores(state_database: str) -> None:
    stores = [State(f"{state_database}?schema={name}", Passwords(CHEAP)) for name in ("a", "b")]
    with stores[0].leading("retention") as leads, stores[1].leading("retention") as leads_too:
        assert leads()
        assert leads_too()
    for state in stores:
        state.close()


def wrong(throttle: Throttle, account: str, address: str) -> None:
    assert throttle.check(account, address, lambda: None) is None


def test_servers_count_tries_at_passwords_together(
    opened: Callable[[], State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "MOST_OF_ADDRESS", MOST_TRIES + 3)
    monkeypatch.setattr(throttle, "MOST_OF_ALL", MOST_TRIES + 5)
    servers = [Throttle(tries_of(opened())) for _ in range(3)]
    for number in range(MOST_TRIES):
        wrong(servers[number % 3], "account:ana", "192.0.2.1")
    for one in servers:
        with pytest.raises(TooMany, match="with this name") as refused:
            one.check("account:ana", "198.51.100.7", lambda: "right")
        assert 0 < refused.value.seconds <= SPAN_SECONDS
        assert one.reached("account:ana", "") == ("account",)
    assert servers[2].check("account:eve", "192.0.2.1", lambda: "right") == "right"
    for number in range(3):
        wrong(servers[number], f"name:{number}", "192.0.2.1")
    with pytest.raises(TooMany, match="from here"):
        servers[0].check("account:eve", "192.0.2.1", lambda: "right")
    for number in range(2):
        wrong(servers[number], "", f"203.0.113.{number}")
    assert servers[1].reached("", "") == ("server",)


def test_the_right_password_clears_its_account_on_every_server(opened: Callable[[], State]) -> None:
    one, other = (Throttle(tries_of(opened())) for _ in range(2))
    for _ in range(3):
        for _ in range(MOST_TRIES - 1):
            wrong(one, "account:ana", "192.0.2.1")
        assert other.check("account:ana", "192.0.2.1", lambda: "right") == "right"


def test_many_tries_at_once_on_several_servers_are_no_more_than_may_be(
    opened: Callable[[], State],
) -> None:
    servers = [Throttle(tries_of(opened())) for _ in range(3)]

    def tried(number: int) -> bool:
        try:
            wrong(servers[number % 3], "account:ana", "192.0.2.1")
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(tried, range(MOST_TRIES * 2))) == MOST_TRIES


def test_a_pause_of_all_servers_ends_by_itself(opened: Callable[[], State]) -> None:
    state = opened()
    tries = SharedTries(state)
    shared = Throttle(tries)
    for _ in range(MOST_TRIES):
        wrong(shared, "account:ana", "192.0.2.1")
    with state.writing() as connection:
        kept = str(connection.execute(sa.select(TRIES)).all())
        connection.execute(TRIES.update().values(at=TRIES.c.at - SPAN_SECONDS * 1_000_000))
    assert "ana" not in kept
    assert "192.0.2.1" not in kept
    wrong(shared, "account:ana", "192.0.2.1")
    assert tries.counts("account:ana", "192.0.2.1").everywhere.number == 1
    with state.reading() as connection:
        assert len(connection.execute(sa.select(TRIES)).all()) == 1


def test_no_two_servers_ask_a_provider_about_a_session_at_once(
    opened: Callable[[], State],
) -> None:
    """One that is asked twice with a refresh token takes it for stolen."""
    servers, asked = [opened() for _ in range(3)], []
    inside = threading.Lock()

    def ask(number: int) -> bool:
        with servers[number % 3].one_at_a_time("session 1"):
            with servers[0].one_at_a_time("session 2"):  # somebody else's does not wait
                asked.append(number)
            alone = inside.acquire(blocking=False)
            if alone:
                with servers[number % 3].writing():  # what is found out is kept meanwhile
                    inside.release()
            return alone

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(9))) == [True] * 9
    assert sorted(asked) == list(range(9))
