"""What people call a value of a dimension, and the one colour it has in every chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from data.events.table import NONE
from data.query.catalog import DIMENSIONS, OTHER, OTHER_LABEL, WEEKDAY
from data.query.event_time import TIME_PARTS
from data.query.series import or_none

# Told apart by readers with any common colour vision (tests/analytics/test_charts.py measures it).
PALETTE: Final = (
    "#5166cd", "#e3ce63", "#e363a3", "#86d9ea", "#bc8062", "#5e25d0", "#c1d49b", "#ad1f4e",
    "#9d90df", "#8b8b18", "#723172", "#8b3f18",
)  # fmt: skip
UNKNOWN: Final = "#6f7682"
GREY: Final = "#a6abb4"
ROUNDS: Final = ("", "/", ".", "x")  # patterns that tell a colour's second and later users apart
DASHES: Final = ("solid", "dash", "dot", "dashdot")
Look = tuple[str, int]  # a colour, and the pattern it has

WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# One hue, see-through where there is little, so that it reads on light and dark alike.
HEAT: Final = ((0, "rgba(81,102,205,0.06)"), (1, "rgba(81,102,205,1)"))


def looks(keys: Sequence[str | None], places: Mapping[str, int]) -> list[Look]:
    """The look of each value of a chart; `places` is everybody's order of first appearance.

    A value keeps its colour in every chart. Where two of a chart share one, the later known has
    a pattern.
    """
    used: Counter[str] = Counter()
    found: dict[str | None, Look] = {None: (UNKNOWN, 0)}
    for key in sorted({key for key in keys if key in places}, key=lambda key: places[str(key)]):
        colour = PALETTE[places[str(key)] % len(PALETTE)]
        found[key] = colour, used[colour] % len(ROUNDS)
        used[colour] += 1
    return [found.get(key, (GREY, 0)) for key in keys]


def tip(value: Any, several: Mapping[str, tuple[str, ...]]) -> str | None:
    """What stands on hover of a name: the id, and the others of a user who has several."""
    if (seen := or_none(value)) is None:
        return None
    others = several.get(str(seen), ())[1:]
    return f"{seen} (also {', '.join(others)})" if others else str(seen)


def hand(by: str, value: Any) -> str:
    """A weekday's or an hour's name."""
    return WEEK[int(value)] if by == WEEKDAY else f"{int(value):02d}:00"


def entity(row: pd.Series[Any], by: str) -> str:
    """The name of a row's value of a dimension: `(none)`, `Other`, its name, or its id."""
    value = or_none(row[by])
    if value is None:
        return NONE
    if value == OTHER:
        return OTHER_LABEL
    if by in TIME_PARTS:
        return hand(by, value)
    naming = DIMENSIONS[by].naming
    name = or_none(row[naming]) if naming and naming in row.index else None
    return str(name or value)
