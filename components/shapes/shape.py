"""What a shape is: what a section's rows are by, in which order, and how they are drawn.

To add a shape is to add a file with one of these: a section that names it has its figure, table,
marks, API rows and card. No page, callback or route knows any shape by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from components.shapes.buckets import bucket_ranges
from data.query.answers import Answer, Order

Figure = dict[str, Any]
Trace = dict[str, Any]


class Shape(ABC):
    """The answers of a shape for itself; a subclass says what differs.

    `top_values` keeps so many values of the breakdown, the largest by the measure, and gathers
    the others in "Other". `fills_gaps` gives a row to every bucket and hour without events.
    A shape without a chart is a band of its numbers; one `as_list` is shown by `assets/ranking.js`
    from the rows in its figure, and drawn by Plotly only as a picture to save.
    """

    css_class: ClassVar[str]
    has_chart: ClassVar[bool] = True
    as_list: ClassVar[bool] = False
    fills_gaps: ClassVar[bool] = False
    top_values: int | None = None

    def dimensions(self, by: str) -> tuple[str, ...]:
        """What the rows are by, under a breakdown (empty for none)."""
        return (by,) if by else ()

    def order(self, measure: str) -> Order:
        """The order of the rows besides that of their dimensions: names, and whether descending."""
        return ()

    def choices(self, measures: tuple[str, ...]) -> tuple[str, ...]:
        """The measures a reader chooses from; a shape that draws all together offers the first."""
        return measures

    def drawn(self, measures: tuple[str, ...], measure: str) -> tuple[str, ...]:
        """Of the section's measures those that the chart draws when one is chosen."""
        return (measure,)

    @abstractmethod
    def draw(self, answer: Answer) -> Figure:
        """The figure of an answer in this shape, its traces marked (`marks.marked`)."""


def figure(traces: list[Trace], layout: dict[str, Any], answer: Answer) -> Figure:
    """Traces and layout as a figure that knows the ranges of its buckets."""
    meta = layout.get("meta", {}) | {"buckets": list(bucket_ranges(answer).values())}
    return {"data": traces, "layout": layout | {"meta": meta}}
