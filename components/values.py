"""How values read: names of dimensions' values, what stands on hover, and changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from data.events.table import NONE
from data.query.catalog import DIMENSIONS, OTHER, OTHER_LABEL, WEEKDAY
from data.query.event_time import TIME_PARTS
from data.query.series import or_none
from data.query.units import DASH

WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hover_text(value: Any, several: Mapping[str, tuple[str, ...]]) -> str | None:
    """What stands on hover of a name: the id, and the others of a user who has several."""
    if (known := or_none(value)) is None:
        return None
    others = several.get(str(known), ())[1:]
    return f"{known} (also {', '.join(others)})" if others else str(known)


def time_part_label(by: str, value: Any) -> str:
    """A weekday's or an hour's name."""
    return WEEK[int(value)] if by == WEEKDAY else f"{int(value):02d}:00"


def value_label(row: pd.Series[Any], by: str) -> str:
    """The name of a row's value of a dimension: `(none)`, `Other`, its name, or its id."""
    value = or_none(row[by])
    if value is None:
        return NONE
    if value == OTHER:
        return OTHER_LABEL
    if by in TIME_PARTS:
        return time_part_label(by, value)
    naming = DIMENSIONS[by].naming
    name = or_none(row[naming]) if naming and naming in row.index else None
    return str(name or value)


def change(now: Any, before: Any) -> float | None:
    """The relative change, or None where there is nothing to compare with."""
    if pd.isna(now) or pd.isna(before) or not before:
        return None
    return float(now) / float(before) - 1


def change_text(value: float | None) -> str:
    """`+12.3 %` with a true minus; a dash where it cannot be said."""
    if value is None:
        return DASH
    if abs(value) >= 9.995:
        return f"{'+' if value > 0 else '−'}{abs(value) + (value > 0):,.0f}×"
    return f"{'+' if value >= 0 else '−'}{abs(value):.1%}"
