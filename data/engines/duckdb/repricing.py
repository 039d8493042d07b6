"""Re-pricing in DuckDB: one join computes, one update stores, and what was there is kept.

The caller holds the writer's lock and the transaction. Amounts are counted in 128-bit integers;
`//` truncates, so halves are rounded to even by hand, signs apart.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import duckdb
import pandas as pd

from data.engines.duckdb import content
from data.engines.duckdb.outdated import outdate
from data.events.reasons import LACKING, NO_RATE, OF_THE_BOOK, TOO_LARGE
from data.events.table import LARGEST_COUNT, MANY_PROMPTS, PARTS, TOKENS
from data.prices.book import PUBLIC
from data.prices.cost_change import CostChange
from data.prices.rate_rows import DAY, RateChange, RateRow, rate_rows
from data.prices.rates import STANDARD, Usage

CHANGED: Final = (
    "cost_nano", "cost_origin", "cache_saved_nano", "cache_write_nano", "list_cost_nano",
    "unpriced_reason",
)  # fmt: skip
# What every re-pricing found, to put it back exactly.
REPRICED: Final = (
    "CREATE TABLE IF NOT EXISTS repriced (repricing BIGINT NOT NULL, event_id TEXT NOT NULL,"
    " cost_nano BIGINT, cost_origin TEXT NOT NULL, cache_saved_nano BIGINT,"
    " cache_write_nano BIGINT, list_cost_nano BIGINT, unpriced_reason TEXT)"
)
TEXTS: Final = ("provider", "model", "tier", "reason")
NARROW: Final = ("start", "end", "day_start", "day_end", "over", "most")
BOOKS: Final = ", ".join(f"'{reason}'" for reason in OF_THE_BOOK)
NEVER_PRICED: Final = (  # as `never_priced` of `data/events/reasons.py`
    f"(starts_with(e.unpriced_reason, '{NO_RATE}') AND e.unpriced_reason NOT IN ({BOOKS}))"
)
WHERE: Final = {
    "unpriced": "e.cost_origin = 'unpriced'",
    "history": "e.cost_origin IN ('list', 'reported')",
    "compare": "e.cost_origin = 'reported' AND e.list_cost_nano IS NULL",
}


def _usage() -> dict[str, str]:
    """The SQL of each field of `Usage`, as `Usage.of` counts it."""
    counts = {f"{name}_tokens": f"coalesce(e.{name}_tokens, 0)" for name in Usage._fields}
    for whole, parts in PARTS.items():
        for part in parts:
            counts[part] = f"CASE WHEN e.{whole} IS NULL THEN 0 ELSE {counts[part]} END"
        counts[whole] = " - ".join((counts[whole], *(f"({counts[part]})" for part in parts)))
    counts["web_searches_tokens"] = "coalesce(e.web_searches, 0)"
    return {name: f"({counts[f'{name}_tokens']})" for name in Usage._fields}


USED: Final = _usage()
FRESH, READ, WRITTEN = (f"coalesce(e.{name}, 0)" for name in TOKENS[:3])
# The sum of many calls is priced as short prompts, as PriceBook.price_of does.
SUMMED: Final = f"e.request_count > 1 OR contains(e.tags, '{MANY_PROMPTS}')"
PROMPT: Final = f"CASE WHEN {SUMMED} THEN 0 ELSE {FRESH} + {READ} + {WRITTEN} END"
LACKS: Final = {
    name: f"c.{name} IS NULL AND {USED[name]} > 0" for name in LACKING
}  # rates that nothing stands for
AMOUNTS: Final = {
    "cost": f"CASE WHEN {' OR '.join((NEVER_PRICED, *(f'({each})' for each in LACKS.values())))}"
    " THEN NULL ELSE "
    + " + ".join(f"coalesce(c.{name}, 0) * {used}" for name, used in USED.items())
    + " + c.request END",
    "saved": f"c.saving * {READ}",
    "writing": f"c.writing * {USED['cache_write']} + CASE WHEN {USED['cache_write_1h']} = 0 THEN 0"
    f" ELSE c.writing_1h * {USED['cache_write_1h']} END",
}
REASON: Final = (
    "CASE WHEN c.reason IS NOT NULL THEN c.reason"
    + "".join(f" WHEN {LACKS[name]} THEN '{NO_RATE}{words}'" for name, words in LACKING.items())
    + f" ELSE '{TOO_LARGE}' END"
)
# A reason that is the book's: it says today's.
OUTDATED: Final = f"(unpriced_reason IS NULL OR unpriced_reason IN ({BOOKS}))"
NARROWEST: Final = 2**61  # twice as much fits into a BIGINT still
MATCH: Final = f"""JOIN rates c ON e.model = c.model AND coalesce(e.provider, '') = c.provider
     AND coalesce(e.service_tier, '{STANDARD}') = c.tier
     AND e.ts >= c.start AND e.ts < c."end"
     AND e.ts % {DAY} >= c.day_start AND e.ts % {DAY} < c.day_end
     AND {PROMPT} > c.over AND {PROMPT} <= c.most
    WHERE e.kind = 'llm'
     AND coalesce({", ".join(f"e.{name}" for name in TOKENS)}, nullif(e.web_searches, 0))
         IS NOT NULL"""
PRICED: Final = f"{READ} + {WRITTEN} > 0 AS caches, c.parts, {REASON} AS reason, " + ", ".join(
    f"{amount} AS {name}" for name, amount in AMOUNTS.items()
)
KEPT: Final = f"place, event_id, project, project_name, {', '.join(CHANGED)}"
EXACT: Final = f"""SELECT e.rowid AS place, e.event_id, e.project, e.project_name,
     {", ".join(f"e.{name}" for name in CHANGED)}, {PRICED}
    FROM events e {MATCH} AND e.ts >= $start AND e.ts < $end"""


def _rounded(name: str) -> str:
    """The SQL of an amount over its parts, rounded half to even, null beyond what a cost can be.

    Dividing 128-bit integers takes a hundred times as long as dividing 64-bit ones, and nearly
    all amounts are of the latter kind.
    """
    narrow, wide = _quotient(f"CAST({name} AS BIGINT)", "CAST(parts AS BIGINT)"), _quotient(name)
    fits = f"abs({name}) < {NARROWEST} AND parts < {NARROWEST}"
    return f"CASE WHEN {fits} THEN {narrow} ELSE {wide} END AS {name}"


def _quotient(amount: str, parts: str = "parts") -> str:
    whole, rest = f"(abs({amount}) // {parts})", f"(abs({amount}) % {parts})"
    up = f"(2 * {rest} > {parts} OR (2 * {rest} = {parts} AND {whole} % 2 = 1))"
    size = f"({whole} + CASE WHEN {up} THEN 1 ELSE 0 END)"
    return f"CASE WHEN {size} <= {LARGEST_COUNT} THEN CAST(sign({amount}) * {size} AS BIGINT) END"


WHOLE: Final = f"caches, reason, {', '.join(map(_rounded, AMOUNTS))}"
ROUNDED: Final = f"SELECT {KEPT}, {WHOLE} FROM exact"
NEW: Final = f"""SELECT {KEPT},
     CASE WHEN cost_origin = 'reported' THEN cost_nano ELSE cost END AS new_cost_nano,
     CASE WHEN cost_origin = 'reported' THEN 'reported' WHEN cost IS NULL THEN 'unpriced'
      ELSE 'list' END AS new_cost_origin,
     coalesce(CASE WHEN caches THEN saved END, cache_saved_nano) AS new_cache_saved_nano,
     coalesce(CASE WHEN caches THEN writing END, cache_write_nano) AS new_cache_write_nano,
     CASE WHEN cost_origin = 'reported' THEN coalesce(cost, list_cost_nano) END
      AS new_list_cost_nano,
     CASE WHEN coalesce(cost, cost_nano) IS NOT NULL THEN NULL
      WHEN {OUTDATED} THEN reason ELSE unpriced_reason END AS new_unpriced_reason
    FROM rounded WHERE cost IS NOT NULL OR cost_origin <> 'list'"""
# A list price by another is the same as far as its event tells.
RETOLD: Final = (
    "cost_origin <> new_cost_origin OR unpriced_reason IS DISTINCT FROM new_unpriced_reason"
)
DIFFERS: Final = " OR ".join(f"{name} IS DISTINCT FROM new_{name}" for name in CHANGED)
BY_PROJECT: Final = """SELECT project, max(project_name) AS name,
     count(*) FILTER (cost_nano IS DISTINCT FROM new_cost_nano) AS events,
     count(*) FILTER (cost_origin = 'reported') AS compared,
     CAST(sum(cost_nano) FILTER (cost_origin <> 'reported') AS BIGINT) AS before,
     CAST(sum(new_cost_nano) FILTER (cost_origin <> 'reported') AS BIGINT) AS after
    FROM changes WHERE new_cost_origin <> 'unpriced'
    GROUP BY project ORDER BY after DESC NULLS LAST, project"""


def compute(
    cursor: duckdb.DuckDBPyConnection, change: RateChange, where: str = ""
) -> list[CostChange]:
    """Work out the changes (a temporary table `changes`, for `store`); returns them by project."""
    register(cursor, change.rates)
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE changes AS WITH exact AS ({EXACT}"
        f" AND {WHERE[where or change.what]}), rounded AS ({ROUNDED}), fresh AS ({NEW})"
        f" SELECT * FROM fresh WHERE {DIFFERS}",
        {"start": change.start, "end": change.end},
    )
    return [CostChange(*row) for row in cursor.execute(BY_PROJECT).fetchall()]


def store(cursor: duckdb.DuckDBPyConnection, number: int | None) -> list[int]:
    """Make the computed changes; under a `number` what was there is kept for `restore`. Returns
    the quarters of an hour of the events."""
    quarters: list[int] = []
    if number is not None:
        events = "SELECT ts FROM events JOIN changes ON events.rowid = changes.place"
        quarters = outdate(cursor, events)
        names = ", ".join(("event_id", *CHANGED))
        cursor.execute(f"INSERT INTO repriced SELECT ?, {names} FROM changes", [number])
    # A column that stays as it is costs as much to update as one that changes.
    changed = _changed_columns(cursor)
    values = ", ".join(f"{name} = r.new_{name}" for name in changed)
    if values:
        cursor.execute(f"UPDATE events SET {values} FROM changes r WHERE events.rowid = r.place")
    if not {"cost_origin", "unpriced_reason"}.isdisjoint(changed):
        content.refresh(cursor, f"rowid IN (SELECT place FROM changes WHERE {RETOLD})")
    return quarters


def _changed_columns(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of which some value changes."""
    moves = ", ".join(f"bool_or({name} IS DISTINCT FROM new_{name})" for name in CHANGED)
    row = cursor.execute(f"SELECT {moves} FROM changes").fetchone()
    return [name for name, moved in zip(CHANGED, row or (), strict=True) if moved]


