"""Numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

from components.shapes.shape import Figure, Shape
from data.query.answers import Answer


@dataclass(frozen=True)
class Headline(Shape):
    """A band of numbers, each with its change against the window before.

    With `large`, these are large and have a line of their course, and for a reader who sees
    nobody else those of `alone`; below stands one strip of `parts` of the `whole`, beside it the
    other numbers. `badge` is the metric that leads to a page of the settings, and that page.
    """

    large: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()
    whole: str = ""
    parts: tuple[str, ...] = ()
    badge: tuple[str, str] = ("", "")

    css_class = "headline"
    has_chart = False

    def courses(self) -> tuple[str, ...]:
        """The metrics whose course over the window is drawn, for whichever reader."""
        return tuple(dict.fromkeys((*self.large, *self.alone)))

    def draw(self, answer: Answer) -> Figure:
        return {}
