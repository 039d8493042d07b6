"""What a section is: a question and how to draw it, with no code of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from data.local_time import Grain
from data.query.catalog import HOUR, METRICS, TIME, WEEKDAY

Shape = Literal["headline", "time", "mix", "ranking", "heat"]
Within = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """`metrics` are the columns of table, CSV and API; `measures` what the chart can draw.

    `by` are the breakdowns to choose from, the first by default. Shapes:
    `time` keeps the `top` values over time and gathers the others; `mix` draws all measures
    together over time; `ranking` lists every value and draws `top` of them; `heat` is the week by
    hours; `headline` is a band of numbers. `within` narrows the section for good (no values: to
    where the field is known), `grain` fixes its buckets, `width` is of twelve columns.
    `stacked` draws bars of what is not additive, `lines` lines of what is; `grouped` sets bars
    side by side; `single` draws one measure of a mix, to choose from. `stands` has the field and
    value that each measure of a mix is the part of.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    shape: Shape
    measures: tuple[str, ...] = ()
    top: int = 8
    help: str = ""
    within: Within = ()
    grain: Grain | None = None
    width: int = 12
    stacked: bool = False
    grouped: bool = False
    lines: bool = False
    single: bool = False
    stands: tuple[tuple[str, str], ...] = ()

    @property
    def drawable(self) -> tuple[str, ...]:
        """The metrics that the chart can draw: one at a time, or a mix all of them."""
        return self.measures or tuple(n for n in self.metrics if METRICS[n].unit.numeric)

    @property
    def together(self) -> bool:
        """Whether the chart draws all measures at once."""
        return self.shape == "mix" and not self.single

    def dimensions(self, by: str) -> tuple[str, ...]:
        """What the rows are by, under a breakdown."""
        if self.shape == "heat":
            return (WEEKDAY, HOUR)
        over = (TIME,) if self.shape in ("time", "mix") else ()
        return (*over, by) if by else over


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of sections."""

    key: str
    title: str
    sections: tuple[Section, ...]
