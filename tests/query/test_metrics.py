"""What a metric declares beside its SQL is what its SQL does."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from data.engines.protocol import EventStore
from data.query.catalog import METRICS
from data.query.event_time import local_time
from data.query.windows import ALL_TIME

LOCAL: Final = local_time(ALL_TIME)
# Put together of numbers with conditions of their own: behind them stands every event.
COMPOSED: Final = frozenset({"share", "usd_each", "number"})


def spelled(clause: sa.ColumnElement[object], store: EventStore) -> str:
    return str(clause.compile(store.sql, compile_kwargs={"literal_binds": True}))


def test_the_condition_is_the_one_of_its_sql(store: EventStore) -> None:
    for name, metric in METRICS.items():
        made, composed = metric.of(LOCAL), metric.unit.name in COMPOSED
        sql = spelled(made.sql, store)
        if made.condition is None:
            assert composed or "FILTER" not in sql, name
        else:
            assert f"FILTER (WHERE {spelled(made.condition, store)})" in sql, name


def test_what_is_counted_apart_is_what_its_sql_tells_apart(store: EventStore) -> None:
    for name, metric in METRICS.items():
        made, composed = metric.of(LOCAL), metric.unit.name in COMPOSED
        sql = spelled(made.sql, store)
        if made.distinct is None:
            assert composed or "DISTINCT" not in sql, name
        else:
            assert f"DISTINCT {spelled(made.distinct, store)}" in sql, name
