"""The state store: accounts, the one-time link, and schemas older and newer than today's."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from argon2 import PasswordHasher

from data.errors import Refused, SettingsError, SpendscopeError, StoreError, Stranger, Unknown
from data.state import schema, sqlite
from data.state.account_changes import change, remove
from data.state.first_steps import STEPS
from data.state.passwords import LONGEST, Passwords
from data.state.store import State
from data.state.tables import META
from tests.accounts import AT, ROOT, add_account

CHEAP: dict[str, Any] = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
PASSWORD = "correct horse"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "state.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., State]]:
    states: list[State] = []

    def make(**parameters: Any) -> State:
        hasher = PasswordHasher(**(CHEAP | parameters))
        states.append(State(f"sqlite:///{path}", Passwords(hasher)))
        return states[-1]

    yield make
    for state in states:
        state.close()


@pytest.fixture
def state(opened: Callable[..., State]) -> State:
    return opened()


def asked(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(sql).fetchall()


def told(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


# --- accounts


def test_an_account_comes_back_as_it_was_added(state: State) -> None:
    added = add_account(
        state,
        " ana ", "Ana Sá", PASSWORD, "Ana@Example.com",
        applications=["a, b", "c", "a"], applications_admin="Research,,",
    )  # fmt: skip
    assert state.account("ana") == added
    assert added.claims == {
        "sub": "ana",
        "email": "ana@example.com",
        "name": "Ana Sá",
        "isAdmin": False,
        "applications": ["a", "b", "c"],
        "applications_admin": ["Research"],
    }
    assert state.account("ANA") is None


def test_there_are_accounts_from_the_first_to_the_last(state: State) -> None:
    assert not state.has_accounts()
    add_account(state, "ana", "Ana", PASSWORD)
    assert state.has_accounts()
    remove(state, ROOT, "ana")
    assert not state.has_accounts()
    with pytest.raises(Unknown, match="no such account"):
        remove(state, ROOT, "ana")


@pytest.mark.parametrize(
    ("parameter", "changed"),
    [
        ("user", {"user": "  "}),
        ("user", {"user": "x" * 201}),
        ("user", {"user": "a\nb"}),
        ("user", {"user": "me"}),
        ("user", {"user": "(none)"}),
        ("name", {"name": " "}),
        ("name", {"name": "a\x00b"}),
        ("email", {"email": "nobody"}),
        ("email", {"email": "x" * 300 + "@example.com"}),
        ("password", {"password": "123456789"}),
        ("password", {"password": "x" * (LONGEST + 1)}),
    ],
)
def test_what_no_account_can_be(state: State, parameter: str, changed: dict[str, Any]) -> None:
    words: dict[str, Any] = {"user": "ana", "name": "Ana", "password": PASSWORD, **changed}
    with pytest.raises(Refused) as refusal:
        add_account(state, **words)
    assert refusal.value.parameter == parameter
    assert len(str(refusal.value)) > 15
    assert not state.has_accounts()


@pytest.mark.parametrize(
    ("parameter", "user", "email"),
    [
        ("user", "ana", None),
        ("user", "ANA", None),
        ("user", "Ana@example.com", None),
        ("email", "bob", "ANA@example.com"),
        ("email", "bob", "carl@example.com"),
    ],
)
def test_one_name_opens_one_account(
    state: State, parameter: str, user: str, email: str | None
) -> None:
    add_account(state, "ana", "Ana", PASSWORD, "ana@example.com")
    add_account(state, "carl@example.com", "Carl", PASSWORD)
    with pytest.raises(Refused, match="already") as refusal:
        add_account(state, user, "Another", PASSWORD, email)
    assert refusal.value.parameter == parameter
    assert state.account("bob") is None


def test_an_id_may_be_its_own_email_address(state: State) -> None:
    add_account(state, "ana@example.com", "Ana", PASSWORD, "ana@example.com")
    assert state.verify("ANA@example.com", PASSWORD)


def test_claims_change_and_the_rest_stays(state: State) -> None:
    for user in ("ana", "bob"):
        add_account(state, user, user.title(), PASSWORD, is_admin=True, applications="a")
    change(state, ROOT, "ana", {"isAdmin": False, "applications_admin": ["b"]})
    changed = state.account("ana")
    assert changed is not None
    assert (changed.is_admin, changed.applications, changed.applications_admin) == (
        False,
        ("a",),
        ("b",),
    )
    assert changed.name == "Ana"
    with pytest.raises(Unknown):
        change(state, ROOT, "nobody", {"isAdmin": True})


# --- passwords


@pytest.mark.parametrize("name", ["ana", " ana ", "ana@example.com", "ANA@Example.com "])
def test_the_right_password_by_id_or_email(state: State, name: str) -> None:
    add_account(state, "ana", "Ana", PASSWORD, "ana@example.com")
    account = state.verify(name, PASSWORD)
    assert account is not None
    assert account.id == "ana"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ana", "wrong horse"),
        ("ana", ""),
        ("ana", PASSWORD + " "),
        ("ana", PASSWORD.upper()),
        ("ANA", PASSWORD),
        ("bob", PASSWORD),
        ("", PASSWORD),
        ("ana", "\udcff" * 12),
        ("a\x00na", PASSWORD),
        ("%", PASSWORD),
    ],
)
def test_anything_else_is_nobody(state: State, name: str, password: str) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    assert state.verify(name, password) is None


def test_a_password_is_as_long_as_it_is(state: State) -> None:
    longest = ("longer words " * LONGEST)[:LONGEST]
    add_account(state, "ana", "Ana", longest)
    assert state.verify("ana", longest)
    assert state.verify("ana", f"{longest}x") is None


def test_the_same_characters_however_they_are_typed(state: State) -> None:
    add_account(state, "ana", "Ana", "caf\u00e9 caf\u00e9 x")
    assert state.verify("ana", "cafe\u0301 cafe\u0301 x")


def test_the_password_itself_is_not_kept(state: State, path: Path) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    [(kept,)] = asked(path, "SELECT password_hash FROM accounts")
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept


class Counted(PasswordHasher):
    """Remembers the parameters of every hash it compared with."""

    compared: ClassVar[list[str]] = []

    def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002
        self.compared.append(hash.rsplit("$", 2)[0])
        return super().verify(hash, password)


def test_an_unknown_name_costs_what_a_known_one_costs(tmp_path: Path) -> None:
    state = State(f"sqlite:///{tmp_path / 'state.sqlite'}", Passwords(Counted(**CHEAP)))
    add_account(state, "ana", "Ana", PASSWORD)
    for name in ("ana", "nobody"):
        state.verify(name, "wrong horse")
    state.close()
    known, unknown = Counted.compared
    assert known == unknown


def test_the_password_of_nobody_opens_nothing(state: State) -> None:
    assert state.verify("nobody", "the password of nobody") is None


def test_a_hash_of_older_parameters_is_renewed(opened: Callable[..., State], path: Path) -> None:
    add_account(opened(), "ana", "Ana", PASSWORD)
    old = asked(path, "SELECT password_hash FROM accounts")
    stronger = opened(time_cost=2)
    assert stronger.verify("ana", "wrong horse") is None
    assert asked(path, "SELECT password_hash FROM accounts") == old
    assert stronger.verify("ana", PASSWORD)
    [(renewed,)] = asked(path, "SELECT password_hash FROM accounts")
    assert "t=2" in renewed
    assert stronger.verify("ana", PASSWORD)
    assert asked(path, "SELECT password_hash FROM accounts") == [(renewed,)]


# --- the one-time link


def test_the_link_makes_one_account_that_sees_everything(state: State) -> None:
    token = state.setup_token()
    assert token is not None
    assert state.is_setup_token(token)
    assert state.use_setup_token(token, {"user": "ana", "name": "Ana"}, PASSWORD, AT).is_admin
    assert not state.is_setup_token(token)
    with pytest.raises(Stranger, match="used already"):
        state.use_setup_token(token, {"user": "eve", "name": "Eve"}, PASSWORD, AT)
    assert state.account("eve") is None
    assert state.setup_token() is None


def test_only_the_newest_link_works(state: State) -> None:
    old, new = state.setup_token(), state.setup_token()
    assert old is not None
    assert new is not None
    assert not state.is_setup_token(old)
    assert state.is_setup_token(new)
    assert not state.is_setup_token("")
    assert not state.is_setup_token("\udcff")


def test_a_refused_account_leaves_the_link(state: State) -> None:
    token = state.setup_token() or ""
    with pytest.raises(Refused):
        state.use_setup_token(token, {"user": "ana", "name": "Ana"}, "short", AT)
    assert state.is_setup_token(token)


def test_an_account_made_elsewhere_ends_the_link_for_good(state: State) -> None:
    token = state.setup_token() or ""
    add_account(state, "ana", "Ana", PASSWORD)
    assert not state.is_setup_token(token)
    remove(state, ROOT, "ana")
    assert not state.is_setup_token(token)


def test_the_link_is_not_readable_in_the_store(state: State, path: Path) -> None:
    token = state.setup_token() or ""
    [(kept,)] = asked(path, "SELECT token_hash FROM setup")
    assert token not in kept


# --- many at once


def test_many_threads_use_the_link_once(opened: Callable[..., State]) -> None:
    states = [opened() for _ in range(4)]
    token = states[0].setup_token() or ""
    start = threading.Barrier(8)

    def use(number: int) -> bool:
        start.wait()
        try:
            states[number % 4].use_setup_token(
                token, {"user": f"user{number}", "name": "Somebody"}, PASSWORD, AT
            )
        except SpendscopeError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1
    assert len([n for n in range(8) if states[0].account(f"user{n}")]) == 1


def test_many_threads_add_one_name_once_and_others_all(opened: Callable[..., State]) -> None:
    states = [opened() for _ in range(4)]

    def add(number: int) -> int:
        added = 0
        for user in ("same", f"own{number}"):
            try:
                add_account(states[number % 4], user, "Somebody", PASSWORD)
                added += 1
            except Refused:
                pass
        return added

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(24))) == 25
    assert all(states[0].account(f"own{number}") for number in range(24))


def test_many_open_a_new_store_at_once(opened: Callable[..., State], path: Path) -> None:
    start = threading.Barrier(6)

    def begin(_: int) -> bool:
        start.wait()
        return opened().has_accounts()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(begin, range(6))) == [False] * 6
    assert asked(path, "SELECT version_num FROM state_revision") == [(schema.HEAD,)]


def test_a_busy_store_says_so(
    opened: Callable[..., State], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    state = opened()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not state.has_accounts()
        with pytest.raises(StoreError, match=r"state\.sqlite cannot be used now"):
            add_account(state, "ana", "Ana", PASSWORD)
    add_account(state, "ana", "Ana", PASSWORD)


# --- the file and its schema


def counted(path: Path, steps: int = len(STEPS)) -> None:
    """A store of an older program, which took so many steps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told(path, "CREATE TABLE schema_version (version INTEGER)")
    for number, statements in enumerate(STEPS[:steps], start=1):
        told(path, *statements, f"INSERT INTO schema_version VALUES ({number})")


