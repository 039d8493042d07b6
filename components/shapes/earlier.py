"""The earlier window in a chart over time: a dashed line over bars and beside a line; behind bars
that stand side by side a pale bar each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from components.shapes.axes import axis_value
from components.shapes.buckets import bucket_label
from components.shapes.colours import EARLIER
from components.shapes.shape import Trace
from components.values import period_text
from data.local_time import instant
from data.query.answers import Answer
from data.query.catalog import TIME, Metric
from data.query.comparison import before_name
from data.query.series import or_none

INK: Final = "var(--ink)"
DASHED: Final = "5px,4px"
WIDTH: Final = 0.96  # of a bucket; the bars before it are narrower
MOST_LINES: Final = 4  # more of them, each with its earlier one, cannot be told apart


def total(
    answer: Answer, metrics: Sequence[Metric], known: Sequence[Any], ticks: list[str]
) -> list[Trace]:
    """What the bars of a bucket were together; of a single bucket a stroke across its bar."""
    if not any(map(or_none, known)):
        return []
    dashed = {"color": INK, "width": 1.5, "dash": DASHED}
    stroke = {"symbol": "line-ew", "size": 60, "line": {"color": INK, "width": 1.5}}
    alone = {"mode": "markers", "marker": stroke}
    name = metrics[0].label if len(metrics) == 1 else "Total"
    return [
        _points(answer, metrics[0], known, ticks, f"{name} before") | {
            "type": "scatter", "mode": "lines", "opacity": 0.6, "line": dashed,
            **(alone if len(ticks) == 1 else {}),
        }
    ]  # fmt: skip


def bars(
    answer: Answer, drawn: Sequence[tuple[Metric, Sequence[Any]]], ticks: list[str]
) -> list[Trace]:
    """A pale bar a bucket for each metric, side by side, with its earlier values; none of what was
    nothing."""
    width = WIDTH / len(drawn)
    return [
        _points(answer, metric, known, ticks, f"{metric.label} before") | {
            # A base of its own keeps it off the stack, an offset of its own out of the group.
            "type": "bar", "base": 0, "width": width, "offset": place * width - WIDTH / 2,
            "zorder": -1, "showlegend": not place,
            "marker": {"color": EARLIER, "line": {"width": 0}},
        }
        for place, (metric, known) in enumerate(drawn)
        if any(map(or_none, known))
    ]  # fmt: skip


def lines(
    answer: Answer,
    drawn: Sequence[tuple[Metric, Trace, Sequence[Any]]],
    ticks: list[str],
    legend: bool = True,
) -> list[Trace]:
    """A dashed line for each line that is drawn, with its earlier values; the `legend` has one."""
    several = [one for one in drawn if any(map(or_none, one[2]))]
    if len(several) > MOST_LINES:
        return []
    return [
        _points(answer, metric, known, ticks, f"{line['name']} before") | {
            "type": "scatter", "mode": "lines", "opacity": 0.6,
            "showlegend": legend and not place,
            "line": {"color": line["line"]["color"], "width": 1.5, "dash": DASHED},
            "yaxis": line.get("yaxis", "y"),
        }
        for place, (metric, line, known) in enumerate(several)
    ]  # fmt: skip


def sums(answer: Answer, metrics: Sequence[str]) -> list[float | None]:
    """What the metrics were together, bucket by bucket; None where there is none to compare."""
    if answer.comparison is None:
        return []
    frame, stretches = answer.comparison.frame, answer.comparison.stretches
    added: Counter[int] = Counter()
    for metric in metrics:
        for start, value in zip(frame[TIME].tolist(), frame[metric].tolist(), strict=True):
            added[start] += or_none(value) or 0
    starts = answer.frame[TIME].drop_duplicates().tolist()
    return [float(added[start]) if start in stretches else None for start in starts]


def values(answer: Answer, rows: pd.DataFrame, metric: str) -> list[Any]:
    """The earlier values of rows of the answer's frame; none where nothing is compared."""
    return rows[before_name(metric)].tolist() if answer.comparison else []


def _points(
    answer: Answer, metric: Metric, known: Sequence[Any], ticks: list[str], name: str
) -> Trace:
    starts = answer.frame[TIME].drop_duplicates().tolist()
    texts = [
        f"{metric.unit.text(value)} · {_beside(answer, start)}"
        for value, start in zip(known, starts, strict=True)
    ]
    return {
        "name": _period(answer), "x": ticks, "customdata": texts,
        "y": [axis_value(value, metric) for value in known],
        # It stands for nothing that a click could narrow to.
        "meta": {"values": [], "earlier": True},
        "hovertemplate": f"%{{customdata}}<extra>{name}</extra>",
    }  # fmt: skip


def _period(answer: Answer) -> str:
    return period_text(answer.comparison.window, answer.window) if answer.comparison else ""


def _beside(answer: Answer, start: int) -> str:
    """The bucket that stands beside one of the answer's."""
    stretches = answer.comparison.stretches if answer.comparison else {}
    if start not in stretches:
        return "nothing to compare"
    return bucket_label(instant(stretches[start][0], answer.window.zone), answer.grain)
