"""Re-pricing as SQL: one join with the rows of a book (`data/prices/rate_rows.py`, in a table
`rates`) says what each event costs, whole numbers over the parts of its rate.

Engines differ in how they divide whole numbers of any size, and in what they call the place of a
row: `Words`. Amounts are rounded half to even by hand, signs apart, as divisions truncate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

from data.events.reasons import LACKING, NO_RATE, OF_THE_BOOK, TOO_LARGE
from data.events.table import LARGEST_COUNT, MANY_PROMPTS, PARTS, TOKENS
from data.prices.rate_rows import DAY, RateRow
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
RATE_TEXTS: Final = ("provider", "model", "tier", "reason")
RATE_NUMBERS: Final = ("start", "end", "day_start", "day_end", "over", "most")
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
SUMMED: Final = f"e.request_count > 1 OR strpos(e.tags, '{MANY_PROMPTS}') > 0"
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
     count(*) FILTER (WHERE cost_nano IS DISTINCT FROM new_cost_nano) AS events,
     count(*) FILTER (WHERE cost_origin = 'reported') AS compared,
     CAST(sum(cost_nano) FILTER (WHERE cost_origin <> 'reported') AS BIGINT) AS before,
     CAST(sum(new_cost_nano) FILTER (WHERE cost_origin <> 'reported') AS BIGINT) AS after
    FROM changes WHERE new_cost_origin <> 'unpriced'
    GROUP BY project ORDER BY after DESC NULLS LAST, project"""
LATER: Final = (
    "SELECT max(repricing) FROM repriced WHERE repricing > {0} AND event_id IN"
    " (SELECT event_id FROM repriced WHERE repricing = {0})"
)
MOVES: Final = "SELECT {} FROM changes".format(
    ", ".join(f"bool_or({name} IS DISTINCT FROM new_{name})" for name in CHANGED)
)
RATE_COLUMNS: Final = tuple(field.name for field in fields(RateRow))
# The records of events of a source that is about to be removed: they may come back as others.
OF_SOURCE: Final = (
    "DELETE FROM repriced WHERE event_id IN (SELECT event_id FROM events WHERE source = {})"
)


@dataclass(frozen=True, slots=True)
class Words:
    """What engines say in their own words: the `place` of a row, how an amount is `rounded`."""

    place: str
    rounded: Callable[[str], str]


def quotient(amount: str, whole: str, parts: str = "parts") -> str:
    """The SQL of an amount over its parts, rounded half to even, null beyond what a cost can be;
    `whole` is how often the parts go into the size of the amount."""
    rest = f"(abs({amount}) % {parts})"
    up = f"(2 * {rest} > {parts} OR (2 * {rest} = {parts} AND {whole} % 2 = 1))"
    size = f"({whole} + CASE WHEN {up} THEN 1 ELSE 0 END)"
    return f"CASE WHEN {size} <= {LARGEST_COUNT} THEN CAST(sign({amount}) * {size} AS BIGINT) END"


def costs(words: Words) -> str:
    """The columns of what `PRICED` selects, rounded."""
    return f"caches, reason, {', '.join(map(words.rounded, AMOUNTS))}"


def changes(words: Words, what: str, start: int, end: int) -> str:
    """The SELECT of what a re-pricing changes, of the events from `start` until `end`."""
    exact = f"""SELECT e.{words.place} AS place, e.event_id, e.project, e.project_name,
     {", ".join(f"e.{name}" for name in CHANGED)}, {PRICED}
    FROM events e {MATCH} AND e.ts >= {start} AND e.ts < {end} AND {WHERE[what]}"""
    rounded = f"SELECT {KEPT}, {costs(words)} FROM exact"
    steps = f"WITH exact AS ({exact}), rounded AS ({rounded}), fresh AS ({NEW})"
    return f"{steps} SELECT * FROM fresh WHERE {DIFFERS}"


def rate_type(name: str, wide: str) -> str:
    """The type of a column of `rates`; `wide` is the engine's for whole numbers of any size."""
    if name in RATE_TEXTS:
        return "TEXT"
    return "BIGINT" if name in RATE_NUMBERS else wide
