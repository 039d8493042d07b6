"""Users and projects by what people call them: what a list offers, and whom a text means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from data.access.scope import Scope
from data.engines.grouping import Names
from data.engines.protocol import EventStore
from data.query.catalog import DIMENSIONS
from data.query.clauses import of_any_time
from data.query.filters import CONTAINING, FOUND, PEOPLE, Filters
from data.query.query import Query
from data.query.windows import ALL_TIME

MOST_FOUND: Final = 1_000_000


def named(field: str, text: str, limit: int, scope: Scope, store: EventStore) -> Sequence[Any]:
    """The users or projects that this reader sees with `text` in id or name, as (id, name, events):
    the most active first, of all time."""
    query = Query(
        ("events",), (field,), Filters(ALL_TIME), order=(("events", True),), limit=limit,
        search=text,
    )  # fmt: skip
    return store.memo.get((query, scope, "names"), lambda: store.names(_names(query, scope)))


def _names(query: Query, scope: Scope) -> Names:
    field = DIMENSIONS[query.by[0]]
    where = sa.and_(*of_any_time(query, scope))
    return Names(field.name, field.naming or field.name, where, scope.people, query.limit or 1)


def with_found(query: Query, scope: Scope, store: EventStore) -> Query:
    """The query with the users and projects that a text means in the place of the text.

    An event may have no name, or an old one: whoever was called so once is meant, with all events.
    """
    fields = query.filters.fields
    if not any(CONTAINING.get(name) in PEOPLE for name, _ in fields):
        return query
    found = tuple(
        (f"{FOUND}{field}", tuple(_found(field, texts, scope, store)))
        if (field := CONTAINING.get(name, "")) in PEOPLE
        else (name, texts)
        for name, texts in fields
    )
    return replace(query, filters=replace(query.filters, fields=found))


def _found(field: str, texts: Sequence[str], scope: Scope, store: EventStore) -> Iterator[str]:
    """In one order, so that the same question is asked again."""
    values = {
        value
        for text in texts
        for value, *_ in named(field, text, MOST_FOUND, scope, store)
        if value is not None
    }
    yield from sorted(values)
