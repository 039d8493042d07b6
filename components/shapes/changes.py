"""What changed most since the period that is compared with: a ranking of differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from components.shapes.axes import horizontal_layout, short_name
from components.shapes.colours import ONE_HUE, STATUS
from components.shapes.marks import Mark, Row, mark, marked
from components.shapes.ranking import Ranking
from components.shapes.shape import Figure, figure
from components.values import Change, change, is_nothing, value_label
from data.query.answers import Answer
from data.query.catalog import METRICS, OTHER, Metric
from data.query.comparison import before_name
from data.query.series import or_none

MOODS = {"good": STATUS["ok"], "bad": STATUS["error"], "even": ONE_HUE}


class Moved(NamedTuple):
    """A value of the breakdown, what it is and what it was."""

    name: str
    key: str | None
    now: float
    before: float

    @property
    def size(self) -> float:
        """The difference."""
        return round(self.now - self.before, 9)


@dataclass(frozen=True)
class Changes(Ranking):
    """The largest differences first, more or less, also of what is gone; where nothing is compared,
    or nothing was, the largest values. The rows are those of a ranking."""

    def draw(self, answer: Answer) -> Figure:
        metric = METRICS[answer.measure]
        if answer.comparison is None or not metric.additive:
            return super().draw(answer)
        if is_nothing(answer.totals[before_name(metric.name)].iloc[0]):
            return super().draw(answer)
        moved = sorted(_moved(answer, metric), key=lambda one: -abs(one.size))
        shown, rest = moved[: self.bars], moved[self.bars :]
        return _figure(shown, rest, answer, metric)


def _moved(answer: Answer, metric: Metric) -> list[Moved]:
    """Every value that is or was something."""
    here = _values(answer.frame, answer.by, metric.name)
    there = _values(answer.comparison.frame, answer.by, metric.name) if answer.comparison else {}
    found = []
    for key in dict.fromkeys((*here, *there)):
        name = here[key][0] if key in here else there[key][0]
        now, before = (known.get(key, ("", 0.0))[1] for known in (here, there))
        found.append(Moved(name, key, now, before))
    return [one for one in found if one.size]


def _values(frame: pd.DataFrame, by: str, metric: str) -> dict[str | None, tuple[str, float]]:
    return {
        or_none(row[by]): (value_label(row, by), float(or_none(row[metric]) or 0))
        for row in frame.to_dict("records")
    }


def _figure(shown: list[Moved], rest: list[Moved], answer: Answer, metric: Metric) -> Figure:
    keys = [one.key for one in shown]
    marks: list[Mark] = [mark({answer.by: key}, keys) for key in keys]
    changes = [change(metric, one.now, one.before) for one in shown]
    longest = max((abs(one.size) for one in shown), default=0) or 1
    rows = [_row(*both, metric, longest) for both in zip(shown, changes, strict=True)]
    if rest:
        rows.append(_remainder(rest, metric))
        marks.append(mark({answer.by: OTHER}, keys))
    names = [row["name"] for row in rows]
    trace = {
        "type": "bar", "orientation": "h", "x": [one.size for one in [*shown, *_together(rest)]],
        "y": list(range(len(rows))), "text": [row["text"] for row in rows],
        "textposition": "outside", "cliponaxis": False,
        "customdata": [short_name(name) for name in names],
        "hovertemplate": "%{customdata}: %{text}<extra></extra>",
        "marker": {"color": [*(MOODS[one.mood] for one in changes), ONE_HUE][: len(rows)],
                   "line": {"width": 0}},
    }  # fmt: skip
    made = marked(trace, marks, metric.name)
    made["meta"] |= {"rows": rows}
    return figure([made], horizontal_layout(metric, names), answer)


def _row(one: Moved, change: Change, metric: Metric, longest: float) -> Row:
    was, now = metric.unit.text(one.before), metric.unit.text(one.now)
    return {
        "name": one.name, "text": _signed(one.size, metric), "share": f"{now}, was {was}",
        "part": round(abs(one.size) / longest, 4), "change": change.text, "mood": change.mood,
    }  # fmt: skip


def _remainder(rest: list[Moved], metric: Metric) -> Row:
    (together,) = _together(rest)
    return {"name": together.name, "text": _signed(together.size, metric), "share": "",
            "part": None, "change": "", "mood": "even"}  # fmt: skip


def _together(rest: list[Moved]) -> list[Moved]:
    if not rest:
        return []
    now, before = (sum(values) for values in zip(*((o.now, o.before) for o in rest), strict=True))
    return [Moved(f"{len(rest):,} more", OTHER, now, before)]


def _signed(size: float, metric: Metric) -> str:
    # What is counted stays a whole number.
    value = int(size) if float(size).is_integer() and metric.unit.dtype == "Int64" else abs(size)
    return f"{'+' if size > 0 else '−' if size < 0 else ''}{metric.unit.text(abs(value))}"
