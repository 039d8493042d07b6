"""The schema of the state store: made whole where there is none, else brought to today's.

`tables.py` describes today's. What changes in it later is a revision in `migrations/`, written with
Alembic once for both databases, and `HEAD` names the last. A revision is never edited once it is
released.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from data.errors import StoreError
from data.state import append_only
from data.state.tables import META

MIGRATIONS: Final = Path(__file__).parent / "migrations"
FIRST: Final = "0001"
HEAD: Final = "0005"
# Of our own name: a database may hold the tables of another program that uses Alembic.
REVISION: Final = sa.Table(
    "state_revision", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a store is at; None where it says none."""
    if not sa.inspect(connection).has_table(REVISION.name):
        return None
    return connection.execute(sa.select(REVISION.c.version_num)).scalar()


def create(connection: sa.Connection) -> None:
    """All tables of today."""
    META.create_all(connection, checkfirst=False)
    append_only.guard(connection)
    note_revision(connection, HEAD)


def note_revision(connection: sa.Connection, revision: str) -> None:
    """Write down, for the first time, which revision a store is at."""
    REVISION.create(connection)
    connection.execute(REVISION.insert().values(version_num=revision))


def upgrade(connection: sa.Connection, found: str) -> None:
    """Bring a store from a revision to today's, within the transaction of this connection; raises
    `StoreError` for one that only a newer program knows."""
    if found == HEAD:
        return
    # Half a second to import, at a start that has something to do for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    if found not in {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}:
        raise newer(found, HEAD)
    command.upgrade(config, "head")


def newer(found: object, known: object) -> StoreError:
    """The refusal of a store that a newer program has upgraded."""
    return StoreError(
        f"the state store has schema version {found}, newer than this program's {known}:"
        " start a newer Spendscope"
    )