def test_an_upgraded_store_has_the_tables_of_a_new_one(
    opened: Callable[..., State], path: Path
) -> None:
    counted(path, 1)
    upgraded = opened()
    with upgraded.reading() as connection:
        # Steps wrote TEXT where JSON is meant, which SQLite stores alike.
        options = {"version_table": "state_revision", "compare_type": False}
        context = MigrationContext.configure(connection, opts=options)
        found = [one for one in compare_metadata(context, META) if "schema_version" not in str(one)]
        indexes = "SELECT name FROM sqlite_master WHERE type IN ('index', 'trigger')"
        kept = {name for (name,) in connection.exec_driver_sql(indexes)}
    assert found == []
    path.unlink()
    with opened().reading() as connection:
        assert kept == {name for (name,) in connection.exec_driver_sql(indexes)}


def test_own_prices_of_an_older_store_are_kept_and_no_number_is_given_again(
    opened: Callable[..., State], path: Path
) -> None:
    (step,) = (n for n, steps in enumerate(STEPS) if "tiered_prices" in steps[0])
    counted(path, step)
    price = ("INSERT INTO prices (id, provider, model, start, input, note, at, who, name)"
             " VALUES ({}, 'p', 'm', '2026-0{}-01', '2', '', 1, 'root', 'Root')")  # fmt: skip
    told(path, price.format(4, 1))
    told(path, price.format(7, 2))
    told(path, "DELETE FROM prices WHERE id = 7")
    opened()
    kept = "SELECT id, model, input, service_tier, cache_write_1h FROM prices"
    assert asked(path, kept) == [(4, "m", "2", "", None)]
    told(path, "INSERT INTO prices (provider, model, start, note, at, who, name, service_tier)"
               " VALUES ('p', 'm', '2026-01-01', '', 1, 'root', 'Root', 'batch')")  # fmt: skip
    assert asked(path, "SELECT max(id) FROM prices") == [(8,)]


