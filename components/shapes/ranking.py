"""Values of a breakdown, the largest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from components.shapes.axes import OWN_MARK, horizontal_layout, short_name
from components.shapes.colours import NOBODY, ONE_HUE, OTHER
from components.shapes.marks import Mark, Row, mark, marked
from components.shapes.shape import Figure, Shape, Trace, figure
from components.values import change, is_nothing, value_label
from data.query.answers import OWN_ONLY, Answer, Order
from data.query.catalog import METRICS, Metric
from data.query.catalog import OTHER as OTHERS
from data.query.comparison import before_name
from data.query.series import or_none
from data.query.units import SHARE


class Bar(NamedTuple):
    """A value of the breakdown; `aside` is drawn on a line of its own, without a bar that would
    flatten the others: what has no value, and the remainder."""

    name: str
    value: float
    colour: str
    mark: Mark
    aside: bool = False


@dataclass(frozen=True)
class Ranking(Shape):
    """Every value in the table, the largest `bars` of them in the chart, and the remainder where
    it can be added up."""

    bars: int = 8

    css_class = "shape-ranking"
    as_list = True

    def order(self, measure: str) -> Order:
        return ((measure, True),)

    def draw(self, answer: Answer) -> Figure:
        metric = METRICS[answer.measure]
        frame = answer.frame[answer.frame[metric.name].notna()]
        ranked = frame.sort_values(metric.name, ascending=False, kind="stable")
        bars = self._bars(ranked, answer, metric)
        layout = horizontal_layout(metric, [bar.name for bar in bars])
        trace = marked(_trace(bars, metric), [bar.mark for bar in bars], metric.name)
        rows = _rows(bars, metric, answer.total)
        if answer.comparison and not is_nothing(answer.totals[before_name(metric.name)].iloc[0]):
            rows = _with_changes(rows, ranked.head(self.bars), metric)
        trace["meta"] |= {"rows": rows}
        return figure([trace], layout, answer)

    def _bars(self, ranked: pd.DataFrame, answer: Answer, metric: Metric) -> list[Bar]:
        shown, rest = ranked.head(self.bars), ranked.iloc[self.bars :]
        keys = [or_none(key) for key in shown[answer.by]]
        bars = [
            # Each bar has its name beside it: one hue is enough.
            Bar(value_label(row, answer.by), float(row[metric.name]),
                NOBODY if key is None else ONE_HUE, mark({answer.by: key}, keys), key is None)
            for key, row in zip(keys, shown.to_dict("records"), strict=True)
        ]  # fmt: skip
        if len(rest) and metric.additive:
            bars.append(_remainder(rest, metric, mark({answer.by: OTHERS}, keys)))
        return bars


def _with_changes(rows: list[Row], shown: pd.DataFrame, metric: Metric) -> list[Row]:
    """The rows with what became of each value since; of the remainder it is not said."""
    both = zip(shown[metric.name], shown[before_name(metric.name)], strict=True)
    changes = [change(metric, now, before) for now, before in both]
    changed = [{"change": one.text, "mood": one.mood} for one in changes]
    changed += [{"change": "", "mood": "even"}] * (len(rows) - len(changed))
    return [row | one for row, one in zip(rows, changed, strict=True)]


def _remainder(rest: pd.DataFrame, metric: Metric, own: Mark) -> Bar:
    total = round(float(rest[metric.name].sum()), 9)
    return Bar(f"{len(rest):,} more", total, OTHER, own, aside=True)


def _rows(bars: list[Bar], metric: Metric, total: Any) -> list[Row]:
    """What a list shows of each bar: its length is a part of the longest's."""
    longest = max((abs(bar.value) for bar in bars if not bar.aside), default=0) or 1
    whole = (or_none(total) or 0) if metric.additive else 0
    return [
        {
            "name": bar.name.replace(OWN_ONLY, OWN_MARK),
            "text": metric.unit.text(bar.value),
            "share": f"{SHARE.text(bar.value / whole)} of all" if whole > 0 else "",
            "part": None if bar.aside else round(abs(bar.value) / longest, 4),
        }
        for bar in bars
    ]


def _trace(bars: list[Bar], metric: Metric) -> Trace:
    return {
        "type": "bar", "orientation": "h",
        "x": [bar.value for bar in bars], "y": list(range(len(bars))),
        "text": [metric.unit.text(bar.value) for bar in bars],
        "textposition": "outside", "cliponaxis": False,
        "customdata": [short_name(bar.name) for bar in bars],
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": [bar.colour for bar in bars], "line": {"width": 0}},
    }  # fmt: skip
