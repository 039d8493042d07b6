"""Which events a question is about: the one WHERE clause, of numbers and of lists alike."""

from __future__ import annotations

import sqlalchemy as sa

from data.access.scope import Scope
from data.events.table import EVENTS
from data.query.catalog import DIMENSIONS, metric
from data.query.event_time import local_time
from data.query.query import Query

Clause = sa.ColumnElement[bool]


def clauses(query: Query, scope: Scope) -> list[Clause]:
    """What this reader may see, narrowed by the filters and by what the metrics speak of."""
    return [query.filters.in_window(), *of_any_time(query, scope)]


def of_any_time(query: Query, scope: Scope) -> list[Clause]:
    """The same without the window."""
    return [
        scope.predicate(),
        *query.filters.field_conditions(scope),
        # Only the events the metrics speak of, so that no group appears for the others' sake.
        of_kinds(kinds_of((query.of_metric,) if query.of_metric else query.metrics)),
        *_counted(query),
        *_where(query, scope),
        *_search(query, scope),
    ]


def kinds_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of events that metrics speak of; none: all."""
    kinds = [metric(name).kinds for name in names]
    return tuple(sorted(frozenset().union(*kinds))) if all(kinds) else ()


def of_kinds(kinds: tuple[str, ...]) -> Clause:
    return EVENTS.c.kind.in_(kinds) if kinds else sa.true()


def _counted(query: Query) -> list[Clause]:
    """Of the one metric the events are listed for, what it counts: under its condition, if it has
    one, and with a value where it counts different ones."""
    if not query.of_metric:
        return []
    aggregate = metric(query.of_metric).of(local_time(query.filters.window))
    known = None if aggregate.distinct is None else aggregate.distinct.is_not(None)
    return [clause for clause in (aggregate.condition, known) if clause is not None]


def _where(query: Query, scope: Scope) -> list[Clause]:
    narrowed = {name: EVENTS.c[name].in_(values) for name, values in query.where if values}
    if users := dict(query.where).get("user"):
        narrowed["user"] = EVENTS.c.user.in_(scope.people.every(users))
    return [narrowed.get(name, EVENTS.c[name].is_not(None)) for name, _ in query.where]


def _search(query: Query, scope: Scope) -> list[Clause]:
    """Text within a value or its name; of a person also within what the event came with."""
    if not query.search:
        return []
    name = DIMENSIONS[query.by[0]]
    columns = [EVENTS.c[name.name], *([EVENTS.c[name.naming]] if name.naming else [])]
    columns += [one for column in columns if (one := scope.people.read(column)) is not column]
    return [sa.or_(*(column.icontains(query.search, autoescape=True) for column in columns))]
