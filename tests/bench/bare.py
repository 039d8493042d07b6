"""The Overview as somebody would ask DuckDB by hand: one statement a number, and no more."""

from __future__ import annotations

from typing import Any, Final

import duckdb

HEADLINE: Final = """
SELECT sum(cost_nano), count(*) FILTER (kind = 'llm'),
    coalesce(sum(input_tokens), 0) + coalesce(sum(cached_input_tokens), 0)
        + coalesce(sum(cache_write_tokens), 0) + coalesce(sum(output_tokens), 0),
    sum(input_tokens), sum(cached_input_tokens), sum(output_tokens),
    count(DISTINCT "user"), count(DISTINCT project),
    count(*) FILTER (kind = 'llm' AND status = 'error') / count(*) FILTER (kind = 'llm'),
    count(*) FILTER (used AND cost_nano IS NOT NULL) / count(*) FILTER (used)
FROM (
    SELECT *, kind = 'llm' AND coalesce(input_tokens, cached_input_tokens, cache_write_tokens,
        output_tokens) IS NOT NULL AS used
    FROM events WHERE {where}
)
"""
MONEY: Final = """
sum(cost_nano) AS cost, count(*),
coalesce(sum(input_tokens), 0) + coalesce(sum(cached_input_tokens), 0)
    + coalesce(sum(cache_write_tokens), 0) + coalesce(sum(output_tokens), 0)
"""
CHANNELS: Final = f"""
SELECT ts - ts % 86_400_000_000 AS day, channel, {MONEY}
FROM events WHERE kind = 'llm' AND {{where}} GROUP BY ALL ORDER BY day
"""
MODELS: Final = f"""
SELECT model, {MONEY}
FROM events WHERE kind = 'llm' AND {{where}} GROUP BY ALL ORDER BY cost DESC
"""
PROJECTS: Final = f"""
SELECT project, max(project_name), {MONEY.replace("count(*)", "count(*) FILTER (kind = 'llm')")},
    count(DISTINCT "user")
FROM events WHERE {{where}} GROUP BY project ORDER BY cost DESC
"""
USERS: Final = f"""
SELECT "user", max(user_name), {MONEY}
FROM events WHERE kind = 'llm' AND {{where}} GROUP BY "user" ORDER BY cost DESC
"""

ACTIVITY: Final = """
SELECT ts - ts % 86_400_000_000 AS day, count(*) FILTER (kind = 'llm'), count(DISTINCT "user"),
    count(DISTINCT project), count(*) FILTER (kind = 'llm' AND status = 'error')
FROM events WHERE {where} GROUP BY day ORDER BY day
"""
HOURS: Final = f"""
SELECT (ts // 86_400_000_000 + 3) % 7 AS weekday, ts % 86_400_000_000 // 3_600_000_000 AS hour,
    count(DISTINCT "user"), {MONEY.replace("count(*)", "count(*) FILTER (kind = 'llm')")}
FROM events WHERE {{where}} GROUP BY weekday, hour
"""
REACH: Final = """
SELECT count(DISTINCT model), count(DISTINCT assistant), count(DISTINCT workflow),
    count(DISTINCT tool), count(DISTINCT integration)
FROM events WHERE {where}
"""


def overview(cursor: duckdb.DuckDBPyConnection, start: int, end: int, user: str | None) -> Any:
    """Ask everything; returns the window's cost in nano-dollars."""
    before = _where(2 * start - end, start, user)
    now = _where(start, end, user)
    for statement in (HEADLINE, REACH):
        cursor.execute(statement.format(where=before)).fetchall()
    for statement in (CHANNELS, MODELS, PROJECTS, USERS, ACTIVITY, HOURS, REACH):
        cursor.execute(statement.format(where=now)).fetchall()
    return cursor.execute(HEADLINE.format(where=now)).fetchall()[0][0]


def _where(start: int, end: int, user: str | None) -> str:
    return f"ts >= {start} AND ts < {end}" + (f" AND \"user\" = '{user}'" if user else "")
