"""Where the stored events come from, with what the imports brought of each source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.ingest.import_log import refuse
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.repricing.unpriced import WHERE, Unpriced, unpriced
from data.state.store import State
from data.state.tables import BROUGHT

STORED: Final = Query(
    ("events", "last_event"), ("source",), Filters(ALL_TIME), order=(("events", True),), limit=1_000
)
UNPRICED: Final = Query(("tokens",), ("source",), Filters(ALL_TIME), where=WHERE)
MOST_MODELS: Final = 20


@dataclass(frozen=True, slots=True)
class Source:
    """A source of stored events, or a format of which nothing but rejections came; instants are
    µs UTC, `unpriced` the tokens without a price; null where the imports or the store tell nothing.
    """

    name: str
    events: int | None
    last_event: int | None
    last_import: int | None
    duplicates: int | None
    rejected: int | None
    unpriced: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """What is behind a source's figures: its models without a price, the most tokens first (of
    `models` all told), and its latest rejections, each with where it stood."""

    unpriced: list[Unpriced]
    models: int
    rejections: list[list[str]]


def sources(state: State, scope: Scope, store: EventStore) -> list[Source]:
    """All of them, the most events first; raises `Forbidden` for whom they are not."""
    refuse(scope)
    logged = by_source(state, scope)
    stored = {row["source"]: row for row in run(STORED, scope, store).to_dict("records")}
    frame = run(UNPRICED, scope, store).to_dict("records")
    tokens = {row["source"]: row["tokens"] for row in frame}
    names = [str(name) for name in dict.fromkeys((*stored, *logged)) if name]
    found = [_source(n, stored.get(n, {}), logged.get(n, {}), tokens.get(n)) for n in names]
    return sorted(found, key=lambda one: (-(one.events or 0), one.name))


def _source(name: str, stored: Any, logged: dict[str, int | None], tokens: Any) -> Source:
    return Source(
        name, _whole(stored.get("events")), _whole(stored.get("last_event")), logged.get("last"),
        logged.get("duplicates"), logged.get("rejected"), _whole(tokens),
    )  # fmt: skip


def _whole(value: Any) -> int | None:
    return None if value is None or value != value else int(value)


def detail(state: State, scope: Scope, store: EventStore, source: str) -> Detail:
    """Of one source; raises `Forbidden` for whom it is not."""
    refuse(scope)
    models = unpriced(scope, store, source)
    return Detail(models[:MOST_MODELS], len(models), reasons(state, scope, source))


def by_source(state: State, scope: Scope) -> dict[str, dict[str, int | None]]:
    """Per source when it last came in (`last`), duplicates and rejections of all imports."""
    refuse(scope)
    names = ("last", "duplicates", "rejected")
    with state.reading() as connection:
        rows = connection.execute(sa.select(BROUGHT)).mappings()
        return {row["source"]: {n: row[n] for n in names} for row in rows}


def reasons(state: State, scope: Scope, source: str) -> list[list[str]]:
    """The latest rejections of a source, each with where it stood."""
    refuse(scope)
    told = sa.select(BROUGHT.c.reasons).where(BROUGHT.c.source == source)
    with state.reading() as connection:
        return list(connection.execute(told).scalar() or ())
