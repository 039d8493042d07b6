"""Several questions about the same groups of events, put as one.

What a page asks differs often in its metrics alone: the totals of its sections, their courses over
time. Whoever knows all that a page asks gives each question its `passes`: `run` then asks the wider
one, with the metrics of all, and every question takes its part of that answer. Which question is
asked changes nothing about an answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from functools import cache

import pandas as pd

from data.engines.partials import decomposes
from data.events.table import EVENTS
from data.query.catalog import DIMENSIONS, TIME, metric
from data.query.clauses import kinds_of
from data.query.query import Query

Passes = Mapping[Query, Query]


def passes(questions: Iterable[Query]) -> Passes:
    """Of each question that is a part of a wider one, that one."""
    alike: dict[Hashable, dict[Query, None]] = {}
    for question in questions:
        if _whole_groups(question):
            alike.setdefault(_groups(question), {})[question] = None
    return {
        question: whole
        for together in alike.values()
        if len(together) > 1 and (whole := _together(list(together)))
        for question in together
        if question != whole
    }


def part_of(whole: pd.DataFrame, question: Query) -> pd.DataFrame:
    """The rows and columns of one question in the answer to the wider one."""
    marked = mark(kinds_of(question.metrics))
    rows = whole[whole[marked] > 0].reset_index(drop=True) if marked in whole else whole
    named = [column for one in question.by if (column := DIMENSIONS[one].naming)]
    return rows[[*question.by, *named, *question.metrics]]


def mark(kinds: tuple[str, ...]) -> str:
    """The column that counts the events of these kinds in each group."""
    return f"events of {', '.join(kinds)}"


def _whole_groups(question: Query) -> bool:
    """Whether all groups are asked for, as they are."""
    limited = question.limit is not None or question.offset or question.search
    return not (limited or question.top or question.of_metric) and question.kept is None


def _groups(question: Query) -> Hashable:
    """What questions have to agree in. Percentiles and the like are apart from what sums can say,
    and so are questions under whose conditions a value would have another name."""
    told_apart = all(DIMENSIONS[name].naming is None for name in question.by)
    return (
        question.by, question.filters, question.where, question.order,
        question.bucket if TIME in question.by else None,
        None if told_apart else kinds_of(question.metrics),
        all(map(_of_sums, question.metrics)),
    )  # fmt: skip


@cache
def _of_sums(name: str) -> bool:
    return decomposes(metric(name).of(EVENTS.c.ts).sql)


def _together(questions: list[Query]) -> Query:
    """One question with the metrics of all. A group that is there for the sake of others' events
    is told by how many there are of each one's own."""
    first = questions[0]
    metrics = tuple(dict.fromkeys(name for one in questions for name in one.metrics))
    kinds = {kinds_of(one.metrics) for one in questions} if first.by else set()
    apart = tuple(sorted(kinds - {(), kinds_of(metrics)}))
    grain = first.bucket if TIME in first.by else first.grain
    return replace(first, metrics=metrics, apart=apart, grain=grain, passes=None)
