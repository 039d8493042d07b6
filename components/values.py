"""What people call a value of a dimension, and the one colour it has in every chart."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from data.catalog import DIMENSIONS, OTHER, OTHER_LABEL, WEEKDAY
from data.filters import NONE
from data.series import CLOCK, known

# Told apart by readers with any common colour vision (tests/test_charts.py measures it).
PALETTE: Final = (
    "#5166cd", "#e3ce63", "#e363a3", "#86d9ea", "#bc8062", "#5e25d0", "#c1d49b", "#ad1f4e",
    "#9d90df", "#8b8b18", "#723172", "#8b3f18",
)  # fmt: skip
GREY: Final = "#9498a0"


ROUNDS: Final = ("", "/", ".", "x")  # patterns that tell a colour's second and later users apart
DASHES: Final = ("solid", "dash", "dot", "dashdot")


WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# One hue, see-through where there is little, so that it reads on light and dark alike.
HEAT: Final = ((0, "rgba(81,102,205,0.06)"), (1, "rgba(81,102,205,1)"))


def look(place: int | None) -> tuple[str, int]:
    """The colour of the value at a place in the order of appearance, and how often it was used."""
    if place is None:
        return GREY, 0
    return PALETTE[place % len(PALETTE)], place // len(PALETTE) % len(ROUNDS)


def entity(row: pd.Series[Any], by: str) -> str:
    """The name of a row's value of a dimension: `(none)`, `Other`, its name, or its id."""
    value = known(row[by])
    if value is None:
        return NONE
    if value == OTHER:
        return OTHER_LABEL
    if by in CLOCK:
        return WEEK[int(value)] if by == WEEKDAY else f"{int(value):02d}:00"
    naming = DIMENSIONS[by].naming
    name = known(row[naming]) if naming and naming in row.index else None
    return str(name or value)
