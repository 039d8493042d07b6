"""The fast road of a Parquet file into the event store: a stretch of rows at a time, in SQL.

rows → stage (what decides about a row: `fine` by `rules`, its id, what prices it) → ready (with
digest, price and derived columns; rows that are not fine go through `clean`, one by one) →
fresh (the ids nobody has) → events, read from the file again: cheaper than keeping whole rows;
again (the others): those that tell more than what is stored go to the ordinary way of writing

What is stored and reported is what the slow road would have, row for row. Only `_insert` and that
way of writing hold the writer's lock. The temporary tables are the cursor's own and live as long
as it does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

import duckdb
import pandas as pd

from data.engines.duckdb import repricing, rules
from data.engines.duckdb.again import told_again
from data.engines.duckdb.columns import digests
from data.engines.duckdb.doubtful import COLUMNS, LIST, READY, WORKED_OUT, append, frame
from data.errors import EventError
from data.events.cleaning import clean
from data.events.merging import COMPLETED
from data.events.table import TOKENS, Event
from data.prices.book import PriceBook
from data.prices.cells import cells
from data.sources.format import Options
from data.sources.mapping import KNOWN
from data.sources.parquet import Part, columns_of, projected
from data.sources.report import Report

CALL: Final = ("provider", "model", "ts", *TOKENS)
MODELS: Final = "SELECT DISTINCT provider, model FROM stage WHERE fine AND model IS NOT NULL"
PRICED: Final = (
    "SELECT n, cost AS price, CASE WHEN caches THEN saved END AS cache_saved_nano,"
    " CASE WHEN caches THEN writing END AS cache_write_nano"
    f" FROM (SELECT n, {repricing.WHOLE}"
    f" FROM (SELECT e.n, {repricing.PARTS} FROM stage e {repricing.MATCH}))"
)
DECIDES: Final = ("event_id", "source", "kind", "cost_nano", "cost_origin", "request_count", *CALL)
Cursor = duckdb.DuckDBPyConnection
Alone = Callable[[Cursor], AbstractContextManager[None]]
Complete = Callable[[list[Event]], int]  # of how many events more is known now


def load(
    part: Part, cursor: Cursor, book: PriceBook, alone: Alone, complete: Complete
) -> Report | None:
    """Store what is new of a part; None where only the slow road can tell what is wrong."""
    report = Report()
    cursor.execute("SET enable_progress_bar = false")  # DuckDB draws it on stdout
    try:
        columns = columns_of(cursor, part.path)
        if columns.keys() - set(KNOWN) or not _plain(part.options):
            return None
        raw, fields = _stage(part, cursor, columns)
        _ready(cursor, book)
        append(part, cursor, raw, book, report)
        with alone(cursor):
            _insert(cursor, fields)
    except duckdb.Error:  # a file that breaks off or lies about its types; nothing is stored
        return None
    _count(cursor, report)
    if completed := sum(map(complete, told_again(cursor, fields))):
        report.note(COMPLETED, completed)
    return report


def _plain(options: Options) -> bool:
    """Whether what is given at import is stored as it is given."""
    given = (options.user, options.project)
    return not options.columns and all(one is None or _kept(one) for one in given)


def _kept(text: str) -> bool:
    least = {"ts": 10**15, "kind": "message", "channel": "api", "source": "s", "status": "ok"}
    try:
        return bool(clean(least | {"event_id": text})["event_id"] == text)
    except EventError:
        return False


def _stage(part: Part, cursor: Cursor, columns: dict[str, str]) -> tuple[str, str]:
    """What decides about each row; the SELECT of the raw rows, and of their fields."""
    wanted = [f'{projected(name, kind)} AS "{name}"' for name, kind in columns.items()]
    raw = f"SELECT file_row_number AS n, {', '.join(wanted)}"
    raw += f" FROM read_parquet({rules.quoted(str(part.path))}, file_row_number = true)"
    raw += f" WHERE file_row_number BETWEEN {part.start} AND {part.start + part.rows - 1}"
    kinds = {name: kind for name, kind, *_ in cursor.execute(f"DESCRIBE {raw}").fetchall()}
    given = {"user": part.options.user, "project": part.options.project}
    fields = f"SELECT {rules.staged(kinds, given)} FROM ({raw}) AS raw"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE stage AS SELECT n, {', '.join(DECIDES)}, tags,"
        f" {rules.together()} AS fine FROM ({fields})"
    )
    wrong = [text for (text,) in _tags(cursor) if not _is_json(text)]
    if wrong:
        cursor.register("wrong", frame(["tags"], [(text,) for text in wrong]))
        cursor.execute("UPDATE stage SET fine = false WHERE tags IN (SELECT tags FROM wrong)")
    return raw, fields


def _tags(cursor: Cursor) -> list[Any]:
    return cursor.execute("SELECT DISTINCT tags FROM stage WHERE tags IS NOT NULL").fetchall()


def _is_json(text: str) -> bool:
    least = {"ts": 10**15, "kind": "message", "channel": "api", "source": "s", "status": "ok"}
    try:
        return bool(clean(least | {"event_id": "a", "tags": text})["tags"] == text)
    except EventError:
        return False


def _ready(cursor: Cursor, book: PriceBook) -> None:
    """The fine rows with what is worked out of them."""
    rows = cursor.execute("SELECT n, event_id FROM stage WHERE fine").fetchnumpy()
    found = {"n": rows["n"], "id_hash": digests(list(rows["event_id"]))}
    cursor.register("digests", pd.DataFrame(found))
    models = cursor.execute(MODELS).fetchall()
    repricing.register(cursor, cells(book, models))
    cost = "coalesce(cost_nano, list)"
    origin = f"CASE WHEN {cost} IS NULL THEN 'unpriced' WHEN cost_nano IS NULL THEN 'list'"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE ready AS SELECT {', '.join(READY)} FROM ("
        f"SELECT stage.* REPLACE ({cost} AS cost_nano,"
        f" coalesce(cost_origin, {origin} ELSE 'reported' END) AS cost_origin), id_hash,"
        " cache_saved_nano, cache_write_nano, CASE WHEN cost_nano IS NOT NULL"
        " AND coalesce(cost_origin, 'reported') = 'reported' THEN price END AS list_cost_nano"
        f" FROM (SELECT *, CASE WHEN cost_origin IS NULL THEN price END AS list FROM stage"
        f" JOIN digests USING (n) LEFT JOIN ({PRICED}) AS priced USING (n)) AS stage)"
    )


def _insert(cursor: Cursor, fields: str) -> None:
    """Into the events, those whose id nobody has; of the same id here, the first."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE known AS SELECT event_id FROM events"
        " WHERE id_hash IN (SELECT id_hash FROM ready)"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM ready"
        " WHERE event_id NOT IN (SELECT event_id FROM known)"
        " AND n IN (SELECT min(n) FROM ready GROUP BY event_id)"
    )
    worked = {name: f"fresh.{name}" for name in WORKED_OUT}
    values = ", ".join(worked.get(name, f'fields."{name}"') for name in COLUMNS)
    cursor.execute(
        f"INSERT INTO events ({LIST}) SELECT {values} FROM ({fields}) AS fields"
        " JOIN fresh USING (n) WHERE n NOT IN (SELECT n FROM cleaned)"
    )
    cursor.execute(
        f"INSERT INTO events ({LIST}) SELECT {LIST} FROM cleaned WHERE n IN (SELECT n FROM fresh)"
    )


def _count(cursor: Cursor, report: Report) -> None:
    """The report of what was stored."""
    tokens = " + ".join(f"coalesce({name}, 0)" for name in TOKENS)
    row = cursor.execute(
        "SELECT count(*), (SELECT count(*) FROM ready) - count(*),"
        " count(*) FILTER (kind = 'llm' AND cost_nano IS NULL),"
        f" coalesce(sum(cost_nano), 0), coalesce(sum({tokens}), 0), min(ts), max(ts) FROM fresh"
    ).fetchone() or ()  # fmt: skip
    names = ("accepted", "duplicates", "unpriced", "cost_nano", "tokens")
    for name, value in zip((*names, "first", "last"), row, strict=True):
        setattr(report, name, None if value is None else int(value))
    for source, came, new in cursor.execute(
        "SELECT source, count(*), count(*) FILTER (n IN (SELECT n FROM fresh)) FROM ready"
        " GROUP BY source"
    ).fetchall():
        report.add_source(source, came, came - new)
