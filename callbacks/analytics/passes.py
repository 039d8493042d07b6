"""What all cards of a page ask under the same filters: those that ask alike share an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from components.sections.declared import Section, beside, section
from components.shapes.headline import Headline
from data.query.answers import questions_of_chart
from data.query.comparison import questions_of_trends
from data.query.filters import Filters
from data.query.passes import Passes, passes
from data.query.query import Query

MOST_PAGES: Final = 64


@lru_cache(MOST_PAGES)
def passes_of_page(key: str, filters: Filters, alone: bool) -> Passes:
    """For the questions of the page that a section stands on, as it first shows its cards; `alone`
    is a reader who sees nobody else."""
    field = filters.about[0][0] if filters.about else ""
    return passes(
        question
        for one in beside(key, field)
        if not (alone and one.people)
        for question in _questions(_asked(one, alone), filters)
    )


def _asked(one: Section, alone: bool) -> Section:
    """The section that its card asks for, with the breakdown that it stands there with."""
    asked = replace(section(one.key), by=one.by)
    return asked.for_one() if alone else asked


def _questions(one: Section, filters: Filters) -> Iterator[Query]:
    return questions_of_chart(one, filters) if one.shape.has_chart else _of_numbers(one, filters)


def _of_numbers(one: Section, filters: Filters) -> Iterator[Query]:
    """What a band of numbers asks: first the numbers themselves."""
    numbers = Query(one.metrics, (), filters, where=one.where)
    yield numbers
    if filters.compared is not None:
        yield numbers.before()
    if drawn := courses(one):
        yield from questions_of_trends(numbers, drawn)


def courses(one: Section) -> tuple[str, ...]:
    """Of a band of numbers those whose course is drawn."""
    return one.shape.courses() if isinstance(one.shape, Headline) else ()
