"""Where the stored events come from, with what the imports brought of each source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.ingest.import_log import latest_rejections, require_platform_reader, source_totals
from data.query.filters import Filters
from data.query.query import Query
from data.query.run import run
from data.query.windows import ALL_TIME
from data.repricing.unpriced import WHERE, Unpriced, unpriced
from data.state.store import State

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
    require_platform_reader(scope)
    logged = source_totals(state, scope)
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
    require_platform_reader(scope)
    models = unpriced(scope, store, source)
    return Detail(models[:MOST_MODELS], len(models), latest_rejections(state, scope, source))
