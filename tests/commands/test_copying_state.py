"""`spendscope copy` of a state store: from SQLite into PostgreSQL and back, whole or not at all."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from data.backups import state_copying
from data.backups.state_copying import NUMBERED, TABLES
from data.state import schema
from data.state.audit import entries
from data.state.store import State
from data.state.tables import AUDIT, AUDIT_RETENTION, META, SETUP, TRIES
from tests.accounts import PASSWORD, ROOT, add_account
from tests.commands.conftest import Run

ROWS: Final = 7
# Of values that are text: what a database may keep otherwise than it was given.
TEXTS: Final = ("Ä b", "", "'; --", "日本", "null", '{"a": 1}', "\u00a0x")
JSONS: Final[tuple[Any, ...]] = (
    {"b": 1, "a": [None, 2**53 + 1, 0.1, "ü"]},
    [],
    "text",
    0,
    [["x", "y"]],
    {},
    True,
)


def value(column: sa.Column[Any], number: int) -> Any:
    """Something that this column may hold in the row of a number."""
    if isinstance(column.type, sa.JSON):
        return JSONS[number]
    if isinstance(column.type, sa.Boolean):
        return bool(number % 2)
    if isinstance(column.type, sa.Integer) and not isinstance(column.type, sa.BigInteger):
        return number * 3 + 1
    if isinstance(column.type, sa.BigInteger):
        return 2**62 + number
    return f"{TEXTS[number]} {number}"


def fill(state: State) -> None:
    """Rows in every table; half of what may be null is."""
    with state.writing() as connection:
        for table in TABLES:
            for number in range(1 if table is SETUP else ROWS):
                given = [one for one in table.c if not (one.nullable and number % 2)]
                row = {one.name: value(one, number) for one in given}
                connection.execute(table.insert().values(row))
        for table in NUMBERED:  # the last number is not that of a row any more
            if table is not AUDIT:
                connection.execute(table.delete().where(table.c.id == ROWS * 3 - 2))
        connection.execute(AUDIT_RETENTION.delete())


@pytest.fixture
def ours(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/ours.sqlite"
    with closing(State(url)) as state:
        fill(state)
        add_account(state, "ana", "Ana Sá", PASSWORD)
    return url


def rows(url: str) -> dict[str, list[Any]]:
    with closing(State(url)) as state, state.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(
                sa.select(table).order_by(*table.primary_key)
            )]
            for table in META.sorted_tables
        }  # fmt: skip


def test_every_table_arrives_and_goes_on_as_it_would_have(
    ours: str, state_database: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_copying, "BATCH", 3)
    back = f"sqlite:///{tmp_path}/back.sqlite"
    held = rows(ours)
    for source, target in ((ours, state_database), (state_database, back)):
        code, printed, _ = run("copy", source, target)
        assert (code, rows(target)) == (0, held)
        assert f"  budgets: {ROWS - 1}\n" in printed
        assert f"{sum(map(len, held.values())):,} rows arrived" in printed
    for url in (ours, state_database, back):
        with closing(State(url)) as state:
            assert state.verify("ana", PASSWORD)
            assert entries(state, ROOT.scope, 1)[0].thing == "account ana"
            add_account(state, "bo", "Bo", PASSWORD)
    grown = [rows(url) for url in (ours, state_database, back)]
    assert len({str([row[0] for row in one["audit"]]) for one in grown}) == 1
    for table in NUMBERED:
        assert {_next(url, table) for url in (ours, state_database, back)} == {
            ROWS * 3 - 1 + 2 * (table is AUDIT)
        }, table.name


def _next(url: str, table: sa.Table) -> int:
    """The number that the next row of a table gets."""
    row = {one.name: value(one, 0) for one in table.c if one.name != "id" and not one.nullable}
    row |= {name: f"new {row[name]}" for name in row if isinstance(row[name], str)}
    with closing(State(url)) as state, state.writing() as connection:
        made = connection.execute(table.insert().values(row).returning(table.c.id))
        return int(made.scalar_one())


def test_nothing_is_kept_of_a_copy_that_is_not_what_was_copied(
    ours: str, state_database: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    continue_numbers = state_copying._continue_numbers

    def spoil(connection: sa.Connection, table: sa.Table, last: int) -> None:
        continue_numbers(connection, table, last)
        if table.name == "budgets":
            connection.execute(table.update().where(table.c.id == 1).values(zone="elsewhere"))

    with monkeypatch.context() as patch:
        patch.setattr(state_copying, "_continue_numbers", spoil)
        code, _, why = run("copy", ours, state_database)
        assert (code, "not what was copied: budgets differ" in why) == (1, True)
        assert not any(rows(state_database).values())
    assert run("copy", ours, state_database)[0] == 0


def test_a_store_that_holds_something_is_refused(ours: str, state_database: str, run: Run) -> None:
    with closing(State(state_database)) as state:
        add_account(state, "bo", "Bo", PASSWORD)
    before = rows(state_database)
    code, _, why = run("copy", ours, state_database)
    assert code == 1
    assert "the second store is not empty, there are accounts, audit: name a new" in why
    assert rows(state_database) == before


def test_a_character_that_postgresql_does_not_keep_is_replaced(
    ours: str, state_database: str, run: Run
) -> None:
    with closing(State(ours)) as state, state.writing() as connection:
        connection.execute(TABLES[0].metadata.tables["sessions"].update().values(agent="a\0b"))
        connection.execute(TRIES.insert().values(at=1, account="a", network="b"))
    assert run("copy", ours, state_database)[0] == 0
    with closing(State(state_database)) as state, state.reading() as connection:
        agents = connection.exec_driver_sql("SELECT DISTINCT agent FROM sessions").all()
        assert agents == [("a\ufffdb",)]
        assert connection.execute(sa.select(TRIES)).all() == []
        assert schema.revision_of(connection) == schema.HEAD


@pytest.mark.parametrize(("source", "target", "why"), [
    ("sqlite:///{}/none.sqlite", "sqlite:///{}/new.sqlite", "there is no file"),
    ("{ours}", "{ours}", "a store is not copied into itself"),
    ("{ours}", "duckdb:///{}/events.duckdb", "the state store is sqlite:///PATH or postgresql://"),
])  # fmt: skip
def test_what_cannot_be_copied_is_said(
    ours: str, tmp_path: Path, run: Run, source: str, target: str, why: str
) -> None:
    named = [one.format(tmp_path, ours=ours) for one in (source, target)]
    code, _, said = run("copy", *named)
    assert (code, why in said) == (1, True)
    assert [path.name for path in tmp_path.glob("n*.sqlite")] == []
