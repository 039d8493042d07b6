"""The file of the embedded event store: opened, and brought from any older schema to today's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final

import duckdb
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from data.engines.duckdb import content, damage, repricing, session_sums, shared
from data.engines.repricing import REPRICED
from data.errors import StoreError
from data.events.table import CALL_TEXTS, EVENTS, LARGEST_COUNT, PART_TOKENS, SCHEMA_VERSION

# Pricing reads them, so the comparison of an older store needs them too.
COUNTED: Final = "ALTER TABLE events ADD COLUMN IF NOT EXISTS request_count BIGINT"
ADDED: Final = ";".join(
    f"ALTER TABLE events ADD COLUMN IF NOT EXISTS {name} {kind}"
    for kind, names in (
        ("BIGINT", (*PART_TOKENS, "web_searches")), ("TEXT", CALL_TEXTS),
    )
    for name in names
)  # fmt: skip
TAGGED: Final = """TRY_CAST(regexp_extract(tags, '"requests":([0-9]+)', 1) AS BIGINT)"""
# UPGRADES[v] brings a store of schema version v to v + 1.
UPGRADES: Final = (
    str(CreateTable(EVENTS).compile(dialect=postgresql.dialect())),  # type: ignore[no-untyped-call]
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS cache_saved_nano BIGINT;"
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS cache_write_nano BIGINT",
    f"ALTER TABLE events ADD COLUMN IF NOT EXISTS list_cost_nano BIGINT;{REPRICED};"
    f"{COUNTED};{ADDED}",
    # Sums of vendors said in their tags of how many requests; a sum of none is left as it is.
    f"{COUNTED}; UPDATE events SET request_count = {TAGGED} WHERE kind = 'llm'"
    f" AND source IN ('openai', 'copilot') AND {TAGGED} BETWEEN 1 AND {LARGEST_COUNT}",
    f"{ADDED};ALTER TABLE repriced ADD COLUMN IF NOT EXISTS unpriced_reason TEXT",
    # Calls of Claude Code without a request id had their message's alone: their files come again.
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS shared_id TEXT;"
    "UPDATE events SET shared_id = event_id || '@' || ts WHERE source = 'claude_code'"
    " AND kind = 'llm' AND status = 'ok' AND NOT starts_with(event_id, 'claude_code:req_')",
    f"ALTER TABLE events ADD COLUMN IF NOT EXISTS {content.NAME} BIGINT",
    # In which order events were stored, and up to where sums of them are (`sums.py`). Who stores an
    # event numbers it: a log with a default that calls a function could not be read after a kill.
    "CREATE SEQUENCE IF NOT EXISTS stored;"
    "ALTER TABLE events ADD COLUMN IF NOT EXISTS sequence BIGINT DEFAULT 0;"
    "CREATE TABLE IF NOT EXISTS summed (definition TEXT NOT NULL, upto BIGINT NOT NULL,"
    " version BIGINT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS outdated (quarter BIGINT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS pieces (quarter BIGINT NOT NULL)",
    f"{shared.COPY_IDS};{session_sums.TABLE}",
)
NOTHING_ELSE: Final[AbstractContextManager[None]] = nullcontext()
TEXT: Final = "SET GLOBAL pandas_analyze_sample = 0"  # objects are text, no need to look
IN_MEMORY: Final = ":memory:"
MOST_MEMORY: Final = 2 * 1024**3
KEPT_MEMORY: Final = 300 * 1024**2
COMPARING: Final = 3  # from this version on, reported costs have a list cost beside them
DIGESTING: Final = 7  # from this one on, rows have a digest of what they tell


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """The store at a path, created or upgraded as needed; raises `StoreError` if it is not ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    root = _connect(path)
    try:
        root.execute(f"SET memory_limit = '{_most_memory()}'")
        root.execute(TEXT)
        _upgrade(root, path)
    except duckdb.Error as error:
        root.close()
        raise next(damage.sentences(path, error)) from error
    except BaseException:
        root.close()
        raise
    return root


def release_memory(cursor: duckdb.DuckDBPyConnection) -> None:
    """Let go of what the engine keeps of a file beyond `KEPT_MEMORY`: who reads all of it once has
    no more use for it, and it stays as long as there is room. What others need now is theirs."""
    with suppress(duckdb.OutOfMemoryException):
        cursor.execute(f"SET memory_limit = '{KEPT_MEMORY} B'")
    cursor.execute(f"SET memory_limit = '{_most_memory()}'")


def _most_memory() -> str:
    """For the engine's cache and work; it would take four fifths of the machine's."""
    held = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{min(MOST_MEMORY, held // 2)} B"


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    if str(path) == IN_MEMORY:
        return duckdb.connect(IN_MEMORY)
    if damage.is_foreign(path):
        raise damage.damaged(path)
    try:
        if not path.exists():
            damage.create(path)
        return duckdb.connect(str(path))
    except duckdb.Error as error:
        raise next(damage.sentences(path, error)) from None


def _refuse_foreign(root: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Tables without our version are somebody else's."""
    rows = root.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    if rows and ("schema_version",) not in rows:
        raise damage.damaged(path)


def _upgrade(root: duckdb.DuckDBPyConnection, path: Path) -> None:
    _refuse_foreign(root, path)
    root.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER)")
    row = root.execute("SELECT max(version) FROM schema_version").fetchone()
    version = (row[0] if row else None) or 0
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the event store has schema version {version}, newer than this program's"
            f" {SCHEMA_VERSION}: start a newer Spendscope"
        )
    if not version:
        _create(root)
        return
    for number, statement in enumerate(UPGRADES[version:], start=version + 1):
        with transaction(root):
            root.execute(statement)
            if number == COMPARING:
                repricing.compare(root)
            if number == DIGESTING:
                content.refresh(root)
            root.execute("INSERT INTO schema_version VALUES (?)", [number])
    if version < SCHEMA_VERSION:
        root.execute("DELETE FROM summed")  # of events as they were


def _create(root: duckdb.DuckDBPyConnection) -> None:
    """A new store has nothing to convert: all steps are one, in half the time."""
    with transaction(root):
        root.execute(";".join(UPGRADES))
        numbers = ", ".join(f"({number})" for number in range(1, len(UPGRADES) + 1))
        root.execute(f"INSERT INTO schema_version VALUES {numbers}")


@contextmanager
def transaction(
    connection: duckdb.DuckDBPyConnection, committing: AbstractContextManager[None] = NOTHING_ELSE
) -> Iterator[None]:
    """All or nothing, durable at its end; `committing` is around that end alone."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    with committing:
        connection.execute("COMMIT")
