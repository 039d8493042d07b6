"""A section's question, answered: what chart, table, export and API all show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from components.sections.declared import Section
from data.local_time import Grain
from data.query.windows import Window


@dataclass(frozen=True, slots=True)
class Answer:
    """`frame` has a column a dimension and metric, `totals` one row without dimensions.

    `colours` numbers the values of the breakdown in the order in which they first appeared, so
    that one keeps its colour whatever its rank. `several` has the ids of users who have more
    than one, where the reader may know them.
    """

    section: Section
    by: str
    measure: str
    frame: pd.DataFrame
    totals: pd.DataFrame
    window: Window
    grain: Grain
    colours: dict[str, int] = field(default_factory=dict)
    ids_by_person: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show: no row, or only zeros and unknowns."""
        numbers = self.frame[list(self.section.metrics)]
        return not bool(numbers.fillna(0).astype(bool).to_numpy().any())

    @property
    def dimensions(self) -> tuple[str, ...]:
        return self.section.dimensions(self.by)
