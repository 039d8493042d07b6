"""What is known of one user, project, model or assistant, as far as a reader sees them."""

from __future__ import annotations

from typing import NamedTuple

from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.events.table import ME
from data.query.catalog import DIMENSIONS
from data.query.filters import Filters
from data.query.options import resolve_alias
from data.query.query import Query
from data.query.run import run
from data.query.series import texts
from data.query.windows import ALL_TIME


class Facts(NamedTuple):
    """A value of a field, its name, all ids of a person where this reader may know them, and the
    instants (µs UTC) of the first and latest event that they see."""

    field: str
    value: str
    name: str
    ids: tuple[str, ...]
    first: int
    last: int


def facts(field: str, value: str, scope: Scope, store: EventStore) -> Facts | None:
    """None of what this reader sees nothing of, be it there or not."""
    known = scope.user if (field, value) == ("user", ME) else resolve_alias(field, value, scope)
    filters = Filters(ALL_TIME, about=((field, known),))
    frame = run(Query(("first_event", "last_event"), (field,), filters), scope, store)
    if frame.empty:
        return None
    name = texts(frame[DIMENSIONS[field].naming or field])[0]
    ids = scope.ids_by_person.get(known, (known,)) if field == "user" else (known,)
    first, last = (int(frame[one].iloc[0]) for one in ("first_event", "last_event"))
    return Facts(field, known, name or known, ids, first, last)


def main_provider(model: str, scope: Scope, store: EventStore) -> str | None:
    """The provider that most of a model's calls went to, of those that a reader sees."""
    query = Query(
        ("requests",), ("provider",), Filters(ALL_TIME, about=(("model", model),)),
        order=(("requests", True),), limit=1,
    )  # fmt: skip
    return next(iter(texts(run(query, scope, store)["provider"])), None)
