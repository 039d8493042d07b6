"""Sections answered: the one way from a declaration to the rows that every door shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import pandas as pd

from data.access.scope import SYSTEM, Scope
from data.engines.protocol import EventStore
from data.errors import Refused, excerpt
from data.local_time import Grain
from data.query.catalog import DIMENSIONS, METRICS, OTHER
from data.query.comparison import Comparison, beside, compare, questions_before
from data.query.filters import Filters
from data.query.passes import Passes
from data.query.query import Query
from data.query.run import run
from data.query.series import EVENT_COUNTS, fill_gaps, texts
from data.query.windows import ALL_TIME, Window

MOST_COLOURED: Final = 500
MOST_SERIES: Final = 24
COLOURED_FOR: Final = 600
OWN_ONLY: Final = " (own activity only)"
Order = tuple[tuple[str, bool], ...]  # name, descending


class ShapeQuery(Protocol):
    """What the shape of a section asks of the query."""

    @property
    def top_values(self) -> int | None: ...
    @property
    def fills_gaps(self) -> bool: ...
    def dimensions(self, by: str) -> tuple[str, ...]: ...
    def order(self, measure: str) -> Order: ...
    def drawn(self, measures: tuple[str, ...], measure: str) -> tuple[str, ...]: ...


class SectionQuery(Protocol):
    """What is asked for a section; whoever declares sections declares it so."""

    @property
    def key(self) -> str: ...
    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def by(self) -> tuple[str, ...]: ...
    @property
    def measures(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> ShapeQuery: ...
    @property
    def grain(self) -> Grain | None: ...
    @property
    def where(self) -> tuple[tuple[str, tuple[str, ...]], ...]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What chart, table, export and API all show of a section.

    `frame` has a column a dimension and metric, `totals` one row without dimensions; where there
    is a `comparison`, both have `<metric>_before` too.
    `colours` numbers the values of the breakdown in the order in which they first appeared, so
    that one keeps its colour whatever its rank. `ids_by_person` has the ids of users who have
    more than one, where the reader may know them.
    """

    section: SectionQuery
    by: str
    measure: str
    frame: pd.DataFrame
    totals: pd.DataFrame
    window: Window
    grain: Grain
    colours: Mapping[str, int] = field(default_factory=dict)
    ids_by_person: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comparison: Comparison | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show: no row, or only zeros and unknowns."""
        numbers = self.frame[list(self.section.metrics)]
        return not bool(numbers.fillna(0).astype(bool).to_numpy().any())

    @property
    def total(self) -> Any:
        """The total of the measure; null where it is unknown."""
        return self.totals[self.measure].iloc[0]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What the rows are by."""
        return self.section.shape.dimensions(self.by)


def answer(
    section: SectionQuery,
    filters: Filters,
    scope: Scope,
    store: EventStore,
    by: str | None = None,
    measure: str | None = None,
    only_drawn: bool = False,
    passes: Passes | None = None,
) -> Answer:
    """The section's rows and totals; `by` and `measure` default to the first it declares. Where
    there is a window to compare with, all metrics are compared, or `only_drawn` those of the chart.
    `passes` are of all that is asked beside it.

    Raises `Refused` for a breakdown or measure that the section does not offer.
    """
    by = _offered("by", by, section.by or ("",))
    measure = _offered("measure", measure, section.measures)
    query = replace(build_query(section, filters, by, measure), passes=passes)
    frame = _rows(section, query, scope, store)
    totals = run(query.total(), scope, store)
    colours = _colours(by, frame, scope, store) if by else {}
    found = (frame, totals, filters.window, query.bucket, colours, scope.ids_by_person)
    answered = Answer(section, by, measure, *found)
    if filters.compared is None:
        return answered
    metrics = _drawn(section, measure) if only_drawn else section.metrics
    return _compared(answered, compare(query, metrics, scope, store, section.shape.fills_gaps))


def _rows(section: SectionQuery, query: Query, scope: Scope, store: EventStore) -> pd.DataFrame:
    frame = run(query, scope, store)
    if section.shape.fills_gaps:
        frame = fill_gaps(frame, query)
    return _mark_own_activity(frame, scope) if "project" in query.by else frame


