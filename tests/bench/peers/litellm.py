"""LiteLLM's own tables in PostgreSQL, asked by statements of the shape that its usage pages send.

Its Usage page reads sums of a day (user or team, key, model, provider), in one statement with
grouping sets for all that the page may show, and another by team. Its older views read the spend
logs, a row a call. Both are given every favour: no proxy before them, rows that the page would
fold in the browser folded in SQL, vacuumed and analysed. Sums of a day are of UTC, for good.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from tests.bench.peers.questions import END, FIRST, LAST, START, TOP, Answer
from tests.bench.peers.rows import COLUMNS, Rows
from tests.postgres import OWNER, PASSWORD, TABLES, Base, Cluster

KEYS: Final = 100  # of which the Usage page shows spend, those with the most
_DAILY: Final = """
CREATE TABLE "{table}" (id text PRIMARY KEY, {who} text, date text NOT NULL, api_key text NOT NULL,
    model text, model_group text, custom_llm_provider text, mcp_namespaced_tool_name text,
    endpoint text, prompt_tokens bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0, cache_read_input_tokens bigint NOT NULL DEFAULT 0,
    cache_creation_input_tokens bigint NOT NULL DEFAULT 0,
    spend double precision NOT NULL DEFAULT 0, api_requests bigint NOT NULL DEFAULT 0,
    successful_requests bigint NOT NULL DEFAULT 0, failed_requests bigint NOT NULL DEFAULT 0);
INSERT INTO "{table}" SELECT gen_random_uuid()::text, {column}, "startTime"::date::text, api_key,
    model, model, custom_llm_provider, '', '/chat/completions', sum(prompt_tokens),
    sum(completion_tokens), 0, 0, sum(spend), count(*), count(*), 0
    FROM "LiteLLM_SpendLogs" GROUP BY {column}, "startTime"::date, api_key, model,
    custom_llm_provider;
CREATE INDEX ON "{table}" (date);
CREATE INDEX ON "{table}" ({who}, date);
CREATE INDEX ON "{table}" (api_key);
CREATE INDEX ON "{table}" (model);
CREATE UNIQUE INDEX ON "{table}" ({who}, date, api_key, model, custom_llm_provider,
    mcp_namespaced_tool_name, endpoint);
"""
DAILY: Final = (("LiteLLM_DailyUserSpend", "user_id", '"user"'),
                ("LiteLLM_DailyTeamSpend", "team_id", "team_id"))  # fmt: skip
_TYPES: Final = {"ts": "bigint", "cost_nano": "bigint", "duration_ms": "bigint"}
LOAD: Final = f"""
SET synchronous_commit = off;
CREATE UNLOGGED TABLE told ({
    ", ".join(
        f'"{name}" {_TYPES.get(name, "bigint" if name.endswith("_tokens") else "text")}'
        for name in COLUMNS
    )
});
\\copy told FROM '{{csv}}' (FORMAT csv, HEADER)
INSERT INTO "LiteLLM_SpendLogs" (request_id, api_key, spend, prompt_tokens, completion_tokens,
    "startTime", "endTime", request_duration_ms, model, model_group, custom_llm_provider, "user",
    team_id, messages)
SELECT event_id, md5("user" || '/' || project), coalesce(cost_nano, 0) / 1e9,
    coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0) + coalesce(cache_write_tokens, 0),
    coalesce(output_tokens, 0), to_timestamp(ts / 1e6) AT TIME ZONE 'UTC',
    to_timestamp((ts + coalesce(duration_ms, 0) * 1000) / 1e6) AT TIME ZONE 'UTC', duration_ms,
    model, model, provider, "user", project, '{{{{}}}}' FROM told;
INSERT INTO "LiteLLM_TeamTable" SELECT DISTINCT project, project FROM told ON CONFLICT DO NOTHING;
DROP TABLE told;
"""
SUMS: Final = """sum(spend)::float AS spend, sum(prompt_tokens)::bigint AS prompt_tokens,
    sum(completion_tokens)::bigint AS completion_tokens,
    sum(cache_read_input_tokens)::bigint AS cache_read_input_tokens,
    sum(cache_creation_input_tokens)::bigint AS cache_creation_input_tokens,
    sum(api_requests)::bigint AS api_requests,
    sum(successful_requests)::bigint AS successful_requests,
    sum(failed_requests)::bigint AS failed_requests"""
GROUP: Final = "coalesce(nullif(model_group, ''), model)"
WHOLE: Final = ("date", "date, model", f"date, {GROUP}", "date, custom_llm_provider",
                "date, mcp_namespaced_tool_name", "date, endpoint")  # fmt: skip
DAYS: Final = f"date >= '{FIRST}' AND date <= '{LAST}'"
_USAGE: Final = f"""
SELECT date, NULL AS api_key, model, grouping(date, model, {GROUP}, custom_llm_provider,
    mcp_namespaced_tool_name, endpoint) AS level, {SUMS}
