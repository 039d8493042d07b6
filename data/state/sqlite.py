"""The state store in a file: opened, and brought from any older schema to today's."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL

from data.errors import DamagedStore, StoreError
from data.state import schema
from data.state.first_steps import STEPS
from data.state.leadership import Leads, always_leads

BUSY_SECONDS: Final = 10
OWNER_ONLY: Final = 0o600
MORE_THAN_STEPS: Final = 1_000
# Without our version, they are somebody else's.
TABLES: Final = "SELECT count(*) FROM sqlite_master"


class SqliteFile:
    """A file, read and written by any thread of any process of this machine."""

    shared = False

    def __init__(self, path: Path) -> None:
        _create(path)
        if not path.stat().st_size:
            raise damaged(path.name)
        self.engine = _opened(path)
        self._name = path.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with translated_errors(self._name), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with translated_errors(self._name), _writing(self.engine).begin() as connection:
            yield connection

    @contextmanager
    def leading(self, work: str) -> Iterator[Leads]:  # noqa: ARG002
        yield always_leads

    def one_at_a_time(self, thing: str) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def back_up(self, path: Path) -> None:
        with (
            translated_errors(self._name),
            closing(self.engine.raw_connection()) as ours,
            closing(sqlite3.connect(path)) as copy,
        ):
            present: Any = ours.driver_connection
            present.backup(copy)

    def require_sound(self) -> None:
        with self.reading() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise damaged(self._name)


def _opened(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        URL.create("sqlite", database=str(path)), connect_args={"timeout": BUSY_SECONDS},
        hide_parameters=True,  # an error is logged, and they are what people typed
    )  # fmt: skip
    sa.event.listen(engine, "connect", _no_driver_transactions)
    sa.event.listen(engine, "begin", _begin)
    try:
        with translated_errors(path.name):
            _upgrade(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def damaged(name: str) -> DamagedStore:
    """The refusal of a store that cannot be read."""
    return DamagedStore(
        f"the state store {name} is damaged: restore a backup (spendscope restore DIR)"
    )


def require_sound_file(path: Path) -> None:
    """The same of a file that nobody has open and that stays as it is."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            sound = opened.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        sound = False
    if not sound:
        raise damaged(path.name)


@contextmanager
def translated_errors(name: str) -> Iterator[None]:
    """A failure of the database, as the sentence a reader gets."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.IntegrityError) as error:
        raise StoreError(f"the state store {name} cannot be used now: {error.orig}") from error
    except sa.exc.DatabaseError as error:
        raise damaged(name) from error


def _writing(engine: sa.Engine) -> sa.Engine:
    """The same store for writes: the lock is taken first, so nothing read can change under us."""
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def _create(path: Path) -> None:
    """A new store under its name at once, with its tables, which only its owner can read: an empty
    file is one that was damaged."""
    made = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            return
        made.touch(OWNER_ONLY)
        _opened(made).dispose()
        with suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    except OSError as error:
        raise StoreError(f"the state store {path} cannot be opened: {error.strerror}") from error


def _no_driver_transactions(connection: Any, _record: Any) -> None:
    """The driver begins no transactions of its own; `_begin` does."""
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _upgrade(engine: sa.Engine) -> None:
    with _writing(engine).begin() as connection:
        found = schema.revision_of(connection)
        if found is None and _is_counted(connection):
            _take_first_steps(connection)
            found = schema.FIRST
        if found is not None:
            schema.upgrade(connection, found)
        elif connection.exec_driver_sql(TABLES).scalar():
            raise damaged(Path(str(engine.url.database)).name)
        else:
            schema.create(connection)
            _refuse_older_programs(connection)
    _switch_to_write_ahead(engine)


def _is_counted(connection: sa.Connection) -> bool:
    """Whether this is a store from before revisions, which counted the steps it had taken."""
    return sa.inspect(connection).has_table("schema_version")


def _take_first_steps(connection: sa.Connection) -> None:
    taken = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() or 0
    if taken > len(STEPS):
        raise schema.newer(taken, len(STEPS))
    for statements in STEPS[taken:]:
        for statement in statements:
            connection.exec_driver_sql(statement)
    schema.note_revision(connection, schema.FIRST)
    _refuse_older_programs(connection)


def _refuse_older_programs(connection: sa.Connection) -> None:
    """A program that counts steps takes this store for a newer one's, which it is."""
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    connection.exec_driver_sql("INSERT INTO schema_version VALUES (?)", (MORE_THAN_STEPS,))


def _switch_to_write_ahead(engine: sa.Engine) -> None:
    """Readers and a writer side by side. SQLite does not wait for this lock, so we do."""
    deadline = time.monotonic() + BUSY_SECONDS
    while not _write_ahead_is_on(engine):
        if time.monotonic() > deadline:
            raise StoreError("the state store is busy: another process does not let go of it")
        time.sleep(0.02)


def _write_ahead_is_on(engine: sa.Engine) -> bool:
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError:
        return False
    finally:
        raw.close()
    return True
