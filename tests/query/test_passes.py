"""What a page asks is asked in few passes, and answered as if each question were asked alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import pytest

from callbacks.analytics.passes import passes_of_page
from components.sections.declared import TABS, Section
from components.shapes.headline import Headline
from data.access.scope import Scope
from data.engines.grouping import Grouping
from data.engines.memo import Memo
from data.events.table import micros
from data.query.answers import answer
from data.query.catalog import METRICS
from data.query.comparison import totals_compared, trends
from data.query.filters import Filters, parse
from data.query.passes import Passes, passes
from data.query.query import Query
from data.query.run import run
from tests.analytics.test_numbers import LISTS, events
from tests.serving import NOW, Served, serving

SEED: Final = 4  # 160 events
ANYBODY: Final = Scope.of({"sub": "root", "isAdmin": True})
SCOPES: Final = (
    ANYBODY, Scope.of({"sub": "ana", "applications_admin": "web"}), Scope.of({"sub": "bob"}),
)  # fmt: skip
PAGES: Final = [
    *((one, ()) for one in TABS if one.sections),
    *((one.page(), ((one.of, LISTS[one.of][0]),)) for one in TABS if one.of),
]


class Asked:
    """The same events, and what is asked of them."""

    def __init__(self, store: Any) -> None:
        self.store, self.memo, self.stable_memo = store, Memo(), store.stable_memo
        self.questions: list[Grouping] = []

    def ask(self, asked: Grouping) -> tuple[list[str], Sequence[Any]]:
        if "first_event" not in asked.form.values:  # colours: of all time, kept for long
            self.questions.append(asked)
        found: tuple[list[str], Sequence[Any]] = self.store.ask(asked)
        return found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("passes")) as one:
        one.load(events(SEED))
        yield one


@pytest.fixture(scope="module")
def filters() -> Filters:
    """The later half of what happened, beside the half before."""
    moments = [datetime.fromtimestamp(raw["ts"] / 1e6, UTC) for raw in events(SEED)]
    middle = min(moments) + (max(moments) - min(moments)) / 2
    ends = {"from": middle.isoformat(), "to": max(moments).isoformat()}
    chosen = {"preset": "custom", "tz": "Europe/Berlin", "compare": "previous"}
    return parse(chosen | ends, micros(datetime.fromisoformat(NOW)))


@pytest.mark.parametrize("page", range(len(PAGES)))
def test_each_card_says_the_same_as_if_it_were_alone(
    page: int, served: Served, filters: Filters
) -> None:
    (tab, about), scope = PAGES[page], SCOPES[page % len(SCOPES)]
    filters = replace(filters, about=about)
    together: Any = Asked(served.store)
    alone: Any = Asked(served.store)
    for one in tab.sections:
        found = told(one, filters, scope, together, passes_of_page(one.key, filters, False))
        for ours, theirs in zip(found, told(one, filters, scope, alone), strict=True):
            pd.testing.assert_frame_equal(ours, theirs, check_exact=True, obj=one.key)
    assert len(together.questions) <= len(alone.questions)


def told(
    one: Section, filters: Filters, scope: Scope, store: Any, passes: Passes | None = None
) -> list[pd.DataFrame]:
    if one.shape.has_chart:
        found = answer(one, filters, scope, store, only_drawn=True, passes=passes)
        return [found.frame, found.totals]
    query = Query(one.metrics, (), filters, where=one.where, passes=passes)
    drawn = one.shape.courses() if isinstance(one.shape, Headline) else ()
    courses = [trends(query, drawn, scope, store)] if drawn else []
    return [pd.DataFrame([totals_compared(query, scope, store)]), *courses]


def test_an_overview_asks_half_as_much(served: Served, filters: Filters) -> None:
    """Totals, courses, rankings and hours, each of both windows once, and which are the largest."""
    store: Any = Asked(served.store)
    for one in TABS[0].sections:
        told(one, filters, ANYBODY, store, passes_of_page(one.key, filters, False))
    assert len(store.questions) == 15
    alone: Any = Asked(served.store)
    for one in TABS[0].sections:
        told(one, filters, ANYBODY, alone)
    assert len(alone.questions) == 27


@pytest.mark.parametrize("by", [(), ("time",), ("weekday", "hour"), ("model",), ("user",)])
def test_each_metric_is_the_same_beside_all_others(
    by: tuple[str, ...], served: Served, filters: Filters
) -> None:
    questions = [Query((name,), by, filters) for name in METRICS]
    together = passes(questions)
    assert len(together) > len(METRICS) / 2
    wide: Any = Asked(served.store)
    alone: Any = Asked(served.store)
    for question in questions:
        found = run(replace(question, passes=together), ANYBODY, wide)
        pd.testing.assert_frame_equal(found, run(question, ANYBODY, alone), check_exact=True)
    assert len(wide.questions) < len(alone.questions) / 2


def test_what_leaves_groups_out_is_asked_alone(filters: Filters) -> None:
    plain = Query(("cost",), ("model",), filters)
    others = [
        replace(plain, top=2), replace(plain, limit=3), replace(plain, offset=1),
        replace(plain, kept=()), replace(plain, search="a"), replace(plain, of_metric="cost"),
        replace(plain, where=(("model", ("m1",)),)), replace(plain, order=(("cost", True),)),
        replace(plain, by=("user",)), replace(plain, metrics=("duration_p50",)),
        replace(plain, filters=replace(filters, me=True)),
    ]  # fmt: skip
    assert passes([plain, *others]) == {}
    assert len(passes([plain, replace(plain, metrics=("tokens", "cost"))])) == 2
