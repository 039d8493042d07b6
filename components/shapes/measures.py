"""Several measures over time, without a breakdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.shapes import earlier, over_time
from components.shapes.axes import panel_below, vertical_layout
from components.shapes.buckets import bucket_labels
from components.shapes.colours import PALETTE, STATUS, Style
from components.shapes.marks import Mark, marked
from components.shapes.shape import Figure, Shape, Trace, figure
from data.query.answers import Answer
from data.query.catalog import METRICS, TIME, Metric
from data.query.series import or_none


@dataclass(frozen=True)
class Measures(Shape):
    """What adds up in stacked bars, the rest in lines; lines beside bars have a panel of their own
    below, as have the measures that `below` names: a scale is for numbers of one size.

    `stacked` draws bars of every measure, though it may not add up by itself; `grouped` sets bars
    side by side; without `together` one measure is drawn, to choose from. `filters` has the field
    and value that each measure counts, for a click to narrow to.
    """

    stacked: bool = False
    grouped: bool = False
    together: bool = True
    below: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()

    css_class = "shape-mix"
    fills_gaps = True

    def dimensions(self, by: str) -> tuple[str, ...]:
        return (TIME, by) if by else (TIME,)

    def drawn(self, measures: tuple[str, ...], measure: str) -> tuple[str, ...]:
        return measures if self.together else (measure,)

    def choices(self, measures: tuple[str, ...]) -> tuple[str, ...]:
        return measures[:1] if self.together else measures

    def draw(self, answer: Answer) -> Figure:
        names = self.drawn(answer.section.measures, answer.measure)
        drawn = [METRICS[name] for name in names]
        bars = [one for one in drawn if one.additive or self.stacked]
        lower = self._lower(drawn, bars)
        upper = [one for one in drawn if one not in lower]
        ticks = bucket_labels(answer)
        traces = [
            marked(_trace(answer, one, ticks, colour, one in bars), [own], one.name)
            | ({"yaxis": "y2"} if one in lower else {})
            for one, colour, own in zip(
                drawn, self._colours(), self._marks(len(drawn)), strict=False
            )
            if not over_time.is_empty(answer.frame[one.name], one in bars)
        ]
        before = self._earlier(answer, traces, [one for one in bars if one not in lower], ticks)
        if bars and not self.grouped:
            whole = answer.frame[[one.name for one in bars]].sum(axis=1)
            stack = [trace for trace in traces if trace["type"] == "bar"]
            rest = [trace for trace in traces if trace["type"] != "bar"]
            traces = [*over_time.with_total(stack, whole, bars[0]), *rest]
        layout = self._layout(answer, ticks, upper) | {"showlegend": len(drawn) > 1}
        if lower:
            layout = panel_below(layout, lower[0], _largest(answer, lower[:1]))
        return figure([*traces, *before], layout, answer)

    def _earlier(
        self, answer: Answer, traces: list[Trace], bars: list[Metric], ticks: list[str]
    ) -> list[Trace]:
        """What the bars were, together unless they are side by side, and what the lines were."""
        names = [one.name for one in bars]
        lines = [
            (METRICS[name], trace, earlier.values(answer, answer.frame, name))
            for trace in traces
            if trace["type"] != "bar" and (name := trace["meta"]["measure"])
        ]
        made = []
        if bars and self.grouped:
            sums = [(one, earlier.sums(answer, [one.name])) for one in bars]
            made = earlier.bars(answer, sums, ticks)
        elif bars:
            made = earlier.total(answer, bars, earlier.sums(answer, names), ticks)
        return [*made, *earlier.lines(answer, lines, ticks, legend=not made)]

    def _lower(self, drawn: list[Metric], bars: list[Metric]) -> list[Metric]:
        """The measures of the lower panel."""
        if self.below:
            return [one for one in drawn if one.name in self.below]
        return [one for one in drawn if one not in bars] if bars else []

    def _layout(self, answer: Answer, ticks: list[str], first: list[Metric]) -> dict[str, Any]:
        layout = vertical_layout(first[0], ticks, answer.window, _largest(answer, first))
        return layout | ({"barmode": "group"} if self.grouped else {})

    def _colours(self) -> tuple[str, ...]:
        return tuple(STATUS[value] for _, value in self.filters if value in STATUS) or PALETTE

    def _marks(self, traces: int) -> list[Mark]:
        if self.filters:
            return [{field: value} for field, value in self.filters]
        return [{} for _ in range(traces)]


def _trace(answer: Answer, metric: Metric, ticks: list[str], colour: str, bars: bool) -> Trace:
    trace = over_time.bars if bars else over_time.line
    return trace(metric.label, answer.frame[metric.name], metric, ticks, Style(colour))


def _largest(answer: Answer, metrics: list[Metric]) -> float:
    """The largest sum of a bucket."""
    names = [one.name for one in metrics]
    return or_none(answer.frame[names].sum(axis=1).max()) or 0
