"""What has come in by a new way since somebody began to wait for it, by the log of imports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.ingest.import_log import Import, require_platform_reader
from data.ingest.keys import RECORDS, Key
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.sources.format import NOT_READ
from data.state.store import State
from data.state.tables import IMPORTS, SOURCE_TOTALS

MOST_MODELS: Final = 6
MOST_NOTES: Final = 5
SUMMED: Final = ("accepted", "duplicates", "rejected", "unpriced", "tokens", "cost_nano")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came: counts and money (nano-dollars) of all of it, the models of its sources, most
    calls first (of `models_in_all`), notes on columns nobody `unread`, others, and rejections."""

    accepted: int
    duplicates: int
    rejected: int
    unpriced: int
    tokens: int
    cost_nano: int
    models: tuple[str, ...]
    models_in_all: int
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    rejections: tuple[str, ...]


def latest_import(state: State, scope: Scope) -> int:
    """The number of the newest entry of the log; raises `Forbidden` for whom it is not."""
    require_platform_reader(scope)
    with state.reading() as connection:
        return int(connection.execute(sa.select(sa.func.max(IMPORTS.c.id))).scalar() or 0)


def arrived_with_key(state: State, scope: Scope, store: EventStore, number: int) -> Arrival | None:
    """What a key has brought since it was made, None for nothing; raises `Unknown`, `Forbidden`."""
    require_platform_reader(scope)
    with state.reading() as connection:
        key: Key = RECORDS.get(connection, number)
        this = (IMPORTS.c.way == "live", IMPORTS.c.who == key.name, IMPORTS.c.last >= key.created)
        found = [Import(*row) for row in connection.execute(sa.select(IMPORTS).where(*this))]
    return _arrival(found, [key.source or ""], scope, store)


def arrived_since(
    state: State, scope: Scope, store: EventStore,
    after: int, formats: tuple[str, ...], sender: str,
) -> Arrival | None:  # fmt: skip
    """What imports after the entry `after` brought of some formats (none: of any), or a `sender` of
    this server, None for nothing; raises `Forbidden`."""
    require_platform_reader(scope)
    with state.reading() as connection:
        newer = sa.select(IMPORTS).where(IMPORTS.c.id > after)
        every = [Import(*row) for row in connection.execute(newer)]
        found = [one for one in every if _is_awaited(one, formats, sender)]
        since = min((one.at for one in found), default=0)
        recent = sa.select(SOURCE_TOTALS.c.source).where(SOURCE_TOTALS.c.last >= since)
        sources = list(connection.execute(recent).scalars()) if found else []
    return _arrival(found, sources, scope, store)


def _is_awaited(one: Import, formats: tuple[str, ...], sender: str) -> bool:
    if one.way == "live":
        return bool(sender) and one.who == sender
    return not formats or bool(set(one.format.split(", ")) & set(formats))


def _arrival(
    found: list[Import], sources: Iterable[str], scope: Scope, store: EventStore
) -> Arrival | None:
    if not found:
        return None
    notes = dict.fromkeys(note for one in found for note in one.notes)
    rejections = dict.fromkeys(f"{where}: {why}" for one in found for where, why in one.rejections)
    read, *sums = (sum(getattr(one, name) for one in found) for name in ("read", *SUMMED))
    models = _models(tuple(sources), scope, store) if read else []
    return Arrival(
        **dict(zip(SUMMED, sums, strict=True)),
        models=tuple(models[:MOST_MODELS]),
        models_in_all=len(models),
        unread=tuple(note for note in notes if NOT_READ in note),
        notes=tuple(note for note in notes if NOT_READ not in note)[:MOST_NOTES],
        rejections=tuple(rejections)[:MOST_NOTES],
    )


def _models(sources: tuple[str, ...], scope: Scope, store: EventStore) -> list[str]:
    query = Query(
        ("requests",), ("model",), Filters(ALL_TIME), order=(("requests", True),),
        where=(("source", sources), ("model", ())),
    )  # fmt: skip
    return [str(name) for name in run(query, scope, store)["model"]]