FROM "LiteLLM_DailyUserSpend" WHERE {DAYS}
GROUP BY GROUPING SETS ({", ".join(f"({one})" for one in WHOLE)}, ())
UNION ALL (
WITH top AS (SELECT api_key FROM "LiteLLM_DailyUserSpend" WHERE {DAYS}
    GROUP BY api_key ORDER BY sum(spend) DESC, api_key LIMIT {KEYS})
SELECT date, api_key, model, NULL, {SUMS}
FROM "LiteLLM_DailyUserSpend" JOIN top USING (api_key) WHERE {DAYS}
GROUP BY GROUPING SETS ({", ".join(f"({one}, api_key)" for one in WHOLE)}))"""
_ROLLUP: Final = f"""
SELECT {{who}} AS entity, date, api_key, grouping(api_key) AS level, {SUMS}
FROM "{{table}}" WHERE {DAYS}
GROUP BY GROUPING SETS ((date, {{who}}), (date, {{who}}, api_key))"""


def _folded(statement: str, key: str, level: int, most: int | None = None) -> str:
    limit = f" ORDER BY 2 DESC LIMIT {most}" if most else ""
    return (f"WITH asked AS MATERIALIZED ({statement}) SELECT {key}, sum(spend) FROM asked"
            f" WHERE level = {level} GROUP BY 1{limit}")  # fmt: skip


ONLY_DATE, DATE_AND_MODEL, WITHOUT_KEY = 0b011111, 0b001111, 1
BY_DAY: Final = {
    "day": _folded(_USAGE, "date", ONLY_DATE),
    "model": _folded(_USAGE, "model", DATE_AND_MODEL, TOP),
    **{question: _folded(_ROLLUP.format(who=who, table=table), "entity", WITHOUT_KEY, TOP)
       for question, (table, who, _) in zip(("user", "project"), DAILY, strict=True)},
}  # fmt: skip
SINCE: Final = f"\"startTime\" >= '{START:%Y-%m-%d}' AND \"startTime\" < '{END:%Y-%m-%d}'"
_LOGS: Final = f'SELECT {{0}}, sum(spend) FROM "LiteLLM_SpendLogs" {{1}} WHERE {SINCE} {{2}}'
_TOP: Final = f"GROUP BY 1 ORDER BY 2 DESC LIMIT {TOP}"
BY_CALL: Final = {
    "day": _LOGS.format('date("startTime")', "", "GROUP BY 1"),
    "model": _LOGS.format("model", "", f"AND model <> '' {_TOP}"),
    "user": _LOGS.format('"user"', "", _TOP),
    "project": _LOGS.format("team_alias", 'JOIN "LiteLLM_TeamTable" USING (team_id)', _TOP),
}


def load(cluster: Cluster, rows: Rows, name: str = "litellm_peers") -> Base:
    """A database with LiteLLM's tables, as full as after these calls."""
    base = cluster.make(name, TABLES)
    base.run('DROP TABLE "LiteLLM_DailyUserSpend"')
    daily = "".join(_DAILY.format(table=table, who=who, column=column)
                    for table, who, column in DAILY)  # fmt: skip
    url = base.url_of(OWNER, PASSWORD)
    cluster.call("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", url,
                 script=LOAD.format(csv=rows.csv) + daily)  # fmt: skip
    base.run("VACUUM ANALYZE")
    return base


class LiteLLM:
    """Asked of sums of a day, or (`calls`) of the spend logs."""

    def __init__(self, base: Base, *, calls: bool = False) -> None:
        self._statements = BY_CALL if calls else BY_DAY
        url = base.url_of(OWNER, PASSWORD).replace("postgresql", "postgresql+pg8000", 1)
        self._engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self._connection = self._engine.connect()

    def ask(self, question: str) -> Answer:
        rows = self._connection.exec_driver_sql(self._statements[question])
        return {str(key): float(spend) for key, spend in rows}

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()