@pytest.fixture
def revise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have one revision more than there is, which does this."""

    def one_more(body: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(schema.MIGRATIONS, folder)
        lines = ["import sqlalchemy as sa", "from alembic import op", "revision = 'later'",
                 f"down_revision = {schema.HEAD!r}", "def upgrade():"]  # fmt: skip
        script = "\n".join([*lines, *(f"    {line}" for line in body.splitlines())])
        (folder / "versions" / "later.py").write_text(script)
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "HEAD", "later")

    return one_more


def test_the_last_revision_is_the_one_that_is_named() -> None:
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    assert scripts.get_current_head() == schema.HEAD


@pytest.mark.parametrize("older", [True, False], ids=["counted", "revised"])
def test_an_older_store_is_upgraded_with_what_it_holds(
    opened: Callable[..., State], path: Path, revise: Callable[[str], None], older: bool
) -> None:
    if older:
        counted(path)
    add_account(opened(), "ana", "Ana", PASSWORD)
    revise("op.add_column('accounts', sa.Column('zone', sa.Text, server_default='UTC'))")
    assert opened().verify("ana", PASSWORD)
    assert asked(path, "SELECT id, zone FROM accounts") == [("ana", "UTC")]
    assert asked(path, "SELECT version_num FROM state_revision") == [("later",)]
    assert opened().has_accounts()


def test_an_empty_file_is_no_new_store(opened: Callable[..., State], path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(StoreError, match="is damaged"):
        opened()
    path.unlink()
    assert not opened().has_accounts()


def test_a_failed_upgrade_changes_nothing(
    opened: Callable[..., State], path: Path, revise: Callable[[str], None]
) -> None:
    opened()
    head = schema.HEAD
    made = ("half", "accounts")
    revise("\n".join(f"op.create_table({name!r}, sa.Column('id', sa.Text))" for name in made))
    with pytest.raises(StoreError):
        opened()
    assert asked(path, "SELECT version_num FROM state_revision") == [(head,)]
    assert asked(path, "SELECT name FROM sqlite_master WHERE name = 'half'") == []


def test_a_newer_store_is_left_alone(opened: Callable[..., State], path: Path) -> None:
    opened()
    told(path, "UPDATE state_revision SET version_num = '9999'")
    with pytest.raises(StoreError, match=f"version 9999, newer than this program's {schema.HEAD}"):
        opened()


def test_a_program_that_counts_steps_leaves_todays_store_alone(
    opened: Callable[..., State], path: Path
) -> None:
    opened()
    ((newest,),) = asked(path, "SELECT max(version) FROM schema_version")
    assert newest > len(STEPS)
    told(path, "DROP TABLE state_revision")
    with pytest.raises(StoreError, match=f"version {newest}, newer than this program's"):
        opened()


def test_only_its_owner_reads_the_file(state: State, path: Path) -> None:
    add_account(state, "ana", "Ana", PASSWORD)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_readers_do_not_wait_for_a_writer(state: State, path: Path) -> None:
    assert asked(path, "PRAGMA journal_mode") == [("wal",)]


def test_another_file_is_not_taken_for_a_store(opened: Callable[..., State], path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("something else entirely " * 100)
    with pytest.raises(StoreError, match=r"state\.sqlite is damaged"):
        opened()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        State(f"sqlite:///{tmp_path / 'file' / 'state.sqlite'}")


@pytest.mark.parametrize(
    "url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "::", "postgresql://x"]
)
def test_another_engine_is_refused_by_name(url: str) -> None:
    with pytest.raises(SettingsError, match="SPENDSCOPE_STATE_URL"):
        State(url)
