"""The state store's file: opened, and brought from any older schema to today's."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from data.errors import DamagedStore, SettingsError, StoreError
from data.state.upgrades import UPGRADES

BUSY_SECONDS: Final = 10
OWNER_ONLY: Final = 0o600
# Without our version, tables are somebody else's.
OTHERS: Final = "SELECT count(*) FROM sqlite_master WHERE name <> 'schema_version'"


def open_engine(url: str) -> sa.Engine:
    """The state store of a SQLAlchemy URL, created or upgraded as needed.

    Raises `SettingsError` for an engine we do not have, `StoreError` if it cannot be used now.
    """
    path = _path(url)
    _create(path)
    if not path.stat().st_size:
        raise damaged(path.name)
    return _opened(path)


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


def require_sound(engine: sa.Engine) -> None:
    """Raises `StoreError` where some of the file cannot be read."""
    name = Path(str(engine.url.database)).name
    with translated_errors(name), engine.connect() as connection:
        if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
            raise damaged(name)


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


def writing(engine: sa.Engine) -> sa.Engine:
    """The same store for writes: the lock is taken first, so nothing read can change under us."""
    return engine.execution_options(begin="BEGIN IMMEDIATE")


def _path(url: str) -> Path:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise SettingsError("SPENDSCOPE_STATE_URL is no SQLAlchemy URL") from None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise SettingsError(
            f"SPENDSCOPE_STATE_URL is {parsed.get_backend_name()} without a file or an engine this"
            " version does not have; the state store is sqlite:///PATH"
        )
    return Path(str(parsed.database)).absolute()


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
    with writing(engine).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
        found = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar()
        version = found or 0
        if not version and connection.exec_driver_sql(OTHERS).scalar():
            raise damaged(Path(str(engine.url.database)).name)
        if version > len(UPGRADES):
            raise StoreError(
                f"the state store has schema version {version}, newer than this program's"
                f" {len(UPGRADES)}: start a newer Spendscope"
            )
        for number, statements in enumerate(UPGRADES[version:], start=version + 1):
            for statement in statements:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("INSERT INTO schema_version VALUES (?)", (number,))
    _switch_to_write_ahead(engine)


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
