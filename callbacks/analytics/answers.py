"""Sections asked: the one way from a declaration to the rows that every door shows."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from components.page.answer import Answer
from components.sections.declared import Section, measures
from components.shapes.axes import OWN_ONLY
from data.access.scope import Scope
from data.engines.protocol import EventStore
from data.errors import Refused
from data.events.table import ME, NONE
from data.query.catalog import DIMENSIONS, OTHER, TIME
from data.query.filters import PEOPLE, Choice, Filters
from data.query.query import Query, run
from data.query.series import fill_gaps
from data.query.windows import ALL_TIME

MOST_COLOURED = 500
MOST_SERIES = 24
COLOURED_FOR = 600


def answer(
    section: Section,
    filters: Filters,
    scope: Scope,
    store: EventStore,
    by: str | None = None,
    measure: str | None = None,
) -> Answer:
    """The section's rows and totals; `by` and `measure` default to the first it declares.

    Raises `Refused` for a breakdown or measure that the section does not offer.
    """
    by = _offered("by", by, section.by or ("",))
    measure = _offered("measure", measure, measures(section))
    query = question(section, filters, by, measure)
    frame = run(query, scope, store)
    if TIME in query.by or section.shape == "heat":
        frame = fill_gaps(frame, query)
    if "project" in query.by:
        frame = _marked(frame, scope)
    totals = run(query.total(), scope, store)
    colours = _colours(by, frame, scope, store) if by else {}
    found = (frame, totals, filters.window, query.bucket, colours, scope.ids_by_person)
    return Answer(section, by, measure, *found)


def _marked(frame: Any, scope: Scope) -> Any:
    """The frame with the projects marked that a project admin sees only through own events."""
    if scope.reach != "projects":
        return frame
    told = zip(_values(frame["project"]), _values(frame["project_name"]), strict=True)
    names = [
        f"{name or project}{OWN_ONLY}" if project and not scope.administers(project) else name
        for project, name in told
    ]
    return frame.assign(project_name=names)


def _offered(parameter: str, value: str | None, offered: tuple[str, ...]) -> str:
    if not value:
        return offered[0]
    if value not in offered:
        raise Refused(parameter, f"{parameter} is {value[:40]!r}; use one of {', '.join(offered)}")
    return value


def question(section: Section, filters: Filters, by: str, measure: str) -> Query:
    """The query behind a section; its first metric is the one that ranks."""
    metrics = (measure, *(name for name in section.metrics if name != measure))
    dimensions = section.dimensions(by)
    asked = Query(metrics, dimensions, filters, section.grain, within=section.within)
    if section.shape == "time":
        return replace(asked, top=min(max(section.top, _chosen(by, filters)), MOST_SERIES))
    return replace(asked, order=((measure, True),)) if section.shape == "ranking" else asked


def _chosen(by: str, filters: Filters) -> int:
    """How many values of a breakdown the reader chose to see."""
    return len(dict(filters.fields).get(by, ())) + (by == "user" and filters.me)


def _colours(by: str, frame: Any, scope: Scope, store: EventStore) -> dict[str, int]:
    """Each value's place in the order of first appearance, which never changes afterwards.

    All of time is a lot to look through for it: the order outlasts new events, as long as they
    bring no new value.
    """
    key = (by, scope, time.monotonic() // COLOURED_FOR)
    colours = store.lasting.get(key, lambda: _first_seen(by, scope, store))
    shown = {str(value) for value in frame[by].dropna() if value != OTHER}
    if len(colours) < MOST_COLOURED and not shown <= colours.keys():
        store.lasting.drop(key)
        colours = store.lasting.get(key, lambda: _first_seen(by, scope, store))
    return colours


def _first_seen(by: str, scope: Scope, store: EventStore) -> dict[str, int]:
    seen = Query(
        ("first_event",), (by,), Filters(ALL_TIME), order=(("first_event", False),),
        limit=MOST_COLOURED + 1,  # one may be nobody
    )  # fmt: skip
    values = run(seen, scope, store)[by]
    return {str(value): place for place, value in enumerate(values.dropna())}


def as_of(scope: Scope, store: EventStore) -> int | None:
    """The latest instant (µs UTC) of which this reader can see an event."""
    last = run(Query(("last_event",), (), Filters(ALL_TIME)), scope, store)["last_event"].dropna()
    return int(last.iloc[0]) if len(last) else None


def merged(choice: Choice, scope: Scope, store: EventStore) -> Choice:
    """The choice with persons in the place of their aliases, where this reader sees them."""
    for name in ("user", "not_user"):
        users = {value: meant("user", value, scope) for value in choice.get(name, ())}
        if aliases := tuple(value for value, person in users.items() if person != value):
            seen = _seen("user", aliases, scope, store)
            kept = [person if person in seen else value for value, person in users.items()]
            choice = choice | {name: list(dict.fromkeys(kept))}
    return choice


def strangers(filters: Filters, scope: Scope, store: EventStore) -> list[str]:
    """The users and projects asked for of which this reader has never seen an event."""
    hidden = []
    for field, values in filters.fields:
        if field in PEOPLE:
            seen = _seen(field, values, scope, store)
            hidden += [v for v in sorted(set(values)) if meant(field, v, scope) not in seen]
    return hidden


def meant(field: str, value: str, scope: Scope) -> str:
    """The value that a filter's value stands for in answers: of an alias, the person."""
    return scope.people.person(value) if field == "user" else value


def _seen(field: str, values: tuple[str, ...], scope: Scope, store: EventStore) -> set[str]:
    filters = Filters(ALL_TIME, ((field, values),))
    frame = run(Query(("events",), (field,), filters), scope, store)
    return {NONE if value is None else value for value in _values(frame[field])}


def options(
    field: str, text: str, limit: int, scope: Scope, store: EventStore
) -> list[dict[str, str]]:
    """What the reader may filter a field by: the most active values with `text` in id or name."""
    query = Query(
        ("events",),
        (field,),
        Filters(ALL_TIME),
        order=(("events", True),),
        limit=limit,
        search=text,
    )
    return _named(field, query, scope, store)


def named(
    field: str, values: tuple[str, ...], scope: Scope, store: EventStore
) -> list[dict[str, str]]:
    """The same for values already chosen; one that this reader has not seen keeps its id."""
    chosen = tuple(value for value in values if value != ME or field != "user")
    query = Query(("events",), (field,), Filters(ALL_TIME, ((field, chosen),)))
    found = {option["value"]: option for option in _named(field, query, scope, store)}
    said = [found.get(meant(field, value, scope), {"label": value}) for value in chosen]
    return [one | {"value": value} for one, value in zip(said, chosen, strict=True)]


def _named(field: str, query: Query, scope: Scope, store: EventStore) -> list[dict[str, str]]:
    frame = run(query, scope, store)
    names = _values(frame[DIMENSIONS[field].naming or field])
    return [
        {"value": value, "label": name or value}
        for value, name in zip(_values(frame[field]), names, strict=True)
        if value is not None
    ]


def _values(column: Any) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in column]


def alone(filters: Filters) -> Filters:
    """The same window without any other filter."""
    return replace(filters, fields=(), me=False)
