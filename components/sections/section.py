"""What a section is: a question and how to draw it, with no code of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from components.shapes.shape import Shape
from data.local_time import Grain
from data.query.catalog import METRICS

Where = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """`metrics` are the columns of table, CSV and API; `measures` what the chart can draw, by
    default every number among them; `by` the breakdowns to choose from, the first by default.

    `where` narrows the section for good (no values: to where the field is known), `grain` fixes
    its buckets, `width` is of twelve columns.

    `people` tells people apart: of no use to who sees only themselves. For them `alone` are the
    measures, `width_alone` the width and `title_alone` the title, where these differ, and users no
    breakdown where there is another. `more` is the tab that has all of what is only begun here.
    """

    key: str
    title: str
    metrics: tuple[str, ...]
    by: tuple[str, ...]
    shape: Shape
    measures: tuple[str, ...] = ()
    help: str = ""
    where: Where = ()
    grain: Grain | None = None
    width: int = 12
    people: bool = False
    alone: tuple[str, ...] = ()
    width_alone: int = 0
    title_alone: str = ""
    more: str = ""

    def __post_init__(self) -> None:
        numbers = (n for n in self.metrics if METRICS[n].unit.numeric)
        object.__setattr__(self, "measures", self.measures or tuple(numbers))

    def for_one(self) -> Section:
        """The same for a reader who sees nobody else."""
        return replace(
            self, measures=self.alone or self.measures, width=self.width_alone or self.width,
            title=self.title_alone or self.title,
            by=tuple(name for name in self.by if name != "user") or self.by,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of sections. `of` is the field whose values have a page each, at an address below this
    tab's, and `about` the sections of such a page."""

    key: str
    title: str
    sections: tuple[Section, ...]
    of: str = ""
    about: tuple[Section, ...] = ()

    def page(self) -> Tab:
        """The page of one value, as a tab of its own."""
        return replace(self, sections=self.about, about=())

    def for_one(self) -> Tab:
        """The same for a reader who sees nobody else."""
        return replace(
            self, sections=tuple(one.for_one() for one in self.sections if not one.people)
        )