def questions_of_chart(section: SectionQuery, filters: Filters) -> Iterator[Query]:
    """What an answer for the section's chart asks, as it is first shown, but for what depends on
    what is found."""
    by, measure = _offered("by", None, section.by or ("",)), section.measures[0]
    query = build_query(section, filters, by, measure)
    yield query
    yield query.total()
    if filters.compared is not None:
        yield from questions_before(query, _drawn(section, measure))


def _drawn(section: SectionQuery, measure: str) -> tuple[str, ...]:
    """What the chart draws, and of the other metrics those that decide which rows there are, and
    which of them are empty."""
    drawn = section.shape.drawn(section.measures, measure)
    counts = [name for name in section.metrics if name in EVENT_COUNTS]
    kinds = {METRICS[name].kinds: name for name in (*reversed(section.metrics), *counts, *drawn)}
    return tuple(dict.fromkeys((*drawn, *counts, *kinds.values())))


def _compared(answered: Answer, comparison: Comparison) -> Answer:
    """The answer with the earlier values beside its own."""
    return replace(
        answered,
        frame=beside(answered.frame, answered.dimensions, comparison),
        totals=beside(answered.totals, (), comparison),
        comparison=comparison,
    )


def build_query(section: SectionQuery, filters: Filters, by: str, measure: str) -> Query:
    """The query behind a section; its first metric is the one that ranks."""
    metrics = (measure, *(name for name in section.metrics if name != measure))
    shape, top = section.shape, section.shape.top_values
    return Query(
        metrics, shape.dimensions(by), filters, section.grain, shape.order(measure),
        top=min(max(top, _chosen(by, filters)), MOST_SERIES) if top else None,
        where=section.where,
    )  # fmt: skip


def _offered(parameter: str, value: str | None, offered: tuple[str, ...]) -> str:
    if not value:
        return offered[0]
    if value not in offered:
        raise Refused(
            parameter, f"{parameter} is {excerpt(value)}; use one of {', '.join(offered)}"
        )
    return value


def _chosen(by: str, filters: Filters) -> int:
    """How many values of a breakdown the reader chose to see."""
    return len(dict(filters.fields).get(by, ())) + (by == "user" and filters.me)


def _mark_own_activity(frame: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """The frame with the projects marked that a project admin sees only through own events."""
    if scope.reach != "projects":
        return frame
    projects = zip(texts(frame["project"]), texts(frame["project_name"]), strict=True)
    names = [
        f"{name or project}{OWN_ONLY}" if project and not scope.administers(project) else name
        for project, name in projects
    ]
    return frame.assign(project_name=pd.Series(names, frame.index, dtype=object))


def _colours(by: str, frame: pd.DataFrame, scope: Scope, store: EventStore) -> dict[str, int]:
    """Each shown value's place in the order of first appearance among everybody's events, which
    never changes afterwards: so a colour is the same for every reader. Values of ours have theirs.

    All of time is a lot to look through for it: the order outlasts new events, as long as they
    bring no new value.
    """
    if ours := DIMENSIONS[by].labels:
        return {value: place for place, value in enumerate(ours)}
    scope = replace(SYSTEM, people=scope.people)
    key = (by, scope, time.monotonic() // COLOURED_FOR)
    colours: dict[str, int] = store.stable_memo.get(key, lambda: _by_appearance(by, scope, store))
    shown = {str(value) for value in frame[by].dropna() if value != OTHER}
    if len(colours) < MOST_COLOURED and not shown <= colours.keys():
        store.stable_memo.discard(key)
        colours = store.stable_memo.get(key, lambda: _by_appearance(by, scope, store))
    return {value: place for value, place in colours.items() if value in shown}


def _by_appearance(by: str, scope: Scope, store: EventStore) -> dict[str, int]:
    query = Query(
        ("first_event",), (by,), Filters(ALL_TIME), order=(("first_event", False),),
        limit=MOST_COLOURED + 1,  # one may be nobody
    )  # fmt: skip
    values = run(query, scope, store)[by]
    return {str(value): place for place, value in enumerate(values.dropna())}