def compare(cursor: duckdb.DuckDBPyConnection) -> None:
    """Give the reported costs of an older store their list costs, at public prices."""
    models = cursor.execute(
        "SELECT DISTINCT provider, model FROM events"
        " WHERE cost_origin = 'reported' AND model IS NOT NULL"
    ).fetchall()
    if models:
        compute(cursor, RateChange("history", rate_rows(PUBLIC, models)), "compare")
        store(cursor, None)


def later(cursor: duckdb.DuckDBPyConnection, number: int) -> int | None:
    """The newest later re-pricing that changed an event of this one, if one did."""
    row = cursor.execute(
        "SELECT max(repricing) FROM repriced WHERE repricing > $number AND event_id IN"
        " (SELECT event_id FROM repriced WHERE repricing = $number)",
        {"number": number},
    ).fetchone()
    return row[0] if row else None


def restore(cursor: duckdb.DuckDBPyConnection, number: int) -> tuple[int, list[int]]:
    """Put back what a re-pricing found; returns how many events that were, and their quarters of
    an hour."""
    values = ", ".join(f"{name} = r.{name}" for name in CHANGED)
    quarters = outdate(
        cursor,
        "SELECT ts FROM events WHERE event_id IN"
        " (SELECT event_id FROM repriced WHERE repricing = ?)",
        number,
    )
    cursor.execute(
        f"UPDATE events SET {values} FROM repriced r"
        " WHERE r.repricing = ? AND events.event_id = r.event_id",
        [number],
    )
    content.refresh(
        cursor, f"event_id IN (SELECT event_id FROM repriced WHERE repricing = {int(number)})"
    )
    row = cursor.execute("DELETE FROM repriced WHERE repricing = ?", [number]).fetchone()
    return (int(row[0]) if row else 0), quarters


def delete_records(cursor: duckdb.DuckDBPyConnection, source: str) -> None:
    """Drop the records of events that are about to be removed: they may come back as others."""
    cursor.execute(
        "DELETE FROM repriced WHERE event_id IN (SELECT event_id FROM events WHERE source = ?)",
        [source],
    )


def register(cursor: duckdb.DuckDBPyConnection, rates: tuple[RateRow, ...]) -> None:
    """Have the rows of a book as a temporary table `rates`, for `MATCH`."""
    names = [field.name for field in fields(RateRow)]
    rows = [[_cell(getattr(rate, name)) for name in names] for rate in rates]
    cursor.register("given", pd.DataFrame(rows, columns=names, dtype="string"))
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE rates AS SELECT "
        + ", ".join(f'CAST("{name}" AS {_type(name)}) AS "{name}"' for name in names)
        + " FROM given"
    )
    cursor.unregister("given")


def _cell(value: str | int | None) -> str | None:
    return None if value is None else str(value)


def _type(name: str) -> str:
    if name in TEXTS:
        return "VARCHAR"
    return "BIGINT" if name in NARROW else "HUGEINT"
