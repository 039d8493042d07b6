"""DuckDB and a store on a server side by side: anything happens to both alike, and they hold the
same rows and give the same answers. Also to another process, which asks the same questions all the
while and keeps answers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.kept import BESIDE
from data.engines.protocol import EventStore, open_events
from data.events.table import EVENTS, FIELDS, micros
from data.prices.derived import DERIVED
from data.query.query import Query
from data.query.run import run
from tests.analytics.test_numbers import JUMPS, MOMENT
from tests.engines.test_sums import HAPPENS, SCOPES, World

COLUMNS: Final = tuple(EVENTS.c[name] for name in (*FIELDS, *DERIVED))


@dataclass
class ServerWorld(World):
    """A world whose store is not in a file."""

    url: str = ""

    def opened(self) -> EventStore:
        return open_events(self.url)


def happen_alike(seed: int, url: str, folder: Path, times: int) -> None:
    """So many things."""
    about = micros(MOMENT.fromisoformat(JUMPS[seed]))
    path, dice = folder / "events.duckdb", random.Random(seed)
    ours, other = World(random.Random(seed), path, about), open_events(url)
    theirs = ServerWorld(random.Random(seed), path, about, url=url)
    questions: list[Query] = []
    for happens in (World.new, *dice.sample(HAPPENS * 2, times)):
        happens(ours)
        happens(theirs)
        assert held(theirs.store) == held(ours.store)
        questions = [ours.question() for _ in range(3)] + questions[:3]
        theirs.dice.setstate(ours.dice.getstate())
        for query in questions:
            _compare(query, dice.choice(SCOPES), ours.store, theirs.store, other)
    for store in (ours.store, theirs.store, other):
        store.close()


def held(store: EventStore) -> list[Any]:
    """Every row of a store."""
    with store.sql.connect() as connection:
        events = connection.execute(sa.select(*COLUMNS).order_by(EVENTS.c.event_id))
        beside = [connection.execute(sa.select(table)) for table, _ in BESIDE]
        return [
            [tuple(row) for row in events],
            *(sorted(map(tuple, one), key=repr) for one in beside),
        ]


def _compare(query: Query, scope: Scope, *stores: EventStore) -> None:
    wanted, *others = (run(query, scope, store) for store in stores)
    for found in others:
        pd.testing.assert_frame_equal(found, wanted, check_exact=True, obj=f"{query} {scope.user}")
