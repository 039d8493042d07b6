"""Many rows into the event store in SQL: of a Parquet file, or columns that a reader made.

rows (`given.py`) → stage (what decides about a row: `valid` by `rules`, its id, what prices it) →
ready (with digest, price and derived columns; rows that are not surely valid go through `clean`,
one by one) → fresh (the ids nobody has) → events, from the rows again: cheaper than keeping whole
ones; duplicates (the others): those that add to what is stored are merged as `write` does it

What is stored and reported is what reading record by record would have, row for row. Rows that
tell of copies (`shared_id`) or are sums of sessions are left to who reads record by record. Only
`_insert` and the merging hold the writer's lock. The temporary tables are the cursor's own and
live as long as it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd

from data.engines.duckdb import content, repricing, rules
from data.engines.duckdb.batch import Cursor, compare, repeats
from data.engines.duckdb.columns import names
from data.engines.duckdb.given import Given, given
from data.engines.duckdb.session_sums import give_way, waiting_among
from data.engines.repricing import MATCH, PRICED
from data.errors import EventError
from data.events.cleaning import CLEANING, clean
from data.events.digest_index import digests
from data.events.merging import COST_FIELDS, MERGED
from data.events.reasons import LEFT_OPEN, NO_MODEL, NO_TOKENS
from data.events.table import (
    COUNTS,
    EVENTS,
    FIELDS,
    PART_TOKENS,
    SUM_OF_SESSION,
    TOKENS,
    Event,
)
from data.prices.book import PriceBook
from data.prices.derived import DERIVED, derived
from data.prices.provider_names import provider_of
from data.prices.rate_rows import rate_rows
from data.sources.columns import Rows
from data.sources.events import event_of
from data.sources.format import Note, Options, Record, with_doubts
from data.sources.parquet import Part
from data.sources.report import Report

COLUMNS: Final = tuple(each.name for each in EVENTS.columns if each.name != content.NAME)
LIST: Final = ", ".join(f'"{name}"' for name in COLUMNS)
PLAIN: Final = tuple(name for name in COLUMNS if name not in DERIVED)
NUMBERS: Final = frozenset({"n", "ts", *COUNTS, *DERIVED})
COSTS: Final = (*COST_FIELDS, "unpriced_reason")
WORKED_OUT: Final = ("provider", *COSTS, *DERIVED)
READY: Final = ("n", "event_id", "source", "kind", "ts", *TOKENS, *WORKED_OUT)
ROWS: Final = 10_000  # that Python holds at once
CALL: Final = (
    "provider", "model", "service_tier", "ts", *TOKENS, *PART_TOKENS, "web_searches",
)  # fmt: skip
MODELS: Final = "SELECT DISTINCT provider, model FROM stage WHERE valid AND model IS NOT NULL"
SOLD: Final = "SELECT DISTINCT provider, model FROM stage WHERE valid AND kind = 'llm'"
LISTED: Final = (
    "SELECT n, cost AS price, reason, CASE WHEN caches THEN saved END AS cache_saved_nano,"
    " CASE WHEN caches THEN writing END AS cache_write_nano"
    f" FROM (SELECT n, {repricing.WHOLE}"
    f" FROM (SELECT e.n, {PRICED} FROM stage e {MATCH}))"
)
DECIDES: Final = (
    "event_id", "source", "kind", "cost_nano", "cost_origin", "unpriced_reason", "request_count",
    *CALL,
)  # fmt: skip
# As `PriceBook.price_of` says it of what no rates are joined to.
REASON: Final = (
    f"coalesce(unpriced_reason, CASE WHEN model IS NULL THEN '{NO_MODEL}' WHEN price IS NOT NULL"
    f" THEN '{LEFT_OPEN}' ELSE coalesce(reason, '{NO_TOKENS}') END)"
)
DUPLICATES: Final = (
    "CREATE OR REPLACE TEMP TABLE duplicates AS SELECT n, id_hash FROM ready"
    " WHERE n NOT IN (SELECT n FROM fresh)"
)
# Under an id that gave way to that of a stored event (`shared.py`): who writes knows which.
COPIES: Final = (
    "SELECT n FROM ready JOIN copy_ids USING (id_hash, event_id)"
    " WHERE n IN (SELECT n FROM duplicates)"
)
Writing = Callable[[Cursor], AbstractContextManager[list[int]]]
Merge = Callable[[list[Event]], int]  # how many stored events became more


def load(
    rows: Part | Rows, cursor: Cursor, book: PriceBook, writing: Writing, merge: Merge
) -> Report | None:
    """Store what is new of these rows; None where only reading them one by one can tell what is
    wrong."""
    report = Report()
    cursor.execute("SET enable_progress_bar = false")  # DuckDB draws it on stdout
    try:
        if not _plain(rows.options) or (found := given(rows, cursor)) is None:
            return None
        fields = _stage(found, cursor)
        if _has_sums(cursor) or (isinstance(rows, Rows) and _mostly_uncertain(cursor)):
            return None
        _ready(cursor, book)
        _append_uncertain(found, cursor, book, report)
        with writing(cursor) as removed:
            _insert(cursor, fields)
            sessions = waiting_among(cursor, f"SELECT conversation_id FROM ({fields})")
            removed += give_way(cursor, sessions).quarters
    except duckdb.Error:  # a file that breaks off or lies about its types; nothing is stored
        return None
    _count(cursor, report)
    if merged := sum(map(merge, _duplicates_with_more(cursor, fields))):
        report.note(MERGED, merged)
    return report


def _plain(options: Options) -> bool:
    """Whether what is given at import is stored as it is given."""
    given = (options.user, options.project)
    return not options.columns and all(one is None or _is_clean(one) for one in given)


def _is_clean(text: str) -> bool:
    least = {"ts": 10**15, "kind": "message", "channel": "api", "source": "s", "status": "ok"}
    try:
        return bool(clean(least | {"event_id": text})["event_id"] == text)
    except EventError:
        return False


def _stage(given: Given, cursor: Cursor) -> str:
    """What decides about each row; the SELECT of their fields."""
    owner = {"user": given.options.user, "project": given.options.project}
    fields = rules.fields(given.kinds, owner, given.defaults)
    fields = f"SELECT {fields} FROM ({given.raw}) AS raw"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE stage AS SELECT n, {', '.join(DECIDES)}, tags,"
        f" {rules.valid_row()} AS valid FROM ({fields})"
    )
    if given.doubts:
        cursor.register("doubts", {"n": np.array(sorted(given.doubts), np.int64)})
        cursor.execute("UPDATE stage SET valid = false WHERE n IN (SELECT n FROM doubts)")
    wrong = [text for (text,) in _tags(cursor) if not _is_json(text)]
    if wrong:
        cursor.register("wrong", _frame(["tags"], [(text,) for text in wrong]))
        cursor.execute("UPDATE stage SET valid = false WHERE tags IN (SELECT tags FROM wrong)")
    _rename_providers(cursor)
    return fields


def _rename_providers(cursor: Cursor) -> None:
    """Calls have the provider that `event_of` gives them, not as it is spelled."""
    sold = cursor.execute(SOLD).fetchall()
    named = [(provider, model, provider_of(provider, model)) for provider, model in sold]
    renamed = [names for names in named if names[0] != names[2]]
    if renamed:
        cursor.register("renamed", _frame(["provider", "model", "named"], renamed))
        cursor.execute(
            "UPDATE stage SET provider = r.named FROM renamed AS r WHERE kind = 'llm' AND valid"
            " AND r.provider IS NOT DISTINCT FROM stage.provider"
            " AND r.model IS NOT DISTINCT FROM stage.model"
        )


def _tags(cursor: Cursor) -> list[Any]:
    return cursor.execute("SELECT DISTINCT tags FROM stage WHERE tags IS NOT NULL").fetchall()


def _has_sums(cursor: Cursor) -> bool:
    """Whether there are sums that may give way (`session_sums.py`)."""
    return any(SUM_OF_SESSION in text for (text,) in _tags(cursor))


def _mostly_uncertain(cursor: Cursor) -> bool:
    """Whether reading the rows one by one is cheaper: most would be read so anyway."""
    found = cursor.execute("SELECT count(*) FILTER (valid) < count(*) / 2 FROM stage").fetchone()
    return bool(found and found[0])


def _is_json(text: str) -> bool:
    try:
        return bool(CLEANING["tags"]("tags", text) == text)
    except EventError:
        return False


def _ready(cursor: Cursor, book: PriceBook) -> None:
    """The valid rows with what is worked out of them."""
    rows = cursor.execute("SELECT n, event_id FROM stage WHERE valid").fetchnumpy()
    found = {"n": rows["n"], "id_hash": digests(list(rows["event_id"]))}
    cursor.register("digests", pd.DataFrame(found))
    models = cursor.execute(MODELS).fetchall()
    repricing.register(cursor, rate_rows(book, models))
    cost = "coalesce(cost_nano, list)"
    origin = f"CASE WHEN {cost} IS NULL THEN 'unpriced' WHEN cost_nano IS NULL THEN 'list'"
    reason = f"CASE WHEN {cost} IS NOT NULL THEN NULL WHEN kind <> 'llm' THEN unpriced_reason"
    reason += f" ELSE {REASON} END"
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE ready AS SELECT {', '.join(READY)} FROM ("
        f"SELECT stage.* REPLACE ({cost} AS cost_nano,"
        f" coalesce(cost_origin, {origin} ELSE 'reported' END) AS cost_origin,"
        f" {reason} AS unpriced_reason), id_hash,"
        " cache_saved_nano, cache_write_nano, CASE WHEN cost_nano IS NOT NULL"
        " AND coalesce(cost_origin, 'reported') = 'reported' THEN price END AS list_cost_nano"
        f" FROM (SELECT *, CASE WHEN cost_origin IS NULL AND unpriced_reason IS NULL THEN price END"
        " AS list FROM stage"
        f" JOIN digests USING (n) LEFT JOIN ({LISTED}) AS priced USING (n)) AS stage)"
    )


def _append_uncertain(given: Given, cursor: Cursor, book: PriceBook, report: Report) -> None:
    """The rows that are not surely valid, through `clean`."""
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE cleaned AS SELECT 0 AS n, {LIST} FROM events LIMIT 0"
    )
    uncertain = "SELECT n FROM stage WHERE NOT valid ORDER BY n"
    found: Any = cursor.execute(uncertain).fetchnumpy()["n"]
    for first in range(0, len(found), ROWS):
        places: list[int] = found[first : first + ROWS].tolist()
        source = zip(places, given.records(places), strict=True)
        events = list(_cleaned(source, book, report))
        rows = [(n, *(event[c] for c in PLAIN), *derived(event, book)) for n, event in events]
        cursor.register("batch", _frame(("n", *PLAIN, *DERIVED), rows))
        cursor.execute(f"INSERT INTO cleaned SELECT n, {LIST} FROM batch")
    cursor.execute(f"INSERT INTO ready SELECT {', '.join(READY)} FROM cleaned")


def _cleaned(
    numbered: Iterable[tuple[int, Record]], book: PriceBook, report: Report
) -> Iterator[tuple[int, Event]]:
    for number, (where, raw) in numbered:
        try:
            if not isinstance(raw, Note):
                yield number, event_of(with_doubts(raw), book, report.note)
        except EventError as error:
            report.reject(where, error)


def _frame(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Rows as a frame DuckDB can read: numbers or text, both with nulls."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pd.DataFrame(
        {
            name: pd.array(list(column), dtype="Int64" if name in NUMBERS else "string")
            for name, column in zip(columns, values, strict=True)
        }
    )


def _insert(cursor: Cursor, fields: str) -> None:
    """Into the events, those whose id nobody has; of the same id here, the first."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE stored AS SELECT event_id FROM events"
        " WHERE id_hash IN (SELECT id_hash FROM ready)"
        " UNION ALL SELECT event_id FROM copy_ids WHERE id_hash IN (SELECT id_hash FROM ready)"
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM ready"
        " WHERE event_id NOT IN (SELECT event_id FROM stored)"
        " AND n IN (SELECT min(n) FROM ready GROUP BY event_id)"
    )
    worked = {name: f"fresh.{name}" for name in WORKED_OUT}
    values = ", ".join(worked.get(name, f'fields."{name}"') for name in COLUMNS)
    for rows in (
        f"SELECT {values} FROM ({fields}) AS fields JOIN fresh USING (n)"
        " WHERE n NOT IN (SELECT n FROM cleaned)",
        f"SELECT {LIST} FROM cleaned WHERE n IN (SELECT n FROM fresh)",
    ):
        cursor.execute(
            f"INSERT INTO events ({LIST}, {content.NAME}, sequence)"
            f" SELECT *, {content.content_hash()}, nextval('stored') FROM ({rows})"
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


def _duplicates_with_more(cursor: Cursor, fields: str) -> Iterator[list[Event]]:
    """Events that are not fresh and may add to what is stored."""
    cursor.execute(DUPLICATES)
    wanted = cursor.execute("SELECT id_hash FROM duplicates").fetchnumpy()
    if not len(wanted["id_hash"]):
        return
    cursor.register("wanted", wanted)
    wanted_fields = ", ".join(
        f'{"ready" if name in WORKED_OUT else "fields"}."{name}"' for name in FIELDS
    )
    events = (
        f"SELECT n, ready.id_hash, {wanted_fields} FROM ({fields}) AS fields JOIN ready USING (n)"
        " WHERE n NOT IN (SELECT n FROM cleaned) AND n IN (SELECT n FROM duplicates)"
        f" UNION ALL SELECT n, id_hash, {names(FIELDS)} FROM cleaned"
        " WHERE n IN (SELECT n FROM duplicates)"
    )
    cursor.register("repeated", {"n": repeats(cursor, events, FIELDS)["n"]})
    cursor.execute("DELETE FROM duplicates WHERE n IN (SELECT n FROM repeated)")
    cursor.register("wanted", cursor.execute("SELECT id_hash FROM duplicates").fetchnumpy())
    found = compare(cursor, events, FIELDS)
    copies = cursor.execute(COPIES).fetchnumpy()["n"]
    places = np.sort(np.concatenate((found["n"][found["more"]], copies)))
    for first in range(0, len(places), ROWS):
        cursor.register("more", {"n": places[first : first + ROWS]})
        cursor.execute(f"SELECT * FROM ({events}) WHERE n IN (SELECT n FROM more) ORDER BY n")
        yield [dict(zip(FIELDS, row, strict=True)) for _, _, *row in cursor.fetchall()]
