"""A shape is one object: declared here, from outside, it has everything that a shape has."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go
import pytest

from callbacks.analytics import choices
from components import ids
from components.page import layout
from components.sections import declared
from components.sections.declared import TABS, Section, Tab
from components.shapes.axes import plain_layout
from components.shapes.marks import KEY, mark, marked
from components.shapes.shape import Figure, Shape, figure
from data.query.answers import Answer
from data.query.catalog import HOUR, METRICS
from tests.serving import ADMIN, Served, serving


@dataclass(frozen=True)
class HoursOfDay(Shape):
    """A bar for each hour of the day."""

    css_class = "shape-hours"
    fills_gaps = True

    def dimensions(self, by: str) -> tuple[str, ...]:
        return (HOUR,)

    def draw(self, answer: Answer) -> Figure:
        metric, hours = METRICS[answer.measure], answer.frame[HOUR].tolist()
        bars = {"type": "bar", "x": hours, "y": answer.frame[metric.name].tolist()}
        marks = [mark({HOUR: hour}, ()) for hour in hours]
        return figure([marked(bars, marks, metric.name)], plain_layout(), answer)


HOURS: Final = Section(
    "hours-of-day", "Hours of day", ("requests", "duration_avg", "last_event"), (), HoursOfDay()
)
SPAN: Final = {"preset": "last_n_days", "n": "7"}
QUESTION: Final = {"choice": SPAN, "zone": "UTC", "now": 1_795_176_000_000_000}  # 2026-11-20 12:00


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tabs = (*TABS, Tab("hours", "Hours", (HOURS,)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(declared.SECTIONS, HOURS.key, HOURS)
        for module in [one for one in sys.modules.values() if vars(one).get("TABS") is TABS]:
            patch.setattr(module, "TABS", tabs)
        with serving(tmp_path_factory.mktemp("shapes")) as one:
            one.load(
                {"event_id": f"e{n}", "ts": f"2026-11-{n % 5 + 14}T{n % 3 + 9:02}:30:00Z",
                 "user": "ana", "model": "m", "input_tokens": n, "duration_ms": n}
                for n in range(30)
            )  # fmt: skip
            yield one


@pytest.fixture(scope="module")
def card(served: Served) -> dict[str, Any]:
    """What the callback of every card writes."""
    answer: dict[str, Any] = served.answer(HOURS.key, QUESTION, "requests")
    return answer


def test_it_has_rows_at_every_door(served: Served) -> None:
    assert HOURS.key in [one["key"] for one in served.json("catalog")["sections"]]
    answer = served.json(f"sections/{HOURS.key}", **SPAN)
    calls = {row["hour"]: (row["requests"], row["duration_avg"]) for row in answer["rows"]}
    assert calls == dict.fromkeys(range(24), (0, None)) | {
        9: (10, 13.5), 10: (10, 14.5), 11: (10, 15.5),
    }  # fmt: skip
    assert answer["totals"]["requests"] == 30
    lines = csv.DictReader(io.StringIO(served.get(f"sections/{HOURS.key}.csv", **SPAN).text))
    assert [int(line["requests"]) for line in lines] == [calls[hour][0] for hour in range(24)]


def test_it_has_a_figure_with_marks(card: dict[str, Any]) -> None:
    drawn = card["figure"]
    assert card["state"] == "ready"
    (bars,) = go.Figure(drawn).data
    assert list(bars.y) == [10 if hour in (9, 10, 11) else 0 for hour in range(24)]
    assert bars.meta["measure"] == "requests"
    nine = choices.drill_down(dict(SPAN), {"values": bars.meta["values"][9]})
    assert nine == SPAN | {"hour": ["9"]}


def test_it_has_a_table_with_marks_and_totals(card: dict[str, Any]) -> None:
    columns = [one["field"] for one in card["columns"]]
    assert columns == ["hour", "requests", "before", "change", "duration_avg", "last_event"]
    rows = card["rows"]
    assert [row["hour_text"] for row in rows][8:10] == ["08:00", "09:00"]
    assert [row[KEY]["values"] for row in rows] == [{"hour": str(hour)} for hour in range(24)]
    assert card["total"]["requests"] == 30


def test_it_has_a_card_on_its_page(served: Served) -> None:
    place = {f"{ids.URL}.pathname": "/settings/analytics/hours"}
    page = served.fire("page-body.children", ADMIN, place, f"{ids.URL}.pathname").text
    assert f'"key":"{HOURS.key}"' in page
    assert "card-section shape-hours span-12" in page
    # The choice of measures is of the numbers alone.
    assert '"value":"duration_avg"' in page
    assert layout.analytics(Tab("hours", "Hours", (HOURS,))).children
