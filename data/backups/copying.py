"""The events of one store copied into another, of whatever engine: as they are, with what is known
of their ids and what re-pricings found.

Days that are the same on both sides are left out, and so is what is there already: who was cut
short begins again, and goes on. What arrived is compared with what was there: by day, by user, by
model and by project.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import SYSTEM
from data.engines.kept import BESIDE, EVENTS
from data.engines.protocol import EventStore
from data.errors import StoreError
from data.local_time import WIDTHS
from data.query.catalog import TIME
from data.query.checks import everything
from data.query.query import Query
from data.query.run import run

BATCH: Final = 5_000
DAY: Final = WIDTHS["day"]
MEASURES: Final = ("events", "requests", "tokens", "cost")
BY: Final = (TIME, "user", "model", "project")
DIFFERENT: Final = (
    "the copy is not what was copied: {} differ. Somebody wrote to one of the two, or the second"
    " held other events: copy again into one that is empty"
)
Progress = Callable[[int, int], None]
Row = tuple[Any, ...]
Parts = Generator[list[Row], None, None]


def copy(source: EventStore, target: EventStore, progress: Progress) -> int:
    """How many events arrived; `progress` hears of how many of how many are there. Raises
    `StoreError` where the copy is not what was copied."""
    days, there = _days(source), _days(target)
    total, done, arrived = sum(one[0] for one in days.values()), 0, 0
    for day, totals in days.items():
        if there.get(day) != totals:
            with closing(_of_day(source, day)) as parts:
                arrived += sum(target.adopt(EVENTS, rows) for rows in parts)
        done += totals[0]
        progress(done, total)
    for table, key in BESIDE:
        _copy_beside(source, target, table, key)
    if different := [*_differences(source, target)]:
        raise StoreError(DIFFERENT.format(", ".join(different)))
    return arrived


def _days(store: EventStore) -> dict[int, Row]:
    """Of each day, in order, what its events add up to."""
    ts, day = EVENTS.c.ts, sa.cast(EVENTS.c.ts - EVENTS.c.ts % DAY, sa.BigInteger)
    sums = (sa.func.sum(EVENTS.c[name]) for name in ("cost_nano", "input_tokens", "output_tokens"))
    added = (sa.cast(sa.func.coalesce(one, 0), sa.BigInteger) for one in sums)
    asked = sa.select(day, sa.func.count(), sa.func.min(ts), sa.func.max(ts), *added)
    with store.sql.connect() as connection:
        found = connection.execute(asked.group_by(day).order_by(day))
        return {first: tuple(rest) for first, *rest in found}


def _of_day(store: EventStore, day: int) -> Parts:
    within = sa.select(EVENTS).where(EVENTS.c.ts >= day, EVENTS.c.ts < day + DAY)
    return _read(store, within.order_by(EVENTS.c.ts, EVENTS.c.event_id))


def _read(store: EventStore, asked: sa.Select[Any]) -> Parts:
    with store.sql.connect() as connection:
        found = connection.execution_options(stream_results=True).execute(asked)
        for rows in found.partitions(BATCH):
            yield [tuple(row) for row in rows]


def _copy_beside(
    source: EventStore, target: EventStore, table: sa.TableClause, key: tuple[str, ...]
) -> None:
    places = [list(table.c.keys()).index(name) for name in key]
    keys = sa.select(*(table.c[name] for name in key))
    there = {row for rows in _read(target, keys) for row in rows}
    with closing(_read(source, sa.select(table))) as parts:
        for rows in parts:
            new = [row for row in rows if tuple(row[n] for n in places) not in there]
            target.adopt(table, new)


def _differences(source: EventStore, target: EventStore) -> Iterator[str]:
    """By what the two differ."""
    filters = everything(source, "UTC")
    for name in BY:
        query = Query(MEASURES, (name,), filters, "day")
        one, other = (run(query, SYSTEM, store) for store in (source, target))
        if not one.equals(other):
            yield f"events by {'day' if name == TIME else name}"
    for table, _ in BESIDE:
        counted = sa.select(sa.func.count()).select_from(table)
        if _scalar(source, counted) != _scalar(target, counted):
            yield table.name
    if source.count_by_source() != target.count_by_source():
        yield "sources"


def _scalar(store: EventStore, asked: sa.Select[Any]) -> Any:
    with store.sql.connect() as connection:
        return connection.execute(asked).scalar_one()
