"""Where the stored events come from, with what the imports brought of each source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from data.budget_subjects import ALWAYS
from data.engines import EventStore
from data.filters import Filters
from data.imports import by_source, refuse
from data.query import Query, run
from data.scope import Scope
from data.state import State

STORED: Final = Query(("events", "last_event"), ("source",), Filters(ALWAYS))
WITHIN: Final = (("kind", ("llm",)), ("cost_origin", ("unpriced",)))
UNPRICED: Final = Query(("tokens",), ("source",), Filters(ALWAYS), within=WITHIN)


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
