"""Numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

from components.shapes.shape import Figure, Shape
from data.query.answers import Answer


@dataclass(frozen=True)
class Headline(Shape):
    """A band of numbers, each with its change against the window before."""

    css_class = "headline"
    has_chart = False

    def draw(self, answer: Answer) -> Figure:
        return {}
